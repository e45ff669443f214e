"""A file from the web: in parts where it must be, and only with the right checksum."""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobench.datasets import web
from kobench.datasets.sources import Checksum, fault_of_url
from kobench.errors import UserError
from kobench.util.files import checksum_of
from kobench.util.lock import locked
from kobench.util.lock_file import NoLockError

#: Called with the bytes that are here and the bytes expected (0: not known) while a file comes in.
Progress = Callable[[int, int], None]

#: Bytes that stay free on a disk, and after how many of a file of unknown length that is looked at.
SPARE, LOOK = 1 << 20, 16 << 20

#: Errors of a full disk.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes
    ----------
    attempts : int
        How often a broken connection or a server error is tried, in all, at each address.
    pause : float
        Seconds between two attempts, times the number of the attempt.
    seconds : float
        Seconds without an answer, or with one that drips, after which a connection is broken.
    """

    attempts: int = 4
    pause: float = 1.0
    seconds: float = 60.0


def download(
    urls: Sequence[str],
    target: Path,
    checksum: Checksum,
    dataset: str,
    patience: Patience | None = None,
    progress: Progress | None = None,
    size: int | None = None,
    folder: Path | None = None,
    instead: str = "bring the file yourself",
) -> Path:
    """Download a file, whole and with the right checksum, or not at all.

    It grows in a hidden `.part` file, which a later call carries on with, and is moved when its
    checksum is right. Two processes that want the same file wait for each other.

    Parameters
    ----------
    urls : sequence of str
        Its http or https addresses, tried in turn.
    target : Path
        Where the file goes; one that is there is left as it is.
    checksum : Checksum
        Of the file.
    dataset : str
        Name of the dataset, for messages.
    patience : Patience, or None for the usual one
        How long a server is waited for.
    progress : Progress, or None
        Told how far it is.
    size : int, or None
        Bytes of the file, where that is known: no more is taken from a server.
    folder : Path, or None for that of the target
        Where the part lies.
    instead : str
        What a user can do where no address gives it, for the message.

    Raises
    ------
    UserError
        Where no address gives the file: each with why. Or where the disk is full.
    """
    for url in urls:
        if fault := fault_of_url(url):
            raise UserError(
                f"dataset {dataset!r}: its card's url {url!r} {fault}; correct the card"
            )
    folder = folder or target.parent
    part = folder / f".{target.name}.{checksum.value[:12]}.part"
    reasons = []
    with _full_disk_is_said(folder, dataset):
        for each in (folder, target.parent):
            each.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(part.with_suffix(".lock"), dataset):
            if target.is_file():
                return target
            for url in urls:
                try:
                    _get(url, part, checksum, patience or Patience(), progress, size)
                except web.AnswerError as error:
                    reasons.append(f"{url} {error}")
                else:
                    move(part, target)
                    return target
    raise UserError(f"dataset {dataset!r}: {'; '.join(reasons)}; try again later, or {instead}")


def move(file: Path, target: Path) -> None:
    """Give a whole file its name, also on another disk; at no moment is half of it there."""
    with open(file, "rb") as written:
        os.fsync(written.fileno())
    try:
        os.replace(file, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            shutil.copyfile(file, aside)
            os.replace(aside, target)
        finally:
            aside.unlink(missing_ok=True)
        file.unlink()


def _get(
    url: str,
    part: Path,
    checksum: Checksum,
    patience: Patience,
    progress: Progress | None,
    size: int | None,
) -> None:
    """Fill the part file from one address until it has the checksum; AnswerError otherwise."""
    # what an earlier call left behind may be spoilt: then once more from the start
    for fresh in (False, True):
        carried_on = part.exists() and not fresh
        if fresh:
            part.unlink(missing_ok=True)
        _fill(url, part, patience, progress, size)
        found = checksum_of(part, checksum.algorithm)
        if found == checksum.value:
            return
        if not carried_on:
            break
    with open(part, "rb") as file:
        known = web.described(file)
    part.unlink()
    raise web.AnswerError(
        f"gave a file with {checksum.algorithm} {found}{f' ({known})' if known else ''} but its"
        f" card expects {checksum.value}"
    )


def _fill(
    url: str, part: Path, patience: Patience, progress: Progress | None, size: int | None
) -> None:
    """Append to the part file until it is whole, trying again where the connection breaks."""
    for attempt in range(1, patience.attempts + 1):
        try:
            return _append(url, part, patience.seconds, progress, size)
        except web.AnswerError as error:
            if not error.later or attempt == patience.attempts:
                raise
        time.sleep(patience.pause * attempt)


def _append(
    url: str, part: Path, seconds: float, progress: Progress | None, size: int | None
) -> None:
    """One request for what the part file lacks; AnswerError where the answer is not that."""
    have = part.stat().st_size if part.exists() else 0
    answer = web.ask(url, have, seconds)
    if answer is None:
        # nothing lies behind what we have: the checksum says whether that is the file
        return
    with answer:
        given = answer.headers.get("Content-Range", "") if answer.status == 206 else ""
        if not given.startswith(f"bytes {have}-"):
            have = 0  # the server does not carry on: it sends the whole file
        length = _length(answer)
        expected = have + length if length else size or 0
        _check_length(part, have + length, size)
        _check_room(part, expected - have)
        coming = web.pieces(answer, seconds)
        piece = next(coming, b"")
        if not have and web.is_page(piece):  # seen before anything that is here is written over
            raise web.broken("it is a web page, not the file", later=False)
        # without a buffer: what has come stays here whatever ends this process
        with open(part, "r+b" if have else "wb", buffering=0) as stream:
            stream.seek(have)
            stream.truncate()
            while piece:
                have += len(piece)
                if not expected and have % LOOK < len(piece):
                    _check_room(part, 0)
                _check_length(part, have, size)
                rest = memoryview(piece)
                while rest:
                    rest = rest[stream.write(rest) :]
                if progress is not None:
                    progress(have, expected)
                piece = next(coming, b"")
    if have < expected:
        raise web.broken(f"the connection ended after {have:,} of {expected:,} bytes")


def _length(answer: http.client.HTTPResponse) -> int:
    """The bytes that an answer says it has, 0 where it says nothing."""
    said = answer.headers.get("Content-Length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 0


def _check_length(part: Path, have: int, size: int | None) -> None:
    """AnswerError where more comes than the card names."""
    if size is not None and have > size:
        part.unlink(missing_ok=True)
        raise web.AnswerError(f"gives more than the {size:,} bytes that its card names")


def _check_room(part: Path, more: int) -> None:
    """OSError where a disk has no room for so many bytes more."""
    free = shutil.disk_usage(part.parent).free
    if free < more + SPARE:
        raise OSError(errno.ENOSPC, f"{more:,} bytes are to come and {free:,} are free")


@contextlib.contextmanager
def _full_disk_is_said(folder: Path, dataset: str) -> Iterator[None]:
    """UserError in place of the error of a full disk, or of a folder that can't be written."""
    try:
        yield
    except OSError as error:
        remedy = "make room, or set KOBENCH_DATA to a folder on another disk"
        if error.errno not in FULL:
            remedy = "set KOBENCH_DATA to a folder that you may write to"
        raise UserError(
            f"dataset {dataset!r}: {folder} cannot be written ({error.strerror or error}); {remedy}"
        ) from error


@contextlib.contextmanager
def one_at_a_time(lock: Path, dataset: str) -> Iterator[None]:
    """One process at a time; who comes second waits. UserError where the lock is another file."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(lock, patience=None))
        except NoLockError as error:
            raise UserError(f"dataset {dataset!r}: {error}; move it away and try again") from None
        yield
