"""The code of a method as its submission, or its user, names it: brought here to be run again."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kobench.errors import UserError
from kobench.results.faults import shown
from kobench.util.bounded import read_bounded
from kobench.util.files import parse_json
from kobench.util.git import git

#: Where a submission says where its code can be had, and its lock file.
SUBMISSION, LOCK = "submission.json", "lock.txt"

#: Bytes of it that are read, and seconds that git may take.
MOST, PATIENCE = 1 << 20, 600.0

#: A commit at the end of an address.
AT = re.compile(r"@([0-9a-f]{7,64})$")


@dataclass(frozen=True)
class Code:
    """Where the code of a method can be had.

    Attributes
    ----------
    address : str
        A repository, a folder or file, or what pip takes.
    commit, folder : str
        Of a repository, and the place in it; "" for none, and for its root.
    lock : Path or None
        The versions of what it needs.
    """

    address: str
    commit: str = ""
    folder: str = ""
    lock: Path | None = None


def named(text: str, lock: Path | None = None) -> Code:
    """The code that a user names: `ADDRESS[@COMMIT][#FOLDER]`.

    >>> named("https://x.org/a@0123456#b")
    Code(address='https://x.org/a', commit='0123456', folder='b', lock=None)
    """
    address, _, folder = text.partition("#")
    at = AT.search(address)
    if at is None:
        return Code(text, lock=lock)
    return Code(address[: at.start()].removeprefix("git+"), at[1], folder, lock)


def of_submission(folder: Path) -> Code | None:
    """The code of a submission, None for a folder that is none.

    Raises
    ------
    UserError
        Where it does not say where its code can be had.
    """
    path = folder / SUBMISSION
    if not path.is_file():
        return None
    try:
        said = parse_json(read_bounded(path, MOST).decode())["source"]
        parts = [said.get(name) or "" for name in ("address", "commit", "folder")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} says nothing of its source that can be read ({error})") from error
    if any(not isinstance(part, str) for part in parts) or not parts[0]:
        raise UserError(f"{path}: its source is {shown(said)}, expected an address")
    if said.get("changed"):
        raise UserError(
            f"{path} says that its code had changes that no commit has, so nobody else can run it"
        )
    lock = folder / LOCK
    address, commit, inside = map(str, parts)
    return Code(address, commit, inside, lock if lock.is_file() else None)


def fetch(code: Code, place: Path) -> Path:
    """The commit of a repository in a new folder, and the file or folder of it that is meant.

    Raises
    ------
    UserError
        Where git can't bring it.
    """
    if code.address.startswith("-") or not AT.fullmatch(f"@{code.commit}"):
        raise UserError(f"{code.address[:80]}@{code.commit[:80]} is no address with a commit")
    call_git("clone", "--no-checkout", "--quiet", "--", code.address, str(place))
    call_git("checkout", "--detach", "--quiet", code.commit, folder=place)
    inside = (place / code.folder).resolve()
    if not inside.is_relative_to(place.resolve()) or not inside.exists():
        raise UserError(f"commit {code.commit[:12]} of {code.address} has no {code.folder[:80]!r}")
    return inside


def call_git(*words: str, folder: Path | None = None) -> None:
    """Call git, which may fetch and starts nothing that a repository names.

    Raises
    ------
    UserError
        It fails.
    """
    try:
        done = git(*words, folder=folder, fetches=True, patience=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"git can't be run ({error})") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(
            f"git can't bring the code: {(lines or [f'exit code {done.returncode}'])[-1]}"
        )


def environment_of(wanted: str, lock: Path | None, say: Callable[[str], None]) -> str:
    """Make an environment of a folder, a wheel, or what pip takes; returns its name."""
    from kobench.environments.create import create

    name = f"rerun-{secrets.token_hex(4)}"
    create(name, [wanted], constraint=lock, say=say)
    return name
