"""Results in words: a sentence for each section, and what its dataset is called in short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kobench.board.row import Row
from kobench.board.sections.called import closed, names
from kobench.board.sections.judged import on_ranked
from kobench.board.table import Section
from kobench.errors import UserError
from kobench.util.grammar import split as split_selection

#: How the sentence of a section begins where a good score is suspect.
NEAR_NULL = (
    "Near-null control: hardly anything changes here beyond the removed gene, so who is better than"
    " the best floor is suspect."
)


def sentence_of(section: Section) -> str:
    """The result of a section in a few plain sentences."""
    parts = [NEAR_NULL] if section.control else []
    parts += [f"Trained on {section.train}."] if section.train else []
    if section.unranked_reason:
        parts.append(closed(section.unranked_reason))
        known = [
            row
            for row in section.unrankable
            if any(score.value is not None for score in row.scores.values())
        ]
        if known:
            parts.append(f"Scored all the same, without skill or rank: {names(known)}.")
    elif not section.primary:
        parts.append("No task was scored here.")
    else:
        parts += on_ranked(section)
    below: dict[str, list[Row]] = defaultdict(list)
    for row in section.unranked:
        if row.role == "predictor":
            below[row.status].append(row)
    if below:
        parts.append(
            "Not ranked:"
            f" {', '.join(f'{names(rows)} ({status})' for status, rows in sorted(below.items()))}."
        )
    return " ".join(part for part in parts if part)


def short_names(selections: Iterable[str]) -> dict[str, str]:
    """Each selection without the parameters that all selections of the same name share.

    >>> short_names(["grn:a=1,b=2", "grn:a=1,b=3", "pbmc"])
    {'grn:a=1,b=2': 'grn b=2', 'grn:a=1,b=3': 'grn b=3', 'pbmc': 'pbmc'}
    """
    split = {selection: name_and_items(selection) for selection in sorted(set(selections))}
    shared: dict[str, set[str]] = {}
    for name, parts in split.values():
        shared[name] = shared[name] & set(parts) if name in shared else set(parts)
    several = {
        name for name, _ in split.values() if sum(other == name for other, _ in split.values()) > 1
    }
    return {
        selection: " ".join(
            [name, *[part for part in parts if name in several and part not in shared[name]]]
        )
        for selection, (name, parts) in split.items()
    }


def name_and_items(selection: str) -> tuple[str, list[str]]:
    """Name and `key=value` items of a selection; all of it is the name where it can't be read."""
    try:
        _, name, items = split_selection(selection)
        return name, list(items)
    except UserError:
        return selection, []
