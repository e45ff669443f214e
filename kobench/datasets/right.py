"""Whether a file is the one that a card means: by its sha256, its md5, or what it holds."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kobench.datasets.sources import Checksum, WebFile, read_sources
from kobench.errors import UserError
from kobench.util.files import checksum_of, write_atomically
from kobench.util.hashes import Hashes, files_below, hash_of_all


def expected_of(card: Mapping[str, Any]) -> dict[str, str]:
    """What the card says of its file: "sha256", "md5" and "content", those that it says.

    Any of them is enough: a file that is made has a content, and each of its containers a sha256.
    """
    file = card.get("file", {})
    said = {key: file[key] for key in ("sha256", "content") if file.get(key)}
    if "sha256" in said:
        said["sha256"] = said["sha256"].lower()
    if "recipe" not in card:
        for source in read_sources(card, f"card {card.get('name')!r}"):
            if isinstance(source, WebFile):  # of a distribution it is the archive's
                said.setdefault(source.checksum.algorithm, source.checksum.value)
    return said


def identity(card: Mapping[str, Any]) -> str:
    """One text that stands for the file's content in keys: its sha256 where the card has it.

    The content comes last, so that results stay when somebody opens the file and writes its content
    into the card.
    """
    said = expected_of(card)
    for key in ("sha256", "md5", "content"):
        if key in said:
            return said[key] if key == "sha256" else f"{key} {said[key]}"
    return ""


def check_file_is_right(card: Mapping[str, Any], path: Path, what: str, remedy: str) -> None:
    """UserError where a file is not the one that its card means.

    A file whose size and times have not changed is not read again.

    Parameters
    ----------
    card : mapping
        The card.
    path : Path
        The file.
    what, remedy : str
        How the message starts and ends.
    """
    from platformdirs import user_cache_path

    said = expected_of(card)
    if not said:
        return
    memory = user_cache_path("kobench")
    try:
        found = sha256_of_content(path)
    except OSError as error:
        raise UserError(
            f"{what}, {path}, cannot be read ({error.strerror or error}); see to it that you may"
            " read it"
        ) from error
    if found == said.get("sha256"):
        return
    derived = _Derived(memory / "contents.json", found)
    if "md5" in said:
        found_md5 = derived.of("md5", said["md5"], lambda: checksum_of(path, "md5"))
        if found_md5 == said["md5"]:
            return
    if "content" in said:
        from kobench.datasets.content import VERSION, content_of_file

        held = derived.of(
            f"content {VERSION}", said["content"], lambda: content_of_file(path, remedy)
        )
        if held == said["content"]:
            return
        raise UserError(
            f"{what}, {path}, does not hold what its card says: the digest of its content is"
            f" {held} but {said['content']} is expected; {remedy}"
        )
    if "md5" in said:
        raise UserError(
            f"{what}, {path}, has md5 {found_md5} but {said['md5']} is expected; {remedy}"
        )
    raise UserError(
        f"{what}, {path}, has sha256 {found} but {said['sha256']} is expected; {remedy}"
    )


def sha256_of_content(path: Path) -> str:
    """sha256 of a file, or of the names and contents of all files in a folder.

    It is remembered: what has not changed is not read again.
    """
    from platformdirs import user_cache_path

    hashes = Hashes(user_cache_path("kobench") / "sha256.json")
    if path.is_dir():
        return hash_of_all(files_below(path), hashes, f"the folder {path}")
    found = hashes.of(path)
    hashes.keep()
    return found


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = files_below(path).values() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def matches(path: Path, checksum: Checksum) -> bool:
    """Whether the bytes of a file have a checksum; OSError where it can't be read."""
    return checksum_of(path, checksum.algorithm) == checksum.value


class _Derived:
    """What follows from the bytes of a file, remembered by their sha256.

    Parameters
    ----------
    memory : Path
        Where it is remembered; one that can't be read or written costs time and nothing else.
    sha256 : str
        Of the file.
    """

    def __init__(self, memory: Path, sha256: str) -> None:
        self.memory, self.sha256 = memory, sha256
        self.known: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            content = json.loads(memory.read_bytes())
            self.known = content if isinstance(content, dict) else {}

    def of(self, kind: str, expected: str, compute: Callable[[], str]) -> str:
        """One thing that follows, computed where it is not known to be as expected."""
        here = self.known.get(self.sha256)
        if isinstance(here, dict) and here.get(kind) == expected:
            return expected
        found = compute()
        self.known[self.sha256] = {**(here if isinstance(here, dict) else {}), kind: found}
        with contextlib.suppress(OSError):
            write_atomically(self.memory, json.dumps(self.known).encode())
        return found
