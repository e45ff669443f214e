"""Cells of CSV files, which spreadsheets read: none of them is taken for a formula."""

from __future__ import annotations

import re

from kobench.util.text import one_line

#: How a cell begins that spreadsheets may run: the rule of OWASP ("CSV Injection"), with the wide
#: forms of the signs. Tabs and line ends, which it names too, are in no cell.
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: A number as it is written in decimals.
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def cell_text(text: str) -> str:
    """A text as a cell of a CSV file.

    Nothing in it is hidden, and it is on one line. A text that begins as a formula does gets an
    apostrophe before it; a number is no formula, and stays one.

    Parameters
    ----------
    text : str
        Any text.

    Examples
    --------
    >>> cell_text("=1+1"), cell_text("-0.5"), cell_text("\\t@x"), cell_text("a-b")
    ("'=1+1", '-0.5', "'@x", 'a-b')
    """
    flat = one_line(text)
    begins = flat.lstrip(" \u00a0\u3000")
    if begins.startswith(FORMULA) and not NUMBER.fullmatch(flat):
        return f"'{flat}"
    return flat
