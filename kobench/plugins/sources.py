"""Records: what offers plugins, what it offers, and why something of it is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.specs import Spec
from kobench.util.hashes import Hashes, hash_of_all, stamp_of_all

if TYPE_CHECKING:
    from kobench.sandbox.places import Interpreter

#: The distribution whose plugins are kobench's own.
OWN = "kobench"

#: What cards in a user's own folders are listed under, in the place of a distribution.
CARDS = "cards"

#: Kinds of problems that leave what they are about usable, or are about no predictor.
HARMLESS = ("duplicate", "card", "not-here")


def normalise(distribution: str) -> str:
    """Write the name of a distribution as the packaging standard compares it (PEP 503).

    Examples
    --------
    >>> normalise("My_Package.extra")
    'my-package-extra'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


@dataclass(frozen=True)
class PluginProblem:
    """Why a plugin, or a part of it, is not there.

    Attributes
    ----------
    distribution : str
        The distribution, or "file:NAME.py"; "environment NAME" where a whole one is broken.
    entry_point : str
        The entry point it is about, "" where it is about more.
    kind : str
        "import", "exit", "crash", "timeout", "output", "limit", "hook", "spec", "duplicate",
        "metadata", "card", "environment" (a whole one is broken) or "not-here" (an environment
        offers what is not taken from one).
    message : str
        One sentence.
    traceback : str
        The last lines of a traceback or of error output, or "".
    name : str
        The spec it is about, "" where it is about more.
    environment : str
        The environment it is about, "" for kobench's own interpreter.
    """

    distribution: str
    entry_point: str
    kind: str
    message: str
    traceback: str = ""
    name: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Source:
    """One distribution, or one plugin file, and the files that make it up.

    Attributes
    ----------
    distribution : str
        Its name, or "file:NAME.py".
    version : str
        "" for a single file.
    points : tuple of (str, str)
        Name and value of its entry points.
    files : dict of str to Path
        Path inside the package -> place, of every file; see `kobench.plugins.discovery.files_of`.
    file : str or None
        The single plugin file.
    roots : mapping of str to Path
        Its top-level packages and modules, by the name of their folder or file -> place.
    environment : str
        Where it is installed, "" for kobench's own interpreter.
    interpreter : Interpreter or None
        That environment's interpreter.
    about : tuple of str
        What a description depends on beside the files.
    packages : mapping of str to str
        In an environment: versions of what it needs there, itself included.
    caches : frozenset of Path
        Folders of what looks compiled, and notes of packaging tools, which are among no files: it
        must not read them.
    """

    distribution: str
    version: str
    points: tuple[tuple[str, str], ...]
    files: dict[str, Path]
    file: str | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    environment: str = ""
    interpreter: Interpreter | None = None
    about: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    caches: frozenset[Path] = frozenset()

    @property
    def known_as(self) -> str:
        """Its name among all sources: the distribution's, after that of its environment if any."""
        return f"{self.environment}/{self.distribution}" if self.environment else self.distribution

    @property
    def is_own(self) -> bool:
        """Whether it is kobench itself, which is trusted."""
        return normalise(self.distribution) == OWN and not self.file and not self.environment

    def digest(self, memory: Path) -> str:
        """Hash all that it consists of, wherever it lies.

        Parameters
        ----------
        memory : Path
            The file in which the hashes of its files are remembered.

        Returns
        -------
        str
            sha256 over the names and contents of its files; of a single file just its own.

        Raises
        ------
        OSError
            Where a single file can't be read.
        """
        hashes = Hashes(memory)
        if self.file is None:
            return hash_of_all(self.files, hashes, self.known_as, modes=True)
        found = hashes.of(Path(self.file))
        hashes.keep()
        return found

    def stamp(self) -> str:
        """Return a text that changes when a file is edited, added or removed; none is read."""
        return stamp_of_all(self.files.values())


@dataclass(frozen=True)
class Description:
    """What a source offers.

    Attributes
    ----------
    specs : tuple of (str, Spec)
        Entry point and spec.
    problems : tuple of PluginProblem
        What is wrong with the source.
    digest : str
        `Source.digest` when it was described.
    """

    specs: tuple[tuple[str, Spec], ...]
    problems: tuple[PluginProblem, ...]
    digest: str
