"""scTenifoldKnk for kobench; `kobench_sctenifold.plugin` describes it."""

__version__ = "0.1.0"
