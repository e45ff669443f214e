"""Cells made ready for a trial: normalisation, choice of genes, splits, and a digest of what
predictors are given.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import BoolArray, Cells, IntArray
from kobench.data_checks import (
    MIN_CELLS,
    check_expressed,
    check_matrix,
    check_scale,
    tidy,
    validate,
)
from kobench.errors import UserError

__all__ = [
    "MIN_CELLS",
    "STRATEGIES",
    "check_expressed",
    "check_matrix",
    "check_scale",
    "choose_genes",
    "digest",
    "halve",
    "normalise",
    "split",
    "tidy",
    "validate",
    "zeros",
]

#: A cell's counts are brought to this total before the logarithm ("CP10k").
TARGET_TOTAL = 1e4

#: How cells are parted into those trained on and those asked.
STRATEGIES = ("holdout", "all", "halves")

#: Keeps the split's random stream apart from every other use of the same seed.
_SPLIT_STREAM = 0x5B117
_HALVES_STREAM = 0x5B118


def normalise(counts: Any, totals: npt.ArrayLike | None = None) -> Any:
    """log(1 + 10,000 * count / total), natural logarithm, float32; sparse stays sparse (canonical
    CSR).

    counts : (n, G) array or sparse matrix, >= 0. totals : (n,) the cell's counts over *all* genes
    of its source, for matrices that keep only some genes; None takes the row sums. A row whose
    total is 0 stays 0. The same as scanpy's `normalize_total(target_sum=1e4)` and `log1p`, but for
    `totals`.

    Raises ValueError where `totals` has the wrong length, is not finite, or is not positive for a
    row that has counts.

    >>> normalise(np.array([[1.0, 3.0, 0.0]]), totals=[10_000])
    array([[0.6931472, 1.3862944, 0.       ]], dtype=float32)
    """
    sums = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    size = sums if totals is None else np.asarray(totals, dtype=np.float64)
    if size.shape != sums.shape:
        raise ValueError(
            f"totals has shape {size.shape}; expected {sums.shape}, one total for each cell"
        )
    if not np.all(np.isfinite(size)) or np.any((size <= 0) & (sums > 0)):
        raise ValueError("totals must be finite, and positive for every cell that has counts")
    factor = np.divide(TARGET_TOTAL, size, out=np.zeros_like(size), where=size > 0)
    if not scipy.sparse.issparse(counts):
        dense: npt.NDArray[np.float32] = np.log1p(
            np.asarray(counts, dtype=np.float64) * factor[:, None]
        ).astype(np.float32)
        return dense
    rows = tidy(counts)
    values = np.log1p(
        rows.data.astype(np.float64) * np.repeat(factor, np.diff(rows.indptr))
    ).astype(np.float32)
    return scipy.sparse.csr_matrix(
        (values, rows.indices.copy(), rows.indptr.copy()), shape=rows.shape
    )


def choose_genes(wild_type: Any, genes: int = 0, keep: npt.ArrayLike = ()) -> BoolArray:
    """Which genes a dataset keeps, (G,) bool, decided by wild-type cells only.

    A gene that no wild-type cell expresses is dropped: nothing about it can be learnt from
    wild-type cells, and no cell of them can be asked to lose it. With `genes` > 0 the `genes` most
    detected of the others stay (in how many cells; ties: the earlier column). Columns in `keep`
    (the perturbed genes) stay in any case and count among the `genes`.
    """
    detected = np.asarray((wild_type > 0).sum(axis=0)).ravel()
    chosen: BoolArray = np.zeros(len(detected), dtype=bool)
    chosen[np.asarray(keep, dtype=np.intp)] = True
    candidates = np.flatnonzero((detected > 0) & ~chosen)
    if genes > 0:
        candidates = candidates[np.argsort(-detected[candidates], kind="stable")]
        candidates = candidates[: max(0, genes - int(chosen.sum()))]
    chosen[candidates] = True
    return chosen


def split(
    n_cells: int, strategy: str = "holdout", seed: int = 0, batch: npt.ArrayLike | None = None
) -> tuple[IntArray, IntArray]:
    """Rows to train on and rows to ask, both sorted; the same arguments give the same rows.

    "holdout": a fifth of the cells (rounded) is asked, the rest trained on; with `batch` (n_cells,)
    every batch gives its share, to the nearest cell (largest remainders first), so train and asked
    have the same batch mix. "all": every cell is trained on and asked. "halves": one half is
    trained on (and asked in), the other half, returned in the place of the asked, is the reference
    that a population truth is measured against and is shown to no predictor: a truth and a
    prediction that share wild-type cells agree by their noise alone. With `batch` every batch is
    halved; halves differ by at most one cell in every batch and in all.

    Raises UserError for an unknown strategy and for fewer cells than it needs.
    """
    everything = np.arange(n_cells)
    if strategy == "all":
        return everything, everything.copy()
    if strategy not in STRATEGIES:
        raise UserError(f"split {strategy!r} is not known; choose one of {', '.join(STRATEGIES)}")
    if strategy == "holdout" and n_cells < 3:
        raise UserError(
            f"{n_cells} cells cannot be split 80/20; at least 3 are needed, or split=all"
        )
    if strategy == "halves" and n_cells < 2:
        raise UserError(f"{n_cells} cells cannot be halved; at least 2 are needed, or split=all")
    labels = np.zeros(n_cells) if batch is None else np.asarray(batch)
    if labels.shape != (n_cells,):
        raise ValueError(
            f"batch has shape {labels.shape}; expected ({n_cells},), one label for each cell"
        )
    group = np.unique(labels, return_inverse=True)[1].ravel()
    if strategy == "halves":
        rng = np.random.default_rng([_HALVES_STREAM, seed])
        reference = halve(group, rng.random(n_cells), rng.integers(2))
        return everything[~reference], everything[reference]
    sizes = np.bincount(group)
    asked_in_all = (n_cells + 2) // 5
    quota, remainder = np.divmod(sizes * asked_in_all, n_cells)
    quota[np.argsort(-remainder, kind="stable")[: asked_in_all - quota.sum()]] += 1
    rng = np.random.default_rng([_SPLIT_STREAM, seed])
    asked = np.sort(
        np.concatenate(
            [rng.permutation(np.flatnonzero(group == g))[: quota[g]] for g in range(len(sizes))]
        )
    )
    return np.setdiff1d(everything, asked), asked


def halve(
    group: IntArray, keys: npt.NDArray[np.floating[Any]], first: npt.ArrayLike = 0
) -> BoolArray:
    """(..., n) bool, which of n members are in the second half, drawn so that every group is
    halved.

    group : (n,) whole numbers. keys : (..., n) random numbers in [0, 1), one row for each halving.
    first : (...) 0 or 1, the half that the first member goes to. Members sorted by group and key go
    to the two halves by turns, so the halves differ by at most one member in every group and in
    all.

    >>> halve(np.array([0, 0, 0, 7, 7]), np.array([0.9, 0.1, 0.5, 0.2, 0.3]))
    array([False, False,  True,  True, False])
    """
    order = np.argsort(group + keys, axis=-1)
    turns: BoolArray = (np.arange(keys.shape[-1]) + np.asarray(first)[..., None]) % 2 == 1
    second: BoolArray = np.empty(keys.shape, dtype=bool)
    np.put_along_axis(second, order, np.broadcast_to(turns, keys.shape), axis=-1)
    return second


def digest(cells: Cells) -> str:
    """sha256 of the cells' content: shape, gene names, obs, X and layers, with every value as
    float64.

    Equal content gives an equal digest, whether dense or sparse, float32 or float64, in whatever
    memory order.
    """
    head = {
        "shape": cells.shape,
        "var_names": [str(name) for name in cells.var_names],
        "obs": {name: [str(value) for value in column] for name, column in cells.obs.items()},
        "layers": sorted(cells.layers),
    }
    sha = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for matrix in (cells.X, *(cells.layers[name] for name in sorted(cells.layers))):
        for part in _nonzero(matrix):
            sha.update(np.ascontiguousarray(part).data)
    return sha.hexdigest()


def zeros(matrix: Any) -> float:
    """Share of entries that are 0, to four digits."""
    return round(1.0 - float((matrix > 0).sum()) / float(np.prod(matrix.shape)), 4)


def _nonzero(matrix: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """How many values each row has that are not 0, their columns, the values: little-endian, row by
    row.
    """
    if scipy.sparse.issparse(matrix):
        rows = tidy(matrix)
        lengths, columns, values = np.diff(rows.indptr), rows.indices, rows.data
    else:
        matrix = np.asarray(matrix)
        row, columns = np.nonzero(matrix)
        lengths, values = np.bincount(row, minlength=matrix.shape[0]), matrix[row, columns]
    return lengths.astype("<i8"), columns.astype("<i8"), values.astype("<f8")
