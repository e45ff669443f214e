"""Cells that belong together (donors) in the measurement of perturbations: halved as wholes.

Two halves that share donors agree by what is particular to these, not only by the perturbation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kobench.cells import BoolArray, Cells, IntArray
from kobench.datasets.groups import labels_in, second_half
from kobench.truth.population.measure import SPLITS
from kobench.truth.population.profiles import Population

#: Keeps these halves apart from every other use of random numbers.
_STREAM = 0x4A20

#: How often groups are dealt out anew where a half would lack one kind of cells.
TRIES = 10


def numbers_of(key: str | None, perturbed: Cells, wild_type: Cells) -> tuple[IntArray, ...] | None:
    """Number of the group of each perturbed and each wild-type cell, (n,) and (m,).

    None for a dataset without groups (`key` None).
    """
    if key is None:
        return None
    labels = [labels_in(cells, key) for cells in (perturbed, wild_type)]
    number: IntArray = np.unique(np.concatenate(labels), return_inverse=True)[1].ravel()
    return number[: perturbed.n_obs], number[perturbed.n_obs :]


def halved(
    groups: tuple[IntArray, IntArray], batches: tuple[IntArray, IntArray]
) -> tuple[BoolArray, BoolArray] | None:
    """`SPLITS` cuts of both kinds of cells into halves, each group in one half.

    Parameters
    ----------
    groups, batches : pair of (n,) and (m,) int
        The group and the batch of each perturbed and each reference cell.

    Returns
    -------
    ((SPLITS, 2, n) bool, (SPLITS, 2, m) bool) or None
        The cells of either half. A group goes to one half with all of its cells, and batches of
        both kinds are halved as evenly as goes. None where one kind of cells is in one group, or
        no cut has both kinds in both halves: then they can be halved by cells alone.
    """
    if any(len(np.unique(group)) < 2 for group in groups):
        return None
    together = np.concatenate(groups)
    strata = np.concatenate([batches[0], batches[1] + batches[0].max() + 1])
    n, found = len(groups[0]), []
    for split in range(SPLITS):
        for again in range(TRIES):
            second = second_half(together, strata, np.random.default_rng([_STREAM, split, again]))
            if all(0 < part.sum() < len(part) for part in (second[:n], second[n:])):
                break
        else:
            return None
        found.append(second)
    seconds = np.array(found)
    halves = np.stack([~seconds, seconds], axis=1)
    return halves[:, :, :n], halves[:, :, n:]


def within_groups(cells: Population, groups: IntArray, most: int) -> Population:
    """The same cells, with each group of a batch as a batch of its own; `most` numbers a group.

    Tests of significance compare and permute cells inside these: cells of two donors can't change
    places.
    """
    return replace(cells, batch=cells.batch * (most + 1) + groups)
