"""The population question with a truth without noise: means over the same simulated cells with and
without the gene.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray, Knockouts, bray_curtis, normalise_rows
from kobench.dataset import Counterfactual, Dataset
from kobench.errors import UserError
from kobench.question import Responses
from kobench.truth.population.events import Events, abundance, events_of, joined, nothing_asked
from kobench.truth.population.profiles import Group
from kobench.truth.population.size import MOST_CELLS, paired_energy_distance
from kobench.units import MIN_CELLS, TOLERANCE
from kobench.worker.derive import NUMBERS_A_CHUNK

#: Keeps the draw of cells for the sizes apart from every other use of random numbers.
_STREAM = 0x51AE


def ask_simulated_responses(dataset: Dataset, asked: IntArray) -> Responses:
    """How the mean profile changes when a gene is removed, for every gene expressed in `MIN_CELLS`
    asked cells or more.

    Asked is where `kobench.truth.singles.ask_singles` asks: in the asked cells in which the gene and
    another one are read as present; all cells are one stratum. A gene's change is the mean over its
    events of knockout minus null, from the same clean cell. Its size is the energy distance between
    the two, of at most `size.MOST_CELLS` cells (a fixed draw), without a cell's distance to itself.
    An event whose knockout is within the solver's tolerance of its null does not respond, so ties
    are ties; `responds` has the genes whose mean changes by more than that. Events without a steady
    state, or with no gene left on, are left out and counted.

    Where no gene is left the question has no perturbation (k = 0), and `left_out` says why.
    Raises UserError where the dataset has no counterfactual truth.
    """
    if dataset.truth is None:
        raise UserError(
            "this dataset has no counterfactual truth, so changes without noise can't be told; use"
            " `kobench predict` to ask"
        )
    cells = dataset.cells[asked]
    group = Group.of(cells.X, np.zeros(cells.n_obs, np.int64))
    wild_type = dataset.truth.wild_type(np.asarray(asked))
    found: list[tuple[int, Events, Change]] = []
    few = unsolved = silent = 0
    for gene in np.argsort(
        cells.var_names, kind="stable"
    ).tolist():  # by name, as measured ones are, wherever columns stand
        events = events_of(group, [gene], np.ones(1))
        if len(events.cells) >= MIN_CELLS:
            change = change_of(
                dataset.truth, np.asarray(asked)[events.cells], wild_type[events.cells], (gene,)
            )
            unsolved, silent = unsolved + change.unsolved, silent + change.silent
            events = Events(events.cells[change.known], events.row[change.known], events.weight)
        if len(events.cells) >= MIN_CELLS:
            found.append((gene, events, change))
        else:
            few += 1
    counts = {
        f"genes asked in under {MIN_CELLS} cells": few,
        "events without a steady state": unsolved,
        "events after which no gene is on": silent,
    }
    counts = {reason: count for reason, count in counts.items() if count}
    if not found:
        return nothing_asked(dataset, asked, counts)

    genes, events_found, changed = zip(*found, strict=True)
    targets = [(gene,) for gene in genes]
    change_rows = np.array([one.change for one in changed])
    return Responses(
        cells=cells,
        names=tuple(str(cells.var_names[gene]) for gene in genes),
        targets=tuple(targets),
        **joined(events_found, targets),
        change=change_rows,
        size=np.array([one.size for one in changed]),
        abundance=abundance(group, targets),
        detectable=np.ones(len(targets), dtype=bool),
        perturbed=np.array([len(events.cells) for events in events_found]),
        responds=np.abs(np.nan_to_num(change_rows)) > TOLERANCE,
        confounded=dataset.confounded,
        left_out=counts,
    )


@dataclass(frozen=True, eq=False)
class Change:
    """What removing some genes does to n cells. known : (n,) bool, whether the truth has a profile
    after the event and without response.

    change : (G,) mean of knockout minus null over the known events, NaN at the targets. size :
    energy distance between the two. unsolved, silent : events that are not known for want of a
    steady state, and because no gene is left on.
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
    """The truth's answer for these cells (n,) of the dataset; wild_type : (n, G) their clean
    expression. NaN for a size not asked for.
    """
    keys = np.random.default_rng(_STREAM).random(len(cells))
    known: BoolArray = np.zeros(len(cells), dtype=bool)
    total, unsolved = np.zeros(wild_type.shape[1]), 0
    ours, theirs, drawn = (
        np.empty((0, wild_type.shape[1])),
        np.empty((0, wild_type.shape[1])),
        np.empty(0),
    )
    for part, after, null in _pairs(truth, cells, wild_type, targets):
        solved = ~np.isnan(after).any(axis=1)
        here = solved & (np.nan_to_num(after).sum(axis=1) > 0) & (null.sum(axis=1) > 0)
        unsolved += int((~solved).sum())
        known[part] = here
        after, null = after[here], null[here]
        total += (after - null).sum(axis=0)
        if sized:  # of all known events, those with the smallest keys
            drawn = np.concatenate([drawn, keys[part][here]])
            few = np.sort(np.argsort(drawn)[:MOST_CELLS])
            ours, theirs, drawn = (
                np.concatenate([ours, after])[few],
                np.concatenate([theirs, null])[few],
                drawn[few],
            )
    total[list(targets)] = np.nan
    n = int(known.sum())
    size = float("nan")
    if sized and n >= 2:
        size = paired_energy_distance(ours, theirs) if (ours != theirs).any() else 0.0
    return Change(
        known,
        total / n if n else np.full_like(total, np.nan),
        size,
        unsolved,
        len(cells) - n - unsolved,
    )


def expected_changes(dataset: Dataset, targets: Sequence[Sequence[int]]) -> FloatArray:
    """(k, G) change without noise: the mean of knockout minus null over all wild-type cells whose
    clean expression has all targets.

    These are the cells that a prediction is a mean over. A population of which some cells lack the
    target anyway changes in the same direction, but less, by the share of the cells that have it.
    NaN at the targets, and where no such cell has a known answer.

    Raises ValueError where the dataset has no counterfactual truth.
    """
    if dataset.truth is None:
        raise ValueError(
            "a change without noise needs a counterfactual truth, and this dataset has none"
        )
    everyone = np.arange(dataset.cells.n_obs)
    wild_type = dataset.truth.wild_type(everyone)
    expected = []
    for genes in targets:
        rows = everyone[
            (wild_type[:, list(genes)] > 0).all(axis=1) & ((wild_type > 0).sum(axis=1) > len(genes))
        ]
        expected.append(change_of(dataset.truth, rows, wild_type[rows], genes, sized=False).change)
    return np.array(expected).reshape(len(targets), wild_type.shape[1])


def _pairs(
    truth: Counterfactual, cells: IntArray, wild_type: FloatArray, targets: Sequence[int]
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Chunks of cells with their profiles after the knockout and without response, targets out; NaN
    rows without a steady state.

    Where the two are within the tolerance (Bray-Curtis) the first is the second.
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
