"""What processes hold and a trial writes, against numbers worked out by hand and other counts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import psutil
import pytest

from kobench.errors import TrialFailed
from kobench.supervisor import memory, open_files, usage
from kobench.supervisor.limits import Limits
from kobench.supervisor.memory import Held, beside_shares, files_in_memory, memory_of
from kobench.supervisor.open_files import count_open_files, files_in_flight, unnamed_files
from kobench.supervisor.processes import FleetingError, Member, processes_below
from kobench.supervisor.usage import Watch
from kobench.supervisor.written import ENTRY, Unmeasurable, folder_bytes
from kobench.util.machine import MB

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="shares of pages and /proc are Linux's"
)

#: Forks, touches shared memory and memory of each process's own, then says so and sleeps. Its
#: arguments: how many forks, MB shared, MB of its own.
SHARING = """
import mmap, os, sys, time
forks, shared, own = map(int, sys.argv[1:])
held = mmap.mmap(-1, max(shared, 1) << 20)
def touch(pages):
    for at in range(0, len(pages), 4096): pages[at] = 1
touch(held)
for _ in range(forks):
    if os.fork() == 0: break
touch(held)
mine = bytearray(own << 20)
touch(mine)
os.write(1, b".")
time.sleep(60)
"""


@pytest.fixture
def start():
    """`start(code, *arguments)` starts a Python, which ends with the test, and all it started."""
    running = []

    def begin(code, *arguments):
        command = [sys.executable, "-S", "-c", code, *map(str, arguments)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True))
        return running[-1]

    yield begin
    for process in running:
        os.killpg(process.pid, 9)
        process.wait()
        process.stdout.close()


def started(process, count):
    """Wait until so many processes have said that they are ready."""
    for _ in range(count):
        assert process.stdout.read(1) == b"."


def below(pid):
    """The tree below this process that starts at `pid`."""
    every = {member.pid: member for member in processes_below(os.getpid())}
    return [every[pid], *processes_below(pid)]


def test_memory_that_two_processes_share_counts_once(start):
    process = start(SHARING, 1, 200, 0)
    started(process, 2)
    members = below(process.pid)
    assert len(members) == 2
    assert sum(member.rss for member in members) > 400 * MB  # each has all of it
    alone = start(SHARING, 0, 0, 0)
    started(alone, 1)
    interpreter = memory_of(below(alone.pid)).size
    held = memory_of(members)
    assert held.way == "PSS"
    assert 200 * MB <= held.size <= 200 * MB + 3 * interpreter + 8 * MB


def test_memory_of_its_own_counts_for_each_process(start):
    process = start(SHARING, 3, 0, 50)
    started(process, 4)
    assert 200 * MB <= memory_of(below(process.pid)).size <= 200 * MB + 60 * MB


def test_shares_are_those_that_psutil_and_the_single_mappings_give(start):
    process = start(SHARING, 2, 30, 10)
    started(process, 3)
    members = below(process.pid)
    mappings = sum(
        int(line.split()[1]) * 1024
        for member in members
        for line in Path(f"/proc/{member.pid}/smaps").read_text().splitlines()
        if line.startswith("Pss:")
    )
    theirs = sum(psutil.Process(member.pid).memory_full_info().pss for member in members)
    held = memory_of(members).size
    assert held == pytest.approx(theirs, rel=0.02)
    assert held == pytest.approx(mappings, rel=0.02)


def test_a_process_whose_share_is_hidden_counts_in_full(start, monkeypatch):
    process = start(SHARING, 1, 100, 0)
    started(process, 2)
    members = below(process.pid)

    def hidden(pid):
        raise PermissionError("no")

    monkeypatch.setattr(memory, "_pss", hidden)
    expected = sum(member.rss + beside_shares(member) for member in members)
    assert memory_of(members) == Held(expected, "RSS")
    assert (
        memory_of([*members, Member(2**22 + 1, 1, 10**9)]).size < 10**9
    )  # one that is gone holds nothing


def test_files_without_a_name_in_memory_count_and_only_once(start):
    process = start(
        "import os, time\nfile = os.memfd_create('x')\nfor _ in range(40): os.write(file, bytes(1"
        " << 20))\ntwice = os.dup(file)\nos.fork()\nos.write(1, b'.')\ntime.sleep(60)"
    )
    started(process, 2)
    members = below(process.pid)
    assert files_in_memory(members) == 40 * MB
    assert memory_of(members).size > 40 * MB
    assert (
        sum(file.size for file in unnamed_files(members)) == 40 * MB
    )  # two processes, two numbers each: one file


def test_mapped_shared_memory_does_not_count_twice(start):
    process = start(
        "import mmap, os, time\nfile = os.memfd_create('x')\nos.ftruncate(file, 60 << 20)\nheld ="
        " mmap.mmap(file, 60 << 20)\nheld[:] = bytes(b'x') * (60 << 20)\nos.write(1,"
        " b'.')\ntime.sleep(60)"
    )
    started(process, 1)
    assert 60 * MB <= memory_of(below(process.pid)).size < 90 * MB


def test_the_tree_is_found_whatever_its_processes_are_called(start):
    name = "import ctypes; ctypes.CDLL(None).prctl(15, b') R 1 (x')\n"
    process = start(
        f"import os, threading, time\n{name}"
        + "os.fork(); os.fork()\nthreading.Thread(target=time.sleep, args=(60,),"
        " daemon=True).start()\nos.write(1, b'.')\ntime.sleep(60)"
    )
    started(process, 4)
    members = below(process.pid)
    theirs = {
        process.pid,
        *(child.pid for child in psutil.Process(process.pid).children(recursive=True)),
    }
    assert {member.pid for member in members} == theirs
    assert [member.threads for member in members] == [2, 2, 2, 2]
    assert os.getpid() not in {member.pid for member in processes_below(os.getpid())}
    assert processes_below(2**22 + 1) == []


#: Its first thread ends; another goes on, with memory, a file in memory, one that was removed, and
#: open files. Its arguments: a path, how often its threads are to follow each other in a second.
FIRST_ENDED = """
import ctypes, os, sys, threading, time
def rest(left=0):
    if left:
        time.sleep(0.002)
        threading.Thread(target=rest, args=(left - 1,)).start()
    else:
        time.sleep(60)
def go():
    global held, first, second
    held = bytearray(b"x" * (60 << 20))
    first = os.memfd_create("x")
    os.write(first, bytes(30 << 20))
    second = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
    os.unlink(sys.argv[1])
    os.write(second, os.urandom(10 << 20))
    while " Z " not in open(f"/proc/{os.getpid()}/stat").read(): time.sleep(0.01)
    os.write(1, b".")
    rest(int(sys.argv[2]))
threading.Thread(target=go).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""


def test_a_process_whose_first_thread_has_ended_holds_what_it_holds(start, tmp_path):
    process = start(FIRST_ENDED, tmp_path / "gone", 0)
    started(process, 1)
    (member,) = below(process.pid)
    assert Path(f"/proc/{member.pid}/stat").read_text().split(")")[1].split()[0] == "Z"
    assert os.listdir(f"/proc/{member.pid}/fd") == []  # else the test shows nothing
    assert member.rss > 60 * MB
    held = memory_of([member])
    assert held.way == "PSS"
    assert 90 * MB < held.size < 130 * MB
    assert files_in_memory([member]) == 30 * MB
    assert count_open_files([member]) == 5  # the three that it began with
    assert sum(file.size for file in unnamed_files([member]) if not file.in_memory) >= 10 * MB
    for limits in (Limits(memory_mb=80), Limits(written_mb=5)):
        with pytest.raises(TrialFailed):
            Watch(os.getpid(), limits, tmp_path).check("fit")


def test_threads_that_follow_each_other_hide_nothing(start, tmp_path):
    process = start(FIRST_ENDED, tmp_path / "gone", 400)
    started(process, 1)
    (old,) = below(process.pid)
    seen = set()
    for _ in range(30):  # `old` tells of a thread that has ended by now
        assert memory_of([old]).size > 90 * MB
        assert count_open_files([old]) == 5
        seen.update(member.thread for member in below(process.pid))
    assert len(seen) > 2, "no thread had followed another: the test tried nothing"


#: What lists the threads of a process.
THREADS_OF = "kobench.supervisor.processes._threads_of"


def test_threads_that_end_too_fast_to_be_looked_at_end_a_trial(start, tmp_path, monkeypatch):
    process = start(SENDING, 0, 0)
    started(process, 1)
    threads = count(2**22 + 1)  # each is gone as soon as it is known
    for module in (open_files, memory):
        monkeypatch.setattr(
            module, "member_of", lambda pid: (os.getpid(), Member(int(pid), 2, 0, next(threads)))
        )
    monkeypatch.setattr(THREADS_OF, lambda pid: frozenset([str(next(threads))]))
    gone = Member(process.pid, 2, 0, next(threads))
    monkeypatch.setattr(usage, "processes_below", lambda pid: [gone])
    for look in (count_open_files, memory_of):
        with pytest.raises(FleetingError):
            look([gone])
    with pytest.raises(TrialFailed, match="ended faster than they could be looked at") as ended:
        Watch(os.getpid(), Limits(), tmp_path).check("fit")
    assert ended.value.status == "too-many-processes"


@pytest.mark.parametrize("living", [True, False])
@pytest.mark.parametrize("first_ones", [1, 2])
def test_a_process_all_of_whose_threads_are_ending_holds_nothing(
    start, monkeypatch, first_ones, living
):
    """A thread that is ending may wait long for a processor on a machine that has much to do."""
    process = start(SENDING, 0, 0)
    started(process, 1)
    held, opened = memory_of(below(process.pid)), count_open_files(below(process.pid))
    assert held.size > MB
    assert opened > 0
    ending = [str(2**22 + number) for number in (1, 2, 3)]  # what they have cannot be read
    first = Member(process.pid, 3, 0, int(ending[0]))
    looks = count()
    for module in (open_files, memory):  # always the same one comes first, or now one, now another
        monkeypatch.setattr(
            module,
            "member_of",
            lambda pid: (os.getpid(), replace(first, thread=int(ending[next(looks) % first_ones]))),
        )
    rest = [str(process.pid)] if living else []
    monkeypatch.setattr(THREADS_OF, lambda pid: frozenset(ending + rest))
    monkeypatch.setattr(memory, "beside_shares", lambda member: 0)
    assert count_open_files([first]) == (opened if living else 0)
    assert (memory_of([first]).size > MB) == living


def test_page_tables_count(start):
    code = (
        "import ctypes, mmap, os, time\nheld = mmap.mmap(-1, 8 << 30, flags=0x4022)\n"
        "ctypes.CDLL(None).madvise(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer("
        "held))), ctypes.c_size_t(8 << 30), 15)\nfor at in range(0, 8 << 30, 1 << 21): held[at]\n"
        "os.write(1, b'.')\ntime.sleep(60)"
    )
    process = start(code)
    started(process, 1)
    (member,) = below(process.pid)
    assert member.rss < 16 * MB  # it read one page of zeros 4,096 times
    assert beside_shares(member) > 16 * MB
    assert memory_of([member]).size > 16 * MB


def test_a_zombie_is_a_process_that_holds_nothing(start):
    process = start(
        "import os, time\nif os.fork() == 0: os._exit(0)\ntime.sleep(0.2)\nos.write(1,"
        " b'.')\ntime.sleep(60)"
    )
    started(process, 1)
    members = below(process.pid)
    assert len(members) == 2
    assert min(member.rss for member in members) == 0
    assert memory_of(members).way == "PSS"


def test_a_look_agrees_with_psutils_where_the_system_is_another(start, monkeypatch):
    process = start(SHARING, 1, 30, 10)
    started(process, 2)
    members = below(process.pid)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert {member.pid for member in processes_below(process.pid)} == {
        member.pid for member in members
    } - {process.pid}
    held = memory_of(members)
    assert held.way == "USS"
    assert 20 * MB <= held.size < 60 * MB  # what is shared belongs to nobody alone
    assert processes_below(2**22 + 1) == []


def total(folder):
    *_, last = folder_bytes(folder)
    return last


def test_blocks_of_files_are_summed_with_an_entry_each(tmp_path):
    blocks = {}
    (tmp_path / "below" / "deep").mkdir(parents=True)
    for name, size in (("a", 100_000), ("below/b", 5000), ("below/deep/empty", 0)):
        (tmp_path / name).write_bytes(os.urandom(size))
        blocks[name] = os.lstat(tmp_path / name).st_blocks * 512
        assert blocks[name] >= size
    folders = sum(os.lstat(tmp_path / name).st_blocks * 512 for name in ("below", "below/deep"))
    assert total(tmp_path) == sum(blocks.values()) + folders + 5 * ENTRY
    assert total(tmp_path / "nowhere") == 0


def test_what_is_no_content_of_its_own_does_not_count(tmp_path):
    (tmp_path / "file").write_bytes(os.urandom(100_000))
    before = total(tmp_path)
    os.symlink("/usr", tmp_path / "link")
    os.symlink(tmp_path, tmp_path / "circle")
    with open(tmp_path / "hole", "wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(tmp_path / "pipe")
    assert total(tmp_path) - before <= 4 * (ENTRY + 4096)
    for i in range(10):
        os.link(tmp_path / "file", tmp_path / f"name{i}")
    assert total(tmp_path) - before <= 4 * (ENTRY + 4096)


def test_a_file_with_two_names_counts_once(tmp_path):
    (tmp_path / "file").write_bytes(os.urandom(100_000))
    before = total(tmp_path)
    (tmp_path / "below").mkdir()
    os.link(tmp_path / "file", tmp_path / "below" / "again")
    folder = os.lstat(tmp_path / "below").st_blocks * 512
    assert total(tmp_path) == before + folder + ENTRY


def test_a_folder_too_deep_to_be_looked_into_can_not_be_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(usage, "PIECE", float("inf"))  # all of it in one look, however slow
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(20):
            os.mkdir("x" * 250, dir_fd=here)
            below = os.open("x" * 250, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    with pytest.raises(Unmeasurable, match="too long"):
        total(tmp_path)
    watch = Watch(os.getpid(), Limits(memory_mb=None, processes=None), tmp_path)
    with pytest.raises(TrialFailed, match="too long") as ended:
        watch.check("fit")
    assert (ended.value.status, ended.value.message) == (
        "too-much-written",
        "it made a folder whose content can't be measured",
    )
    subprocess.run(["rm", "-rf", str(tmp_path / ("x" * 250))], check=True)


def test_a_folder_that_is_closed_can_not_be_measured(tmp_path, monkeypatch):
    def closed(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(Unmeasurable, match="Permission denied"):
        total(tmp_path)


def test_what_goes_away_while_it_is_looked_at_is_left_out(tmp_path):
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            for i in range(20):
                (tmp_path / f"d{i}").mkdir()
                (tmp_path / f"d{i}" / "file").write_bytes(b"x" * 10_000)
            for i in range(20):
                (tmp_path / f"d{i}" / "file").unlink()
                (tmp_path / f"d{i}").rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        sums = [total(tmp_path) for _ in range(200)]
    finally:
        stop.set()
        thread.join()
    assert max(sums) <= 20 * (4096 * 4 + 2 * ENTRY)
    assert total(tmp_path) == 0


def test_a_folder_of_many_files_is_walked_in_pieces_and_in_full(tmp_path, monkeypatch):
    for i in range(1500):
        (tmp_path / str(i)).touch()
    monkeypatch.setattr(usage, "PIECE", 0.0)  # one entry a look
    monkeypatch.setattr(usage, "SHARE", 1.0)

    def look_until_ended(written_mb, most):
        watch = Watch(
            2**22 + 1, Limits(memory_mb=None, processes=None, written_mb=written_mb), tmp_path
        )
        for look in range(most):
            try:
                watch.check("fit")
            except TrialFailed as ended:
                return look, str(ended)
        return most, ""

    monkeypatch.setattr(usage, "processes_below", lambda pid: [])
    looks, said = look_until_ended(1, 1500)
    assert said == "it wrote 2 MB, the limit is 1 MB (--written)"
    assert looks == pytest.approx(
        MB / ENTRY, abs=200
    )  # so many entries of 1 KB, and the folder's own blocks
    assert look_until_ended(8, 4000) == (4000, "")


def test_files_that_were_removed_and_are_still_open_count(start, tmp_path):
    path = tmp_path / "gone"
    process = start(
        f"import os, time\nfile = open({str(path)!r},"
        f" 'wb')\nos.unlink({str(path)!r})\nfile.write(os.urandom(30 <<"
        " 20))\nfile.flush()\nos.write(1, b'.')\ntime.sleep(60)"
    )
    started(process, 1)
    assert total(tmp_path) == 0
    watch = Watch(os.getpid(), Limits(written_mb=20), tmp_path)
    with pytest.raises(TrialFailed, match=r"it wrote 3\d MB"):
        watch.check("fit")
    Watch(os.getpid(), Limits(written_mb=40), tmp_path).check("fit")


MAPPED = """
import ctypes, os, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
size = ctypes.c_size_t(30 << 20)
number = {number}
for _ in range(30):
    os.write(number, os.urandom(1 << 20))
assert libc.mmap(None, size, 1, 1, number, ctypes.c_long(0)) != ctypes.c_void_p(-1).value
{remove}
os.close(number)
os.write(1, b".")
time.sleep(60)
"""


@pytest.mark.parametrize("rights", [True, False])
def test_files_that_are_mapped_alone_count(start, tmp_path, monkeypatch, rights):
    """Untouched by the process that maps them, removed and closed: their blocks stay."""
    if not rights:  # only root may look at what is mapped
        real = os.stat

        def refused(path, **more):
            if "/map_files/" in str(path):
                raise PermissionError
            return real(path, **more)

        monkeypatch.setattr(open_files.os, "stat", refused)
    path = str(tmp_path / "gone")
    opened = f"os.open({path!r}, os.O_RDWR | os.O_CREAT)"
    process = start(MAPPED.format(number=opened, remove=f"os.unlink({path!r})"))
    started(process, 1)
    assert total(tmp_path) == 0
    watch = Watch(os.getpid(), Limits(written_mb=20), tmp_path)
    with pytest.raises(TrialFailed, match=r"it wrote 3\d MB"):
        watch.check("fit")
    Watch(os.getpid(), Limits(written_mb=40), tmp_path).check("fit")


def test_memory_that_is_mapped_alone_counts(start):
    process = start(MAPPED.format(number="os.memfd_create('x')", remove=""))
    started(process, 1)
    members = below(process.pid)
    if not os.access(f"/proc/{process.pid}/map_files", os.R_OK) or os.geteuid():
        pytest.skip("only root may look at files that are mapped")
    assert files_in_memory(members) == 30 * MB
    assert 30 * MB < memory_of(members).size < 75 * MB


def test_a_process_counted_twice_for_a_moment_ends_nothing(tmp_path, monkeypatch):
    readings = [
        Held(200 * MB, "PSS"),
        Held(90 * MB, "PSS"),
    ]  # first: one that just forked, its pages seen twice
    monkeypatch.setattr(usage, "memory_of", lambda members: readings.pop(0))
    watch = Watch(os.getpid(), Limits(memory_mb=100), tmp_path)
    watch.check("fit")
    assert watch.peak_mb == 90
    readings += [Held(200 * MB, "PSS"), Held(150 * MB, "PSS")]
    watch = Watch(os.getpid(), Limits(memory_mb=100), tmp_path)
    with pytest.raises(
        TrialFailed, match=r"held 150 MB \(PSS\), the limit is 100 MB \(--memory\)"
    ) as ended:
        watch.check("singles")
    assert (ended.value.status, ended.value.stage, watch.peak_mb) == (
        "out-of-memory",
        "singles",
        150,
    )
    assert readings == []


def test_the_peak_is_the_most_of_all_looks(tmp_path, monkeypatch):
    """Memory that was given back was held all the same."""
    readings = [50, 90, 30, 60]
    monkeypatch.setattr(usage, "memory_of", lambda members: Held(readings.pop(0) * MB, "PSS"))
    watch = Watch(os.getpid(), Limits(memory_mb=100), tmp_path)
    peaks = []
    while readings:
        watch.check("fit", at_once=True)
        peaks.append(watch.peak_mb)
    assert peaks == [50, 90, 90, 90]


def test_processes_and_threads_are_counted_up_to_the_limit(tmp_path, monkeypatch):
    def members(processes, threads):
        monkeypatch.setattr(
            usage,
            "processes_below",
            lambda pid: [Member(10 + i, threads, 0) for i in range(processes)],
        )

    limits = Limits(processes=4, memory_mb=None, written_mb=None)
    for processes, threads, said in (
        (4, 16, None),
        (5, 1, "it ran 5 processes at a time"),
        (2, 33, "it ran 66 threads in 2 processes"),
    ):
        members(processes, threads)
        watch = Watch(1, limits, tmp_path)
        if said is None:
            watch.check("fit")
            continue
        with pytest.raises(TrialFailed, match=f"^{said}") as ended:
            watch.check("fit")
        assert ended.value.status == "too-many-processes"
        assert (
            ended.value.message
            == "it ran more than 4 processes, or 64 threads, the limit (--processes)"
        )
    members(100, 100)
    Watch(1, Limits(None, None, None, None), tmp_path).check("fit")


def looks(watch, clock, step, seconds):
    """Check every `step` seconds of a clock for so many."""
    until = clock[0] + seconds
    while clock[0] < until:
        watch.check("fit")
        clock[0] += step


@pytest.mark.parametrize("took", [0.01, 0.03])
def test_looking_takes_a_small_share_of_the_time(tmp_path, monkeypatch, took):
    clock, looked = [0.0], []

    def slow(pid):
        looked.append(clock[0])
        clock[0] += took
        return []

    monkeypatch.setattr(usage, "processes_below", slow)
    monkeypatch.setattr(usage.time, "perf_counter", lambda: clock[0])
    looks(Watch(1, Limits(memory_mb=None, written_mb=None), tmp_path), clock, 0.001, 100)
    assert len(looked) == pytest.approx(100 / took * usage.SHARE, rel=0.03)


@pytest.mark.parametrize(
    "kind", ["processes_below", "count_open_files", "memory_of", "unnamed_files"]
)
def test_looks_are_not_made_rare_by_one_that_takes_long(tmp_path, monkeypatch, kind):
    """A trial can make any kind of look slow.

    By that it gains one second between two looks, not 32 times as long as a look takes.
    """
    clock, looked = [0.0], []
    answers = {
        "processes_below": [],
        "count_open_files": 0,
        "memory_of": Held(0, "PSS"),
        "unnamed_files": [],
    }

    def slow(_):
        looked.append(clock[0])
        clock[0] += 3.0
        return answers[kind]

    monkeypatch.setattr(usage, kind, slow)
    monkeypatch.setattr(usage.time, "perf_counter", lambda: clock[0])
    looks(Watch(2**22 + 1, Limits(), tmp_path), clock, 0.1, 40)
    gaps = [later - before for before, later in pairwise(looked)]
    assert len(gaps) >= 9
    assert max(gaps) <= 3.0 + usage.LONGEST + 0.2


def test_near_the_limit_memory_is_looked_at_more_often(tmp_path, monkeypatch):
    clock, resident, looked = [0.0], [10 * MB], []

    def slow(members):
        looked.append(clock[0])
        clock[0] += 0.03
        return Held(10 * MB, "PSS")

    monkeypatch.setattr(usage, "memory_of", slow)
    monkeypatch.setattr(usage, "processes_below", lambda pid: [Member(10, 1, resident[0])])
    monkeypatch.setattr(usage.time, "perf_counter", lambda: clock[0])
    watch = Watch(1, Limits(memory_mb=100, written_mb=None), tmp_path)
    looks(watch, clock, 0.002, 30)
    assert len(looked) == pytest.approx(30 / 0.03 * usage.SHARE, abs=2)
    resident[0] = 90 * MB  # it has grown since the last look
    before = len(looked)
    looks(watch, clock, 0.002, 30)
    assert len(looked) - before == pytest.approx(30 / 0.03 * usage.SHARE_NEAR, rel=0.05)


#: Sends files through a socket where nobody receives them, and holds a file open several times. Its
#: arguments: how many files are sent, how often one is held.
SENDING = """
import os, socket, sys, time
sent, held = map(int, sys.argv[1:])
a, b = socket.socketpair()
for _ in range(sent):
    file = os.memfd_create("x")
    os.write(file, bytes(1 << 20))
    socket.send_fds(a, [b"x"], [file])
    os.close(file)
more = [os.dup(0) for _ in range(held)]
os.write(1, b".")
time.sleep(60)
"""


def in_flight_is_told():
    a, b = socket.socketpair()
    with a, b, open(f"/proc/self/fdinfo/{a.fileno()}") as file:
        return "scm_fds" in file.read()


@pytest.mark.skipif(
    not in_flight_is_told(), reason="Linux says since 5.11 how many files are in flight"
)
def test_files_that_no_process_holds_end_a_trial_where_they_stay_so(start, tmp_path, monkeypatch):
    process = start(SENDING, 3, 0)
    started(process, 1)
    assert files_in_flight([Member(process.pid, 1, 0)]) == 3
    clock = [0.0]
    monkeypatch.setattr(usage.time, "perf_counter", lambda: clock[0])
    watch = Watch(os.getpid(), Limits(), tmp_path)
    monkeypatch.setattr(usage, "processes_below", lambda pid: [Member(process.pid, 1, 0)])
    looks(watch, clock, 0.1, 0.9)
    with pytest.raises(
        TrialFailed, match="sent and not received, where what they hold can't be measured: 3"
    ) as ended:
        looks(watch, clock, 0.1, 0.5)
    assert ended.value.status == "out-of-memory"
    looks(Watch(os.getpid(), Limits(memory_mb=None, written_mb=None), tmp_path), clock, 0.1, 5)


def test_files_that_are_received_between_looks_end_nothing(tmp_path, monkeypatch):
    clock, flying = [0.0], [1]
    monkeypatch.setattr(usage, "files_in_flight", lambda members: flying[0])
    monkeypatch.setattr(usage.time, "perf_counter", lambda: clock[0])
    watch = Watch(2**22 + 1, Limits(), tmp_path)
    for _ in range(5):
        flying[0] = 1
        looks(watch, clock, 0.1, 0.6)
        flying[0] = 0
        looks(watch, clock, 0.1, 0.2)
    flying[0] = 1
    with pytest.raises(TrialFailed, match="sent and not received"):
        looks(watch, clock, 0.1, 2)


@pytest.mark.parametrize(
    ("limits", "ends"),
    [
        ({"memory_mb": 1000, "written_mb": None}, True),
        ({"memory_mb": None, "written_mb": 1000}, True),
        ({"memory_mb": None, "written_mb": None}, False),
    ],
)
def test_files_in_flight_can_hide_from_either_limit(tmp_path, monkeypatch, limits, ends):
    """They may lie in memory or on the disk, so each limit alone is reason to look at them."""
    clock = [0.0]
    monkeypatch.setattr(usage, "files_in_flight", lambda members: 1)
    monkeypatch.setattr(usage.time, "perf_counter", lambda: clock[0])
    watch = Watch(2**22 + 1, Limits(**limits), tmp_path)
    if ends:
        with pytest.raises(TrialFailed, match="sent and not received") as ended:
            looks(watch, clock, 0.1, 3)
        assert ended.value.status == "out-of-memory"
    else:
        looks(watch, clock, 0.1, 3)


def test_more_open_files_than_can_be_looked_at_end_a_trial(start, tmp_path, monkeypatch):
    monkeypatch.setattr(usage, "MOST_FILES", 300)
    process = start(SENDING, 0, 280)
    started(process, 1)
    watch = Watch(os.getpid(), Limits(), tmp_path)
    monkeypatch.setattr(usage, "processes_below", lambda pid: [Member(process.pid, 1, 0)])
    watch.check("fit")
    monkeypatch.setattr(usage, "MOST_FILES", 280)
    with pytest.raises(TrialFailed, match=r"held more than 280 files open: 28\d") as ended:
        Watch(os.getpid(), Limits(), tmp_path).check("fit")
    assert (ended.value.status, ended.value.message) == (
        "too-many-processes",
        "its processes held more than 280 files open",
    )


def test_a_real_tree_is_ended_where_it_passes_and_left_alone_below(start, tmp_path):
    process = start(SHARING, 3, 0, 40)
    started(process, 4)
    pid = process.pid  # its three children: this process may have others
    Watch(pid, Limits(memory_mb=400, processes=3), tmp_path).check("fit")
    watch = Watch(pid, Limits(memory_mb=110, processes=3), tmp_path)
    with pytest.raises(TrialFailed, match=r"its 3 processes held \d+ MB \(PSS\)"):
        watch.check("fit")
    assert watch.peak_mb > 120
    with pytest.raises(TrialFailed, match="it ran 3 processes at a time"):
        Watch(pid, Limits(processes=2), tmp_path).check("fit")
