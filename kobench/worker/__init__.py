"""What runs in a predictor's interpreter: Python 3.9 or newer, its library and numpy only."""
