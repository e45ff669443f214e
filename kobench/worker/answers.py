"""How a fitted predictor answers each question set. numpy only.

`ANSWER` has one function for each set of `kobench.question.SETS`, and two more that
`kobench predict` asks. It serves workers, floors in the harness's own process, and the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.cells import (
    BoolArray,
    Cells,
    FloatArray,
    IntArray,
    Knockouts,
    bray_curtis,
    normalise_rows,
    without_interaction,
)
from kobench.errors import InvalidAnswerError
from kobench.question import Payload
from kobench.question.base import answerable_events
from kobench.worker.derive import Asker, array_of, source_of
from kobench.worker.predictor import Fitted

#: Arrays that answer a question, by name; None for each that the predictor can't give.
Arrays = Mapping[str, Any]


def answer_profile(fitted: Fitted, asked: Payload) -> Arrays:
    """Of `Profiles` and `Transfers`: profiles (n, G) of the assemblages."""
    return {"profile": fitted.asker.expression(asked.arrays["assemblages"])}


def answer_singles(fitted: Fitted, asked: Payload) -> Arrays:
    """Of `Singles`: impacts of all events, full rows of the sampled ones, scores of genes."""
    cells, events = cells_and_events(asked)
    sample = asked.arrays["sample"]
    return vars(fitted.asker.singles(cells, events, sample, fitted.supported))


def answer_response(fitted: Fitted, asked: Payload) -> Arrays:
    """Of `Responses`: changes and mean impacts by answer row, and scores of genes."""
    assert asked.cells is not None
    arrays = asked.arrays
    batches: list[Knockouts] = []
    rows: list[IntArray] = []
    while f"genes{len(batches)}" in arrays:
        number = len(batches)
        batches.append(Knockouts(arrays[f"genes{number}"], arrays[f"cells{number}"]))
        rows.append(arrays[f"rows{number}"])
    n_rows = int(arrays["n_rows"])
    answer = answer_responses(
        fitted.asker, asked.cells, batches, rows, n_rows, fitted.supported, fitted.max_order
    )
    return vars(answer)


def answer_multiples(fitted: Fitted, asked: Payload) -> Arrays:
    """Of `Multiples`: the interaction of every event."""
    cells, events = cells_and_events(asked)
    interaction = answer_interactions(
        fitted.asker, cells, events, fitted.supported, fitted.max_order
    )
    return {"interaction": interaction}


def answer_impacts(fitted: Fitted, asked: Payload) -> Arrays:
    """For `kobench predict`: the impacts of events, as far as they can be had, and no full row."""
    cells, events = cells_and_events(asked)
    return fitted.asker.impacts(cells, events, fitted.supported)


def answer_genes(fitted: Fitted, asked: Payload) -> Arrays:
    """For `kobench predict`: the predictor's own scores of the genes `genes`, which are columns."""
    assert asked.cells is not None
    genes = asked.arrays["genes"]
    scores = fitted.asker.gene_scores(asked.cells, genes)
    return {"gene_scores": None if scores is None else scores[genes]}


def cells_and_events(asked: Payload) -> tuple[Cells, Knockouts]:
    """The asked cells, and the events in them."""
    assert asked.cells is not None
    return asked.cells, Knockouts(asked.arrays["genes"], asked.arrays["cells"])


#: What answers each question set, and what `kobench predict` asks without a truth.
ANSWER: Mapping[str, Callable[[Fitted, Payload], Arrays]] = {
    "profile": answer_profile,
    "transfer": answer_profile,
    "singles": answer_singles,
    "response": answer_response,
    "doubles": answer_multiples,
    "triples": answer_multiples,
    "impacts": answer_impacts,
    "genes": answer_genes,
}


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
        (events, places, np.flatnonzero(answerable_events(events, supported, max_order)))
        for events, places in zip(batches, rows)  # noqa: B905 - Python 3.9 has no `strict`
    ]
    count = np.zeros(n_rows)
    for _, places, kept in asked:
        np.add.at(count, places[kept], 1.0)
    response, raw, propagated = (_Means(count, width) for width in (cells.n_vars, None, None))
    gives_response, gives_impact = "response" in asker.answers, "impact" in asker.answers
    derives = source_of("knockout", asker.answers) is not None
    given: set[str] = set()
    if gives_impact:
        for events, places, kept in asked:
            for part, chunk_cells, chunk in asker.chunks(cells, events, kept, rows=False):
                for name, values in asker.impact(chunk_cells, chunk).items():
                    (raw if name == "raw" else propagated).add(places[part], values)
                    given.add(name)
    needs_rows = derives and not (gives_response and {"raw", "propagated"} <= given)
    if needs_rows:
        wild_type = asker.wild_type(cells)
        for events, places, kept in asked:
            for part, chunk_cells, chunk in asker.chunks(cells, events, kept, rows=True):
                after = asker.knockout(chunk_cells, chunk)
                assert after is not None
                assert events.cells is not None
                own = events.cells[part]
                null = normalise_rows(Knockouts(chunk.genes, own).remove_from(wild_type))
                if not gives_response:
                    response.add(places[part], after - null)
                if "raw" not in given:
                    raw.add(places[part], bray_curtis(after, wild_type[own]))
                if "propagated" not in given:
                    propagated.add(places[part], bray_curtis(after, null))
        given |= {"raw", "propagated"}
    if gives_response:
        for events, places, kept in asked:
            _ask_population(asker, cells, events[kept], places[kept], response)
    single = [events.genes[kept, 0] for events, _, kept in asked if events.order == 1]
    genes = np.unique(np.concatenate(single)) if single else np.empty(0, np.int64)
    return ResponsesAnswer(
        response=response.values() if gives_response or derives else None,
        raw=raw.values() if "raw" in given else None,
        propagated=propagated.values() if "propagated" in given else None,
        gene_scores=asker.gene_scores(cells, genes) if len(genes) else None,
    )


def _ask_population(
    asker: Asker, cells: Cells, events: Knockouts, places: IntArray, response: _Means
) -> None:
    """One answer of `predict_response` for each set of genes, written into every answer row of that
    set.
    """
    if not len(events):
        return
    sets, of_event = np.unique(events.genes, axis=0, return_inverse=True)
    values = asker.predictor.predict_response(asker.hand(cells), Knockouts(sets))
    changes = array_of(values, (len(sets), cells.n_vars), "predict_response").astype(np.float64)
    places, first = np.unique(places, return_index=True)
    response.total[places] = changes[of_event.ravel()[first]]


class _Means:
    """Means of values by answer row, NaN where none was added. count : (R,) how many values each
    row gets.
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


def answer_interactions(
    asker: Asker,
    cells: Cells,
    events: Knockouts,
    supported: BoolArray,
    max_order: int | None = None,
) -> FloatArray | None:
    """The interaction of each event of several genes.

    Derived, it is Bray-Curtis of the predictor's profile after the event and what its own single
    knockouts of the same cell add up to (`kobench.cells.without_interaction`).

    Parameters
    ----------
    asker : Asker
        A fitted predictor.
    cells : Cells
        The m asked cells.
    events : Knockouts
        n events; their cells are rows of `cells`.
    supported : (G,) bool
        The genes that the predictor can remove.
    max_order : int or None
        How many it can remove at once; None for any number.

    Returns
    -------
    (n,) float or None
        NaN for events that it can't be asked; None where it can't be derived.
    """
    own = "interaction" in asker.answers
    if not own and source_of("knockout", asker.answers) is None:
        return None
    out = np.full(len(events), np.nan)
    asked = np.flatnonzero(answerable_events(events, supported, max_order))
    wild_type = None if own else asker.wild_type(cells)
    for part, chunk_cells, chunk in asker.chunks(cells, events, asked, rows=True):
        if own:
            values = array_of(
                asker.predictor.predict_interaction(asker.hand(chunk_cells), chunk),
                (len(chunk),),
                "predict_interaction",
            )
            if len(values) and values.min() < 0:
                raise InvalidAnswerError(
                    f"predict_interaction returned {values.min():.6g}; interactions must be >= 0"
                )
            out[part] = values
            continue
        assert wild_type is not None
        assert events.cells is not None
        after = asker.knockout(chunk_cells, chunk)
        assert after is not None
        singles = _singles_of(asker, chunk_cells, chunk)
        out[part] = bray_curtis(
            after, without_interaction(wild_type[events.cells[part]], singles, chunk.genes)
        )
    return out


def _singles_of(asker: Asker, cells: Cells, events: Knockouts) -> list[FloatArray]:
    """For each place of the removed genes, the profiles (n, G) after removing that gene alone from
    the same cell, each asked once.
    """
    assert events.cells is not None
    of_cell = np.repeat(events.cells, events.order).astype(np.int64)
    keys, place = np.unique(of_cell * cells.n_vars + events.genes.ravel(), return_inverse=True)
    single = Knockouts(
        (keys % cells.n_vars).astype(np.int32)[:, None], (keys // cells.n_vars).astype(np.int32)
    )
    rows = asker.knockout(cells, single)
    assert rows is not None
    by_place = place.reshape(len(events), events.order)
    return [rows[by_place[:, i]] for i in range(events.order)]
