"""What is read of processes in /proc, from files made up for it."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from kobench.supervisor import memory, open_files, processes
from kobench.supervisor.memory import Held, in_status, memory_of
from kobench.supervisor.open_files import Opened, Unnamed, mapped_files, socket_bytes, unnamed_files
from kobench.supervisor.processes import FleetingError, Member, by_any_thread, member_of


@pytest.fixture
def folder(tmp_path):
    """What /proc has of a process."""
    (tmp_path / "smaps_rollup").write_text(
        "00400000-7ffc ---p 00000000 00:00 0 [rollup]\nRss: 999 kB\nPss: 100 kB\n"
        "Pss_Anon: 50 kB\nPss_Shmem: 30 kB\n"
    )
    (tmp_path / "status").write_text(
        "Name:\tx\nVmPTE:\t 8 kB\nRssShmem:\t 20 kB\nHugetlbPages:\t 2048 kB\nVmPTEx: 7 kB\n"
    )
    return tmp_path


def test_shares_and_sizes_are_in_kilobytes(folder):
    assert memory._pss(str(folder)) == (100 * 1024, 30 * 1024)
    member = SimpleNamespace(folder=str(folder))
    assert in_status(member, b"RssShmem:") == 20 * 1024
    assert memory.beside_shares(member) == (8 + 2048) * 1024
    assert in_status(SimpleNamespace(folder=str(folder / "gone")), b"VmPTE:") == 0


@pytest.fixture
def held(monkeypatch):
    """Members with what is said of each: its share, or what reading it raises."""

    def of(*shares, files=0, sockets=0, beside=0, shmem=0):
        members = [SimpleNamespace(pid=i, rss=1000, share=one) for i, one in enumerate(shares)]

        def share(member):
            if isinstance(member.share, Exception):
                raise member.share
            return member.share

        monkeypatch.setattr(memory, "_share", share)
        monkeypatch.setattr(memory, "beside_shares", lambda _: beside)
        monkeypatch.setattr(memory, "files_in_memory", lambda _: files)
        monkeypatch.setattr(memory, "socket_bytes", lambda _: sockets)
        monkeypatch.setattr(memory, "in_status", lambda *_: shmem)
        monkeypatch.setattr(memory, "member_of", lambda pid: None if pid == "1" else (0, None))
        return memory_of(members)

    return of


def test_memory_is_added_up_and_what_is_mapped_of_files_counts_once(held):
    assert held() == Held(0, "PSS")
    assert held((100, 0), (50, 0), beside=7) == Held(164, "PSS")
    assert held((100, 30), files=50) == Held(120, "PSS")  # 30 of the 50 are mapped
    assert held((100, 60), files=50, sockets=4) == Held(104, "PSS")
    assert held((100, 0), ProcessLookupError()) == Held(100, "PSS")


def test_a_share_that_is_hidden_is_all_that_is_resident(held):
    assert held(PermissionError(), (5, 0)) == Held(1005, "RSS")
    assert held(PermissionError(), shmem=30, files=50) == Held(1020, "RSS")
    assert held((5, 0), ValueError()) == Held(5, "PSS")  # it is gone by now


def test_a_thread_that_ended_is_followed_to_the_next(monkeypatch):
    threads = iter([7, 8, 8])
    read = []

    def pss(place):
        read.append(place)
        if not place.endswith("8"):
            raise FileNotFoundError
        return 5, 0

    monkeypatch.setattr(memory, "_pss", pss)
    monkeypatch.setattr(memory, "member_of", lambda pid: (0, Member(3, 1, 1, next(threads))))
    assert memory._share(Member(3, 1, 1)) == (5, 0)
    assert read == ["/proc/3", "/proc/3/task/7", "/proc/3/task/8"]
    # a first thread that still is the first can't be read: the process ends
    monkeypatch.setattr(memory, "member_of", lambda pid: (0, Member(3, 1, 1)))
    with pytest.raises(FileNotFoundError):
        memory._share(Member(3, 1, 1))
    monkeypatch.setattr(memory, "member_of", lambda pid: None)
    with pytest.raises(FileNotFoundError):
        memory._share(Member(3, 1, 1, 9))


def fields(state, threads=4, rss=3):
    found = [b"0"] * 40
    found[0], found[1], found[17], found[21] = state, b"12", b"%d" % threads, b"%d" % rss
    return found


def test_a_process_is_read_by_its_first_thread_or_by_one_that_lives(monkeypatch):
    said = {"9": fields(b"S"), "9/task/9": fields(b"Z"), "9/task/10": fields(b"X")}
    said["9/task/11"] = fields(b"R", rss=5)
    monkeypatch.setattr(processes, "stat_of", said.__getitem__)
    monkeypatch.setattr(processes.os, "listdir", lambda _: ["9", "10", "11"])
    monkeypatch.setattr(processes, "has_ended", lambda _: False)
    assert member_of("9") == (12, Member(9, 4, 3 * processes.PAGE))
    said["9"] = fields(b"Z", rss=0)
    assert member_of("9") == (12, Member(9, 4, 5 * processes.PAGE, 11))
    monkeypatch.setattr(processes, "has_ended", lambda _: True)
    assert member_of("9") == (12, Member(9, 4, 0))
    said["9"] = [b"S"]
    assert member_of("9") is None
    assert Member(9, 4, 0).folder == "/proc/9"
    assert Member(9, 4, 0, 11).folder == "/proc/9/task/11"


def test_any_thread_that_can_be_read_stands_for_its_process(monkeypatch):
    there = [frozenset("12")]
    monkeypatch.setattr(processes, "_threads_of", lambda _: there.pop(0) if there[1:] else there[0])

    def read(place):
        if place.endswith("/2"):
            return place
        raise ProcessLookupError

    def none(place):
        raise ProcessLookupError

    assert by_any_thread(3, read) == "/proc/3/task/2"
    with pytest.raises(ProcessLookupError):
        by_any_thread(3, none)
    there[:] = [frozenset("12"), frozenset("1")]
    with pytest.raises(ProcessLookupError):
        by_any_thread(3, none)
    there[:] = [frozenset("12"), frozenset("13")]
    with pytest.raises(FleetingError):
        by_any_thread(3, none)


def test_sockets_count_with_their_buffers_and_those_of_a_network_of_their_own(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(open_files, "_buffer", lambda: 10)
    of = {"/proc/self": "ours"}
    monkeypatch.setattr(open_files, "_network", lambda place: of.get(place))
    sockets = [Opened("socket:[1]"), Opened("/a"), Opened("socket:[2]")]
    monkeypatch.setattr(open_files, "open_files", lambda member: sockets[: member.many])

    def member(name, network, many=0, lines=()):
        place = tmp_path / name
        (place / "net").mkdir(parents=True, exist_ok=True)
        head = "Num RefCount Protocol Flags Type St Inode Path\n"
        (place / "net" / "unix").write_text(
            head + "".join(f"0: 2 0 0 {one} 01 5\n" for one in lines)
        )
        of[str(place)] = network
        return SimpleNamespace(folder=str(place), many=many)

    assert socket_bytes([member("a", "ours", 3), member("b", "ours", 1)]) == 30
    stream, datagrams = "0001", "0002"
    alone = member("c", "own", 1, [stream, stream, datagrams])
    assert socket_bytes([alone]) == 130  # two, and eleven messages
    assert socket_bytes([alone, member("d", "own", 0, [stream])]) == 130  # a network once
    assert socket_bytes([alone, member("e", "other", 0, [stream])]) == 140
    assert socket_bytes([member("f", "ours", 0, [stream] * 9)]) == 0
    assert socket_bytes([member("g", None, 0, [stream] * 9)]) == 0


def test_what_is_mapped_of_removed_files(tmp_path):
    lines = (
        "1000-3000 rw-p 00000000 08:01 77 /x/removed (deleted)\n"
        "4000-5000 rw-p 00000000 08:01 77 /x/removed (deleted)\n"
        "6000-7000 rw-p 00000000 00:05 78 /dev/shm/seen (deleted)\n"
        "8000-9000 rw-p 00000000 08:01 79 /x/there\n"
        "a000-b000 rw-p 00000000 00:01 80 /memfd:x (deleted)\n"
    )
    (tmp_path / "maps").write_text(lines)
    disk = os.makedev(8, 1), 77
    found = list(mapped_files(str(tmp_path)))
    assert found == [(Unnamed(disk, 0x2000, False), False), (Unnamed(disk, 0x3000, False), False)]
    (tmp_path / "map_files").mkdir()
    (tmp_path / "map_files" / "6000-7000").write_bytes(b"x" * 5000)
    status = os.stat(tmp_path / "map_files" / "6000-7000")
    key = status.st_dev, status.st_ino
    assert (Unnamed(key, status.st_blocks * 512, True), True) in list(mapped_files(str(tmp_path)))
    assert list(mapped_files(str(tmp_path / "gone"))) == []


def test_files_without_a_name_count_once_however_they_are_held(monkeypatch):
    def status(inode, links):
        return SimpleNamespace(st_dev=1, st_ino=inode, st_nlink=links, st_blocks=2)

    opened = [
        Opened("/memfd:a (deleted)", status(5, 0)),
        Opened("/x (deleted)", status(6, 0)),
        Opened("/y (deleted)", status(7, 1)),
        Opened("/z"),
    ]
    mapped = [
        (Unnamed((9, 5), 99, False), False),  # the same file, by another number of its device
        (Unnamed((9, 8), 70, False), False),
        (Unnamed((9, 8), 80, False), False),
        (Unnamed((1, 6), 1024, False), True),
    ]
    monkeypatch.setattr(open_files, "open_files", lambda _: opened)
    monkeypatch.setattr(open_files, "mapped_files", lambda _: iter(mapped))
    found = unnamed_files([SimpleNamespace(folder="a"), SimpleNamespace(folder="b")])
    assert sorted((one.key, one.size, one.in_memory) for one in found) == [
        ((1, 5), 1024, True),
        ((1, 6), 1024, False),
        ((9, 8), 80, False),
    ]


def test_files_that_are_on_their_way_are_counted(tmp_path):
    (tmp_path / "fd").mkdir()
    (tmp_path / "fdinfo").mkdir()
    for name, target, about in (
        ("3", "socket:[1]", "pos: 0\nscm_fds: 12\nx: 4\n"),
        ("4", "socket:[2]", "pos: 0\n"),
        ("5", "/file", "scm_fds: 5\n"),
    ):
        (tmp_path / "fd" / name).symlink_to(target)
        (tmp_path / "fdinfo" / name).write_text(about)
    (tmp_path / "fd" / "6").symlink_to("socket:[3]")  # closed meanwhile
    found = {one.target: one.flying for one in open_files._opened_by(str(tmp_path))}
    assert found == {"socket:[1]": 12, "socket:[2]": 0, "/file": 0}
