"""Answers to the population question, derived where a predictor gives none. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import (
    BoolArray,
    Cells,
    FloatArray,
    IntArray,
    Knockouts,
    bray_curtis,
    normalise_rows,
)
from kobench.question.base import answerable_events
from kobench.worker.derive import Asker, array_of, source_of


@dataclass(frozen=True, eq=False)
class ResponsesAnswer:
    """Answers to a population question; what can't be answered is None.

    Shapes as in `kobench.question.Answers`.
    """

    response: FloatArray | None
    raw: FloatArray | None
    propagated: FloatArray | None
    gene_scores: FloatArray | None


def answer_responses(
    asker: Asker,
    cells: Cells,
    batches: Sequence[Knockouts],
    rows: Sequence[IntArray],
    n_rows: int,
    supported: BoolArray,
    max_order: int | None = None,
) -> ResponsesAnswer:
    """Answers to a population question.

    A row's change is the mean over its events of the profile after the knockout minus the own wild
    type without the removed genes, renormalised. A predictor that gives `predict_response` is asked
    once for each set of genes, with all cells as one population.

    Parameters
    ----------
    asker : Asker
        A fitted predictor.
    cells : Cells
        The m asked cells.
    batches : sequence of Knockouts
        One batch of events for each order; their cells are rows of `cells`.
    rows : sequence of (n,) int
        The answer row of each event, batch by batch.
    n_rows : int
        How many answer rows there are. Those without an event that can be answered are NaN.
    supported : (G,) bool
        The genes that the predictor can remove.
    max_order : int or None
        How many it can remove at once; None for any number.
    """
    if len(rows) != len(batches):
        raise ValueError(
            f"{len(rows)} lists of answer rows for {len(batches)} batches of events; give one for"
            " each"
        )
    asked = [
        _Batch(events, places, np.flatnonzero(answerable_events(events, supported, max_order)))
        for events, places in zip(batches, rows)  # noqa: B905 - Python 3.9 has no `strict`
    ]
    return _Population(asker, cells, asked, n_rows).answer()


@dataclass(frozen=True, eq=False)
class _Batch:
    """Events of one order: their answer rows (n,), and which of them (k,) are asked."""

    events: Knockouts
    places: IntArray
    asked: IntArray


class _Population:
    """A population question, being answered."""

    def __init__(self, asker: Asker, cells: Cells, batches: Sequence[_Batch], n_rows: int) -> None:
        self.asker, self.cells, self.batches = asker, cells, batches
        count = np.zeros(n_rows)
        for batch in batches:
            np.add.at(count, batch.places[batch.asked], 1.0)
        self.response = _Means(count, cells.n_vars)
        self.impacts = {"raw": _Means(count, None), "propagated": _Means(count, None)}
        self.given: set[str] = set()  # the impacts that are there

    def answer(self) -> ResponsesAnswer:
        gives_response = "response" in self.asker.answers
        derives = source_of("knockout", self.asker.answers) is not None
        if "impact" in self.asker.answers:
            self.ask_impacts()
        if derives and not (gives_response and self.given == set(self.impacts)):
            self.derive(response=not gives_response)
        if gives_response:
            for batch in self.batches:
                self.ask_response(batch.events[batch.asked], batch.places[batch.asked])
        raw, propagated = (
            means.values() if name in self.given else None for name, means in self.impacts.items()
        )
        return ResponsesAnswer(
            response=self.response.values() if gives_response or derives else None,
            raw=raw,
            propagated=propagated,
            gene_scores=self.gene_scores(),
        )

    def ask_impacts(self) -> None:
        """The impacts that the predictor gives itself."""
        for batch in self.batches:
            for part, cells, events in self.asker.chunks(
                self.cells, batch.events, batch.asked, rows=False
            ):
                for name, values in self.asker.impact(cells, events).items():
                    self.impacts[name].add(batch.places[part], values)
                    self.given.add(name)

    def derive(self, response: bool) -> None:
        """Impacts that are not given, and the response if wanted, from rows after the knockouts."""
        wild_type = self.asker.wild_type(self.cells)
        derived = set(self.impacts) - self.given
        for batch in self.batches:
            for part, cells, events in self.asker.chunks(
                self.cells, batch.events, batch.asked, rows=True
            ):
                after = self.asker.knockout(cells, events)
                assert after is not None
                assert batch.events.cells is not None
                own, places = batch.events.cells[part], batch.places[part]
                null = normalise_rows(Knockouts(events.genes, own).remove_from(wild_type))
                if response:
                    self.response.add(places, after - null)
                if "raw" in derived:
                    self.impacts["raw"].add(places, bray_curtis(after, wild_type[own]))
                if "propagated" in derived:
                    self.impacts["propagated"].add(places, bray_curtis(after, null))
        self.given |= derived

    def ask_response(self, events: Knockouts, places: IntArray) -> None:
        """One answer of `predict_response` for each set of genes, in every row of that set."""
        if not len(events):
            return
        sets, of_event = np.unique(events.genes, axis=0, return_inverse=True)
        values = self.asker.predictor.predict_response(self.asker.hand(self.cells), Knockouts(sets))
        shape = (len(sets), self.cells.n_vars)
        changes = array_of(values, shape, "predict_response").astype(np.float64)
        places, first = np.unique(places, return_index=True)
        self.response.total[places] = changes[of_event.ravel()[first]]

    def gene_scores(self) -> FloatArray | None:
        """The predictor's own scores of the genes that are removed alone."""
        single = [
            batch.events.genes[batch.asked, 0] for batch in self.batches if batch.events.order == 1
        ]
        genes = np.unique(np.concatenate(single)) if single else np.empty(0, np.int64)
        return self.asker.gene_scores(self.cells, genes) if len(genes) else None


class _Means:
    """Means of values by answer row, NaN where none was added.

    Parameters
    ----------
    count : (R,) float
        How many values each row gets.
    width : int or None
        How long a value is; None for a number.
    """

    def __init__(self, count: FloatArray, width: int | None) -> None:
        self.total = np.zeros(len(count) if width is None else (len(count), width))
        self.count = count.reshape(-1, *[1] * (self.total.ndim - 1))

    def add(self, rows: IntArray, values: FloatArray) -> None:
        # divided first: the sum of huge values would not be finite
        np.add.at(self.total, rows, values / self.count[rows])

    def values(self) -> FloatArray:
        means: FloatArray = np.where(self.count > 0, self.total, np.nan)
        return means
