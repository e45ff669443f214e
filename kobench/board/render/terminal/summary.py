"""The first screen of a board: the verdict, one table of predictors x tasks, and what it means."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence

from rich.console import Console
from rich.text import Text

from kobench.board.board import Board
from kobench.board.overview import Overview, overview_of
from kobench.board.render.terminal.document import console_of, text_of
from kobench.board.render.terminal.summary_columns import columns_of
from kobench.board.render.terminal.tables import TextColumn, name_column, table_of
from kobench.board.render.text.overview import marks_below, questions_of
from kobench.board.sections.called import names
from kobench.board.sections.provenance import ENVIRONMENTS
from kobench.board.sections.seeds import KEPT_SECRET
from kobench.board.words import base, unmarked
from kobench.util.text import shortened

#: Lines of a screen, less the one in which the next command is typed.
SCREEN = 23

#: How many reasons are told why nobody can be ranked, and how much of each, in characters.
REASONS, REASON = 2, 160

#: The fewest predictors that are shown.
FEWEST = 3


def render_summary(
    board: Board,
    width: int = 100,
    color: bool = False,
    lines: int = SCREEN,
    named: Collection[str] = (),
    more: str = "-v",
) -> str:
    """The first screen as text.

    Parameters
    ----------
    board : Board
        The leaderboard.
    width : int
        Characters in a line.
    color : bool
        Whether to use ANSI colours.
    lines : int
        The most lines that it may have.
    named : collection of str
        Predictors that are shown wherever they stand.
    more : str
        How to see all of the board.

    Returns
    -------
    str
        Lines without spaces at their ends.
    """
    file = io.StringIO()
    print_summary(board, console_of(file, width, color), lines, named, more)
    return text_of(file)


def print_summary(
    board: Board, console: Console, lines: int, named: Collection[str], more: str
) -> None:
    """Print the first screen: the predictors get the lines that the rest of it leaves."""
    overview = overview_of(board)
    console.print(Text(board.headline, style="bold"))
    if not overview.tasks:
        for text in (*unranked_of(board, REASONS), *remarks_of(board, more)):
            console.print(Text(text, style="dim"))
        return
    first = {*board.leaders, *(name for name in overview.predictors if unmarked(name) in named)}
    questions = questions_of(overview)
    # who is shown depends on the lines below, and these on the columns of those who are
    # reasons give way first, then what is asked, then what the table means
    for reasons in range(REASONS, -3, -1):
        above = [board.headline, *([questions] if reasons >= 0 else [])]
        shown: Sequence[str] = overview.predictors
        for _ in range(3):
            columns, below = laid_out(board, overview, shown, console.width, more, reasons)
            room = lines - lines_of(columns, [*above, *below], console)
            shown = shown if len(shown) <= room else chosen(overview, room, first)
        if room >= max(FEWEST, len(first)):
            break
    columns, below = laid_out(board, overview, shown, console.width, more, reasons)
    for text in above[1:]:
        console.print(Text(text))
    parts = [TextColumn(one.head, one.texts[: len(shown)], one.justify) for one in columns]
    console.print()
    console.print(table_of(parts, console.width))
    if len(shown) < len(overview.predictors):
        console.print(Text(rest_of(overview, shown, more), style="dim"))
    for text in below:
        console.print(Text(text, style="dim"))


def laid_out(
    board: Board, overview: Overview, shown: Sequence[str], width: int, more: str, reasons: int
) -> tuple[list[TextColumn], list[str]]:
    """The columns of some predictors, and what is said below them: below -1 reasons the least."""
    first = name_column("predictor", map(Text, shown), width)
    short = more if reasons < -1 else ""
    columns, below = columns_of(overview, shown, width - first.width, board.headline, short)
    words, *others = below
    words = " ".join([words, *marks_below(board, shown)])
    notes = [*others, *unranked_of(board, max(reasons, 0)), *remarks_of(board, more)]
    return [first, *columns], [words, *notes]


def lines_of(columns: Sequence[TextColumn], texts: Sequence[str], console: Console) -> int:
    """The lines of all but the predictors: texts, a blank line, the head and two lines more."""
    wrapped = sum(len(Text(text).wrap(console, console.width)) for text in texts)
    return wrapped + max(column.head.count("\n") for column in columns) + 4


def chosen(overview: Overview, room: int, named: Collection[str]) -> list[str]:
    """The predictors that are shown: all that are named, then the best."""
    first = [name for name in overview.predictors if name in named]
    others = [name for name in overview.predictors if name not in first]
    shown = {*[*first, *others][: max(FEWEST, room, len(first))]}
    return [name for name in overview.predictors if name in shown]


def rest_of(overview: Overview, shown: Collection[str], more: str) -> str:
    """What is said of the predictors that are not shown."""
    rest = [name for name in overview.predictors if name not in shown]
    most = max(overview.wins.get(name, 0) for name in rest)
    how = f"better in {most} at most" if most else "none better in any"
    return f"and {len(rest)} more, {how} ({more})"


def unranked_of(board: Board, most: int) -> list[str]:
    """Where nobody can be ranked, and why, for so many reasons; controls are no news."""
    found: dict[str, list[str]] = {}
    for section in board.sections:
        if section.unranked_reason and not section.control:
            where = f"{base(section.task)} on {section.place}"
            found.setdefault(section.unranked_reason, []).append(where)
    return [
        f"{names(where)} not ranked: {shortened(why, REASON)}"
        for why, where in [*found.items()][:most]
    ]


def remarks_of(board: Board, more: str) -> list[str]:
    """Who could know the seeds of networks, and how many warnings and remarks the board has."""
    warnings = sum(len(section.warnings) for section in board.sections)
    remarks = [text for text in board.remarks if not text.startswith(ENVIRONMENTS)]
    count = warnings + len(remarks)
    seeds = [board.seeds] if board.seeds and not board.seeds.startswith(KEPT_SECRET) else []
    if not count:
        return seeds
    what = "warnings and remarks" if warnings else "remarks" if count > 1 else "remark"
    return [*seeds, f"{count} {what} on how predictors were run and compared ({more})"]
