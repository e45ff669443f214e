"""Cells that are equal to others: in their own group, or in another one, which is worse."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import IntArray
from kobench.dataset import Dataset
from kobench.datasets.copies import copies, first_equal


@dataclass(frozen=True)
class Doubled:
    """How many cells are exact copies of an earlier one.

    Attributes
    ----------
    wild_type : int
        Wild-type cells that equal an earlier wild-type cell.
    same : int
        Perturbed cells that equal an earlier cell of the same perturbation.
    across : int
        Perturbed cells that equal a wild-type cell, or one of another perturbation, which can't be:
        one of the two labels is wrong.
    """

    wild_type: int = 0
    same: int = 0
    across: int = 0

    def to_json(self) -> dict[str, int]:
        """Its numbers by name."""
        return asdict(self)


def doubled(dataset: Dataset) -> Doubled:
    """Count the copies among all cells of a dataset; simulated cells may meet by chance."""
    perturbed = dataset.perturbed
    if perturbed is None:
        return Doubled(wild_type=copies(first_equal(dataset.cells.X)))
    names = np.asarray(perturbed.obs["perturbation"], dtype=np.str_)
    of_name = np.unique(names, return_inverse=True)[1].ravel() + 1
    group: IntArray = np.concatenate([np.zeros(dataset.cells.n_obs, np.int64), of_name])
    first = first_equal(*_alike(dataset.cells.X, perturbed.X))
    copy = first != np.arange(len(first))
    alike = group[first] == group
    return Doubled(
        wild_type=int((copy & (group == 0)).sum()),
        same=int((copy & alike & (group > 0)).sum()),
        across=int((copy & ~alike).sum()),
    )


def _alike(X: Any, other: Any) -> tuple[Any, Any]:
    """Two matrices of one kind, sparse where one of them is, with numbers of one type."""
    if scipy.sparse.issparse(X) != scipy.sparse.issparse(other):
        X, other = scipy.sparse.csr_matrix(X), scipy.sparse.csr_matrix(other)
    return X, other.astype(X.dtype, copy=False)
