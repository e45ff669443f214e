"""The whole board for a terminal, readable from 80 columns on."""

from __future__ import annotations

import io
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from kobench.board.board import Board
from kobench.board.render.terminal.growth import print_growths
from kobench.board.render.terminal.matrix import print_matrix
from kobench.board.render.terminal.section import print_section
from kobench.board.render.terminal.transfer import print_transfers
from kobench.board.render.text.legend import (
    KEY,
    TITLE,
    about,
    answer_parts,
    kept_secret,
    legend,
    purpose,
)
from kobench.board.render.text.letters import letter


def render(board: Board, width: int = 100, color: bool = False, units: bool | None = None) -> str:
    """The board as text.

    Parameters
    ----------
    board : Board
        The leaderboard.
    width : int
        Characters in a line.
    color : bool
        Whether to use ANSI colours.
    units : bool or None
        Whether to print single units; None: where the board has one dataset.

    Returns
    -------
    str
        Lines without spaces at their ends.
    """
    file = io.StringIO()
    print_board(board, console_of(file, width, color), units)
    return text_of(file)


def console_of(file: io.StringIO, width: int, color: bool) -> Console:
    """A console of that width that writes to a text."""
    return Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        _environ={},
    )


def text_of(file: io.StringIO) -> str:
    """What was written, without spaces at the ends of lines."""
    return "\n".join(text.rstrip() for text in file.getvalue().splitlines()) + "\n"


def print_board(board: Board, console: Console, units: bool | None = None) -> None:
    """Print the board on a console, at its width; `units` as `render` takes them.

    What sums everything up comes last, because the end is what a terminal shows.
    """
    if units is None:
        units = len({section.dataset for section in board.sections}) == 1
    console.print(Text(f"{TITLE}: {about(board)}", style="bold"))
    console.print(Text(purpose(board)))
    console.print(Text(KEY))
    console.print(Text(f"{legend(board)} floor*: the best.", style="dim"))
    for said in board.remarks:
        console.print(Text(said))
    datasets = {section.place: section.title for section in board.sections}
    letters = {place: letter(i) for i, place in enumerate(datasets)} if board.matrices else {}
    for section in board.sections:
        console.print()
        print_section(board, section, letters.get(section.place, ""), console, units)
    if board.transfers:
        console.print()
        print_transfers(board.transfers, console)
    print_growths(board.growths, console)
    for matrix in board.matrices:
        console.print()
        print_matrix(matrix, letters, console)
    print_letters(letters, datasets, console)
    if secret := kept_secret(board):
        console.print()
        console.print(Text(secret, style="dim"))
    print_answer(board, console)


def print_letters(
    letters: Mapping[str, str], datasets: Mapping[str, str], console: Console
) -> None:
    """Print which letter stands for which dataset."""
    if letters:
        console.print()
    for place, name in letters.items():
        console.print(Text.assemble(Text(f"{name:>2}", style="bold"), f"  {datasets[place]}"))


def print_answer(board: Board, console: Console) -> None:
    """Print who is better than trivial, a line a task, and the verdict in one sentence."""
    if board.answer:
        console.print()
    for task, who in map(answer_parts, board.answer):
        console.print(Text.assemble(Text(task, style="bold"), f" {who}"))
    console.print()
    console.print(Text(board.headline, style="bold"))
