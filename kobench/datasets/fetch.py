"""Files of datasets: where they lie, whether they are the right ones, and how one with a web
address gets here.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.errors import UserError

CHUNK = 1 << 20

#: Told the bytes that are here and the bytes expected (0: not known) while a file comes in.
Progress = Callable[[int, int], None]


def data_folder() -> Path:
    """Where files of datasets are looked for: the environment's KOBENCH_DATA, else `data` in the
    user's cache folder.
    """
    from platformdirs import user_cache_path

    named = os.environ.get("KOBENCH_DATA", "")
    return Path(named).expanduser() if named else user_cache_path("kobench") / "data"


def places(card: Mapping[str, Any]) -> list[Path]:
    """Where a card's file is looked for, in order; see `find_file`."""
    file = card["file"]
    inside = Path(file.get("folder", "")) / file["name"]
    if file.get("package"):
        spec = importlib.util.find_spec(file["package"])  # does not import it
        if spec is None or not spec.origin:
            origin = _origin(card)
            raise UserError(
                f"dataset {card['name']!r} is part of the Python package {file['package']}, which"
                f" is not installed here{origin}"
            )
        return [Path(spec.origin).parent / inside]
    data = data_folder()
    own = (
        [Path(card.get("card", "")).parent / Path(file["path"]).expanduser()]
        if file.get("path")
        else []
    )
    return list(dict.fromkeys([*own, data / inside, data / file["name"]]))


def find_file(card: Mapping[str, Any]) -> Path:
    """The file of a card (`DatasetSpec.card`), with its checksum checked; nothing is downloaded.

    It is looked for at the `path` of the card's [file] (relative ones start in the card's folder),
    at `<data>/<folder>/<name>` and at `<data>/<name>`; with `package`, in that installed package
    only. Raises UserError where it is missing (saying where it comes from and where to put it) or
    has another checksum.
    """
    file, looked = card["file"], places(card)
    found: Path | None = next((place for place in looked if place.is_file()), None)
    if found is None:
        size = f" ({file['bytes']:,} bytes)" if "bytes" in file else ""
        if file.get("package"):
            remedy = f"install {file['package']} again, in a version that has it"
        elif file.get("url"):
            remedy = f"a run that uses the dataset downloads it from {file['url']}"
        else:
            remedy = "put it there, or set KOBENCH_DATA to the folder that has it"
        where = " or ".join(map(str, looked)) + _origin(card)
        raise UserError(
            f"dataset {card['name']!r} needs the file {file['name']}{size}, which is not at"
            f" {where}; {remedy}"
        )
    if file.get("sha256"):
        remedy = (
            f"install a version of {file['package']} that ships it"
            if file.get("package")
            else "bring the right file or correct the card"
        )
        check_sha256(found, file["sha256"], f"the file of dataset {card['name']!r}", remedy)
    return found


def obtain(card: Mapping[str, Any], progress: Progress | None = None) -> Path:
    """As `find_file`, but a missing file whose card has a `url` is downloaded into the data folder
    first.
    """
    file = card["file"]
    if (
        file.get("url")
        and not file.get("package")
        and not any(place.is_file() for place in places(card))
    ):
        download(
            file["url"],
            data_folder() / file.get("folder", "") / file["name"],
            file.get("sha256", ""),
            card["name"],
            progress=progress,
        )
    return find_file(card)


def _origin(card: Mapping[str, Any]) -> str:
    return f"; {card['where'].rstrip('.')}" if card.get("where") else ""


def check_sha256(path: Path, expected: str, what: str, remedy: str) -> None:
    """UserError where the file's sha256 is another; a file of unchanged size and time is not read
    again.
    """
    found = _remembered_sha256(path)
    if found != expected.lower():
        raise UserError(
            f"{what}, {path}, has sha256 {found} but {expected.lower()} is expected; {remedy}"
        )


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remembered_sha256(path: Path) -> str:
    from platformdirs import user_cache_path

    from kobench.util.files import write_atomically

    status = path.stat()
    key, stamp = str(path.resolve()), [status.st_size, status.st_mtime_ns, status.st_ino]
    memory = user_cache_path("kobench") / "sha256.json"
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(memory.read_text())
        known = content if isinstance(content, dict) else {}
    entry = known.get(key)
    if isinstance(entry, list) and entry[:-1] == stamp:
        return str(entry[-1])
    found = sha256_of(path)
    with contextlib.suppress(OSError):  # a cache folder that cannot be written costs time only
        write_atomically(memory, json.dumps({**known, key: [*stamp, found]}).encode())
    return found


def download(
    url: str,
    target: Path,
    sha256: str,
    dataset: str,
    attempts: int = 4,
    pause: float = 1.0,
    progress: Progress | None = None,
) -> Path:
    """Bring `url` to `target`; whole and with the right sha256, or not at all.

    It grows in a hidden `.part` file beside the target, which a later call carries on with, and is
    moved when its checksum is right. Two processes that want the same file wait for each other.
    Broken connections and server errors (5xx) are tried again, `attempts` times in all, with
    `pause` seconds times the number of the attempt between them. Raises UserError where the address
    is refused, the attempts are used up, or the checksum is wrong.
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
    with _locked(part):
        if target.is_file():
            return target
        for fresh in (
            False,
            True,
        ):  # what an earlier call left behind may be spoilt: then once more from the start
            carried_on = part.exists() and not fresh
            if fresh:
                part.unlink(missing_ok=True)
            _fill(url, part, dataset, attempts, pause, progress)
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
    url: str, part: Path, dataset: str, attempts: int, pause: float, progress: Progress | None
) -> None:
    """Append to the part file until it is whole, trying again where the connection breaks."""
    for attempt in range(1, attempts + 1):
        try:
            return _append(url, part, progress)
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


def _append(url: str, part: Path, progress: Progress | None) -> None:
    """One request for what the part file lacks; OSError where the answer ends early."""
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
        if have and not (
            answer.status == 206
            and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        ):
            have = 0  # the server does not carry on: it sends the whole file
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with open(part, "r+b" if have else "wb") as stream:
            stream.seek(have)
            stream.truncate()
            while chunk := answer.read(CHUNK):
                stream.write(chunk)
                have += len(chunk)
                if progress is not None:
                    progress(have, total)
    if have < total:
        raise OSError(f"the connection ended after {have:,} of {total:,} bytes")


@contextlib.contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Only one process at a time, where the system has file locks; the lock goes with the
    process.
    """
    try:
        import fcntl
    except ImportError:
        # Windows: two simultaneous downloads may both fail their checksum, never pass it wrongly
        yield
        return
    with open(part.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
