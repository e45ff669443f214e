"""How strong a perturbation is: the energy distance between perturbed and reference cells, and its
permutation p value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.truth.population.profiles import Group

#: Cells of a group and batch that distances are taken between; of more, a fixed draw.
MOST_CELLS = 400

#: How often labels are permuted; the smallest p value is 1 / (1 + PERMUTATIONS).
PERMUTATIONS = 999

#: Keeps these draws apart from every other use of random numbers.
_STREAM = 0x512E


def energy_distance(x: FloatArray, y: FloatArray) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| by Euclidean distance: 0 on average for equal
    distributions, so it may be below 0.

    x : (n, G), y : (m, G), two or more rows each. The U-statistic, with pairs of different cells
    only within a group, of the distance of Szekely and Rizzo, J. Stat. Plann. Inference 143:1249
    (2013).
    """
    labels = np.zeros((1, len(x) + len(y)))
    labels[0, : len(x)] = 1.0
    return float(_energies(distances(np.concatenate([x, y])), labels)[0])


def paired_energy_distance(x: FloatArray, y: FloatArray) -> float:
    """The same for x and y (n, G), two states of the same n >= 2 cells: a cell's distance to itself
    is left out, so equal states give 0.
    """
    n = len(x)
    between = distances(np.concatenate([x, y]))
    within = between[:n, :n].sum() + between[n:, n:].sum()
    across = between[:n, n:].sum() - np.trace(between[:n, n:])
    return float((2.0 * across - within) / (n * (n - 1)))


def size(perturbed: Group, reference: Group, targets: Sequence[int]) -> tuple[float, float]:
    """Energy distance of profiles without the targets, and its p value; both groups are as
    `measure.matched` leaves them.

    The distance is taken within each batch, of at most `MOST_CELLS` cells a group (a fixed draw),
    and averaged by the share of the perturbed cells that are in the batch; a batch with one
    perturbed cell has none and does not count. NaN, and p = 1, where no batch has two. Labels are
    permuted within batch `PERMUTATIONS` times: p = (1 + how many reach the distance) / (1 +
    PERMUTATIONS).
    """
    rng = np.random.default_rng(
        _STREAM
        # the same for every perturbation: what a perturbation is called or stands next to changes
        # nothing
    )
    total, weight = np.zeros(1 + PERMUTATIONS), 0
    for batch in np.unique(perturbed.batch):
        ours, theirs = (np.flatnonzero(group.batch == batch) for group in (perturbed, reference))
        if len(ours) < 2 or len(theirs) < 2:
            continue
        x, y = (
            group[_some(rows, rng)].profiles(targets)
            for group, rows in ((perturbed, ours), (reference, theirs))
        )
        between = distances(np.concatenate([x, y]))
        total += len(ours) * _energies(between, _labels(len(x), len(y), rng))
        weight += len(ours)
    if not weight:
        return float("nan"), 1.0
    energies = total / weight
    reached = int((energies[1:] >= energies[0] - 1e-12).sum())
    return float(energies[0]), (1 + reached) / (1 + PERMUTATIONS)


def distances(rows: FloatArray) -> FloatArray:
    """(n, n) Euclidean distances between rows, 0 on the diagonal; by one matrix product of the
    centred rows.
    """
    centred = rows - rows.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    out: FloatArray = centred @ centred.T
    out *= -2.0
    out += squares[:, None]
    out += squares
    np.maximum(out, 0.0, out=out)
    np.sqrt(out, out=out)
    np.fill_diagonal(out, 0.0)
    return out


def draw(n: int, most: int, rng: np.random.Generator) -> IntArray:
    """Which of n are used, sorted: all, or `most` of them drawn."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _some(rows: IntArray, rng: np.random.Generator) -> IntArray:
    chosen: IntArray = rows[draw(len(rows), MOST_CELLS, rng)]
    return chosen


def _labels(n: int, m: int, rng: np.random.Generator) -> FloatArray:
    """(1 + PERMUTATIONS, n + m) of 0 and 1: first the perturbed cells as they are, then n cells
    drawn at random.
    """
    labels = np.zeros((1 + PERMUTATIONS, n + m))
    labels[0, :n] = 1.0
    drawn = np.argpartition(rng.random((PERMUTATIONS, n + m)), n - 1, axis=1)[:, :n]
    np.put_along_axis(labels[1:], drawn, 1.0, axis=1)
    return labels


def _energies(between: FloatArray, labels: FloatArray) -> FloatArray:
    """(p,) energy distances from distances (N, N), for p choices (p, N) of equally many members of
    the first group.
    """
    first: BoolArray = labels[0] > 0
    n, m = int(first.sum()), int((~first).sum())
    within = ((labels @ between) * labels).sum(axis=1)
    sums = labels @ between.sum(axis=1)  # from the first group to everyone
    across = sums - within
    others = between.sum() - sums - across
    energies: FloatArray = 2.0 * across / (n * m) - within / (n * (n - 1)) - others / (m * (m - 1))
    return energies
