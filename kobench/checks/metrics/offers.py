"""The checks of what a metric offers beside its value: each must agree with what follows from the
value, worked out plainly.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from kobench.checks.metrics import units
from kobench.checks.metrics.bench import EQUAL, MetricBench
from kobench.scoring.bootstrap import draws
from kobench.units import NotComputed, Parts, ProfileUnits, ResponseUnits, Units
from kobench.worker.checks.kit import NotApplicable, Wrong

#: Bootstrap draws that are compared, and truths that are measured anew for a ceiling.
DRAWN, MEASURED_ANEW = 25, 60

#: How far the mean ceiling may be from what answers without error score: standard errors, and
#: beside them.
ERRORS, BESIDE = 4.0, 0.02


def nothing_agrees(bench: MetricBench) -> str:
    """The answer that nothing responds has the value that is declared as `nothing`, or none."""
    declared = bench.spec.nothing
    if declared is None:
        raise NotApplicable("the spec declares no value of `nothing`")
    found = []
    for what, given in bench.scored.items():
        if isinstance(given, ProfileUnits):
            if given.null is None:
                continue
            answer = given.null
        else:
            answer = np.where(np.isnan(given.true), np.nan, 0.0)
        value = bench.value(f"nothing responds on {what}", units.answered(given, answer.copy()))
        if value is not None and not math.isnan(value) and abs(value - declared) > EQUAL:
            raise Wrong(
                f"the answer that nothing responds scores {value:.6g} on {what}; the spec declares"
                f" nothing={declared:g}"
            )
        found.append("no value" if value is None or math.isnan(value) else f"{value:.3g}")
        bench.compared += 1
    return ", ".join(found)


def redrawn_plainly(bench: MetricBench, given: Units) -> tuple[np.ndarray, np.ndarray]:
    """Values of the same draws, by what the metric offers and by scoring the drawn units anew; both
    (DRAWN,).
    """

    def plain(drawn: Units) -> float:
        value = bench.value("drawn units", drawn)
        if value is None:
            raise NotComputed("not for these")
        return value

    block = units.block_of(given)
    return draws(bench.score, given, block, DRAWN, bench.seed), draws(
        plain, given, block, DRAWN, bench.seed
    )


def redraws_agree(bench: MetricBench) -> str:
    """`redrawn` or `prepare`, where offered, gives the values of scoring drawn units anew."""
    offered = [
        name for name in ("redrawn", "prepare") if getattr(bench.score, name, None) is not None
    ]
    if not offered:
        raise NotApplicable("it offers neither redrawn nor prepare")
    for what, given in bench.scored.items():
        value = bench.score(given)
        if isinstance(value, Parts) and value.over == units.block_of(given):
            continue  # drawn by its Parts, and what it offers is not asked
        quick, anew = redrawn_plainly(
            bench, units.noisy(given, 0.5, np.random.default_rng([bench.seed, 21]))
        )
        if quick.shape != anew.shape or not np.allclose(
            quick, anew, rtol=EQUAL, atol=EQUAL, equal_nan=True
        ):
            apart = np.nanmax(np.abs(quick - anew)) if quick.shape == anew.shape else math.nan
            raise Wrong(
                f"{offered[0]} gives other values than scoring drawn units anew on {what}; they"
                f" differ by up to {apart:.3g}"
            )
        bench.compared += int(np.isfinite(anew).sum())
    if not bench.compared:
        raise NotApplicable(f"its Parts are drawn, so {offered[0]} is not asked for such units")
    return f"{offered[0]}: {bench.compared} draws agree"


def permuted_agrees(bench: MetricBench) -> str:
    """`permuted`, where offered, gives values of the answers in other orders, every order as likely
    as any other.
    """
    permuted = getattr(bench.score, "permuted", None)
    if permuted is None:
        raise NotApplicable("it offers no permuted")
    rng = np.random.default_rng([bench.seed, 22])
    for what, given in bench.scored.items():
        few = (
            units.responses(rng, False, 5, False)
            if isinstance(given, ResponseUnits)
            else units.taken(given, np.arange(5))
        )
        answer = units.noisy(few, 1.0, rng)
        orders = [np.array(order) for order in itertools.permutations(range(5))]
        plain = [
            bench.value(f"{what} permuted", units.answered(answer, answer.predicted[order]))
            for order in orders
        ]
        if any(value is None for value in plain):
            continue
        known = np.array(plain, float)
        values = np.asarray(permuted(answer, 400, bench.seed), float)
        if values.shape != (400,):
            raise Wrong(f"permuted(units, 400, seed) gave shape {values.shape}; expected (400,)")
        if not np.array_equal(
            values, np.asarray(permuted(answer, 400, bench.seed), float), equal_nan=True
        ):
            raise Wrong("permuted gave other values for the same seed")
        strange = np.abs(values[:, None] - known[None, :]).min(axis=1) > EQUAL
        if strange.any():
            raise Wrong(
                f"permuted gave {values[strange][0]:.6g} on {what}, which no order of the answers"
                " scores"
            )
        off, error = abs(values.mean() - known.mean()), float(known.std() / math.sqrt(len(values)))
        if off > ERRORS * error + EQUAL:
            raise Wrong(
                f"permuted has a mean of {values.mean():.4g} on {what}; over all orders it is"
                f" {known.mean():.4g}"
            )
        bench.compared += len(values)
    return f"{bench.compared} values, each that of an order"


def ceiling_agrees(bench: MetricBench) -> str:
    """`ceiling`, where offered, is what answers without error score on average against measured
    truths, and is no number without noise.
    """
    ceiling = getattr(bench.score, "ceiling", None)
    if ceiling is None:
        raise NotApplicable("it offers no ceiling")
    if bench.spec.of != "response":
        raise NotApplicable(f"{bench.spec.of} units have no noise in their truth")
    rng = np.random.default_rng([bench.seed, 23])
    promised, scored = [], []
    for _ in range(MEASURED_ANEW):
        measured = units.responses(rng, noisy=True)
        try:
            given = ceiling(measured)
        except NotComputed:
            continue
        value = bench.value("an answer without error", measured)
        if value is not None and math.isfinite(value):
            promised.append(float(getattr(given, "value", given)))
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
    try:
        clean = ceiling(units.responses(rng, noisy=False))
    except NotComputed:
        clean = math.nan
    clean = float(getattr(clean, "value", clean))
    if not math.isnan(clean) and abs(clean - bench.spec.best) > EQUAL:
        raise Wrong(
            f"ceiling is {clean:.4g} where the truth has no noise; expected NotComputed, or"
            f" {bench.spec.best:g}"
        )
    bench.compared += len(scored)
    return (
        f"{np.mean(promised):.3f} promised, {np.mean(scored):.3f} scored by answers without error,"
        f" over {len(scored)} measurements"
    )
