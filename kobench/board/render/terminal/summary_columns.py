"""The columns of a board's first screen, and which of them give way where it is narrow."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from kobench.board.overview import Asked, Overview, by_place
from kobench.board.render.terminal.fit import space
from kobench.board.render.terminal.tables import STYLES, TextColumn
from kobench.board.render.text.overview import (
    cell_text,
    fewest_words,
    head_of,
    knows_text,
    words_of,
)
from kobench.board.render.text.values import KNOWS_HEAD
from kobench.board.words import base
from kobench.board.written import spoken


def columns_of(
    overview: Overview, names: Sequence[str], room: int, headline: str = "", more: str = ""
) -> tuple[list[TextColumn], list[str]]:
    """The columns behind the names, and what has to be said below them.

    Where they fit, each of several datasets has a column of its own. Else numbers give way first,
    those of the last task first; then who knows the gene; then the numbers of the first task, then
    tasks. Which of them do follows from their widths alone.

    Parameters
    ----------
    overview : Overview
        The table, with a task at least.
    names : sequence of str
        The predictors that are shown.
    room : int
        How many characters wide they may be, with what parts them from the names.
    headline : str
        The verdict above the table.
    more : str
        How to see all of the board, where there is no room to say what the table means; else "".

    Returns
    -------
    columns : list of TextColumn
        Those that stay.
    below : list of str
        What the table means, then what is not shown.
    """
    knows = knows_column(overview, names)
    for shown in (by_place(overview), overview):
        forms = [forms_of(shown, names, task) for task in shown.tasks]
        forms += [[knows]] if knows else []
        taken = forms_taken(forms, len(shown.tasks), room)
        if not any(taken):
            break
    numbered = [
        task
        for task, each, form in zip(shown.tasks, forms, taken, strict=False)
        if form == 0 and each[0].head != each[1].head
    ]
    knowing = knows is not None and not taken[-1]
    said = fewest_words(numbered, more) if more else words_of(shown, numbered, knowing, headline)
    below = [said]
    left = left_out(shown, forms, taken)
    if left:
        below.append(f"not shown at this width: {left}")
    return standing(forms, taken), below


def forms_taken(forms: Sequence[Sequence[TextColumn]], tasks: int, room: int) -> list[int]:
    """Which form of each column fits: 0 the whole one; one more than it has, where none does."""
    later = range(tasks - 1, 0, -1)
    taken = [0] * len(forms)
    for i in (*later, *range(tasks, len(forms)), 0, *later):
        if sum(map(space, standing(forms, taken))) <= room:
            break
        taken[i] += 1
    return taken


def forms_of(overview: Overview, names: Sequence[str], task: Asked) -> list[TextColumn]:
    """A task with its numbers, and by its marks alone; one form twice where it has no numbers."""
    marks = [cell_text(task, name, False) for name in names]
    whole = [cell_text(task, name) for name in names]
    return [
        TextColumn(head_of(overview, task, texts != marks), list(map(text_of, texts)))
        for texts in (whole, marks)
    ]


def text_of(said: str) -> Text:
    """The text of a cell, in the colour of its verdict where it has one mark."""
    signs = {"▲": "better", "△": "better", "▼": "worse", "▽": "worse", "≈": "same"}
    found = {verdict for sign, verdict in signs.items() if sign in said}
    return Text(said, style=STYLES[found.pop()] if len(found) == 1 else "")


def knows_column(overview: Overview, names: Sequence[str]) -> TextColumn | None:
    """Who knows the gene by the first task that can say; None where none can."""
    for task in overview.tasks:
        texts = [knows_text(task, name) for name in names]
        if any(texts):
            return TextColumn(KNOWS_HEAD.replace(" ", "\n"), list(map(Text, texts)))
    return None


def standing(forms: Sequence[Sequence[TextColumn]], taken: Sequence[int]) -> list[TextColumn]:
    """The columns that stay, each in the form that was taken."""
    return [each[form] for each, form in zip(forms, taken, strict=True) if form < len(each)]


def left_out(
    overview: Overview, forms: Sequence[Sequence[TextColumn]], taken: Sequence[int]
) -> str:
    """What is not shown, in words; "" where everything is.

    Where the table has no number at all, the tasks whose numbers these were are not listed.
    """
    names = [base(task.task) for task in overview.tasks]
    gone = [name for name, form in zip(names, taken, strict=False) if form > 1]
    short = [
        name
        for name, each, form in zip(names, forms, taken, strict=False)
        if form == 1 and [text.plain for text in each[0].texts] != [t.plain for t in each[1].texts]
    ]
    numbers = any("." in text.plain for column in standing(forms, taken) for text in column.texts)
    said = [f"numbers of {spoken(short)}" if numbers else "numbers"] if short else []
    said += [KNOWS_HEAD] if len(forms) > len(names) and taken[-1] else []
    return ", ".join([*said, *gone])
