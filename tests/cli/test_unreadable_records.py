"""Records that can't be read stop neither a board nor a run; what was left out is said once."""

from __future__ import annotations

import gzip
import json

import pytest
from command import kobench
from tiny import PLUGIN, TINY, results_of_a_run

#: What may lie in a folder of records beside the records: name -> content.
STRAY = {
    "._x.json": b"\x00\x05\x16\x07\xff",
    "empty.json": b"",
    "list.json": b"[]",
    "nested.json": b"[" * 100_000,
    "newer.json": b'{"schema": 99, "trial": {}, "result": {}}',
    "old.json": b'{"schema": 0, "trial": {}, "result": {}}',
    "Thumbs.db": b"\xff",
}


def predictor_record(out):
    """The file of the predictor's record."""
    (path,) = (
        path
        for path in (out / "records").glob("*.json")
        if json.loads(path.read_bytes())["role"] == "predictor"
    )
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The files of a finished run, by their place in its folder."""
    out = results_of_a_run(tmp_path_factory.mktemp("finished"))
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def out(finished, tmp_path):
    """A results folder of its own with them."""
    for place, content in finished.items():
        path = tmp_path / "out" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "out"


def run(out, *more, code=0):
    """The same run once more."""
    words = ("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--out", out)
    return kobench(*words, *more, code=code)


def test_a_board_is_made_of_what_can_be_read_and_says_the_rest(out):
    clean = kobench("board", out, "--format", "csv").stdout
    for name, content in STRAY.items():
        (out / "records" / name).write_bytes(content)
    (out / "records" / "folder.json").mkdir()
    done = kobench("board", out, "--format", "csv", code=1)
    assert done.stdout == clean
    (remark,) = done.stderr.splitlines()
    assert remark.startswith("Left out, because they can't be read: 7 records: records/._x.json (")
    assert "and 2 more" in remark
    assert "Thumbs" not in remark
    for form in ("terminal", "markdown", "html", "json", "latex"):
        text = kobench("board", out, "--format", form, code=1).stdout
        assert "7 records" in " ".join(text.split())
    (out / "board.md").write_text(kobench("board", out, "--format", "markdown", code=1).stdout)
    assert "agrees" in kobench("board", out, "--check", out / "board.md", code=1).stdout


def test_a_name_that_no_command_takes_does_not_stop_a_choice(out):
    path = predictor_record(out)
    document = json.loads(path.read_bytes())
    del document["seal"]  # it is broken by now
    document["trial"]["predictor"]["selection"] = 'x:y="\x1b['
    (out / "records" / "odd.json").write_text(json.dumps(document))
    done = kobench("board", out, "-p", "good", code=1)
    assert "good" in done.stdout
    assert "its key does not follow from what it says of its predictor" in done.stderr


def test_a_packed_folder_holds_what_could_be_read_and_is_whole_again(out, tmp_path):
    (out / "records" / "empty.json").write_bytes(b"")
    done = kobench("board", out, "--pack", tmp_path / "packed", "--no-cost", code=1)
    assert "1 record: records/empty.json" in done.stderr
    published = tmp_path / "packed" / "board.csv"
    check = ("board", tmp_path / "packed", "--no-cost", "--check", published)
    assert "agrees" in kobench(*check).stdout
    packed = tmp_path / "packed" / "records.jsonl.gz"
    first, second, *rest = gzip.decompress(packed.read_bytes()).splitlines()
    packed.write_bytes(gzip.compress(b"\n".join([first, second[:-9], *rest])))
    assert "records.jsonl.gz line 2" in kobench("board", packed.parent, code=1).stderr


def test_a_folder_in_which_nothing_can_be_read_gives_a_sentence(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "x.json").write_bytes(b"{")
    done = kobench("board", tmp_path, code=1)
    assert done.stderr.startswith("Error: there is no record in")
    assert "records/x.json" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("damage", ["cut", "newer", "list", "folder", "link"])
def test_a_run_does_a_trial_anew_whose_record_cannot_be_read_and_loses_nothing(out, damage):
    path = predictor_record(out)
    sound = path.read_bytes()
    spoil(path, damage)
    done = run(out, code=1)
    assert f"1 record: records/{path.name} (" in done.stderr
    assert "done anew" in done.stderr
    assert results_in(path.read_bytes()) == results_in(sound)
    (aside,) = path.parent.glob(f"{path.name}.aside-*")
    assert aside.is_dir() if damage == "folder" else aside.read_bytes() == SPOILT[damage]
    again = run(out)
    assert "Left out" not in again.stderr
    assert "up to date" in again.stderr


@pytest.mark.parametrize("damage", ["cut", "newer", "list", "folder", "link"])
def test_fresh_replaces_records_that_cannot_be_read(out, damage):
    path = predictor_record(out)
    sound = path.read_bytes()
    spoil(path, damage)
    assert "Left out" not in run(out, "--fresh").stderr
    assert results_in(path.read_bytes()) == results_in(sound)
    kobench("board", out)


def test_damaged_records_of_others_do_not_stop_a_run(out):
    for name, content in STRAY.items():
        (out / "records" / name).write_bytes(content)
    assert "up to date" in run(out).stderr


#: How a record is spoilt -> what its file then holds.
SPOILT = {
    "cut": b'{"schema": 2, "role"',
    "newer": b'{"schema": 99, "trial": {}, "result": {}}',
    "list": b"[]",
    "link": b"",
}


def spoil(path, damage):
    """Put something else in the place of a record."""
    path.unlink()
    if damage == "folder":
        path.mkdir()
        (path / "mine").write_text("kept")
    elif damage == "link":
        (path.parent / "elsewhere").write_bytes(b"")
        path.symlink_to(path.parent / "elsewhere")
    else:
        path.write_bytes(SPOILT[damage])


def results_in(content):
    """What came out of a trial, by its record."""
    return json.loads(content)["result"]
