"""Stored answers and truth to scores by task and metric: the `scores` part of a record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from kobench.errors import InvalidAnswerError
from kobench.plugins.chosen import Task
from kobench.plugins.load import resolve
from kobench.question import Answers, Question, Singles, TaskView
from kobench.scoring.bootstrap import Names, field_of, names_of
from kobench.scoring.bootstrap import draws as draw_again
from kobench.scoring.sampling_error import asked_share, sampling_error
from kobench.specs import MetricSpec
from kobench.units import Block, NotComputed, Parts, TaskUnits, Units
from kobench.util.files import hash_of

#: Digits kept of values and of bootstrap draws: more would only carry rounding noise into the
#: files.
VALUE_DIGITS, DRAW_DIGITS = 12, 6

#: How often answers are permuted among the perturbations.
PERMUTATIONS = 1000

#: Single units kept for pictures.
POINTS = 300


def shown_name(metric: str, variant: str) -> str:
    """How a metric on a variant of the units is named.

    >>> shown_name("mae", "raw"), shown_name("mae", "")
    ('mae[raw]', 'mae')
    """
    return f"{metric}[{variant}]" if variant else metric


def variant_of(primary: Sequence[str]) -> str:
    """The variant that the first primary metric is on.

    >>> variant_of(["auprc[linked]"]), variant_of(["spearman"])
    ('linked', '')
    """
    return primary[0].partition("[")[2].rstrip("]") if primary else ""


def result_of(score: Callable[[Units], Any], units: Units) -> tuple[Parts | float, float]:
    """What a metric gives on units, and its value; NaN where the answer gives none.

    Raises NotComputed, also in place of what a metric raises.
    """
    try:
        result = score(units)
        value = result.value if isinstance(result, Parts) else float(result)
    except (NotComputed, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:  # a broken metric costs its own column, nobody's row
        raise NotComputed(f"the metric failed: {type(error).__name__}: {error}") from error
    if math.isinf(value):
        raise NotComputed("the value is not finite")
    return result, value


def score_metric(
    spec: MetricSpec,
    score: Callable[[Units], Any],
    units: Units | None,
    block: Block = "cell",
    draws: int = 0,
    seed: int = 0,
    names: Names | None = None,
) -> dict[str, Any]:
    """One metric's entry on units (None: not answered), with `draws` bootstrap values; its floors
    are left empty.

    names : what the blocks are called, see `kobench.scoring.bootstrap.names_of`.
    """
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
        result, value = result_of(score, units)
    except NotComputed as reason:
        return {**entry, "missing": str(reason)}
    if math.isnan(value):
        return {**entry, "missing": "none"}
    again = drawn(score, units, block, draws, seed, names, result) if draws else []
    entry = {**entry, "value": rounded(value, VALUE_DIGITS), "draws": again}
    if getattr(units, "halves", None) is not None:
        entry["ceiling"] = ceiling_of(score, units, block, draws, seed, names)
    return entry


def ceiling_of(
    score: Callable[[Units], Any],
    units: Units,
    block: Block,
    draws: int,
    seed: int,
    names: Names | None = None,
) -> dict[str, Any]:
    """What an answer without error would score against a truth that has noise, with its draws; a
    value of None where nobody can say.
    """
    ceiling = getattr(score, "ceiling", None)
    if ceiling is None:
        return {"value": None, "draws": []}
    try:
        result, value = result_of(ceiling, units)
    except NotComputed:
        return {"value": None, "draws": []}
    if math.isnan(value):
        return {"value": None, "draws": []}
    return {
        "value": rounded(value, VALUE_DIGITS),
        "draws": drawn(ceiling, units, block, draws, seed, names, result) if draws else [],
    }


def permuted_of(
    score: Callable[[Units], Any],
    units: Units | None,
    spec: MetricSpec,
    observed: float | None,
    seed: int,
) -> dict[str, Any] | None:
    """The same answers permuted among the perturbations, PERMUTATIONS times: whether the answer
    knows which gene was removed.

    p = (1 + number of permutations that score as well) / (1 + number of permutations), one-sided
    (Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9:39, 2010). None where the metric does not
    offer it.
    """
    permuted = getattr(score, "permuted", None)
    if permuted is None or units is None or observed is None:
        return None
    try:
        values = np.asarray(permuted(units, PERMUTATIONS, seed), np.float64)
    except KeyboardInterrupt:
        raise
    except Exception:
        # also NotComputed: a metric's extra that is broken or not to be had costs no score
        return None
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    sign = -1.0 if spec.direction == "lower" else 1.0
    as_good = int((sign * values >= sign * observed - 1e-12).sum())
    low, high = np.quantile(values, [0.025, 0.975])
    numbers = {
        "mean": values.mean(),
        "sd": values.std(),
        "low": low,
        "high": high,
        "p": (1 + as_good) / (1 + len(values)),
    }
    return {
        **{name: rounded(float(number), DRAW_DIGITS) for name, number in numbers.items()},
        "draws": len(values),
    }


def units_for(task: Task, question: Question, answers: Answers) -> tuple[TaskUnits, str]:
    """What a task makes of answers, and what to say where it makes no units.

    A broken task costs its own column, nobody's row.

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


def score_task(
    task: Task,
    question: Question,
    answers: Answers,
    draws: int,
    seed_of: str,
    floors: Mapping[str, Answers],
    showcase: bool = False,
) -> dict[str, Any]:
    """Every metric of one task for one set of answers.

    draws : how many bootstrap draws to keep for primary metrics. seed_of : the text that fixes
    them, the same for every predictor. floors : the floors' answers, looked at only where these
    answers leave units out. showcase : also write down single units.
    """
    spec = task.spec
    units, absent = units_for(task, question, answers)
    partly = units.answered < units.asked
    below: dict[str, TaskUnits] = {}
    if partly and units.answered:
        for floor, given in floors.items():
            if floor in spec.floors:
                same_units = replace(
                    given, supported=answers.supported, max_order=answers.max_order
                )
                below[floor] = units_for(task, question, same_units)[0]
    seed, names = int(hash_of([seed_of, spec.label])[:8], 16), names_of(question, spec.block)
    primary = spec.primary if units.primary is None else units.primary
    metrics = {}
    for name, entry in task.named_metrics.items():
        score = resolve(entry)
        for variant in units.variants or ("",):
            shown, full_name = units.variants.get(variant), shown_name(name, variant)
            leads = full_name in primary
            drawn_again = leads or (
                name in primary and spec.asks == "transfer"
            )  # every pair of groups has an interval of its own
            scored = score_metric(
                entry.spec, score, shown, spec.block, draws if drawn_again else 0, seed, names
            )
            scored["missing"] = absent if shown is None else scored["missing"]
            if (
                permuted := permuted_of(score, shown, entry.spec, scored["value"], seed)
            ) is not None:
                scored["permuted"] = permuted
            if leads and scored["value"] is not None:
                if isinstance(question, Singles) and (share := asked_share(question, spec.of)) < 1:
                    again = partial(score_again, task, score, variant)
                    scored["sampling_error"] = rounded_or_none(
                        sampling_error(again, question, answers, share, seed)
                    )
                for floor, theirs in below.items():
                    found = score_metric(
                        entry.spec,
                        score,
                        theirs.variants.get(variant),
                        spec.block,
                        draws,
                        seed,
                        names,
                    )
                    scored["floors"][floor] = {"value": found["value"], "draws": found["draws"]}
            metrics[full_name] = scored
    sampled, drawn_from = None, {}
    if isinstance(question, Singles):
        sampled = len(question.sample) if len(question.sample) < len(question.events) else None
        drawn_from = (
            {"events": {"asked": len(question.events), "of": question.available}}
            if question.available
            else {}
        )
    left_out = dict(units.left_out)
    if isinstance(question, Singles) and question.unsolved:
        left_out["no steady state in the truth"] = question.unsolved
    return {
        "task": spec.name,
        "version": spec.version,
        "kind": spec.of,
        "asks": spec.asks,
        "primary": list(primary),
        "floors": list(spec.floors),
        "lines": list(spec.lines),
        "block": spec.block,
        "blocks": blocks_of(units.variants.get(variant_of(primary)), spec.block),
        "asked": units.asked,
        "answered": units.answered,
        "coverage": units.answered / units.asked if units.asked else 0.0,
        "left_out": left_out,
        "sampled": sampled,
        "metrics": metrics,
        "notes": list(units.notes),
        **drawn_from,
        **(shown_units(units, spec.of, seed) if showcase else {}),
    }


def score_again(
    task: Task, score: Callable[[Units], Any], variant: str, question: Singles, answers: Answers
) -> float:
    """The value of a task's metric on other events; NaN where there is none."""
    shown = units_for(task, question, answers)[0].variants.get(variant)
    try:
        return math.nan if shown is None else result_of(score, shown)[1]
    except NotComputed:
        return math.nan


def shown_units(units: TaskUnits, what: str, seed: int) -> dict[str, Any]:
    """What a record keeps of single units: the task's own table, and a sample of POINTS of the
    first variant as (true, predicted).
    """
    found: dict[str, Any] = {}
    if units.table is not None:
        found["table"] = {
            column: [plain(value) for value in values] for column, values in units.table.items()
        }
    first = next(iter(units.variants.values()), None)
    if first is not None:
        true, predicted = np.ravel(first.true), np.ravel(first.predicted)
        known = np.flatnonzero(
            np.isfinite(true) & np.isfinite(predicted) & ((true != 0) | (predicted != 0))
        )
        if len(known) > POINTS:
            known = np.sort(np.random.default_rng(seed).choice(known, POINTS, replace=False))
        points = {"true": true[known], "predicted": predicted[known]}
        found["points"] = {
            "what": what,
            **{
                side: [rounded(value, 4) for value in values.tolist()]
                for side, values in points.items()
            },
        }
    return found


def plain(value: Any) -> Any:
    """A value of a table as JSON has it: numbers short, nothing for what is not finite."""
    if isinstance(value, (float, np.floating)):
        return rounded(float(value), DRAW_DIGITS) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def drawn(
    score: Callable[[Units], Any],
    units: Units,
    block: Block,
    n: int,
    seed: int,
    names: Names | None = None,
    result: Parts | float | None = None,
) -> list[float | None]:
    """Bootstrap values of a metric as a record keeps them; None where a draw gives no value. result
    : what it gave on the units.
    """
    values = draw_again(score, units, block, n, seed, names, result)
    return [
        rounded(value, DRAW_DIGITS) if math.isfinite(value) else None
        for value in np.asarray(values, float).tolist()
    ]


def blocks_of(units: Units | None, block: Block) -> int:
    """How many cells or genes carry the primary units; 0 where they were not answered."""
    ids = None if units is None else getattr(units, field_of(units, block), None)
    return 0 if ids is None else len(np.unique(ids))


def rounded(value: float, digits: int) -> float:
    """Significant digits.

    >>> rounded(0.123456789, 3)
    0.123
    """
    return float(f"{value:.{digits}g}")


def rounded_or_none(value: float | None) -> float | None:
    """A number as records keep those about draws."""
    return None if value is None else rounded(value, DRAW_DIGITS)


def finite(value: float) -> float | None:
    """None for an open end of a range."""
    return value if math.isfinite(value) else None
