"""What each gene has in a batch, against all batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kobench.api import Cells
from kobench_baselines.common import Floats

#: A batch's mean is drawn towards the mean of all by so many cells of it.
SHRINK = 5.0


@dataclass(frozen=True, eq=False)
class BatchLevels:
    """Factors by which genes are higher in a batch than in all batches together.

    Attributes
    ----------
    key : str or None
        Column of `Cells.obs` with the batch; None where there is none.
    of : mapping of str to (G,) float
        The factors of each batch; a batch that is not in it has 1.
    """

    key: str | None
    of_batch: Mapping[str, Floats]

    @classmethod
    def of(cls, values: Floats, cells: Cells, key: str | None) -> BatchLevels:
        """The levels of training cells with these values (n, G).

        A gene's mean where it is on, in the batch (with `SHRINK` more cells at the overall mean)
        over that in all cells.
        """
        if key is None or key not in cells.obs:
            return cls(None, {})
        labels = np.asarray(cells.obs[key]).astype(str)
        mean = values.sum(axis=0) / np.maximum((values > 0).sum(axis=0), 1)
        levels = {}
        for batch in np.unique(labels):
            rows = values[labels == batch]
            own = (rows.sum(axis=0) + SHRINK * mean) / ((rows > 0).sum(axis=0) + SHRINK)
            levels[str(batch)] = np.divide(own, mean, out=np.ones_like(own), where=mean > 0)
        return cls(key, levels)

    def __call__(self, cells: Cells) -> Floats:
        """(n, G) the factors of some cells."""
        if self.key is None or self.key not in cells.obs:
            return np.ones(cells.shape)
        labels = np.asarray(cells.obs[self.key]).astype(str)
        nothing = np.ones(cells.n_vars)
        return np.stack([self.of_batch.get(str(label), nothing) for label in labels])
