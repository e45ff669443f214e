"""Locks of environments, and what installers are told and say, without making any."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from kobench import __version__
from kobench.environments import create, pip
from kobench.environments.folder import making_folder
from kobench.environments.lock import (
    Lock,
    address_of,
    is_lock,
    line_of,
    lock_among,
    lock_of,
    read_lock,
    refuse_others,
)
from kobench.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


# locks

A, B = "a" * 64, "b" * 64


def test_the_text_of_a_lock():
    one = Lock("3.11.2", {"b==2": frozenset([B, A]), "a==1": frozenset()})
    assert one.text == (
        f"# kobench lock 1, Python 3.11.2\na==1\nb==2 --hash=sha256:{A} --hash=sha256:{B}\n"
    )
    assert one.digest == hashlib.sha256(one.text.encode()).hexdigest()
    assert not one.hashed
    assert Lock("3.11.2", {"b==2": frozenset([A])}).hashed
    assert Lock("3.11.2").text == "# kobench lock 1, Python 3.11.2\n"


def test_a_lock_is_read_as_it_was_written_and_known_by_its_first_line(tmp_path):
    one = Lock("3.11.2", {"b==2": frozenset([A, B]), "-e /x y": frozenset(), "c @ u": frozenset()})
    path = tmp_path / "lock.txt"
    path.write_text(one.text)
    assert read_lock(path) == one
    assert is_lock(str(path))
    other = tmp_path / "lock.toml"
    other.write_text(one.text)
    for text in ("numpy\n", "", "# kobench lock 2, Python 3.11.2\n", f" {one.text}"):
        (tmp_path / "x.txt").write_text(text)
        assert not is_lock(str(tmp_path / "x.txt"))
    assert not is_lock(str(other))
    assert not is_lock(str(tmp_path / "gone.txt"))
    (tmp_path / "bytes.txt").write_bytes(b"\xff")
    assert not is_lock(str(tmp_path / "bytes.txt"))
    with pytest.raises(UserError, match="can't be read"):
        read_lock(tmp_path / "gone.txt")
    with pytest.raises(UserError, match="can't be read"):
        read_lock(tmp_path / "bytes.txt")
    for line, number in (("--index-url x", 2), ("", 2)):
        path.write_text(f"# kobench lock 1, Python 3.11.2\n{line}\na==1\n")
        with pytest.raises(UserError, match=f"line {number} of the lock"):
            read_lock(path)


def test_a_lock_stands_alone(tmp_path):
    path, other = tmp_path / "lock.txt", tmp_path / "other.txt"
    for each in (path, other):
        each.write_text(Lock("3.11.2", {"a==1": frozenset()}).text)
    (tmp_path / "needs.txt").write_text("numpy\n")
    assert lock_among([str(path)], None, []) == read_lock(path)
    assert lock_among(["numpy", str(tmp_path / "needs.txt")], "c", []) is None
    for specs, constraint, requirements in (
        ([str(path), "numpy"], None, []),
        ([str(path)], "c", []),
        ([str(path)], None, [path]),
        ([], None, [path]),
        ([str(path), str(other)], None, []),
    ):
        with pytest.raises(UserError, match="is a lock, which says all"):
            lock_among(specs, constraint, requirements)


def inside(*installed, version="3.11.2"):
    return {
        "version": version,
        "installed": [
            {"name": name, "version": number, "needs": list(needs), "metadata": "/nowhere"}
            for name, number, *needs in installed
        ],
    }


def test_what_a_lock_names_of_what_is_installed():
    found = lock_of(
        inside(
            ("My_Plug", "1.0", "numpy"),
            ("numpy", "2"),
            ("kobench", "1"),
            ("pip", "24"),
            ("setuptools", "70"),
            ("bad name", "1"),
            ("bad", "1 0"),
        ),
        {"my-plug": [A, "no hash"], "numpy": []},
    )
    assert found == Lock("3.11.2", {"my-plug==1.0": frozenset([A]), "numpy==2": frozenset()})
    needed = lock_of(inside(("a", "1", "setuptools"), ("setuptools", "70")), {})
    assert set(needed.lines) == {"a==1", "setuptools==70"}
    brought = lock_of(inside(("setuptools", "70")), {"setuptools": [B]})
    assert brought.lines == {"setuptools==70": frozenset([B])}


def test_what_is_made_from_a_lock_has_the_same_lock(tmp_path):
    # of a registry a lock names all files of a version; an installer says which one it took
    lock = Lock("3.11.1", {"a==1": frozenset([A, B])})
    making = create._Making("x", tmp_path / "x", tmp_path, pip.Wanted(["lock.txt"], lock=lock))
    made = making.lock_of(inside(("a", "1")), {"a": [A]})
    assert made == Lock("3.11.2", {"a==1": frozenset([A, B])})
    with pytest.raises(UserError, match="not what the lock says"):
        making.lock_of(inside(("a", "2")), {"a": [A]})


def test_where_a_distribution_came_from(tmp_path):
    def said(text):
        (tmp_path / "direct_url.json").write_text(text)
        return address_of(tmp_path)

    assert address_of(tmp_path) == {}
    assert said('{"url": "https://x/a.whl"}') == {"url": "https://x/a.whl"}
    for none in ("{}", "[]", "{", '{"url": "a b"}', '{"url": ""}', "[" * 100_000):
        assert said(none) == {}
    said(json.dumps({"url": "https://x/a.whl", "archive_info": {"hashes": {"sha256": A}}}))
    whole = inside(("a", "1"))
    whole["installed"][0]["metadata"] = str(tmp_path)
    assert lock_of(whole, {"a": [B]}).lines == {"a @ https://x/a.whl": frozenset([A])}


@pytest.mark.parametrize(
    ("address", "line", "known"),
    [
        ({"url": "file:///a%20b", "dir_info": {"editable": True}}, "-e /a b", set()),
        ({"url": "file:///a", "dir_info": {}}, "n @ file:///a", set()),
        ({"url": "https://a", "dir_info": {"editable": True}}, "n @ https://a", set()),
        (
            {"url": "https://a", "vcs_info": {"vcs": "git", "commit_id": "c"}},
            "n @ git+https://a@c",
            set(),
        ),
        (
            {"url": "https://a", "vcs_info": {"vcs": "git", "commit_id": "c d"}},
            "n @ https://a",
            set(),
        ),
        ({"url": "https://a", "archive_info": {"hashes": {"sha256": A}}}, "n @ https://a", {A}),
        ({"url": "https://a", "archive_info": {"hashes": {"md5": A}}}, "n @ https://a", set()),
        ({"url": "https://a", "archive_info": {"hashes": [A]}}, "n @ https://a", set()),
        ({"url": "https://a", "archive_info": {}}, "n @ https://a", set()),
        ({"url": "https://a"}, "n @ https://a", set()),
    ],
)
def test_the_line_of_what_has_an_address(address, line, known):
    assert line_of("n", address) == (line, known)


def test_a_file_of_this_machine_is_hashed_where_nothing_says_its_hash(tmp_path):
    file = tmp_path / "a.whl"
    file.write_bytes(b"x")
    url, own_hash = file.as_uri(), hashlib.sha256(b"x").hexdigest()
    assert line_of("n", {"url": url, "archive_info": {}}) == (f"n @ {url}", {own_hash})
    told = {"url": url, "archive_info": {"hashes": {"sha256": A}}}
    assert line_of("n", told) == (f"n @ {url}", {A})


def test_what_was_installed_beside_a_lock_is_refused():
    def lock(*lines):
        return Lock("3", dict.fromkeys(lines, frozenset([A])))

    refuse_others(lock("a", "b"), Lock("4", {"a": frozenset(), "b": frozenset()}))
    for wanted, found in ((lock("a"), lock("a", "b")), (lock("a", "b"), lock("a"))):
        with pytest.raises(UserError, match=r"in one of them alone: b\. Nothing was kept"):
            refuse_others(wanted, found)
    with pytest.raises(UserError, match=r"alone: a, b, c, d, e, f and 1 more\."):
        refuse_others(lock(*"abcdefg"), lock())
    with pytest.raises(UserError, match=r"alone: a, b, c, d, e, f\. "):
        refuse_others(lock(*"abcdef"), lock())


# what pip is told, and says


def told(wanted, hashed=True):
    with pip.arguments_for(wanted, "one", hashed) as arguments:
        (file,) = making_folder().glob("one.constraint")
        return arguments, file.read_text()


def test_what_an_installer_is_told(folder, tmp_path):
    making_folder().mkdir(parents=True)
    own_file = str(making_folder() / "one.constraint")
    wanted = pip.Wanted(["a", "-e ./b"], "limits.txt", [tmp_path / "r.txt"])
    assert told(wanted) == (
        [
            *("-c", own_file, "-c", "limits.txt", "-r", str(tmp_path / "r.txt")),
            *("a", "-e", "./b", "numpy>=1.21"),
        ],
        f"kobench=={__version__}\n",
    )
    assert told(pip.Wanted(["a"]))[0] == ["-c", own_file, "a", "numpy>=1.21"]
    lock = Lock("3.11.2", {"a==1": frozenset([A])})
    locked_one = pip.Wanted(["lock.txt"], lock=lock)
    assert told(locked_one) == (["--no-deps", "-r", own_file], lock.text)
    bare = Lock("3.11.2", {"a==1": frozenset()})
    assert told(locked_one, hashed=False) == (["--no-deps", "-r", own_file], bare.text)
    assert not Path(own_file).exists()
    assert str(wanted) == f"a, -e ./b, {tmp_path / 'r.txt'}"


@pytest.mark.parametrize(
    ("version", "can"),
    [("22.2", True), ("22.1.2", False), ("21.9", False), ("23.0", True), ("9.0", False)],
)
def test_which_pip_can_say_what_it_installed(tmp_path, version, can):
    python = tmp_path / "bin" / "python"
    assert not pip.can_report(python)
    (tmp_path / "lib/python3.11/site-packages" / f"pip-{version}.dist-info").mkdir(parents=True)
    assert pip.can_report(python) == can


def test_what_pip_reports_and_what_a_lock_refuses_of_it(tmp_path):
    def report(*installed):
        (tmp_path / "r").write_text(json.dumps({"install": installed}))
        return pip.reported(tmp_path / "r")

    def one(name, **info):
        return {"metadata": {"name": name}, "download_info": info}

    assert pip.reported(tmp_path / "gone") == {}
    assert report(
        one("My_Plug", archive_info={"hashes": {"sha256": A}}),
        one("b", archive_info={"hashes": {"md5": A}}),
        one("c", dir_info={}),
        one("d", archive_info=None),
    ) == {"my-plug": [A]}
    assert report(one("a", archive_info={"hashes": {"sha256": A}}), {}) == {"a": [A]}
    (tmp_path / "r").write_text("[]")
    assert pip.reported(tmp_path / "r") == {}
    lock = Lock("3", {"a==1": frozenset([A]), "b @ u": frozenset([A, B]), "c==1": frozenset()})
    pip.refuse_other_files(lock, {"a": [A], "b": [B], "c": [B], "d": [B]})
    pip.refuse_other_files(lock, {})
    for found in ({"a": [B]}, {"b": ["c" * 64]}):
        with pytest.raises(UserError, match="which is not in the lock; nothing was kept"):
            pip.refuse_other_files(lock, found)
