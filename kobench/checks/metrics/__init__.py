"""The checks of metrics, on made-up units; they run in the harness, as a metric sees the truth."""
