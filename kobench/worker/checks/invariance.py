"""Checks that answers stay the same: asked again, in other orders, stored otherwise.

Each is a function of the predictor under test, as in `form`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kobench.cells import Cells, IntArray, Knockouts
from kobench.worker.checks.deviation import SAME_ABSOLUTE, SAME_RELATIVE, deviation, further
from kobench.worker.checks.result import NotApplicable, Wrong
from kobench.worker.checks.tested import PredictorUnderTest
from kobench.worker.derive import array_of

#: Answer kinds that have a row for each removed gene, not for each event.
BY_GENE = ("response", "genes", "cells")

#: Answer kinds that are drawn: in another order other numbers may be drawn.
DRAWN = ("cells",)


def repeatable(tested: PredictorUnderTest) -> str:
    """Asked twice, it answers the same."""
    return _equal(
        tested,
        lambda kind: tested.first.ask(kind, tested.asked, tested.events_of(kind)),
        "asked again",
    )


def same_seed(tested: PredictorUnderTest) -> str:
    """Fitted twice with one seed, it answers the same, to the last digit."""
    return _equal(
        tested,
        lambda kind: tested.second.ask(kind, tested.asked, tested.events_of(kind)),
        "after another fit with the same seed",
    )


def in_any_order(tested: PredictorUnderTest) -> list[str]:
    """The answer kinds that must not depend on an order; raises NotApplicable without any."""
    kinds = [kind for kind in tested.answers if kind not in DRAWN]
    if tested.answers and not kinds:
        raise NotApplicable(f"gives {', '.join(DRAWN)} alone, which are drawn")
    return kinds


def permuted_events(tested: PredictorUnderTest) -> str:
    """Events in another order give the same answers in that order."""
    for kind in in_any_order(tested):
        events = tested.events_of(kind)
        order = tested.reordered(events)
        after = tested.first.ask(kind, tested.asked, events[order], reverse=True)
        for method, before in tested.raw(kind).items():
            expected = np.asarray(before)[slice(None, None, -1) if kind in BY_GENE else order]
            _close(tested, method, expected, after.get(method), "with the events in another order")
    return f"{len(tested.events)} events"


def permuted_genes(tested: PredictorUnderTest) -> str:
    """Fitted and asked with genes in another order, it answers the same in that order, to 1e-4.

    One other order, one seed. A fit that draws numbers column by column can't do so;
    `PredictorSpec.order_matters` declares it.
    """
    cells, n_training = tested.cells, tested.training.n_obs
    order = np.random.default_rng([tested.seed, 14]).permutation(cells.n_vars)
    place = np.argsort(order)  # of each gene among the reordered ones
    moved = Cells(cells.X[:, order], cells.var_names[order], cells.obs)
    fitted = tested.again(moved[:n_training])
    if not np.array_equal(fitted.supported[place], tested.first.supported):
        raise Wrong(
            "supports takes other genes when they are given in another order; go by their names"
        )
    for kind in in_any_order(tested):
        events = tested.events_of(kind)
        moved_events = Knockouts(place.astype(np.int32)[events.genes], events.cells)
        after = fitted.ask(kind, moved[n_training:], moved_events)
        for method, before in tested.raw(kind).items():
            back = _in_first_order(kind, after.get(method), events, place)
            if _apart(before, back):
                found = (
                    f"{method} gives other answers with the genes in another order;"
                    f" {further(before, back)}"
                )
                if tested.order_matters and np.shape(before) == np.shape(back):
                    raise NotApplicable(f"order_matters is declared: {found}")
                raise Wrong(
                    f"{found}; where the fit draws numbers column by column, say order_matters=True"
                    " in its PredictorSpec"
                )
            tested.compared += np.size(before)
    undeclared = "; order_matters need not be declared" if tested.order_matters else ""
    return f"{cells.n_vars} genes in one other order{undeclared}"


def renamed_genes(tested: PredictorUnderTest) -> str:
    """Genes that swap their names keep their answers: what a name tells is prior knowledge.

    The genes that it supports swap names among each other; values stay where they are.
    """
    cells, n_training = tested.cells, tested.training.n_obs
    known = np.flatnonzero(tested.first.supported)
    if len(known) == 1:
        raise NotApplicable("supports takes one gene, so there are no names to swap")
    names = np.array(cells.var_names)
    names[known] = np.roll(names[known], 1)
    called = Cells(cells.X, names, cells.obs)
    fitted = tested.again(called[:n_training])
    for kind in tested.answers:
        after = fitted.ask(kind, called[n_training:], tested.events_of(kind))
        for method, before in tested.raw(kind).items():
            if _apart(before, after.get(method)):
                found = (
                    f"{method} gives other answers where genes swapped their names;"
                    f" {further(before, after.get(method))}"
                )
                if tested.prior:
                    raise NotApplicable(f"prior is declared: {found}")
                raise Wrong(
                    f"{found}; what is known of genes by their names is prior knowledge: declare"
                    " it, as in prior='a list of transcription factors', in its PredictorSpec"
                )
            tested.compared += np.size(before)
    return f"{len(known)} genes called by each other's names"


def one_cell(tested: PredictorUnderTest) -> str:
    """A cell asked alone gets the answers it gets among others: chunks may be of any size."""
    for kind in tested.answers:
        events = tested.events_of(kind)
        assert events.cells is not None
        for cell in range(tested.asked.n_obs):
            mine = np.flatnonzero(events.cells == cell)
            alone = Knockouts(events.genes[mine], np.zeros(len(mine), np.int32))
            after = (
                tested.first.ask(kind, tested.asked[cell : cell + 1], alone) if len(mine) else {}
            )
            for method, values in after.items():
                before = np.asarray(tested.raw(kind)[method])
                if kind in BY_GENE:  # may depend on all cells that are given, so only its shape
                    expected = (len(np.unique(alone.genes)), *before.shape[1:])
                    array_of(values, expected, f"{method} (one cell)")
                    tested.compared += 1
                else:
                    _close(tested, method, before[mine], values, "for a cell asked alone")
    return f"{tested.asked.n_obs} cells"


def sparse_and_dense(tested: PredictorUnderTest) -> str:
    """Cells of a data set stored sparse have the answers of the same cells stored dense.

    Both go through the files that a worker reads.
    """
    fitted = tested.again(stored_sparse=True)
    for kind in tested.answers:
        after = fitted.ask(kind, tested.asked, tested.events_of(kind))
        for method, before in tested.raw(kind).items():
            _close(tested, method, before, after.get(method), "for the same cells stored sparse")
    return f"{tested.compared} numbers agree; its cells come as {tested.wants}"


def _equal(tested: PredictorUnderTest, again: Callable[[str], dict[str, Any]], when: str) -> str:
    """Wrong where other answers are not equal to the first ones, to the last digit."""
    for kind in tested.answers:
        for method, values in again(kind).items():
            before = np.asarray(tested.raw(kind)[method])
            if not np.array_equal(before, np.asarray(values), equal_nan=before.dtype.kind == "f"):
                raise Wrong(f"{method} gave other answers {when}; {deviation(before, values)}")
            tested.compared += before.size
    return f"{tested.compared} numbers are equal"


def _close(tested: PredictorUnderTest, method: str, before: Any, after: Any, when: str) -> None:
    """Wrong where other answers are further from the first ones than sums in another order."""
    if _apart(before, after):
        raise Wrong(f"{method} gave other answers {when}; {further(before, after)}")
    tested.compared += np.size(before)


def _apart(before: Any, after: Any) -> bool:
    """Whether two answers differ by more than sums in another order do."""
    return np.shape(before) != np.shape(after) or not np.allclose(
        before, after, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE, equal_nan=True
    )


def _in_first_order(kind: str, values: Any, events: Knockouts, place: IntArray) -> Any:
    """Answers about reordered genes, put back into the first order where their shape allows it."""
    values = np.asarray(values)
    if kind in BY_GENE and values.ndim:
        removed = np.unique(events.genes)
        rows = np.searchsorted(np.sort(place[removed]), place[removed])
        values = values[rows] if len(values) == len(removed) else values
    by_gene = values.ndim == 2 and values.shape[1] == len(place)
    return values[:, place] if by_gene else values
