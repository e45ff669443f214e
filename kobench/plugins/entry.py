"""One predictor, dataset, metric or task as the registry lists it: a spec, and where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobench.plugins.sources import PluginProblem, Source, normalise
from kobench.sandbox.places import Interpreter


@dataclass(frozen=True)
class Entry:
    """One spec and where it comes from.

    Attributes
    ----------
    spec : Spec
        What the plugin says of it.
    distribution : str
        The distribution that offers it, "file:NAME.py" or "cards".
    version : str
        The distribution's, "" for a single file.
    digest : str
        sha256 of the distribution's files, or of the single file.
    trusted : bool
        Whether it is kobench's own.
    plugin_file : str or None
        The single file; None for an installed one.
    entry_point : str
        The name of the entry point that offers it.
    interpreter : Interpreter or None
        What a predictor of an environment runs in; None for kobench's own.
    environment : str
        That environment's name.
    roots : mapping of str to Path
        See `Source.roots`.
    problem : PluginProblem or None
        Why the plugin of a predictor that was asked for could not be loaded. Its spec then has
        nothing but the name.
    packages : mapping of str to str
        In an environment, the versions of the distribution and of all that it needs.
    shadowed : bool
        Whether its name alone means another one, see `kobench.plugins.ours`.
    caches : frozenset of Path
        See `Source.caches`.
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
    problem: PluginProblem | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    shadowed: bool = False
    caches: frozenset[Path] = frozenset()

    @property
    def shown_name(self) -> str:
        """The name under which results stand: in full where the name alone means another one."""
        return self.full_name if self.shadowed else str(self.spec.name)

    @property
    def full_name(self) -> str:
        """`distribution/name`, or `environment/name`.

        That is hardly ever ambiguous for a predictor, dataset or task.
        """
        return f"{self.environment or self.distribution}/{self.spec.name}"

    @property
    def home(self) -> tuple[str, str]:
        """Distribution and environment, which tell where it comes from."""
        return normalise(self.distribution), self.environment

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.environment:
            return f"{self.distribution} in environment {self.environment}"
        return self.distribution

    def is_of(self, home: str) -> bool:
        """Whether this is what a distribution, or an environment, of that name offers."""
        return normalise(home) in (normalise(self.distribution), self.environment)


def entry_of(source: Source, spec: Any, digest: str, entry_point: str) -> Entry:
    """Make the entry of one spec that a source offers.

    Parameters
    ----------
    source : Source
        Where it comes from.
    spec : Spec
        What its plugin says of it.
    digest : str
        `Source.digest` when it was described.
    entry_point : str
        The name of the entry point that offers it.

    Returns
    -------
    Entry
        Trusted where the source is kobench itself.
    """
    return Entry(
        spec,
        source.distribution,
        source.version,
        digest,
        trusted=source.is_own,
        plugin_file=source.file,
        entry_point=entry_point,
        interpreter=source.interpreter,
        environment=source.environment,
        roots=source.roots,
        packages=source.packages,
        caches=source.caches,
    )
