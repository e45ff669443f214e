"""Remembered hashes: a file is read again where anything says that it may have changed."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path

import pytest

from kobench.util import hashes
from kobench.util.hashes import Hashes, files_below, hash_of_all


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
