"""Small pieces of HTML that the parts of the page share. All text goes through `esc`."""

from __future__ import annotations

import html
from collections.abc import Sequence


def esc(text: object) -> str:
    """Text for HTML content and attributes."""
    return html.escape(str(text), quote=True)


def minus(text: str) -> str:
    """A number with a true minus sign, escaped."""
    return esc(text.replace("-", "\u2212"))


def scrolled(table: str, label: str) -> str:
    """A table that may be wider than the page, in a box that scrolls."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(label)}">{table}</div>'


def column_heads(texts: Sequence[str]) -> str:
    """The heads of a table's columns."""
    return "".join(f'<th scope="col">{esc(text)}</th>' for text in texts)


def simple_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], names: Sequence[str], style: str
) -> str:
    """A table with named rows, in a box that scrolls.

    Parameters
    ----------
    head : sequence of str
        The texts of the columns' heads, the first of them above the names.
    rows : sequence of sequence of str
        The cells as HTML, `<td>` included.
    names : sequence of str
        The name of each row.
    style : str
        The class of the table.

    Returns
    -------
    str
        HTML.
    """
    lines = "".join(
        f'<tr><th scope="row">{esc(name)}</th>{"".join(row)}</tr>'
        for name, row in zip(names, rows, strict=True)
    )
    return scrolled(
        f'<table class="{style}"><thead><tr>{column_heads(head)}</tr></thead>'
        f"<tbody>{lines}</tbody></table>",
        head[0],
    )


def text_cells(texts: Sequence[str]) -> list[str]:
    """Cells of a table with plain text."""
    return [f"<td>{esc(text)}</td>" for text in texts]
