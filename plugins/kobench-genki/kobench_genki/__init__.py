"""GenKI as a predictor of kobench."""
