"""The registry: every predictor, dataset, metric and task that is there, where it came from, and every plugin that is not, with why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobench.cards import builtin_folder, card_specs
from kobench.errors import UserError
from kobench.plugins.discovery import Problem, Source, file_sources, installed_sources, normalise
from kobench.plugins.environments import environment_sources
from kobench.plugins.remember import describe_all
from kobench.resolve import resolve_reference
from kobench.sandbox.places import Interpreter, installed, this_interpreter
from kobench.specs import KINDS, REFERENCES, DatasetSpec, MetricSpec, kind_of
from kobench.suggest import suggestion

__all__ = ["Entry", "Problem", "Registry", "links_of", "load_registry", "resolve"]

#: The distribution whose plugins are kobench's own.
OWN = "kobench"

#: What cards in a user's own folders are listed under, in the place of a distribution.
CARDS = "cards"


@dataclass(frozen=True)
class Entry:
    """One spec and where it came from.

    version : the distribution's, "" for a single file. digest : sha256 of the distribution's .py files, or of the single file.
    trusted : whether it is kobench's own. plugin_file : the single file, None for an installed one.
    interpreter : what a predictor of an environment runs in, None for kobench's own; environment : that environment's name.
    roots : its entry points' packages and modules, or the single file, by the name of their folder or file.
    """

    spec: Any
    distribution: str
    version: str
    digest: str
    trusted: bool = False
    plugin_file: str | None = None
    entry_point: str = ""
    interpreter: Interpreter | None = None
    environment: str = ""
    roots: Mapping[str, Path] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`distribution/name`, or `environment/name`, which is hardly ever ambiguous for a predictor, dataset or task."""
        return f"{self.environment or self.distribution}/{self.spec.name}"

    @property
    def home(self) -> tuple[str, str]:
        """What tells where it comes from: distribution and environment."""
        return normalise(self.distribution), self.environment


@dataclass(frozen=True)
class Registry:
    """What there is, by name: a list for each name, longer than one where distributions clash.

    Metrics of one distribution may share a name when they measure different units. `sources` are the distributions and files looked at.
    """

    predictors: Mapping[str, list[Entry]] = field(default_factory=dict)
    datasets: Mapping[str, list[Entry]] = field(default_factory=dict)
    metrics: Mapping[str, list[Entry]] = field(default_factory=dict)
    tasks: Mapping[str, list[Entry]] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    sources: Sequence[Source] = ()

    def find(self, kind: str, text: str, of: str | None = None, prefer: str = "") -> Entry:
        """The entry of a kind ("predictors", ...) that `name`, `distribution/name` or `environment/name` means.

        of : the kind of units, for a metric. prefer : the distribution that wins a clash. Raises UserError where there is none (with
        what was probably meant, and why a plugin that might have it is broken) or more than one.
        """
        found = self.find_all(kind, text, of)
        preferred = [entry for entry in found if entry.home == (normalise(prefer), "")]
        if len(found) > 1 and len(preferred) == 1:
            return preferred[0]
        if len(found) > 1:
            what, homes = kind[:-1], list(dict.fromkeys(entry.home for entry in found))
            if len(homes) > 1:
                choices = " or ".join(dict.fromkeys(entry.full_name for entry in found))
                raise UserError(f"{what} {text!r} is offered by {' and '.join(dict.fromkeys(map(_origin, found)))}; say {choices}")
            kinds = " or ".join(repr(entry.spec.of) for entry in found)
            raise UserError(f"{what} {text!r} measures several kinds of units; say of which, {kinds}")
        return found[0]

    def find_all(self, kind: str, text: str, of: str | None = None) -> list[Entry]:
        """Every entry that `name` or `distribution/name` means, at least one; raises UserError like `find`."""
        distribution, name = text.rpartition("/")[::2]
        entries: Mapping[str, list[Entry]] = getattr(self, kind)
        found = [entry for entry in entries.get(name, ()) if of is None or entry.spec.of == of]
        if distribution:
            same = [entry for entry in found if normalise(entry.distribution) == normalise(distribution)]
            # an environment may be called as a distribution is; then its name means what is installed there
            found = (
                [entry for entry in found if entry.environment == distribution]
                or [entry for entry in same if not entry.environment]
                or same
            )
        if not found:
            raise UserError(self._why_missing(kind, distribution, name))
        return found

    def _why_missing(self, kind: str, distribution: str, name: str) -> str:
        what = kind[:-1]
        entries: Mapping[str, list[Entry]] = getattr(self, kind)
        if distribution:
            wanted = normalise(distribution)
            theirs = [source for source in self.sources if wanted in (normalise(source.distribution), source.environment)]
            offered = [
                other for other in entries if any(wanted in (normalise(entry.distribution), entry.environment) for entry in entries[other])
            ]
            broken = [problem for problem in self.problems if wanted in (normalise(problem.distribution), problem.environment)]
            if broken:
                return f"{what} {name!r} of {distribution} can't be used: {'; '.join(problem.message for problem in broken)}"
            if not theirs and not offered:
                known = {entry.environment or entry.distribution for listed in entries.values() for entry in listed}
                others = suggestion(distribution, known, f"those with {kind}")
                return f"no distribution or environment {distribution!r} with kobench plugins is installed; {others}"
            return f"{distribution} has no {what} {name!r}; {suggestion(name, offered, f'its {kind}')}"
        # a broken plugin may be what was meant: by the name of the spec, of the distribution, or of the file that was named
        meant = [
            problem
            for problem in self.problems
            if problem.name == name
            or normalise(problem.distribution) == normalise(name)
            or problem.distribution.startswith("file:")
            or (problem.kind == "card" and kind == "datasets" and name in problem.message)
        ]
        sentence = f"there is no {what} {name!r}; {suggestion(name, entries, kind)}"
        if meant:
            return f"{sentence}. Not loaded: " + "; ".join(f"{problem.distribution}: {problem.message}" for problem in meant)
        broken_names = sorted({problem.distribution for problem in self.problems if problem.kind != "duplicate"})
        return (
            f"{sentence}. Plugins with problems: {', '.join(broken_names)} (`kobench list plugins` says why)" if broken_names else sentence
        )


def load_registry(
    plugin_files: Sequence[str | os.PathLike[str]] = (),
    dataset_folders: Sequence[str | os.PathLike[str]] = (),
    fresh: bool = False,
) -> Registry:
    """Everything installed, in the plugin files and on the cards of the folders; imports no plugin in this process.

    fresh : describe everything anew. What is broken becomes a problem; raises UserError only for a plugin file that can't be read.
    """
    sources, problems = installed_sources()
    sources = sorted(sources, key=lambda source: normalise(source.distribution) != OWN) + file_sources(plugin_files)
    there, broken = environment_sources()
    sources, problems = [*sources, *there], [*problems, *broken]
    entries: list[Entry] = []
    if not any(normalise(source.distribution) == OWN for source in sources):
        problems.append(
            Problem(OWN, "", "metadata", "kobench itself is not installed, only importable; run `pip install -e .` in its folder")
        )
    for source, description in zip(sources, describe_all(sources, fresh), strict=True):
        problems.extend(description.problems)
        trusted = normalise(source.distribution) == OWN and source.file is None and not source.environment
        where = (source.interpreter, source.environment, source.roots)
        for point, spec in description.specs:
            entries.append(Entry(spec, source.distribution, source.version, description.digest, trusted, source.file, point, *where))
    cards, sentences = _cards(entries, dataset_folders)
    entries.extend(cards)
    problems.extend(sentences)
    return _registry(entries, problems, sources)


def _cards(entries: Sequence[Entry], folders: Sequence[str | os.PathLike[str]]) -> tuple[list[Entry], list[Problem]]:
    """Datasets made by cards, kobench's own and those in the user's folders; what loads them is kobench's own."""
    own = [entry for entry in entries if entry.trusted]
    loaders = {entry.spec.name: entry.spec for entry in own if isinstance(entry.spec, DatasetSpec) and not entry.spec.seeded}
    specs, sentences = card_specs(folders, loaders or None)
    shipped = str(builtin_folder())
    found = []
    for spec in specs:
        is_shipped = os.path.dirname(str(spec.card["card"])) == shipped
        version = own[0].version if own and is_shipped else ""
        found.append(Entry(spec, OWN if is_shipped else CARDS, version, own[0].digest if own else "", trusted=True))
    return found, [Problem(CARDS, "", "card", sentence) for sentence in sentences]


def _registry(entries: Iterable[Entry], problems: list[Problem], sources: Sequence[Source]) -> Registry:
    """Entries by kind and name; a name that one distribution gives twice counts once, and every clash becomes a problem."""
    named: dict[str, dict[str, list[Entry]]] = {kind: {} for kind in KINDS}
    for entry in entries:
        kind = kind_of(entry.spec)
        others = named[kind].setdefault(entry.spec.name, [])
        equal = [other for other in others if not isinstance(entry.spec, MetricSpec) or other.spec.of == entry.spec.of]
        twice = next((other for other in equal if other.home == entry.home), None)
        what = f"{kind[:-1]} {entry.spec.name!r}"
        if twice:
            message = f"{what} is offered twice, by the entry points {twice.entry_point!r} and {entry.entry_point!r}; the first is kept"
            problems.append(_clash(entry, message))
            continue
        for other in equal:
            message = f"{what} is offered by {_origin(other)} and {_origin(entry)}; say {other.full_name} or {entry.full_name}"
            problems.append(_clash(entry, message))
        others.append(entry)
    return Registry(**named, problems=problems, sources=sources)


def _clash(entry: Entry, message: str) -> Problem:
    return Problem(entry.distribution, entry.entry_point, "duplicate", message, name=entry.spec.name, environment=entry.environment)


def _origin(entry: Entry) -> str:
    """Where an entry comes from, in words."""
    return f"{entry.distribution} in environment {entry.environment}" if entry.environment else entry.distribution


def links_of(entry: Entry) -> dict[str, Path]:
    """What must be importable for a predictor beside what is installed: name of a folder or file -> where it really lies.

    These are its own packages and kobench where they are installed in place (editable) or come as a single file.
    """
    interpreter = entry.interpreter or this_interpreter()
    roots = dict(entry.roots) if entry.interpreter else {**entry.roots, OWN: Path(__file__).parents[1]}
    places = [place for read in interpreter.read for place in installed(read)]
    return {name: root for name, root in roots.items() if not any(root.is_relative_to(place) for place in places)}


def resolve(entry: Entry) -> Any:
    """The class or function behind an entry, imported into this process; raises UserError with the reason where that fails.

    For kobench's own and for datasets, metrics and tasks that a run names; predictors are resolved by their worker.
    """
    kind = kind_of(entry.spec)
    reference = getattr(entry.spec, REFERENCES[kind])
    if not isinstance(reference, str):  # a card's dataset
        return reference
    try:
        return resolve_reference(reference, entry.plugin_file)
    except (Exception, SystemExit) as error:
        raise UserError(f"{kind[:-1]} {entry.full_name} can't be loaded from {reference!r}: {type(error).__name__}: {error}") from error
