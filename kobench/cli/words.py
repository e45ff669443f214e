"""A command that takes folders, and whose first word may be a command of its own instead."""

from __future__ import annotations

import importlib
from typing import Any

import click


class WithWords(click.Command):
    """A command that a word after its name makes another one.

    A folder of that name is meant where it is written as `./WORD`.

    Attributes
    ----------
    words : dict of str to (str, str)
        The module of each such command, imported when it is used, and its summary.
    """

    words: dict[str, tuple[str, str]]

    def __init__(
        self, *args: Any, words: dict[str, tuple[str, str]] | None = None, **named: Any
    ) -> None:
        super().__init__(*args, **named)
        self.words = words or {}

    def word(self, name: str) -> click.Command:
        """The command of a word."""
        module = importlib.import_module(self.words[name][0])
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args and args[0] in self.words:
            name = f"{info_name} {args[0]}"
            return self.word(args[0]).make_context(name, args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        if self.words:
            with formatter.section("Commands"):
                formatter.write_dl([(name, says) for name, (_, says) in self.words.items()])
