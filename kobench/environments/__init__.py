"""Environments: a predictor's own interpreter and packages, each in a folder of its own."""
