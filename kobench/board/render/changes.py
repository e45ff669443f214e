"""What changed between two boards, as text for a terminal or Markdown for a comment."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.changes import Changes
from kobench.board.render.markdown.elements import escape
from kobench.util.text import one_line

#: What each part is called, in the order shown.
HEADS = {
    "added": "Rows added",
    "removed": "Rows removed",
    "changed": "Rows changed",
    "moved": "Moved by others",
    "floors": "Best floor changed",
    "versions": "Other versions",
    "questions": "Questions",
    "others": "Also",
}

#: How many lines of each part are shown.
SHOWN = 20


def summary_of(changes: Changes) -> str:
    """All of it in one sentence."""
    if not changes:
        return "The same."
    rows = (
        f"{len(changes.added)} added",
        f"{len(changes.removed)} removed",
        f"{len(changes.changed)} changed",
    )
    said = [f"Rows: {', '.join(rows)}"]
    parts = [
        (changes.moved, "moved by others"),
        (changes.floors, "best floors changed"),
        (changes.versions, "versions are others"),
        (changes.questions, "questions came or went"),
    ]
    said += [f"{len(lines)} {what}" for lines, what in parts if lines]
    rest = changes.others
    numbers = any((changes.added, changes.removed, changes.changed, *(lines for lines, _ in parts)))
    if rest and not numbers:
        return f"No number differs: {'; '.join(map(one_line, rest))}."
    return f"{'; '.join(said)}."


def text_of(changes: Changes, most: int | None = SHOWN) -> str:
    """For a terminal: the summary, and each part with its lines."""
    lines = [summary_of(changes)]
    for head, found in parts_of(changes):
        lines += ["", f"{head}:", *(f"  {line}" for line in shown(found, most))]
    return "\n".join(lines) + "\n"


def markdown_of(changes: Changes, name: str, most: int | None = SHOWN) -> str:
    """For a comment: the same, in Markdown.

    Parameters
    ----------
    changes : Changes
        What changed.
    name : str
        What the board is called.
    most : int or None
        How many lines of each part; None for all.
    """
    lines = [f"## {escape(name)}", "", f"**{escape(summary_of(changes))}**"]
    for head, found in parts_of(changes):
        lines += ["", f"### {head}", "", *(f"- {escape(line)}" for line in shown(found, most))]
    return "\n".join(lines) + "\n"


def parts_of(changes: Changes) -> list[tuple[str, Sequence[str]]]:
    """The parts that have something."""
    return [
        (head, getattr(changes, part)) for part, head in HEADS.items() if getattr(changes, part)
    ]


def shown(lines: Sequence[str], most: int | None) -> list[str]:
    """The first lines, and how many more there are."""
    kept = [one_line(line) for line in lines[:most]]
    more = len(lines) - len(kept)
    return [*kept, *([f"and {more} more"] if more else [])]
