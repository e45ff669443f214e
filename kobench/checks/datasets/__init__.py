"""The checks of datasets."""
