"""The checks of metrics, on made-up units."""
