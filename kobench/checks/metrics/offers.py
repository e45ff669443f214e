"""Checks of what a metric offers beside its value: it must agree with what the value implies.

Each is a function of the metric under test, as in `values`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.checks.metrics import variants
from kobench.checks.metrics.examples import responses
from kobench.checks.metrics.tested import EQUAL, MetricUnderTest
from kobench.scoring.bootstrap import draws
from kobench.units import (
    NotComputed,
    OffersCeiling,
    OffersPermuted,
    OffersPrepare,
    OffersRedrawn,
    Parts,
    ProfileUnits,
    ResponseUnits,
    ScreenUnits,
    Units,
)
from kobench.worker.checks.deviation import allowed, deviation
from kobench.worker.checks.result import NotApplicable, Wrong

#: The two ways in which a metric may offer its bootstrap draws.
BY_DRAW: dict[str, type] = {"redrawn": OffersRedrawn, "prepare": OffersPrepare}

#: Number of bootstrap draws that are compared.
DRAWN = 25

#: Number of units whose answers are permuted, in every order.
FEW = 5

#: Number of truths that are measured anew for a ceiling.
MEASURED_ANEW = 60

#: How far a mean may be from the expected one, in standard errors.
ERRORS = 4.0

#: How much further the mean ceiling may be from what answers without error score.
BESIDE = 0.02


def nothing_agrees(tested: MetricUnderTest) -> str:
    """The answer that nothing responds has the value that is declared as `nothing`, or none."""
    declared = tested.spec.nothing
    if declared is None:
        raise NotApplicable("the spec declares no value of `nothing`")
    found = []
    for what, given in tested.scored.items():
        if isinstance(given, ScreenUnits):
            raise NotApplicable("the mean response is made of a screen's cells, not of units")
        if isinstance(given, ProfileUnits):
            if given.null is None:
                continue
            answer = given.null.copy()
        else:
            answer = np.where(np.isnan(given.true), np.nan, 0.0)
        value = tested.value(f"nothing responds on {what}", variants.answered(given, answer))
        if value is not None and not math.isnan(value) and abs(value - declared) > EQUAL:
            raise Wrong(
                f"the answer that nothing responds scores {value:.6g} on {what}; the spec declares"
                f" nothing={declared:g}, and {EQUAL:g} (absolute) is allowed"
            )
        found.append("no value" if value is None or math.isnan(value) else f"{value:.3g}")
        tested.compared += 1
    return ", ".join(found)


def redraws_agree(tested: MetricUnderTest) -> str:
    """`redrawn` or `prepare`, where offered, gives the values of scoring drawn units anew."""
    offered = [name for name, offer in BY_DRAW.items() if isinstance(tested.score, offer)]
    if not offered:
        raise NotApplicable("it offers neither redrawn nor prepare")
    for what, given in tested.scored.items():
        value = tested.score(given)
        if isinstance(value, Parts) and value.over == variants.block_of(given):
            continue  # drawn by its Parts, and what it offers is not asked
        answer = variants.noisy(given, 0.5, np.random.default_rng([tested.seed, 21]))
        quick, anew = redrawn_plainly(tested, answer)
        if quick.shape != anew.shape or not np.allclose(
            quick, anew, rtol=EQUAL, atol=EQUAL, equal_nan=True
        ):
            told = f"shape {quick.shape} instead of {anew.shape}"
            if quick.shape == anew.shape:
                told = f"{deviation(anew, quick)}, {allowed(EQUAL, EQUAL)}"
            raise Wrong(
                f"{offered[0]} gives other values than scoring drawn units anew on {what}; {told}"
            )
        tested.compared += int(np.isfinite(anew).sum())
    if not tested.compared:
        raise NotApplicable(f"its Parts are drawn, so {offered[0]} is not asked for such units")
    return f"{offered[0]}: {tested.compared} draws agree"


def redrawn_plainly(tested: MetricUnderTest, given: Units) -> tuple[FloatArray, FloatArray]:
    """Values of the same bootstrap draws, found in two ways.

    Parameters
    ----------
    tested : MetricUnderTest
        The metric.
    given : Units
        What is drawn from.

    Returns
    -------
    tuple of (DRAWN,) float
        By what the metric offers, and by scoring the drawn units anew.
    """

    def plain(drawn: Units) -> float:
        value = tested.value("drawn units", drawn)
        if value is None:
            raise NotComputed("not for these")
        return value

    block, seed = variants.block_of(given), tested.seed
    return (
        draws(tested.score, given, block, DRAWN, seed),
        draws(plain, given, block, DRAWN, seed),
    )


def permuted_agrees(tested: MetricUnderTest) -> str:
    """`permuted`, where offered, gives the values of the answers in the orders it is given."""
    if not isinstance(tested.score, OffersPermuted):
        raise NotApplicable("it offers no permuted")
    permuted = tested.score.permuted
    rng = np.random.default_rng([tested.seed, 22])
    orders = np.array(list(itertools.permutations(range(FEW))))
    for what, given in tested.scored.items():
        if isinstance(given, ResponseUnits):
            few: Units = responses(rng, False, FEW, False)
        else:
            few = variants.taken(given, np.arange(FEW))
        answer = variants.noisy(few, 1.0, rng)
        in_order = [variants.answered(answer, answer.predicted[order]) for order in orders]
        plain = [tested.value(f"{what} permuted", each) for each in in_order]
        if any(value is None for value in plain):
            continue
        values = np.asarray(permuted(answer, orders), float)
        _are_of_orders(what, values, np.array(plain, float), orders)
        tested.compared += len(values)
    return f"{tested.compared} values, each that of its order"


def _are_of_orders(what: str, values: FloatArray, known: FloatArray, orders: IntArray) -> None:
    """Wrong unless permuted values are those of their orders."""
    if values.shape != known.shape:
        raise Wrong(
            f"permuted(units, orders) gave shape {values.shape} for orders of shape"
            f" {orders.shape}; expected {known.shape}"
        )
    strange = ~(np.abs(values - known) <= EQUAL)
    if strange.any():
        place = int(np.flatnonzero(strange)[0])
        raise Wrong(
            f"permuted gave {values[place]:.6g} on {what} for the order {orders[place].tolist()};"
            f" the answers in that order score {known[place]:.6g}, and {EQUAL:g} (absolute) is"
            " allowed"
        )


def ceiling_agrees(tested: MetricUnderTest) -> str:
    """`ceiling`, where offered, is the mean score of answers without error to measured truths.

    Without noise in the truth it is no number, or the best value.
    """
    if not isinstance(tested.score, OffersCeiling):
        raise NotApplicable("it offers no ceiling")
    ceiling = tested.score.ceiling
    if tested.spec.of != "response":
        raise NotApplicable(f"{tested.spec.of} units have no noise in their truth")

    def promised_for(truth: Units) -> float | None:
        try:
            given = ceiling(truth)
        except NotComputed:
            return None
        return float(getattr(given, "value", given))

    rng = np.random.default_rng([tested.seed, 23])
    promised, scored = [], []
    for _ in range(MEASURED_ANEW):
        measured = responses(rng, noisy=True)
        number = promised_for(measured)
        if number is None:
            continue
        value = tested.value("an answer without error", measured)
        if value is not None and math.isfinite(value):
            promised.append(number)
            scored.append(value)
    if not scored:
        raise Wrong("ceiling raised NotComputed for every measured truth")
    apart = np.array(promised) - np.array(scored)
    error = float(apart.std() / math.sqrt(len(apart)))
    if not abs(apart.mean()) <= ERRORS * error + BESIDE:
        raise Wrong(
            f"ceiling promises {np.mean(promised):.3f} on average; answers without error score"
            f" {np.mean(scored):.3f}"
        )
    clean = promised_for(responses(rng, noisy=False))
    if clean is not None and not math.isnan(clean) and abs(clean - tested.spec.best) > EQUAL:
        raise Wrong(
            f"ceiling is {clean:.4g} where the truth has no noise; expected NotComputed, or"
            f" {tested.spec.best:g} within {EQUAL:g} (absolute)"
        )
    tested.compared += len(scored)
    return (
        f"{np.mean(promised):.3f} promised, {np.mean(scored):.3f} scored by answers without error,"
        f" over {len(scored)} measurements"
    )
