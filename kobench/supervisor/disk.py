"""The file systems that a trial may fill: what is kept free of them, and who ends it in time.

A limit of what a trial may write does not know how large the disk is. So each trial gets a share of
what is free when it starts, and when little is left it is ended, so that records can be written.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kobench.errors import TrialFailed, UserError
from kobench.util.machine import MB

#: Bytes that are kept free for records and answers, and the share of a file system that is enough
#: where it is small.
RESERVE, OF_SMALL = 512 * MB, 1 / 20

#: The same for files and folders, of which many file systems can hold only so many.
RESERVED_FILES = 10_000

#: The least share of a trial, as a part of what is kept free. Who wrote less than this is not the
#: first who is ended when little is left.
LEAST = 1 / 8

#: Seconds between two looks.
LOOK = 0.1

#: Seconds in which another trial's end may make room, before one is ended that wrote little.
GRACE = 1.0

#: Seconds in which room must come back once a trial was ended; some file systems take their time.
PATIENCE = 5.0

#: What every trial may write to where it has no file tree of its own.
COMMON = (Path("/tmp"), Path("/dev/shm"))


class NoRoomError(UserError):
    """A disk is nearly full, and no trial is to blame; what was finished is kept."""

    exit_code = 1


@dataclass(frozen=True)
class Space:
    """What is left of a file system.

    Attributes
    ----------
    free, kept : int
        Bytes that an ordinary user may still write, and how many of them are kept.
    files, files_kept : int
        The same for files and folders; -1 left where there is no such bound.
    """

    free: int
    kept: int
    files: int
    files_kept: int

    @property
    def scarce(self) -> bool:
        """Whether less is left than is kept."""
        return self.free < self.kept or 0 <= self.files < self.files_kept

    @property
    def urgent(self) -> bool:
        """Whether less than half of that is left."""
        return self.free < self.kept / 2 or 0 <= self.files < self.files_kept / 2

    def __str__(self) -> str:
        files = f" and {self.files:,} files" if 0 <= self.files < self.files_kept else ""
        return f"{self.free // MB:,} MB{files}"


def space(place: Path) -> Space:
    """What is left of the file system on which a place lies."""
    found = os.statvfs(place)
    size, files = found.f_blocks * found.f_frsize, found.f_files
    return Space(
        free=found.f_bavail * found.f_frsize,
        kept=min(RESERVE, int(size * OF_SMALL)),
        files=found.f_favail if files else -1,
        files_kept=min(RESERVED_FILES, int(files * OF_SMALL)),
    )


class Disk:
    """The file systems of one trial, watched by a thread of its own as long as it runs.

    Parameters
    ----------
    folder : Path
        The trial's folder.
    jobs : int
        How many trials run at a time.

    Attributes
    ----------
    share : int
        Bytes that this trial may write: a part for each job of what was free and is not kept.
    low : str
        What was left when the trial had to be ended, "" as long as it had not.

    Raises
    ------
    NoRoomError
        There is no room for any trial.
    """

    def __init__(self, folder: Path, jobs: int = 1) -> None:
        self.folder, self.jobs, self.low = folder, jobs, ""
        self._places = [folder]
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.refuse_if_scarce()
        self.at_start = space(folder)
        left = max(0, self.at_start.free - self.at_start.kept)
        self.share = max(left // jobs, int(self.at_start.kept * LEAST), MB)

    def refuse_if_scarce(self) -> None:
        """Raise NoRoomError where too little is left, and goes on to be so for some seconds."""
        until = time.monotonic() + PATIENCE
        while (left := space(self.folder)).scarce:
            if time.monotonic() > until:
                raise NoRoomError(
                    f"the disk of {self.folder.parent} has {left} left, and kobench keeps"
                    f" {left.kept // MB:,} MB and {left.files_kept:,} files of it for records; make"
                    " room. What was finished is kept, the same command goes on from there"
                )
            time.sleep(LOOK)

    def watch_common(self, places: Iterable[Path] = COMMON) -> None:
        """Look at other file systems, too, but those that are nearly full already."""
        for place in places:
            with contextlib.suppress(OSError):
                known = {other.stat().st_dev for other in self._places}
                if place.stat().st_dev not in known and not space(place).scarce:
                    self._places = [*self._places, place]

    def start(self, written: Callable[[], int], end: Callable[[], None]) -> None:
        """Begin to watch.

        Parameters
        ----------
        written : callable
            Tells how many bytes the trial is known to have written.
        end : callable
            Ends the trial.
        """
        self._thread = threading.Thread(target=self._watch, args=(written, end), daemon=True)
        self._thread.start()

    def _watch(self, written: Callable[[], int], end: Callable[[], None]) -> None:
        scarce_since: float | None = None
        while not self._stop.wait(LOOK):
            left = self._scarce()
            if not left:
                scarce_since = None
                continue
            now = time.monotonic()
            scarce_since = now if scarce_since is None else scarce_since
            wrote_little = written() < self.at_start.kept * LEAST
            others = self.jobs > 1 and not any(found.urgent for found in left)
            if wrote_little and others and now < scarce_since + GRACE:
                continue
            self.low = str(left[0])
            end()
            return

    def _scarce(self) -> list[Space]:
        """What is left where little is."""
        return [found for place in self._places if (found := _space(place)) and found.scarce]

    def close(self) -> None:
        """Watch no longer."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def check(self, stage: str, written: int, has_failed: bool = False) -> None:
        """Raise TrialFailed where the trial was ended for want of room.

        Parameters
        ----------
        stage : str
            What it was doing.
        written : int
            Bytes that it is known to have written.
        has_failed : bool
            Whether it ended by itself: where little is left now, that was for want of room, too.
        """
        if has_failed and not self.low:
            self.low = next((str(found) for found in self._scarce()), "")
        if self.low:
            raise full(
                stage,
                f"{self.low} were left, of {self.at_start} when it started; it was seen to write"
                f" {written // MB:,} MB",
            )

    def refuse_if_not_back(self) -> None:
        """Raise NoRoomError where the end of a trial that was ended for want of room made none."""
        if self.low:
            self.refuse_if_scarce()


def full(stage: str, found: str) -> TrialFailed:
    """How a trial ends that would have filled the disk; `found` is what was measured."""
    message = "it would have filled the disk, of which kobench keeps some for records"
    return TrialFailed("disk-full", stage, message, found=f"{message}: {found}")


def _space(place: Path) -> Space | None:
    """The same as `space`, None where it can't be said."""
    try:
        return space(place)
    except OSError:
        return None
