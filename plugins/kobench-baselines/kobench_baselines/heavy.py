"""Predictors that need a large package, which an extra brings: imported when they are made."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any


def need(package: str, extra: str, predictor: str) -> None:
    """Raise ModuleNotFoundError where a package is not installed, naming the extra that has it.

    >>> need("numpy", "network", "mlp")
    """
    if find_spec(package) is None:
        raise ModuleNotFoundError(
            f"{predictor} needs {package}, which is not installed here; install it with"
            f" `pip install 'kobench-baselines[{extra}]'`"
        )


def mlp(**params: Any) -> Any:
    """The predictor `mlp`."""
    need("torch", "network", "mlp")
    from kobench_baselines.mlp import MLP

    return MLP(**params)


def mlp_anchored(**params: Any) -> Any:
    """The predictor `mlp-anchored`."""
    need("torch", "network", "mlp-anchored")
    from kobench_baselines.anchored_network import MLPAnchored

    return MLPAnchored(**params)


def gbm(**params: Any) -> Any:
    """The predictor `gbm`."""
    need("xgboost", "trees", "gbm")
    from kobench_baselines.gbm import GBM

    return GBM(**params)
