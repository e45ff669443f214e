"""The whole document: a summary on top, then a table a section."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.render.markdown.elements import escape
from kobench.board.render.markdown.growth import growth_lines
from kobench.board.render.markdown.matrix import matrix_lines
from kobench.board.render.markdown.section import section_lines
from kobench.board.render.markdown.transfer import transfer_lines
from kobench.board.render.pictured import enclosed
from kobench.board.render.text.legend import KEY, TITLE, answer_parts, legend, purpose


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
    return "\n".join(lines).rstrip() + "\n"


def summary_lines(board: Board) -> list[str]:
    """Title, the verdict, what the marks mean, and who is better than trivial."""
    lines = [f"# {TITLE}", "", f"**{escape(board.headline)}**", ""]
    lines += [escape(purpose(board)), "", f"**{escape(KEY)}**", ""]
    if board.answer:
        answers = map(answer_parts, board.answer)
        lines += [f"- **{escape(task)}** {escape(who)}" for task, who in answers]
        lines.append("")
    lines += [escape(legend(board)), ""]
    return lines + [f"{escape(text)}\n" for text in board.remarks]


def picture(one: Drawn) -> str:
    """A link to a picture."""
    return f"\n![{escape(one.caption)}](pictures/{one.name}.svg)\n"
