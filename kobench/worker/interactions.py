"""Answers to the question of several knockouts at once, derived where a predictor gives none."""

from __future__ import annotations

import numpy as np

from kobench.cells import (
    BoolArray,
    Cells,
    FloatArray,
    Knockouts,
    bray_curtis,
    without_interaction,
)
from kobench.errors import InvalidAnswerError
from kobench.question.base import answerable_events
from kobench.worker.derive import Asker, array_of, source_of


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
