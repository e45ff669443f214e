"""Two predictors by single genes or perturbations: where one lost most against the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.board.sections.units import NAMES
from kobench.results.parts import Record, TaskScores

#: Columns of the true value.
TRUE = ("true", "size")

#: What a number of a unit is where the metric scores each one.
SCORE = "score"


@dataclass(frozen=True)
class Unit:
    """One gene or perturbation.

    Attributes
    ----------
    name : str
        Its name.
    first, second : float
        The score or the error of each.
    gain : float
        By how much the second is better.
    what : "score", "error" or "rank error"
        What the two are; an error is that of the value, or of the rank where the task ranks.
    """

    name: str
    first: float
    second: float
    gain: float
    what: str


def paired_units(
    first: Iterable[Record], second: Iterable[Record], task: str, metric: str, sign: float
) -> tuple[Unit, ...]:
    """Units that both predictors were scored on, those that lost most first.

    Records keep single units of one network; of several splits of it the mean is taken.

    Parameters
    ----------
    first, second : iterable of Record
        The records of each.
    task, metric : str
        The task's label, and the metric whose scores of single units count where there are any.
    sign : float
        -1 where a lower score is better.
    """
    sides = [values_of(records, task, metric) for records in (first, second)]
    found = []
    for name in sides[0].keys() & sides[1].keys():
        pairs = [
            (value, sides[1][name][slot])
            for slot, value in sides[0][name].items()
            if slot in sides[1][name]
        ]
        if pairs and len({one[1] for pair in pairs for one in pair}) == 1:
            one, other = (float(np.mean([pair[side][0] for pair in pairs])) for side in (0, 1))
            what = pairs[0][0][1]
            gain = sign * (other - one) if what == SCORE else one - other
            found.append(Unit(name, one, other, gain, what))
    return tuple(sorted(found, key=lambda unit: (unit.gain, unit.name)))


def values_of(
    records: Iterable[Record], task: str, metric: str
) -> Mapping[str, Mapping[object, tuple[float, str]]]:
    """By unit and slot its value, and what that is; of several fits the mean."""
    every: dict[str, dict[object, list[tuple[float, str]]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        scores = record.result.scores.get(task)
        slot = record.trial.dataset.selection, record.trial.split.seed
        for name, value, what in rows_of(scores, metric) if scores else ():
            every[name][slot].append((value, what))
    return {
        name: {
            slot: (float(np.mean([value for value, _ in fits])), fits[0][1])
            for slot, fits in slots.items()
        }
        for name, slots in every.items()
    }


def rows_of(scores: TaskScores, metric: str) -> list[tuple[str, float, str]]:
    """Name, value and what that is, of each unit with a number."""
    table = scores.table or {}
    named = next((column for column in ("gene set", *NAMES) if column in table), "")
    if not named:
        return []
    names = [str(name) for name in table[named]]
    own = next((one for one in (metric, metric.partition("[")[0]) if one in table), "")
    if own:
        return [(*row, SCORE) for row in numbers(names, table[own])]
    true = next((column for column in TRUE if column in table), "")
    if not true or "predicted" not in table:
        return []
    known = dict(numbers(names, table[true]))
    given = dict(numbers(names, table["predicted"]))
    both = sorted(known.keys() & given.keys())
    one, other = (np.array([values[name] for name in both]) for values in (known, given))
    what = "error"
    if scores.kind == "ranking":
        what = "rank error"
        from scipy.stats import rankdata

        one, other = (rankdata(values) for values in (one, other))
    return [
        (name, float(value), what) for name, value in zip(both, np.abs(one - other), strict=True)
    ]


def numbers(names: Sequence[str], values: Sequence[Any]) -> list[tuple[str, float]]:
    """The names whose value is a number."""
    return [
        (name, float(value))
        for name, value in zip(names, values, strict=True)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
