"""Makes each question with its truth from a dataset, in the harness alone; and reference lines."""
