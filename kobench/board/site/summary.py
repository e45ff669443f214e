"""What each method does over datasets, task by task; no rank across tasks is made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from kobench.board.numbers.intervals import Interval, t_quantile
from kobench.board.render.text.marks import MARKS
from kobench.board.row import Row
from kobench.board.site.places import Place
from kobench.board.table import Section
from kobench.board.written import bracket, number

#: From so many datasets on, a mean skill has an interval over them.
ENOUGH = 3


@dataclass(frozen=True)
class Count:
    """What a method does on the datasets of a task.

    Attributes
    ----------
    marks : str
        How often it is better, the same and worse than the best floor: `▲ 3 ≈ 1 ▼ 2`.
    skill : str
        Its mean skill, with the interval over datasets; "" where none is printed.
    """

    marks: str
    skill: str


def once(places: Iterable[Place]) -> list[Place]:
    """Each question to a dataset once, from the board with the most networks; no controls."""
    found: dict[tuple[str, ...], Place] = {}
    for place in places:
        known = found.get(place.data)
        if place.section.near_null or not place.section.primary:
            continue
        if known is None or place.section.blocks > known.section.blocks:
            found[place.data] = place
    return list(found.values())


def count_of(method: str, places: Sequence[Place]) -> Count:
    """What a method does on some datasets: verdicts by all metrics, skill by the first."""
    verdicts: Counter[str] = Counter()
    skills = []
    for place in places:
        row = place.section.predictors.get(method)
        if row is None:
            continue
        verdicts[verdict_over(place.section, row)] += 1
        score = row.scores.get(place.section.primary[0].name) if row.rank is not None else None
        if score and score.skill is not None:
            skills.append(score.skill)
    marks = " ".join(
        f"{MARKS[verdict]} {verdicts[verdict]}" for verdict in MARKS if verdicts[verdict]
    )
    return Count(marks, skill_text(skills))


def verdict_over(section: Section, row: Row) -> str:
    """What a row is against the best floors by all metrics that rank.

    Better is who is so by each of them, and knows which gene was removed where that was asked;
    worse who is so by any. One network says nothing of others.
    """
    scores = [row.scores[one.name] for one in section.primary if one.name in row.scores]
    verdicts = [score.verdict for score in scores]
    if row.rank is None or row.hollow or not any(verdicts):
        return ""
    if len(verdicts) == len(section.primary) and set(verdicts) == {"better"}:
        return "same" if any(score.unproven for score in scores) else "better"
    return "worse" if "worse" in verdicts else "same"


def skill_text(skills: Sequence[float]) -> str:
    """The mean of skills, with its interval where there are enough.

    >>> skill_text([0.5]), skill_text([]), skill_text([0.4, 0.5, 0.6])
    ('skill 0.50 on 1', '', 'skill 0.50 [0.25, 0.75] on 3')
    """
    if not skills:
        return ""
    found = mean_skill(skills)
    ends = bracket(found.low, found.high, 2)
    return " ".join(filter(None, ["skill", number(found.value, 2), ends, f"on {len(skills)}"]))


def mean_skill(skills: Sequence[float]) -> Interval:
    """The mean over datasets, with Student's t interval from three datasets on."""
    value = mean(skills)
    if len(skills) < ENOUGH:
        return Interval(value)
    half = t_quantile(len(skills) - 1) * stdev(skills) / sqrt(len(skills))
    return Interval(value, value - half, value + half)


def methods_of(places: Iterable[Place]) -> list[str]:
    """The methods of all places, those with prior knowledge last."""
    found: dict[str, str] = {}
    for place in places:
        for row in place.section.predictors.values():
            found.setdefault(row.name, row.prior)
    return sorted(found, key=lambda name: (bool(found[name]), name))
