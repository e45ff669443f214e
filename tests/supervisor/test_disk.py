"""A trial that fills the disk is ended in time, and only it; what a run writes is never half there.

The disks are small ones in memory, or numbers.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_disk import small_disk, why_not

from kobench.errors import BAD, LIMIT_OF, TrialFailed
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.supervisor import disk
from kobench.supervisor.disk import Disk, NoRoomError, Space, space
from kobench.supervisor.limits import Limits
from kobench.supervisor.usage import Watch
from kobench.util import files
from kobench.util.machine import MB

TINY = "grn:genes=10,cells=40"

PLUGIN = '''
import mmap, os, time
import numpy as np
from kobench.api import Param, PredictorSpec, hookimpl

class Fills:
    """Fills the disk in one way or another while it fits."""
    def __init__(self, how):
        self.how = how
    def fit(self, cells, context):
        self.scratch = context.scratch
        getattr(self, self.how)()
        shares = cells.profiles()
        self.mean = shares.sum(0) / np.maximum((shares > 0).sum(0), 1) + 1e-9
    def nothing(self):
        pass
    def one(self):
        with open(self.scratch / "x", "wb") as file:
            for _ in range(1000): file.write(bytes(1 << 20))
        time.sleep(60)
    def many(self):
        for number in range(1000):
            (self.scratch / str(number)).write_bytes(bytes(1 << 20))
            time.sleep(0.05)  # a disk in memory would be full between two looks
        time.sleep(60)
    def small(self):
        for number in range(10**6):
            os.mkdir(self.scratch / str(number))
            if number % 100 == 0: time.sleep(0.02)
        time.sleep(60)
    def unseen(self):
        "No folder shows these files, and no process has them open."
        self.kept = []
        for _ in range(1000):
            with open(self.scratch / "x", "w+b") as file:
                os.unlink(self.scratch / "x")
                file.truncate(1 << 20)
                self.kept.append(mmap.mmap(file.fileno(), 1 << 20))
                self.kept[-1][:] = bytes(1 << 20)
            time.sleep(0.05)
        time.sleep(60)
    def ahead(self):
        with open(self.scratch / "x", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 90 << 20)
    def predict_expression(self, assemblages):
        rows = assemblages * self.mean
        return rows / rows.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("fills", make=Fills, params={"how": Param("nothing")})
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "fills.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture(scope="module")
def mountable() -> None:
    if why := why_not():
        pytest.skip(f"no small disk can be mounted here: {why}")


def predictors_of(folder: Path) -> dict[str, tuple[str, str]]:
    """Status and message by predictor."""
    found = {}
    for path in sorted((folder / "records").glob("*.json")):
        record = json.loads(path.read_text())
        if record["role"] == "predictor":
            result = record["result"]
            found[record["trial"]["predictor"]["selection"]] = (
                result["status"],
                record["run"].get("found") or result["message"] or "",
            )
    return found


#: Copies the records where they can be read, and counts what the run left behind.
KEEP = (
    "import atexit, shutil, sys; atexit.register(lambda: shutil.copytree('{disk}/out', '{kept}'))"
)


@pytest.mark.usefixtures("mountable")
@pytest.mark.parametrize("how", ["one", "many", "small", "unseen"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_who_fills_the_disk_costs_its_own_row(
    tmp_path: Path, plugin: Path, how: str, jobs: int
) -> None:
    place, kept = tmp_path / "disk", tmp_path / "kept"
    place.mkdir()
    words = [
        *("run", "-d", TINY, "-t", "profile", "-p", f"fills:how={how}", "-p", "linear"),
        *("--plugin", plugin, "--out", place / "out", "--jobs", jobs),
    ]
    done = small_disk(
        place, "80m,nr_inodes=20000", *words, before=KEEP.format(disk=place, kept=kept)
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found = predictors_of(kept)
    status, message = found[f"fills:how={how}"]
    assert status == "disk-full", message
    assert "it would have filled the disk, of which kobench keeps some for records" in message
    assert found["linear"] == ("ok", "")
    assert sorted(file.name for file in kept.iterdir()) == ["answers", "records"]
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("mountable")
def test_no_file_may_take_more_than_the_share_in_one_step(tmp_path: Path, plugin: Path) -> None:
    place, kept = tmp_path / "disk", tmp_path / "kept"
    place.mkdir()
    words = [
        *("run", "-d", TINY, "-t", "profile", "-p", "fills:how=ahead", "--plugin", plugin),
        *("--out", place / "out", "--sandbox", "off"),
    ]
    done = small_disk(place, "90m", *words, before=KEEP.format(disk=place, kept=kept))
    status, message = predictors_of(kept)["fills:how=ahead"]
    assert (done.returncode, status) == (1, "failed")
    assert "File too large" in message


def left(free: float, files: int = -1) -> Space:
    return Space(int(free * MB), 512 * MB, files, 10_000)


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what is left of every disk; later looks see the last of several values."""
    monkeypatch.setattr(disk, "PATIENCE", 0.05)
    monkeypatch.setattr(disk, "LOOK", 0.01)

    def say(*values: Space) -> None:
        rest: Iterator[Space] = iter(values)
        last = [values[-1]]

        def next_one(_: Path) -> Space:
            last[0] = next(rest, last[0])
            return last[0]

        monkeypatch.setattr(disk, "space", next_one)

    return say


@pytest.mark.parametrize(
    ("found", "scarce", "urgent"),
    [
        (left(512), False, False),
        (left(511.9), True, False),
        (left(256), True, False),
        (left(255.9), True, True),
        (left(1e5, 10_000), False, False),
        (left(1e5, 9_999), True, False),
        (left(1e5, 4_999), True, True),
        (left(1e5, 0), True, True),
    ],
)
def test_when_little_is_left(found: Space, scarce: bool, urgent: bool) -> None:
    assert (found.scarce, found.urgent) == (scarce, urgent)


def test_what_is_left_is_what_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < space(tmp_path).free <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize
    fields = [4096, 1024, 100_000, 60_000, 50_000, 1_000_000, 900_000, 800_000, 0, 255]
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))
    small = space(tmp_path)  # blocks count by f_frsize, and those kept for root are nobody's
    assert small == Space(50_000 * 1024, 100_000 * 1024 // 20, 800_000, 10_000)
    fields[2], fields[5] = 100_000_000, 0
    assert space(tmp_path) == Space(50_000 * 1024, 512 * MB, -1, 0)


def test_each_trial_has_its_share(tmp_path: Path, numbers: Callable[..., None]) -> None:
    numbers(left(2512))
    assert [Disk(tmp_path, jobs).share // MB for jobs in (1, 2, 4)] == [2000, 1000, 500]
    assert Disk(tmp_path, 100).share == 64 * MB  # at least this much


def test_a_trial_that_passes_its_share_is_ended_below_the_limit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(os.urandom(3 * MB))
    for limits in (Limits(), Limits(written_mb=None)):
        Watch(os.getpid(), limits, tmp_path, 4 * MB).check("fit")
        with pytest.raises(TrialFailed) as ended:
            Watch(os.getpid(), limits, tmp_path, 2 * MB).check("fit")
        assert ended.value.status == "disk-full"
        assert "it wrote 4 MB, its share was 2 MB" in str(ended.value)
    with pytest.raises(TrialFailed) as ended:
        Watch(os.getpid(), Limits(written_mb=1), tmp_path, 2 * MB).check("fit")
    assert ended.value.status == "too-much-written"


def watched(place: Path, jobs: int, written: int) -> Disk:
    """A disk as it was watched until the trial was ended, or a while."""
    ended: list[bool] = []
    one = Disk(place, jobs)
    one.start(lambda: written, lambda: ended.append(True))
    assert one._thread is not None
    one._thread.join(0.3)
    one.close()
    assert bool(one.low) == bool(ended)
    return one


def test_who_wrote_little_is_not_the_first_to_be_ended(
    tmp_path: Path, numbers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "GRACE", 60)
    enough, little, hardly = left(2000), left(500), left(200)
    for jobs, written, found, ended in (
        (2, 0, little, False),
        (2, 64 * MB, little, True),
        (1, 0, little, True),
        (2, 0, hardly, True),
        (2, 64 * MB, enough, False),
    ):
        numbers(enough, enough, found)
        assert bool(watched(tmp_path, jobs, written).low) is ended
    monkeypatch.setattr(disk, "GRACE", 0.02)
    numbers(enough, enough, little)
    assert watched(tmp_path, 2, 0).low == "500 MB"


def test_where_the_end_of_a_trial_makes_no_room_nobody_is_blamed(
    tmp_path: Path, numbers: Callable[..., None]
) -> None:
    numbers(left(2000), left(2000), left(100))
    one = watched(tmp_path, 1, 0)
    with pytest.raises(TrialFailed) as ended:
        one.check("fit", 3 * MB)
    assert str(ended.value).endswith(
        "100 MB were left, of 2,000 MB when it started; it was seen to write 3 MB"
    )
    with pytest.raises(
        NoRoomError, match=r"has 100 MB left, and kobench keeps 512 MB .* make room"
    ):
        one.refuse_if_not_back()
    numbers(left(100), left(2000))  # some file systems take their time
    one.refuse_if_not_back()
    numbers(left(2000))
    calm = watched(tmp_path, 1, 0)
    numbers(left(0))
    calm.refuse_if_not_back()  # it was not ended for want of room


def test_a_disk_that_is_full_already_ends_the_run_and_blames_nobody(
    tmp_path: Path, plugin: Path, numbers: Callable[..., None]
) -> None:
    groups = make_plan(
        load_registry(plugin_files=[plugin]), Request([TINY], ["fills"], tasks=["profile"])
    )
    numbers(left(100))
    with pytest.raises(NoRoomError, match="What was finished is kept"):
        Run(tmp_path).run(groups)
    assert {record["role"] for record in read_records(tmp_path)} == {"floor", "line"}
    numbers(left(5000))
    (record,) = [one for one in Run(tmp_path).run(groups).records if one["role"] == "predictor"]
    assert record["result"]["status"] == "ok"


def test_where_there_is_no_file_tree_of_its_own_other_disks_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LOOK", 0.01)
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system at /dev/shm")
    real, low = disk.space, [False]
    monkeypatch.setattr(
        disk, "space", lambda place: left(1) if low[0] and place == other else real(place)
    )
    for watches in (False, True):
        low[0] = False
        one = Disk(tmp_path)
        if watches:
            one.watch_common([other, tmp_path / "nowhere", tmp_path])
        low[0] = True
        one.start(lambda: 0, lambda: None)
        assert one._thread is not None
        one._thread.join(0.2)
        one.close()
        assert one.low == ("1 MB" if watches else "")
    one = Disk(tmp_path)
    one.watch_common([other])  # nearly full before the trial started: that says nothing of it
    assert one._places == [tmp_path]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_record_that_finds_no_room_ends_the_run_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, jobs: int
) -> None:
    """A job of its own can't be given a full disk here: its error is handed over."""
    synced: list[int] = []

    def full(number: int) -> None:
        synced.append(number)
        if len(synced) == 3:
            raise OSError(code, os.strerror(code))

    def raises(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    groups = make_plan(load_registry(), Request([TINY], [], tasks=["profile"]))
    if jobs == 1:
        monkeypatch.setattr(files.os, "fsync", full)
    else:
        monkeypatch.setattr("kobench.runner.run.work_through", raises)
    with pytest.raises(NoRoomError, match=r"is full \(.*\).*what was finished is kept") as ended:
        Run(tmp_path).run(groups, jobs)
    assert ended.value.exit_code == 1
    monkeypatch.undo()
    assert len(list(read_records(tmp_path))) == (2 if jobs == 1 else 0)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".tmp", ".aside")]
    assert Run(tmp_path).run(groups).failed == []


def test_it_is_tried_again_without_a_limit_being_raised() -> None:
    assert "disk-full" in BAD
    assert "disk-full" not in LIMIT_OF
