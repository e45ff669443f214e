"""Checks of what a predictor's answers look like, each a function of the predictor under test.

A check returns what it found; it raises Wrong, NotApplicable or NotRun, or what the predictor
raises. The first line of its docstring is what must hold.
"""

from __future__ import annotations

import numpy as np

from kobench.cells import Knockouts
from kobench.units import TOLERANCE
from kobench.worker.checks.result import NotApplicable, Wrong
from kobench.worker.checks.tested import PredictorUnderTest
from kobench.worker.derive import SUM_TOLERANCE, Asker, array_of, counts_of, profiles_of

#: How far a given impact may be from the derived one, as a share of the derived one.
RELATIVE = 1e-4

#: How far it may be at least: derived impacts below `ABSOLUTE / RELATIVE` are taken as that.
ABSOLUTE = 1e-6

#: Answer kinds that are profiles.
PROFILES = ("expression", "knockout")


def fits(tested: PredictorUnderTest) -> str:
    """make() gives a predictor that fits, and whose `supports`, if any, is right."""
    supported = tested.fit().supported
    tested.compared += 1
    return (
        f"fitted on {tested.training.n_obs} cells x {tested.training.n_vars} genes; supports"
        f" {int(supported.sum())} of them"
    )


def answers_given(tested: PredictorUnderTest) -> str:
    """Every declared answer is there and is given without an error; at least one is declared."""
    if not tested.answers:
        raise Wrong("no answer is declared and none of the answering methods is defined")
    for kind in tested.answers:
        tested.raw(kind)
        tested.compared += 1
    return ", ".join(tested.answers)


def shape(tested: PredictorUnderTest) -> str:
    """One row or number for each event, one column for each gene."""
    found = []
    for method, values, expected in tested.everything():
        if np.shape(values) != expected:
            raise Wrong(f"{method} returned shape {np.shape(values)}; expected {expected}")
        found.append(f"{method} {expected}")
        tested.compared += 1
    return ", ".join(found)


def numbers(tested: PredictorUnderTest) -> str:
    """Answers are numpy arrays of numbers."""
    found = []
    for method, values, _ in tested.everything():
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
            what = type(values).__name__
            if isinstance(values, np.ndarray):
                what = f"an array of dtype {values.dtype}"
            raise Wrong(f"{method} returned {what}; expected a numpy array of numbers")
        found.append(f"{method} {values.dtype}")
        tested.compared += 1
    return ", ".join(found)


def finite(tested: PredictorUnderTest) -> str:
    """No NaN and no infinity."""
    total = 0
    for method, values, expected in tested.everything():
        total += array_of(values, expected, method).size
        tested.compared = total
    return f"{total} numbers"


def non_negative(tested: PredictorUnderTest) -> str:
    """Profiles, impacts, interactions and counts are >= 0."""
    lowest = np.inf
    for method, values, expected in tested.everything(
        (*PROFILES, "impact", "interaction", "cells")
    ):
        array = array_of(values, expected, method)
        if array.size and array.min() < 0:
            raise Wrong(f"{method} returned {array.min():.6g}; expected nothing below 0")
        lowest = min(lowest, array.min(initial=np.inf))
        tested.compared += array.size
    return f"smallest {lowest:.3g}"


def whole_counts(tested: PredictorUnderTest) -> str:
    """Counted cells are whole numbers."""
    for method, values, expected in tested.everything(("cells",)):
        counts_of(values, expected, method)
        tested.compared += values.size
    return f"{tested.compared} counts"


def rows_sum_to_one(tested: PredictorUnderTest) -> str:
    """Every profile sums to 1."""
    worst = 0.0
    for method, values, expected in tested.everything(PROFILES):
        rows = array_of(values, expected, method)
        off = np.abs(rows.sum(axis=1, dtype=np.float64) - 1)
        if off.size and off.max() > SUM_TOLERANCE:
            row = int(off.argmax())
            raise Wrong(
                f"{method} returned a row {row} that sums to {rows[row].sum():.6g}; every profile"
                f" must sum to 1, within {SUM_TOLERANCE:g} (absolute)"
            )
        worst = max(worst, off.max(initial=0))
        tested.compared += off.size
    return f"largest absolute deviation {worst:.2g}, allowed {SUM_TOLERANCE:g}"


def removed_gene_is_zero(tested: PredictorUnderTest) -> str:
    """The profile after a knockout is 0 at the removed gene."""
    for method, values, expected in tested.everything(PROFILES):
        rows, removed = array_of(values, expected, method), tested.events.genes.astype(np.intp)
        at_removed = np.take_along_axis(rows, removed, axis=1)
        if at_removed.any():
            raise Wrong(f"{method} returned {at_removed.max():.6g} at a removed gene; expected 0")
        tested.compared += at_removed.size
    return f"{len(tested.events)} knockouts"


def order_zero(tested: PredictorUnderTest) -> str:
    """With nothing removed it gives its own wild type: one profile for each cell."""
    n, genes = tested.asked.shape
    if not set(PROFILES) & set(tested.answers):
        raise NotApplicable(f"gives none of {', '.join(PROFILES)}")
    for method, values in tested.first.profiles(PROFILES, tested.asked, Knockouts.none(n)):
        profiles_of(values, (n, genes), f"{method} (order 0)")
        tested.compared += n
    return f"{n} profiles"


def impact_agrees(tested: PredictorUnderTest) -> str:
    """A given impact agrees with the one derived from the given profiles, to 1e-4 of it."""
    if "impact" not in tested.answers or not set(PROFILES) & set(tested.answers):
        raise NotApplicable("gives no impact beside profiles")
    others = [kind for kind in tested.answers if kind in PROFILES]
    nothing = np.zeros(0, np.int64)
    derived = Asker(tested.first.predictor, others, tested.first.fitted.asker.hand).singles(
        tested.asked, tested.events, nothing, tested.first.supported
    )
    worst = 0.0
    for method, values, expected in tested.everything(("impact",)):
        name = method.split()[-1]
        mine, theirs = array_of(values, expected, method), np.asarray(getattr(derived, name))
        off = np.abs(mine - theirs) / np.maximum(np.abs(theirs), ABSOLUTE / RELATIVE)
        if off.size and off.max() > RELATIVE:
            event = int(off.argmax())
            raise Wrong(
                f"{method} is {mine[event]:.6g} for event {event}, and {theirs[event]:.6g} when"
                f" derived from its profiles; the relative deviation is {off[event]:.2g} (of the"
                f" derived one, or of {ABSOLUTE / RELATIVE:g} where that is more), allowed"
                f" {RELATIVE:g}"
            )
        worst = max(worst, off.max(initial=0))
        tested.compared += off.size
    return f"largest relative deviation {worst:.2g}, allowed {RELATIVE:g}"


def impacts_vary(tested: PredictorUnderTest) -> str:
    """Propagated impacts differ, so that they can rank.

    This is advice and never fails: a predictor may say that nothing responds. Its author is told
    what boards make of that.
    """
    fitted = tested.first  # outside the try: without a fit this check is not run, as the others
    try:
        everything = fitted.singles(tested.asked, tested.events)
    except (Exception, SystemExit) as error:
        raise NotApplicable("the answers are broken, as another check says") from error
    if everything.propagated is None:
        raise NotApplicable("gives no propagated impact")
    values = everything.propagated[~np.isnan(everything.propagated)]
    if not values.size or np.ptp(np.where(values < TOLERANCE, 0, values)) == 0:
        found = f"{values[0]:.2g} for every knockout" if values.size else "given for no knockout"
        raise NotApplicable(
            f"propagated impact is {found}: nothing to rank, boards will say 'none'"
        )
    tested.compared += values.size
    return (
        f"propagated impacts of {values.size} knockouts from {values.min():.2g} to"
        f" {values.max():.2g}"
    )
