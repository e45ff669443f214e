"""The checks of data sets; they run in the harness, as a data set hands out the truth."""
