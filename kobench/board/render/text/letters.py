"""Letters that stand for what is too long for a table: datasets, groups of cells, footnotes."""

from __future__ import annotations


def letter(i: int) -> str:
    """A short name for the i-th of several: A, B, ... Z, AA, AB, ...

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    return (letter(i // 26 - 1) if i >= 26 else "") + chr(ord("A") + i % 26)
