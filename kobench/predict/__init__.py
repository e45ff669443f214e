"""`kobench predict`: answers of a predictor without a score, written to a table."""
