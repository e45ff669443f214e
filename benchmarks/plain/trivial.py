"""Predictors that cost nothing or a fixed amount.

They are a `--plugin` file for measuring the harness around them.
"""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Cells, Context, Param, PredictorSpec, hookimpl
from kobench.cells import BoolArray, FloatArray


class Trivial:
    """Every gene that is on has the same share; learns nothing."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn nothing."""
        pass

    def predict_expression(self, assemblages: BoolArray) -> FloatArray:
        """(n, G) bool -> (n, G), each row sums to 1."""
        shares: FloatArray = assemblages / assemblages.sum(axis=1, keepdims=True)
        return shares


class Busy(Trivial):
    """The same after a loop of `millions` of steps in Python.

    So a fit costs the same work each time, and no work can be shared.
    """

    def __init__(self, millions: int = 40) -> None:
        self.millions = millions

    def fit(self, cells: Cells, context: Context) -> None:
        """Loop."""
        total = 0
        for step in range(self.millions * 1_000_000):
            total ^= step


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """`trivial` and `busy`."""
    yield PredictorSpec("trivial", Trivial, summary="equal shares, no fit")
    yield PredictorSpec(
        "busy",
        Busy,
        summary="equal shares after a fit of fixed work",
        params={"millions": Param(40, "steps of the loop")},
    )
