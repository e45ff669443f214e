"""The smallest useful kobench predictor.

It answers a gene's mean share over the cells most like the asked one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Param, PredictorSpec, hookimpl, normalise_rows


class NearestCells:
    """Share of each gene that is on: its mean over the training cells that have it, weighted.

    A cell's weight is exp(sharpness * (s - largest s)), with s the Jaccard similarity of its
    assemblage and the asked one (genes on in both over genes on in either). One more cell, of
    weight 1, has every gene at its plain mean. Rows are divided by their sums.

    Parameters
    ----------
    sharpness : float
        How much more similar cells count; 0 is the masked mean.
    """

    def __init__(self, sharpness: float = 30.0) -> None:
        self.sharpness = sharpness

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep the shares of the training cells, and the plain mean of each gene."""
        self.shares = cells.profiles()
        self.on = (self.shares > 0).astype(float)
        typical = self.shares.sum() / self.on.sum()  # for genes that no training cell has
        self.mean = (self.shares.sum(0) + typical) / (self.on.sum(0) + 1)

    def predict_expression(self, assemblages: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Profiles (n, G), rows summing to 1, of assemblages (n, G) bool."""
        asked = np.asarray(assemblages, float)
        both = asked @ self.on.T
        similarity = both / np.maximum(asked.sum(1)[:, None] + self.on.sum(1) - both, 1)
        weights = np.exp(self.sharpness * (similarity - similarity.max(1, keepdims=True)))
        return normalise_rows(asked * (weights @ self.shares + self.mean) / (weights @ self.on + 1))


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """`nearest-cells`."""
    yield PredictorSpec(
        "nearest-cells",
        NearestCells,
        summary="mean share of each gene over the cells with the most similar assemblage",
        params={
            "sharpness": Param(
                30.0, "how much more like cells count; 0 is the masked mean", low=0.0, high=500.0
            )
        },
    )
