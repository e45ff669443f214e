"""Run pip, and end it as soon as it has an archive: nothing in the archive is ever run.

`pip download` of a source distribution goes on after the download: it unpacks the archive and runs
its build program, to ask for the name of what it has just got. This file is run by an interpreter
that has pip, and watches it by Python's audit events, which no code can take off again. When pip
first opens a file that has the checksum (to check it, before it unpacks anything), that file is
copied and the process ends. Whatever pip tries to start before that is refused.

Run as: python only_download.py SHA256 COPY MOST-BYTES ARGUMENT-OF-PIP ...
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import runpy
import shutil
import sys
from typing import Any

#: How source distributions are called.
ARCHIVE = re.compile(r".*\.(tar\.gz|tgz|zip|tar\.bz2|tar\.xz)")

#: Events of a process that is started.
STARTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    }
)


def sha256_of(path: str) -> str:
    """Hash the bytes of a file."""
    total = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            total.update(piece)
    return total.hexdigest()


class Watch:
    """What is done at each audit event.

    Parameters
    ----------
    sha256 : str
        Of the archive that is waited for.
    copy : str
        Where it is copied.
    """

    def __init__(self, sha256: str, copy: str) -> None:
        self.sha256, self.copy, self.busy = sha256, copy, False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS:
            raise PermissionError(f"kobench lets pip start nothing ({event})")
        if event != "open" or self.busy:
            return
        path, mode, flags = arguments
        writes = any(letter in (mode or "") for letter in "wax+") or (
            mode is None and (flags or 0) & (os.O_WRONLY | os.O_RDWR)
        )
        if writes or not isinstance(path, str | os.PathLike):
            return
        name = os.fspath(path)
        if isinstance(name, str) and ARCHIVE.fullmatch(name) and os.path.isfile(name):
            self.busy = True
            if sha256_of(name) == self.sha256:
                shutil.copyfile(name, self.copy)
                os._exit(0)
            self.busy = False


def limit_files(most: int) -> None:
    """Let this process write no larger file, where the system has such a limit."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def main() -> None:
    """Watch pip, and run it."""
    _, sha256, copy, most, *arguments = sys.argv
    limit_files(int(most))
    sys.addaudithook(Watch(sha256, copy))
    sys.argv = ["pip", *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
