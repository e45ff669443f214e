"""`kobench board --into`: the table of a board between two marks of a Markdown file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.output import say
from kobench.errors import UserError
from kobench.util.bounded import read_bounded

if TYPE_CHECKING:
    from kobench.board.board import Board

#: Bytes of such a file that are read.
MOST = 16 << 20


def text_in(file: Path) -> str:
    """A Markdown file; UserError where it can't be read."""
    try:
        return read_bounded(file, MOST).decode()
    except (OSError, ValueError) as error:
        raise UserError(f"{file} can't be read ({error}); name a Markdown file") from error


def has_marks(file: Path, folder: Path) -> bool:
    """Whether a file has a place for the table of a board."""
    from kobench.board.render.markdown.block import marks_in

    return file.suffix == ".md" and marks_in(text_in(file), name_of(folder)) is not None


def name_of(folder: Path) -> str:
    """What a board is called."""
    return folder.resolve().name


def expected(file: Path, folder: Path, board: Board) -> tuple[str, str]:
    """The text of a file, and as it is with the table of the board; UserError without marks."""
    from kobench.board.render.markdown.block import with_block

    text, name = text_in(file), name_of(folder)
    new = with_block(text, name, board)
    if new is None:
        raise UserError(
            f"{file} has no place for the table; write <!-- leaderboard {name} --> and"
            f" <!-- /leaderboard {name} --> where it is to stand"
        )
    return text, new


def write_into(file: Path, folder: Path, board: Board) -> None:
    """Write the table of a board between its marks."""
    from kobench.util.files import write_atomically

    text, new = expected(file, folder, board)
    if new != text:
        write_atomically(file, new.encode())
    say(f"{file} has the table of {folder}{'' if new != text else ' already'}.")


def agrees_into(file: Path, folder: Path, board: Board) -> bool:
    """Whether the table between the marks is that of a board; prints which."""
    text, new = expected(file, folder, board)
    if new == text:
        say(f"The table in {file} is that of the records in {folder}.")
        return True
    say(
        f"The table in {file} is not that of the records in {folder}; write it with `kobench board"
        f" {shlex.quote(str(folder))} --into {shlex.quote(str(file))}`",
        err=True,
    )
    return False
