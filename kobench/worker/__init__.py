"""What runs in a predictor's interpreter: the standard library and numpy only, Python 3.9 or newer."""
