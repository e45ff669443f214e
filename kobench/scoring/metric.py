"""One metric on one set of units: its value, its draws, its ceiling, and the permuted answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kobench.results.parts import DrawnValue, MetricScore, PermutedScores
from kobench.scoring.bootstrap import Names, Redraw, block_of
from kobench.scoring.bootstrap import draws as draw_again
from kobench.scoring.digits import (
    DRAW_DIGITS,
    PERMUTED_DIGITS,
    VALUE_DIGITS,
    drawn_digits,
    finite,
    rounded,
)
from kobench.scoring.permutations import permutations_of
from kobench.specs import MetricSpec
from kobench.units import NotComputed, OffersCeiling, OffersPermuted, Parts, Units
from kobench.util.chance import least_p

#: What a metric is: units to a number, or to parts that add up to one.
Score = Callable[[Units], Any]


def result_of(score: Score, units: Units) -> tuple[Parts | float, float]:
    """What a metric gives on units, and its value; NaN where the answer gives none.

    Raises NotComputed, also in place of what a metric raises: a broken metric costs its own column,
    nobody's row.
    """
    try:
        result = score(units)
        value = result.value if isinstance(result, Parts) else float(result)
    except (NotComputed, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise NotComputed(f"the metric failed: {type(error).__name__}: {error}") from error
    if math.isinf(value):
        raise NotComputed("the value is not finite")
    return result, value


def score_metric(
    spec: MetricSpec, score: Score, units: Units | None, redraw: Redraw | None = None
) -> MetricScore:
    """What one metric says of units; its floors are left empty.

    Parameters
    ----------
    spec : MetricSpec
        The metric's own.
    score : callable
        The metric.
    units : units or None
        What it scores; None where nothing was answered.
    redraw : Redraw or None
        How blocks are drawn again; None for no draws.
    """
    empty = MetricScore(
        version=spec.version,
        direction=spec.direction,
        best=spec.best,
        low=finite(spec.low),
        high=finite(spec.high),
        nothing=spec.nothing,
        value=None,
        missing=None,
        draws=[],
        floors={},
    )
    if units is None:
        return replace(empty, missing="not answered")
    try:
        result, value = result_of(score, units)
    except NotComputed as reason:
        return replace(empty, missing=str(reason))
    if math.isnan(value):
        return replace(empty, missing="none")
    noisy = getattr(units, "halves", None) is not None
    return replace(
        empty,
        value=rounded(value, VALUE_DIGITS),
        draws=drawn_values(score, units, redraw, result),
        ceiling=score_ceiling(score, units, redraw) if noisy else None,
        over=blocks_over(result, units, redraw),
    )


def blocks_over(result: Parts | float, units: Units, redraw: Redraw | None) -> int | None:
    """How many blocks a value is over; None where that is all of its units, or not known."""
    if redraw is None or not isinstance(result, Parts) or result.over != redraw.block:
        return None
    scored, drawn = np.unique(result.ids), np.unique(block_of(units, redraw.block))
    return len(scored) if redraw.groups is None and len(scored) < len(drawn) else None


def score_ceiling(score: Score, units: Units, redraw: Redraw | None = None) -> DrawnValue:
    """What an answer without error would score against a truth that has noise, with its draws.

    The value is None where nobody can say.
    """
    unknown = DrawnValue(value=None, draws=[])
    if not isinstance(score, OffersCeiling):
        return unknown
    try:
        result, value = result_of(score.ceiling, units)
    except NotComputed:
        return unknown
    if math.isnan(value):
        return unknown
    draws = drawn_values(score.ceiling, units, redraw, result)
    return DrawnValue(value=rounded(value, VALUE_DIGITS), draws=draws)


def drawn_values(
    score: Score, units: Units, redraw: Redraw | None, result: Parts | float
) -> list[float | None]:
    """Bootstrap values of a metric, `result` on the units themselves; None for none.

    There are none where cells are in too few groups.
    """
    if redraw is None or not redraw.n:
        return []
    groups = redraw.groups
    if groups is not None and groups.worth(block_of(units, redraw.block)) is None:
        return []
    values = draw_again(
        score, units, redraw.block, redraw.n, redraw.seed, redraw.names, result, groups
    )
    return [drawn_digits(value) for value in np.asarray(values, float).tolist()]


@dataclass(frozen=True, eq=False)
class Permuting:
    """How answers are permuted among the perturbations.

    Attributes
    ----------
    seed : int
        The same for all splits of a dataset.
    names : array of str or None
        What perturbations are called, by id.
    kept : int
        Of how many permutations the score is kept.
    """

    seed: int
    names: Names | None = None
    kept: int = 0


def score_permuted(
    spec: MetricSpec, score: Score, units: Units | None, observed: float | None, how: Permuting
) -> PermutedScores | None:
    """The same answers permuted among the perturbations, `PERMUTATIONS` times.

    They tell whether an answer knows which gene was removed.

    Parameters
    ----------
    spec : MetricSpec
        The metric's own.
    score : callable
        The metric.
    units : units or None
        What it scores.
    observed : float or None
        Its value on them.
    how : Permuting
        How they are permuted.

    Returns
    -------
    PermutedScores or None
        None where the metric does not offer it.

    Notes
    -----
    p = (1 + number of permutations that score as well) / (1 + number of permutations), one-sided:
    Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9:39, 2010. It is no smaller than the chance that
    k answers are permuted to where they were, 1 / k!.
    """
    if not isinstance(score, OffersPermuted) or units is None or observed is None:
        return None
    drawn = permutations_of(units, how.names, how.seed)
    try:
        values = np.asarray(score.permuted(units, drawn.orders), np.float64)
    except KeyboardInterrupt:
        raise
    except Exception:
        # also NotComputed: an extra that is broken or not to be had costs no score
        return None
    kept = values[: how.kept].tolist() if np.isfinite(values).all() else []
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    sign = -1.0 if spec.direction == "lower" else 1.0
    # the value was rounded, permuted ones were not
    close = 10.0**-VALUE_DIGITS * max(1.0, 10 * abs(observed))
    as_good = int((sign * values >= sign * observed - close).sum())
    low, high = np.quantile(values, [0.025, 0.975])
    p = max((1 + as_good) / (1 + len(values)), least_p([len(drawn.names)], len(values)))
    numbers = [
        rounded(float(number), DRAW_DIGITS)
        for number in (values.mean(), values.std(), low, high, p)
    ]
    mean, sd, low, high, p = numbers
    return PermutedScores(
        mean=mean,
        sd=sd,
        low=low,
        high=high,
        p=p,
        draws=len(values),
        scores=[rounded(value, PERMUTED_DIGITS) for value in kept] if kept else None,
        names=list(drawn.names) if kept else None,
    )
