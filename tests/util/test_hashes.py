"""Remembered hashes: a file is read again where anything says that it may have changed."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path

import pytest

from kobench.util import hashes
from kobench.util.hashes import (
    Hashes,
    files_below,
    hash_of_all,
    stamp_of_all,
    without_caches,
)


@pytest.fixture
def read(monkeypatch):
    """The files that are read; a file counts as old as soon as it is there."""
    seen: list[Path] = []
    real = hashes.sha256_of
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    monkeypatch.setattr(hashes, "sha256_of", lambda path: (seen.append(path), real(path))[1])
    return seen


def hash_again(memory, file):
    """What a later command finds."""
    known = Hashes(memory)
    found = known.of(file)
    known.keep()
    return found


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_that_stays_is_read_once(tmp_path, read):
    memory, file = tmp_path / "memory.json", tmp_path / "file"
    file.write_bytes(b"one")
    assert {hash_again(memory, file) for _ in range(3)} == {sha(b"one")}
    assert read == [file]
    other = tmp_path / "other"
    other.write_bytes(b"two")
    assert hash_again(memory, other) == sha(b"two")
    assert hash_again(memory, file) == sha(b"one")
    assert read == [file, other]  # neither has pushed out the other


@pytest.mark.parametrize("part", range(5))
def test_each_part_of_a_stamp_counts(tmp_path, read, monkeypatch, part):
    """Size, two times, number on the disk, and disk."""
    memory, file = tmp_path / "memory.json", tmp_path / "file"
    file.write_bytes(b"one")
    hash_again(memory, file)
    real = os.stat
    names = ("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_dev")

    class Changed:
        def __init__(self, path, **more):
            self.status = real(path, **more)

        def __getattr__(self, name):
            return getattr(self.status, name) + (name == names[part])

    with monkeypatch.context() as patch:
        patch.setattr(hashes.os, "stat", Changed)
        Hashes(memory).of(file)
    assert read == [file, file]


def test_a_file_that_was_just_written_is_read_again(tmp_path, read, monkeypatch):
    """A second change in the same step of the clock would leave its times as they are."""
    monkeypatch.setattr(hashes, "YOUNG", 10**15)
    memory, file = tmp_path / "memory.json", tmp_path / "file"
    file.write_bytes(b"one")
    assert [hash_again(memory, file) for _ in range(2)] == [sha(b"one")] * 2
    assert read == [file, file]


def test_a_file_that_was_just_given_an_old_time_is_read_again(tmp_path, read, monkeypatch):
    """As where it was copied with its time, or unpacked."""
    monkeypatch.setattr(hashes, "YOUNG", 10**15)
    memory, file = tmp_path / "memory.json", tmp_path / "file"
    file.write_bytes(b"one")
    os.utime(file, (0, 0))
    assert [hash_again(memory, file) for _ in range(2)] == [sha(b"one")] * 2
    assert read == [file, file]


def test_a_file_that_is_written_to_while_it_is_read_is_not_remembered(tmp_path, read, monkeypatch):
    memory, file = tmp_path / "memory.json", tmp_path / "file"
    file.write_bytes(b"one")
    slow = hashes.sha256_of

    def read_and_write(path):
        found = slow(path)
        path.write_bytes(b"three")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(hashes, "sha256_of", read_and_write)
        assert hash_again(memory, file) == sha(b"one")
    assert hash_again(memory, file) == sha(b"three")


@pytest.mark.parametrize(
    "content", ["{", "[]", "3", '{"FILE": 3}', '{"FILE": []}', '{"FILE": ["x"]}']
)
def test_a_damaged_memory_costs_time_and_nothing_else(tmp_path, read, content):
    memory, file = tmp_path / "memory.json", tmp_path / "file"
    file.write_bytes(b"one")
    memory.write_text(content.replace("FILE", str(file)))
    assert hash_again(memory, file) == sha(b"one")
    assert hash_again(memory, file) == sha(b"one")
    assert read == [file]
    assert json.loads(memory.read_text())


def test_one_hash_of_many_follows_names_and_contents_and_not_places(tmp_path):
    def hashed(folder, **contents):
        (tmp_path / folder).mkdir()
        for name, content in contents.items():
            (tmp_path / folder / name).write_text(content)
        known = Hashes(tmp_path / "memory.json")
        return hash_of_all(files_below(tmp_path / folder), known, "files")

    assert hashed("here", a="1", b="2") == hashed("there", b="2", a="1")
    # systems list the files of a folder in any order
    files, known = files_below(tmp_path / "here"), Hashes(tmp_path / "memory.json")
    one, other = (
        hash_of_all({name: files[name] for name in names}, known, "files") for names in ("ab", "ba")
    )
    assert one == other
    others = [
        hashed("1", a="1", b="2"),
        hashed("2", a="2", b="1"),
        hashed("3", a="1", c="2"),
        hashed("4", a="1"),
        hashed("5", a="1", b="2", c=""),
        hashed("6", a="12", b=""),
    ]
    assert len(set(others)) == 6


def test_where_a_link_to_a_folder_leads_counts(tmp_path):
    """Links are not followed, so of what lies there nothing else is seen."""
    memory = tmp_path / "memory.json"
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "weights"
    found = []
    for place in ("one", "two", "gone", "one"):
        if place != "gone":
            (tmp_path / place).mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / place)
        found.append(hash_of_all(files_below(tmp_path / "folder"), Hashes(memory), "files"))
    assert found[3] == found[0]
    assert len(set(found)) == 3


def test_what_is_no_file_counts_by_what_it_is(tmp_path):
    def hashed(make):
        place = tmp_path / "thing"
        make(place)
        found = hash_of_all({"thing": place}, Hashes(tmp_path / "memory.json"), "files")
        place.rmdir() if place.is_dir() else place.unlink()
        return found

    def socket_at(place):
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(os.path.relpath(place))  # a path of its own may be too long

    kinds = (os.mkfifo, socket_at, Path.mkdir, Path.touch)
    first = [hashed(kind) for kind in kinds]
    assert [hashed(kind) for kind in kinds] == first
    assert len(set(first)) == len(kinds)


def test_what_a_stamp_of_many_follows(tmp_path):
    one, two, gone = (tmp_path / name for name in ("one", "two", "gone"))
    one.write_text("1")
    two.write_text("2")
    found = stamp_of_all([one, two, gone])
    assert stamp_of_all([gone, two, one]) == found
    assert len({found, stamp_of_all([one, two]), stamp_of_all([one, gone])}) == 3
    two.write_text("22")
    changed = stamp_of_all([one, two, gone])
    two.unlink()
    assert len({found, changed, stamp_of_all([one, two, gone])}) == 3


@pytest.mark.parametrize(("size", "said"), [(5, ""), (6, "0.0 GB of weights")])
def test_who_waits_for_much_to_be_read_is_told_so(tmp_path, monkeypatch, capsys, size, said):
    monkeypatch.setattr(hashes, "MUCH", 12)
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    (tmp_path / "folder").mkdir()
    for name in ("a", "b"):
        (tmp_path / "folder" / name).write_bytes(b"x" * size)
    (tmp_path / "folder" / "pipe").symlink_to("/dev/null")
    for again in (False, True):
        known = Hashes(tmp_path / "memory.json")
        hash_of_all(files_below(tmp_path / "folder"), known, "weights")
        told = capsys.readouterr().err
        assert bool(told) == (bool(said) and not again)  # what stays is not read again
        assert said in told or again


def test_what_looks_compiled_is_left_out_unless_it_was_brought(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    for name in ("a.py", "__pycache__/a.cpython-311.pyc", "__pycache__/weights.npz"):
        (tmp_path / name).touch()
    for name in ("__pycache__/a.x.nbc", "__pycache__/a.pyo.123", "__pycache__/b.pyc", "a.pyc"):
        (tmp_path / name).touch()
    files = files_below(tmp_path)
    compiled = {f"__pycache__/{name}" for name in ("a.cpython-311.pyc", "a.x.nbc", "a.pyo.123")}
    left, caches = without_caches(files)
    assert set(files) - set(left) == compiled
    assert caches == {tmp_path / "__pycache__"}
    left, caches = without_caches(files, compiled)
    assert (left, caches) == (files, frozenset())


def test_what_can_be_read_beside_a_content_counts_where_it_is_asked_for(tmp_path):
    folder, memory = tmp_path / "folder", tmp_path / "memory.json"
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "link").symlink_to("a")

    def seen(modes):
        files = files_below(folder, empty=modes)
        return hash_of_all(files, Hashes(memory), "files", modes=modes)

    def with_modes():
        return seen(True)

    plain, found = seen(False), [with_modes()]
    (folder / "a").chmod(0o755)
    found.append(with_modes())
    (folder / "link").unlink()
    (folder / "link").symlink_to("././a")
    found.append(with_modes())
    (folder / "w=0.0").mkdir()
    found.append(with_modes())
    (folder / "w=0.0").rename(folder / "w=1.0")
    found.append(with_modes())
    assert len(set(found)) == 5
    assert seen(False) == plain
    (folder / "w=1.0").rename(folder / "w=0.0")
    os.utime(folder / "a", (1, 1))
    assert with_modes() == found[3]
