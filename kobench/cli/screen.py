"""How commands print a board: its first screen, or all of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kobench.cli.output import show_rendered

if TYPE_CHECKING:
    from kobench.board.board import Board

#: A function that click turns into a command.
F = TypeVar("F", bound=Callable[..., Any])


def whole_options(function: F) -> F:
    """-v and --units: more than the first screen."""
    function = click.option(
        "--units",
        is_flag=True,
        help="The same, with a table of single perturbations, genes or pairs for each section.",
    )(function)
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="The whole board: every dataset and task with its table and notes.",
    )(function)


def width() -> int:
    """How many characters a line has: as wide as the terminal is, 80 at least, 120 in a pipe."""
    return max(80, shutil.get_terminal_size((120, 24)).columns)


def show_board(board: Board, units: bool = False) -> None:
    """Print all of a board, in colour where output goes to a terminal."""
    from kobench.board.render import render

    text = render(board, "terminal", width=width(), color=sys.stdout.isatty(), units=units)
    show_rendered(text)


def show_summary(board: Board, more: str, reserved: int = 0, named: Collection[str] = ()) -> None:
    """Print the first screen of a board.

    Parameters
    ----------
    board : Board
        The board.
    more : str
        How to see all of it.
    reserved : int
        How many lines of the screen are needed for something else.
    named : collection of str
        Predictors that are shown wherever they stand.
    """
    from kobench.board.render.terminal import SCREEN, render_summary

    lines = SCREEN
    if sys.stdout.isatty():
        lines = max(lines, shutil.get_terminal_size((120, 24)).lines - 1)
    text = render_summary(
        board,
        width=width(),
        color=sys.stdout.isatty(),
        lines=lines - reserved,
        named=named,
        more=more,
    )
    show_rendered(text)


def lines_of(text: str) -> int:
    """How many lines of the screen a text takes."""
    return sum(max(1, -(-len(line) // width())) for line in text.splitlines())
