"""Lock files: exactly what is installed in an environment, so that it can be made again.

They are requirements files, one distribution a line, with hashes where these are known: of what
came from a registry or from a file, not of folders, whose content may change. The first line says
what it is, and which Python it was made for.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kobench.errors import UserError
from kobench.util.bounded import read_bounded
from kobench.util.files import sha256_of
from kobench.util.text import visible

#: The name of the file in an environment's folder.
LOCK = "lock.txt"

#: The first line.
FIRST = re.compile(r"# kobench lock 1, Python (\d+\.\d+\.\d+)")

#: Bytes of a lock file, and of a file of metadata, that are read.
MOST = 4 << 20

#: What no environment's lock holds: every environment has them.
OWN = ("kobench", "pip")

#: What a name, a version, an address and a hash may look like; metadata are anybody's.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*")
ADDRESS = re.compile(r"[!-~]+")
HASH = re.compile(r"[0-9a-f]{64}")

#: A line of a lock: what is installed, and its hashes.
LINE = re.compile(r"(?P<what>\S.*?)(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)")


@dataclass(frozen=True)
class Lock:
    """What is installed.

    Attributes
    ----------
    python : str
        The version of Python.
    lines : mapping of str to frozenset of str
        What pip takes for each distribution -> sha256 of the files that it may come from, none
        where that is not known.
    """

    python: str
    lines: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The content of the file; the same for the same lock."""
        every = [
            " ".join([what, *(f"--hash=sha256:{each}" for each in sorted(hashes))])
            for what, hashes in sorted(self.lines.items())
        ]
        return "\n".join([f"# kobench lock 1, Python {self.python}", *every]) + "\n"

    @property
    def digest(self) -> str:
        """Sha256 of the file, by which records name it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def hashed(self) -> bool:
        """Whether every line has a hash."""
        return all(self.lines.values())


def is_lock(spec: str) -> bool:
    """Whether a SPEC is a lock file."""
    path = Path(spec)
    if not spec.endswith(".txt") or not path.is_file():
        return False
    try:
        with open(path, encoding="utf-8") as file:
            return FIRST.fullmatch(file.readline(200).rstrip("\n")) is not None
    except (OSError, ValueError):
        return False


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Raises
    ------
    UserError
        It can't be read, or has a line that no lock has.
    """
    try:
        first, *lines = read_bounded(path, MOST).decode().splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"the lock {path} can't be read: {error}") from error
    head = FIRST.fullmatch(first)
    if head is None:
        raise UserError(f"{path} begins with {visible(first, 60)!r}; expected the line of a lock")
    found: dict[str, frozenset[str]] = {}
    for number, line in enumerate(lines, 2):
        match = LINE.fullmatch(line)
        what = match["what"] if match else ""
        if match is None or (what.startswith("-") and not what.startswith("-e ")):
            raise UserError(
                f"line {number} of the lock {path} is {visible(line, 60)!r}; expected a"
                " distribution with its version or address, and hashes"
            )
        found[what] = frozenset(re.findall(r"[0-9a-f]{64}", match["hashes"]))
    return Lock(head[1], found)


def lock_among(
    specs: Sequence[str],
    constraint: str | os.PathLike[str] | None,
    requirements: Sequence[str | os.PathLike[str]],
) -> Lock | None:
    """The lock that SPEC is, None where it is none; UserError for a lock beside anything else."""
    every = [*specs, *(os.fspath(file) for file in requirements)]
    locks = [spec for spec in every if is_lock(spec)]
    if not locks:
        return None
    if list(specs) != locks or len(locks) > 1 or constraint:
        raise UserError(
            f"{locks[0]} is a lock, which says all that is installed; leave out every other --from,"
            " --constraint and --requirements"
        )
    return read_lock(Path(locks[0]))


def lock_of(inside: Mapping[str, Any], hashes: Mapping[str, Iterable[str]]) -> Lock:
    """The lock of what is installed.

    Parameters
    ----------
    inside : mapping
        What the environment's interpreter says of itself, see `kobench.environments.inside`.
    hashes : mapping of str to iterable of str
        By normalised name the sha256 of files that it may come from, as an installer says.
    """
    needed = {name for each in inside["installed"] for name in each["needs"]}
    lines = {}
    for each in inside["installed"]:
        name, version = str(each["name"]), str(each["version"])
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in OWN or (key == "setuptools" and key not in {*needed, *hashes}):
            continue  # it came with the virtual environment
        if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
            continue  # no registry has it, and no requirements file can name it
        what, known = f"{key}=={version}", set(hashes.get(key, ()))
        if address := address_of(Path(str(each["metadata"]))):
            what, known = line_of(key, address)
        lines[what] = frozenset(filter(HASH.fullmatch, known))
    return Lock(str(inside["version"]), lines)


def address_of(metadata: Path) -> Mapping[str, Any]:
    """Where a distribution came from that was named by an address (PEP 610); {} for others."""
    try:
        document = json.loads(read_bounded(metadata / "direct_url.json", MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    good = isinstance(document, dict) and ADDRESS.fullmatch(str(document.get("url", "")))
    return document if good else {}


def line_of(name: str, address: Mapping[str, Any]) -> tuple[str, set[str]]:
    """What pip takes for a distribution with an address, and the hashes of its file."""
    url = str(address["url"])
    place = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    if isinstance(address.get("dir_info"), dict):
        if address["dir_info"].get("editable") and place is not None:
            return f"-e {place}", set()
        return f"{name} @ {url}", set()
    if isinstance(version := address.get("vcs_info"), dict):
        at, tool = str(version.get("commit_id", "")), str(version.get("vcs", ""))
        whole = f"{tool}+{url}@{at}"
        return f"{name} @ {whole if ADDRESS.fullmatch(whole) else url}", set()
    found = set()
    if isinstance(archive := address.get("archive_info"), dict):
        said = archive.get("hashes")
        found = {str(said["sha256"])} if isinstance(said, dict) and "sha256" in said else set()
    if not found and place is not None and place.is_file():
        found = {sha256_of(place)}
    return f"{name} @ {url}", found


def refuse_others(wanted: Lock, found: Lock) -> None:
    """Raise UserError where what was installed is not what a lock says."""
    only = sorted(set(wanted.lines) ^ set(found.lines))
    if only:
        more = f" and {len(only) - 6} more" if len(only) > 6 else ""
        raise UserError(
            "what was installed is not what the lock says; these are in one of them alone:"
            f" {visible(', '.join(only[:6]))}{more}. Nothing was kept"
        )
