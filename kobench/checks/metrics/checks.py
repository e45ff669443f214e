"""The checks of metrics: a metric that can be fooled on made-up units fails by name, with the
answer that fooled it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np

from kobench.checks.metrics import offers, units
from kobench.checks.metrics.bench import EQUAL, MetricBench
from kobench.checks.run import run_named
from kobench.specs import MetricSpec
from kobench.units import Units
from kobench.worker.checks.kit import Wrong
from kobench.worker.checks.random_states import RandomStates
from kobench.worker.checks.result import CheckResult

#: Noisy answers whose values are averaged at each strength of the noise.
DRAWS = 12

#: A mean that is better by more than so many of its standard errors is better.
ERRORS = 3.0


def gives_a_value(bench: MetricBench) -> str:
    """It is a function of units that returns a float or Parts, for some of the made-up units at
    least.
    """
    if not callable(bench.score):
        raise Wrong(f"score is a {type(bench.score).__name__}; expected a function of units")
    bench.compared += len(bench.scored)
    left = [what for what in bench.all_units if what not in bench.scored]
    return f"computed for {', '.join(bench.scored)}" + (
        f"; not for {', '.join(left)}" if left else ""
    )


def truth_scores_best(bench: MetricBench) -> str:
    """The truth as the answer has the value that is declared best."""
    bench.must_rank()
    for what, given in bench.scored.items():
        value = bench.value(f"the truth on {what}", given)
        if value is None or not abs(value - bench.spec.best) <= EQUAL:
            raise Wrong(
                f"the truth scores {value:.6g} on {what}; expected {bench.spec.best:g}, which the"
                " spec declares best"
            )
        bench.compared += 1
    return f"{bench.spec.best:g}"


def more_noise_is_worse(bench: MetricBench) -> str:
    """The more noise is added to the truth, the worse it scores, averaged over draws of the
    noise.
    """
    bench.must_rank()
    found = []
    for what, given in bench.scored.items():
        rng = np.random.default_rng([bench.seed, 16])
        values = np.array(
            [
                [
                    bench.goodness(bench.value(f"noise on {what}", units.noisy(given, level, rng)))
                    for _ in range(DRAWS)
                ]
                for level in units.NOISE
            ]
        )
        values = np.concatenate(
            [np.full((1, DRAWS), bench.goodness(bench.value(what, given))), values]
        )
        means, counted = np.nanmean(values, axis=1), np.isfinite(values)
        if not counted.any(axis=1).all():
            raise Wrong(f"noisy answers have no value on {what}")
        for step, (before, after) in enumerate(pairwise(values)):
            gained = after - before
            error = float(np.nanstd(gained) / math.sqrt(max(int(np.isfinite(gained).sum()) - 1, 1)))
            if np.nanmean(gained) > ERRORS * error + EQUAL:
                strengths = (0.0, *units.NOISE)
                raise Wrong(
                    f"noise of {strengths[step + 1]:g} standard deviations scores better than of"
                    f" {strengths[step]:g} on {what}, by {np.nanmean(gained):.3g} on average of"
                    f" {DRAWS} draws"
                )
        if not means[-1] < means[0] - EQUAL:
            raise Wrong(
                f"noise of {units.NOISE[-1]:g} standard deviations scores as the truth does on"
                f" {what}"
            )
        sign = 1.0 if bench.spec.direction == "higher" else -1.0
        found.append(
            f"{what}: {', '.join(f'{bench.spec.best + sign * mean:.3g}' for mean in means)}"
        )
        bench.compared += values.size
    return f"{'; '.join(found)} at noise 0, {', '.join(f'{level:g}' for level in units.NOISE)}"


def reads_the_truth(bench: MetricBench) -> str:
    """The same answer beside another truth has another value; of a metric that is declared
    descriptive, the same one.
    """
    for what, given in bench.scored.items():
        rng = np.random.default_rng([bench.seed, 17])
        answer = units.noisy(given, 0.3, rng)
        mine = bench.value(f"an answer on {what}", answer)
        other = bench.value(
            f"the same answer beside another truth on {what}", units.another_truth(answer)
        )
        if mine is None or math.isnan(mine) or other is None:
            continue
        same = abs(mine - other) <= EQUAL
        if same and not bench.spec.descriptive:
            raise Wrong(
                f"an answer scores {mine:.6g} on {what} whatever the truth is; if it is meant to,"
                " say descriptive=True in its spec"
            )
        if not same and bench.spec.descriptive:
            raise Wrong(
                f"descriptive is declared, but an answer has {mine:.6g} on {what}, and {other:.6g}"
                " beside another truth"
            )
        bench.compared += 1
    return (
        "another truth, the same value"
        if bench.spec.descriptive
        else "another truth, another value"
    )


def unit_order(bench: MetricBench) -> str:
    """Units in another order have the same value."""
    return _same_value(
        bench,
        "in another order",
        lambda given, rng: units.taken(given, rng.permutation(len(given.true))),
    )


def gene_order(bench: MetricBench) -> str:
    """Genes in another order, with other numbers, have the same value; so have cells, pairs and
    perturbations.
    """
    return _same_value(
        bench, "with genes, cells and perturbations numbered anew", units.genes_reordered
    )


def _same_value(
    bench: MetricBench, how: str, change: Callable[[Units, np.random.Generator], Units]
) -> str:
    for what, given in bench.scored.items():
        rng = np.random.default_rng([bench.seed, 18])
        answer = units.noisy(given, 0.3, rng)
        before, after = bench.value(what, answer), bench.value(f"{what} {how}", change(answer, rng))
        if (
            before is None
            or after is None
            or not (abs(before - after) <= EQUAL or (math.isnan(before) and math.isnan(after)))
        ):
            raise Wrong(f"{what} {how} score {after}; expected {before}, as before")
        bench.compared += 1
    return f"{bench.compared} kinds of units"


def constants_never_best(bench: MetricBench) -> str:
    """An answer that says the same of everything does not score as the truth does."""
    bench.must_rank()
    return _never_best(bench, lambda given, rng: units.constants(given))


def nan_never_best(bench: MetricBench) -> str:
    """An answer with NaN in it does not score as the truth does; it may have no value, and may be
    refused.
    """
    bench.must_rank()
    return _never_best(bench, units.unknown)


def _never_best(
    bench: MetricBench, make: Callable[[Units, np.random.Generator], Iterator[tuple[str, Units]]]
) -> str:
    found = {}
    for what, given in bench.scored.items():
        for answer, spoilt in make(given, np.random.default_rng([bench.seed, 19])):
            try:
                value = bench.value(f"{answer} on {what}", spoilt)
            except Wrong:
                raise
            except Exception:  # it refuses what the harness refuses before any metric sees it
                value = None
            if value is not None and bench.goodness(value) >= -EQUAL:
                raise Wrong(
                    f"{answer} scores {value:.6g} on {what}; the truth scores {bench.spec.best:g}"
                )
            found[answer] = "no value" if value is None or math.isnan(value) else f"{value:.3g}"
            bench.compared += 1
    return ", ".join(f"{answer}: {value}" for answer, value in found.items())


def no_value_where_none(bench: MetricBench) -> str:
    """No units have no value; a truth that says one number of everything breaks nothing; a constant
    answer is no reason for NotComputed.
    """
    for what, given in bench.scored.items():
        empty = bench.value(f"no {what}", units.taken(given, np.arange(0)))
        if empty is not None and not math.isnan(empty):
            raise Wrong(
                f"no units at all score {empty:.6g}; raise NotComputed where no answer could be"
                " scored"
            )
        bench.value(f"a truth that is all alike on {what}", units.alike(given))
        for answer, spoilt in units.constants(given):
            if bench.value(f"{answer} on {what}", spoilt) is None:
                raise Wrong(
                    f"it raises NotComputed for {answer} on {what}, where other answers are scored;"
                    " return NaN: it is the answer's fault"
                )
        bench.compared += 1
    return "no units: no value; constant answers: a value or NaN"


def in_range(bench: MetricBench) -> str:
    """Every value that it gave is in the declared range."""
    _ = bench.scored
    values = [(what, value) for what, value in bench.seen if not math.isnan(value)]
    for what, value in values:
        if not bench.spec.low - EQUAL <= value <= bench.spec.high + EQUAL:
            raise Wrong(
                f"it is {value:.6g} for {what}; the spec declares {bench.spec.low:g} to"
                f" {bench.spec.high:g}"
            )
    bench.compared += len(values)
    numbers = [value for _, value in values]
    return (
        f"{len(values)} values from {min(numbers, default=math.nan):.3g} to"
        f" {max(numbers, default=math.nan):.3g}"
    )


def repeatable(bench: MetricBench) -> str:
    """Scored twice the value is the same; the units and the global random states are left as they
    were.
    """
    for what, given in bench.scored.items():
        answer = units.noisy(given, 0.3, np.random.default_rng([bench.seed, 20]))
        copy = deepcopy(answer)
        with RandomStates() as states:
            first, second = bench.value(what, answer), bench.value(what, answer)
        if first != second and not (
            first is not None and second is not None and math.isnan(first) and math.isnan(second)
        ):
            raise Wrong(f"scored twice, {what} have {first} and {second}")
        if states.changed:
            raise Wrong(
                f"it changed the global state of {' and '.join(states.changed)}; use a generator of"
                " its own with a fixed seed"
            )
        if not all(
            np.array_equal(a, b, equal_nan=True)
            for a, b in zip(_arrays(copy), _arrays(answer), strict=True)
        ):
            raise Wrong("it changed the units that it was given; work on a copy")
        bench.compared += 1
    return "twice the same, and nothing else changed"


def _arrays(given: Units) -> list[Any]:
    return [values for values in vars(given).values() if isinstance(values, np.ndarray)]


#: Every check of metrics by its name, in the order in which they run.
METRIC_CHECKS: dict[str, Callable[[Any], str]] = {
    "gives-a-value": gives_a_value,
    "truth-scores-best": truth_scores_best,
    "more-noise-is-worse": more_noise_is_worse,
    "reads-the-truth": reads_the_truth,
    "unit-order": unit_order,
    "gene-order": gene_order,
    "constants-never-best": constants_never_best,
    "nan-never-best": nan_never_best,
    "no-value-where-none": no_value_where_none,
    "repeatable": repeatable,
    "in-range": in_range,
    "nothing-agrees": offers.nothing_agrees,
    "redraws-agree": offers.redraws_agree,
    "permuted-agrees": offers.permuted_agrees,
    "ceiling-agrees": offers.ceiling_agrees,
}


def run_metric_checks(
    spec: MetricSpec,
    score: Callable[[Any], Any],
    examples: Sequence[Units] = (),
    seed: int = 0,
    only: Collection[str] | None = None,
) -> Iterator[CheckResult]:
    """Run the named checks of metrics one after the other.

    score : what `spec.score` refers to. examples : units of the metric's kind beside the made-up
    ones, for a metric that needs others. Nothing that the metric raises escapes. A check that had
    nothing to compare has failed; "skipped" is one that does not apply.
    """
    yield from run_named(
        METRIC_CHECKS, MetricBench(spec=spec, score=score, examples=examples, seed=seed), only
    )
