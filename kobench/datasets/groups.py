"""Groups of cells that belong together (donors, simulation runs) on one side of a split.

Cells of one donor are more alike than cells of two, so a model that has seen a donor knows more of
its other cells than of anybody else's. Groups are taken whole, in random order, wherever they bring
each batch closer to its share.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, Cells, IntArray
from kobench.dataset import Dataset
from kobench.errors import UserError

#: From so many groups on at least `LEAST_ASKED` are held out: one group has no interval.
MANY = 5
LEAST_ASKED = 2

#: Share of the cells that is held out.
ASKED_SHARE = 0.2


def labels_of_groups(dataset: Dataset) -> npt.NDArray[np.str_] | None:
    """(n,) the group of each wild-type cell; None for a dataset without groups.

    Blanks around a label don't make another group.
    """
    if dataset.group_key is None:
        return None
    return labels_in(dataset.cells, dataset.group_key)


def labels_in(cells: Cells, key: str) -> npt.NDArray[np.str_]:
    """(n,) the group of each of n cells by a column, without blanks around it."""
    return np.char.strip(np.asarray(cells.obs[key], dtype=np.str_))


def check_enough(groups: npt.ArrayLike, strategy: str, key: str) -> None:
    """UserError where there are fewer groups than a split has sides.

    Parameters
    ----------
    groups : (n,) str
        The group of each cell.
    strategy : str
        Name of the split.
    key : str
        The column that names the groups.
    """
    names, counts = np.unique(np.asarray(groups, dtype=np.str_), return_counts=True)
    if len(names) < 2:
        others = "" if strategy == "halves" else " use split=all,"
        raise UserError(
            f"split={strategy} keeps each group of cells (column {key!r}) on one side, and there is"
            f" one group, {str(names[0])!r} with {int(counts[0]):,} cells; at least 2 are needed:"
            f" bring more groups,{others} or give no group_key if single cells are independent"
        )


def held_out(groups: npt.ArrayLike, batch: npt.ArrayLike, rng: np.random.Generator) -> BoolArray:
    """Which of n cells are in the groups that are held out: about a fifth of the cells.

    Parameters
    ----------
    groups : (n,) str or int
        The group of each cell; two of them or more.
    batch : (n,) str or int
        The batch of each cell, or its cell type. Each is to give its share.
    rng : Generator
        By which the order of groups is drawn.

    Returns
    -------
    (n,) bool
        Whole groups. At least one, of `MANY` groups at least `LEAST_ASKED`, and never all.

    Notes
    -----
    In random order a group is taken where that brings the number of cells nearer to a fifth of
    all, and a fifth of its own cells, or more, lie in what its batches still lack of theirs.
    """
    number, table = _table(groups, batch)
    lacking = ASKED_SHARE * table.sum(axis=0)
    taken = np.zeros(len(table), dtype=bool)
    for group in rng.permutation(len(table)):
        size, cells = table[group, -1], table[group, :-1]
        useful = np.minimum(cells, np.maximum(lacking[:-1], 0.0)).sum()
        # what is taken stays under two fifths of the cells, so it is never all
        if size < 2 * lacking[-1] and useful >= ASKED_SHARE * size - 1e-9:
            taken[group], lacking = True, lacking - table[group]
    while taken.sum() < (LEAST_ASKED if len(table) >= MANY else 1):
        others = np.flatnonzero(~taken)
        best = others[np.argmin([_squares(lacking - table[group]) for group in others])]
        taken[best], lacking = True, lacking - table[best]
    chosen: BoolArray = taken[number]
    return chosen


def second_half(groups: npt.ArrayLike, batch: npt.ArrayLike, rng: np.random.Generator) -> BoolArray:
    """Which of n cells are in the groups of the second half.

    Parameters
    ----------
    groups : (n,) str or int
        The group of each cell; two of them or more.
    batch : (n,) str or int
        The batch of each cell. Each is to be halved.
    rng : Generator
        By which the order of groups is drawn.

    Returns
    -------
    (n,) bool
        Whole groups, at least one in each half.

    Notes
    -----
    In random order each group goes to the half with which batches, and all cells, are halved more
    evenly. Without batches halves differ by no more cells than the largest group has.
    """
    number, table = _table(groups, batch)
    second = np.zeros(len(table), dtype=bool)
    excess = np.zeros(table.shape[1])  # how many more cells the second half has
    for group in rng.permutation(len(table)):
        more, fewer = _squares(excess + table[group]), _squares(excess - table[group])
        second[group] = more < fewer if more != fewer else bool(rng.integers(2))
        excess += table[group] if second[group] else -table[group]
    chosen: BoolArray = second[number]
    return chosen


def _table(groups: npt.ArrayLike, batch: npt.ArrayLike) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """The number of each cell's group (n,), and the cells of each group by batch and in all."""
    names, number = np.unique(np.asarray(groups), return_inverse=True)
    batches, place = np.unique(np.asarray(batch), return_inverse=True)
    table = np.zeros((len(names), len(batches) + 1))
    np.add.at(table, (number.ravel(), place.ravel()), 1.0)
    table[:, -1] = table.sum(axis=1)
    return number.ravel(), table


def _squares(values: npt.NDArray[np.float64]) -> float:
    return float(np.square(values).sum())
