"""The registry: every predictor, dataset, metric and task that is there, where it came from, and
every plugin that is not, with why.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kobench.datasets.cards import builtin_folder, card_specs
from kobench.errors import UserError
from kobench.plugins.cache import describe_all
from kobench.plugins.discovery import (
    OWN,
    Problem,
    Source,
    file_sources,
    installed_sources,
    normalise,
)
from kobench.plugins.environments import environment_sources
from kobench.plugins.links import importable
from kobench.plugins.registry import Entry, Registry, entry_of, origin_of
from kobench.specs import KINDS, REFERENCES, DatasetSpec, MetricSpec, kind_of
from kobench.util.resolve import resolve_reference

__all__ = ["OWN", "Entry", "Problem", "Registry", "links_of", "load_registry", "resolve"]

#: What cards in a user's own folders are listed under, in the place of a distribution.
CARDS = "cards"


def load_registry(
    plugin_files: Sequence[str | os.PathLike[str]] = (),
    dataset_folders: Sequence[str | os.PathLike[str]] = (),
    fresh: bool = False,
) -> Registry:
    """Everything installed, in the plugin files and on the cards of the folders; imports no plugin
    in this process.

    fresh : describe everything anew. What is broken becomes a problem; raises UserError only for a
    plugin file that can't be read.
    """
    sources, problems = installed_sources()
    sources = sorted(
        sources, key=lambda source: normalise(source.distribution) != OWN
    ) + file_sources(plugin_files)
    there, broken = environment_sources()
    sources, problems = [*sources, *there], [*problems, *broken]
    entries: list[Entry] = []
    if not any(normalise(source.distribution) == OWN for source in sources):
        problems.append(
            Problem(
                OWN,
                "",
                "metadata",
                "kobench itself is not installed, only importable; run `pip install -e .` in its"
                " folder",
            )
        )
    for source, description in zip(sources, describe_all(sources, fresh), strict=True):
        problems.extend(description.problems)
        trusted = (
            normalise(source.distribution) == OWN and source.file is None and not source.environment
        )
        for point, spec in description.specs:
            entries.append(
                replace(entry_of(source, spec, description.digest, point), trusted=trusted)
            )
    cards, sentences = _cards(entries, dataset_folders)
    entries.extend(cards)
    problems.extend(sentences)
    return _registry(entries, problems, sources)


def _cards(
    entries: Sequence[Entry], folders: Sequence[str | os.PathLike[str]]
) -> tuple[list[Entry], list[Problem]]:
    """Datasets made by cards, kobench's own and those in the user's folders; what loads them is
    kobench's own.
    """
    own = [entry for entry in entries if entry.trusted]
    loaders = {
        entry.spec.name: entry.spec
        for entry in own
        if isinstance(entry.spec, DatasetSpec) and not entry.spec.seeded
    }
    specs, sentences = card_specs(folders, loaders or None)
    shipped = str(builtin_folder())
    found = []
    for spec in specs:
        is_shipped = os.path.dirname(str(spec.card["card"])) == shipped
        version = own[0].version if own and is_shipped else ""
        found.append(
            Entry(
                spec,
                OWN if is_shipped else CARDS,
                version,
                own[0].digest if own else "",
                trusted=True,
            )
        )
    return found, [Problem(CARDS, "", "card", sentence) for sentence in sentences]


def _registry(
    entries: Iterable[Entry], problems: list[Problem], sources: Sequence[Source]
) -> Registry:
    """Entries by kind and name; a name that one distribution gives twice counts once, and every
    clash becomes a problem.
    """
    named: dict[str, dict[str, list[Entry]]] = {kind: {} for kind in KINDS}
    for entry in entries:
        kind = kind_of(entry.spec)
        others = named[kind].setdefault(entry.spec.name, [])
        equal = [
            other
            for other in others
            if not isinstance(entry.spec, MetricSpec) or other.spec.of == entry.spec.of
        ]
        twice = next((other for other in equal if other.home == entry.home), None)
        what = f"{kind[:-1]} {entry.spec.name!r}"
        if twice:
            message = (
                f"{what} is offered twice, by the entry points {twice.entry_point!r} and"
                f" {entry.entry_point!r}; the first is kept"
            )
            problems.append(_clash(entry, message))
            continue
        for other in equal:
            message = (
                f"{what} is offered by {origin_of(other)} and {origin_of(entry)}; say"
                f" {other.full_name} or {entry.full_name}"
            )
            problems.append(_clash(entry, message))
        others.append(entry)
    return Registry(**named, problems=problems, sources=sources)


def _clash(entry: Entry, message: str) -> Problem:
    return Problem(
        entry.distribution,
        entry.entry_point,
        "duplicate",
        message,
        name=entry.spec.name,
        environment=entry.environment,
    )


def links_of(entry: Entry) -> dict[str, Path]:
    """What must be importable for a predictor beside what is installed: see
    `kobench.plugins.links.importable`.
    """
    return importable(
        entry.roots, entry.interpreter, "" if entry.plugin_file else entry.distribution
    )


def resolve(entry: Entry) -> Any:
    """The class or function behind an entry, imported into this process; raises UserError with the
    reason where that fails.

    For kobench's own and for datasets, metrics and tasks that a run names; predictors are resolved
    by their worker.
    """
    kind = kind_of(entry.spec)
    reference = getattr(entry.spec, REFERENCES[kind])
    if not isinstance(reference, str):  # a card's dataset
        return reference
    try:
        return resolve_reference(reference, entry.plugin_file)
    except (Exception, SystemExit) as error:
        raise UserError(
            f"{kind[:-1]} {entry.full_name} can't be loaded from {reference!r}:"
            f" {type(error).__name__}: {error}"
        ) from error
