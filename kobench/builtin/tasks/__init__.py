"""The built-in tasks: how answers to a question become units for metrics."""
