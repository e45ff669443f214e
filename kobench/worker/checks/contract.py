"""The checks of what answers look like, one function each: it says what it found, or raises what is
wrong.
"""

from __future__ import annotations

import numpy as np

from kobench.cells import Knockouts
from kobench.units import TOLERANCE
from kobench.worker.checks.kit import Kit, NotApplicable, Wrong
from kobench.worker.derive import SUM_TOLERANCE, Asker, array_of, profiles_of

#: How far a given impact may be from the derived one, relative to it; and the size under which
#: impacts are 0.
RELATIVE, ABSOLUTE = 1e-4, 1e-6

#: Answers that are profiles.
PROFILES = ("expression", "knockout")


def fits(kit: Kit) -> str:
    """make() gives a predictor that fits, and whose `supports`, if any, is right."""
    supported = kit.first.supported
    kit.compared += 1
    return (
        f"fitted on {kit.training.n_obs} cells x {kit.training.n_vars} genes; supports"
        f" {int(supported.sum())} of them"
    )


def answers_given(kit: Kit) -> str:
    """Every declared answer is there and is given without an error; at least one is declared."""
    if not kit.answers:
        raise Wrong("no answer is declared and none of the answering methods is defined")
    for kind in kit.answers:
        kit.raw(kind)
        kit.compared += 1
    return ", ".join(kit.answers)


def shape(kit: Kit) -> str:
    """One row or number for each event, one column for each gene."""
    found = []
    for method, values, expected in kit.everything():
        if np.shape(values) != expected:
            raise Wrong(f"{method} returned shape {np.shape(values)}; expected {expected}")
        found.append(f"{method} {expected}")
        kit.compared += 1
    return ", ".join(found)


def numbers(kit: Kit) -> str:
    """Answers are numpy arrays of numbers."""
    found = []
    for method, values, _ in kit.everything():
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
            what = (
                f"an array of dtype {values.dtype}"
                if isinstance(values, np.ndarray)
                else type(values).__name__
            )
            raise Wrong(f"{method} returned {what}; expected a numpy array of numbers")
        found.append(f"{method} {values.dtype}")
        kit.compared += 1
    return ", ".join(found)


def finite(kit: Kit) -> str:
    """No NaN and no infinity."""
    total = 0
    for method, values, expected in kit.everything():
        total += array_of(values, expected, method).size
        kit.compared = total
    return f"{total} numbers"


def non_negative(kit: Kit) -> str:
    """Profiles, impacts and interactions are >= 0."""
    lowest = np.inf
    for method, values, expected in kit.everything((*PROFILES, "impact", "interaction")):
        array = array_of(values, expected, method)
        if array.size and array.min() < 0:
            raise Wrong(f"{method} returned {array.min():.6g}; expected nothing below 0")
        lowest = min(lowest, array.min(initial=np.inf))
        kit.compared += array.size
    return f"smallest {lowest:.3g}"


def rows_sum_to_one(kit: Kit) -> str:
    """Every profile sums to 1."""
    worst = 0.0
    for method, values, expected in kit.everything(PROFILES):
        rows = array_of(values, expected, method)
        off = np.abs(rows.sum(axis=1, dtype=np.float64) - 1)
        if off.size and off.max() > SUM_TOLERANCE:
            row = int(off.argmax())
            raise Wrong(
                f"{method} returned a row {row} that sums to {rows[row].sum():.6g}; every profile"
                " must sum to 1"
            )
        worst = max(worst, off.max(initial=0))
        kit.compared += off.size
    return f"largest deviation {worst:.2g}"


def removed_gene_is_zero(kit: Kit) -> str:
    """The profile after a knockout is 0 at the removed gene."""
    for method, values, expected in kit.everything(PROFILES):
        at_removed = np.take_along_axis(
            array_of(values, expected, method), kit.events.genes.astype(np.intp), axis=1
        )
        if at_removed.any():
            raise Wrong(f"{method} returned {at_removed.max():.6g} at a removed gene; expected 0")
        kit.compared += at_removed.size
    return f"{len(kit.events)} knockouts"


def order_zero(kit: Kit) -> str:
    """With nothing removed it gives its own wild type: one profile for each cell."""
    n, genes = kit.asked.shape
    if not set(PROFILES) & set(kit.answers):
        raise NotApplicable(f"gives none of {', '.join(PROFILES)}")
    for method, values in kit.first.profiles(PROFILES, kit.asked, Knockouts.none(n)):
        profiles_of(values, (n, genes), f"{method} (order 0)")
        kit.compared += n
    return f"{n} profiles"


def impact_agrees(kit: Kit) -> str:
    """A given impact agrees with the one derived from the given profiles, to 1e-4 of it."""
    if "impact" not in kit.answers or not set(PROFILES) & set(kit.answers):
        raise NotApplicable("gives no impact beside profiles")
    others = [kind for kind in kit.answers if kind in PROFILES]
    nothing = np.zeros(0, np.int64)
    derived = Asker(kit.first.predictor, others, kit.first.fitted.asker.hand).singles(
        kit.asked, kit.events, nothing, kit.first.supported
    )
    worst = 0.0
    for method, values, expected in kit.everything(("impact",)):
        name = method.split()[-1]
        mine, theirs = array_of(values, expected, method), np.asarray(getattr(derived, name))
        off = np.abs(mine - theirs) / np.maximum(np.abs(theirs), ABSOLUTE / RELATIVE)
        if off.size and off.max() > RELATIVE:
            event = int(off.argmax())
            raise Wrong(
                f"{method} is {mine[event]:.6g} for event {event}, and {theirs[event]:.6g} when"
                " derived from its profiles"
            )
        worst = max(worst, off.max(initial=0))
        kit.compared += off.size
    return f"largest relative difference {worst:.2g}"


def impacts_vary(kit: Kit) -> str:
    """Propagated impacts differ, so that they can rank.

    Advice, never a failure: saying that nothing responds is sound, and its author is told what
    boards make of it.
    """
    fitted = kit.first  # without it this check is not run, as the others
    try:
        everything = fitted.singles(kit.asked, kit.events)
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
    kit.compared += values.size
    return (
        f"propagated impacts of {values.size} knockouts from {values.min():.2g} to"
        f" {values.max():.2g}"
    )
