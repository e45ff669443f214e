"""kobench: the harness that scores predictors of gene-knockout impact."""

__version__ = "0.1.0"
