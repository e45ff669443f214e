"""What a metric tells apart: controls of known quality, from the best to those that know nothing.

The first one is the truth, or, where that is measured with noise, the change in the other half of
the cells. The next ones are it with more and more noise, and the last those that know no unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Literal

import numpy as np

from kobench.cells import FloatArray
from kobench.checks.metrics import variants
from kobench.checks.metrics.tested import MetricUnderTest
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.calibration import (
    CONTROLS,
    DUPLICATE,
    SPLITS,
    Gap,
    Level,
    beside,
    best_of,
    gap_of,
    halved,
    know_nothing,
    level_of,
)
from kobench.specs import MetricSpec
from kobench.units import NotComputed, ResponseUnits, Units
from kobench.worker.checks.result import NotApplicable, Wrong

#: What a line of a ladder says beside its numbers.
Status = Literal["passed", "failed", "skipped"]

#: The answer that knows everything.
TRUTH = "the truth"

#: Strengths of the noise, in root mean squares of each change (of other units, in standard
#: deviations of all).
NOISE = (0.5, 1.0, 2.0, 4.0)

#: How often noise is drawn where the truth has none of its own.
NOISE_DRAWN = 5


@dataclass(frozen=True)
class Ladder:
    """What a metric gives to controls of known quality.

    Attributes
    ----------
    steps : tuple of (str, Level)
        The best one, and it with more and more noise.
    gaps : tuple of Gap
        How far each of them but the last is above the next.
    known : tuple of (str, Level)
        Those that know nothing, the best first.
    whole : Gap
        How far the first of all is above the best of these.
    best : float
        The value of the truth itself.
    sign : float
        +1 where higher is better, -1 where lower is.
    """

    steps: tuple[tuple[str, Level], ...]
    gaps: tuple[Gap, ...]
    known: tuple[tuple[str, Level], ...]
    whole: Gap
    best: float
    sign: float

    @property
    def tells(self) -> bool:
        """Whether the best control is above those that know nothing by more than chance."""
        return self.whole.above

    @property
    def share(self) -> float | None:
        """The share of the way from the best that knows nothing to the truth that the first has.

        None where there is no way.
        """
        top, floor = self.steps[0][1].value, self.known[0][1].value
        way = self.best - floor
        return (top - floor) / way if way else None

    @property
    def wins(self) -> float | None:
        """In which share of the units the first is above what knows nothing; ties count half.

        None where the metric has no value for each unit.
        """
        top, floor = self.steps[0][1].each, self.known[0][1].each
        both = sorted(set(top) & set(floor))
        if not both:
            return None
        ahead = np.array([self.sign * (top[one] - floor[one]) for one in both])
        return float(np.mean((ahead > 0) + (ahead == 0) / 2))

    @property
    def needs(self) -> int | None:
        """How many units tell all of it right in 95 % of draws each; None where some can't be."""
        each = [gap.needs for gap in (*self.gaps, self.whole)]
        known = [one for one in each if one is not None]
        return max(known) if len(known) == len(each) and known else None


def climb(
    spec: MetricSpec, score: Callable[[Any], Any], units: Units, redraw: Redraw, seed: int = 0
) -> Ladder:
    """What a metric gives to controls made of the truth of some units.

    Parameters
    ----------
    spec : MetricSpec
        The metric's own.
    score : callable
        The metric.
    units : Units
        Their truth counts, no answer.
    redraw : Redraw
        What is drawn again for intervals.
    seed : int
        Seed of the noise.

    Raises
    ------
    NotComputed
        Where the metric has no value for the best control, or for any that knows nothing.
    """
    made = dict(_controls(units, np.random.default_rng([seed, 31])))
    levels = {name: _level(score, several, redraw) for name, several in made.items()}
    found = {name: level for name, level in levels.items() if level is not None}
    first = next(iter(made))
    known = {name: level for name, level in found.items() if name in CONTROLS}
    control = best_of(spec, known)
    if first not in found or control is None:
        raise NotComputed("it has no value for the controls here")
    steps = [(name, level) for name, level in found.items() if name not in CONTROLS]
    order = sorted(known, key=lambda name: (name != control, -spec_sign(spec) * known[name].value))
    return Ladder(
        steps=tuple(steps),
        gaps=tuple(gap_of(spec, one, other) for (_, one), (_, other) in pairwise(steps)),
        known=tuple((name, known[name]) for name in order),
        whole=gap_of(spec, steps[0][1], known[control]),
        best=spec.best,
        sign=spec_sign(spec),
    )


def spec_sign(spec: MetricSpec) -> float:
    """+1 where higher is better, -1 where lower is."""
    return -1.0 if spec.direction == "lower" else 1.0


def tells_controls_apart(tested: MetricUnderTest) -> str:
    """The truth, or half of the cells, is above answers that know nothing by more than chance.

    On one kind of made-up units at least: some are few, and half of the cells has noise.
    """
    tested.must_rank()
    found, told = [], 0
    for what, given in tested.scored.items():
        redraw = Redraw(variants.block_of(given), seed=tested.seed)
        try:
            ladder = climb(tested.spec, tested.score, given, redraw, tested.seed)
        except NotComputed:
            continue
        top, floor = ladder.steps[0], ladder.known[0]
        found.append(
            f"{what}: {top[0]} {top[1].value:.3g}, best of what knows nothing ({floor[0]})"
            f" {floor[1].value:.3g}, difference {interval_text(ladder.whole)}"
        )
        told += ladder.tells
        tested.compared += 1
    if not found:
        raise NotApplicable("it has no value for controls on made-up units")
    if not told:
        raise Wrong(f"it can't tell controls apart: {'; '.join(found)}")
    return "; ".join(found)


def _level(score: Callable[[Any], Any], several: Sequence[Units], redraw: Redraw) -> Level | None:
    try:
        return level_of(score, several, redraw)
    except NotComputed:
        return None


def _controls(units: Units, rng: np.random.Generator) -> Iterator[tuple[str, list[Units]]]:
    """Every control, the best first, then with noise, then those that know nothing."""
    if not isinstance(units, ResponseUnits):
        yield TRUTH, [variants.right(units)]
        for level in NOISE:
            yield _noise(level), [variants.noisy(units, level, rng) for _ in range(NOISE_DRAWN)]
        order = np.roll(np.arange(len(units.true)), len(units.true) // 2 + 1)
        gaps = np.isnan(units.true)
        other = np.where(gaps, np.nan, np.nan_to_num(units.true[order]))
        yield "permuted", [variants.answered(units, other)]
        for name, answer in variants.constants(units):
            if name in ("the mean profile", "0 everywhere"):
                yield "mean" if name == "the mean profile" else "nothing", [answer]
        return
    if units.halves is not None:
        made = halved(units)
        yield DUPLICATE, made[DUPLICATE]
        pairs = [(truth, measured) for truth, measured in units.halves[:SPLITS]]
    else:
        truth = np.asarray(units.true, np.float64)
        made = {
            name: [beside(units, truth, answer)]
            for name, answer in know_nothing(truth, truth).items()
        }
        yield TRUTH, [beside(units, truth, truth)]
        pairs = [(truth, truth)] * NOISE_DRAWN
    for level in NOISE:
        yield (
            _noise(level),
            [beside(units, truth, _spoilt(measured, level, rng)) for truth, measured in pairs],
        )
    for name in CONTROLS:
        yield name, made[name]


def _noise(level: float) -> str:
    return f"with noise {level:g}"


def _spoilt(changes: FloatArray, level: float, rng: np.random.Generator) -> FloatArray:
    """Changes (k, G) with noise, as strong as `level` times the root mean square of each."""
    size = np.sqrt(np.nanmean(changes**2, axis=1, keepdims=True))
    spoilt: FloatArray = changes + level * size * rng.normal(size=changes.shape)
    return spoilt


def lines_of(ladder: Ladder, unit: str) -> Iterator[tuple[str, Status, str]]:
    """A ladder as checks show it: the name of a control, a status, and what was found."""
    for (name, level), gap in zip_longest(ladder.steps, ladder.gaps):
        if gap is None:
            yield name, "passed", f"{level.value:.3g}"
            continue
        told = "told from" if gap.above else "not told from"
        yield (
            name,
            "passed" if gap.above else "skipped",
            f"{level.value:.3g}, {told} the next: {interval_text(gap)}{need_text(gap, unit)}",
        )
    for name, level in ladder.known:
        yield name, "passed", f"{level.value:.3g} ({CONTROLS[name]})"
    top, floor = ladder.steps[0], ladder.known[0]
    said = f"{top[0]} {top[1].value:.3g}, the best that knows nothing ({floor[0]})"
    said += f" {floor[1].value:.3g}, difference {interval_text(ladder.whole)}"
    if ladder.share is not None:
        said += f"; {ladder.share:.0%} of the way to {ladder.best:g}"
    if ladder.wins is not None:
        said += f"; above it in {ladder.wins:.0%} of the {unit}s"
    said += need_text(ladder.whole, unit)
    yield "tells-controls-apart", "passed" if ladder.tells else "failed", said


def need_text(gap: Gap, unit: str) -> str:
    """How many units show a difference; "" where nobody can say."""
    return "" if gap.needs is None else f"; right in 95 % of draws of {gap.needs:,} {unit}s"


def interval_text(gap: Gap) -> str:
    """A difference with its interval, `0.40 [0.31, 0.49]`."""
    if gap.low is None or gap.high is None or math.isnan(gap.low):
        return f"{gap.value:.3g} (no interval)"
    return f"{gap.value:.3g} [{gap.low:.3g}, {gap.high:.3g}]"
