"""Predictors are described once more where a run hides what their description may have read.

A plugin is described before it is known of which datasets it will be asked. What it read then it
could hand to its predictors as the default of a parameter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from kobench.errors import UserError
from kobench.plugins.description import time_limit
from kobench.plugins.entry import Entry
from kobench.plugins.hidden import HiddenFromPlugins
from kobench.plugins.sources import Source
from kobench.runner.keys import Trial
from kobench.runner.reach import Hidden, shut_in
from kobench.sandbox.hiding import lies_in


def refuse_told(
    trials: Sequence[Trial],
    hidden: Hidden,
    sources: Sequence[Source],
    folders: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Refuse predictors that are described otherwise once the data of a run are hidden.

    Parameters
    ----------
    trials : sequence of Trial
        Those whose predictors are about to be started.
    hidden : Hidden
        What is hidden from them.
    sources : sequence of Source
        What offers plugins.
    folders : iterable of path
        Folders of dataset cards beside the usual ones.

    Raises
    ------
    UserError
        A predictor says something else of itself, or nothing.
    """
    from kobench.plugins.conversation import ask_children

    before = HiddenFromPlugins(folders)
    by_home = {(source.distribution, source.environment): source for source in sources}
    entries: dict[tuple[str, str], dict[str, Entry]] = {}
    for trial in shut_in(trials):
        entry = trial.predictor.entry
        if not entry.trusted and entry.problem is None:
            home = entry.distribution, entry.environment
            entries.setdefault(home, {})[entry.full_name] = entry
    for home, theirs in entries.items():
        if home not in by_home:
            continue
        source = by_home[home]
        known = before.of(source)
        more = not_among(hidden.of(next(iter(theirs.values()))), known)
        if not more:
            continue
        specs = [spec for _, spec in ask_children(source, time_limit(), (*known, *more))[0]]
        for entry in theirs.values():
            if entry.spec not in specs:
                raise UserError(
                    f"predictor {entry.full_name} is described otherwise where it can't read"
                    f" {more[0]}, which this run hides from it: its description may hold data. It"
                    " has to be the same wherever it is made"
                )


def not_among(places: Iterable[Path], known: Iterable[Path]) -> list[Path]:
    """Those places that lie in none of the known ones."""
    reals = [os.path.realpath(place) for place in known]
    return [
        place
        for place in places
        if not any(lies_in(os.path.realpath(place), real) for real in reals)
    ]
