"""What is built in, a list for each kind: datasets, tasks, metrics, floors."""
