"""How a fitted predictor answers each question set. numpy only.

`ANSWER` has one function for each set of `kobench.question.SETS`, and two more that
`kobench predict` asks. It serves workers, floors in the harness's own process, and the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kobench.cells import Cells, IntArray, Knockouts
from kobench.question import Payload
from kobench.worker.interactions import answer_interactions
from kobench.worker.predictor import Fitted
from kobench.worker.responses import answer_responses

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


def answer_cells(fitted: Fitted, asked: Payload) -> Arrays:
    """Of `PerturbedCells`: counted cells where the predictor gives them, else changes."""
    if "cells" not in fitted.asker.answers:
        return {"cells": None, "response": answer_response(fitted, asked)["response"]}
    assert asked.cells is not None
    targets, each = asked.arrays["targets"], int(asked.arrays["each"])
    counts = np.full((len(targets) * each, asked.cells.n_vars), np.nan, np.float32)
    for row, genes in enumerate(targets):
        removed = genes[genes >= 0]
        most = fitted.max_order
        if fitted.supported[removed].all() and (most is None or len(removed) <= most):
            place = slice(row * each, (row + 1) * each)
            counts[place] = fitted.asker.counted(asked.cells, removed, each)
    return {"cells": counts, "response": None}


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
    "cells": answer_cells,
    "doubles": answer_multiples,
    "triples": answer_multiples,
    "impacts": answer_impacts,
    "genes": answer_genes,
}
