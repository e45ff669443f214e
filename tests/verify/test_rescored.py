"""What only the answers can tell: scores that follow from nothing, and floors written over."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace

import pytest
from command import kobench
from tiny import PLUGIN

from kobench.results.packed_answers import pack_answers, pack_found, read_sample
from kobench.results.records import read_records
from kobench.results.sample import chosen_answers, hash_of_all

TINY = "grn:genes=12,cells=120"
TASKS = ("-t", "profile", "-t", "keystone")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A results folder with two networks."""
    folder = tmp_path_factory.mktemp("rescored")
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, *TASKS)
    kobench("run", *asked, "--networks", 2, "--out", folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "out")


def forge(folder, name, task, metric, value):
    """Write over one value on one network, with the seal taken off."""
    for path in sorted((folder / "records").glob("*.json")):
        record = json.loads(path.read_text())
        trial = record["trial"]
        if trial["predictor"]["name"] == name and trial["dataset"]["seed"] == 1:
            del record["seal"]
            record["result"]["scores"][task]["metrics"][metric]["value"] = value
            path.write_text(json.dumps(record))
            return
    raise AssertionError(name)


def test_an_honest_folder_passes_without_the_predictor(folder):
    done = kobench("verify", folder, "--rescore")
    assert "✓ re-scored: good on grn:cells=120,genes=12, holdout, 2 records" in done.stdout
    assert "✓ re-scored: presence-contrast (floor) on" in done.stdout
    assert "✗" not in done.stdout


@pytest.mark.parametrize(
    ("name", "task", "metric"),
    [
        ("good", "profile@2", "bray-curtis"),
        ("abundance", "keystone@1", "spearman"),
        ("masked-mean", "profile@2", "bray-curtis"),
        ("truth", "keystone@1", "spearman"),
    ],
)
def test_a_value_that_contradicts_nothing_is_found_by_its_answers(folder, name, task, metric):
    """On the second network there is no table and there are no draws beside it."""
    forge(folder, name, task, metric, 0.25)
    assert "✗" not in kobench("verify", folder).stdout
    done = kobench("verify", folder, "--rescore", code=1)
    assert f"✗ wrong: {name}" in done.stdout
    assert f"{task}: metrics.{metric}.value: 0.25 recorded" in done.stdout


def fail(folder, name, status):
    """Say of every trial of a floor or line that it ended otherwise, with the seal taken off."""
    for path in sorted((folder / "records").glob("*.json")):
        record = json.loads(path.read_text())
        if record["trial"]["predictor"]["name"] == name:
            del record["seal"]
            record["result"].update(status=status, reason="", scores={}, answers={})
            path.write_text(json.dumps(record))


def test_floors_that_are_said_to_have_failed_are_made_anew_and_nobody_is_compared(folder):
    fail(folder, "masked-mean", "timeout")
    assert "the floor masked-mean of this task" in kobench("verify", folder, code=1).stdout
    assert "nothing is compared" in " ".join(kobench("board", folder, "-v").stdout.split())
    done = kobench("verify", folder, "--rescore", code=1)
    assert "✗ wrong: masked-mean" in done.stdout
    assert "profile@2: status: timeout, without scores recorded, ok, with scores here" in (
        " ".join(done.stdout.split())
    )


def test_a_line_that_is_said_not_to_be_offered_is_made_anew(folder):
    fail(folder, "truth", "unsupported")
    done = kobench("verify", folder, "--rescore", code=1)
    assert "✗ wrong: truth" in done.stdout
    assert "unsupported, without scores recorded" in " ".join(done.stdout.split())


def test_without_answers_a_row_is_not_called_verified(folder):
    shutil.rmtree(folder / "answers")
    done = kobench("verify", folder, "--rescore", "-p", "good", code=1)
    assert "? not re-scored: good on" in done.stdout
    assert "its answers are not stored" in done.stdout


def test_answers_may_lie_elsewhere(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    shutil.move(folder / "answers", other / "answers")
    done = kobench("verify", folder, "--rescore", "--answers", other)
    assert "✓ re-scored: good on" in done.stdout


def packed(folder, place, *more):
    kobench("board", folder, "--pack", place, *more)
    return place


def test_a_published_folder_is_scored_again_by_itself(folder, tmp_path):
    board = packed(folder, tmp_path / "board")
    assert (board / "answers.zip").is_file()
    assert not (board / "answers").exists()
    done = kobench("verify", board, "--rescore")
    assert "✓ re-scored: good on grn:cells=120,genes=12, holdout, 2 records" in done.stdout
    again = packed(board, tmp_path / "again")
    assert (again / "answers.zip").read_bytes() == (board / "answers.zip").read_bytes()


def test_a_sample_of_each_row_is_chosen_by_all_its_answers(folder, tmp_path):
    records = list(read_records(folder))
    whole = pack_answers(records, folder / "answers", tmp_path / "whole.zip", 1 << 30)
    assert whole.of_row is None
    size = (tmp_path / "whole.zip").stat().st_size
    board = tmp_path / "board"
    packed(folder, board)
    sample = pack_answers(records, folder / "answers", board / "answers.zip", size * 2 // 3)
    assert sample.of_row == 1
    done = kobench("verify", board, "--rescore")
    assert "✓ re-scored: good on grn:cells=120,genes=12, holdout, 1 of 2 records" in done.stdout
    lots = {chosen_network(with_answer(records, f"{n:064x}"), sample) for n in range(9)}
    assert len(lots) == 2, "another answer chooses others"


def with_answer(records, key, predictor="good", network=0):
    """The records, one of them with another answer to `profile`."""
    return [
        replace(
            one,
            result=replace(one.result, answers={**one.result.answers, "profile": key}),
        )
        if one.trial.predictor.name == predictor and one.trial.dataset.seed == network
        else one
        for one in records
    ]


def chosen_network(records, sample):
    """Of which network the answers to `singles` of `good` are in the sample."""
    chosen = chosen_answers(records, sample)
    (found,) = (
        one.trial.dataset.seed
        for one in records
        if one.role == "predictor" and one.result.answers["singles"] in chosen
    )
    return found


def as_row(records, name):
    """The rows of predictors once more, under another name and with other answers."""
    return [
        replace(
            one,
            trial=replace(
                one.trial, predictor=replace(one.trial.predictor, name=name, selection=name)
            ),
            result=replace(
                one.result,
                answers={what: key[::-1] for what, key in one.result.answers.items()},
            ),
        )
        for one in records
        if one.role == "predictor"
    ]


def test_a_row_that_comes_leaves_the_samples_of_others(folder, tmp_path):
    records = list(read_records(folder))
    pack_answers(records, folder / "answers", tmp_path / "whole.zip", 1 << 30)
    size = (tmp_path / "whole.zip").stat().st_size
    board = tmp_path / "board"
    board.mkdir()
    sample = pack_answers(records, folder / "answers", board / "answers.zip", size * 2 // 3)
    names = zipfile.ZipFile(board / "answers.zip").namelist()
    stored = {name[:-4]: (folder / "answers" / name) for name in names if name != "sample.json"}
    more = as_row(records, "other")
    of_more = {key for one in more for key in one.result.answers.values()}
    new = {key: (folder / "answers" / f"{key[::-1]}.npz").read_bytes() for key in of_more}
    there = {key: path.read_bytes() for key, path in stored.items()} | new
    both = [*records, *more]
    added = pack_found(both, there.get, board / "answers.zip", 2 * size, sample)
    assert added.of_row == 1
    assert set(stored) <= chosen_answers(both, added)
    # as boards were packed before: by the hash of the answers of all rows
    old = replace(sample, together=None)
    kept = chosen_answers(records, old)
    there = {key: (folder / "answers" / f"{key}.npz").read_bytes() for key in kept} | new
    named = replace(old, together=("good|file:predictors.py|1|cpu",))
    again = pack_found(both, there.get, board / "answers.zip", 2 * size, named)
    assert again.together == named.together
    assert kept <= chosen_answers(both, again)
    assert read_sample(board) == again
    assert again.all_answers == hash_of_all(both)


def test_chosen_answers_that_are_missing_and_other_records_are_named(folder, tmp_path):
    board = packed(folder, tmp_path / "board")
    with zipfile.ZipFile(board / "answers.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    victim = next(name for name in sorted(members) if name != "sample.json")
    with zipfile.ZipFile(board / "answers.zip", "w") as archive:
        for name in members.keys() - {victim}:
            archive.writestr(name, members[name])
    done = kobench("verify", board, "--rescore", code=1)
    assert "answers.zip lacks 1 answers that the hash of all chose" in done.stdout
    assert "its answers are not stored" in done.stdout
    with zipfile.ZipFile(board / "answers.zip", "w") as archive:
        said = json.loads(members["sample.json"]) | {"all_answers": "0" * 64}
        archive.writestr("sample.json", json.dumps(said))
    done = kobench("verify", board, "--rescore", code=1)
    assert "answers.zip is of other records" in done.stdout
    (board / "answers.zip").write_bytes(b"no zip")
    assert "can't be read" in kobench("verify", board, "--rescore", code=2).stderr


def test_a_packed_answer_that_is_another_is_not_believed(folder, tmp_path):
    board = packed(folder, tmp_path / "board")
    with zipfile.ZipFile(board / "answers.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    first, second = sorted(name for name in members if name != "sample.json")[:2]
    members[first] = members[second]
    with zipfile.ZipFile(board / "answers.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    done = kobench("verify", board, "--rescore", code=1)
    assert "are not what their name says" in done.stdout


def test_a_packed_folder_of_secret_networks_gives_its_own_board_again(tmp_path):
    out = tmp_path / "out"
    kobench(
        *("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile"),
        *("--networks", 2, "--secret", "--out", out),
    )
    board = packed(out, tmp_path / "board")
    again = packed(board, tmp_path / "again")
    for name in ("board.html", "board.md", "board.csv", "records.jsonl.gz", "answers.zip"):
        assert (again / name).read_bytes() == (board / name).read_bytes(), name


def test_an_honest_small_run_contradicts_nothing(tmp_path):
    """Draws of a centred metric pass the end of its range where perturbations are few."""
    out = tmp_path / "out"
    kobench("run", "-d", "grn:genes=12,cells=60", "-t", "response", "-p", "knn", "--out", out)
    assert "✗" not in kobench("verify", out).stdout
    draws = [
        draw
        for record in read_records(out)
        for scores in record.result.scores.values()
        for draw in scores.metrics["pearson-delta-centred"].draws
        if draw is not None
    ]
    assert max(draws) > 1, "this is about draws beyond the range"
