"""Settings of one predictor compared on the cells to choose by, and the chosen one on fresh ones.

The best of many settings looks better than it is where it was chosen: by luck it is among the best.
So what is said of it comes from cells that did not choose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kobench.board.numbers.intervals import (
    Interval,
    Series,
    mean_interval,
    paired_difference,
)
from kobench.board.numbers.series import Numbers, row_key
from kobench.board.numbers.standings import Standings
from kobench.board.numbers.values import Key
from kobench.results.parts import Record
from kobench.results.versions import spot_of


@dataclass(frozen=True)
class Part:
    """A setting on one dataset and task, by the task's first primary metric.

    Attributes
    ----------
    dataset, task, metric : str
        On what, and by what.
    score : Interval
        The score, with its 95 % interval.
    floor : float or None
        The score of the best floor.
    skilled : bool
        Whether it is compared by skill, 0 for the best floor and 1 for the truth, and not by score.
    """

    dataset: str
    task: str
    metric: str
    score: Interval
    floor: float | None = None
    skilled: bool = False


@dataclass(frozen=True)
class Tried:
    """One setting.

    Attributes
    ----------
    selection : str
        The predictor with its parameters.
    parts : tuple of Part
        Its scores.
    gain : float or None
        What it is chosen by: its mean over datasets and tasks of the skill where there is one,
        else of the score above the best floor; None where it lacks a score.
    behind : Interval or None
        How far it is behind the best setting, > 0 is worse: paired, with its interval.
    spread : float or None
        Standard deviation of the score over fit seeds, of the first part; None with one fit.
    fit_seconds, predict_seconds, peak_mb : float or None
        What it cost, in the mean; the largest memory.
    problem : str
        "" or why it has no score.
    """

    selection: str
    parts: tuple[Part, ...] = ()
    gain: float | None = None
    behind: Interval | None = None
    spread: float | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_mb: float | None = None
    problem: str = ""


@dataclass
class Tuned:
    """All settings, the best first; those without a score last.

    Attributes
    ----------
    tried : list of Tried
        The settings.
    """

    tried: list[Tried] = field(default_factory=list)

    @property
    def winner(self) -> Tried | None:
        """The best setting; None where none has a score."""
        return self.tried[0] if self.tried and self.tried[0].gain is not None else None

    @property
    def level(self) -> list[str]:
        """The other settings that can't be told apart from the best."""
        return [
            one.selection
            for one in self.tried[1:]
            if one.behind is not None and not one.behind.above
        ]


def compare_settings(records: Sequence[Record], tasks: Sequence[str] | None = None) -> Tuned:
    """Compare the settings that records are of.

    Parameters
    ----------
    records : sequence of Record
        Of predictors (the settings), floors and lines, on the cells to choose by.
    tasks : sequence of str, or None
        Labels of the tasks that count; None for all.
    """
    settings = {row_key(one): one.trial.predictor.selection for one in records if is_setting(one)}
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in records:
        groups[spot_of(record.role, record.trial)._replace(row=())[1:]].append(record)
    parts: dict[Key, list[Part]] = {key: [] for key in settings}
    gains: dict[Key, list[Series]] = {key: [] for key in settings}
    wanted = 0
    for members in groups.values():
        for label in sorted({label for one in members for label in one.result.scores}):
            if tasks is None or label in tasks:
                wanted += add_part(members, label, parts, gains)
    cost = {key: [one for one in records if row_key(one) == key] for key in settings}
    complete = {key: found for key, found in gains.items() if wanted and len(found) == wanted}
    best = max(complete, key=lambda key: (mean_of(complete[key]), settings[key]), default=None)
    tried = []
    for key, selection in settings.items():
        fits = cost[key]
        ended = sorted({one.result.status for one in fits} - {"ok"})
        tried.append(
            Tried(
                selection,
                tuple(parts[key]),
                mean_of(complete[key]) if key in complete else None,
                behind(complete[best], complete[key]) if best and key in complete else None,
                spread_over_fits(fits, parts[key]),
                mean([one.run.fit_seconds for one in fits]),
                mean([one.run.predict_seconds for one in fits]),
                max((one.run.peak_mb for one in fits if one.run.peak_mb), default=None),
                "" if key in complete else ", ".join(ended) or "no score on all of it",
            )
        )
    tried.sort(key=lambda one: (one.gain is None, -(one.gain or 0.0), one.selection))
    return Tuned(tried)


def is_setting(record: Record) -> bool:
    """Whether a record is of a predictor."""
    return record.role == "predictor"


def add_part(
    members: Sequence[Record],
    label: str,
    parts: dict[Key, list[Part]],
    gains: dict[Key, list[Series]],
) -> bool:
    """Add what settings score on one dataset and task; False where nobody can be compared."""
    scored = [one for one in members if label in one.result.scores]
    numbers = Numbers(scored, label)
    standings = Standings(numbers)
    metric = next((name for name, one in standings.columns.items() if one.primary), None)
    if metric is None or not numbers.metric_slots(metric):
        return False
    floor = standings.section_floors.get(metric)
    for key in parts:
        if key not in numbers.records:
            continue
        standing = standings.standing(key, metric)
        measured = numbers.measure(key, metric)
        if standing.gain is None or set(measured.values) != set(numbers.metric_slots(metric)):
            continue
        parts[key].append(
            Part(
                members[0].trial.dataset.group,
                label,
                metric,
                mean_interval(measured.series),
                None if floor is None else floor.mean,
                standing.score.skill is not None,
            )
        )
        gains[key].append(standing.gain)
    return True


def mean_of(gains: Sequence[Series]) -> float:
    """The mean over datasets and tasks."""
    return float(np.mean([gain.mean for gain in gains]))


def behind(best: Sequence[Series], other: Sequence[Series]) -> Interval | None:
    """How far one setting is behind another, paired; with an interval where one can be given.

    Over several datasets and tasks the differences are taken as independent.
    """
    gaps = [paired_difference(one, two) for one, two in zip(best, other, strict=True)]
    value = float(np.mean([gap.value for gap in gaps]))
    halves = [None if gap.high is None else gap.high - gap.value for gap in gaps]
    if any(half is None for half in halves):
        return Interval(value)
    half = float(np.sqrt(np.sum(np.square(np.array(halves, float))))) / len(gaps)
    return Interval(value, value - half, value + half)


def spread_over_fits(fits: Sequence[Record], parts: Sequence[Part]) -> float | None:
    """Standard deviation over fit seeds of the first part's score, in the mean over networks."""
    if not parts:
        return None
    label, metric = parts[0].task, parts[0].metric
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for one in fits:
        if one.trial.dataset.group != parts[0].dataset or label not in one.result.scores:
            continue
        value = one.result.scores[label].metrics[metric].value
        if value is not None:
            found[one.trial.dataset.selection, one.trial.split.seed].append(value)
    several = [np.std(values, ddof=1) for values in found.values() if len(values) > 1]
    return float(np.mean(several)) if several else None


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of what is known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
