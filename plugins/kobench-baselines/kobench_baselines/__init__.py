"""Baseline predictors for kobench; `kobench_baselines.plugin` describes them."""

__version__ = "0.1.0"
