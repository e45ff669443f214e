"""Checks of cells that express one or two genes, and of genes that the predictor never saw.

Each is a function of the predictor under test, as in `form`.
"""

from __future__ import annotations

import numpy as np

from kobench.cells import Cells, Knockouts
from kobench.worker.checks.examples import doubles_of, one_gene_cells, two_gene_cells
from kobench.worker.checks.form import PROFILES
from kobench.worker.checks.result import NotApplicable, Wrong
from kobench.worker.checks.tested import PredictorUnderTest
from kobench.worker.checks.watched import WatchedPredictor
from kobench.worker.derive import array_of, profiles_of, source_of


def two_genes(tested: PredictorUnderTest) -> str:
    """A cell that expresses just the removed gene and one other is answered like any cell."""
    cells = two_gene_cells(tested.cells.var_names)
    events = tested.supported_singles(cells)
    kinds = [kind for kind in tested.answers if kind != "interaction"]
    if tested.answers and not kinds:
        raise NotApplicable(
            "answers sets of two genes or more, which a cell of two genes can't lose"
        )
    for kind in kinds:
        for method, values in tested.first.ask(kind, cells, events).items():
            checked = profiles_of if kind in PROFILES else array_of
            checked(values, tested.expected_shape(kind, events), f"{method} (two genes)")
            tested.compared += len(events)
    return f"{len(events)} knockouts"


def one_gene(tested: PredictorUnderTest) -> str:
    """A cell that expresses one gene has a wild type, and does no harm to other cells."""
    alone = one_gene_cells(tested.cells.var_names)
    among = Cells(np.concatenate([tested.asked.X, alone.X]), alone.var_names)
    for kind in tested.answers:
        if kind in PROFILES:
            nothing = Knockouts.none(alone.n_obs)
            for method, values in tested.first.ask(kind, alone, nothing).items():
                profiles_of(values, alone.shape, f"{method} (one gene expressed)")
                tested.compared += alone.n_obs
        else:
            events = tested.events_of(kind)
            expected = tested.expected_shape(kind, events)
            for method, values in tested.first.ask(kind, among, events).items():
                array_of(values, expected, f"{method} (among cells of one gene)")
                tested.compared += len(events)
    return f"{alone.n_obs} cells of one gene each"


def unsupported_genes(tested: PredictorUnderTest) -> str:
    """Genes it can't remove are declared by `supports`, by name alone; unknown names do no harm."""
    first, training = tested.first, tested.training
    every_other = np.arange(tested.cells.n_vars) % 2 == 1
    strange = np.array([f"RP11-{number}P{number % 7}.1" for number in range(tested.cells.n_vars)])
    names = np.where(every_other, strange, tested.cells.var_names)
    try:
        fitted = tested.again(Cells(training.X, names, training.obs))
    except (Exception, SystemExit) as error:
        raise Wrong(
            f"fit raised {type(error).__name__}: {error} for genes with names it never saw, such as"
            f" {str(strange[1])!r}; data sets have such genes: take part of them as they are, and"
            " say by supports() which can't be removed"
        ) from error
    if not np.array_equal(fitted.supported[~every_other], first.supported[~every_other]):
        raise Wrong(
            "supports says something else of a gene when its neighbours have other names; go by the"
            " name alone"
        )
    asked = Cells(tested.asked.X, names, tested.asked.obs)
    everything = Knockouts.singles(asked.assemblages())
    _supported_are_answered(tested, fitted, asked, everything)
    _others_are_not(tested, fitted, asked, everything)
    strangers = fitted.supported[every_other]
    return (
        f"takes {int(fitted.supported.sum())} of {len(names)} genes, {int(strangers.sum())} of"
        f" {len(strangers)} names it never saw among them"
    )


def _supported_are_answered(
    tested: PredictorUnderTest, fitted: WatchedPredictor, asked: Cells, everything: Knockouts
) -> None:
    """Answers about the genes that it supports have the right form."""
    singles = everything[fitted.supported[everything.genes[:, 0]]]
    for kind in tested.answers:
        events = singles
        if kind == "interaction":
            events = doubles_of(asked.assemblages(), fitted.supported)
        if not len(events):
            continue
        expected = tested.expected_shape(kind, events)
        for method, values in fitted.ask(kind, asked, events).items():
            array_of(values, expected, f"{method} (genes it never saw)")
            tested.compared += len(events)


def _others_are_not(
    tested: PredictorUnderTest, fitted: WatchedPredictor, asked: Cells, everything: Knockouts
) -> None:
    """Events of the genes that it does not support, which it is not asked, have no impact (NaN)."""
    if source_of("knockout", tested.answers) is None and "impact" not in tested.answers:
        return
    try:
        tested.first.singles(tested.asked, tested.events)
    except (Exception, SystemExit):  # broken for names that it knows, too: another check says so
        return
    taken = fitted.supported[everything.genes[:, 0]]
    answer = fitted.singles(asked, everything)
    for name, values in (("raw", answer.raw), ("propagated", answer.propagated)):
        if values is not None and not np.array_equal(np.isnan(values), ~taken):
            raise Wrong(
                f"{name} impacts are given for {int((~np.isnan(values)).sum())} events; expected"
                f" the {int(taken.sum())} it supports"
            )
        tested.compared += len(everything)
