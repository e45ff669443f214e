"""A file from the web: in parts where it must be, and only with the right checksum."""

from __future__ import annotations

import contextlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from kobench import __version__
from kobench.errors import UserError
from kobench.util.bounded import TooLargeError
from kobench.util.files import sha256_of
from kobench.util.lock import locked
from kobench.util.lock_file import NoLockError

#: Bytes that are read at once.
CHUNK = 1 << 20

#: Called with the bytes that are here and the bytes expected (0: not known) while a file comes in.
Progress = Callable[[int, int], None]


def download(
    url: str,
    target: Path,
    sha256: str,
    dataset: str,
    attempts: int = 4,
    pause: float = 1.0,
    progress: Progress | None = None,
    size: int | None = None,
) -> Path:
    """Download a file, whole and with the right checksum, or not at all.

    It grows in a hidden `.part` file beside the target, which a later call carries on with, and is
    moved when its checksum is right. Two processes that want the same file wait for each other.

    Parameters
    ----------
    url : str
        An http or https address.
    target : Path
        Where the file goes; one that is there is left as it is.
    sha256 : str
        Its checksum, 64 hexadecimal digits.
    dataset : str
        Name of the dataset, for messages.
    attempts : int
        How often a broken connection or a server error (5xx) is tried, in all.
    pause : float
        Seconds between two attempts, times the number of the attempt.
    progress : Progress, or None
        Told how far it is.
    size : int, or None
        Bytes of the file, where that is known: no more is taken from the server.

    Raises
    ------
    UserError
        Where the address is refused, more comes than `size`, the attempts are used up, or the
        checksum is wrong.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise UserError(
            f"dataset {dataset!r}: its card's url {url!r} is not an http(s) address; correct the"
            " card"
        )
    if not sha256:
        raise UserError(
            f"dataset {dataset!r}: its card has a url but no sha256, and kobench loads no unchecked"
            " file; add sha256 to the card"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{sha256[:12]}.part")
    with _locked(part, dataset):
        if target.is_file():
            return target
        # what an earlier call left behind may be spoilt: then once more from the start
        for fresh in (False, True):
            carried_on = part.exists() and not fresh
            if fresh:
                part.unlink(missing_ok=True)
            _fill(url, part, dataset, attempts, pause, progress, size)
            found = sha256_of(part)
            if found == sha256.lower():
                os.replace(part, target)
                return target
            if not carried_on:
                break
        part.unlink()
    raise UserError(
        f"dataset {dataset!r}: {url} gave a file with sha256 {found} but its card expects"
        f" {sha256.lower()}; correct the card or bring the file yourself"
    )


def _fill(
    url: str,
    part: Path,
    dataset: str,
    attempts: int,
    pause: float,
    progress: Progress | None,
    size: int | None,
) -> None:
    """Append to the part file until it is whole, trying again where the connection breaks."""
    for attempt in range(1, attempts + 1):
        try:
            return _append(url, part, progress, size)
        except TooLargeError as error:
            part.unlink(missing_ok=True)
            raise UserError(
                f"dataset {dataset!r}: {url} gives {error}; correct the card or bring the file"
                " yourself"
            ) from None
        except urllib.error.HTTPError as error:
            error.close()
            reason, final = f"{error.code} {error.reason}", error.code < 500
        except (OSError, http.client.HTTPException) as error:
            reason, final = str(error) or type(error).__name__, False
        if final or attempt == attempts:
            raise UserError(
                f"dataset {dataset!r}: {url} cannot be downloaded ({reason}); try again later or"
                " bring the file yourself"
            )
        time.sleep(pause * attempt)


def _append(url: str, part: Path, progress: Progress | None, size: int | None) -> None:
    """One request for what the part file lacks; OSError where the answer ends early.

    Raises TooLargeError where it is longer than the file is known to be.
    """
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": f"kobench/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        # nothing lies behind what we have: the checksum says whether that is the file
        error.close()
        return
    with answer:
        given = answer.headers.get("Content-Range", "") if answer.status == 206 else ""
        if not given.startswith(f"bytes {have}-"):
            have = 0  # the server does not carry on: it sends the whole file
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with open(part, "r+b" if have else "wb") as stream:
            stream.seek(have)
            stream.truncate()
            while chunk := answer.read(CHUNK):
                have += len(chunk)
                if size is not None and have > size:
                    raise TooLargeError(f"more than the {size:,} bytes that its card names")
                stream.write(chunk)
                if progress is not None:
                    progress(have, total)
    if have < total:
        raise OSError(f"the connection ended after {have:,} of {total:,} bytes")


@contextlib.contextmanager
def _locked(part: Path, dataset: str) -> Iterator[None]:
    """One process at a time; who comes second waits."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(part.with_suffix(".lock"), patience=None))
        except NoLockError as error:
            raise UserError(f"dataset {dataset!r}: {error}; remove it and try again") from None
        yield
