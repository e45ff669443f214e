"""What tasks say of a section's truth, and why nobody may be ranked in it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import NONE, NOT_ANSWERED, Slot

#: What stands in place of a skill where nobody is ranked.
UNRANKED = "not ranked"


class Note(NamedTuple):
    """A sentence of a task.

    Attributes
    ----------
    text : the sentence, with how far it holds where networks differ
    given : the sentences of the networks that it stands for
    """

    text: str
    given: tuple[str, ...]


def notes_of(numbers: Numbers, reasons: Collection[str] = ()) -> tuple[Note, ...]:
    """The tasks' sentences, each once, in the order of the records.

    Sentences that differ between networks in their numbers alone are one: the first network's, with
    how many there are. So are those of several splits of one network.

    Parameters
    ----------
    numbers : the numbers of the section
    reasons : why the truth gives no ranking; those that are no task's sentence come last
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    by_split: dict[str, dict[Slot, str]] = defaultdict(dict)
    for key in sorted(numbers.records):
        for slot, fits in sorted(numbers.scores[key].items()):
            for fit in fits:
                for note in fit.notes:
                    said = re.sub(r"\d+(?:[.,]\d+)*", "#", note)
                    found[said].setdefault(slot[0], note)
                    by_split[said].setdefault(slot, note)
    total = len(numbers.blocks)
    notes = []
    for said, by_network in found.items():
        given = [by_network[name] for name in sorted(by_network, key=natural)]
        splits = [by_split[said][slot] for slot in sorted(by_split[said])]
        text = (
            joined(splits, len(splits), "split")
            if total == 1
            else joined(given, total, numbers.networks.noun)
        )
        notes.append(Note(text, tuple(splits if total == 1 else given)))
    known = {text for note in notes for text in note.given}
    return (*notes, *(Note(reason, (reason,)) for reason in reasons if reason not in known))


def joined(notes: Sequence[str], total: int, noun: str = "network") -> str:
    """One sentence for those that several networks have.

    >>> joined(["12 of 23 are detectable", "9 of 23 are detectable"], 2)
    '12 of 23 are detectable (first of 2 networks; their numbers differ)'
    >>> joined(["same", "same"], 2), joined(["only"], 2)
    ('same', 'only (in 1 of 2 networks)')
    """
    first = notes[0]
    if len(set(notes)) > 1:
        return f"{first.rstrip('.')} (first of {len(notes)} {noun}s; their numbers differ)"
    if len(notes) == total:
        return first
    return f"{first.rstrip('.')} (in {len(notes)} of {total} {noun}s)"


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts `seed=2` before `seed=10`."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)
    )


def why_unranked(numbers: Numbers, notes: Sequence[Note], reasons: Collection[str]) -> str:
    """Why nobody is ranked in a section; "" where somebody can be.

    That is so where the truth gives no ranking, where no metric ranks, and where the first one that
    does has a value for nobody.
    """
    if not numbers.all:
        return ""
    said = next((note.text for note in notes if any(one in reasons for one in note.given)), "")
    if said:
        return said
    if not numbers.primary():
        return notes[0].text if notes else "not ranked: the task names no metric to rank by here"
    first = numbers.primary()[0]
    if numbers.metric_slots(first):
        return ""
    missing = Counter(score.missing or "" for score in numbers.by_metric(first))
    known = [reason for reason in missing if reason not in ("", NONE, NOT_ANSWERED)]
    if not known:
        return ""
    return f"no value by {first}: {min(known, key=lambda reason: (-missing[reason], reason))}"
