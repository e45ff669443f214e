"""One section of the board: the rows of a dataset, split and task, with what a reader should know
of each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kobench.board.numbers.intervals import ENOUGH
from kobench.board.numbers.permuted import permuted_of
from kobench.board.numbers.series import (
    NONE,
    NOT_ANSWERED,
    NOT_RUN,
    STAND_IN,
    Key,
    Numbers,
    RowValues,
)
from kobench.board.numbers.standings import NOTHING, Place, Standing, Standings
from kobench.board.sections.facts import facts_of, label_of, warnings_of
from kobench.board.sections.notes import UNRANKED, notes_of, why_unranked
from kobench.board.sections.provenance import environment_of, open_of
from kobench.board.sections.sampled import warning_of, with_equal_events
from kobench.board.sections.sentences import decimals_for, p_text, sentence_of
from kobench.board.sections.units import points_of, units_of
from kobench.board.table import Column, Cost, Problem, Row, Score, Section
from kobench.results.about import TaskAbout
from kobench.results.parts import Record, TaskScores
from kobench.supervisor.limits import LIMIT_OF

INCOMPLETE, NO_TASK = "incomplete", "no task scored"

#: From this correlation on a ranking is said to follow abundance.
FOLLOWS = 0.8

#: Order of the rows that could not be ranked.
STATUSES = (INCOMPLETE, NOT_ANSWERED, "unsupported", "invalid", *LIMIT_OF, "failed")


class Group(NamedTuple):
    """What the records of a section have in common beside the task. train : "" or the group of
    cells that was trained on.
    """

    dataset: str
    name: str
    version: str
    split: str
    train: str = ""


def task_about(records: Iterable[Record], task: str) -> TaskAbout:
    """What the first of the records that knows a task says of it."""
    known = (record.about.tasks[task] for record in records if task in record.about.tasks)
    return next(known, TaskAbout())


def unranked_reasons(records: Iterable[Record], task: str) -> list[str]:
    """Why the truth of a task gives no ranking, each reason once; none where it does."""
    tasks = (record.about.tasks[task] for record in records if task in record.about.tasks)
    return list(dict.fromkeys(about.unranked for about in tasks if about.unranked))


def belongs(record: Record, task: str, example: TaskScores | None) -> bool:
    """Whether a record has a row in a section: it has scores, or it should have had."""
    if task in record.result.scores or example is None:
        return True
    failed, name = record.result.status != "ok", record.trial.predictor.name
    if record.role == "floor":
        return failed and name in example.floors
    if record.role == "line":
        return failed and name in example.lines
    asked = record.keys.questions
    return failed or not asked or example.asks in asked


def make_section(
    records: list[Record], group: Group, task: str, short: str, names: Mapping[Key, str], cost: bool
) -> Section:
    """One dataset, split, training group and task."""
    dataset, dataset_name, version, split, train = group
    example = next(
        (record.result.scores[task] for record in records if task in record.result.scores), None
    )
    members, odd = with_equal_events(
        [record for record in records if belongs(record, task, example)], task
    )
    numbers = Numbers(members, task)
    standings = Standings(numbers)
    reasons = unranked_reasons(members, task)
    notes = notes_of(numbers, reasons)
    why = why_unranked(numbers, notes, reasons)
    scores = {
        key: {metric: standings.standing(key, metric) for metric in numbers.metrics()}
        for key in numbers.records
    }
    measured = {
        key: {metric: numbers.measure(key, metric) for metric in numbers.primary()}
        for key in numbers.records
    }
    statuses = {key: status_of(numbers, key, measured[key]) for key in numbers.records}
    places: list[Place] = []
    if not why and numbers.primary() and numbers.metric_slots(numbers.primary()[0]):
        first = numbers.primary()[0]
        able = {
            key: scores[key][first]
            for key in scores
            if key[0] == "predictor" and statuses[key] == "ok"
        }
        places = standings.places(able)
    kind = records[0].trial.dataset.kind
    noun = "network" if kind == "simulated" else "data set"
    by_place = {place.key: place for place in places}
    rows = []
    for key, fits in numbers.records.items():
        place = by_place.get(key)
        shown = {
            metric: scored(numbers, key, standings.columns[metric], standing.score, why)
            for metric, standing in scores[key].items()
        }
        done = len(complete_blocks(numbers, key, measured[key]))
        rows.append(
            Row(
                role=key[0],
                name=names[key],
                selection=fits[0].trial.predictor.selection,
                distribution=fits[0].trial.predictor.distribution,
                versions=tuple(sorted({str(fit.trial.predictor.version) for fit in fits})),
                status=statuses[key],
                scores=shown,
                coverage=coverage_of(measured[key]),
                blocks_done=done,
                hollow=kind == "simulated" and done < ENOUGH,
                rank=place.rank if place else None,
                level_with=tuple(names[other] for other in place.level_with) if place else (),
                best_floor=tuple(
                    metric
                    for metric, column in standings.columns.items()
                    if key == ("floor", column.floor) and not why
                ),
                problems=problems_of(fits),
                remarks=(
                    *remarks_of(
                        numbers, key, {} if why else measured[key], statuses[key], noun, cost
                    ),
                    *(
                        unproven(metric, shown[metric])
                        for metric in numbers.primary()
                        if metric in shown and shown[metric].unproven
                    ),
                ),
                cost=cost_of(fits) if cost else None,
                sandbox=open_of(fits),
                environment=environment_of(fits),
            )
        )
    rows += nothing_row(standings, len(numbers.blocks)) if not why else []
    columns = tuple(
        replace(
            (
                column
                if not why
                else replace(column, primary=False, floor=None, gap=None, note=UNRANKED)
            ),
            decimals=decimals_for(scores[key][metric].score.value for key in scores),
        )
        for metric, column in shown_columns(numbers, standings, scores, why)
    )
    order = {names[place.key]: i for i, place in enumerate(places)}
    sign, metric = (columns[0].sign, columns[0].name) if columns else (1.0, "")

    def position(row: Row) -> tuple[Any, ...]:
        if row.rank is not None:
            return 0, order[row.name]
        value = row.scores[metric].value if metric in row.scores else None
        if row.role != "predictor" and row.status == "ok":
            return 1 if row.role == "floor" else 2, value is None, -sign * (value or 0.0), row.name
        return (
            3,
            STATUSES.index(row.status) if row.status in STATUSES else len(STATUSES),
            row.role,
            row.name,
        )

    shown_rows = tuple(sorted(rows, key=position))
    answered = [key for key in numbers.records if key[0] == "predictor" and statuses[key] == "ok"]
    predictors = sorted(answered, key=lambda key: (order.get(names[key], len(order)), names[key]))
    best: list[Key] = [
        ("floor", column.floor or "")
        for column in columns[:1]
        if ("floor", column.floor) in numbers.records
    ]
    several = len(numbers.blocks) > 1
    about, params = task_about(records, task), records[0].about.dataset.params
    section = Section(
        dataset=dataset,
        dataset_name=dataset_name,
        dataset_version=version,
        short=short,
        kind=kind,
        split=split,
        task=task,
        columns=columns,
        rows=shown_rows,
        blocks=len(numbers.blocks),
        label=label_of(numbers, kind),
        facts=facts_of(numbers, standings, split, len(places)),
        notes=tuple(sorted({note for record in records for note in record.trial.dataset.notes})),
        warnings=(*warnings_of(members, numbers, statuses), *warning_of(odd)),
        train=train,
        params={param.name: param.value for param in params},
        params_say={param.name: param.says for param in params},
        near_null=next(
            (text for record in records if (text := record.about.dataset.near_null)), ""
        ),
        says=" ".join(about.says.split()),
        demand=about.demand,
        of_knockouts=about.of_knockouts,
        unranked_why=why,
        said=tuple(note.text for note in notes if note.text != why),
        units=units_of(numbers, names, [*predictors, *best], several),
        points=points_of(numbers, names, predictors, several),
    )
    return replace(section, sentence=sentence_of(section))


def shown_columns(
    numbers: Numbers, standings: Standings, scores: Mapping[Key, Mapping[str, Standing]], why: str
) -> list[tuple[str, Column]]:
    """Every metric; where nobody is ranked those that have a value, what the task ranks by
    elsewhere first.
    """
    columns = list(standings.columns.items())
    if not why:
        return columns
    bases = {metric.partition("[")[0] for metric in numbers.primary()}
    known = [
        (metric, column)
        for metric, column in columns
        if any(scores[key][metric].score.value is not None for key in scores)
    ]
    return sorted(known, key=lambda pair: pair[0].partition("[")[0] not in bases)


def scored(numbers: Numbers, key: Key, column: Column, score: Score, why: str) -> Score:
    """A row's score with its permuted answers; without skill and verdict where nobody is ranked."""
    if why:
        return replace(
            score,
            skill=None,
            skill_low=None,
            skill_high=None,
            skill_note=UNRANKED,
            floor=None,
            difference=None,
            verdict="",
        )
    if key[0] != "predictor" or score.value is None:
        return score
    return replace(score, permuted=permuted_of(numbers, key, column.name, column.sign))


def unproven(metric: str, score: Score) -> str:
    """A warning beside a good score."""
    p = p_text(score.permuted.p) if score.permuted else ""
    return (
        f"above the floor by {metric}, yet its answers score as well when permuted among the"
        f" perturbations ({p}), so nothing shows that it knows which gene was removed"
    )


def nothing_row(standings: Standings, blocks: int) -> list[Row]:
    """The floor row of doing nothing, where it counts for a metric."""
    scores = {
        metric: Score(
            column.nothing,
            skill=None if column.note else 0.0,
            skill_note=column.note,
            floor=NOTHING,
        )
        for metric, column in standings.columns.items()
        if column.floor == NOTHING
    }
    if not scores:
        return []
    return [
        Row(
            "floor",
            NOTHING,
            NOTHING,
            "kobench",
            (),
            "ok",
            scores,
            None,
            blocks,
            best_floor=tuple(scores),
        )
    ]


def status_of(numbers: Numbers, key: Key, measured: Mapping[str, RowValues]) -> str:
    """ "ok" for a row with a score on every block, else the status of its failed trials, "not
    answered" or "incomplete".
    """
    failed = Counter(
        record.result.status for record in numbers.records[key] if record.result.status != "ok"
    )
    if failed:
        return str(min(failed, key=lambda status: (-failed[status], status)))
    for metric, one in measured.items():
        allowed = set(numbers.metric_slots(metric))
        if not allowed or (not one.values and one.missing == NONE):
            continue
        if not one.values:
            return (
                NOT_ANSWERED
                if one.missing == NOT_ANSWERED
                else INCOMPLETE
                if one.missing == NOT_RUN
                else one.missing
            )
        if set(one.values) != allowed:
            return INCOMPLETE
    if set(numbers.scores[key]) != set(numbers.slots):
        return INCOMPLETE if numbers.scores[key] or not measured else NOT_ANSWERED
    return "ok"


def complete_blocks(numbers: Numbers, key: Key, measured: Mapping[str, RowValues]) -> set[str]:
    """The blocks whose every slot has a score by the first primary metric."""
    one = next(iter(measured.values()), None)
    if one is None:
        return set()
    lacking = {block for block, replicate in numbers.slots if (block, replicate) not in one.values}
    return set(numbers.blocks) - lacking


def coverage_of(measured: Mapping[str, RowValues]) -> float | None:
    """Mean share of units answered, over blocks; None without scores."""
    one = next((one for one in measured.values() if one.values), None)
    return None if one is None else one.coverage.mean


def cost_of(fits: Sequence[Record]) -> Cost:
    """Mean seconds and largest memory over a row's trials."""

    def mean(values: list[float | None]) -> float | None:
        known = [float(value) for value in values if value is not None]
        return sum(known) / len(known) if known else None

    peaks = [float(fit.run.peak_mb) for fit in fits if fit.run.peak_mb is not None]
    return Cost(
        mean([fit.run.fit_seconds for fit in fits]),
        mean([fit.run.predict_seconds for fit in fits]),
        max(peaks, default=None),
    )


def problems_of(fits: Sequence[Record]) -> tuple[Problem, ...]:
    """Failed trials, those of the same kind together."""
    groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    refitted = len({fit.trial.fit_seed for fit in fits}) > 1
    for fit in fits:
        result, seed = fit.result, fit.trial.dataset.seed
        if result.status == "ok":
            continue
        where = [] if seed is None else [f"seed {seed}"]
        where += [f"fit seed {fit.trial.fit_seed}"] if refitted or seed is None else []
        what = (result.stage or "", result.message or "", result.traceback or "")
        groups[(result.status, *what)].append(", ".join(where))
    return tuple(
        Problem(*what, tuple(sorted(where, key=lambda text: (len(text), text))))
        for what, where in sorted(groups.items())
    )


def abundance_remarks(numbers: Numbers, key: Key) -> list[str]:
    """Which of a predictor's rankings follow the abundance of the genes, whatever they say of
    knockouts.
    """
    found = []
    for variant, what in (
        ("", "its ranking follows"),
        ("[propagated]", "its propagated impacts follow"),
        ("[raw]", "its raw impacts follow"),
    ):
        measured = numbers.measure(key, f"with-abundance{variant}")
        if measured.values and not measured.only_none and measured.series.mean >= FOLLOWS:
            found.append(f"{what} the abundance of the genes (Spearman {measured.series.mean:.2f})")
    return found


def like_of(numbers: Numbers) -> str:
    """What stands in for an answer that gives no ranking."""
    return "random" if numbers.scores.get(STAND_IN) else "no change at all"


def remarks_of(
    numbers: Numbers,
    key: Key,
    measured: Mapping[str, RowValues],
    status: str,
    noun: str,
    cost: bool,
) -> tuple[str, ...]:
    """What a reader should know of a row."""
    remarks = []
    fits = numbers.records[key]
    done, total = len(complete_blocks(numbers, key, measured)), len(numbers.blocks)
    if key[0] == "predictor" and 0 < done < total:
        remarks.append(f"scored on {done} of {total} {noun}s")
    flat = [
        metric
        for metric, one in measured.items()
        if one.only_none or (not one.values and one.missing == NONE)
    ]
    if flat:
        stood_in = any(measured[metric].values for metric in flat)
        like = like_of(numbers)
        where = f"level with {like}" if stood_in else "last, as random was not scored"
        place = (
            f"; ranked {where}"
            if key[0] == "predictor"
            else f"; counts as {like}"
            if key[0] == "floor"
            else ""
        )
        remarks.append(f"a constant answer gives no ranking by {' and '.join(flat)}{place}")
    for metric, one in measured.items():
        if one.nones and metric not in flat:
            remarks.append(
                f"{metric}: no ranking in {one.nones} of {len(numbers.slots)} (a constant answer),"
                f" counted there as {like_of(numbers)}"
            )
        elif metric not in flat and not one.values and one.missing not in ("", status, NOT_RUN):
            remarks.append(f"{metric}: {one.missing}")
    if key[0] == "predictor":
        remarks += abundance_remarks(numbers, key)
    versions = sorted({str(fit.trial.predictor.version) for fit in fits})
    if len(versions) > 1:
        remarks.append(f"scores of different versions together: {', '.join(versions)}")
    seen = {name for fit in fits for name in fit.result.trusted_with_predictor}
    if seen:
        remarks.append(
            f"its distribution also brings what sees the truth here: {', '.join(sorted(seen))}"
        )
    return tuple(remarks)
