"""Whether a metric tells what was measured twice from answers that know nothing of it.

The truth of a screen is measured with noise, so its cells are split into halves: the change that
one half measures is the truth, and that of the other half an answer that is as good as this screen
can be known. Beside it stand answers, made of the same other half, that know no perturbation, or no
more of it than its strength. All of it follows from the truth, never from what a predictor answers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kobench.cells import FloatArray
from kobench.results.parts import Calibration
from kobench.scoring.bootstrap import Redraw, block_of, draws
from kobench.scoring.digits import drawn_digits
from kobench.scoring.metric import Score, result_of
from kobench.specs import MetricSpec
from kobench.units import NotComputed, Parts, ResponseUnits, Units

#: The answer that knows what can be known.
DUPLICATE = "the other half of the cells"

#: Answers that know no perturbation, or its strength alone, made of the half that is no truth.
CONTROLS = {
    "permuted": "the changes, each of another perturbation of about its strength",
    "mean": "the mean change of all perturbations",
    "direction": "the mean change of all, in each as long as its own",
    "nothing": "no change at all",
}

#: Splits into halves that are looked at, and draws of perturbations; of a metric that is not a mean
#: over these one split and fewer draws, as every draw scores anew.
SPLITS, DRAWS, DRAWS_ANEW = 5, 400, 100

#: Confidence of the interval by which a metric is judged, and how many standard errors a normal
#: number must be above 0 to be so in 95 % of draws.
LEVEL, ONE_SIDED = 0.95, 1.6448536269514722


@dataclass(frozen=True, eq=False)
class Level:
    """What a metric gives to a control.

    Attributes
    ----------
    value : float
        Its mean over the splits.
    draws : (d,) float
        The same under draws of the perturbations.
    blocks : int
        How many perturbations it is over.
    each : mapping of int to float
        The value of each perturbation, where the metric is a mean over them; else {}.
    """

    value: float
    draws: FloatArray
    blocks: int
    each: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Gap:
    """How far one control is above another, with its 95 % interval; > 0 is better.

    Attributes
    ----------
    value : float
        The difference.
    low, high : float or None
        The ends, None where there are too few blocks for an interval.
    error : float
        Its standard error.
    blocks : int
        How many perturbations it is over.
    """

    value: float
    low: float | None
    high: float | None
    error: float

    blocks: int

    @property
    def above(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low is not None and self.low > 0

    @property
    def needs(self) -> int | None:
        """How many perturbations show its sign right in 95 % of draws; None where it is not > 0.

        By the normal distribution, with the error that falls with the root of their number.

        >>> Gap(0.2, 0.0, 0.4, 0.1, 10).needs  # (1.645 * 0.1 * sqrt(10) / 0.2)^2 = 6.76
        7
        """
        if not self.value > 0 or math.isnan(self.error):
            return None
        return max(2, math.ceil(self.blocks * (ONE_SIDED * self.error / self.value) ** 2))


def calibrate(
    spec: MetricSpec, score: Score, units: Units | None, redraw: Redraw
) -> Calibration | None:
    """Whether a metric tells the two halves of the cells from answers that know nothing.

    Parameters
    ----------
    spec : MetricSpec
        The metric's own.
    score : callable
        The metric.
    units : units or None
        Their truth and its halves count, no answer.
    redraw : Redraw
        What perturbations are called, and the seed by which they are drawn.

    Returns
    -------
    Calibration or None
        None where the truth has no noise, where there is a single perturbation, and where the
        metric has no value for the halves.
    """
    if not isinstance(units, ResponseUnits) or units.halves is None or len(units.true) < 2:
        return None
    made = halved(units)
    try:
        levels = levels_of(score, made, redraw)
    except NotComputed:
        return None
    top = levels.pop(DUPLICATE, None)
    control = best_of(spec, levels)
    if top is None or control is None:
        return None
    gap = gap_of(spec, top, levels[control])
    return Calibration(
        duplicate=_digits(top.value),
        control=control,
        known=_digits(levels[control].value),
        apart=_digits(gap.value),
        low=drawn_digits(gap.low) if gap.low is not None else None,
        high=drawn_digits(gap.high) if gap.high is not None else None,
    )


def halved(units: ResponseUnits) -> dict[str, list[Units]]:
    """The duplicate and the controls, each in the first splits into halves.

    Parameters
    ----------
    units : ResponseUnits
        With halves.

    Returns
    -------
    dict
        What a control is called -> its units by split, whose truth is the change in one half.
    """
    found: dict[str, list[Units]] = {name: [] for name in (DUPLICATE, *CONTROLS)}
    if units.halves is None:
        return found
    for number, (truth, measured) in enumerate(units.halves[:SPLITS]):
        answers = {DUPLICATE: measured, **know_nothing(measured, units.true, number)}
        for name, answer in answers.items():
            found[name].append(beside(units, np.asarray(truth, np.float64), answer))
    return found


def beside(units: ResponseUnits, truth: FloatArray, answer: FloatArray) -> ResponseUnits:
    """An answer beside a truth, both (k, G), with the gaps of the units."""
    gaps = np.isnan(units.true)
    return ResponseUnits(
        np.where(gaps, np.nan, np.nan_to_num(answer)),
        np.where(gaps, np.nan, np.nan_to_num(truth)),
        units.perturbations,
        responds=units.responds,
    )


def know_nothing(measured: FloatArray, true: FloatArray, turn: int = 0) -> dict[str, FloatArray]:
    """Answers made of measured changes that say nothing of the single perturbation.

    Parameters
    ----------
    measured : (k, G) float
        What they are made of.
    true : (k, G) float
        The whole truth, NaN at the targets: its lengths say who is given whose change.
    turn : int
        Which one is given: 0 for the next in the order of lengths, 1 for the second next, ...

    Returns
    -------
    dict of str to (k, G) float
        By the names in `CONTROLS`.
    """
    known = ~np.isnan(true)
    changes: FloatArray = np.where(known, np.nan_to_num(measured), 0.0)
    k = len(changes)
    mean = changes.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    length = np.sqrt((changes**2).sum(axis=1))
    whole = float(np.sqrt((mean**2).sum())) or 1.0
    order = np.argsort(np.sqrt(np.nansum(true**2, axis=1)), kind="stable")
    giver = np.empty(k, np.intp)
    giver[order] = np.roll(order, -(1 + turn % (k - 1)))
    return {
        "permuted": changes[giver],
        "mean": np.broadcast_to(mean, changes.shape),
        "direction": np.outer(length, mean / whole),
        "nothing": np.zeros_like(changes),
    }


def levels_of(
    score: Score, made: Mapping[str, Sequence[Units]], redraw: Redraw
) -> dict[str, Level]:
    """What a metric gives to each control that has a value.

    Parameters
    ----------
    score : callable
        The metric.
    made : mapping of str to sequence of units
        The units of each control, by split.
    redraw : Redraw
        What is drawn again; the draws are the same for all controls.

    Raises
    ------
    NotComputed
        Where the metric raises it.
    """
    found = {}
    for name, several in made.items():
        level = level_of(score, several, redraw)
        if level is not None:
            found[name] = level
    return found


def level_of(score: Score, several: Sequence[Units], redraw: Redraw) -> Level | None:
    """What a metric gives to one control, averaged over splits; None where it has no value."""
    values: list[float] = []
    drawn: list[FloatArray] = []
    blocks = 0
    each: dict[int, list[float]] = defaultdict(list)
    for units in several:
        result, value = result_of(score, units)
        if math.isnan(value):
            return None
        quick = isinstance(result, Parts) and result.over == redraw.block
        ids = result.ids if isinstance(result, Parts) and quick else block_of(units, redraw.block)
        if isinstance(result, Parts) and quick and (result.weights == 1).all():
            for number, one in zip(result.ids.tolist(), result.sums.tolist(), strict=True):
                each[number].append(one)
        count = len(np.unique(ids))
        blocks = count if not values else min(blocks, count)
        values.append(value)
        often = DRAWS if quick else DRAWS_ANEW
        drawn.append(draws(score, units, redraw.block, often, redraw.seed, redraw.names, result))
        if not quick:
            break
    if not values:
        return None
    by_block = {number: float(np.mean(found)) for number, found in each.items()}
    return Level(float(np.mean(values)), np.mean(drawn, axis=0), blocks, by_block)


def best_of(spec: MetricSpec, levels: Mapping[str, Level]) -> str | None:
    """The control with the best value, the first of equal ones; None where none has a value."""
    sign = -1.0 if spec.direction == "lower" else 1.0
    return max(levels, key=lambda name: sign * levels[name].value, default=None)


def gap_of(spec: MetricSpec, one: Level, other: Level) -> Gap:
    """How far one control is above another, over the same blocks and draws.

    Notes
    -----
    The error is the spread of the paired draws, times sqrt(n / (n - 1)), as drawing n of n blocks
    divides by n; the interval is Student's with n - 1 degrees of freedom.
    """
    sign = -1.0 if spec.direction == "lower" else 1.0
    value = sign * (one.value - other.value)
    drawn = min(len(one.draws), len(other.draws))  # the first ones are the same draws
    apart = sign * (one.draws[:drawn] - other.draws[:drawn])
    apart = apart[np.isfinite(apart)]
    n = min(one.blocks, other.blocks)
    if n < 2 or len(apart) < 2:
        return Gap(value, None, None, math.nan, n)
    error = float(apart.std(ddof=1)) * math.sqrt(n / (n - 1))
    reach = _t_quantile(n - 1) * error
    return Gap(value, value - reach, value + reach, error, n)


def _t_quantile(degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + LEVEL / 2))


def _digits(value: float) -> float:
    found = drawn_digits(value)
    return 0.0 if found is None else found
