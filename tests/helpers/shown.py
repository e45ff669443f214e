"""What a page of the documentation shows: its blocks of code and its kobench commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click


def blocks(language: str, text: str) -> list[str]:
    """The fenced blocks of one language, also those inside a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def commands(text: str) -> Iterator[list[str]]:
    """Every kobench command of the blocks, without comments and without what follows `&&`."""
    for block in blocks("console", text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.split("&&"):
                words = shlex.split(part, comments=True)
                if words and words[0] == "kobench":
                    yield words


def parse(words: list[str], monkeypatch) -> None:
    """Parse a command: it exists and takes these options. Files need not be there.

    Raises
    ------
    click.UsageError
        Where it doesn't.
    """
    from kobench.cli.commands import cli

    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: value)
    rest, command = words[1:], cli
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        command = command.get_command(click.Context(command), rest.pop(0))
        assert command is not None, f"no such command: {' '.join(words)}"
    command.make_context("kobench", rest, resilient_parsing=False)
