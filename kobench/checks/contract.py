"""The contract's checks, one function each: it says what it found, or raises what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kobench.cells import Knockouts
from kobench.checks.kit import Kit, NotApplicable, Wrong
from kobench.derive import SUM_TOLERANCE, Asker, array_of, profiles_of
from kobench.truth import TOLERANCE

#: How far a given impact may be from the derived one, relative to it; and the size under which impacts are 0.
RELATIVE, ABSOLUTE = 1e-4, 1e-6

#: The same for answers that should be equal and come from sums in another order (float32).
SAME_RELATIVE, SAME_ABSOLUTE = 1e-4, 1e-6

#: Answers that are profiles, and answers that are asked by gene and not by event.
PROFILES = ("expression", "knockout")
BY_GENE = ("response", "genes")


def fits(kit: Kit) -> str:
    """make() gives a predictor that fits, and whose `supports`, if any, is right."""
    supported = kit.first.supported
    kit.compared += 1
    return f"fitted on {kit.training.n_obs} cells x {kit.training.n_vars} genes; supports {int(supported.sum())} of them"


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
            what = f"an array of dtype {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
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
    """Profiles and impacts are >= 0."""
    lowest = np.inf
    for method, values, expected in kit.everything((*PROFILES, "impact")):
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
            raise Wrong(f"{method} returned a row {row} that sums to {rows[row].sum():.6g}; every profile must sum to 1")
        worst = max(worst, off.max(initial=0))
        kit.compared += off.size
    return f"largest deviation {worst:.2g}"


def removed_gene_is_zero(kit: Kit) -> str:
    """The profile after a knockout is 0 at the removed gene."""
    for method, values, expected in kit.everything(PROFILES):
        at_removed = np.take_along_axis(array_of(values, expected, method), kit.events.genes.astype(np.intp), axis=1)
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
    derived = Asker(kit.first.predictor, others, kit.first.session.hand).singles(kit.asked, kit.events, nothing, kit.first.supported)
    worst = 0.0
    for method, values, expected in kit.everything(("impact",)):
        name = method.split()[-1]
        mine, theirs = array_of(values, expected, method), np.asarray(getattr(derived, name))
        off = np.abs(mine - theirs) / np.maximum(np.abs(theirs), ABSOLUTE / RELATIVE)
        if off.size and off.max() > RELATIVE:
            event = int(off.argmax())
            raise Wrong(f"{method} is {mine[event]:.6g} for event {event}, and {theirs[event]:.6g} when derived from its profiles")
        worst = max(worst, off.max(initial=0))
        kit.compared += off.size
    return f"largest relative difference {worst:.2g}"


def impacts_vary(kit: Kit) -> str:
    """Propagated impacts differ, so that they can rank.

    Advice, never a failure: saying that nothing responds is sound, and its author is told what boards make of it.
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
        raise NotApplicable(f"propagated impact is {found}: nothing to rank, boards will say 'none'")
    kit.compared += values.size
    return f"propagated impacts of {values.size} knockouts from {values.min():.2g} to {values.max():.2g}"


def repeatable(kit: Kit) -> str:
    """Asked twice, it answers the same."""
    return _equal(kit, lambda kind: kit.first.ask(kind, kit.asked, kit.events), "asked again")


def same_seed(kit: Kit) -> str:
    """Fitted twice with one seed, it answers the same, to the last digit."""
    return _equal(kit, lambda kind: kit.second.ask(kind, kit.asked, kit.events), "after another fit with the same seed")


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
    return f"they differ by up to {np.max(np.abs(np.asarray(before, float) - np.asarray(after, float))):.3g}"


def permuted_events(kit: Kit) -> str:
    """Events in another order give the same answers in that order."""
    order = kit.reordered()
    for kind in kit.answers:
        after = kit.first.ask(kind, kit.asked, kit.events[order], reverse=True)
        for method, before in kit.raw(kind).items():
            expected = np.asarray(before)[slice(None, None, -1) if kind in BY_GENE else order]
            _close(kit, method, expected, after.get(method), "with the events in another order")
    return f"{len(order)} events"


def one_cell(kit: Kit) -> str:
    """A cell asked alone gets the answers it gets among others: events come in chunks of any size."""
    assert kit.events.cells is not None
    for cell in range(kit.asked.n_obs):
        mine = np.flatnonzero(kit.events.cells == cell)
        alone = Knockouts(kit.events.genes[mine], np.zeros(len(mine), np.int32))
        for kind in kit.answers:
            after = kit.first.ask(kind, kit.asked[cell : cell + 1], alone) if len(mine) else {}
            for method, values in after.items():
                if kind in BY_GENE:  # these may lean on all the cells they are given
                    array_of(values, (len(np.unique(alone.genes)), *np.shape(kit.raw(kind)[method])[1:]), f"{method} (one cell)")
                    kit.compared += 1
                else:
                    _close(kit, method, np.asarray(kit.raw(kind)[method])[mine], values, "for a cell asked alone")
    return f"{kit.asked.n_obs} cells"


def _close(kit: Kit, method: str, before: Any, after: Any, when: str) -> None:
    if np.shape(before) != np.shape(after) or not np.allclose(before, after, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE, equal_nan=True):
        raise Wrong(f"{method} gave other answers {when}; {_difference(before, after)}")
    kit.compared += np.size(before)


def two_genes(kit: Kit) -> str:
    """A cell that expresses just the removed gene and one other is answered like any cell."""
    cells, events = kit.two_gene_cells()
    for kind in kit.answers:
        for method, values in kit.first.ask(kind, cells, events).items():
            checked = profiles_of if kind in PROFILES else array_of
            checked(values, kit.expected_shape(kind, events), f"{method} (two genes)")
            kit.compared += len(events)
    return f"{len(events)} knockouts"


def input_unchanged(kit: Kit) -> str:
    """Neither fitting nor answering changes the arrays it is given."""
    for kind in kit.answers:
        kit.raw(kind)
    if kit.first.modified:
        raise Wrong(f"{' and '.join(dict.fromkeys(kit.first.modified))} changed the arrays that were passed; work on a copy")
    kit.compared += 1
    return "fit and every answer left their arrays as they were"


def global_random_state(kit: Kit) -> str:
    """Neither fitting nor answering touches the global state of `random`, numpy.random or torch; the seed is `context.seed`."""
    for kind in kit.answers:
        kit.second.ask(kind, kit.asked, kit.events)
    if kit.second.touched:
        found = " and ".join(dict.fromkeys(kit.second.touched))
        raise Wrong(f"{found}; use np.random.default_rng(context.seed), or torch.Generator().manual_seed(context.seed)")
    kit.compared += 1
    return "untouched"


#: Every check by its name, in the order in which they run.
CHECKS: dict[str, Callable[[Kit], str]] = {
    "fits": fits,
    "answers-given": answers_given,
    "shape": shape,
    "numbers": numbers,
    "finite": finite,
    "non-negative": non_negative,
    "rows-sum-to-one": rows_sum_to_one,
    "removed-gene-is-zero": removed_gene_is_zero,
    "order-zero": order_zero,
    "impact-agrees": impact_agrees,
    "impacts-vary": impacts_vary,
    "repeatable": repeatable,
    "same-seed": same_seed,
    "permuted-events": permuted_events,
    "one-cell": one_cell,
    "two-genes": two_genes,
    "input-unchanged": input_unchanged,
    "global-random-state": global_random_state,
}
