"""Entries and the registry of them: finds what a name means, and says why where it means nothing or
too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.plugins.discovery import Problem, Source, normalise
from kobench.sandbox.places import Interpreter
from kobench.specs import PredictorSpec
from kobench.util.text import suggestion

#: Kinds of problems that leave what they are about usable, or are about no predictor.
HARMLESS = ("duplicate", "card", "not-here")


@dataclass(frozen=True)
class Entry:
    """One spec and where it came from.

    version : the distribution's, "" for a single file. digest : sha256 of the distribution's .py
    files, or of the single file. trusted : whether it is kobench's own. plugin_file : the single
    file, None for an installed one. interpreter : what a predictor of an environment runs in, None
    for kobench's own; environment : that environment's name. roots : its entry points' packages and
    modules, or the single file, by the name of their folder or file. packages : in an environment,
    the versions of the distribution and of all that it needs. problem : why the plugin of a
    predictor that was asked for could not be loaded; its spec has nothing but the name then.
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
    problem: Problem | None = None
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`distribution/name`, or `environment/name`, which is hardly ever ambiguous for a
        predictor, dataset or task.
        """
        return f"{self.environment or self.distribution}/{self.spec.name}"

    @property
    def home(self) -> tuple[str, str]:
        """What tells where it comes from: distribution and environment."""
        return normalise(self.distribution), self.environment


@dataclass(frozen=True)
class Registry:
    """What there is, by name: a list for each name, longer than one where distributions clash.

    Metrics of one distribution may share a name when they measure different units. `sources` are
    the distributions and files looked at.
    """

    predictors: Mapping[str, list[Entry]] = field(default_factory=dict)
    datasets: Mapping[str, list[Entry]] = field(default_factory=dict)
    metrics: Mapping[str, list[Entry]] = field(default_factory=dict)
    tasks: Mapping[str, list[Entry]] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    sources: Sequence[Source] = ()

    def find(self, kind: str, text: str, of: str | None = None, prefer: str = "") -> Entry:
        """The entry of a kind ("predictors", ...) that `name`, `distribution/name` or
        `environment/name` means.

        of : the kind of units, for a metric. prefer : the distribution that wins a clash. Raises
        UserError where there is none (with what was probably meant, and why a plugin that might
        have it is broken) or more than one.
        """
        found = self.find_all(kind, text, of)
        preferred = [entry for entry in found if entry.home == (normalise(prefer), "")]
        if len(found) > 1 and len(preferred) == 1:
            return preferred[0]
        if len(found) > 1:
            what, homes = kind[:-1], list(dict.fromkeys(entry.home for entry in found))
            if len(homes) > 1:
                choices = " or ".join(dict.fromkeys(entry.full_name for entry in found))
                raise UserError(
                    f"{what} {text!r} is offered by"
                    f" {' and '.join(dict.fromkeys(map(origin_of, found)))}; say {choices}"
                )
            kinds = " or ".join(repr(entry.spec.of) for entry in found)
            raise UserError(
                f"{what} {text!r} measures several kinds of units; say of which, {kinds}"
            )
        return found[0]

    def find_all(self, kind: str, text: str, of: str | None = None) -> list[Entry]:
        """Every entry that `name` or `distribution/name` means, at least one; raises UserError like
        `find`.
        """
        distribution, name = text.rpartition("/")[::2]
        found = self._matching(kind, distribution, name, of)
        if not found:
            raise UserError(self._why_missing(kind, distribution, name))
        return found

    def find_despite(self, text: str) -> Entry:
        """The predictor that a name means, also one whose plugin could not be loaded: its `problem`
        says why. Raises UserError like `find`.

        A broken plugin is meant by the name of the predictor, where that is known, of its entry
        point, distribution or environment, and by any unknown name where one single plugin file is
        broken.
        """
        distribution, name = text.rpartition("/")[::2]
        try:
            return self.find("predictors", text)
        except UserError:
            meant = (
                []
                if self._matching("predictors", distribution, name, None)
                else list(self._broken(distribution, name))
            )
            if not meant:
                raise
        problem = meant[0]
        source = next(
            (
                one
                for one in self.sources
                if (one.distribution, one.environment)
                == (problem.distribution, problem.environment)
            ),
            None,
        )
        spec = PredictorSpec(name, make="", summary="could not be loaded")
        if source is None:
            return Entry(
                spec, problem.distribution, "", "", environment=problem.environment, problem=problem
            )
        return replace(
            entry_of(source, spec, source.digest(), problem.entry_point), problem=problem
        )

    def _broken(self, distribution: str, name: str) -> Iterator[Problem]:
        """Problems that may be why a predictor is not there."""
        grave = [
            problem
            for problem in self.problems
            if problem.kind not in HARMLESS and problem.name in ("", name)
        ]
        for problem in grave:
            theirs = normalise(problem.distribution)
            if (
                normalise(distribution) in (theirs, problem.environment)
                if distribution
                else name in (problem.name, theirs, problem.entry_point)
            ):
                yield problem
        files = {
            problem.distribution: problem
            for problem in grave
            if problem.distribution.startswith("file:")
        }
        if not distribution and len(files) == 1:
            yield from files.values()

    def _matching(self, kind: str, distribution: str, name: str, of: str | None) -> list[Entry]:
        entries: Mapping[str, list[Entry]] = getattr(self, kind)
        found = [entry for entry in entries.get(name, ()) if of is None or entry.spec.of == of]
        if not distribution:
            return found
        same = [
            entry for entry in found if normalise(entry.distribution) == normalise(distribution)
        ]
        # an environment may be called as a distribution is; then its name means what is installed
        # there
        return (
            [entry for entry in found if entry.environment == distribution]
            or [entry for entry in same if not entry.environment]
            or same
        )

    def _why_missing(self, kind: str, distribution: str, name: str) -> str:
        what = kind[:-1]
        entries: Mapping[str, list[Entry]] = getattr(self, kind)
        if distribution:
            wanted = normalise(distribution)
            theirs = [
                source
                for source in self.sources
                if wanted in (normalise(source.distribution), source.environment)
            ]
            offered = [
                other
                for other in entries
                if any(
                    wanted in (normalise(entry.distribution), entry.environment)
                    for entry in entries[other]
                )
            ]
            broken = [
                problem
                for problem in self.problems
                if wanted in (normalise(problem.distribution), problem.environment)
            ]
            if broken:
                return (
                    f"{what} {name!r} of {distribution} can't be used:"
                    f" {'; '.join(problem.message for problem in broken)}"
                )
            if not theirs and not offered:
                known = {
                    entry.environment or entry.distribution
                    for listed in entries.values()
                    for entry in listed
                }
                others = suggestion(distribution, known, f"those with {kind}")
                return (
                    f"no distribution or environment {distribution!r} with kobench plugins is"
                    f" installed; {others}"
                )
            return (
                f"{distribution} has no {what} {name!r}; {suggestion(name, offered, f'its {kind}')}"
            )
        # a broken plugin may be what was meant: by the name of the spec, of the distribution, or of
        # the file that was named
        meant = [
            problem
            for problem in self.problems
            if problem.name == name
            or normalise(problem.distribution) == normalise(name)
            or problem.distribution.startswith("file:")
            or (problem.kind == "card" and kind == "datasets" and name in problem.message)
        ]
        likely, others = f"there is no {what} {name!r}", suggestion(name, entries, kind)
        if meant:
            return (
                f"{likely}. Not loaded:"
                f" {'; '.join(f'{problem.distribution}: {problem.message}' for problem in meant)}."
                f" Otherwise: {others}"
            )
        sentence = f"{likely}; {others}. One in a file of your own needs --plugin FILE.py"
        broken_names = sorted(
            {problem.distribution for problem in self.problems if problem.kind != "duplicate"}
        )
        return (
            f"{sentence}. Plugins with problems: {', '.join(broken_names)} (`kobench list plugins`"
            " says why)"
            if broken_names
            else sentence
        )


def entry_of(source: Source, spec: Any, digest: str, entry_point: str) -> Entry:
    """An entry of what a source offers."""
    return Entry(
        spec,
        source.distribution,
        source.version,
        digest,
        plugin_file=source.file,
        entry_point=entry_point,
        interpreter=source.interpreter,
        environment=source.environment,
        roots=source.roots,
        packages=source.packages,
    )


def origin_of(entry: Entry) -> str:
    """Where an entry comes from, in words."""
    return (
        f"{entry.distribution} in environment {entry.environment}"
        if entry.environment
        else entry.distribution
    )
