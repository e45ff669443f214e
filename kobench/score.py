"""Stored answers and truth to scores by task and metric: the `scores` part of a record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kobench.errors import InvalidAnswerError
from kobench.plan import Task
from kobench.plugins import resolve
from kobench.records import hash_of
from kobench.resample import Block
from kobench.resample import draws as draw_again
from kobench.specs import MetricSpec
from kobench.truth import Answers, NotComputed, Parts, Profiles, Singles, TaskUnits, TaskView, Units

#: Digits kept of values and of bootstrap draws: more would only carry rounding noise into the files.
VALUE_DIGITS, DRAW_DIGITS = 12, 6


def shown_name(metric: str, variant: str) -> str:
    """How a metric on a variant of the units is named.

    >>> shown_name("mae", "raw"), shown_name("mae", "")
    ('mae[raw]', 'mae')
    """
    return f"{metric}[{variant}]" if variant else metric


def value_of(score: Callable[[Units], Any], units: Units) -> float:
    """The value of a metric on units; NaN where the answer gives none. Raises NotComputed, also in place of what a metric raises."""
    try:
        result = score(units)
        value = result.value if isinstance(result, Parts) else float(result)
    except (NotComputed, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:  # a broken metric costs its own column, nobody's row
        raise NotComputed(f"the metric failed: {type(error).__name__}: {error}") from error
    if math.isinf(value):
        raise NotComputed("the value is not finite")
    return value


def score_metric(
    spec: MetricSpec, score: Callable[[Units], Any], units: Units | None, block: Block = "cell", draws: int = 0, seed: int = 0
) -> dict[str, Any]:
    """One metric's entry on units (None: not answered), with `draws` bootstrap values; its floors are left empty."""
    entry: dict[str, Any] = {
        "version": spec.version,
        "direction": spec.direction,
        "best": spec.best,
        "low": finite(spec.low),
        "high": finite(spec.high),
        "nothing": spec.nothing,
        "value": None,
        "missing": None,
        "draws": [],
        "floors": {},
    }
    if units is None:
        return {**entry, "missing": "not answered"}
    try:
        value = value_of(score, units)
    except NotComputed as reason:
        return {**entry, "missing": str(reason)}
    if math.isnan(value):
        return {**entry, "missing": "none"}
    again = drawn(score, units, block, draws, seed) if draws else []
    return {**entry, "value": rounded(value, VALUE_DIGITS), "draws": again}


def units_for(task: Task, question: Profiles | Singles, answers: Answers) -> tuple[TaskUnits, str]:
    """What a task makes of answers, and what to say where it makes no units. A broken task costs its own column, nobody's row.

    Raises InvalidAnswerError as the task does.
    """
    try:
        units = resolve(task.entry)(TaskView(question, answers))
        if isinstance(units, TaskUnits):
            return units, "not answered"
        reason = f"it gave a {type(units).__name__}, expected kobench.api.TaskUnits"
    except (InvalidAnswerError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
    return TaskUnits({}, 0, 0), f"the task failed: {reason}"


def score_task(task: Task, question: Profiles | Singles, answers: Answers, draws: int, seed_of: str,
               floors: Mapping[str, Answers]) -> dict[str, Any]:  # fmt: skip
    """Every metric of one task for one set of answers.

    draws : how many bootstrap draws to keep for primary metrics. seed_of : the text that fixes them, the same for every predictor.
    floors : the floors' answers, looked at only where these answers leave units out.
    """
    spec = task.spec
    units, absent = units_for(task, question, answers)
    partial = units.answered < units.asked
    below: dict[str, TaskUnits] = {}
    if partial and units.answered:
        for floor, given in floors.items():
            if floor in spec.floors:
                below[floor] = units_for(task, question, replace(given, supported=answers.supported))[0]
    seed = int(hash_of([seed_of, spec.label])[:8], 16)
    metrics = {}
    for name, entry in task.named_metrics.items():
        score = resolve(entry)
        for variant in units.variants or ("",):
            shown = units.variants.get(variant)
            primary = variant == "" and name in spec.primary
            scored = score_metric(entry.spec, score, shown, spec.block, draws if primary else 0, seed)
            scored["missing"] = absent if shown is None else scored["missing"]
            if primary and scored["value"] is not None:
                for floor, theirs in below.items():
                    found = score_metric(entry.spec, score, theirs.variants.get(""), spec.block, draws, seed)
                    scored["floors"][floor] = {"value": found["value"], "draws": found["draws"]}
            metrics[shown_name(name, variant)] = scored
    sampled = None
    if isinstance(question, Singles) and len(question.sample) < len(question.events):
        sampled = len(question.sample)
    left_out = dict(units.left_out)
    if isinstance(question, Singles) and question.unsolved:
        left_out["no steady state in the truth"] = question.unsolved
    return {
        "task": spec.name,
        "version": spec.version,
        "kind": spec.of,
        "asks": spec.asks,
        "primary": list(spec.primary),
        "floors": list(spec.floors),
        "lines": list(spec.lines),
        "block": spec.block,
        "blocks": blocks_of(units.variants.get(""), spec.block),
        "asked": units.asked,
        "answered": units.answered,
        "coverage": units.answered / units.asked if units.asked else 0.0,
        "left_out": left_out,
        "sampled": sampled,
        "metrics": metrics,
    }


def drawn(score: Callable[[Units], Any], units: Units, block: Block, n: int, seed: int) -> list[float | None]:
    """Bootstrap values of a metric as a record keeps them; None where a draw gives no value."""
    values = draw_again(score, units, block, n, seed)
    return [rounded(value, DRAW_DIGITS) if math.isfinite(value) else None for value in np.asarray(values, float).tolist()]


def blocks_of(units: Units | None, block: str) -> int:
    """How many cells or genes carry the primary units; 0 where they were not answered."""
    ids = None if units is None else getattr(units, f"{block}s", None)
    return 0 if ids is None else len(np.unique(ids))


def rounded(value: float, digits: int) -> float:
    """Significant digits.

    >>> rounded(0.123456789, 3)
    0.123
    """
    return float(f"{value:.{digits}g}")


def finite(value: float) -> float | None:
    """None for an open end of a range."""
    return value if math.isfinite(value) else None
