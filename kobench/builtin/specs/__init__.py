"""The specs of the built-in datasets, tasks, metrics and floors. Importing them imports none of these."""
