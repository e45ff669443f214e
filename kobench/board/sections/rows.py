"""The rows and columns of a section, and the order in which they are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kobench.board.numbers.calibrated import CANNOT_TELL
from kobench.board.numbers.intervals import ENOUGH
from kobench.board.numbers.permuted import among_all, permuted_of
from kobench.board.numbers.standings import Standings
from kobench.board.numbers.values import NOT_ANSWERED, Key, RowValues
from kobench.board.row import IMPOSSIBLE, Column, Cost, Permuted, Problem, Row, Score
from kobench.board.sections.comparison import INCOMPLETE, Comparison
from kobench.board.sections.notes import UNRANKED
from kobench.board.sections.provenance import environment_of, open_of
from kobench.board.sections.row_remarks import row_remarks, splits_of
from kobench.board.sections.seeds import network_of
from kobench.board.written import decimals_for
from kobench.errors import DISBELIEVED, LIMIT_OF
from kobench.results.parts import Record

#: Order of the rows that could not be ranked.
STATUSES = (
    *(*DISBELIEVED, IMPOSSIBLE, INCOMPLETE, NOT_ANSWERED, "unsupported", "invalid"),
    *(*LIMIT_OF, "disk-full", "failed"),
)


def columns_of(compared: Comparison) -> tuple[Column, ...]:
    """Every metric; where nobody is ranked those that have a value, without floors.

    There, what the task ranks by elsewhere comes first.
    """
    columns = compared.standings.columns
    names = sorted(columns, key=lambda name: not columns[name].primary)
    if compared.unranked:
        bases = {metric.partition("[")[0] for metric in compared.numbers.primary()}
        names = [
            name for name in names if any(value is not None for value in values_by(compared, name))
        ]
        names.sort(key=lambda name: name.partition("[")[0] not in bases)
        columns = {
            name: replace(
                columns[name],
                primary=False,
                floor=None,
                gap=None,
                reason=CANNOT_TELL if columns[name].greyed else UNRANKED,
            )
            for name in names
        }
    return tuple(
        replace(columns[name], decimals=decimals_for(values_by(compared, name))) for name in names
    )


def values_by(compared: Comparison, metric: str) -> list[float | None]:
    """The value of every row by a metric."""
    return [scores[metric].score.value for scores in compared.scores.values()]


def rows_of(
    compared: Comparison, columns: Sequence[Column], names: Mapping[Key, str], cost: bool
) -> tuple[Row, ...]:
    """The rows in the order shown: ranked, floors, lines, then what could not be ranked.

    Parameters
    ----------
    compared : Comparison
        The rows of the section.
    columns : sequence of Column
        Its columns; floors and lines are ordered by the first.
    names : mapping of Key to str
        What rows are called.
    cost : bool
        Whether rows say what they cost.
    """
    permuted = permuted_scores(compared)
    rows = [make_row(compared, key, names, cost, permuted) for key in compared.numbers.records]
    if not compared.unranked:
        splits = compared.numbers.splits.count(compared.numbers.slots)
        rows += nothing_row(compared.standings, len(compared.numbers.blocks), splits)
    order = {names[key]: i for i, key in enumerate(compared.places)}
    first = columns[0] if columns else None
    return tuple(sorted(rows, key=lambda row: position(row, order, first)))


def position(row: Row, order: Mapping[str, int], first: Column | None) -> tuple[Any, ...]:
    """Sorts rows; `order` has the ranked ones, by name."""
    if row.rank is not None:
        return 0, order[row.name]
    if row.role != "predictor" and row.status == "ok":
        score = row.scores.get(first.name) if first else None
        value = score.value if score else None
        sign = first.sign if first else 1.0
        return 1 if row.role == "floor" else 2, value is None, -sign * (value or 0.0), row.name
    status = STATUSES.index(row.status) if row.status in STATUSES else len(STATUSES)
    return 3, status, row.role, row.name


def permuted_scores(compared: Comparison) -> dict[str, dict[Key, Permuted]]:
    """By metric the permuted answers of every predictor that has some; none if none is ranked."""
    if compared.unranked:
        return {}
    found: dict[str, dict[Key, Permuted]] = {}
    for metric, column in compared.standings.columns.items():
        made = {
            key: permuted_of(compared.numbers, key, metric, column.sign)
            for key, standings in compared.scores.items()
            if key[0] == "predictor" and standings[metric].score.value is not None
        }
        found[metric] = among_all({key: one for key, one in made.items() if one is not None})
    return found


def make_row(
    compared: Comparison,
    key: Key,
    names: Mapping[Key, str],
    cost: bool,
    permuted: Mapping[str, Mapping[Key, Permuted]],
) -> Row:
    """One row of a section, from the records of its fits; `permuted` as `permuted_scores` gives."""
    fits, place = compared.numbers.records[key], compared.places.get(key)
    predictor, done = fits[0].trial.predictor, len(compared.done(key))
    if compared.kind == "simulated":
        done = min(done, compared.numbers.networks.count)
    scores = shown_scores(compared, key, permuted)
    return Row(
        role=key[0],
        name=names[key],
        selection=predictor.selection,
        distribution=predictor.distribution,
        versions=tuple(sorted({str(fit.trial.predictor.version) for fit in fits})),
        status=compared.statuses[key],
        scores=scores,
        coverage=coverage_of(compared.values[key]),
        blocks_done=done,
        splits=splits_of(compared.numbers, key),
        hollow=compared.kind == "simulated" and done < ENOUGH,
        rank=place.rank if place else None,
        level_with=tuple(map(names.__getitem__, place.level_with)) if place else (),
        best_floor=tuple(
            metric
            for metric, column in compared.standings.columns.items()
            if key == ("floor", column.floor) and not compared.unranked
        ),
        problems=problems_of(fits),
        beyond=compared.beyond.get(key, ""),
        remarks=row_remarks(compared, key, scores),
        cost=cost_of(fits) if cost else None,
        sandbox=open_of(fits),
        environment=environment_of(fits),
        prior=compared.priors.get(key, ""),
    )


def shown_scores(
    compared: Comparison, key: Key, permuted: Mapping[str, Mapping[Key, Permuted]]
) -> dict[str, Score]:
    """A row's scores by metric: with permuted answers, without skill where nobody is ranked."""
    found = {}
    for metric, standing in compared.scores[key].items():
        score = standing.score
        if compared.unranked:
            why = CANNOT_TELL if compared.standings.columns[metric].greyed else UNRANKED
            score = Score(score.value, score.low, score.high, score.missing, skill_reason=why)
        elif one := permuted[metric].get(key):
            score = replace(score, permuted=one)
        found[metric] = score
    return found


def nothing_row(standings: Standings, blocks: int, splits: int) -> list[Row]:
    """The floor row of what no floor counts below, where it counts for a metric."""
    scores = {
        metric: Score(
            column.nothing,
            skill=None if column.reason else 0.0,
            skill_reason=column.reason,
            floor=column.level,
        )
        for metric, column in standings.columns.items()
        if column.floor == column.level
    }
    if not scores:
        return []
    level = next(column.level for column in standings.columns.values())
    row = Row(
        role="floor",
        name=level,
        selection=level,
        distribution="kobench",
        versions=(),
        status="ok",
        scores=scores,
        coverage=None,
        blocks_done=blocks,
        splits=splits,
        best_floor=tuple(scores),
    )
    return [row]


def coverage_of(values: Mapping[str, RowValues]) -> float | None:
    """Mean share of units answered, over blocks; None without scores."""
    one = next((one for one in values.values() if one.values), None)
    return None if one is None else one.coverage.mean


def cost_of(fits: Sequence[Record]) -> Cost:
    """Mean seconds and largest memory over a row's trials."""
    return Cost(
        mean_of(fit.run.fit_seconds for fit in fits),
        mean_of(fit.run.predict_seconds for fit in fits),
        max((float(fit.run.peak_mb) for fit in fits if fit.run.peak_mb is not None), default=None),
    )


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of those that are known, None without any."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None


def problems_of(fits: Sequence[Record]) -> tuple[Problem, ...]:
    """Failed trials, those of the same kind together."""
    groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    refitted = len({fit.trial.fit_seed for fit in fits}) > 1
    several = len({fit.trial.split.seed for fit in fits}) > 1
    for fit in fits:
        result, network = fit.result, network_of(fit.trial.dataset)
        if result.status == "ok":
            continue
        where = [network] if network else []
        where += [f"split seed {fit.trial.split.seed}"] if several else []
        where += [f"fit seed {fit.trial.fit_seed}"] if refitted or not where else []
        what = (result.stage or "", result.message or "", result.traceback or "")
        groups[(result.status, *what)].append(", ".join(where))
    return tuple(
        Problem(*what, tuple(sorted(where, key=lambda text: (len(text), text))))
        for what, where in sorted(groups.items())
    )
