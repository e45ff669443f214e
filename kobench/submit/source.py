"""Where the code of a method can be had: asked of git, and of what its distribution says."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kobench.environments.lock import address_of
from kobench.plugins.entry import Entry
from kobench.submit.specification import SourceInfo
from kobench.util.git import git
from kobench.util.text import one_line

#: Seconds that git may take.
PATIENCE = 20.0

#: A name and password in an address.
CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")

#: Most letters of a licence; some distributions give its whole text.
LONGEST = 80


@dataclass
class Found:
    """What is known of a method's source.

    Attributes
    ----------
    source : SourceInfo or None
        Where it can be had; None where nobody can say.
    missing : list of str
        What an author has to do first.
    notes : list of str
        What an author should know.
    """

    source: SourceInfo | None = None
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def source_of(entry: Entry, said: str = "", uncommitted: bool = False) -> Found:
    """Where the code of a predictor can be had.

    Parameters
    ----------
    entry : Entry
        The predictor.
    said : str
        What the author says: an address, or ADDRESS@COMMIT; "" where git and the distribution are
        to be asked.
    uncommitted : bool
        Whether changes that no commit has are no reason to refuse.
    """
    if said:
        return Found(given(said))
    places = [Path(entry.plugin_file)] if entry.plugin_file else list(entry.roots.values())
    for place in places:
        found = in_checkout(place, uncommitted, project=not entry.plugin_file)
        if found is not None:
            return found
    if entry.plugin_file or not entry.version:
        return Found(missing=[NOWHERE.format(what=entry.plugin_file or entry.distribution)])
    if folder := installed_from(entry):
        found = in_checkout(folder, uncommitted, project=True)
        return found or Found(missing=[NOWHERE.format(what=f"the folder {folder}")])
    if named := address_here(entry):
        return Found(named)
    return Found(SourceInfo(address=f"{entry.distribution}=={entry.version}", changed=False))


#: The commit at the end of an address.
AT = re.compile(r"@[0-9a-f]{7,64}$")

NOWHERE = (
    "its source: {what} lies in no git checkout; put it into one, or say where it can be had with"
    " --source ADDRESS@COMMIT"
)


def given(said: str) -> SourceInfo:
    """The source that an author names.

    >>> given("https://x.org/a@0123456789").commit
    '0123456789'
    """
    address, _, commit = said.rpartition("@") if AT.search(said) else (said, "", "")
    return SourceInfo(address=CREDENTIALS.sub("", address), commit=commit or None, changed=False)


def address_here(entry: Entry) -> SourceInfo | None:
    """The address that a distribution was installed from; None where a registry had it."""
    for where in metadata_of(entry):
        said = address_of(where)
        url, version = str(said.get("url", "")), said.get("vcs_info")
        if url and isinstance(version, dict):
            commit = str(version.get("commit_id", "")) or None
            return SourceInfo(address=CREDENTIALS.sub("", url), commit=commit, changed=False)
        if url and not url.startswith("file:"):
            return SourceInfo(address=CREDENTIALS.sub("", url), changed=False)
    return None


def installed_from(entry: Entry) -> Path | None:
    """The folder of this machine that a distribution was installed from; None for any other."""
    for where in metadata_of(entry):
        url = str(address_of(where).get("url", ""))
        if url.startswith("file:"):
            place = Path(unquote(urlsplit(url).path))
            return place if place.is_dir() else place.parent
    return None


def metadata_of(entry: Entry) -> Iterator[Path]:
    """The folders of metadata of its distribution, beside its packages."""
    name = re.sub(r"[-_.]+", "_", entry.distribution).lower()
    for root in entry.roots.values():
        for folder in sorted(root.parent.glob("*.dist-info")):
            if re.sub(r"[-_.]+", "_", folder.name.partition("-")[0]).lower() == name:
                yield folder


def in_checkout(place: Path, uncommitted: bool, project: bool) -> Found | None:
    """What git says of a file or folder; None where it lies in no checkout that tracks it.

    Parameters
    ----------
    place : Path
        A module, or the folder of a package.
    uncommitted : bool
        Whether changes that no commit has are no reason to refuse.
    project : bool
        Whether it is found by the project that it belongs to, and not by itself.
    """
    folder = place if place.is_dir() else place.parent
    top = asked(folder, "rev-parse", "--show-toplevel")
    if not top or not asked(folder, "ls-files", "--", str(place)):
        return None
    found = Found()
    commit = asked(folder, "rev-parse", "HEAD")
    address = CREDENTIALS.sub("", asked(folder, "remote", "get-url", "origin"))
    lies = project_of(place, Path(top)) if project else place
    inside = os.path.relpath(os.path.realpath(lies), os.path.realpath(top))
    said = asked(folder, "status", "--porcelain", "--untracked-files=all", "--", str(place))
    changed = [line[3:] for line in said.splitlines() if "__pycache__" not in line]
    if changed and not uncommitted:
        files = ", ".join(changed[:3])
        found.missing.append(
            f"a commit with its code: {place} has changes that none has ({one_line(files)}); commit"
            " them and run again, or say --uncommitted"
        )
    if not address:
        found.missing.append(
            f"the address of its repository: {top} has no remote called origin; add one, or say"
            " --source ADDRESS@COMMIT"
        )
    elif not asked(folder, "branch", "-r", "--contains", commit):
        found.notes.append(f"commit {commit[:12]} is in no branch of {address} yet; push it")
    found.source = SourceInfo(
        address=address,
        commit=commit,
        folder=None if inside == "." else inside,
        changed=bool(changed),
    )
    return found


def project_of(place: Path, top: Path) -> Path:
    """The folder with the project that a package or module belongs to, inside its checkout."""
    for folder in (place, *place.parents):
        if (folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file():
            return folder
        if os.path.realpath(folder) == os.path.realpath(top):
            break
    return top


def asked(folder: Path, *words: str) -> str:
    """What git prints, "" where it fails or is not there."""
    try:
        done = git(*words, folder=folder, patience=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").rstrip("\n") if done.returncode == 0 else ""


def licence_of(entry: Entry) -> str:
    """The licence that its distribution declares, "" for none."""
    for folder in metadata_of(entry):
        said = importlib.metadata.PathDistribution(folder).metadata
        named = [said[key] for key in ("License-Expression", "License") if key in said]
        named += [
            line.rpartition("::")[2].strip()
            for line in said.get_all("Classifier", [])
            if line.startswith("License ::")
        ]
        for text in named:
            if text and len(text) <= LONGEST and "\n" not in text:
                return str(text)
    return ""
