"""What transfer tasks ask: models trained on one group of cells (a cell type, a data set), asked
for the profiles of every group.

Every group trains with the same number of cells, and every model is asked for the same cells: all
that no model was trained on. So a model of the asked group is what a model of another group is
measured against, with as many training cells and on the same cells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, IntArray
from kobench.dataset import Dataset
from kobench.datasets.copies import first_equal
from kobench.datasets.groups import held_out, labels_of_groups
from kobench.errors import UserError
from kobench.question import QuestionSet, Transfers
from kobench.truth.build import Material
from kobench.truth.profiles import answer_line

__all__ = [
    "answer_line",
    "ask_transfers",
    "asked_rows",
    "build",
    "groups_of",
    "kept_back",
    "training_rows",
    "training_size",
]

#: A group with fewer cells is neither trained on nor asked.
LEAST = 50

#: Share of the smallest group's cells that is trained on; of every other group as many cells.
TRAINED_SHARE = 0.8


#: Keeps this draw's random stream apart from every other use of the same seed.
_STREAM = 0x7A45
_WHOLE_STREAM = 0x7A46


def groups_of(labels: npt.ArrayLike, least: int = LEAST) -> tuple[tuple[str, ...], dict[str, int]]:
    """The groups that are large enough to be trained on and asked.

    Parameters
    ----------
    labels : (n_cells,) str
        The group of each cell.
    least : int
        How many cells a group needs.

    Returns
    -------
    (tuple of str, dict of str to int)
        The large groups, sorted, and the others with their number of cells.

    Raises
    ------
    UserError
        Where fewer than two groups are large enough.

    Examples
    --------
    >>> groups_of(["rod"] * 60 + ["cone"] * 50 + ["microglia"] * 5)
    (('cone', 'rod'), {'microglia': 5})
    """
    names, counts = np.unique(np.asarray(labels, dtype=np.str_), return_counts=True)
    sizes = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    eligible = tuple(name for name, size in sizes.items() if size >= least)
    if len(eligible) < 2:
        found = ", ".join(
            f"{name!r} {size}"
            for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:6]
        )
        raise UserError(
            f"transfer needs two groups of {least} cells or more, and {len(eligible) or 'none'} of"
            f" {len(sizes)} is that large ({found}{', ...' if len(sizes) > 6 else ''}); bring more"
            " cells, or use split=holdout"
        )
    return eligible, {name: size for name, size in sizes.items() if name not in eligible}


def kept_back(dataset: Dataset, labels: npt.ArrayLike, seed: int) -> BoolArray | None:
    """Which cells no model may train on, as cells that belong together stay on one side.

    Parameters
    ----------
    dataset : Dataset
        With or without groups of cells that belong together (donors).
    labels : (n_cells,) str
        The group of each cell that is trained on alone: its cell type or dataset.
    seed : int
        Seed of the draw.

    Returns
    -------
    (n_cells,) bool or None
        About a fifth of the cells, whole donors, of each cell type or dataset its share as far as
        that goes; they are what is asked. None for a dataset without such groups.

    Raises
    ------
    UserError
        Where too few donors have cells of a cell type, or of a dataset.
    """
    donors = labels_of_groups(dataset)
    if donors is None:
        return None
    known = np.asarray(labels, dtype=np.str_)
    eligible = groups_of(known)[0]
    there = np.flatnonzero(np.isin(known, eligible))
    back = np.zeros(len(known), dtype=bool)
    rng = np.random.default_rng([_WHOLE_STREAM, seed])
    if len(np.unique(donors[there])) > 1:
        back[there] = held_out(donors[there], known[there], rng)
    for group in eligible:
        asked = int((back & (known == group)).sum())
        trained = int((known == group).sum()) - asked
        if not asked or trained < TRAINED_SHARE * LEAST:
            raise UserError(
                f"transfer keeps cells that belong together (column {dataset.group_key!r}) on one"
                f" side, and of {group!r} that leaves {trained:,} cells to train on and"
                f" {asked:,} to ask; {TRAINED_SHARE * LEAST:.0f} and 1 are needed. Bring more of"
                f" {dataset.group_key!r}, take another split seed, or use split=holdout"
            )
    return back


def training_size(
    labels: npt.ArrayLike, groups: Sequence[str], back: BoolArray | None = None
) -> int:
    """How many cells of each group are trained on: 0.8 of the smallest group's, rounded down.

    Where whole donors are kept back, all of the others' cells are.

    >>> training_size(["a"] * 51 + ["b"] * 90, ("a", "b"))
    40
    """
    known = np.asarray(labels, dtype=np.str_)
    if back is not None:
        return min(int(((known == group) & ~back).sum()) for group in groups)
    return int(TRAINED_SHARE * min(int((known == group).sum()) for group in groups))


def training_rows(
    labels: npt.ArrayLike,
    groups: Sequence[str],
    trained: str,
    seed: int,
    back: BoolArray | None = None,
) -> IntArray:
    """Rows of the cells of one group that are trained on; as many of every group.

    The draw depends on the seed, the group's name and the order of its own cells: other groups and
    the place of the cells among theirs change nothing but the number.

    Parameters
    ----------
    labels : (n_cells,) str
        The group of each cell.
    groups : sequence of str
        The groups that are large enough, see `groups_of`.
    trained : str
        The group that is trained on.
    seed : int
        Seed of the draw.
    back : (n_cells,) bool, or None
        Cells that no model may train on, see `kept_back`.

    Returns
    -------
    (n_train,) int
        Sorted.
    """
    known = np.asarray(labels, dtype=np.str_)
    if trained not in groups:
        raise ValueError(f"{trained!r} is not one of the groups {', '.join(groups)}")
    word = int.from_bytes(hashlib.sha256(trained.encode()).digest()[:8], "little")
    own = np.flatnonzero(known == trained if back is None else (known == trained) & ~back)
    drawn = np.random.default_rng([_STREAM, seed, word]).permutation(own)[
        : training_size(known, groups, back)
    ]
    rows: IntArray = np.sort(drawn)
    return rows


def asked_rows(
    labels: npt.ArrayLike,
    groups: Sequence[str],
    seed: int,
    first: IntArray | None = None,
    back: BoolArray | None = None,
) -> IntArray:
    """Rows of the cells that every model is asked for: those that no model is trained on.

    Copies of a cell that a model is trained on are not asked.

    Parameters
    ----------
    labels : (n_cells,) str
        The group of each cell.
    groups : sequence of str
        The groups that are large enough, see `groups_of`.
    seed : int
        Seed of the draw of the training cells.
    first : (n_cells,) int, or None
        For each cell the first one that is equal, see `kobench.datasets.copies`.
    back : (n_cells,) bool, or None
        Cells that no model may train on, see `kept_back`; then these alone are asked.

    Returns
    -------
    (m,) int
        Sorted.
    """
    trained = np.concatenate([training_rows(labels, groups, group, seed, back) for group in groups])
    if first is not None:
        trained = np.flatnonzero(np.isin(first, first[trained]))
    there = np.isin(np.asarray(labels, dtype=np.str_), groups)
    rows: IntArray = np.setdiff1d(np.flatnonzero(there if back is None else there & back), trained)
    return rows


def ask_transfers(
    dataset: Dataset, labels: npt.ArrayLike, groups: Sequence[str], trained: str, seed: int
) -> Transfers:
    """What a model of one group is asked: profiles by assemblage alone.

    The cells are the same whichever group the model was trained on.

    Parameters
    ----------
    dataset : Dataset
        Its cells.
    labels : (n_cells,) str
        The group of each cell.
    groups : sequence of str
        The groups that are large enough, see `groups_of`.
    trained : str
        The group that the model was trained on.
    seed : int
        Seed of the draw of the training cells.
    """
    known = np.asarray(labels, dtype=np.str_)
    first = first_equal(dataset.cells.X) if dataset.kind == "real" else None
    back = kept_back(dataset, known, seed)
    rows = asked_rows(known, groups, seed, first, back)
    cells = dataset.cells[rows]
    names, counts = np.unique(known, return_counts=True)
    return Transfers(
        assemblages=cells.assemblages(),
        true=cells.profiles(),
        rows=rows,
        groups=known[rows],
        trained=trained,
        training_cells=len(training_rows(known, groups, trained, seed, back)),
        left_out={
            str(name): int(count)
            for name, count in zip(names, counts, strict=True)
            if name not in groups
        },
    )


def build(row: QuestionSet, material: Material) -> Transfers:
    """What a model of the group `material.group` is asked; see `kobench.truth.build.build`."""
    assert material.labels is not None
    groups = groups_of(material.labels)[0]
    return ask_transfers(
        material.dataset, material.labels, groups, material.group, material.split_seed
    )
