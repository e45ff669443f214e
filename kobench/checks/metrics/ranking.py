"""Checks that a metric ranks answers: nothing scores as the truth does, and worse answers less.

Each is a function of the metric under test, as in `values`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from kobench.checks.metrics import variants
from kobench.checks.metrics.tested import EQUAL, MetricUnderTest
from kobench.units import Units
from kobench.worker.checks.result import Wrong

#: Strengths of the noise in an answer, in standard deviations of the truth (of logarithms, for
#: profiles).
NOISE = (0.1, 0.3, 1.0, 3.0)

#: Number of noisy answers whose values are averaged at each strength.
DRAWS = 12

#: By how many standard errors a mean must be better to count as better.
ERRORS = 3.0


def truth_scores_best(tested: MetricUnderTest) -> str:
    """The truth as the answer has the value that is declared best."""
    tested.must_rank()
    best = tested.spec.best
    for what, given in tested.scored.items():
        value = tested.value(f"the truth on {what}", given)
        if value is None or not abs(value - best) <= EQUAL:
            raise Wrong(
                f"the truth scores {value:.6g} on {what}; expected {best:g}, which the spec"
                f" declares best, within {EQUAL:g} (absolute)"
            )
        tested.compared += 1
    return f"{best:g}"


def more_noise_is_worse(tested: MetricUnderTest) -> str:
    """The more noise is added to the truth, the worse it scores, averaged over draws of noise."""
    tested.must_rank()
    sign = 1.0 if tested.spec.direction == "higher" else -1.0
    found = []
    for what, given in tested.scored.items():
        values = _values_with_noise(tested, what, given)
        _each_step_is_worse(what, values)
        means = tested.spec.best + sign * np.nanmean(values, axis=1)
        found.append(f"{what}: {', '.join(f'{mean:.3g}' for mean in means)}")
        tested.compared += values.size
    return f"{'; '.join(found)} at noise 0, {', '.join(f'{level:g}' for level in NOISE)}"


def _values_with_noise(tested: MetricUnderTest, what: str, given: Units) -> np.ndarray:
    """Goodness (1 + len(NOISE), DRAWS) of the truth, and of the truth with noise of each level."""
    rng = np.random.default_rng([tested.seed, 16])
    noisy = [
        [
            tested.goodness(tested.value(f"noise on {what}", variants.noisy(given, level, rng)))
            for _ in range(DRAWS)
        ]
        for level in NOISE
    ]
    clean = tested.goodness(tested.value(what, given))
    return np.concatenate([np.full((1, DRAWS), clean), np.array(noisy)])


def _each_step_is_worse(what: str, values: np.ndarray) -> None:
    """Wrong where more noise is better on average, or the strongest noise is as good as none."""
    if not np.isfinite(values).any(axis=1).all():
        raise Wrong(f"noisy answers have no value on {what}")
    means = np.nanmean(values, axis=1)
    strengths = (0.0, *NOISE)
    for step, (before, after) in enumerate(pairwise(values)):
        gained = after - before
        pairs = int(np.isfinite(gained).sum())
        error = float(np.nanstd(gained) / math.sqrt(max(pairs - 1, 1)))
        if np.nanmean(gained) > ERRORS * error + EQUAL:
            raise Wrong(
                f"noise of {strengths[step + 1]:g} standard deviations scores better than of"
                f" {strengths[step]:g} on {what}, by {np.nanmean(gained):.3g} on average of"
                f" {DRAWS} draws"
            )
    if not means[-1] < means[0] - EQUAL:
        raise Wrong(
            f"noise of {NOISE[-1]:g} standard deviations scores as the truth does on {what}"
        )


def reads_the_truth(tested: MetricUnderTest) -> str:
    """The same answer beside another truth has another value; if declared descriptive, the same."""
    descriptive = tested.spec.descriptive
    for what, given in tested.scored.items():
        rng = np.random.default_rng([tested.seed, 17])
        answer = variants.noisy(given, 0.3, rng)
        mine = tested.value(f"an answer on {what}", answer)
        other = tested.value(
            f"the same answer beside another truth on {what}", variants.another_truth(answer)
        )
        if mine is None or math.isnan(mine) or other is None:
            continue
        same = abs(mine - other) <= EQUAL
        if same and not descriptive:
            raise Wrong(
                f"an answer scores {mine:.6g} on {what} whatever the truth is; if it is meant to,"
                " say descriptive=True in its spec"
            )
        if not same and descriptive:
            raise Wrong(
                f"descriptive is declared, but an answer has {mine:.6g} on {what}, and {other:.6g}"
                " beside another truth"
            )
        tested.compared += 1
    return f"another truth, {'the same' if descriptive else 'another'} value"


def constants_never_best(tested: MetricUnderTest) -> str:
    """An answer that says the same of everything does not score as the truth does."""
    tested.must_rank()
    return _never_best(tested, lambda given, rng: variants.constants(given))


def nan_never_best(tested: MetricUnderTest) -> str:
    """An answer with NaN in it does not score as the truth does; it may be refused."""
    tested.must_rank()
    return _never_best(tested, variants.unknown)


def _never_best(
    tested: MetricUnderTest,
    make: Callable[[Units, np.random.Generator], Iterator[tuple[str, Units]]],
) -> str:
    """Wrong where one of the answers that are made scores as the truth does."""
    found = {}
    for what, given in tested.scored.items():
        for answer, spoilt in make(given, np.random.default_rng([tested.seed, 19])):
            try:
                value = tested.value(f"{answer} on {what}", spoilt)
            except Wrong:
                raise
            except Exception:  # it refuses what the harness refuses before any metric sees it
                value = None
            if value is not None and tested.goodness(value) >= -EQUAL:
                raise Wrong(
                    f"{answer} scores {value:.6g} on {what}; the truth scores {tested.spec.best:g}"
                )
            found[answer] = "no value" if value is None or math.isnan(value) else f"{value:.3g}"
            tested.compared += 1
    return ", ".join(f"{answer}: {value}" for answer, value in found.items())
