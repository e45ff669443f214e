"""`kobench run --beside` and boards of several folders: my row among those of a published board."""

from __future__ import annotations

import gzip
import json
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command import kobench
from tiny import PLUGIN, TINY

from kobench.results.suite_seed import SuiteSeed

KNOWN = SuiteSeed("000102030405060708090a0b0c0d0e0f")
ASKED = ("-d", TINY, "-t", "profile", "--plugin", PLUGIN, "--sandbox", "off")
MINE = "good:strength=2.0"
OTHER_HOST = b"a-machine-far-away"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A published board of one predictor on two secret networks, made on another machine."""
    folder = tmp_path_factory.mktemp("published")
    more = ("--networks", 2, "--secret-seed", KNOWN.digits, "--out", folder / "out")
    kobench("run", *ASKED, "-p", "good", *more)
    kobench("board", folder / "out", "--pack", folder / "board")
    path = folder / "board" / "records.jsonl.gz"
    documents = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for one in documents:
        one["run"]["host"] = OTHER_HOST.decode()
    write(path, documents)
    return folder / "board"


def write(path: Path, documents) -> None:
    path.write_bytes(gzip.compress("".join(f"{json.dumps(one)}\n" for one in documents).encode()))


@pytest.fixture
def address(published):
    """The address of its folder on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=published.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/board"
    server.shutdown()


def beside(tmp_path, place, *more, code=0, name=MINE):
    env = {**os.environ, "no_proxy": "127.0.0.1"}
    words = ("run", *ASKED, "-p", name, "--networks", 2, "--beside", place, "--json")
    return kobench(*words, *more, "--out", tmp_path / "mine", code=code, env=env)


def rows_of(done):
    return {row["predictor"]: row for row in json.loads(done.stdout)["rows"] if not row["unit"]}


def test_my_row_stands_among_the_published_ones_and_nothing_of_theirs_is_fitted(
    published, tmp_path
):
    done = beside(tmp_path, published)
    rows = rows_of(done)
    assert {"good", MINE} <= set(rows)
    assert "good on" not in done.stderr  # was not run here
    written = (tmp_path / "mine" / "records").glob("*.json")
    assert OTHER_HOST not in b"".join(path.read_bytes() for path in written)
    # the networks are theirs, which anybody may have known
    assert "could have been made for them" in rows[MINE]["reason"]
    remarks = " ".join(json.loads(done.stdout)["ran"])
    assert "Different scores" not in remarks
    assert "measured on another machine" in remarks
    # it is remembered, whatever the next flags are
    again = kobench("run", *ASKED, "-p", MINE, "--secret", "--json", "--out", tmp_path / "mine")
    assert "could have been made for them" in rows_of(again)[MINE]["reason"]
    page = kobench("board", tmp_path / "mine", published, "--format", "markdown").stdout
    assert "°" in page


def test_it_may_be_on_the_web(address, tmp_path):
    done = beside(tmp_path, f"{address}/board.html")
    assert {"good", MINE} <= set(rows_of(done))
    wrong = beside(tmp_path, address.replace("/board", "/nothing"), code=2)
    assert "404" in wrong.stderr
    assert "where records.jsonl.gz lies" in " ".join(wrong.stderr.split())


def test_what_differs_is_named_and_the_runs_own_record_wins(published, tmp_path):
    path = published / "records.jsonl.gz"
    before = path.read_bytes()
    documents = [json.loads(line) for line in gzip.decompress(before).splitlines()]
    for one in documents:
        if one["role"] == "floor":
            for scores in one["result"]["scores"].values():
                for metric in scores["metrics"].values():
                    if metric["value"] is not None:
                        metric["value"] += 1e-13  # as between machines
    floor, metric = next(
        (one["trial"]["predictor"]["name"], metric)
        for one in documents
        for scores in one["result"]["scores"].values()
        for metric in scores["metrics"].values()
        if one["role"] == "floor" and metric["value"] is not None
    )
    metric["value"] += 0.01
    other = tmp_path / "board"
    other.mkdir()
    for file in ("secret-seed.txt", "secret-seed.sha256"):
        (other / file).write_bytes((published / file).read_bytes())
    write(other / "records.jsonl.gz", documents)
    done = beside(tmp_path, other)
    (remark,) = (one for one in json.loads(done.stdout)["ran"] if "Different scores" in one)
    assert remark.count(f"{floor} on") == 1
    assert "in this run" in remark
    assert ";" not in remark  # nothing else differs


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--secret-seed", "0" * 32), "come from another seed"),
        (("--networks", 1), "networks or splits that only"),
    ],
)
def test_other_networks_are_not_mixed(published, tmp_path, more, said):
    code = 2 if "--secret-seed" in more else 0
    done = beside(tmp_path, published, *more, code=code)
    text = done.stderr if code else " ".join(json.loads(done.stdout)["ran"])
    assert said in " ".join(text.split())


def test_a_method_must_be_named_and_a_board_be_there(published, tmp_path):
    done = kobench("run", *ASKED, "--beside", published, "--out", tmp_path / "o", code=2)
    assert "name it with -p" in " ".join(done.stderr.split())
    assert "there is no folder" in beside(tmp_path, tmp_path / "nowhere", code=2).stderr
