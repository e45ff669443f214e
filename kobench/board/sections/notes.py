"""What tasks say of a section's truth, and why nobody may be ranked in it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from kobench.board.numbers.series import Numbers

#: A note that holds one of these says that the truth gives no ranking.
NO_RANK = ("no rank", "not ranked")

#: What stands in place of a skill there.
UNRANKED = "not ranked"


def notes_of(numbers: Numbers) -> tuple[str, ...]:
    """The tasks' sentences, each once, in the order of the records.

    Sentences that differ between networks in their numbers alone are one: the first network's, with
    how many there are.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for key in sorted(numbers.records):
        for slot, fits in sorted(numbers.scores[key].items()):
            for fit in fits:
                for note in fit.notes:
                    found[re.sub(r"\d+(?:[.,]\d+)*", "#", note)].setdefault(slot[0], note)
    total = len(numbers.blocks)
    return tuple(
        joined([by_network[name] for name in sorted(by_network, key=natural)], total)
        for by_network in found.values()
    )


def joined(notes: Sequence[str], total: int) -> str:
    """One sentence of those that networks have, out of so many networks.

    >>> joined(["12 of 23 are detectable", "9 of 23 are detectable"], 2), joined(["same", "same"], 2), joined(["only"], 2)
    ('12 of 23 are detectable (first of 2 networks; their numbers differ)', 'same', 'only (in 1 of 2 networks)')
    """
    first = notes[0]
    if len(set(notes)) > 1:
        return f"{first.rstrip('.')} (first of {len(notes)} networks; their numbers differ)"
    return (
        first
        if len(notes) == total
        else f"{first.rstrip('.')} (in {len(notes)} of {total} networks)"
    )


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts `seed=2` before `seed=10`."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)
    )


def why_unranked(numbers: Numbers, notes: Sequence[str]) -> str:
    """Why nobody is ranked in a section, nothing where somebody can be: a note says so, no metric
    ranks, or none has a value for anyone.
    """
    said = next((note for note in notes if any(words in note.casefold() for words in NO_RANK)), "")
    if said or not numbers.all:
        return said
    if not numbers.primary():
        return notes[0] if notes else "not ranked: the task names no metric to rank by here"
    first = numbers.primary()[0]
    if numbers.metric_slots(first):
        return ""
    reasons = Counter(score.missing or "" for score in numbers.by_metric(first))
    known = sorted(
        (reason for reason in reasons if reason not in ("", "none", "not answered")),
        key=lambda reason: (-reasons[reason], reason),
    )
    return f"no value by {first}: {known[0]}" if known else ""
