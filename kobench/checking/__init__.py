"""`kobench check` of predictors, metrics and datasets, each in a process of its own."""

from __future__ import annotations

from kobench.checking.predictors import Setting, check_in_child

__all__ = ["Setting", "check_in_child"]
