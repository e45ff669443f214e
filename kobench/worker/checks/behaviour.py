"""The checks of what answers hang on: seeds, orders, other cells, odd cells, storage, gene names;
one function each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kobench.cells import Cells, IntArray, Knockouts
from kobench.worker.checks.contract import PROFILES
from kobench.worker.checks.kit import Fitted, Kit, NotApplicable, Wrong, doubles_of
from kobench.worker.derive import array_of, profiles_of, source_of

#: How far answers may be apart that should be equal and come from sums in another order (float32).
SAME_RELATIVE, SAME_ABSOLUTE = 1e-4, 1e-6

#: Answers that are asked by gene and not by event.
BY_GENE = ("response", "genes")


def repeatable(kit: Kit) -> str:
    """Asked twice, it answers the same."""
    return _equal(
        kit, lambda kind: kit.first.ask(kind, kit.asked, kit.events_of(kind)), "asked again"
    )


def same_seed(kit: Kit) -> str:
    """Fitted twice with one seed, it answers the same, to the last digit."""
    return _equal(
        kit,
        lambda kind: kit.second.ask(kind, kit.asked, kit.events_of(kind)),
        "after another fit with the same seed",
    )


def _equal(kit: Kit, again: Callable[[str], dict[str, Any]], when: str) -> str:
    for kind in kit.answers:
        for method, values in again(kind).items():
            before = np.asarray(kit.raw(kind)[method])
            if not np.array_equal(before, np.asarray(values), equal_nan=before.dtype.kind == "f"):
                raise Wrong(f"{method} gave other answers {when}; {_difference(before, values)}")
            kit.compared += before.size
    return f"{kit.compared} numbers are equal"


def _difference(before: Any, after: Any) -> str:
    if np.shape(before) != np.shape(after):
        return f"shape {np.shape(after)} instead of {np.shape(before)}"
    return (
        "they differ by up to"
        f" {np.max(np.abs(np.asarray(before, float) - np.asarray(after, float))):.3g}"
    )


def _apart(before: Any, after: Any) -> bool:
    return np.shape(before) != np.shape(after) or not np.allclose(
        before, after, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE, equal_nan=True
    )


def _close(kit: Kit, method: str, before: Any, after: Any, when: str) -> None:
    if _apart(before, after):
        raise Wrong(f"{method} gave other answers {when}; {_difference(before, after)}")
    kit.compared += np.size(before)


def permuted_events(kit: Kit) -> str:
    """Events in another order give the same answers in that order."""
    for kind in kit.answers:
        events = kit.events_of(kind)
        order = kit.reordered(events)
        after = kit.first.ask(kind, kit.asked, events[order], reverse=True)
        for method, before in kit.raw(kind).items():
            expected = np.asarray(before)[slice(None, None, -1) if kind in BY_GENE else order]
            _close(kit, method, expected, after.get(method), "with the events in another order")
    return f"{len(kit.events)} events"


def permuted_genes(kit: Kit) -> str:
    """Fitted and asked with the genes in another order, it gives the same answers in that order, to
    1e-4 of them.

    One other order, one seed. A fit that draws numbers column by column can't do so;
    `PredictorSpec.order_matters` declares it.
    """
    order = np.random.default_rng([kit.seed, 14]).permutation(kit.cells.n_vars)
    place = np.argsort(order)  # of each gene among the reordered ones
    moved = Cells(kit.cells.X[:, order], kit.cells.var_names[order], kit.cells.obs)
    fitted = kit.again(moved[: kit.training.n_obs])
    if not np.array_equal(fitted.supported[place], kit.first.supported):
        raise Wrong(
            "supports takes other genes when they are given in another order; go by their names"
        )
    for kind in kit.answers:
        events = kit.events_of(kind)
        after = fitted.ask(
            kind,
            moved[kit.training.n_obs :],
            Knockouts(place.astype(np.int32)[events.genes], events.cells),
        )
        for method, before in kit.raw(kind).items():
            back = _in_first_order(kind, after.get(method), events, place)
            if _apart(before, back):
                found = (
                    f"{method} gives other answers with the genes in another order;"
                    f" {_difference(before, back)}"
                )
                if kit.order_matters and np.shape(before) == np.shape(back):
                    raise NotApplicable(f"order_matters is declared: {found}")
                raise Wrong(
                    f"{found}; where the fit draws numbers column by column, say order_matters=True"
                    " in its PredictorSpec"
                )
            kit.compared += np.size(before)
    return f"{kit.cells.n_vars} genes in one other order" + (
        "; order_matters need not be declared" if kit.order_matters else ""
    )


def _in_first_order(kind: str, values: Any, events: Knockouts, place: IntArray) -> Any:
    """Answers about reordered genes as they would stand in the first order; left alone where their
    shape allows none.
    """
    values = np.asarray(values)
    if kind in BY_GENE and values.ndim:
        removed = np.unique(events.genes)
        rows = np.searchsorted(np.sort(place[removed]), place[removed])
        values = values[rows] if len(values) == len(removed) else values
    by_gene = values.ndim == 2 and values.shape[1] == len(place)
    return values[:, place] if by_gene else values


def one_cell(kit: Kit) -> str:
    """A cell asked alone gets the answers it gets among others: events come in chunks of any
    size.
    """
    for kind in kit.answers:
        events = kit.events_of(kind)
        assert events.cells is not None
        for cell in range(kit.asked.n_obs):
            mine = np.flatnonzero(events.cells == cell)
            alone = Knockouts(events.genes[mine], np.zeros(len(mine), np.int32))
            after = kit.first.ask(kind, kit.asked[cell : cell + 1], alone) if len(mine) else {}
            for method, values in after.items():
                if kind in BY_GENE:  # these may lean on all the cells they are given
                    array_of(
                        values,
                        (len(np.unique(alone.genes)), *np.shape(kit.raw(kind)[method])[1:]),
                        f"{method} (one cell)",
                    )
                    kit.compared += 1
                else:
                    _close(
                        kit,
                        method,
                        np.asarray(kit.raw(kind)[method])[mine],
                        values,
                        "for a cell asked alone",
                    )
    return f"{kit.asked.n_obs} cells"


def two_genes(kit: Kit) -> str:
    """A cell that expresses just the removed gene and one other is answered like any cell."""
    cells, events = kit.two_gene_cells()
    kinds = [kind for kind in kit.answers if kind != "interaction"]
    if kit.answers and not kinds:
        raise NotApplicable(
            "answers sets of two genes or more, which a cell of two genes can't lose"
        )
    for kind in kinds:
        for method, values in kit.first.ask(kind, cells, events).items():
            checked = profiles_of if kind in PROFILES else array_of
            checked(values, kit.expected_shape(kind, events), f"{method} (two genes)")
            kit.compared += len(events)
    return f"{len(events)} knockouts"


def one_gene(kit: Kit) -> str:
    """A cell that expresses one gene has a wild type, and standing among other cells it does no
    harm to theirs.
    """
    alone = kit.one_gene_cells()
    among = Cells(np.concatenate([kit.asked.X, alone.X]), alone.var_names)
    for kind in kit.answers:
        if kind in PROFILES:
            for method, values in kit.first.ask(kind, alone, Knockouts.none(alone.n_obs)).items():
                profiles_of(values, alone.shape, f"{method} (one gene expressed)")
                kit.compared += alone.n_obs
        else:
            events = kit.events_of(kind)
            for method, values in kit.first.ask(kind, among, events).items():
                array_of(
                    values, kit.expected_shape(kind, events), f"{method} (among cells of one gene)"
                )
                kit.compared += len(events)
    return f"{alone.n_obs} cells of one gene each"


def sparse_and_dense(kit: Kit) -> str:
    """The same cells give the same answers, whether their data set is stored sparse or dense,
    through the files that a worker reads.
    """
    fitted = kit.again(stored_sparse=True)
    for kind in kit.answers:
        after = fitted.ask(kind, kit.asked, kit.events_of(kind))
        for method, before in kit.raw(kind).items():
            _close(kit, method, before, after.get(method), "for the same cells stored sparse")
    return f"{kit.compared} numbers agree; its cells come as {kit.wants}"


def unsupported_genes(kit: Kit) -> str:
    """Genes that it can't remove are declared by `supports`, by their names alone; names it never
    saw do no harm.
    """
    assert kit.first
    every_other = np.arange(kit.cells.n_vars) % 2 == 1
    strange = np.array([f"RP11-{number}P{number % 7}.1" for number in range(kit.cells.n_vars)])
    names = np.where(every_other, strange, kit.cells.var_names)
    try:
        fitted = kit.again(Cells(kit.training.X, names, kit.training.obs))
    except (Exception, SystemExit) as error:
        raise Wrong(
            f"fit raised {type(error).__name__}: {error} for genes with names it never saw, such as"
            f" {str(strange[1])!r}; data sets have such genes: take part of them as they are, and"
            " say by supports() which can't be removed"
        ) from error
    if not np.array_equal(fitted.supported[~every_other], kit.first.supported[~every_other]):
        raise Wrong(
            "supports says something else of a gene when its neighbours have other names; go by the"
            " name alone"
        )
    asked = Cells(kit.asked.X, names, kit.asked.obs)
    _answers_of_supported(kit, fitted, asked)
    counts = (
        f"{int(fitted.supported[every_other].sum())} of {int(every_other.sum())} names it never saw"
    )
    return f"takes {int(fitted.supported.sum())} of {len(names)} genes, {counts} among them"


def _answers_of_supported(kit: Kit, fitted: Fitted, asked: Cells) -> None:
    """Answers for the genes that it takes; nothing (NaN) for the events of the others, which it is
    not asked.
    """
    everything = Knockouts.singles(asked.assemblages())
    taken = fitted.supported[everything.genes[:, 0]]
    for kind in kit.answers:
        events = (
            doubles_of(asked.assemblages(), fitted.supported)
            if kind == "interaction"
            else everything[taken]
        )
        for method, values in fitted.ask(kind, asked, events).items() if len(events) else ():
            array_of(values, kit.expected_shape(kind, events), f"{method} (genes it never saw)")
            kit.compared += len(events)
    if source_of("knockout", kit.answers) is None and "impact" not in kit.answers:
        return
    try:
        kit.first.singles(kit.asked, kit.events)
    except (Exception, SystemExit):  # broken with names that it knows, as another check says
        return
    answer = fitted.singles(asked, everything)
    for name, values in (("raw", answer.raw), ("propagated", answer.propagated)):
        if values is not None and not np.array_equal(np.isnan(values), ~taken):
            raise Wrong(
                f"{name} impacts are given for {int((~np.isnan(values)).sum())} events; expected"
                f" the {int(taken.sum())} it supports"
            )
        kit.compared += len(everything)


def input_unchanged(kit: Kit) -> str:
    """Neither fitting nor answering changes the arrays it is given."""
    for kind in kit.answers:
        kit.raw(kind)
    if kit.first.modified:
        raise Wrong(
            f"{' and '.join(dict.fromkeys(kit.first.modified))} changed the arrays that were"
            " passed; work on a copy"
        )
    kit.compared += 1
    return "fit and every answer left their arrays as they were"


def global_random_state(kit: Kit) -> str:
    """Neither fitting nor answering touches the global state of `random`, numpy.random or torch;
    the seed is `context.seed`.
    """
    for kind in kit.answers:
        kit.second.ask(kind, kit.asked, kit.events_of(kind))
    if kit.second.touched:
        found = " and ".join(dict.fromkeys(kit.second.touched))
        raise Wrong(
            f"{found}; use np.random.default_rng(context.seed), or"
            " torch.Generator().manual_seed(context.seed)"
        )
    kit.compared += 1
    return "untouched"
