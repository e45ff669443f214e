"""The table of a whole board as plain text: its cells, its heads, and what a reader should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kobench.board.board import Board
from kobench.board.numbers.intervals import Interval
from kobench.board.overall import MIXED, UNPROVEN
from kobench.board.overview import Asked, Overview, Told, by_place, overview_of
from kobench.board.render.text.broken import broken
from kobench.board.render.text.legend import KEY, WORDS
from kobench.board.render.text.marks import HOLLOW_LEGEND, marks_of
from kobench.board.render.text.values import KNOWS_HEAD
from kobench.board.words import PRIOR, base, no_evidence, signs_of
from kobench.board.written import bracket, number, spoken
from kobench.util.text import shortened

#: What a word in place of a mark says, in short.
SHORTLY = {
    MIXED: "mixed: better by one metric, not by another.",
    UNPROVEN: "unproven: better, and just as well where its answers go to the wrong genes.",
}

#: In which order verdicts are counted.
COUNTED = ("better", MIXED, UNPROVEN, "same", "worse", "")

#: The longest line of a head above marks alone.
HEAD = 10

#: On how many datasets a task has a mark for each; on more there are counts.
EACH = 3

#: How many marks those are, in words.
MARKS = {2: "Two marks", 3: "Three marks"}

#: How many columns the table may have where each dataset of a task has its own.
COLUMNS = 8

#: How much of a question is said, in characters.
QUESTION = 70


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
        lines.append(f"lowest {unit_of(asked)}" if several else unit_of(asked))
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
        be read as a rank; on a few a mark for each in their order, on more how often each verdict,
        with the lowest number where all are ▲; `-` where it has no score.
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
    marks = in_order(asked, told) if len(asked.places) <= EACH else tally(told)
    least = min(told, key=lambda one: (number_of(one, unit) or Interval(0.0)).value)
    found = number_of(least, unit)
    sure = len(told) == len(asked.places) and all(one.verdict == "better" for one in told)
    if not interval or not sure or found is None or unit != "skill":
        return marks
    return f"{marks} {number(found.value, 2)} {bracket(found.low, found.high, 2)}".rstrip()


def number_of(told: Told, unit: str) -> Interval | None:
    """The skill or the gain."""
    return told.skill if unit == "skill" else told.gain


def in_order(asked: Asked, told: Sequence[Told]) -> str:
    """A mark for each dataset, in their order: `▲ ▼`; `-` where it has none."""
    by_place = {one.place: one for one in told}
    return " ".join(
        marks_of(one.hollow)[one.verdict]
        if (one := by_place.get(place)) and (one.verdict or one.status == "ok")
        else "-"
        for place in asked.places
    )


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


@dataclass(frozen=True)
class First:
    """The table where there is room for all of it.

    Attributes
    ----------
    overview : Overview
        What it is of.
    tasks : (c,) tuple of Asked or None
        What each column is of, None for who knows the gene.
    heads : (c,) tuple of str
        Their heads.
    rows : tuple of (str, (c,) tuple of str)
        The predictors, and what stands in each column.
    words : str
        What stands in it that the legend of the whole board does not explain.
    """

    overview: Overview
    tasks: tuple[Asked | None, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    words: str


def first_of(board: Board) -> First:
    """The table of a board: a column for each dataset of a task where these are few."""
    whole = overview_of(board)
    parted = by_place(whole)
    overview = parted if len(parted.tasks) <= COLUMNS else whole
    names = whole.predictors
    knowing = next(
        (one for one in whole.tasks if any(knows_text(one, name) for name in names)), None
    )
    columns = [
        (whole_head(overview, one, texts), texts)
        for one in overview.tasks
        for texts in [[cell_text(one, name) for name in names]]
    ]
    if knowing is not None:
        columns.append((KNOWS_HEAD, [knows_text(knowing, name) for name in names]))
    return First(
        overview,
        (*overview.tasks, *([None] if knowing else [])),
        tuple(head for head, _ in columns),
        tuple((name, tuple(texts[i] for _, texts in columns)) for i, name in enumerate(names)),
        " ".join([*counted_in(overview), *gain_of(overview.tasks), *marks_below(board, names)]),
    )


def whole_head(overview: Overview, asked: Asked, texts: Iterable[str]) -> str:
    """The head of a task where there is room, which says what its numbers are if it has some."""
    lines = head_of(overview, asked, True).split("\n")
    return "\n".join(lines if any("." in text for text in texts) else lines[:-1])


def marks_below(board: Board, names: Iterable[str]) -> list[str]:
    """What marks say whose scores are no evidence, where the verdict does not say it."""
    marks = no_evidence(names)
    return [f"{marks}."] if marks and marks not in board.headline else []


def questions_of(overview: Overview) -> str:
    """What each column asks, in one sentence."""
    asked = {task.task: shortened(task.says, QUESTION) for task in overview.tasks}
    said = [
        base(task) if text == task else f"{text[:1].lower()}{text[1:]} ({base(task)})"
        for task, text in asked.items()
    ]
    return f"Asked: {'; '.join(said)}."


def places_of(overview: Overview) -> list[str]:
    """Which dataset each of several marks is of."""
    several = [task for task in overview.tasks if 1 < len(task.places) <= EACH]
    by_places: dict[tuple[str, ...], list[str]] = {}
    for task in several:
        by_places.setdefault(task.places, []).append(base(task.task))
    longest = max(by_places, key=len, default=())
    if len(by_places) > 1 and all(places == longest[: len(places)] for places in by_places):
        return [f"Marks in order: {', then '.join(longest)}."]
    return [
        f"{MARKS[len(places)]}{f' of {spoken(tasks)}' * (len(by_places) > 1)}:"
        f" {', then '.join(places)}."
        for places, tasks in by_places.items()
    ]


def counted_in(overview: Overview) -> list[str]:
    """Which dataset each of several marks is of, and what a number behind a mark is."""
    counts = any(len(task.places) > EACH for task in overview.tasks)
    number_says = ["A number behind a mark: on how many datasets."] if counts else []
    return [*places_of(overview), *number_says]


def gain_of(shown: Sequence[Asked]) -> list[str]:
    """What a gain is, where some column has one."""
    gains = any(unit_of(task) == "gain" for task in shown)
    return ["Gain: how far the score is above that floor."] if gains else []


def fewest_words(shown: Sequence[Asked], more: str) -> str:
    """What the marks mean and how to read what the rest does, for the shortest of screens.

    Parameters
    ----------
    shown : sequence of Asked
        The tasks that are shown with their numbers.
    more : str
        How to see all of the board.
    """
    key = KEY.rpartition(", ")[0]
    brackets = any("[" in cell_text(task, name) for task in shown for name in task.told)
    return f"{'By 95 % intervals (in brackets): ' * brackets}{key} ({more} says more)"


def words_of(overview: Overview, shown: Sequence[Asked], knows: bool, headline: str) -> str:
    """What marks, skill, intervals and the last column mean, as far as they are there.

    Parameters
    ----------
    overview : Overview
        The table.
    shown : sequence of Asked
        The tasks that are shown with their numbers.
    knows : bool
        Whether the column of who knows the gene is shown.
    headline : str
        The verdict above the table.
    """
    told = [one for task in overview.tasks for found in task.told.values() for one in found]
    brackets = any("[" in cell_text(task, name) for task in shown for name in task.told)
    said = [f"By 95 % intervals{' (in brackets)' * brackets}: {KEY.rpartition(', ')[0]}."]
    said += counted_in(overview)
    verdicts = {one.verdict for one in told}
    said += [text for word, text in SHORTLY.items() if word in verdicts]
    if any(one.hollow and one.verdict in ("better", "worse") for one in told):
        said.append(f"△ ▽ {HOLLOW_LEGEND}.")
    units = {unit_of(task) for task in shown}
    if "skill" in units or " skill " in headline:
        said.append("Skill: 0 is that floor, 1 the truth.")
    said += gain_of(shown)
    if knows:
        said.append("Knows which gene: it scores worse where its answers go to the wrong genes.")
    if any(PRIOR in signs_of(name) for name in overview.predictors):
        said.append(f"{PRIOR}: knows more than the cells.")
    return " ".join(said)
