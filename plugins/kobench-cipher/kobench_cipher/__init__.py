"""CIPHER as a predictor of kobench."""
