"""Loads the registry: everything that is there, where it came from, and what is not, with why.

No plugin is imported in this process but by `resolve`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kobench.datasets.cards import builtin_folder, card_specs
from kobench.environments.environment import names
from kobench.errors import UserError
from kobench.plugins.description import describe_all
from kobench.plugins.discovery import file_sources, installed_sources
from kobench.plugins.entry import Entry, entry_of
from kobench.plugins.environments import environment_sources
from kobench.plugins.links import importable
from kobench.plugins.registry import Registry, make_registry
from kobench.plugins.sources import CARDS, OWN, PluginProblem
from kobench.sandbox.finding import refuse_if_open
from kobench.specs import REFERENCES, DatasetSpec, kind_of
from kobench.util.resolve import resolve_reference

__all__ = ["OWN", "Entry", "PluginProblem", "Registry", "links_of", "load_registry", "resolve"]


def load_registry(
    plugin_files: Sequence[str | os.PathLike[str]] = (),
    dataset_folders: Sequence[str | os.PathLike[str]] = (),
    fresh: bool = False,
    sandbox: str = "auto",
) -> Registry:
    """List everything that is installed, in plugin files, and on the cards of folders.

    Parameters
    ----------
    plugin_files : sequence of path
        Single files that are plugins.
    dataset_folders : sequence of path
        Folders with dataset cards.
    fresh : bool
        Whether to describe everything anew, instead of taking it from the cache.
    sandbox : str
        One of `kobench.sandbox.MODES`. "require": nothing of a stranger's is run where this machine
        leaves something open.

    Returns
    -------
    Registry
        What is broken is among its problems.

    Raises
    ------
    UserError
        For a plugin file that can't be read, a time limit that is no number, and a sandbox that is
        required and not to be had.
    """
    installed, problems = installed_sources()
    installed.sort(key=lambda source: not source.is_own)  # its own come first
    files = file_sources(plugin_files)
    if not all(source.is_own for source in (*installed, *files)) or names():
        refuse_if_open(sandbox)
    there, broken = environment_sources()
    sources = [*installed, *files, *there]
    problems = [*problems, *broken]
    if not any(source.is_own for source in sources):
        message = (
            "kobench itself is not installed, only importable; run `pip install -e .` in its folder"
        )
        problems.append(PluginProblem(OWN, "", "metadata", message))
    entries: list[Entry] = []
    for source, description in zip(
        sources, describe_all(sources, fresh, dataset_folders), strict=True
    ):
        problems.extend(description.problems)
        entries.extend(
            entry_of(source, spec, description.digest, point) for point, spec in description.specs
        )
    cards, wrong_cards = _cards(entries, dataset_folders)
    return make_registry([*entries, *cards], [*problems, *wrong_cards], sources)


def _cards(
    entries: Sequence[Entry], folders: Sequence[str | os.PathLike[str]]
) -> tuple[list[Entry], list[PluginProblem]]:
    """Datasets made by cards, kobench's own and those in the user's folders.

    What loads them is kobench's own, so that all of them are trusted.
    """
    own = [entry for entry in entries if entry.trusted]
    loaders = {
        entry.spec.name: entry.spec
        for entry in own
        if isinstance(entry.spec, DatasetSpec) and not entry.spec.seeded
    }
    specs, sentences = card_specs(folders, loaders or None)
    version, digest = (own[0].version, own[0].digest) if own else ("", "")
    shipped = str(builtin_folder())
    found = []
    for spec in specs:
        is_shipped = os.path.dirname(str(spec.card["card"])) == shipped
        distribution, its_version = (OWN, version) if is_shipped else (CARDS, "")
        found.append(Entry(spec, distribution, its_version, digest, trusted=True))
    return found, [PluginProblem(CARDS, "", "card", sentence) for sentence in sentences]


def links_of(entry: Entry) -> dict[str, Path]:
    """What must be importable for a predictor beside what is installed.

    Returns
    -------
    dict of str to Path
        See `kobench.plugins.links.importable`.
    """
    distribution = "" if entry.plugin_file else entry.distribution
    return importable(entry.roots, entry.interpreter, distribution)


def resolve(entry: Entry) -> Any:
    """Import the class or function behind an entry into this process.

    That is for kobench's own, and for datasets, metrics and tasks that a run names. Predictors are
    resolved by their worker.

    Parameters
    ----------
    entry : Entry
        What a name means.

    Returns
    -------
    callable
        What the spec's reference names.

    Raises
    ------
    UserError
        With the reason, where it can't be imported.
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
