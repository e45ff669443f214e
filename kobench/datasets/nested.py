"""Splits inside the training cells of a dataset: settings are chosen there, not where boards ask.

A board trains on four fifths of the wild-type cells and asks the rest. Whoever chooses a setting
may look at those four fifths alone. A fifth of them is kept apart, to say afterwards how good the
chosen setting is; the others are split again, to choose by.
"""

from __future__ import annotations

from dataclasses import replace

from kobench.cells import IntArray
from kobench.dataset import Dataset
from kobench.datasets.split import rows_of

#: The splits: by which settings are chosen, and in which the chosen one is looked at again.
CHOOSE, CONFIRM = "tune", "confirm"

#: Seed of the split that boards have without --split-seed, and of that which keeps a fifth apart.
BOARDS, APART = 0, 1


def nested_rows(dataset: Dataset, name: str, seed: int) -> tuple[IntArray, IntArray]:
    """Rows of a dataset's wild-type cells to train on and to ask, all inside the training cells.

    Parameters
    ----------
    dataset : Dataset
    name : "tune" or "confirm"
        "tune" splits the cells to choose by; "confirm" trains on all of these and asks those that
        were kept apart.
    seed : int
        Of the split to choose by.
    """
    training, _ = rows_of(dataset, "holdout", BOARDS)
    inner, apart = rows_of(within(dataset, training), "holdout", APART)
    chosen = training[inner]
    if name == CONFIRM:
        return chosen, training[apart]
    train, asked = rows_of(within(dataset, chosen), "holdout", seed)
    return chosen[train], chosen[asked]


def within(dataset: Dataset, rows: IntArray) -> Dataset:
    """A dataset with some of its wild-type cells, and no truth."""
    return replace(dataset, cells=dataset.cells[rows], truth=None, perturbed=None, replicate=None)
