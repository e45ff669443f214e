"""The border that all passes which a command prints: nothing hidden reaches a terminal.

What is printed may hold text of anyone: of a plugin, a card, a record, a file that can't be read.
So commands print by `say` alone, which shows control and format characters as escapes. A board has
passed a border of its own (`kobench.board.visible`), and its colours go through `show_rendered`.
"""

from __future__ import annotations

import io
import os
import sys

import click

from kobench.util.ascii import in_encoding
from kobench.util.text import visible


def say(
    text: object = "",
    *,
    err: bool = False,
    bold: bool = False,
    mark: tuple[str, str] | None = None,
    nl: bool = True,
) -> None:
    """Print a text, whatever is in it.

    Parameters
    ----------
    text : object
        The text, which may have several lines.
    err : bool
        Whether to print to standard error.
    bold : bool
        Whether it is a head.
    mark : (str, str) or None
        What stands before it, and the colour of that.
    nl : bool
        Whether to end the line.
    """
    shown = in_encoding(safe(text), encoding_of(err))
    if bold:
        shown = click.style(shown, bold=True)
    if mark is not None:
        shown = f"{click.style(mark[0], fg=mark[1])}{shown}"
    click.echo(shown, err=err, nl=nl)


def safe(text: object) -> str:
    """A text as a terminal may show it."""
    return visible(str(text), None, lines=True)


def encoding_of(err: bool = False) -> str:
    """What a standard stream can take: its encoding, and ASCII where the locale says C outright.

    There Python writes UTF-8 all the same, and such a terminal shows it as signs without a meaning.
    """
    stream = sys.stderr if err else sys.stdout
    plain = os.environ.get("LC_ALL") in ("C", "POSIX") and "PYTHONIOENCODING" not in os.environ
    if plain and stream in (sys.__stdout__, sys.__stderr__):
        return "ascii"
    return getattr(stream, "encoding", None) or "utf-8"


def show_rendered(text: str, file: bool = False) -> None:
    """Print a rendered board, of which every text passed the border of boards.

    Parameters
    ----------
    text : str
        The board.
    file : bool
        Whether it is what a file would have, which is UTF-8 whatever the terminal takes.
    """
    click.echo(text.encode() if file else in_encoding(text, encoding_of()), nl=False)


def show_error(error: click.ClickException) -> None:
    """Print what click says of a mistake: it repeats what was typed, and names that are known."""
    written = io.StringIO()
    error.show(written)
    say(written.getvalue(), err=True, nl=False)
