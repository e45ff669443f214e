"""The built-in metrics, by the kind of units that they score, and what they are computed with."""
