"""The table of a whole board as plain text: its cells, its heads, and what a reader should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kobench.board.numbers.intervals import Interval
from kobench.board.overall import MIXED, UNPROVEN
from kobench.board.overview import Asked, Overview, Told
from kobench.board.render.text.broken import broken
from kobench.board.render.text.legend import KEY, WORDS
from kobench.board.render.text.marks import HOLLOW_LEGEND, marks_of
from kobench.board.words import PRIOR, base
from kobench.board.written import bracket, number, spoken

#: What a word in place of a mark says, in short.
SHORTLY = {
    MIXED: "mixed: better by one metric, not by another.",
    UNPROVEN: "unproven: better, and just as well where its answers go to the wrong genes.",
}

#: In which order verdicts are counted.
COUNTED = ("better", MIXED, UNPROVEN, "same", "worse", "")

#: The longest line of a head above marks alone.
HEAD = 10

#: How many floors are named.
FLOORS = 3


def unit_of(asked: Asked) -> str:
    """What the numbers of a task are: "skill", or "gain" where nobody has one."""
    found = [one for told in asked.told.values() for one in told if one.verdict]
    return "skill" if any(one.skill is not None for one in found) else "gain"


def head_of(overview: Overview, asked: Asked, numbers: bool) -> str:
    """The head of a task: its name, its datasets where tasks differ in them, what its numbers are.

    Parameters
    ----------
    overview : Overview
        The table.
    asked : Asked
        The task.
    numbers : bool
        Whether its numbers are shown.
    """
    several = len(asked.places) > 1
    lines = [base(asked.task) if numbers else broken(base(asked.task), HEAD)]
    if len({task.places for task in overview.tasks}) > 1:
        where = f"of {len(asked.places)}{' datasets' * numbers}"
        lines.append(where if several else asked.places[0])
    if numbers:
        lines.append(f"least {unit_of(asked)}" if several else unit_of(asked))
    return "\n".join(lines)


def cell_text(asked: Asked, name: str, interval: bool = True) -> str:
    """What a task says of a predictor.

    Parameters
    ----------
    asked : Asked
        The task.
    name : str
        The predictor.
    interval : bool
        Whether numbers and intervals stand beside the marks.

    Returns
    -------
    str
        On one dataset `▲ 0.14 [0.02, 0.25]`, and `≈` with the interval alone, as its number would
        be read as a rank; on several how often each verdict, with the least number where all are
        ▲; `-` where it has no score.
    """
    told = asked.told.get(name, ())
    if not any(one.verdict for one in told):
        return "·" if any(one.status == "ok" for one in told) else "-"
    unit = unit_of(asked)
    if len(asked.places) == 1:
        (one,) = told
        sign = marks_of(one.hollow)[one.verdict]
        found = number_of(one, unit)
        if not interval or found is None or one.verdict in WORDS:
            return sign
        decimals = 2 if unit == "skill" else one.decimals
        value = "" if one.verdict == "same" else number(found.value, decimals)
        ends = bracket(found.low, found.high, decimals)
        return f"{sign} {value:>{decimals + 3}} {ends}".rstrip()
    counts = tally(told)
    least = min(told, key=lambda one: (number_of(one, unit) or Interval(0.0)).value)
    found = number_of(least, unit)
    sure = len(told) == len(asked.places) and all(one.verdict == "better" for one in told)
    if not interval or not sure or found is None or unit != "skill":
        return counts
    return f"{counts} {number(found.value, 2)} {bracket(found.low, found.high, 2)}".rstrip()


def number_of(told: Told, unit: str) -> Interval | None:
    """The skill or the gain."""
    return told.skill if unit == "skill" else told.gain


def tally(told: Sequence[Told]) -> str:
    """How often each verdict, those that nobody has left out: `▲1 ▼1`."""
    counts = Counter(one.verdict for one in told)
    marks = marks_of(all(one.hollow for one in told))
    return " ".join(f"{marks[verdict]}{counts[verdict]}" for verdict in COUNTED if counts[verdict])


def knows_text(asked: Asked, name: str) -> str:
    """Whether it knows which gene was removed, on several datasets on how many; "" unknown."""
    known = [one.knows for one in asked.told.get(name, ()) if one.knows is not None]
    if not known:
        return ""
    if len(asked.places) == 1:
        return "yes" if known[0] else "no"
    return f"{sum(known)} of {len(known)}"


def words_of(overview: Overview, shown: Sequence[Asked], knows: bool) -> str:
    """What marks, skill, intervals and the last column mean, as far as they are there.

    Parameters
    ----------
    overview : Overview
        The table.
    shown : sequence of Asked
        The tasks that are shown with their numbers.
    knows : bool
        Whether the column of who knows the gene is shown.
    """
    told = [one for task in overview.tasks for found in task.told.values() for one in found]
    floors = list(dict.fromkeys(floor for task in overview.tasks for floor in task.floors))
    said = [f"By 95 % intervals (in brackets): {KEY.rpartition(', ')[0]}."]
    said += (
        [f"Floor{'s' * (len(floors) > 1)} here: {spoken(floors)}."]
        if 0 < len(floors) <= FLOORS
        else []
    )
    counts = {len(task.places) for task in overview.tasks} - {1}
    if counts:
        said.append("A number behind a mark: on how many datasets.")
    verdicts = {one.verdict for one in told}
    said += [text for word, text in SHORTLY.items() if word in verdicts]
    if any(one.hollow and one.verdict in ("better", "worse") for one in told):
        said.append(f"△ ▽ {HOLLOW_LEGEND}.")
    units = {unit_of(task) for task in shown}
    if "skill" in units:
        said.append("Skill: 0 is that floor, 1 the truth.")
    if "gain" in units:
        said.append("Gain: how far the score is above that floor.")
    if knows:
        said.append("Knows which gene: it scores worse where its answers go to the wrong genes.")
    if any(name.endswith(PRIOR) for name in overview.predictors):
        said.append(f"{PRIOR}: knows more than the cells.")
    return " ".join(said)
