"""Labels as text: what is trimmed of them, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from kobench.util.text import hidden_in, visible

#: Characters of a label that a message shows.
MOST_SHOWN = 60


def trimmed(text: str) -> str:
    r"""A label without blanks, and without characters that can't be seen, at its ends.

    >>> trimmed("\ufeffGATA1\xa0 ")
    'GATA1'
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    while True:
        shorter = text.strip().strip("".join(hidden_in(text[:1] + text[-1:])) or None)
        if shorter == text:
            return text
        text = shorter


def shown(text: str) -> str:
    r"""A label in quotes, on one line, all of it visible.

    >>> print(shown("K\nLF1 "))
    'K\nLF1 '
    """
    return f"'{visible(text, MOST_SHOWN)}'"


def listed(cells: Mapping[str, int], most: int = 5) -> str:
    """Labels with their numbers of cells, the most frequent first.

    >>> listed({"A": 1, "B": 40})
    "'B' (40 cells), 'A' (1 cell)"
    """
    ordered = sorted(cells.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{shown(name)} ({n:,} cell{'s' * (n != 1)})" for name, n in ordered[:most]]
    return joined(said, len(ordered) - most)


def joined(said: list[str], more: int) -> str:
    """What is listed, and how many more there are.

    >>> joined(["A", "B"], 3), joined(["A"], 0)
    ('A, B and 3 more', 'A')
    """
    return ", ".join(said) + (f" and {more:,} more" if more > 0 else "")
