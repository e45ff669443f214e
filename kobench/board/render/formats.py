"""A board written down in the format that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from kobench.board.board import Board
from kobench.errors import UserError

#: The formats; a module or package of this folder writes each.
FORMATS = ("terminal", "markdown", "csv", "json", "latex", "html")


def render(board: Board, format: str, **options: Any) -> str:
    """The board as text; the same board gives the same text.

    Parameters
    ----------
    board : Board
        The leaderboard.
    format : str
        One of `FORMATS`.
    **options
        `terminal` takes width and color, `html` and `markdown` take pictures.

    Returns
    -------
    str
        The text.

    Raises
    ------
    UserError
        For an unknown format.
    """
    if format not in FORMATS:
        raise UserError(f"unknown board format {format!r}; expected one of {', '.join(FORMATS)}")
    write: Callable[..., str] = import_module(f"kobench.board.render.{format}").render
    return write(board, **options)
