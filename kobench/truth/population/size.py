"""How strong a perturbation is: the energy distance of perturbed from reference cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.truth.population.grams import Grams, distances_of
from kobench.truth.population.profiles import Population

#: Cells of a group and batch that distances are taken between; of more, a fixed draw.
MOST_CELLS = 400

#: How often labels are permuted; the smallest p value is 1 / (1 + PERMUTATIONS).
PERMUTATIONS = 999

#: Groups of so few cells are summed pair by pair; larger ones by a product of matrices.
FEW = 24

#: Keeps these draws apart from every other use of random numbers.
_STREAM = 0x512E


def energy_distance(x: FloatArray, y: FloatArray) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| by Euclidean distance.

    It is 0 on average for equal distributions, so it may lie below 0.

    Parameters
    ----------
    x : (n, G) float, n >= 2
    y : (m, G) float, m >= 2

    Notes
    -----
    The U-statistic, with pairs of different cells only within a group, of the distance of Szekely
    and Rizzo, J. Stat. Plann. Inference 143:1249 (2013).
    """
    labels = np.zeros((1, len(x) + len(y)), dtype=bool)
    labels[0, : len(x)] = True
    return float(_energies(distances(np.concatenate([x, y])), labels)[0])


def paired_energy_distance(x: FloatArray, y: FloatArray) -> float:
    """The energy distance of two states of the same n >= 2 cells, x and y (n, G).

    A cell's distance to itself is left out, so equal states give 0.
    """
    n = len(x)
    between = distances(np.concatenate([x, y]))
    within = between[:n, :n].sum() + between[n:, n:].sum()
    across = between[:n, n:].sum() - np.trace(between[:n, n:])
    return float((2.0 * across - within) / (n * (n - 1)))


def size(
    perturbed: Population,
    reference: Population,
    targets: Sequence[int],
    grams: Grams | None = None,
) -> tuple[float, float]:
    """Energy distance of profiles without the targets, and its permutation p value.

    The distance is taken within each batch, between at most `MOST_CELLS` cells a group (a fixed
    draw), and averaged by the share of the perturbed cells that are in the batch. A batch with one
    perturbed cell has none and does not count.

    Parameters
    ----------
    perturbed, reference : Population
        As `measure.matched` leaves them.
    targets : sequence of int
        Columns of the genes that the perturbation removes.
    grams : Grams or None
        Products of reference cells, where they were made for many perturbations.

    Returns
    -------
    float
        The distance; NaN where no batch has two perturbed cells.
    float
        p = (1 + how many permutations reach the distance) / (1 + `PERMUTATIONS`), with labels
        permuted within batch; 1 where there is no distance.
    """
    # one stream for every perturbation: what it is called or stands next to changes nothing
    rng = np.random.default_rng(_STREAM)
    total, weight = np.zeros(1 + PERMUTATIONS), 0
    for batch in np.unique(perturbed.batch):
        ours, theirs = (np.flatnonzero(group.batch == batch) for group in (perturbed, reference))
        if len(ours) < 2 or len(theirs) < 2:
            continue
        x, y = (group[_some(rows, rng)] for group, rows in ((perturbed, ours), (reference, theirs)))
        between = None if grams is None else grams.distances(x, y, targets)
        if between is None:
            between = distances(np.concatenate([x.profiles(targets), y.profiles(targets)]))
        energies_of = _energies_of_few if len(x) <= FEW else _energies
        total += len(ours) * energies_of(between, _labels(len(x), len(y), rng))
        weight += len(ours)
    if not weight:
        return float("nan"), 1.0
    energies = total / weight
    reached = int((energies[1:] >= energies[0] - 1e-12).sum())
    return float(energies[0]), (1 + reached) / (1 + PERMUTATIONS)


def distances(rows: FloatArray) -> FloatArray:
    """(n, n) Euclidean distances between rows (n, G), 0 on the diagonal.

    By one matrix product of the centred rows.
    """
    centred = rows - rows.mean(axis=0)
    return distances_of(centred @ centred.T, np.einsum("ij,ij->i", centred, centred))


def draw(n: int, most: int, rng: np.random.Generator) -> IntArray:
    """Which of n are used, sorted: all, or `most` of them drawn."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _some(rows: IntArray, rng: np.random.Generator) -> IntArray:
    """At most `MOST_CELLS` of the rows (n,)."""
    chosen: IntArray = rows[draw(len(rows), MOST_CELLS, rng)]
    return chosen


def _labels(n: int, m: int, rng: np.random.Generator) -> BoolArray:
    """(1 + PERMUTATIONS, n + m) bool, which cells make the first group.

    In the first row the n perturbed cells as they are, in the others n cells drawn at random.
    """
    labels: BoolArray = np.zeros((1 + PERMUTATIONS, n + m), dtype=bool)
    labels[0, :n] = True
    keys = rng.random((PERMUTATIONS, n + m))
    np.less_equal(keys, np.partition(keys, n - 1, axis=1)[:, n - 1 : n], out=labels[1:])
    if np.count_nonzero(labels) != labels.shape[0] * n:  # two keys alike
        labels[1:] = False
        drawn = np.argpartition(keys, n - 1, axis=1)[:, :n]
        np.put_along_axis(labels[1:], drawn, True, axis=1)
    return labels


def _energies(between: FloatArray, labels: BoolArray) -> FloatArray:
    """(p,) energy distances for p choices of the first group, all of the same number of cells.

    between : (N, N) distances of all cells. labels : (p, N) bool, the first group.
    """
    chosen = labels.astype(np.float64)
    within = ((chosen @ between) * chosen).sum(axis=1)
    sums = chosen @ between.sum(axis=1)  # from the first group to everyone
    return _energies_of_sums(within, sums, float(between.sum()), labels)


def _energies_of_few(between: FloatArray, labels: BoolArray) -> FloatArray:
    """(p,) the same for a first group of few cells, pair by pair."""
    chosen = np.nonzero(labels)[1].reshape(len(labels), -1)
    everyone = between.sum(axis=1)
    within = between.ravel()[chosen[:, :, None] * len(between) + chosen[:, None, :]]
    sums = everyone[chosen].sum(axis=1)
    return _energies_of_sums(within.sum(axis=(1, 2)), sums, float(everyone.sum()), labels)


def _energies_of_sums(
    within: FloatArray, sums: FloatArray, whole: float, labels: BoolArray
) -> FloatArray:
    """(p,) energy distances from the distances inside the first group, and from it to everyone.

    within, sums : (p,). whole : sum of all distances.
    """
    n = int(labels[0].sum())
    m = labels.shape[1] - n
    across = sums - within
    others = whole - sums - across
    energies: FloatArray = 2.0 * across / (n * m) - within / (n * (n - 1)) - others / (m * (m - 1))
    return energies
