"""How cells are split into those that predictors train on and those that they are asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, IntArray
from kobench.dataset import Dataset
from kobench.datasets.copies import first_equal
from kobench.datasets.groups import check_enough, held_out, labels_of_groups, second_half
from kobench.errors import UserError

#: The ways to split.
STRATEGIES = ("holdout", "all", "halves")

#: Keep the random numbers of a split apart from every other use of the same seed.
_SPLIT_STREAM = 0x5B117
_HALVES_STREAM = 0x5B118
_GROUPS_STREAM = 0x5B119


def split(
    n_cells: int,
    strategy: str = "holdout",
    seed: int = 0,
    batch: npt.ArrayLike | None = None,
    first: IntArray | None = None,
) -> tuple[IntArray, IntArray]:
    """Rows to train on and rows to ask; the same arguments give the same rows.

    Parameters
    ----------
    n_cells : int
    strategy : "holdout", "all" or "halves"
        See Notes.
    seed : int
    batch : (n_cells,) array, or None
        Each cell's batch.
    first : (n_cells,) int, or None
        For each cell the first one that is equal, see `kobench.datasets.copies`.

    Returns
    -------
    train, asked : (m,), (m',) int
        Both sorted.

    Raises
    ------
    UserError
        For an unknown strategy, and for fewer cells than it needs.

    Notes
    -----
    "holdout": a fifth of the cells (rounded) is asked, the rest trained on. Every batch gives its
    share, to the nearest cell (largest remainders first), so both have the same batch mix.

    "all": every cell is trained on and asked.

    "halves": one half is trained on (and asked in). The other half, returned in the place of the
    asked, is the reference that a population truth is measured against. No predictor sees it,
    because a truth and a prediction that share wild-type cells agree by their noise alone. Every
    batch is halved; halves differ by at most one cell in every batch and in all.

    Copies of a cell go where the first of them goes; sizes and shares are those of the others.
    """
    if first is not None and strategy != "all" and (first != np.arange(n_cells)).any():
        distinct: IntArray = np.unique(first)
        labels = None if batch is None else np.asarray(batch)[distinct]
        parts = split(len(distinct), strategy, seed, labels)
        in_training, in_asked = (np.isin(first, distinct[part]) for part in parts)
        return np.flatnonzero(in_training), np.flatnonzero(in_asked)
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
    asked = _fifth(group, np.random.default_rng([_SPLIT_STREAM, seed]))
    return np.setdiff1d(everything, asked), asked


def rows_of(dataset: Dataset, strategy: str, seed: int) -> tuple[IntArray, IntArray]:
    """Rows of a dataset's wild-type cells to train on and to ask; see `split`.

    Batches give their shares, and copies of a real cell stay together. Groups of cells stay whole.

    Raises
    ------
    UserError
        For fewer cells, or fewer groups, than the split needs.
    """
    cells = dataset.cells
    batch = cells.obs[dataset.batch_key] if dataset.batch_key else None
    first = first_equal(cells.X) if dataset.kind == "real" else None
    groups = labels_of_groups(dataset)
    if groups is None or strategy not in ("holdout", "halves"):
        return split(cells.n_obs, strategy, seed, batch, first)
    assert dataset.group_key is not None
    check_enough(groups, strategy, dataset.group_key)
    return split_groups(groups, strategy, seed, batch, first)


def split_groups(
    groups: npt.ArrayLike,
    strategy: str,
    seed: int = 0,
    batch: npt.ArrayLike | None = None,
    first: IntArray | None = None,
) -> tuple[IntArray, IntArray]:
    """Rows to train on and rows to ask, with each group of cells on one side.

    Parameters
    ----------
    groups : (n_cells,) str
        The group of each cell; two of them or more.
    strategy : "holdout" or "halves"
        See `split`.
    seed : int
    batch : (n_cells,) array, or None
        Each cell's batch, of which each side is to have its share as far as whole groups allow.
    first : (n_cells,) int, or None
        For each cell the first one that is equal. Groups are not joined for the sake of cells that
        they share: those of the second side that are equal to a training cell are left out.

    Returns
    -------
    train, asked : (m,), (m',) int
        Both sorted.
    """
    names = np.asarray(groups, dtype=np.str_)
    labels = np.zeros(len(names)) if batch is None else np.asarray(batch)
    rng = np.random.default_rng([_GROUPS_STREAM, strategy == "halves", seed])
    asked = (second_half if strategy == "halves" else held_out)(names, labels, rng)
    train = np.flatnonzero(~asked)
    if first is not None:
        asked &= ~np.isin(first, first[train])
    if not asked.any():
        raise UserError(
            f"split={strategy}: every cell of the groups that are held out is an exact copy of a"
            " training cell; bring other cells, or choose split=all"
        )
    return train, np.flatnonzero(asked)


def _fifth(group: IntArray, rng: np.random.Generator) -> IntArray:
    """A fifth of the members (n,), sorted, with the share of every group to the nearest member."""
    sizes = np.bincount(group)
    asked_in_all = (len(group) + 2) // 5
    quota, remainder = np.divmod(sizes * asked_in_all, len(group))
    quota[np.argsort(-remainder, kind="stable")[: asked_in_all - quota.sum()]] += 1
    drawn = [rng.permutation(np.flatnonzero(group == g))[: quota[g]] for g in range(len(sizes))]
    return np.sort(np.concatenate(drawn))


def halve(
    group: IntArray, keys: npt.NDArray[np.floating[Any]], first: npt.ArrayLike = 0
) -> BoolArray:
    """Which of n members are in the second half, with every group halved.

    Members sorted by group and key go to the two halves by turns, so the halves differ by at most
    one member in every group and in all.

    Parameters
    ----------
    group : (n,) int
    keys : (..., n) float
        Random numbers in [0, 1), one row for each halving.
    first : (...) int
        0 or 1, the half that the first member goes to.

    Returns
    -------
    (..., n) bool

    Examples
    --------
    >>> halve(np.array([0, 0, 0, 7, 7]), np.array([0.9, 0.1, 0.5, 0.2, 0.3]))
    array([False, False,  True,  True, False])
    """
    order = np.argsort(group + keys, axis=-1)
    turns: BoolArray = (np.arange(keys.shape[-1]) + np.asarray(first)[..., None]) % 2 == 1
    second: BoolArray = np.empty(keys.shape, dtype=bool)
    np.put_along_axis(second, order, np.broadcast_to(turns, keys.shape), axis=-1)
    return second
