"""The built-in tasks: from answers to a question to the units that metrics compare."""
