"""GRNBoost2 for kobench; `kobench_grnboost2.plugin` describes it."""

__version__ = "0.1.0"
