"""One table of a whole board: predictors x tasks, one verdict a cell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from kobench.board.board import Board
from kobench.board.contests import Contest, contests_of
from kobench.board.numbers.intervals import Interval
from kobench.board.numbers.rules import NAMED
from kobench.board.numbers.skill import verdict_of
from kobench.board.overall import MIXED, overall
from kobench.board.row import Row
from kobench.board.table import Section
from kobench.board.transfer import TransferMatrix
from kobench.board.words import PRIOR, is_evidence, signs_of


@dataclass(frozen=True)
class Told:
    """What one dataset says of a predictor.

    Attributes
    ----------
    place : str
        The dataset.
    verdict : str
        See `kobench.board.overall.overall`; "" for none.
    status : str
        "ok", or why it has no score.
    hollow : bool
        Whether this is one simulated network.
    skill : Interval or None
        Its skill by the first metric, None where none is printed.
    gain : Interval or None
        How far its score by that metric is above the best floor, > 0 is better.
    decimals : int
        How many of a gain are shown.
    knows : bool, or None
        Whether it is shown to know which gene was removed, None where nothing was permuted.
    """

    place: str
    verdict: str
    status: str = "ok"
    hollow: bool = False
    skill: Interval | None = None
    gain: Interval | None = None
    decimals: int = 3
    knows: bool | None = None


@dataclass(frozen=True)
class Asked:
    """A task of the table.

    Attributes
    ----------
    task : str
        Its label.
    says : str
        What it asks; its label where it does not say.
    of_knockouts : bool
        Whether it asks what removing genes does.
    places : tuple of str
        The datasets, controls left out.
    floors : tuple of str
        The floors that count, each once.
    told : mapping of str to tuple of Told
        By predictor what each of those datasets says of it that it was run on.
    """

    task: str
    says: str
    of_knockouts: bool
    places: tuple[str, ...]
    floors: tuple[str, ...]
    told: Mapping[str, tuple[Told, ...]]


@dataclass(frozen=True)
class Overview:
    """Predictors x tasks.

    Attributes
    ----------
    tasks : tuple of Asked
        The most demanding first; those where nobody can be ranked are left out.
    predictors : tuple of str
        The best first, those with prior knowledge last.
    wins : mapping of str to int
        In how many questions a predictor is better than the best floor.
    """

    tasks: tuple[Asked, ...]
    predictors: tuple[str, ...]
    wins: Mapping[str, int]


def overview_of(board: Board) -> Overview:
    """The table of a board."""
    groups: dict[tuple[tuple[float, str], str], list[Section]] = defaultdict(list)
    for section in board.sections:
        if section.primary and not section.control and not (section.train and board.transfers):
            groups[section.order, section.task].append(section)
    tasks = [asked_of(task, found) for (_, task), found in sorted(groups.items())]
    by_task: dict[str, list[TransferMatrix]] = defaultdict(list)
    for matrix in board.transfers:
        by_task[matrix.task].append(matrix)
    says = {section.task: section.words for section in board.sections}
    tasks += [transferred(task, says.get(task, task), found) for task, found in by_task.items()]
    shown = tuple(task for task in tasks if task.told)
    wins = wins_of(contests_of(board.sections, board.transfers))
    predictors = {name for task in shown for name in task.told}

    def order(name: str) -> tuple[Any, ...]:
        after = (PRIOR in signs_of(name), not is_evidence(name))
        return *after, *(standing(shown, name, kind) for kind in (True, False)), name

    return Overview(shown, tuple(sorted(predictors, key=order)), wins)


def standing(tasks: Sequence[Asked], name: str, of_knockouts: bool) -> tuple[Any, ...]:
    """Sorts predictors by their tasks of one kind: by wins, by what they lose, by mean skill."""
    like = [task for task in tasks if task.of_knockouts == of_knockouts]
    told = [one for task in like for one in task.told.get(name, ())]
    skills = [one.skill.value for one in told if one.skill is not None]
    better, mixed = (sum(one.verdict == each for one in told) for each in ("better", MIXED))
    lost = sum(one.verdict in ("worse", "") for one in told)
    return -better, -mixed, lost, -sum(skills) / len(skills) if skills else inf


def wins_of(contests: Sequence[Contest]) -> Counter[str]:
    """In how many questions each predictor is better; controls do not count."""
    return Counter(name for one in contests if not one.control for name in one.winners)


def asked_of(task: str, sections: Sequence[Section]) -> Asked:
    """A task on some datasets."""
    told: dict[str, list[Told]] = defaultdict(list)
    for section in sections:
        for name, row in section.predictors.items():
            told[name].append(told_of(section, row))
    floors = (section.primary[0].floor or "" for section in sections)
    return Asked(
        task,
        sections[0].words,
        sections[0].of_knockouts,
        tuple(section.place for section in sections),
        tuple(dict.fromkeys(floor for floor in floors if floor)),
        {name: tuple(found) for name, found in told.items()},
    )


def told_of(section: Section, row: Row) -> Told:
    """What a section says of a row."""
    score = row.scores.get(section.primary[0].name)
    if row.rank is None or score is None:
        return Told(section.place, "", row.status if row.status != "ok" else "-", row.hollow)
    return Told(
        section.place,
        overall(section, row),
        hollow=row.hollow,
        skill=(
            None
            if score.skill is None
            else Interval(score.skill, score.skill_low, score.skill_high)
        ),
        gain=score.difference,
        decimals=section.primary[0].decimals,
        knows=score.permuted.knows if score.permuted else None,
    )


def transferred(task: str, says: str, matrices: Sequence[TransferMatrix]) -> Asked:
    """A task on cells of groups that were not trained on, by the mean over these."""
    told: dict[str, list[Told]] = defaultdict(list)
    for matrix in matrices:
        if matrix.other is not None:
            verdict = verdict_of(matrix.other, NAMED)
            place = place_of(matrix)
            told[matrix.predictor].append(
                Told(place, verdict, hollow=matrix.few, skill=matrix.other)
            )
    return Asked(
        task,
        says,
        False,
        tuple(dict.fromkeys(map(place_of, matrices))),
        tuple(dict.fromkeys(matrix.floor for matrix in matrices)),
        {name: tuple(found) for name, found in told.items()},
    )


def place_of(matrix: TransferMatrix) -> str:
    """The dataset of a transfer in short."""
    return matrix.dataset.partition(":")[0]


def by_place(overview: Overview) -> Overview:
    """The same table with a column for each dataset of a task."""
    tasks = [
        replace(
            task,
            places=(place,),
            told={
                name: found
                for name, told in task.told.items()
                if (found := tuple(one for one in told if one.place == place))
            },
        )
        for task in overview.tasks
        for place in task.places
    ]
    return replace(overview, tasks=tuple(tasks))
