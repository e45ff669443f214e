"""What can't be read costs its own record: it is left out, named once, and nothing else is lost."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import tracemalloc
import zipfile

import factories
import numpy as np
import pytest

from kobench.errors import UserError
from kobench.results import records
from kobench.results.answer_store import AnswerStore
from kobench.results.faults import Fault, shown
from kobench.results.left_out import LeftOut, NothingReadableError, UnreadableError

GOOD = json.dumps(factories.record("p", 0.5)).encode()


def with_part(place, value):
    """A good record with another value at a place."""
    document = json.loads(GOOD)
    *parents, last = place.split("/")
    part = document
    for key in parents:
        part = part[key]
    part[last] = value
    return json.dumps(document).encode()


SCORES = f"result/scores/{factories.TASK}"

#: What is no record, or none that can be read -> a part of the reason.
BAD = {
    "empty": (b"", "cannot be read"),
    "truncated": (GOOD[:-200], "cannot be read"),
    "of macOS": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X \xff", "not UTF-8"),
    "a list": (b"[1, 2]", "not a JSON object"),
    "another program's": (b'{"a": 1}', "not a kobench record"),
    "not UTF-8": (GOOD.replace(b'"p"', b'"\xe9"', 1), "not UTF-8"),
    "NaN": (GOOD.replace(b"0.5", b"NaN"), "NaN is not JSON"),
    "Infinity": (GOOD.replace(b"0.5", b"-Infinity"), "-Infinity is not JSON"),
    "huge": (GOOD.replace(b"0.5", b"-1e200"), "larger number"),
    "infinite": (GOOD.replace(b"0.5", b"1e999"), "larger number"),
    "a huge number": (GOOD.replace(b'"fit_seed": 0', b'"fit_seed": 1' + b"0" * 400), "larger"),
    "a huger number": (GOOD.replace(b'"fit_seed": 0', b'"fit_seed": 1' + b"0" * 9000), "larger"),
    "nested": (b"[" * 100_000, "nested too deeply"),
    "nested a little": (with_part("more", json.loads("[" * 400 + "]" * 400)), "nested too deeply"),
    "newer": (GOOD.replace(b'"schema": 1', b'"schema": 99'), "reads up to"),
    "older": (GOOD.replace(b'"schema": 1', b'"schema": 0'), "no upgrade"),
    "unknown role": (with_part("role", "king"), "role is"),
    "unknown status": (with_part("result/status", "won"), "result.status is"),
    "unknown direction": (with_part(f"{SCORES}/metrics/spearman/direction", "up"), "direction is"),
    "uneven table": (with_part(f"{SCORES}/table", {"gene": ["a"], "true": []}), "columns of"),
    "uneven points": (
        with_part(f"{SCORES}/points", {"what": "x", "true": [1.0], "predicted": []}),
        "columns of",
    ),
}


def left_of(folder):
    """Names of the predictors that are read, and what was left out."""
    left_out = LeftOut()
    found = list(records.read_records(folder, left_out))
    return [one.trial.predictor.selection for one in found], left_out


@pytest.fixture
def folder(tmp_path):
    """A results folder with one sound record."""
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "good.json").write_bytes(GOOD)
    return tmp_path


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_no_record_is_left_out_and_named(folder, what):
    content, reason = BAD[what]
    (folder / "records" / "._bad.json").write_bytes(content)
    found, left_out = left_of(folder)
    assert (found, left_out.count) == (["p"], 1)
    ((name, why),) = left_out.named
    assert name == "records/._bad.json"
    assert reason in why
    with pytest.raises(UnreadableError, match=str(folder)):
        list(records.read_records(folder))


@pytest.mark.parametrize("what", BAD)
def test_a_line_that_is_no_record_is_left_out_and_named(tmp_path, what):
    content, reason = BAD[what]
    packed = b"\n".join([GOOD, content.replace(b"\n", b" "), GOOD, b""])
    (tmp_path / "records.jsonl.gz").write_bytes(gzip.compress(packed, mtime=0))
    found, left_out = left_of(tmp_path)
    assert (found, left_out.count) == (["p", "p"], 1)
    ((name, why),) = left_out.named
    assert name == "records.jsonl.gz line 2"
    assert reason in why


def test_what_is_no_plain_file_is_left_out_and_never_waited_for(folder):
    (folder / "records" / "folder.json").mkdir()
    os.mkfifo(folder / "records" / "pipe.json")
    (folder / "records" / "zero.json").symlink_to("/dev/zero")
    (folder / "records" / "gone.json").symlink_to(folder / "nowhere")
    (folder / "records" / "linked.json").symlink_to(folder / "records" / "good.json")
    found, left_out = left_of(folder)
    assert found == ["p", "p"]  # a link to a record is read as one
    assert {name for name, _ in left_out.named} == {
        f"records/{name}.json" for name in ("folder", "gone", "pipe", "zero")
    }
    for kind in (os.mkfifo, os.mkdir):
        kind(folder / "records.jsonl.gz")
        assert left_of(folder)[0] == ["p", "p"]
        (os.rmdir if kind is os.mkdir else os.unlink)(folder / "records.jsonl.gz")


def test_names_that_are_no_records_are_passed_over(folder):
    for name in ("Thumbs.db", ".DS_Store", "good.json~", "good.json.aside-1", ".good.json.swp"):
        (folder / "records" / name).write_bytes(b"\x00")
    found, left_out = left_of(folder)
    assert (found, left_out.count, left_out.remark()) == (["p"], 0, "")


def test_the_remark_counts_all_and_names_the_first(folder):
    for number in range(8):
        (folder / "records" / f"bad{number}.json").write_text("{")
    left_out = left_of(folder)[1]
    remark = left_out.remark()
    assert "8 records" in remark
    assert "records/bad4.json" in remark
    assert "bad5" not in remark
    assert "and 3 more" in remark


def test_of_a_cut_packed_file_the_lines_before_the_cut_are_read(tmp_path):
    lines = b"".join(
        json.dumps(factories.record(f"p{number}", 0.5, seed=number)).encode() + b"\n"
        for number in range(200)
    )
    whole = gzip.compress(lines, mtime=0)
    (tmp_path / "records.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    found, left_out = left_of(tmp_path)
    assert 50 < len(found) < 200
    assert left_out.count == 1
    assert f"after line {len(found)}" in left_out.remark()


def bomb(path, piece, times):
    """A gzip file of so many equal pieces, and how long it is unpacked."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(times):
            file.write(piece)
    return len(piece) * times


@pytest.mark.parametrize("line", ["one", "many empty", "many", "records"])
def test_a_bomb_of_packed_records_ends_in_a_sentence_and_memory_stays_flat(
    tmp_path, monkeypatch, line
):
    monkeypatch.setattr(records, "MOST_PACKED", 4 << 20)
    monkeypatch.setattr(records, "MOST_RECORD", 256 << 10)
    piece = {"one": b"[" * 65536, "many empty": b"\n" * 65536, "many": b"[]\n" * 21845}.get(
        line, GOOD + b"\n"
    )
    path = tmp_path / "records.jsonl.gz"
    size = bomb(path, piece, (32 << 20) // len(piece))
    assert path.stat().st_size < size / 100
    left_out = LeftOut()
    tracemalloc.start()
    count = sum(1 for _ in records.read_records(tmp_path, left_out))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20
    limit = "1,000 lines are damaged" if line.startswith("many") else "unpacks to more than 4 MB"
    assert limit in left_out.remark() or left_out.count == records.MOST_DAMAGED + 1
    assert (count > 1000) == (line == "records")


def test_a_line_longer_than_the_limit_is_named_and_the_next_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_RECORD", 100_000)
    packed = b"\n".join([b"[" * 300_000, GOOD, b""])
    (tmp_path / "records.jsonl.gz").write_bytes(gzip.compress(packed, mtime=0))
    found, left_out = left_of(tmp_path)
    assert found == ["p"]
    assert left_out.named[0][0] == "records.jsonl.gz line 1"
    assert "100,000 bytes" in left_out.named[0][1]
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "long.json").write_bytes(b" " * 100_001)
    assert "holds more than 100,000 bytes" in left_of(tmp_path)[1].remark()


def test_the_error_reaches_another_process_whole():
    error = UnreadableError("record x", "is damaged", "delete it")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "record x is damaged; delete it"


def test_a_remark_shows_no_hidden_character(folder):
    (folder / "records" / "a\x1b[2J\u202e\nb.json").write_text('"\u202e\x1b"')
    remark = left_of(folder)[1].remark()
    assert remark.isprintable()


def test_a_folder_in_the_way_of_a_record_is_set_aside_with_what_is_in_it(folder):
    record = records.read_record(folder / "records" / "good.json")
    path = records.record_path(folder, record.trial)
    for number in (1, 2):
        path.mkdir()
        (path / "mine").write_text(str(number))
        records.write_record(folder, record)
        assert records.read_record(path).trial == record.trial
        assert (folder / "records" / f"{path.name}.aside-{number}" / "mine").exists()
        path.unlink()


def packed_answers(path, content, compressed):
    """A file of answers with one array of these bytes."""
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("raw.npy", content)


def test_answers_that_would_fill_the_memory_or_wait_are_refused(tmp_path):
    store = AnswerStore(tmp_path)
    key = store.save({"raw": np.arange(4.0)})
    header = np.lib.format.magic(1, 0) + b"\x76\x00"
    claim = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    claimed = header + claim.ljust(117) + b"\n"
    zeros = (
        header + claim.replace(b"1000000000000", b"1000000").ljust(117) + b"\n" + bytes(8_000_000)
    )
    for content, compressed, reason in (
        (claimed, False, "does not hold what its header says"),
        (zeros, True, "is compressed"),
        (b"\x93NUMPY\x09\x00", False, "can't be read"),
        (header + b"{'descr': " * 10, False, "can't be read"),
    ):
        packed_answers(store.path(key), content, compressed)
        with pytest.raises(UserError, match=reason):
            store.load(key)
    store.path(key).unlink()
    os.mkfifo(store.path(key))
    with pytest.raises(UserError, match="is no file"):
        store.load(key)
    assert store.keys() == set()
    store.path(key).unlink()
    store.path(key).mkdir()
    with pytest.raises(UserError, match="is a folder"):
        store.load(key)
    assert store.save({"raw": np.arange(4.0)}) == key
    np.testing.assert_array_equal(store.load(key)["raw"], np.arange(4.0))


def test_a_remark_names_five_and_says_how_many_more():
    left = LeftOut()
    assert left.remark() == ""
    left.add("one.json", UnreadableError("one.json", "is\nnot JSON", "delete it"))
    one = left.remark()
    assert one.startswith("Left out, because it can't be read: 1 record: one.json (is not JSON). ")
    assert "Run again what made it (" in one
    for number in range(2, 7):
        left.add(f"{number}.json", UnreadableError("", "x" * (159 + number), ""))
    many = left.remark("Look at them.")
    assert many.startswith("Left out, because they can't be read: 6 records: one.json (is not JSON")
    assert many.endswith("; and 1 more. Look at them.")
    # 160 characters of a reason are shown, else the first 157
    reasons = [f"({'x' * 157}...)"] * 4
    assert [part.partition(" ")[2] for part in many.partition("); ")[2].split("; ")][:4] == [
        *reasons[:3],
        reasons[3],
    ]


def test_a_reason_of_160_characters_is_shown_in_full():
    left = LeftOut()
    left.add("a", UnreadableError("", "y" * 160, ""))
    left.add("b", UnreadableError("", "z" * 161, ""))
    assert left.named == [("a", "y" * 160), ("b", "z" * 157 + "...")]
    assert left.count == 2
    assert "Run again what made them (" in left.remark()


def test_values_in_faults_are_short():
    assert shown("v" * 38) == f'"{"v" * 38}"'
    assert shown("v" * 39) == f'"{"v" * 36}...'
    assert str(Fault("is 3", "trial").inside("record")) == "record.trial is 3"
    assert Fault("is missing").inside("trial").place == "trial"


@pytest.mark.parametrize("error", [UnreadableError("a", "b", "c"), NothingReadableError("none")])
def test_what_cannot_be_read_is_no_wrong_use_of_the_command(error):
    assert error.exit_code == 1
    assert UserError("x").exit_code == 2
