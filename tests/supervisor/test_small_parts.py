"""How a trial's end is said, when limits are looked at, and what is a reply: part by part."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from kobench.errors import LIMIT_OF, TrialFailed
from kobench.supervisor import enforcement
from kobench.supervisor.disk import Disk, NoRoomError, Space
from kobench.supervisor.ended import failure_of
from kobench.supervisor.enforcement import Enforcement
from kobench.supervisor.limits import Limits, default_memory_mb, passed, raised
from kobench.supervisor.memory import Held
from kobench.supervisor.messages import MOST_BYTES, Pipe, parse
from kobench.supervisor.output import Output
from kobench.supervisor.room import shared_mb
from kobench.supervisor.usage import above, counted, described
from kobench.util.machine import MB

# how a worker ended


def launch(ended=None, lost=False, not_started=None, **more):
    return SimpleNamespace(ended=ended, lost=lost, not_started=not_started, **more)


@pytest.mark.parametrize(
    ("how", "stage", "tail", "message"),
    [
        (launch(0), "fit", None, "the process exited with code 0"),
        (launch(0), "start", "one\ntwo", "the process exited with code 0: two"),
        (launch(3), "start", "one\ntwo", "the process exited with code 3: two"),
        (launch(3), "fit", "one\ntwo", "the process exited with code 3"),
        (launch(3), "start", None, "the process exited with code 3"),
        (
            launch(-signal.SIGKILL),
            "start",
            "two",
            "the process was ended by SIGKILL (often the system running out of memory)",
        ),
        (launch(-signal.SIGSEGV), "fit", "two", "the process was ended by SIGSEGV"),
        (launch(), "start", "two", "the worker closed its pipe to kobench"),
        (launch(lost=True), "fit", "two", "what watches over the worker was ended from outside"),
    ],
)
def test_how_a_worker_ended_is_said(how, stage, tail, message):
    found = failure_of(how, stage, tail)
    assert (found.status, found.stage, found.message) == ("failed", stage, message)
    assert found.traceback == tail


def test_an_interpreter_that_cannot_be_executed_is_named():
    found = failure_of(launch(127, not_started="no\x1bsuch"), "start", "printed")
    assert found.message.startswith("its interpreter can't be executed: no")
    assert "\x1b" not in found.message
    assert found.traceback is None


# when limits are looked at


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(enforcement.time, "monotonic", lambda: self.now)


@pytest.fixture
def enforced(monkeypatch, tmp_path):
    """An enforcement of ten seconds from 100 on, its clock, and what it looked at."""
    clock, looked = Clock(monkeypatch), []

    class Watch:
        peak_mb, written = 7.0, 9

        def __init__(self, *about):
            looked.append(about)

        def check(self, stage, at_once):
            looked.append((stage, at_once))

    monkeypatch.setattr(enforcement, "Watch", Watch)
    disk = SimpleNamespace(
        share=5, check=lambda stage, written, failed: looked.append(("disk", written, failed))
    )
    started = launch(keeper=None, hear=lambda: looked.append("heard"))
    limits = Limits(seconds=10)
    return Enforcement(limits, started, tmp_path, 100.0, disk), clock, looked


def test_time_is_up_when_its_seconds_are_over(enforced):
    one, clock, _ = enforced
    clock.now = 109.99
    one.check("fit")
    clock.now = 110.0
    with pytest.raises(TrialFailed) as ended:
        one.check("fit")
    assert (ended.value.status, ended.value.stage) == ("timeout", "fit")
    one.deadline = None
    one.check("fit")


def test_what_is_used_is_looked_at_ten_times_a_second(enforced):
    one, clock, looked = enforced
    one.launch.keeper = 42
    for now in (100.0, 100.05, 100.09, 100.1001, 100.15):
        clock.now = now
        one.check("fit")
    assert [each for each in looked if each == ("fit", False)] == [("fit", False)] * 2
    one.look("ask", at_once=True)
    assert looked[-1] == ("ask", True)


def test_nothing_is_seen_before_it_is_known_whose_processes_they_are(enforced, tmp_path):
    one, _, looked = enforced
    assert (one.peak_mb, one.seen_written) == (0.0, 0)
    one.look("fit")
    assert looked == [("disk", 0, False), "heard"]
    one.launch.keeper = 42
    looked.clear()
    one.look("fit")
    one.look("fit")
    about = (42, one.limits, tmp_path, 5)
    assert looked == [
        ("disk", 0, False),
        "heard",
        about,
        ("fit", False),
        ("disk", 9, False),
        ("fit", False),
    ]
    assert (one.peak_mb, one.seen_written) == (7.0, 9)
    one.check_disk("fit", has_failed=True)
    assert looked[-1] == ("disk", 9, True)


# disks


def spaces(monkeypatch, *free):
    """What is left of every disk, look by look, in MB; the last stays."""
    rest = list(free)

    def space(_):
        value = rest.pop(0) if len(rest) > 1 else rest[0]
        return Space(int(value * MB), 512 * MB, -1, 0)

    monkeypatch.setattr("kobench.supervisor.disk.space", space)
    monkeypatch.setattr("kobench.supervisor.disk.PATIENCE", 0.0)
    monkeypatch.setattr("kobench.supervisor.disk.LOOK", 0.001)


def test_who_failed_by_itself_where_little_is_left_did_so_for_want_of_room(monkeypatch, tmp_path):
    spaces(monkeypatch, 2000)
    disk = Disk(tmp_path)
    disk.check("fit", 3 * MB, has_failed=True)
    spaces(monkeypatch, 300)
    disk.check("fit", 3 * MB)
    with pytest.raises(TrialFailed) as ended:
        disk.check("fit", 3 * MB, has_failed=True)
    assert ended.value.status == "disk-full"
    assert "300 MB were left, of 2,000 MB" in str(ended.value)
    disk.low = "5 MB"  # it had been ended before
    with pytest.raises(TrialFailed, match="5 MB were left"):
        disk.check("fit", 3 * MB, has_failed=True)


def test_what_is_kept_is_nobodys_share(monkeypatch, tmp_path):
    spaces(monkeypatch, 512)
    assert Disk(tmp_path).share == 64 * MB
    spaces(monkeypatch, 511)
    with pytest.raises(NoRoomError) as refused:
        Disk(tmp_path)
    assert refused.value.exit_code == 1
    assert str(Space(3 * MB, 0, 5, 6)) == "3 MB and 5 files"
    assert str(Space(3 * MB, 0, 6, 6)) == "3 MB"


def test_other_disks_are_watched_once_where_there_is_room(monkeypatch, tmp_path):
    spaces(monkeypatch, 2000)
    disk = Disk(tmp_path)
    disk.watch_common([tmp_path, tmp_path / "gone", Path("/proc"), Path("/proc")])
    assert disk._places == [tmp_path, Path("/proc")]
    spaces(monkeypatch, 100)
    disk.watch_common([Path("/sys")])
    assert disk._places == [tmp_path, Path("/proc")]


# replies


def reply(**fields):
    return json.dumps(fields).encode()


READY = {"kind": "ready", "protocol": 1, "python": "3.9", "numpy": "1", "packages": {}}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({**READY, "more": 1}, READY),
        ({"kind": "log", "message": "a\x1bb", "done": 1, "total": 2}, None),
        ({"kind": "done", "for": "fit"}, {"kind": "done", "for": "fit"}),
        (
            {"kind": "check", "name": "n", "status": "ok", "found": "two\nlines"},
            {"kind": "check", "name": "n", "status": "ok", "found": "two\nlines"},
        ),
        (
            {
                "kind": "failed",
                "for": "f",
                "status": "invalid",
                "message": "a\nb",
                "traceback": None,
            },
            None,
        ),
    ],
)
def test_a_reply_has_the_fields_of_its_kind_and_no_others(fields, kept):
    found = parse(reply(**fields))
    assert kept is None or found == kept
    assert "\x1b" not in str(found.values())
    assert "\n" not in found.get("message", "")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[" * 100_000,
        b"3",
        b'"ready"',
        reply(kind="else"),
        reply(kind=["done"]),
        reply(kind="done"),
        reply(kind="done", **{"for": 3}),
        reply(kind="log", message="m", done="1", total=2),
        reply(**{**READY, "packages": []}),
        *(
            reply(kind="failed", **{"for": "f"}, status=status, message="m", traceback=None)
            for status in sorted({"ok", "unsupported", "disk-full", *LIMIT_OF} - {"out-of-memory"})
        ),
        reply(kind="failed", **{"for": "f"}, status="failed", message="m", traceback=3),
    ],
)
def test_what_is_no_reply_says_that_something_else_wrote_it(line):
    with pytest.raises(ValueError, match="something else wrote to its pipe"):
        parse(line)


@pytest.mark.parametrize("status", ["failed", "invalid", "out-of-memory"])
def test_a_worker_may_say_how_its_predictor_failed(status):
    line = reply(kind="failed", **{"for": "f"}, status=status, message="m", traceback="a\nb")
    assert parse(line)["traceback"] == "a\nb"


def test_replies_are_read_line_by_line():
    pipe = Pipe()
    _, theirs = pipe.worker_ends
    try:
        assert (pipe.reply(), pipe.read()) == (None, True)  # nothing has come
        os.write(theirs, b'{"kind": "done", "for": "a"}\n{"kind": "done", "for": "b"}\n{"kind"')
        assert pipe.read()
        assert [pipe.reply()["for"], pipe.reply()["for"], pipe.reply()] == ["a", "b", None]
        os.write(theirs, b': "done", "for": "c"}\n')
        assert pipe.read()
        assert pipe.reply() == {"kind": "done", "for": "c"}
        pipe._unread = b"x" * MOST_BYTES
        assert pipe.reply() is None
        pipe._unread += b"x"
        with pytest.raises(ValueError, match="longer than 1,048,576 bytes"):
            pipe.reply()
        # only as much of a request is written as there is room for
        rest = pipe.write(b"r" * (1 << 22))
        assert 0 < len(rest) < 1 << 22
        assert pipe.write(rest) == rest
        pipe.close_worker_ends()
        assert not pipe.read()
    finally:
        pipe.close()


# limits, memory and output


@pytest.mark.parametrize(
    ("limit", "shared"),
    [(None, 1024), (100, 64), (256, 64), (260, 65), (4096, 1024), (4100, 1024)],
)
def test_shared_memory_is_a_quarter_within_bounds(limit, shared):
    assert shared_mb(limit) == shared


@pytest.mark.parametrize(
    ("there", "jobs", "most"),
    [(1000, 1, 750), (1000, 2, 375), (100_000, 1, 16384), (100_000, 8, 9375), (1, 4, 1)],
)
def test_the_default_memory_is_a_share_of_what_there_is(monkeypatch, there, jobs, most):
    monkeypatch.setattr("kobench.supervisor.limits.available_mb", lambda: there)
    assert default_memory_mb(jobs) == most


def test_what_passed_a_limit_is_shown_above_it():
    assert [above(size) for size in (0, 1, MB, MB + 1)] == [0, 1, 1, 2]
    assert [counted(number) for number in (1, 2, 1500)] == [
        "process",
        "2 processes",
        "1,500 processes",
    ]
    assert described(Held(MB + 1, "PSS"), 2) == "its 2 processes held 2 MB (PSS)"
    limits = Limits(seconds=1.5, memory_mb=2000, processes=3, written_mb=1000)
    said = {
        "timeout": "it took longer than 1.5 s, the limit (--timeout)",
        "out-of-memory": "its processes held more than 2,000 MB of memory, the limit (--memory)",
        "too-many-processes": "it ran more than 3 processes, or 48 threads, the limit"
        " (--processes)",
        "too-much-written": "it wrote more than 1,000 MB, the limit (--written)",
    }
    for status, message in said.items():
        assert passed(limits, status, "fit").message == message
    assert str(passed(limits, "too-many-processes", "fit", "it ran 4")).endswith(
        "it ran 4, the limit is 3 processes and 48 threads (--processes)"
    )


@pytest.mark.parametrize(
    ("now", "before", "is_raised"),
    [(10, 9, True), (10, 10, False), (9, 10, False), (None, 10, True), (10, None, False)],
)
def test_a_limit_is_raised_above_what_it_was(now, before, is_raised):
    assert raised("timeout", Limits(seconds=now), {"seconds": before}) == is_raised
    assert not raised("timeout", Limits(seconds=99), {})


def test_the_end_of_what_is_printed_is_kept_once_it_is_closed(tmp_path):
    output = Output(tmp_path / "log")
    assert output.tail() is None
    os.write(output.number, b"  first\n\xff second  \n")
    assert output.tail().splitlines()[0] == "first"
    os.write(output.number, b"x" * 100_000 + b"end\n")
    output.close()
    (tmp_path / "log").write_text("else")
    assert output.tail().endswith("xend")
    assert "first" not in output.tail()
