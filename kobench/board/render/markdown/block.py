"""The table of a whole board for somebody's README: what stands there between two marks."""

from __future__ import annotations

import re

from kobench.board.board import Board
from kobench.board.overview import overview_of
from kobench.board.render.markdown.elements import escape, table_lines
from kobench.board.render.text.overview import cell_text, head_of, words_of


def block_of(board: Board) -> str:
    """The verdict, the table of predictors and tasks, and what its marks mean."""
    overview = overview_of(board)
    lines = [f"**{escape(board.headline)}**", ""]
    if overview.tasks:
        heads = [head_of(overview, asked, True).replace("\n", ", ") for asked in overview.tasks]
        rows = [
            [name, *(cell_text(asked, name) for asked in overview.tasks)]
            for name in overview.predictors
        ]
        lines += table_lines(["", *heads], rows)
        lines.append(escape(words_of(overview, overview.tasks, False, board.headline)))
    return "\n".join(lines).rstrip() + "\n"


def marks_in(text: str, name: str) -> tuple[int, int] | None:
    """Where the block of a board begins and ends in a text; None where it has no place.

    Parameters
    ----------
    text : str
        A Markdown file.
    name : str
        The board. Its marks are `<!-- leaderboard NAME -->` and `<!-- /leaderboard NAME -->`, or
        the same without a name.

    Examples
    --------
    >>> marks_in("a <!-- leaderboard -->b<!-- /leaderboard --> c", "mine")
    (22, 23)
    """
    for said in (f" {name}", ""):
        found = re.search(
            rf"<!-- leaderboard{re.escape(said)} -->(.*?)<!-- /leaderboard{re.escape(said)} -->",
            text,
            re.DOTALL,
        )
        if found is not None:
            return found.span(1)
    return None


def with_block(text: str, name: str, board: Board) -> str | None:
    """A text with the block of a board between its marks; None where it has none."""
    place = marks_in(text, name)
    if place is None:
        return None
    return f"{text[: place[0]]}\n{block_of(board)}{text[place[1] :]}"
