"""Members of a Python source distribution: the archive is got by pip, and read without running it.

pip finds the archive as it is set up on this machine (index, mirrors, proxies, folders of files),
and is ended before it would unpack or run anything of it; see `kobench.datasets.only_download`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kobench.datasets.archive import read_members
from kobench.datasets.right import matches
from kobench.datasets.sources import Distribution
from kobench.errors import UserError
from kobench.util.text import one_line

#: Bytes that pip may write into one file where the size of the archive is not known.
MOST_ARCHIVE = 4 << 30

#: Seconds in which pip must get on.
PATIENCE = 300.0

#: What is run, and pip's arguments: one archive, with this hash, and nothing built of it.
SCRIPT = Path(__file__).with_name("only_download.py")
PIP = (
    "download",
    "--no-deps",
    "--no-binary=:all:",
    "--no-build-isolation",
    "--require-hashes",
    "--ignore-requires-python",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
)


def get_distribution(
    source: Distribution,
    folder: Path,
    dataset: str,
    progress: Callable[[int, int], None] | None = None,
    python: str = sys.executable,
) -> dict[str, Path]:
    """Get the members of a source distribution.

    Parameters
    ----------
    source : Distribution
    folder : Path
        Where its members go, a folder that is there.
    dataset : str
        Name of the dataset, for messages.
    progress : callable, or None
        Told the bytes that are here and those expected (0: not known).
    python : str
        The interpreter whose pip is run.

    Returns
    -------
    dict of str to Path
        The members by their names without folders.

    Raises
    ------
    UserError
        Where pip does not get the archive, or it lacks a member.
    """
    there = {name: folder / name for name in source.names}
    if all(path.is_file() for path in there.values()):
        return there
    archive = folder / f"{source.name}-{source.version}.archive"
    if archive.is_file() and not matches(archive, source.checksum):
        raise UserError(  # it may be a user's own, put there as a message says
            f"dataset {dataset!r}: {archive} is there, and is not the archive that its card expects"
            f" (sha256 {source.checksum.value}); move it away and call this again"
        )
    if not archive.is_file():
        _run_pip(source, archive, dataset, progress, python)
    if not matches(archive, source.checksum):
        archive.unlink()
        raise UserError(
            f"dataset {dataset!r}: pip gave another archive than its card expects; correct the card"
        )
    try:
        read_members(source, archive, folder)
    except ValueError as error:
        raise UserError(
            f"dataset {dataset!r}: {source.name} {source.version} cannot be read"
            f" ({one_line(str(error))[:200]}); correct the card"
        ) from error
    archive.unlink()
    return there


def _run_pip(
    source: Distribution,
    archive: Path,
    dataset: str,
    progress: Callable[[int, int], None] | None,
    python: str,
) -> None:
    """Have pip download the archive; UserError with pip's reason where it does not."""
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".pip-") as name:
        own = Path(name)
        wanted = own / "wanted.txt"
        pin = f"{source.name}=={source.version} --hash=sha256:{source.checksum.value}\n"
        wanted.write_text(pin)
        copy, said = own / "archive", own / "said.txt"
        most = source.size + (64 << 20) if source.size else MOST_ARCHIVE
        command = [python, "-P", str(SCRIPT), source.checksum.value, str(copy), str(most), *PIP]
        environment = {**os.environ, "TMPDIR": name, "PIP_REQUIRE_VIRTUALENV": "false"}
        with open(said, "wb") as output:
            process = subprocess.Popen(
                [*command, "-d", str(own / "kept"), "-r", str(wanted)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=name,
            )
            try:
                _wait(process, own, source.size or 0, progress)
            finally:
                process.kill()
                process.wait()
        if copy.is_file():
            os.replace(copy, archive)
            return
        reason = _reason(said.read_text(errors="replace"))
    raise UserError(
        f"dataset {dataset!r}: pip does not get the source distribution {source.name}"
        f" {source.version} from its index ({reason}); try again where pip reaches an index, or"
        f" put a copy of the archive there: {archive}"
    )


def _wait(
    process: subprocess.Popen[bytes],
    folder: Path,
    size: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Wait until pip has ended, or has not got on for too long."""
    most, since = 0, time.monotonic()
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        here = max(map(_size, folder.rglob("*")), default=0)
        if here > most:
            most, since = here, time.monotonic()
            if progress is not None:
                progress(min(most, size) if size else most, size)
        elif time.monotonic() - since > PATIENCE:
            return


def _size(path: Path) -> int:
    """The bytes of a file, 0 for what is none or gone."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _reason(output: str) -> str:
    """What pip says went wrong, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "pip is not installed in this Python; `python -m ensurepip` installs it"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    unreachable = [line for line in lines if "NewConnectionError" in line or "Max retries" in line]
    found = [*(["no connection to the index"] if unreachable else []), *errors[-1:]]
    return one_line("; ".join(found) or (lines[-1] if lines else "it says nothing"))[:300]
