"""How far somebody looked at the rows of a board, as evidence beside its records says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kobench.board.numbers.values import Key
from kobench.board.row import Verified
from kobench.board.table import Section
from kobench.results.evidence import LEVELS, Evidence, Place


def with_levels(
    sections: Iterable[Section],
    evidence: Mapping[Place, Evidence],
    names: Mapping[Key, str],
    places: Collection[Place],
) -> tuple[list[Section], tuple[str, ...]]:
    """Sections whose rows say the level that they have reached, and the remark that explains it.

    Parameters
    ----------
    sections : iterable of Section
        The sections.
    evidence : mapping of Place to Evidence
        What is known of rows whose records are those that were looked at.
    names : mapping of Key to str
        What rows are called.
    places : collection of Place
        All rows of the board.
    """
    sections = list(sections)
    good = {place: one for place, one in evidence.items() if one.outcome in LEVELS}
    levels = {
        (place, section.task): verified_by(one)
        for place, one in good.items()
        for section in sections
        if section.task not in (one.without or ())
    }
    shown = [
        replace(
            section,
            rows=tuple(
                replace(row, verified=levels.get((Place(keys[row.name], *where(section)), task)))
                if row.name in keys
                else row
                for row in section.rows
            ),
        )
        for keys in [{name: key for key, name in names.items()}]
        for section in sections
        for task in [section.task]
    ]
    here = {place: good[place] for place in places if place in good}
    return shown, (sentence_of(list(here.values()), len(places)),) if here else ()


def where(section: Section) -> tuple[str, str, str]:
    """Where the rows of a section stand."""
    return section.dataset, section.dataset_version, section.split


def verified_by(evidence: Evidence) -> Verified:
    """The level of a row as tables show it."""
    return Verified(evidence.outcome, evidence.by, evidence.on, evidence.checked, evidence.of)


def sentence_of(evidence: Iterable[Evidence], rows: int) -> str:
    """Who says how many rows have reached which level, when and with what."""
    counts = Counter(
        (one.outcome, one.by, one.on, one.kobench, one.numpy, one.blas) for one in evidence
    )
    said = [
        f"{count} {outcome} by {by} on {on} (kobench {kobench}, numpy {numpy}, {blas})"
        for (outcome, by, on, kobench, numpy, blas), count in sorted(counts.items())
    ]
    left = rows - sum(counts.values())
    rest = f"; {left} not verified" if left else ""
    return f"Verified, of {rows} rows: {', '.join(said)}{rest}. `kobench verify` looks again."
