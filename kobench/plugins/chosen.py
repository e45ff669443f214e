"""A dataset, predictor or task chosen by name: its parameters filled in, its source hashed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from kobench.datasets.right import sha256_of_content
from kobench.errors import UserError
from kobench.plugins.load import Entry, Registry
from kobench.plugins.parameters import canonical, complete
from kobench.specs import Param, TaskSpec
from kobench.util.files import file_hash, hash_of
from kobench.util.grammar import parse

#: Parameters of kobench's own datasets that name a file.
FILES = ("path", "obs")


@dataclass(frozen=True)
class SecretNetwork:
    """A network whose seed follows from a secret one.

    Attributes
    ----------
    commitment : str
        Sha256 of the secret seed.
    index : int
        Which of its dataset's networks it is, from 0.
    questions : int
        The seed by which its questions are drawn, where they are drawn; as secret as the network's.
    """

    commitment: str
    index: int
    questions: int = field(repr=False)


@dataclass(frozen=True)
class Chosen:
    """A dataset or predictor with all its parameters.

    Attributes
    ----------
    entry : Entry
        What was chosen.
    params : mapping
        Every parameter, defaults too.
    selection : str
        The canonical text of the choice.
    group : str
        The same without the seed.
    source : str
        Hash of what its content rests on beside its parameters: files, folders or code.
    first : bool
        Whether it is the first network of its group.
    planned : tuple of int, or None
        The seed of the first network of its group that was asked for, or its number where seeds are
        secret, and how many were; None where the dataset has no seed.
    parts : tuple of Chosen
        The datasets that it joins, for a transfer between datasets.
    secret : SecretNetwork or None
        Where its seed comes from, if that is secret; `selection` then has no seed.
    same_cells : tuple of Entry
        Other datasets with some of its cells, as far as they are there.
    """

    entry: Entry
    params: Mapping[str, Any]
    selection: str
    group: str
    source: str = ""
    first: bool = True
    planned: tuple[int, int] | None = None
    parts: tuple[Chosen, ...] = ()
    secret: SecretNetwork | None = None
    same_cells: tuple[Entry, ...] = ()

    @property
    def each(self) -> tuple[Chosen, ...]:
        """The datasets that it joins, or itself alone."""
        return self.parts or (self,)

    @property
    def trusted(self) -> bool:
        """Whether it is kobench's own, and all that it joins."""
        return all(one.entry.trusted for one in self.each)


@dataclass(frozen=True)
class Task:
    """A task with the metrics that score it."""

    entry: Entry
    metrics: tuple[Entry, ...]

    @property
    def spec(self) -> TaskSpec:
        """What the task declares, under the name by which results know it."""
        spec: TaskSpec = self.entry.spec
        return replace(spec, name=self.entry.shown_name) if self.entry.shadowed else spec

    @property
    def named_metrics(self) -> dict[str, Entry]:
        """Metrics by the name that they are shown under.

        A stranger's that has a name of kobench's own, or repeats that of another, is
        `distribution/name`.
        """
        ordered = sorted(
            self.metrics,
            key=lambda entry: (not entry.trusted, entry.distribution != self.entry.distribution),
        )
        named: dict[str, Entry] = {}
        for entry in ordered:
            named[entry.full_name if entry.shown_name in named else entry.shown_name] = entry
        return named


def version_of(entry: Entry) -> str:
    """Version of what an entry defines, the distribution's and its own."""
    return f"{entry.version}/{entry.spec.version}" if entry.version else str(entry.spec.version)


def choose(
    registry: Registry,
    kind: str,
    text: str,
    extra: Mapping[str, Any] | None = None,
    prefer: str = "",
    despite: bool = False,
) -> Chosen:
    """Find and complete one selection.

    Parameters
    ----------
    registry : Registry
        Everything that is installed.
    kind : str
        "datasets" or "predictors".
    text : str
        The selection.
    extra : mapping or None
        Parameters that overrule those in the text.
    prefer : str
        The distribution that wins where two offer the name.
    despite : bool
        Find a predictor whose plugin could not be loaded, too, with whatever parameters are given.

    Raises
    ------
    UserError
        For unknown names, keys and values.
    """
    selection = parse(text)
    entry = (
        registry.find_despite(selection.full_name)
        if despite
        else registry.find(kind, selection.full_name, prefer=prefer)
    )
    if entry.problem is not None:
        entry = replace(
            entry, spec=replace(entry.spec, params={key: Param(None) for key in selection.params})
        )
    params = {**complete(selection, entry.spec.params, kind[:-1]), **(extra or {})}
    open_params = (
        {key: value for key, value in params.items() if key != "seed"}
        if getattr(entry.spec, "seeded", False)
        else params
    )
    return Chosen(
        entry,
        params,
        canonical(entry.shown_name, params, entry.spec.params),
        canonical(entry.shown_name, open_params, entry.spec.params),
        source_of(kind, entry, params),
        same_cells=_same_cells(registry, entry) if kind == "datasets" else (),
    )


def _same_cells(registry: Registry, entry: Entry) -> tuple[Entry, ...]:
    """The datasets that one says to have cells of, and those that they say so of in turn."""
    found: dict[str, Entry] = {}
    left = [entry]
    while left:
        one = left.pop()
        for name in one.spec.same_cells:
            with suppress(UserError):  # it need not be there
                other = registry.find("datasets", name, prefer=one.distribution)
                if other.full_name not in found:
                    found[other.full_name] = other
                    left.append(other)
    return tuple(found.values())


def source_of(kind: str, entry: Entry, params: Mapping[str, Any]) -> str:
    """What the content of a dataset or predictor rests on beside its parameters.

    It is the hash of files and folders that parameters name, of what a card says of its own, and of
    a stranger's code.
    """
    if kind == "predictors":
        return own_hash(str(entry.spec.make)) if entry.trusted else entry.digest
    card = str(entry.spec.card.get("digest", ""))  # of a card's loader, parameters and file
    known = card or ("" if entry.trusted else entry.digest)
    contents = {
        f"{key} {place}": content_hash(path)
        for key, paths in named_files(entry, params).items()
        for place, path in enumerate(paths)
    }
    if not known and list(contents) == ["path 0"]:
        return contents["path 0"]
    return hash_of([known, contents]) if contents else known


def named_files(entry: Entry, params: Mapping[str, Any]) -> dict[str, list[Path]]:
    """By parameter of a dataset the files and folders that it names; none is opened.

    Of kobench's own datasets those in `FILES` name any, there or not. Of a stranger's nobody knows:
    whatever is there counts.
    """
    found: dict[str, list[Path]] = {}
    for key in sorted(params):
        value = params[key]
        texts = [text for text in (value if isinstance(value, list | tuple) else [value]) if text]
        for text in texts:
            if isinstance(text, str) and (key in FILES or (not entry.trusted and _is_place(text))):
                found.setdefault(key, []).append(Path(text).expanduser())
    return found


def _is_place(text: str) -> bool:
    """Whether a text is the path of something; a word may be the name of a folder by chance."""
    try:
        path = Path(text).expanduser()
        return path.exists() and (os.sep in text or not path.is_dir())
    except (OSError, ValueError, RuntimeError):  # no path at all
        return False


def content_hash(path: Path) -> str:
    """sha256 of what lies in a file or folder, "" for what is none: a loader reports that."""
    try:
        return sha256_of_content(path) if path.is_dir() or path.is_file() else ""
    except (OSError, ValueError):
        return ""


@cache
def own_hash(reference: str) -> str:
    """Hash of the .py files of the folder in which one of kobench's own floors lies.

    The rest of kobench decides nothing in a floor. Raises ValueError where no code lies there: all
    floors would have the hash of nothing.
    """
    package = Path(__file__).parents[1]
    module = package.joinpath(*reference.partition(":")[0].split(".")[1:])
    folder = module if module.is_dir() else module.parent
    files = sorted(folder.glob("*.py"))
    if not files:
        raise ValueError(f"{reference!r} names no code of kobench: {folder} holds none")
    return hash_of({path.name: file_hash(path) for path in files})
