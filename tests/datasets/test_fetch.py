"""Files of datasets: where they are looked for, checksums, and downloads from a local server."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kobench.datasets import fetch
from kobench.datasets.download import Patience, download
from kobench.datasets.sources import Checksum
from kobench.errors import UserError
from kobench.util import hashes

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT, with one of the `faults` a request while there are any.

    A fault is a status to answer with, or the bytes after which to hang up.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.faults: list[str] = []
        self.ranges: list[str | None] = []
        self.resumes = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file.h5ad"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault.startswith("status "):
            self.send_error(int(fault.split()[1]))
            return
        start = (
            int(wanted.removeprefix("bytes=").removesuffix("-"))
            if wanted and self.server.resumes
            else 0
        )
        size = len(self.server.content)
        if wanted and self.server.resumes and start >= size:
            self.send_error(416)
            return
        self.send_response(206 if wanted and self.server.resumes else 200)
        if wanted and self.server.resumes:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        body = self.server.content[start:]
        self.wfile.write(body[: int(fault.split()[1])] if fault.startswith("cut ") else body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def bring(server: Server, target: Path, **more: object) -> Path:
    patience = Patience(int(more.pop("attempts", 4)), 0.0, 5.0)
    known = Checksum("sha256", SHA256)
    return download([server.url], target, known, "mine", patience, **more)  # type: ignore[arg-type]


def left_behind(target: Path) -> list[str]:
    return sorted(path.suffix for path in target.parent.iterdir() if path != target)


def test_download(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    target = tmp_path / "new" / "folder" / "file.h5ad"
    assert bring(server, target, progress=lambda done, total: seen.append((done, total))) == target
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert left_behind(target) == []
    bring(server, target)
    assert server.ranges == [None]  # what is here is not asked for again


def test_a_broken_connection_is_carried_on(server: Server, tmp_path: Path) -> None:
    server.faults = ["cut 1000", "status 503", "cut 500000"]
    target = tmp_path / "file.h5ad"
    bring(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-", "bytes=1000-", "bytes=501000-"]


def test_a_later_call_carries_on(server: Server, tmp_path: Path) -> None:
    server.faults = ["cut 1000"]
    target = tmp_path / "file.h5ad"
    with pytest.raises(
        UserError,
        match=(
            r"dataset 'mine': http.* cannot be downloaded .the connection ended after 1,000 of"
            r" 3,000,000 bytes"
        ),
    ):
        bring(server, target, attempts=1)
    assert not target.exists()
    assert left_behind(target) == [".part"]
    bring(server, target)
    assert server.ranges == [None, "bytes=1000-"]
    assert target.read_bytes() == CONTENT


def test_a_server_that_cannot_carry_on_sends_everything(server: Server, tmp_path: Path) -> None:
    server.faults, server.resumes = ["cut 1000"], False
    bring(server, tmp_path / "file.h5ad")
    assert (tmp_path / "file.h5ad").read_bytes() == CONTENT


def test_a_spoilt_or_overlong_part_is_thrown_away(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.h5ad"
    part = tmp_path / f".file.h5ad.{SHA256[:12]}.part"
    for rubbish in (b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 5)):
        target.unlink(missing_ok=True)
        part.write_bytes(rubbish)
        bring(server, target)
        assert target.read_bytes() == CONTENT


def test_a_whole_part_is_used(server: Server, tmp_path: Path) -> None:
    (tmp_path / f".file.h5ad.{SHA256[:12]}.part").write_bytes(CONTENT)
    bring(server, tmp_path / "file.h5ad")
    assert server.ranges == [f"bytes={len(CONTENT)}-"]
    assert (tmp_path / "file.h5ad").read_bytes() == CONTENT


def test_a_wrong_file_never_arrives(server: Server, tmp_path: Path) -> None:
    server.content = b"something else"
    with pytest.raises(
        UserError,
        match=(
            f"gave a file with sha256 {hashlib.sha256(server.content).hexdigest()} but its card"
            f" expects {SHA256}"
        ),
    ):
        bring(server, tmp_path / "file.h5ad")
    assert left_behind(tmp_path / "file.h5ad") == []
    assert not (tmp_path / "file.h5ad").exists()


def test_refusals_are_final_and_server_errors_are_not_endless(
    server: Server, tmp_path: Path
) -> None:
    server.faults = ["status 404", "status 500", "status 502", "status 503"]
    with pytest.raises(UserError, match=r"cannot be downloaded .404 Not Found"):
        bring(server, tmp_path / "file.h5ad")
    assert len(server.ranges) == 1
    with pytest.raises(UserError, match=r"cannot be downloaded .503"):
        bring(server, tmp_path / "file.h5ad", attempts=3)
    assert len(server.ranges) == 4


def test_addresses_that_are_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    with pytest.raises(UserError, match=r"is not an http"):
        download([secret.as_uri()], tmp_path / "file", Checksum("sha256", SHA256), "mine")


def test_a_file_without_checksum_is_not_downloaded(data: Path, server: Server) -> None:
    file = {"name": "a.h5ad", "url": server.url, "content": f"sha256:{SHA256}"}
    with pytest.raises(UserError, match="loads no unchecked file"):
        fetch.obtain({"name": "mine", "file": file})
    assert server.ranges == []


def test_two_at_once_ask_once(server: Server, tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=bring, args=(server, tmp_path / "file.h5ad")) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ranges == [None]
    assert (tmp_path / "file.h5ad").read_bytes() == CONTENT


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("KOBENCH_DATA", str(folder))
    return folder


FILE = {"name": "file.h5ad", "folder": "mine", "sha256": SHA256, "bytes": len(CONTENT)}


def card(**file: object) -> dict[str, Any]:
    return {
        "name": "mine",
        "where": "it is made from the paper's table 3.",
        "file": {**FILE, **file},
    }


def test_places_in_order(data: Path, tmp_path: Path) -> None:
    beside, flat, nested = (
        tmp_path / "cards" / "file.h5ad",
        data / "file.h5ad",
        data / "mine" / "file.h5ad",
    )
    for place in (flat, nested, beside):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(CONTENT)
        assert (
            fetch.find_file(
                {**card(path="file.h5ad"), "card": str(tmp_path / "cards" / "mine.toml")}
            )
            == place
        )
        assert fetch.find_file(card(path=str(place))) == place
    assert fetch.find_file(card()) == nested


def test_a_missing_file_says_where_it_comes_from_and_where_to_put_it(data: Path) -> None:
    for find in (fetch.find_file, fetch.obtain):
        with pytest.raises(UserError) as caught:
            find(card())
        assert (
            str(caught.value)
            == "dataset 'mine' needs the file file.h5ad (3,000,000 bytes), which is not at"
            f" {data}/mine/file.h5ad or {data}/file.h5ad; it is made from the paper's table 3;"
            " put it there, or set KOBENCH_DATA to the folder that has it"
        )


def test_a_missing_file_with_an_address_is_brought_when_it_is_used(
    data: Path, server: Server
) -> None:
    with pytest.raises(
        UserError, match=f"a run that uses the dataset downloads it from {server.url}"
    ):
        fetch.find_file(card(url=server.url))
    assert server.ranges == []
    assert fetch.obtain(card(url=server.url)) == data / "mine" / "file.h5ad"
    assert (data / "mine" / "file.h5ad").read_bytes() == CONTENT
    fetch.obtain(card(url=server.url))
    assert server.ranges == [None]


def test_a_file_in_an_installed_package(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        UserError,
        match=(
            "dataset 'mine' is part of the Python package nothing_here, which is not installed"
            " here; it is made"
        ),
    ):
        fetch.find_file(card(package="nothing_here"))
    package = tmp_path / "shipping_data"
    (package / "mine").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "raise ImportError('looking for its files must not import it')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UserError, match=r"not at .*shipping_data/mine/file.h5ad; .*; install shipping_data again"
    ):
        fetch.obtain(card(package="shipping_data", url="http://127.0.0.1/never"))
    (package / "mine" / "file.h5ad").write_bytes(CONTENT)
    assert fetch.find_file(card(package="shipping_data")) == package / "mine" / "file.h5ad"
    with pytest.raises(
        UserError, match="is expected; install a version of shipping_data that ships it"
    ):
        fetch.find_file(card(package="shipping_data", sha256="0" * 64))


def test_the_default_folder_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOBENCH_DATA", raising=False)
    assert fetch.data_folder().name == "data"
    assert fetch.data_folder().parent.name == "kobench"


def test_checksums_are_remembered_until_the_file_changes(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(data / "cache"))
    file = data / "file.h5ad"
    file.write_bytes(CONTENT)
    read: list[Path] = []
    real: Callable[[Path], str] = hashes.sha256_of
    monkeypatch.setattr(hashes, "sha256_of", lambda path: (read.append(path), real(path))[1])
    fetch.find_file(card())
    assert read == [file]
    # it was written just now: only later is it sure that nothing changes it within one clock tick
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    for _ in range(3):
        fetch.find_file(card())
    assert read == [file, file]
    file.write_bytes(CONTENT + b"!")
    with pytest.raises(
        UserError,
        match=(
            r"the file of dataset 'mine', .* has sha256 .* is expected; bring the right file or"
            r" correct the card"
        ),
    ):
        fetch.find_file(card())
    assert len(read) == 3


def test_another_content_of_the_same_size_and_time_is_read(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(data / "cache"))
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    file = data / "file.h5ad"
    file.write_bytes(CONTENT)
    fetch.find_file(card())
    before = file.stat()
    with open(file, "r+b") as stream:  # in place: the same file of the disk
        stream.write(bytes([CONTENT[0] ^ 1]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_ino == before.st_ino
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    with pytest.raises(UserError, match="has sha256"):
        fetch.find_file(card())


def test_an_unusable_memory_of_checksums_costs_nothing_but_time(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(data / "cache"))
    (data / "file.h5ad").write_bytes(CONTENT)
    memory = data / "cache" / "kobench" / "sha256.json"
    memory.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"x": 3}'):
        memory.write_text(content)
        fetch.find_file(card())
    memory.unlink()
    memory.mkdir()
    fetch.find_file(card())


def test_a_download_stays_in_the_data_folder(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = {"name": "x.h5ad", "folder": "a/b", "url": server.url, "sha256": SHA256}
    found = fetch.obtain({"name": "mine", "file": {**file, "bytes": len(CONTENT)}})
    assert found == tmp_path / "data" / "a" / "b" / "x.h5ad"
    assert found.read_bytes() == CONTENT


def test_no_more_is_downloaded_than_the_card_names(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "data"))
    file = {"name": "x.h5ad", "url": server.url, "sha256": SHA256, "bytes": 1000}
    with pytest.raises(UserError, match="gives more than the 1,000 bytes that its card names"):
        fetch.obtain({"name": "mine", "file": file})
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
