"""Scores of single perturbations, genes and pairs, those that went worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kobench.results.parts import TaskScores

#: Columns that name a row, the first that is there.
NAMES = ("perturbation", "gene set", "pair", "gene")

#: Columns with what was true of a row, of which `predicted` says the same.
TRUE = ("true", "size")

#: What a row is judged by where no metric has a value for it alone: how far its predicted place
#: among all rows is from its true one.
PLACES = "places apart"


@dataclass(frozen=True)
class Units:
    """The single units of one task, worst first.

    Attributes
    ----------
    what : str
        What they are.
    by : str
        The column that they are sorted by.
    columns : sequence of str
        Names of the columns: the units, `by`, metrics, true and predicted, then all others.
    rows : sequence of sequence
        Values by row.
    """

    what: str
    by: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def worst_first(scores: TaskScores) -> Units | None:
    """The table of single units of a task, worst first; None where the record has none.

    Rows without a value are last: a constant answer has none.
    """
    table = scores.table
    what = next((name for name in NAMES if name in (table or {})), "")
    if table is None or not what:
        return None
    by, badness, more = judged_by(scores, table)
    if not by:
        return None
    table = {**table, **more}
    order = sorted(range(len(badness)), key=lambda row: last_if_none(badness[row]))
    judging = [name for name in scores.metrics if name in table]
    others = [name for name in (*judging, *TRUE, "predicted", *table) if name in table]
    columns = list(dict.fromkeys((what, by, *others)))
    return Units(what, by, columns, [[table[name][row] for name in columns] for row in order])


def judged_by(
    scores: TaskScores, table: Mapping[str, Sequence[Any]]
) -> tuple[str, list[float | None], dict[str, list[Any]]]:
    """What rows are judged by.

    Returns
    -------
    by : str
        The column, "" where there is none.
    badness : list of float or None
        How bad each row is, None where nobody can say.
    more : dict
        The column, where the table lacks it.
    """
    for name in (*scores.primary, *scores.metrics):
        column = name if name in table else name.partition("[")[0]
        if any(is_number(value) for value in table.get(column, ())):
            sign = -1.0 if scores.metrics[name].direction == "higher" else 1.0
            values = table[column]
            return column, [sign * value if is_number(value) else None for value in values], {}
    true = next((name for name in TRUE if name in table), "")
    if not true or "predicted" not in table:
        return "", [], {}
    apart = places_apart(table[true], table["predicted"])
    return PLACES, list(apart), {PLACES: apart}


def places_apart(true: Sequence[Any], predicted: Sequence[Any]) -> list[float | None]:
    """How far the place of each predicted value among all is from that of the true one.

    >>> places_apart([1.0, 2.0, 3.0], [0.3, 0.2, 0.4]), places_apart([1.0, 2.0], [None, 1.0])
    ([1.0, 1.0, 0.0], [None, 0.0])
    """
    known = [
        row
        for row, pair in enumerate(zip(true, predicted, strict=True))
        if all(map(is_number, pair))
    ]
    of_true = places([true[row] for row in known])
    of_predicted = places([predicted[row] for row in known])
    found: list[float | None] = [None] * len(true)
    for row, one, other in zip(known, of_true, of_predicted, strict=True):
        found[row] = abs(one - other)
    return found


def places(values: Sequence[float]) -> list[float]:
    """The place of each value among all, from 1; ties share the mean of theirs.

    >>> places([5.0, 1.0, 5.0])
    [2.5, 1.0, 2.5]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for row in order[start:end]:
            found[row] = (start + end + 1) / 2
        start = end
    return found


def is_number(value: Any) -> bool:
    """Whether a value of a table is a number: true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def last_if_none(badness: float | None) -> tuple[bool, float]:
    """A key by which the worst row comes first, and those that nobody can judge last."""
    return badness is None, -(badness or 0.0)
