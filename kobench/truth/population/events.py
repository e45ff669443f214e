"""Which cells are asked to lose a perturbation's targets, and how their answers are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.cells import FloatArray, IntArray, Knockouts
from kobench.dataset import Dataset
from kobench.question import Responses
from kobench.truth.population.profiles import Population


@dataclass(frozen=True, eq=False)
class Events:
    """The n events of one perturbation, averaged in r answer rows.

    Attributes
    ----------
    cells : (n,) int
        Rows of the asked cells, sorted.
    row : (n,) int
        Answer row of each event, 0 to r - 1.
    weight : (r,) float
        Share of each answer row in the perturbation's mean; they sum to 1.
    """

    cells: IntArray
    row: IntArray
    weight: FloatArray


def events_of(asked: Population, targets: Sequence[int], mix: FloatArray | IntArray) -> Events:
    """The events of one perturbation, with one answer row for each batch.

    Asked are the cells that express all targets and another gene.

    Parameters
    ----------
    asked : Population
    targets : sequence of int
        Columns of the genes that the perturbation removes.
    mix : (n_batches,) int or float
        Weight of each batch; cells of batches with 0 are not asked. The weights are renormalised
        over the batches in which a cell is asked.
    """
    expresses = (asked.columns(targets) > 0).all(axis=1) & (asked.detected > len(targets))
    cells = np.flatnonzero(expresses & (mix[asked.batch] > 0))
    batches, row = np.unique(asked.batch[cells], return_inverse=True)
    weight = mix[batches].astype(np.float64)
    return Events(cells, row.ravel(), weight / max(weight.sum(), np.finfo(float).tiny))


def joined(events: Sequence[Events], targets: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """The fields of `kobench.question.Responses` that say what is asked.

    Parameters
    ----------
    events : (k,) sequence of Events, k > 0
        Those of each perturbation.
    targets : (k,) sequence of tuples of int
        The genes that each perturbation removes.

    Returns
    -------
    dict
        `events` and `rows`: one batch of knockouts for each order, the lowest first, each sorted by
        cell, then by perturbation. `row_perturbation` and `row_weight`: of all answer rows.
    """
    first = np.cumsum([0, *(len(one.weight) for one in events)])
    batches, rows = [], []
    for order in sorted({len(genes) for genes in targets}):
        those = [place for place, genes in enumerate(targets) if len(genes) == order]
        cells = np.concatenate([events[place].cells for place in those])
        genes = np.concatenate(
            [
                np.tile(np.array(targets[place], np.int32), (len(events[place].cells), 1))
                for place in those
            ]
        )
        row = np.concatenate([first[place] + events[place].row for place in those])
        by_cell = np.argsort(cells, kind="stable")
        batches.append(Knockouts(genes[by_cell], cells[by_cell].astype(np.int32)))
        rows.append(row[by_cell])
    return {
        "events": tuple(batches),
        "rows": tuple(rows),
        "row_perturbation": np.repeat(np.arange(len(events)), np.diff(first)),
        "row_weight": np.concatenate([one.weight for one in events]),
    }


def nothing_asked(dataset: Dataset, asked: IntArray, left_out: Mapping[str, int]) -> Responses:
    """A population question about no perturbation at all (k = 0), in the asked rows (m,)."""
    none, empty, no_rows = np.zeros(0), np.zeros((0, dataset.cells.n_vars)), np.zeros(0, np.int64)
    return Responses(
        cells=dataset.cells[asked],
        names=(),
        targets=(),
        events=(),
        rows=(),
        row_perturbation=no_rows,
        row_weight=none,
        change=empty,
        size=none,
        abundance=none,
        detectable=none.astype(bool),
        perturbed=no_rows,
        responds=empty.astype(bool),
        size_p=none,
        confounded=dataset.confounded,
        left_out=left_out,
    )


def abundance(asked: Population, targets: Sequence[tuple[int, ...]]) -> FloatArray:
    """(k,) mean share of each perturbation's targets over the asked cells, of several their sum."""
    genes = sorted({gene for several in targets for gene in several})
    total = np.where(asked.total > 0, asked.total, 1.0)
    share = (asked.columns(genes) / total[:, None]).mean(axis=0)
    return np.array([share[np.searchsorted(genes, several)].sum() for several in targets])
