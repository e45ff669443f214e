"""Transfers that fail: each ends in a sentence and the next address, and never in half a file."""

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
from types import SimpleNamespace

import pytest
from file_server import FileServer, serving, until

from kobench.datasets import download as downloads
from kobench.datasets import web
from kobench.datasets.download import Patience, download
from kobench.datasets.sources import Checksum
from kobench.errors import UserError

CONTENT = bytes(range(256)) * 800
RIGHT = Checksum("sha256", hashlib.sha256(CONTENT).hexdigest())
QUICK = Patience(attempts=3, pause=0.0, seconds=0.3)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving({"/good/a": CONTENT, "/bad/a": CONTENT}) as running:
        yield running


def bring(server: FileServer, folder: Path, *paths: str, size: int | None = None) -> Path:
    urls = [server.url + path for path in paths or ("/bad/a", "/good/a")]
    return download(urls, folder / "a", RIGHT, "mine", QUICK, size=size)


def left(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


#: What a server does at every request -> what is said of it.
FAULTS = {
    "status 403": r"cannot be downloaded \(403 Forbidden\)",
    "status 404": r"cannot be downloaded \(404 Not Found\)",
    "status 429": r"cannot be downloaded \(429 Too Many Requests\)",
    "status 502": r"cannot be downloaded \(502 Bad Gateway\)",
    "status 503": r"cannot be downloaded \(503 Service Unavailable\)",
    "status 504": r"cannot be downloaded \(504 Gateway Timeout\)",
    "page": r"cannot be downloaded \(it is a web page, not the file\)",
    "gzip-page": r"gave a file with sha256 \w+ \(gzip-compressed\) but its card expects",
    "cut 0": r"cannot be downloaded \(the connection ended after 0 of 204,800 bytes\)",
    "nothing": r"cannot be downloaded \(",
    "silence": r"cannot be downloaded \(.*timed out|no answer within",
    "drip": r"cannot be downloaded \(it sends less than 1,000 bytes a second\)",
    "drip-head": r"cannot be downloaded \(no answer within 0.6 s\)",
    "redirect file:///etc/passwd": r"cannot be downloaded \(302 .*file.* is not allowed\)",
    "redirect ftp://127.0.0.1/a": r"cannot be downloaded \(it redirects to ftp:.* not an http",
    "redirect http://user:word@127.0.0.1/a": r"redirects to .* holds a user's name or password",
    "redirect /bad/a": r"cannot be downloaded \(302 .*infinite loop",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_address_is_said_and_the_next_one_asked(
    server: FileServer, tmp_path: Path, fault: str
) -> None:
    server.faults = {"/bad/a": [fault] * 20}
    with pytest.raises(UserError, match=FAULTS[fault]) as caught:
        bring(server, tmp_path, "/bad/a")
    said = str(caught.value)
    assert said.startswith(f"dataset 'mine': {server.url}/bad/a ")
    assert said.endswith("; try again later, or bring the file yourself")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "a").exists()
    assert bring(server, tmp_path).read_bytes() == CONTENT
    assert left(tmp_path) == ["a"]


def test_when_all_fail_each_is_named(server: FileServer, tmp_path: Path) -> None:
    server.faults = {"/bad/a": ["status 403"], "/good/a": ["page"]}
    with pytest.raises(UserError, match=r"/bad/a .*403.*; http.*/good/a .*web page.*; try again"):
        bring(server, tmp_path)
    assert left(tmp_path) == []


def test_what_broke_off_is_carried_on_at_the_next_address(
    server: FileServer, tmp_path: Path
) -> None:
    server.faults = {"/bad/a": ["cut 1000", "cut 500", "status 503"]}
    bring(server, tmp_path)
    assert server.asked == [
        ("/bad/a", None),
        ("/bad/a", "bytes=1000-"),
        ("/bad/a", "bytes=1500-"),
        ("/good/a", "bytes=1500-"),
    ]


def test_an_ignored_range_starts_anew(server: FileServer, tmp_path: Path) -> None:
    server.faults = {"/bad/a": ["cut 1000", "no-range"]}
    assert bring(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/bad/a", None), ("/bad/a", "bytes=1000-")]


def test_a_page_in_place_of_the_rest_costs_nothing_that_is_here(
    server: FileServer, tmp_path: Path
) -> None:
    server.faults = {"/bad/a": ["cut 1000", "page"]}
    bring(server, tmp_path)
    assert server.asked[-1] == ("/good/a", "bytes=1000-")


@pytest.mark.parametrize("fault", ["endless", "none"])
def test_no_more_comes_than_the_card_names(server: FileServer, tmp_path: Path, fault: str) -> None:
    server.faults = {"/bad/a": [fault]}
    with pytest.raises(UserError, match="gives more than the 1,000 bytes that its card names"):
        bring(server, tmp_path, "/bad/a", size=1000)
    assert left(tmp_path) == []


def test_a_stream_without_end_stops_before_the_disk_is_full(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults = {"/bad/a": ["endless"]}
    room = iter([10 << 20, 5 << 20, *[100] * 100])
    monkeypatch.setattr(downloads, "LOOK", 1 << 16)
    usage = SimpleNamespace(disk_usage=lambda path: SimpleNamespace(free=next(room)))
    monkeypatch.setattr(downloads, "shutil", usage)
    with pytest.raises(UserError, match=r"cannot be written \(.* 100 are free\); make room"):
        bring(server, tmp_path)
    assert server.asked == [("/bad/a", None)]  # another address would fill it as well
    assert "a" not in left(tmp_path)


def test_a_disk_that_is_too_small_is_said_before_anything_comes(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(disk_usage=lambda path: SimpleNamespace(free=1000))
    monkeypatch.setattr(downloads, "shutil", usage)
    with pytest.raises(UserError, match=r"204,800 bytes are to come and 1,000 are free\); make ro"):
        bring(server, tmp_path)
    assert left(tmp_path) == []


def test_a_disk_that_fills_up_is_said(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_append", full)
    with pytest.raises(UserError, match=r"cannot be written \(No space left.*KOBENCH_DATA to a fo"):
        bring(server, tmp_path)
    assert "a" not in left(tmp_path)


def test_a_public_address_does_not_lead_into_this_network(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `http://169.254.169.254/...`, which gives the keys of a machine in a cloud."""
    server.faults = {"/bad/a": [f"redirect {server.url}/good/a"]}
    real = web.is_inside
    monkeypatch.setattr(web, "is_inside", lambda url: "/bad/" not in url and real(url))
    with pytest.raises(UserError, match="an address of this machine or network"):
        bring(server, tmp_path, "/bad/a")
    assert [path for path, _ in server.asked] == ["/bad/a"]


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://127.0.0.1/a", True),
        ("http://localhost:8000/a", True),
        ("http://a.localhost/a", True),
        ("http://[::1]/a", True),
        ("http://10.1.2.3/a", True),
        ("http://192.168.1.1/a", True),
        ("http://169.254.169.254/latest", True),
        ("http://2130706433/a", True),  # the system reads all of these as 127.0.0.1
        ("http://0x7f000001/a", True),
        ("http://127.1/a", True),
        ("http://localhost./a", True),
        ("http://[::ffff:127.0.0.1]/a", True),
        ("https://8.8.8.8/a", False),
    ],
)
def test_addresses_inside(url: str, inside: bool) -> None:
    assert web.is_inside(url) == inside


@pytest.mark.parametrize(("address", "inside"), [("10.0.0.1", True), ("8.8.8.8", False)])
def test_a_name_leads_where_its_address_is(
    address: str, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(2, 1, 6, "", (address, 0))]
    monkeypatch.setattr(web.socket, "getaddrinfo", lambda host, port: found)
    assert web.is_inside("https://example.org/a") == inside


def test_a_name_that_is_not_found_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(host: str, port: object) -> None:
        raise OSError("no such name")

    monkeypatch.setattr(web.socket, "getaddrinfo", fails)
    assert not web.is_inside("https://example.org/a")


def test_a_redirect_to_the_file_is_followed(server: FileServer, tmp_path: Path) -> None:
    server.faults = {"/bad/a": ["redirect /good/a"]}
    assert bring(server, tmp_path, "/bad/a").read_bytes() == CONTENT


def test_an_md5_is_enough(server: FileServer, tmp_path: Path) -> None:
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    urls = [server.url + "/good/a"]
    assert download(urls, tmp_path / "a", Checksum("md5", md5), "mine", QUICK).is_file()
    with pytest.raises(UserError, match=f"gave a file with md5 {md5} but its card expects 0000"):
        download(urls, tmp_path / "b", Checksum("md5", "0" * 32), "mine", QUICK)
    assert left(tmp_path) == ["a"]


def test_what_a_server_says_is_shown_in_one_line(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(web.broken("a\nb\x1b[2J" + "x" * 5000)).startswith("cannot be downloaded (a")
    assert len(str(web.broken("x" * 5000))) < 300
    assert "\n" not in str(web.broken("a\nb"))


def test_two_at_once_ask_once(server: FileServer, tmp_path: Path) -> None:
    threads = [threading.Thread(target=bring, args=(server, tmp_path, "/good/a")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download_is_taken_up_again(
    server: FileServer, tmp_path: Path, signum: signal.Signals
) -> None:
    server.faults = {"/good/a": ["slow 50000"]}
    code = (
        # a shell starts what runs in its background without it
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        " from pathlib import Path; from kobench.datasets.download import *;"
        " from kobench.datasets.sources import Checksum; import sys;"
        " download([sys.argv[1]], Path(sys.argv[2]), Checksum('sha256', sys.argv[3]), 'mine')"
    )
    command = [sys.executable, "-c", code, server.url + "/good/a", str(tmp_path / "a"), RIGHT.value]
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    until(lambda: any(path.stat().st_size == 50000 for path in tmp_path.glob(".a.*.part")))
    process.send_signal(signum)
    process.wait()
    assert not (tmp_path / "a").exists()
    bring(server, tmp_path, "/good/a")
    assert server.asked[-1] == ("/good/a", "bytes=50000-")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert left(tmp_path) == ["a"]


def test_a_file_moves_whole_to_another_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part").write_bytes(CONTENT)
    real = os.replace

    def other_disk(source: Path, target: Path) -> None:
        if Path(source).name == "part":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "replace", other_disk)
    downloads.move(tmp_path / "part", tmp_path / "a")
    assert left(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == CONTENT
