"""Small pieces of Markdown that the parts of the document share."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in a table too.

    >>> print(escape("a|b_c <d> $e$"))
    a\\|b\\_c &lt;d&gt; \\$e\\$
    """
    flat = " ".join(text.split())
    safe = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~$])", r"\\\1", safe)


def number_cell(text: str) -> str:
    """A number with its interval as it is, anything else escaped.

    >>> print(number_cell("0.12 [-0.08, 0.16]"), number_cell("not_run"))
    0.12 [-0.08, 0.16] not\\_run
    """
    if re.fullmatch(r"([▲△≈▼▽·] )?[<>]?[-0-9.]+( \[[-0-9., ]+\])?", text):
        return html.escape(text)
    return escape(text)


def line(cells: Sequence[str]) -> str:
    """One table line of cells that are escaped already."""
    return "| " + " | ".join(cells) + " |"


def head_lines(heads: Sequence[str]) -> list[str]:
    """The head of a table and the rule under it."""
    return [line([escape(head) for head in heads]), line(["---"] * len(heads))]


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of plain text and an empty line."""
    return [*head_lines(heads), *(line([escape(text) for text in row]) for row in rows), ""]
