"""What becomes of records of older versions, file by file: nothing is run here."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import factories
import pytest

from kobench.results.answer_store import AnswerStore
from kobench.results.records import read_record, record_path, write_record
from kobench.results.versions import older_files, older_path, spot_of, version_key
from kobench.runner import older
from kobench.runner.older import Older, fit_of, forget, last_begun, named_in, readable
from kobench.runner.shown import written_in

FIRST, SECOND, THIRD = "a" * 16, "b" * 16, "c" * 16


def made(code=FIRST, seed=0, started="1", fit=None, answers=None, scored=True, name="mlp", **more):
    """A record of one version of a row on one network."""
    document = factories.record(name, 0.5 if scored else None, seed=seed, **more)
    document["trial"]["predictor"]["digest"] = code
    document["run"]["started"] = started
    document["keys"]["fit"] = fit or code * 4
    document["result"]["answers"] = answers or {}
    return factories.read([document])[0]


def trial_of(record):
    """A trial that this record answers."""
    return SimpleNamespace(role=record.role, describe=lambda: record.trial, keys=record.keys)


def write(folder, *records):
    (folder / "records").mkdir(exist_ok=True)
    return [write_record(folder, record) for record in records]


def keep(folder, *records):
    """Lay records where those of older versions are."""
    for record in records:
        path = older_path(folder, record)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(folder, record)[0].rename(path)


def shown(folder):
    return content(sorted((folder / "records").glob("*.json")))


def kept(folder):
    return content(older_files(folder))


def content(paths):
    """Code and network of the records in files."""
    found = [read_record(path).trial for path in paths]
    return sorted((one.predictor.digest[0], one.dataset.seed) for one in found)


# a record is about to be written


def begun(folder, *records):
    """What a run that is to write these rows knows before."""
    found = Older(folder)
    found.look([spot_of(one.role, one.trial) for one in records])
    return found


def test_what_there_is_of_another_version_makes_way_on_every_network(tmp_path):
    write(tmp_path, made(seed=0), made(seed=1), made(seed=0, name="gbm"), made(dataset="x", seed=2))
    new = made(SECOND, seed=0)
    found = begun(tmp_path, new)
    found.before(new, [factories.TASK], anew=True)
    assert kept(tmp_path) == [("a", 0), ("a", 1)]
    assert shown(tmp_path) == [("a", 0), ("a", 2)]  # another row, and another dataset
    assert set(found.moved) == {record_path(tmp_path, made(seed=n).trial) for n in (0, 1)}
    # once it is there, its own version is not moved
    write(tmp_path, new)
    found.before(made(SECOND, seed=1), [factories.TASK], anew=True)
    assert len(kept(tmp_path)) == 2
    # but makes way for another one in the same run
    write(tmp_path, made(SECOND, seed=1))
    found.before(made(THIRD, seed=0), [factories.TASK], anew=True)
    assert kept(tmp_path) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


@pytest.mark.parametrize(
    ("fit", "scored_before", "anew", "moves"),
    [
        ("f" * 64, [factories.TASK], True, True),  # of the same code, and another fit
        ("f" * 64, [factories.TASK], False, False),  # what was there is kept in the new one
        (FIRST * 4, [factories.TASK], True, False),  # it is done wholly anew
        (FIRST * 4, [factories.TASK, "other@1"], True, True),  # but for a task that is not asked
    ],
)
def test_what_is_lost_of_the_same_version_is_kept_too(tmp_path, fit, scored_before, anew, moves):
    before = made(fit=fit)
    scores = {label: before.result.scores[factories.TASK] for label in scored_before}
    write(tmp_path, replace(before, result=replace(before.result, scores=scores)))
    found = begun(tmp_path, before)
    found.before(made(), [factories.TASK], anew)
    assert kept(tmp_path) == ([("a", 0)] if moves else [])
    assert shown(tmp_path) == ([] if moves else [("a", 0)])


def test_of_what_has_no_scores_only_what_it_was_shown_is_kept(tmp_path):
    failed = made(status="failed", stage="singles", scored=False)
    write(tmp_path, failed)
    found = begun(tmp_path, failed)
    found.before(made(SECOND), [factories.TASK], anew=True)
    assert (shown(tmp_path), kept(tmp_path), found.moved) == ([], [], {})
    (showing,) = written_in(tmp_path)
    assert showing.name == "grn"


def test_damaged_files_are_left_where_they_are(tmp_path):
    (path,) = write(tmp_path, made())
    path.write_text("damaged")
    found = begun(tmp_path, made())
    found.before(made(SECOND), [factories.TASK], anew=True)
    assert path.read_text() == "damaged"
    assert readable(path) is None
    assert fit_of(path) == fit_of(tmp_path / "nowhere") == ""


def test_what_was_read_before_is_not_read_again(tmp_path):
    record = made()
    (path,) = write(tmp_path, record)
    found = Older(tmp_path)
    spot = spot_of(record.role, record.trial)
    known = made(name="gbm")
    found.look([spot], {path: known})
    assert found.there == {spot: []}
    found.look([spot])
    assert found.there == {spot: [path]}
    found.look([])
    assert found.there == {}


# code comes back


def test_the_records_of_code_that_comes_back_come_back_with_its_other_networks(tmp_path):
    old, other = made(seed=0), made(seed=1)
    elsewhere = made(seed=0, name="gbm")
    keep(tmp_path, old, other, elsewhere)
    write(tmp_path, made(SECOND, seed=0), made(SECOND, seed=2))
    found = Older(tmp_path)
    found.bring_back([trial_of(old)])
    assert shown(tmp_path) == [("a", 0), ("a", 1)]
    assert kept(tmp_path) == [("a", 0), ("b", 0), ("b", 2)]  # gbm's stays
    assert read_record(record_path(tmp_path, old.trial)).keys.fit == old.keys.fit


def test_only_what_answers_the_very_trial_comes_back(tmp_path):
    old = made()
    for fit in ("a" * 8 + "b" * 56, "b" * 64):  # the same name of the file, and another
        asked = replace(old, keys=replace(old.keys, fit=fit))
        keep(tmp_path, old)
        Older(tmp_path).bring_back([trial_of(asked)])
        assert (shown(tmp_path), kept(tmp_path)) == ([], [("a", 0)])
    assert Older(tmp_path).bring_back([]) is None
    Older(tmp_path).bring_back([trial_of(old)])
    assert (shown(tmp_path), kept(tmp_path)) == ([("a", 0)], [])


def test_what_answers_it_already_stays(tmp_path):
    old = made()
    keep(tmp_path, old)
    write(tmp_path, replace(old, run=replace(old.run, started="9")))
    Older(tmp_path).bring_back([trial_of(old)])
    assert readable(record_path(tmp_path, old.trial)).run.started == "9"
    assert kept(tmp_path) == [("a", 0)]


def test_what_is_in_its_place_is_kept_aside_though_it_is_of_the_same_code(tmp_path):
    """Such as of the same code on other data."""
    old = made()
    keep(tmp_path, old)
    write(tmp_path, made(fit="f" * 64))
    found = Older(tmp_path)
    found.bring_back([trial_of(old)])
    assert fit_of(record_path(tmp_path, old.trial)) == old.keys.fit
    assert [fit_of(path) for path in older_files(tmp_path)] == ["f" * 64]


def test_of_two_that_could_come_back_with_it_the_later_one_does(tmp_path):
    old = made(seed=0)
    earlier, later = made(seed=1, fit="1" * 64), made(seed=1, fit="2" * 64, started="2")
    keep(tmp_path, old, earlier, later)
    Older(tmp_path).bring_back([trial_of(old)])
    assert fit_of(record_path(tmp_path, later.trial)) == "2" * 64
    assert [fit_of(path) for path in older_files(tmp_path)] == ["1" * 64]


# what is said, and what is forgotten


def test_who_had_a_good_result_before_is_told(tmp_path):
    (path,) = write(tmp_path, made())
    found = begun(tmp_path, made())
    found.before(made(SECOND), [factories.TASK], anew=True)
    failed = made(SECOND, status="failed", stage="fit", scored=False)
    (said,) = found.sentences([failed, made(SECOND, seed=1)])
    assert said.startswith(
        "mlp on grn:genes=100,seed=0: it had a good result before (version 0.1.0"
    )
    assert f"code {FIRST[:12]})" in said
    assert found.sentences([made(SECOND)]) == []
    assert not path.exists()


def test_the_five_newest_older_versions_of_a_row_are_kept(tmp_path):
    codes = [f"{number}" * 16 for number in range(1, 9)]
    for number, code in enumerate(codes):
        keep(tmp_path, made(code, started=f"{number}"), made(code, seed=1, started=f"{number}"))
    keep(tmp_path, *(made(code, name="gbm", started="0") for code in codes))
    # the oldest code was begun once more, on another network, after all others
    keep(tmp_path, made(codes[0], seed=2, started="9"))
    found = Older(tmp_path)
    assert found.end() == []  # nothing was moved, so nothing is forgotten
    assert len(older_files(tmp_path)) == 25
    found.moved = {tmp_path / "x": made(codes[0])}
    (said,) = found.end()
    assert said == (
        "mlp on grn:genes=100: 5 older versions are kept, so 6 records of the oldest were removed"
        f" (code {codes[1][:12]}, {codes[2][:12]}, {codes[3][:12]})"
    )
    mlp = [
        record.trial.predictor.digest[0]
        for record in map(read_record, older_files(tmp_path))
        if record.trial.predictor.name == "mlp"
    ]
    assert sorted(mlp) == sorted("111" + "55667788")
    assert len(older_files(tmp_path)) == 8 + 11
    assert found.end() == []


def test_five_older_versions_are_not_too_many(tmp_path):
    for number in range(1, 6):
        keep(tmp_path, made(f"{number}" * 16, started=f"{number}"))
    found = Older(tmp_path, moved={tmp_path / "x": made("1" * 16)})
    assert found.end() == []
    assert len(older_files(tmp_path)) == older.KEPT == 5


def test_a_version_was_begun_last_when_its_last_trial_was():
    one, other, silent = made(started="1"), made(started="3"), made(started=None)
    assert last_begun([(None, one), (None, other), (None, silent)]) == "3"
    assert last_begun([(None, silent)]) == ""


def test_what_is_forgotten_takes_its_answers_and_empty_folders_with_it(tmp_path):
    store = AnswerStore(tmp_path)
    hashes = {letter: letter * 64 for letter in "123456"}
    (tmp_path / "answers").mkdir()
    for each in hashes.values():
        store.path(each).write_bytes(b"")
    gone = made(answers={"singles": hashes["1"], "profile": hashes["2"]}, fit="1" * 64)
    also = made(answers={"singles": hashes["3"]}, seed=1, fit="2" * 64)
    stays = made(SECOND, answers={"singles": hashes["2"], "profile": hashes["4"]})
    keep(tmp_path, gone, also, stays)
    write(tmp_path, made(THIRD, answers={"singles": hashes["3"]}))
    (tmp_path / "records" / "x.json.aside-1").write_text(f'"{hashes["5"]}"')
    (tmp_path / "records" / "notes.txt").write_text(hashes["1"])
    forget(tmp_path, [(older_path(tmp_path, one), one) for one in (gone, also)])
    left = {letter for letter, each in hashes.items() if store.path(each).exists()}
    assert left == {"2", "3", "4", "5", "6"}
    assert [path.parent.name for path in older_files(tmp_path)] == [SECOND[:12]]
    assert not (tmp_path / "older" / FIRST[:12]).exists()
    assert named_in(tmp_path) >= {hashes["2"], hashes["3"], hashes["4"], hashes["5"]}
    assert hashes["1"] not in named_in(tmp_path)
    assert [one.name for one in written_in(tmp_path)] == ["grn"]  # what they were shown
    forget(tmp_path, [(older_path(tmp_path, stays), stays)])
    assert not (tmp_path / "older").exists()


def test_a_folder_with_the_users_own_files_stays(tmp_path):
    keep(tmp_path, made())
    (tmp_path / "older" / FIRST[:12] / "mine.txt").write_text("")
    forget(tmp_path, [(older_path(tmp_path, made()), made())])
    assert (tmp_path / "older" / FIRST[:12] / "mine.txt").exists()
    assert version_key(made().trial.predictor) == (FIRST,)
