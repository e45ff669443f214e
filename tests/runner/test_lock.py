"""A lock holds where flock does, where it is refused and where it is granted to everybody."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from places import PREDICTORS

from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.runner.folder import LOCK, LostError
from kobench.runner.folder import locked as locked_results
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run, Silent
from kobench.util import lock
from kobench.util.lock import BusyError, is_held, locked, take
from kobench.util.lock_file import STALE, NoLockError, Owner, Seen, this_machine
from kobench.util.processes import runs, start_of

TINY = "grn:genes=10,cells=40"


@pytest.fixture
def dead() -> tuple[int, str]:
    """Number and start of a process that has ended."""
    with subprocess.Popen(["sleep", "60"]) as process:
        start = start_of(process.pid)
        process.kill()
    assert start
    return process.pid, start


def lay(path: Path, processes: list[tuple[int, str]], machine: str = "", silent: float = 0) -> None:
    """A lock of these processes whose owner gave no sign of life for so many seconds."""
    owner = Owner("0123", "node3", machine or this_machine(), tuple(processes))
    path.write_bytes(owner.written())
    os.utime(path, (time.time() - silent,) * 2)


def me() -> tuple[int, str]:
    return os.getpid(), start_of(os.getpid()) or ""


def test_one_holds_it_and_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path) as own:
        assert own.claim.holds()
        assert is_held(path)
        with pytest.raises(BusyError, match=rf"process {os.getpid()} on .*, last heard of \d+ s"):
            take(path)
    assert not own.claim.holds()
    assert not is_held(path)
    assert list(tmp_path.iterdir()) == []
    with locked(path) as next_one:
        assert next_one.after == ""


def test_on_one_machine_the_process_decides_and_not_the_time(
    tmp_path: Path, dead: tuple[int, str]
) -> None:
    path = tmp_path / "lock"
    lay(path, [dead])
    with locked(path) as own:
        assert own.after == f"process {dead[0]} on node3, last heard of 0 s ago"
    lay(path, [(os.getpid(), "1")])  # the number was given again
    with locked(path):
        pass
    for held in ([me()], [dead, me()]):
        lay(path, held, silent=100 * STALE)
        with pytest.raises(BusyError):
            take(path)
        assert is_held(path)


@pytest.mark.parametrize("processes", [[], "one that runs here"])
def test_from_another_machine_signs_of_life_decide(
    tmp_path: Path, processes: object, dead: tuple[int, str]
) -> None:
    path, theirs = tmp_path / "lock", [me()] if processes else [dead]
    lay(path, theirs, "another boot", silent=STALE - 30)
    with pytest.raises(BusyError, match=r"on node3, last heard of 27\d s ago"):
        take(path)
    lay(path, theirs, "another boot", silent=STALE + 1)
    assert not is_held(path)
    with locked(path) as own:
        assert own.claim.holds()


def test_an_owner_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.01)
    with locked(tmp_path / "lock"):
        os.utime(tmp_path / "lock", (0, 0))
        until = time.monotonic() + 30
        while not (tmp_path / "lock").stat().st_mtime:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_who_has_lost_it_leaves_the_new_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.01)
    path = tmp_path / "lock"
    with locked(path) as own:
        lay(path, [me()], silent=50)
        theirs, touched = path.read_bytes(), path.stat().st_mtime
        assert not own.claim.holds()
        own.share([1])
        time.sleep(0.1)
    assert (path.read_bytes(), path.stat().st_mtime) == (theirs, touched)
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_processes_that_share_it_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    with locked(path) as own, subprocess.Popen(["sleep", "60"]) as other:
        own.share([other.pid])
        assert own.claim.holds()
        written = json.loads(path.read_bytes())
        path.write_text(json.dumps({**written, "processes": written["processes"][1:]}))
        assert is_held(path)
        other.kill()
        other.wait()
        assert not is_held(path)


def test_an_empty_one_was_left_half_made_and_any_other_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with pytest.raises(BusyError, match="a process that did not say which"):
        take(path)
    os.utime(path, (0, 0))
    with locked(path):
        pass
    for content in ("years of work", "{}", "[1]", '{"kobench-lock": 2}', "[" * 60_000):
        path.write_text(content)
        os.utime(path, (0, 0))
        with pytest.raises(NoLockError, match="is no lock of kobench's"):
            take(path)
        assert path.read_text() == content
        assert [file.name for file in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_no_lock_and_nobody_waits_for_it(tmp_path: Path, put) -> None:
    with locked(tmp_path / "mine") as mine:
        (tmp_path / "mine").unlink()
        put(tmp_path / "mine")
        assert not mine.claim.holds()
        with pytest.raises(NoLockError, match=r"mine is .*, and so no lock of kobench's"):
            take(tmp_path / "mine")
        put(tmp_path / LOCK)
        with pytest.raises(UserError, match=f"{LOCK} is .*, and so no lock.*--out"):
            locked_results(tmp_path).__enter__()


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, dead: tuple[int, str]
) -> None:
    def refused(*_: object) -> None:
        raise OSError(code, "no links")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "lock"
    lay(path, [dead])
    for _ in range(2):
        with locked(path) as own:
            assert own.claim.holds()
            with pytest.raises(BusyError):
                take(path)
    assert list(tmp_path.iterdir()) == []


def test_a_link_whose_answer_was_lost_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def twice(old: Path, new: Path) -> None:
        link(old, new)
        link(old, new)

    monkeypatch.setattr(os, "link", twice)
    with locked(tmp_path / "lock") as own:
        assert own.claim.holds()


def test_a_lock_that_can_not_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        take(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["before the second lock", "under the second lock"])
def test_who_comes_late_to_a_stale_lock_does_not_take_the_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: tuple[int, str], when: str
) -> None:
    """Between a look at the stale lock and its replacement another process takes it over."""
    path = tmp_path / "lock"
    lay(path, [dead])
    look, first, looks = lock._look, [], []

    def meanwhile(at: Path) -> Seen | None:
        seen = look(at)
        looks.append(at.name)
        if not first and len(looks) == (1 if when.startswith("before") else 2):
            first.append(None)
            if when.startswith("before"):
                first[0] = take(path)
            else:  # the second lock keeps it out, whoever it is
                with pytest.raises(BusyError):
                    take(path)
        return seen

    monkeypatch.setattr(lock, "_look", meanwhile)
    if when.startswith("before"):
        with pytest.raises(BusyError):
            take(path)
        assert first[0].claim.holds()
    else:
        assert take(path).claim.holds()
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_who_was_killed_while_it_took_over_is_in_nobodys_way(
    tmp_path: Path, dead: tuple[int, str]
) -> None:
    path = tmp_path / "lock"
    for left in ("lock", "lock+", "lock++", "lock.00ff.aside", "lock+.00ff.aside"):
        lay(tmp_path / left, [dead])
    lay(tmp_path / "lock.11ff.aside", [me()])  # that one is at it
    with locked(path):
        assert sorted(file.name for file in tmp_path.iterdir()) == ["lock", "lock.11ff.aside"]


CROWD = """
import os, sys, time
from pathlib import Path
from kobench.util.lock import locked
path, inside = Path(sys.argv[1]), Path(sys.argv[2])
for turn in range(8):
    if os.fork() == 0:
        with locked(path, 60):
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
            time.sleep(0.002)
            os.unlink(inside)
            if turn % 2:
                os._exit(0)
        os._exit(0)
    sys.exit(1) if os.wait()[1] else None
"""


def test_many_that_want_a_lock_have_it_one_after_the_other(
    tmp_path: Path, dead: tuple[int, str]
) -> None:
    """They meet a stale one first, and every second one ends without giving it back."""
    path = tmp_path / "lock"
    lay(path, [dead])
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", CROWD, str(path), str(tmp_path / "inside")],
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for process in crowd:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said.decode()


def test_processes_are_known_by_number_and_start(dead: tuple[int, str]) -> None:
    assert runs(*me()) is True
    assert runs(os.getpid(), "1") is False
    assert runs(*dead) is False
    assert [runs(number, "1") for number in (0, -1, 2**22 + 1, 2**40)] == [False] * 4
    with subprocess.Popen(["true"]) as process:
        until = time.monotonic() + 30
        while start_of(process.pid) is not None:  # nobody has waited for it
            assert time.monotonic() < until
            time.sleep(0.01)
        assert runs(process.pid, "1") is False


#: What flock does: as here, as on Lustre without -o flock and on NFS, and as where it is granted to
#: everybody.
FLOCKS = {
    "as it is": "",
    "refused": (
        "import errno, fcntl, os\n"
        "def flock(*_): raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))\n"
        "fcntl.flock = fcntl.lockf = flock\n"
    ),
    "without locks": (
        "import errno, fcntl, os\n"
        "def flock(*_): raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))\n"
        "fcntl.flock = fcntl.lockf = flock\n"
    ),
    "granted to all": "import fcntl\nfcntl.flock = fcntl.lockf = lambda *_: None\n",
}


@pytest.mark.parametrize("flock", FLOCKS)
def test_a_second_run_keeps_out_and_one_after_a_kill_takes_over(tmp_path: Path, flock: str) -> None:
    def words(predictor: str) -> list[str]:
        code = FLOCKS[flock] + "from kobench.cli import main; main()"
        return [
            *(sys.executable, "-c", code, "run", "-d", TINY, "-t", "profile", "-p", predictor),
            *("--plugin", str(PREDICTORS), "--out", str(tmp_path)),
        ]

    with subprocess.Popen(
        words("sleeps"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as first:
        until = time.monotonic() + 60
        while not (trials := list((tmp_path / ".work").glob("trial-*/written/scratch"))):
            assert time.monotonic() < until
            assert first.poll() is None
            time.sleep(0.02)
        second = subprocess.run(words("good"), capture_output=True, text=True)
        assert second.returncode == 2
        assert f"another kobench run is writing to {tmp_path} (process {first.pid} on" in (
            " ".join(second.stderr.split())
        )
        assert trials[0].is_dir()
        assert first.poll() is None
        first.send_signal(signal.SIGKILL)
        first.wait()
    third = subprocess.run(words("good"), capture_output=True, text=True)
    assert third.returncode == 0, third.stderr
    said = " ".join(third.stderr.split())
    assert f"a run that is gone had left its lock in {tmp_path} (process {first.pid} on" in said
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answers", "records"]


def test_a_run_that_lost_its_folder_ends_and_writes_and_removes_nothing_more(
    tmp_path: Path,
) -> None:
    groups = make_plan(load_registry(), Request([TINY], [], tasks=["profile"]))

    class TakesOver(Silent):
        """Another run takes over while the second trial is carried out."""

        begun = 0

        def started(self, trial: object) -> None:
            self.begun += 1
            if self.begun == 2:
                lay(tmp_path / LOCK, [me()])
                (tmp_path / ".work" / "trial-theirs00").mkdir(parents=True)

    with pytest.raises(LostError, match=r"this run has lost .*what was finished is kept"):
        Run(tmp_path, watcher=TakesOver()).run(groups)
    assert len(list(read_records(tmp_path))) == 1
    assert (tmp_path / ".work" / "trial-theirs00").is_dir()
    assert (tmp_path / LOCK).exists()


def test_another_file_of_the_locks_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("years of work")
    with (
        pytest.raises(UserError, match="is no lock of kobench's; move it, or name another folder"),
        locked_results(tmp_path),
    ):
        pass
    assert (tmp_path / LOCK).read_text() == "years of work"
