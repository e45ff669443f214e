"""The board at a glance: a matrix of predictors and datasets for each task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kobench.board.overall import MIXED, UNPROVEN, overall
from kobench.board.row import Row
from kobench.board.table import Matrix, Section
from kobench.util.text import visible

#: So many datasets stand side by side; more stand below each other, and of more than MANY only
#: their parameters are summed up.
FEW, MANY = 8, 40

Layout = Literal["across", "down", "grouped"]


def matrices_of(sections: Sequence[Section]) -> tuple[Matrix, ...]:
    """Predictors x datasets for each task and split seen on several datasets.

    Parameters
    ----------
    sections : sequence of Section
        The sections of a board; those with a primary metric count.

    Returns
    -------
    tuple of Matrix
        By task, the most demanding first, and split.
    """
    groups: dict[tuple[str, str], list[Section]] = defaultdict(list)
    for section in sections:
        if section.primary:
            groups[section.task, section.split].append(section)
    matrices = []
    for (task, split), members in sorted(
        groups.items(), key=lambda item: (item[1][0].order, item[0][1])
    ):
        rows = [section.predictors for section in members]
        predictors = (*in_order(members, alike(rows, False)), *in_order(members, alike(rows, True)))
        if len(members) > 1 and predictors:
            cells = tuple(tuple(row.get(name) for row in rows) for name in predictors)
            matrices.append(Matrix(task, split, tuple(members), predictors, cells))
    return tuple(matrices)


def alike(rows: Sequence[Mapping[str, Row]], prior: bool) -> list[dict[str, Row]]:
    """Of each dataset's rows those with prior knowledge, or those without."""
    return [
        {name: row for name, row in named.items() if bool(row.prior) == prior} for named in rows
    ]


def in_order(sections: Sequence[Section], rows: Sequence[Mapping[str, Row]]) -> tuple[str, ...]:
    """The predictors of several datasets, the best first.

    Parameters
    ----------
    sections : (n,) sequence of Section
        The datasets.
    rows : (n,) sequence of mapping of str to Row
        Name of a predictor -> its row there.

    Returns
    -------
    tuple of str
        Names by the number of wins, where few networks count for none, then by mean skill, then by
        mean rank. Where others have a skill, a row without one counts as the worst of them:
        failing must not raise a mean.
    """
    predictors = sorted({name for named in rows for name in named})
    wins: Counter[str] = Counter()
    skills: dict[str, list[float]] = defaultdict(list)
    ranks: dict[str, list[float]] = defaultdict(list)
    for section, named in zip(sections, rows, strict=True):
        metric = section.primary[0].name
        scores = {name: row.scores[metric] for name, row in named.items() if row.rank is not None}
        known = {name: score.skill for name, score in scores.items() if score.skill is not None}
        for name in predictors:
            row = named.get(name)
            if row:
                ranks[name].append(sum(row.rank) / 2 if row.rank else len(predictors) + 1.0)
                won = overall(section, row) == "better"
                wins[name] += won and not row.hollow
            if known:
                skills[name].append(known.get(name, min(known.values())))

    def order(name: str) -> tuple[float, float, float, str]:
        skill = sum(skills[name]) / max(1, len(skills[name]))
        return -wins[name], -skill, sum(ranks[name]) / len(ranks[name]), name

    return tuple(sorted(predictors, key=order))


def layout_of(matrix: Matrix) -> Layout:
    """How a matrix is shown.

    Returns
    -------
    str
        "across": datasets side by side; "down": below each other; "grouped": summed up by their
        parameters.
    """
    count = len(matrix.datasets)
    if count <= FEW:
        return "across"
    return "down" if count <= MANY or not groups_of(matrix) else "grouped"


def groups_of(matrix: Matrix) -> list[tuple[str, list[int]]]:
    """What tells the datasets of a matrix apart.

    Returns
    -------
    list of (str, list of int)
        Titles and the places of the datasets meant: all of them first, then `sigma=0.3`, ... for
        every parameter with a few values. Empty where no parameter has.
    """
    places: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, section in enumerate(matrix.datasets):
        for key, value in traits_of(section):
            places[key][value].append(i)
    groups = [
        (group_title(key, value), by_value[value])
        for key, by_value in places.items()
        if 1 < len(by_value) <= MANY // 2
        for value in sorted(by_value, key=order_of)
    ]
    if not groups:
        return []
    count = len(matrix.datasets)
    return [(f"all {count} datasets", list(range(count))), *groups]


def traits_of(section: Section) -> Iterator[tuple[str, str]]:
    """What may tell a dataset from others: its name, its parameters, what was trained on."""
    traits = {"dataset": section.dataset_name, **section.params, "trained on": section.train}
    for key, value in traits.items():
        if value != "":
            yield visible(key), shown(value)


def group_title(key: str, value: str) -> str:
    """What a group of datasets is called."""
    if key == "dataset":
        return value
    return f"{key} {value}" if key == "trained on" else f"{key}={value}"


def shown(value: Any) -> str:
    """A parameter's value as text, 3.0 as 3."""
    return f"{value:g}" if isinstance(value, float) else visible(str(value))


def order_of(text: str) -> tuple[int, float, str]:
    """Sorts numbers by size, then words."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


@dataclass(frozen=True)
class Tally:
    """What a predictor does on several datasets.

    Attributes
    ----------
    better, mixed, same, worse : int
        How often each verdict by all primary metrics; unproven ones count as mixed.
    rest : int
        Datasets without a verdict.
    skill : float or None
        The mean of the printed skills, by the first primary metric.
    skills : int
        Of how many datasets a skill is printed.
    hollow : bool
        Whether all verdicts rest on one network each.
    """

    better: int
    mixed: int
    same: int
    worse: int
    rest: int
    skill: float | None
    skills: int
    hollow: bool


def tally(matrix: Matrix, predictor: int, places: Sequence[int]) -> Tally:
    """What one predictor does on some datasets of a matrix, each given by its place."""
    verdicts: Counter[str] = Counter()
    skills, hollow = [], True
    for place in places:
        section, row = matrix.datasets[place], matrix.cells[predictor][place]
        score = row.scores.get(section.primary[0].name) if row and row.rank is not None else None
        verdicts[overall(section, row) if row else ""] += 1
        if score and score.skill is not None:
            skills.append(score.skill)
        hollow = hollow and (row is None or row.hollow)
    return Tally(
        better=verdicts["better"],
        mixed=verdicts[MIXED] + verdicts[UNPROVEN],
        same=verdicts["same"],
        worse=verdicts["worse"],
        rest=verdicts[""],
        skill=sum(skills) / len(skills) if skills else None,
        skills=len(skills),
        hollow=hollow,
    )
