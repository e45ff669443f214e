"""What removing genes does to simulated cells, without noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray, Knockouts, bray_curtis, normalise_rows
from kobench.dataset import Counterfactual, Dataset
from kobench.truth.population.size import MOST_CELLS, paired_energy_distance
from kobench.units import TOLERANCE
from kobench.worker.derive import NUMBERS_A_CHUNK

#: Keeps the draw of cells for the sizes apart from every other use of random numbers.
_STREAM = 0x51AE


@dataclass(frozen=True, eq=False)
class Change:
    """What removing some genes does to n cells.

    Attributes
    ----------
    known : (n,) bool
        Whether the truth has a profile after the event and without response.
    change : (G,) float
        Mean of knockout minus null over the known events, NaN at the targets.
    size : float
        Energy distance between the two.
    unsolved : int
        Events that are not known because no steady state was reached.
    silent : int
        Events that are not known because no gene is left on.
    """

    known: BoolArray
    change: FloatArray
    size: float
    unsolved: int
    silent: int


def change_of(
    truth: Counterfactual,
    cells: IntArray,
    wild_type: FloatArray,
    targets: Sequence[int],
    sized: bool = True,
) -> Change:
    """The truth's answer for some cells from which the same genes are removed.

    Parameters
    ----------
    truth : Counterfactual
    cells : (n,) int
        Rows of the dataset's cells.
    wild_type : (n, G) float
        Their clean expression.
    targets : sequence of int
        The removed genes.
    sized : bool
        Whether the size is asked; it is NaN where it is not.
    """
    n_genes = wild_type.shape[1]
    keys = np.random.default_rng(_STREAM).random(len(cells))
    known: BoolArray = np.zeros(len(cells), dtype=bool)
    total, unsolved = np.zeros(n_genes), 0
    sample = _Sample(np.empty((0, n_genes)), np.empty((0, n_genes)), np.empty(0))
    for part, after, null in _pairs(truth, cells, wild_type, targets):
        solved = ~np.isnan(after).any(axis=1)
        here = solved & (np.nan_to_num(after).sum(axis=1) > 0) & (null.sum(axis=1) > 0)
        unsolved += int((~solved).sum())
        known[part] = here
        after, null = after[here], null[here]
        total += (after - null).sum(axis=0)
        if sized:
            sample = sample.with_more(after, null, keys[part][here])
    total[list(targets)] = np.nan
    n = int(known.sum())
    size = float("nan")
    if sized and n >= 2:
        size = sample.size()
    mean = total / n if n else np.full_like(total, np.nan)
    return Change(known, mean, size, unsolved, len(cells) - n - unsolved)


@dataclass(frozen=True, eq=False)
class _Sample:
    """At most `MOST_CELLS` events: those with the smallest random keys.

    after, null : (m, G) profiles after the knockout and without response. keys : (m,).
    """

    after: FloatArray
    null: FloatArray
    keys: FloatArray

    def with_more(self, after: FloatArray, null: FloatArray, keys: FloatArray) -> _Sample:
        """The sample of these events and of others."""
        keys = np.concatenate([self.keys, keys])
        kept = np.sort(np.argsort(keys)[:MOST_CELLS])
        return _Sample(
            np.concatenate([self.after, after])[kept],
            np.concatenate([self.null, null])[kept],
            keys[kept],
        )

    def size(self) -> float:
        """Energy distance between the two states, exactly 0 where they are equal."""
        if not (self.after != self.null).any():
            return 0.0
        return paired_energy_distance(self.after, self.null)


def expected_changes(dataset: Dataset, targets: Sequence[Sequence[int]]) -> FloatArray:
    """The change without noise of each perturbation, over all cells that express its targets.

    The mean of knockout minus null over all wild-type cells whose clean expression has all targets
    and another gene. These are the cells that a prediction is a mean over. A population of which
    some cells lack the target anyway changes in the same direction, but less, by the share of the
    cells that have it.

    Parameters
    ----------
    dataset : Dataset
        With a counterfactual truth.
    targets : (k,) sequence of sequences of int
        The genes that each perturbation removes.

    Returns
    -------
    (k, G) float64
        NaN at the targets, and where no such cell has a known answer.

    Raises
    ------
    ValueError
        Where the dataset has no counterfactual truth.
    """
    if dataset.truth is None:
        raise ValueError(
            "a change without noise needs a counterfactual truth, and this dataset has none"
        )
    everyone = np.arange(dataset.cells.n_obs)
    wild_type = dataset.truth.wild_type(everyone)
    expected = []
    for genes in targets:
        has_targets = (wild_type[:, list(genes)] > 0).all(axis=1)
        has_more = (wild_type > 0).sum(axis=1) > len(genes)
        rows = everyone[has_targets & has_more]
        expected.append(change_of(dataset.truth, rows, wild_type[rows], genes, sized=False).change)
    return np.array(expected).reshape(len(targets), wild_type.shape[1])


def _pairs(
    truth: Counterfactual, cells: IntArray, wild_type: FloatArray, targets: Sequence[int]
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Chunks of the cells, with their profiles after the knockout and without response.

    Both are (chunk, G) without the targets. A row of the first is NaN where no steady state was
    reached, and equals that of the second where the two are within the tolerance (Bray-Curtis).
    """
    step = max(1, NUMBERS_A_CHUNK // max(1, wild_type.shape[1]))
    for start in range(0, len(cells), step):
        part = slice(start, min(start + step, len(cells)))
        genes = np.tile(np.asarray(targets, np.int32), (part.stop - start, 1))
        clean = np.array(
            truth.knockout(Knockouts(genes, cells[part].astype(np.int32))), dtype=np.float64
        )
        lost: BoolArray = np.asarray(~np.isfinite(clean).all(axis=1))
        before = wild_type[part].copy()
        clean[lost] = 0.0
        clean[:, list(targets)] = before[:, list(targets)] = 0.0
        after, null = normalise_rows(clean), normalise_rows(before)
        still = bray_curtis(after, null) < TOLERANCE
        after[still] = null[still]
        after[lost] = np.nan
        yield part, after, null
