"""The checks of predictors. They run in a worker: numpy only, Python 3.9 or newer."""
