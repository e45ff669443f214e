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

from kobench.cells import IntArray
from kobench.dataset import Dataset
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
    "training_rows",
    "training_size",
]

#: A group with fewer cells is neither trained on nor asked.
LEAST = 50

#: Share of the smallest group's cells that is trained on; so many of every other group, too.
TRAINED_SHARE = 0.8


#: Keeps this draw's random stream apart from every other use of the same seed.
_STREAM = 0x7A45


def groups_of(labels: npt.ArrayLike, least: int = LEAST) -> tuple[tuple[str, ...], dict[str, int]]:
    """The groups with `least` cells or more, sorted, and the others with their number of cells.

    labels : (n_cells,) the group of each cell. Raises UserError where fewer than two groups are
    large enough.

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


def training_size(labels: npt.ArrayLike, groups: Sequence[str]) -> int:
    """How many cells of each group are trained on: 0.8 of the smallest group's, rounded down.

    >>> training_size(["a"] * 51 + ["b"] * 90, ("a", "b"))
    40
    """
    known = np.asarray(labels, dtype=np.str_)
    return int(TRAINED_SHARE * min(int((known == group).sum()) for group in groups))


def training_rows(
    labels: npt.ArrayLike, groups: Sequence[str], trained: str, seed: int
) -> IntArray:
    """Rows (n_train,) of the cells of the group `trained` that are trained on, sorted; the same
    number for every one of `groups`.

    The draw depends on the seed, the group's name and the order of its own cells: other groups and
    the place of the cells among theirs change nothing but the number.
    """
    known = np.asarray(labels, dtype=np.str_)
    if trained not in groups:
        raise ValueError(f"{trained!r} is not one of the groups {', '.join(groups)}")
    word = int.from_bytes(hashlib.sha256(trained.encode()).digest()[:8], "little")
    own = np.flatnonzero(known == trained)
    drawn = np.random.default_rng([_STREAM, seed, word]).permutation(own)[
        : training_size(known, groups)
    ]
    rows: IntArray = np.sort(drawn)
    return rows


def asked_rows(labels: npt.ArrayLike, groups: Sequence[str], seed: int) -> IntArray:
    """Rows of the cells that every model is asked for, sorted: those of the groups that no model is
    trained on.
    """
    trained = np.concatenate([training_rows(labels, groups, group, seed) for group in groups])
    rows: IntArray = np.setdiff1d(
        np.flatnonzero(np.isin(np.asarray(labels, dtype=np.str_), groups)), trained
    )
    return rows


def ask_transfers(
    dataset: Dataset, labels: npt.ArrayLike, groups: Sequence[str], trained: str, seed: int
) -> Transfers:
    """The profiles that a model of the group `trained` is asked for, by assemblage alone; the same
    cells whichever group it is.

    labels : (n_cells,) the group of each of the dataset's cells. groups : those large enough, as
    `groups_of` gives them.
    """
    known = np.asarray(labels, dtype=np.str_)
    rows = asked_rows(known, groups, seed)
    cells = dataset.cells[rows]
    names, counts = np.unique(known, return_counts=True)
    return Transfers(
        assemblages=cells.assemblages(),
        true=cells.profiles(),
        rows=rows,
        groups=known[rows],
        trained=trained,
        training_cells=len(training_rows(known, groups, trained, seed)),
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
