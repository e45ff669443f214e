"""Answers and truth to scores by task and metric: the `scores` part of a record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from kobench.errors import InvalidAnswerError
from kobench.plugins.chosen import Task
from kobench.plugins.load import Entry, resolve
from kobench.question import SETS, Answers, Question, TaskView
from kobench.results.parts import (
    DrawnEvents,
    DrawnValue,
    MetricScore,
    SampledPoints,
    TaskScores,
)
from kobench.scoring.blocks import blocks_digest, blocks_of, drawn_groups
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.calibration import calibrate
from kobench.scoring.digits import drawn_digits, plain, rounded
from kobench.scoring.grouped import CellGroups
from kobench.scoring.metric import (
    Permuting,
    Score,
    result_of,
    score_metric,
    score_permuted,
)
from kobench.scoring.permutations import PERMUTATIONS
from kobench.scoring.sampling_error import sampling_error
from kobench.units import FOLD, NotComputed, ScreenUnits, TaskUnits, Units
from kobench.util.files import hash_of

#: Single units kept for pictures.
POINTS = 300

#: Of how many permutations the score is kept where there are many networks: enough to tell how
#: alike those of their splits are.
KEPT_OF_MANY = 100


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


@dataclass(frozen=True, eq=False)
class Scoring:
    """One task on one set of answers.

    Attributes
    ----------
    task : Task
        The task with its metrics.
    question : Question
        What was asked, with its truth.
    answers : Answers
        The answers to it.
    floors : mapping of str to Answers
        The answers of floors, by name. They are looked at only where `answers` leave units out.
    draws : int
        How many bootstrap draws are kept of primary metrics.
    seed_of : str
        The text that fixes the draws, the same for every predictor.
    cells_of : str
        What all splits of the same cells have in common; it fixes how answers are permuted.
    showcase : bool
        Whether single units are written down, too.
    groups : CellGroups or None
        Groups of cells that belong together, by the ids that units give cells.
    calibrate : bool
        Whether it is written down what metrics tell apart here; see `calibration`.
    """

    task: Task
    question: Question
    answers: Answers
    floors: Mapping[str, Answers]
    draws: int
    seed_of: str
    cells_of: str
    showcase: bool = False
    groups: CellGroups | None = None
    calibrate: bool = False

    @property
    def redraw(self) -> Redraw:
        """How blocks are drawn again. Only where cells are drawn, their groups are."""
        block = self.task.spec.block
        return Redraw(
            block,
            self.draws,
            self.seed,
            self.question.block_names(block),
            self.groups if block == "cell" else None,
        )

    @property
    def seed(self) -> int:
        """Seed of everything that is drawn for this task."""
        return int(hash_of([self.seed_of, self.task.spec.label])[:8], 16)

    @property
    def permuting(self) -> Permuting:
        """How answers are permuted among the perturbations; all is kept where draws are."""
        return Permuting(
            int(hash_of([self.cells_of, "permutations"])[:8], 16),
            self.question.block_names("perturbation"),
            PERMUTATIONS if self.draws else KEPT_OF_MANY,
        )


class Scored(NamedTuple):
    """What scoring a task gives to a record.

    Attributes
    ----------
    scores : TaskScores
        Every metric of the task, and what it is made of.
    unranked : str
        Why the truth gives no ranking, "" where it does.
    """

    scores: TaskScores
    unranked: str


def score_task(scoring: Scoring) -> Scored:
    """Every metric of one task for one set of answers, as a record keeps it."""
    spec, question = scoring.task.spec, scoring.question
    units, absent = units_for(scoring.task, question, scoring.answers)
    primary = spec.primary if units.primary is None else units.primary
    drawn = question.drawn_events
    groups, first = scoring.redraw.groups, units.variants.get(variant_of(primary))
    scores = TaskScores(
        task=spec.name,
        version=spec.version,
        kind=spec.of,
        asks=spec.asks,
        primary=list(primary),
        floors=list(spec.floors),
        lines=list(spec.lines),
        block=spec.block if groups is None else "group",
        blocks=blocks_of(first, spec.block, groups),
        groups=None if groups is None else drawn_groups(groups, units),
        blocks_digest=blocks_digest(scoring.redraw, units) if scoring.draws else None,
        asked=units.asked,
        answered=units.answered,
        coverage=units.answered / units.asked if units.asked else 0.0,
        left_out={**units.left_out, **question.excluded()},
        sampled=question.rows_compared,
        metrics=score_metrics(scoring, units, absent, primary),
        notes=list(units.notes),
        events=None if drawn is None else DrawnEvents(asked=drawn[0], of=drawn[1]),
        table=shown_table(units) if scoring.showcase else None,
        points=shown_points(units, spec.of, scoring.seed) if scoring.showcase else None,
    )
    return Scored(scores, units.unranked)


def score_metrics(
    scoring: Scoring, units: TaskUnits, absent: str, primary: Sequence[str]
) -> dict[str, MetricScore]:
    """What each metric says of each variant of the units, by its shown name.

    Parameters
    ----------
    scoring : Scoring
        The task, question and answers.
    units : TaskUnits
        What the task made of them.
    absent : str
        What is said of a variant that was not answered.
    primary : sequence of str
        The shown names of the metrics that rank.
    """
    spec, question = scoring.task.spec, scoring.question
    floors = floors_on_same_units(scoring, units)
    redraw = scoring.redraw
    entries, permuting = {}, scoring.permuting
    for name, metric in scoring.task.named_metrics.items():
        score = resolve(metric)
        for variant in units.variants or ("",):
            shown, full_name = units.variants.get(variant), shown_name(name, variant)
            leads = full_name in primary
            # between groups every variant is a pair of them, with an interval of its own
            drawn = leads or (name in primary and SETS[spec.asks].between_groups)
            entry = score_metric(metric.spec, score, shown, redraw if drawn else None)
            if shown is None:
                entry = replace(entry, missing=absent)
            how = permuting if leads else replace(permuting, kept=0)
            permuted = score_permuted(metric.spec, score, shown, entry.value, how)
            entry = replace(entry, permuted=permuted)
            if scoring.calibrate:
                entry = replace(
                    entry, calibration=calibrate(metric.spec, score, shown, scoring.redraw)
                )
            if leads and entry.value is not None:
                share = question.asked_share(spec.of)
                error = error_of_draw(scoring, score, variant, share) if share < 1 else None
                on_same_units = {
                    floor: score_floor(metric, score, theirs.variants.get(variant), redraw)
                    for floor, theirs in floors.items()
                }
                entry = replace(entry, sampling_error=error, floors=on_same_units)
            entries[full_name] = entry
    return entries


def floors_on_same_units(scoring: Scoring, units: TaskUnits) -> dict[str, TaskUnits]:
    """The units of the task's floors on just what these answers cover.

    Empty where they cover everything, or nothing.
    """
    if not 0 < units.answered < units.asked:
        return {}
    covered = scoring.answers
    found = {}
    for floor, answers in scoring.floors.items():
        if floor in scoring.task.spec.floors:
            same = replace(answers, supported=covered.supported, max_order=covered.max_order)
            found[floor] = units_for(scoring.task, scoring.question, same)[0]
    return found


def score_floor(metric: Entry, score: Score, units: Units | None, redraw: Redraw) -> DrawnValue:
    """The value and draws of a floor."""
    entry = score_metric(metric.spec, score, units, redraw)
    return DrawnValue(value=entry.value, draws=entry.draws)


def error_of_draw(scoring: Scoring, score: Score, variant: str, share: float) -> float | None:
    """How far the value of a metric moves by the draw of the events; see `sampling_error`."""

    def again(question: Question, answers: Answers) -> float:
        units = units_for(scoring.task, question, answers)[0].variants.get(variant)
        try:
            return math.nan if units is None else result_of(score, units)[1]
        except NotComputed:
            return math.nan

    error = sampling_error(again, scoring.question, scoring.answers, share, scoring.seed)
    return drawn_digits(error)


def units_for(task: Task, question: Question, answers: Answers) -> tuple[TaskUnits, str]:
    """What a task makes of answers, and what to say where it makes no units.

    A broken task costs its own column, nobody's row. Raises InvalidAnswerError as the task does.
    """
    try:
        units = resolve(task.entry)(TaskView(question, answers))
        if not isinstance(units, TaskUnits):
            reason = f"it gave a {type(units).__name__}, expected kobench.api.TaskUnits"
        elif not isinstance(units.unranked, str):
            reason = f"its units say unranked={units.unranked!r}, expected text"
        else:
            return units, "not answered"
    except (InvalidAnswerError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
    return TaskUnits({}, 0, 0), f"the task failed: {reason}"


def shown_table(units: TaskUnits) -> dict[str, list[Any]] | None:
    """The task's own table of single units, as a record keeps it."""
    if units.table is None:
        return None
    return {column: [plain(value) for value in values] for column, values in units.table.items()}


def shown_points(units: TaskUnits, what: str, seed: int) -> SampledPoints | None:
    """A sample of POINTS single units of the first variant, true and predicted."""
    first = next(iter(units.variants.values()), None)
    if first is None:
        return None
    true, predicted = (
        np.ravel(shown[:, FOLD] if isinstance(first, ScreenUnits) else shown)
        for shown in (first.true, first.predicted)
    )
    known = np.flatnonzero(
        np.isfinite(true) & np.isfinite(predicted) & ((true != 0) | (predicted != 0))
    )
    if len(known) > POINTS:
        known = np.sort(np.random.default_rng(seed).choice(known, POINTS, replace=False))
    return SampledPoints(
        what=what,
        true=[rounded(value, 4) for value in true[known].tolist()],
        predicted=[rounded(value, 4) for value in predicted[known].tolist()],
    )
