"""From sources to files: what is got is what the card says, whole, or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from contents import content_of
from file_server import FileServer, serving, until

from kobench.datasets import get
from kobench.datasets.cards import read_card
from kobench.datasets.content import content_of_file
from kobench.datasets.download import Patience
from kobench.datasets.fetch import find_file
from kobench.datasets.get import bring, check_mirror, mirrored, wanted
from kobench.datasets.recipes import nkx2_1_lung
from kobench.errors import UserError

QUICK = Patience(attempts=2, pause=0.0, seconds=1.0)
TABLES = {
    "WTdata.csv": b',"w1","w2"\n"A",1,0\n"Nkx2-1",1,2\n',
    "KOdata.csv": b',"k1","k2"\n"A",1,3\n"Nkx2-1",0,0\n',
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[FileServer]:
    """Has the two tables below the path that stands for example.org."""
    with serving({f"/example.org/{name}": content for name, content in TABLES.items()}) as running:
        yield running


def card(folder: Path, **changes: Any) -> Any:
    """The card of a dataset that a recipe makes of two tables."""
    for name, content in TABLES.items():
        (folder / name).write_bytes(content)
    made = nkx2_1_lung.make({name: folder / name for name in TABLES})
    sources = [
        {
            "name": name,
            "urls": [f"https://example.org/{name}"],
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }
        for name, content in TABLES.items()
    ]
    whole = {
        "name": "mine",
        "version": 1,
        "summary": "cells",
        "loader": "h5ad",
        "scale": "counts",
        "truth": "population",
        "licence": "none",
        "recipe": "nkx2_1_lung",
        "sources": sources,
        "file": {"name": "mine.h5ad", "folder": "a/b", "content": content_of(made)},
    }
    for key, value in changes.items():
        whole[key] = {**whole[key], **value} if key == "file" else value
        if value is None:
            del whole[key]
    path = folder / "mine.toml"
    path.write_text(tomli_w.dumps(whole))
    return read_card(path)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_made_file_is_what_its_card_says(data: Path, server: FileServer, tmp_path: Path) -> None:
    spec = card(tmp_path)
    want = wanted("mine", spec.card)
    assert (want.here, want.problem, want.size) == (None, "", sum(map(len, TABLES.values())))
    assert (want.come_from, want.needs_web) == ("the web (example.org)", True)
    seen: list[tuple[str, int, int]] = []
    path = bring(want, server.url, lambda *now: seen.append(now), QUICK)
    assert path == data / "a" / "b" / "mine.h5ad"
    assert content_of_file(path) == spec.card["file"]["content"]
    assert files(data) == ["a/b/mine.h5ad"]
    assert [what for what, _, _ in seen] == [*TABLES, "mine.h5ad (made of its sources)"]
    assert find_file(spec.card) == path
    again = wanted("mine", spec.card)
    assert (again.here, again.sources) == (path, ())


def test_before_it_is_got_a_run_says_how(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mine.h5ad; `kobench datasets get mine` gets it$"):
        find_file(card(tmp_path).card)
    with pytest.raises(UserError, match="`kobench datasets get mine` gets it"):
        card(tmp_path).load()


def test_the_source_may_be_the_file_itself(data: Path, tmp_path: Path) -> None:
    content = b"some cells"
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    source = {"name": "x.h5ad", "urls": ["https://example.org/d/x.h5ad?download=1"], "md5": md5}
    made = card(tmp_path, recipe=None, sources=[source])
    with serving({"/kb/example.org/d/x.h5ad": content}) as server:
        del made.card["file"]["content"]
        path = bring(wanted("mine", made.card), server.url + "/kb/", None, QUICK)
    assert path.read_bytes() == content
    assert wanted("mine", made.card).here == path
    assert files(data) == ["a/b/mine.h5ad"]


def test_a_url_in_file_is_a_source(data: Path, server: FileServer) -> None:
    content = TABLES["WTdata.csv"]
    file = {"name": "a.csv", "url": "https://example.org/WTdata.csv"}
    file["sha256"] = hashlib.sha256(content).hexdigest()
    want = wanted("mine", {"name": "mine", "file": file})
    assert want.size is None
    assert bring(want, server.url, None, QUICK).read_bytes() == content


def test_sources_that_give_other_cells_are_refused(
    data: Path, server: FileServer, tmp_path: Path
) -> None:
    made = card(tmp_path, file={"content": f"sha256:{'0' * 64}"})
    with pytest.raises(UserError, match=r"does not hold what its card says: .* tell who wrote the"):
        bring(wanted("mine", made.card), server.url, None, QUICK)
    assert files(data) == []  # a next call begins anew


def test_what_lies_among_the_sources_is_checked(
    data: Path, server: FileServer, tmp_path: Path
) -> None:
    """A file that a user put there is used where it is right, and never deleted where it is not."""
    want = wanted("mine", card(tmp_path).card)
    server.faults = {"/example.org/WTdata.csv": ["status 403"] * 2}
    with pytest.raises(UserError, match="put a copy of the file there and call this again: ") as no:
        bring(want, server.url, None, QUICK)
    place = Path(str(no.value).rpartition(": ")[2])
    assert place.is_relative_to(data)
    place.parent.mkdir()
    place.write_bytes(TABLES["WTdata.csv"][:-1])
    with pytest.raises(UserError, match=r"is not the file that its card expects .*; move it away"):
        bring(want, server.url, None, QUICK)
    place.rename(tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == TABLES["WTdata.csv"][:-1]
    place.write_bytes(TABLES["WTdata.csv"])
    asked = len(server.asked)
    bring(want, server.url, None, QUICK)
    assert [path for path, _ in server.asked[asked:]] == ["/example.org/KOdata.csv"]


#: Tables that no recipe takes, as a hostile card would name them.
REFUSED = [
    b"",
    b"<html>",
    b"\x89HDF\r\n\x1a\n",
    b"\x1f\x8bnot gzip",
    b",a\nA,1\n",
    b',"w1","w2"\n"A",-1,0\n"Nkx2-1",1,2\n',
    b',"w1","w1"\n"A",1,0\n"A",1,2\n',
    b',"w1","w2"\n"A",x,0\n"Nkx2-1",1,2\n',
]


@pytest.mark.parametrize("content", REFUSED)
def test_a_recipe_that_fails_is_one_sentence(
    data: Path, server: FileServer, tmp_path: Path, content: bytes
) -> None:
    server.files["/example.org/WTdata.csv"] = content
    made = card(tmp_path)
    source = made.card["sources"][0]
    source["sha256"], source["bytes"] = hashlib.sha256(content).hexdigest(), len(content) or 1
    with pytest.raises(UserError) as caught:
        bring(wanted("mine", made.card), server.url, None, QUICK)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("dataset 'mine': ")
    assert not (data / "a").exists()
    assert not [path for path in files(data) if "made" in path]


def test_a_package_that_a_recipe_needs_is_said(
    data: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kobench.datasets.recipes import common

    def needs(_: object) -> None:
        raise common.MissingPackageError("rdata", "pip install 'kobench[rdata]'")

    made = card(tmp_path)
    monkeypatch.setattr(nkx2_1_lung, "make", needs)
    with pytest.raises(UserError, match=r"package rdata is not installed; pip install 'kobench"):
        bring(wanted("mine", made.card), server.url, None, QUICK)


def test_what_was_got_is_kept_for_the_next_call(
    data: Path, server: FileServer, tmp_path: Path
) -> None:
    server.faults = {"/example.org/KOdata.csv": ["status 403"]}
    made = card(tmp_path)
    with pytest.raises(UserError, match="403 Forbidden"):
        bring(wanted("mine", made.card), server.url, None, QUICK)
    assert [path.rpartition("/")[2] for path in files(data)] == ["WTdata.csv"]
    bring(wanted("mine", made.card), server.url, None, QUICK)
    assert [path for path, _ in server.asked] == [
        "/example.org/WTdata.csv",
        "/example.org/KOdata.csv",
        "/example.org/KOdata.csv",
    ]
    assert files(data) == ["a/b/mine.h5ad"]


def test_a_wrong_file_in_its_place_is_not_touched(data: Path, tmp_path: Path) -> None:
    place = data / "a" / "b" / "mine.h5ad"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"my own work")
    want = wanted("mine", card(tmp_path).card)
    assert want.sources == ()
    assert "move it away, and `kobench datasets get mine` gets the right one" in want.problem
    assert place.read_bytes() == b"my own work"
    place.rename(tmp_path / "kept")  # as the message says
    assert wanted("mine", card(tmp_path).card).sources


def test_a_full_disk_is_said_and_leaves_no_file(
    data: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(get, "move", full)
    with pytest.raises(UserError, match=r"cannot be written .No space left on device.; make room"):
        bring(wanted("mine", card(tmp_path).card), server.url, None, QUICK)
    assert not (data / "a" / "b" / "mine.h5ad").exists()


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot be written .*set KOBENCH_DATA to a folder that"):
        bring(wanted("mine", card(tmp_path).card), server.url, None, QUICK)


def test_several_at_once_get_it_once(data: Path, server: FileServer, tmp_path: Path) -> None:
    want = wanted("mine", card(tmp_path).card)
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(bring(want, server.url, None, QUICK)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [data / "a" / "b" / "mine.h5ad"] * 3
    assert len(server.asked) == 2


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_call_is_carried_on(
    data: Path, server: FileServer, tmp_path: Path, signum: signal.Signals
) -> None:
    server.faults = {"/example.org/KOdata.csv": ["slow 10"]}
    made = card(tmp_path)
    code = (
        # a shell starts what runs in its background without it
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        " import sys; from pathlib import Path; from kobench.datasets.cards import read_card;"
        " from kobench.datasets.get import bring, wanted;"
        " bring(wanted('mine', read_card(Path(sys.argv[1])).card), sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "mine.toml"), server.url]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: any(path.stat().st_size == 10 for path in data.rglob("*.part")))
    process.send_signal(signum)
    process.wait()
    assert not (data / "a").exists()
    bring(wanted("mine", made.card), server.url, None, QUICK)
    assert server.asked[2:] == [("/example.org/KOdata.csv", "bytes=10-")]
    assert files(data) == ["a/b/mine.h5ad"]


def test_what_was_being_made_when_it_was_killed_is_cleared_away(
    data: Path, server: FileServer, tmp_path: Path
) -> None:
    want = wanted("mine", card(tmp_path).card)
    folder = data / ".getting" / f"mine-{want.sources[0].checksum.value[:12]}"
    folder.mkdir(parents=True)
    (folder / ".made-x.h5ad").write_bytes(b"half")
    bring(want, server.url, None, QUICK)
    assert files(data) == ["a/b/mine.h5ad"]


def test_mirrors() -> None:
    raw = "https://raw.githubusercontent.com/o/n/c/WT%20data.csv"
    assert mirrored(raw, "") == raw
    assert mirrored(raw, "http://m:8000") == (
        "http://m:8000/raw.githubusercontent.com/o/n/c/WT%20data.csv"
    )
    for wrong, fault in [
        ("file:///srv", "is not an http"),
        ("/srv/mirror", "is not an http"),
        ("https://user:word@m/", "holds a user's name or password"),
        ("https://m/?a=b", "has a query"),
        ("https://m/#a", "has a query or a fragment"),
    ]:
        with pytest.raises(UserError, match=rf"KOBENCH_MIRROR\) is .*, which {fault}"):
            check_mirror(wrong)
    check_mirror("")
    check_mirror("https://m/kobench")


def test_a_dataset_without_a_file_needs_nothing() -> None:
    assert wanted("grn", {}).card == {}


def test_working_files_are_hidden_with_the_data(data: Path) -> None:
    from kobench.datasets.fetch import data_folder, working_folder
    from kobench.plugins.hidden import own_folders

    assert working_folder().is_relative_to(data_folder())
    assert data_folder() in own_folders()
    assert os.path.basename(working_folder()).startswith(".")
