"""The whole document: a summary on top, then a table a section."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.render.markdown.elements import escape, head_lines, line, number_cell
from kobench.board.render.markdown.growth import growth_lines
from kobench.board.render.markdown.matrix import matrix_lines
from kobench.board.render.markdown.section import section_lines
from kobench.board.render.markdown.transfer import transfer_lines
from kobench.board.render.pictured import enclosed
from kobench.board.render.text.legend import (
    KEY,
    TITLE,
    about,
    answer_parts,
    kept_secret,
    legend,
    purpose,
)
from kobench.board.render.text.overview import first_of, questions_of


def render(board: Board, pictures: Sequence[Drawn] = ()) -> str:
    """GitHub-flavoured Markdown, one line end at the end.

    Parameters
    ----------
    board : Board
        The leaderboard.
    pictures : sequence of Drawn
        Its pictures, which lie in the folder `pictures` beside the document.

    Returns
    -------
    str
        Markdown.
    """
    lines = summary_lines(board)
    lines += transfer_lines(board.transfers)
    for matrix in board.matrices:
        lines += matrix_lines(matrix)
    lines += growth_lines(board.growths)
    lines[-1] += enclosed("".join(map(picture, pictures)))
    for section in board.sections:
        lines += section_lines(board, section)
    if secret := kept_secret(board):
        lines += ["", "## How this board was made", "", escape(secret)]
    return "\n".join(lines).rstrip() + "\n"


def summary_lines(board: Board) -> list[str]:
    """Title, the verdict, what the marks mean, and who is better than trivial."""
    lines = [f"# {TITLE}: {escape(about(board))}", "", f"**{escape(board.headline)}**", ""]
    lines += [escape(purpose(board)), "", *first_lines(board), f"**{escape(KEY)}**", ""]
    if board.answer:
        answers = map(answer_parts, board.answer)
        lines += [f"- **{escape(task)}** {escape(who)}" for task, who in answers]
        lines.append("")
    lines += [escape(legend(board)), ""]
    return lines + [f"{escape(text)}\n" for text in board.remarks]


def first_lines(board: Board) -> list[str]:
    """What is asked, and one table of predictors and questions; nothing where nobody is ranked."""
    first = first_of(board)
    if not first.overview.tasks:
        return []
    heads = ["predictor", *(head.replace("\n", ", ") for head in first.heads)]
    rows = [[name, *(" ".join(text.split()) for text in texts)] for name, texts in first.rows]
    lines = [escape(questions_of(first.overview)), "", *head_lines(heads)]
    lines += [line([escape(name), *map(number_cell, texts)]) for name, *texts in rows]
    return [*lines, "", *([escape(first.words), ""] if first.words else [])]


def picture(one: Drawn) -> str:
    """A link to a picture."""
    return f"\n![{escape(one.caption)}](pictures/{one.name}.svg)\n"
