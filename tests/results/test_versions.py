"""What makes a row and a version of it, where older ones are kept, and which is the newest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import read, record

from kobench.results.left_out import LeftOut
from kobench.results.records import identity
from kobench.results.versions import (
    code_of,
    newest,
    older_files,
    older_path,
    read_older,
    row_of,
    spot_of,
    version_key,
)


def trial(role="predictor", dataset=None, split=None, **changes):
    """The trial of a record, with changed parts of its dataset, split, predictor and itself."""
    (one,) = read([record("mlp:width=3", 0.5, role=role)])
    whole = {key: changes.pop(key) for key in ("fit_seed", "threads", "device") if key in changes}
    found = one.trial
    return replace(
        found,
        dataset=replace(found.dataset, **(dataset or {})),
        split=replace(found.split, **(split or {})),
        predictor=replace(found.predictor, **changes),
        **whole,
    )


def test_the_row_of_a_predictor_is_its_setting_where_it_comes_from_threads_and_device():
    assert row_of("predictor", trial()) == (
        "predictor",
        "mlp:width=3",
        "kobench-baselines",
        "1",
        "cpu",
    )
    assert row_of("predictor", trial(environment="old"))[2] == "old/kobench-baselines"
    assert row_of("predictor", trial(threads=2))[3:] == ("2", "cpu")
    assert row_of("predictor", trial(device="cuda"))[3:] == ("1", "cuda")
    assert row_of("predictor", trial(selection="mlp"))[1] == "mlp"
    assert row_of("floor", trial("floor", environment="x", threads=9)) == ("floor", "mlp")
    assert row_of("line", trial("line")) == ("line", "mlp")


@pytest.mark.parametrize(
    ("role", "changes", "same"),
    [
        ("predictor", {}, True),
        ("predictor", {"fit_seed": 3}, True),
        ("predictor", {"version": "9", "digest": "abc", "readable": ["x"]}, True),
        ("predictor", {"dataset": {"selection": "grn:genes=100,seed=1", "seed": 1}}, True),
        ("predictor", {"dataset": {"digest": "of other cells"}}, True),
        ("predictor", {"split": {"seed": 1}}, True),
        ("predictor", {"dataset": {"group": "grn:genes=50"}}, False),
        ("predictor", {"dataset": {"version": 2}}, False),
        ("predictor", {"split": {"name": "all"}}, False),
        ("predictor", {"split": {"train": "rod"}}, False),
        ("predictor", {"selection": "mlp"}, False),
        ("predictor", {"distribution": "other"}, False),
        ("predictor", {"environment": "old"}, False),
        ("predictor", {"threads": 2}, False),
        ("predictor", {"device": "cuda"}, False),
        ("floor", {"selection": "mlp", "distribution": "other", "threads": 2}, True),
        ("floor", {"name": "other"}, False),
    ],
)
def test_what_stands_in_one_place_of_a_board(role, changes, same):
    assert (spot_of(role, trial(role, **changes)) == spot_of(role, trial(role))) == same


def test_no_group_is_trained_on_by_none():
    assert spot_of("predictor", trial()).train == ""
    assert spot_of("predictor", trial(split={"train": "rod"})).train == "rod"
    assert spot_of("predictor", trial()).version == "1"
    assert spot_of("floor", trial()) != spot_of("line", trial())


def test_a_version_is_its_code_and_what_it_could_read():
    def key(**changes):
        return version_key(trial(**changes).predictor)

    assert key(digest="a") == key(digest="a", version="9") == ("a",)
    assert key(digest="a") != key(digest="b")
    assert key(digest="", version="1") != key(digest="", version="2")
    assert key(digest="a", readable=["x"]) == ("a", "x")
    assert key(digest="a", readable=["x", "y"]) != key(digest="a", readable=["y", "x"])


def test_a_version_is_called_by_twelve_digits_and_nothing_else_makes_a_path():
    def code(digest):
        return code_of(trial(digest=digest).predictor)

    assert code("0123456789abcdef") == "0123456789ab"
    assert code("../..x/ab-12") == "ab12"
    assert code("..") == code("") == "unknown"


@pytest.mark.parametrize(
    ("fit", "last"),
    [
        ("0123456789abcdef", "01234567"),
        ("../0123/4567.89", "01234567"),
        ("0123456", "unknown"),
        ("01234567", "01234567"),
        ("", "unknown"),
    ],
)
def test_where_an_older_version_is_kept(tmp_path, fit, last):
    (one,) = read([record("mlp", 0.5)])
    one = replace(one, keys=replace(one.keys, fit=fit))
    path = older_path(tmp_path, one)
    assert path == tmp_path / "older" / "00000000" / f"{identity(one.trial)}-{last}.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert older_files(tmp_path) == [path]


def test_files_of_older_versions_are_known_by_their_names_and_come_in_order(tmp_path):
    names = [
        f"{folder}/{trial * 24}-{fit}.json"
        for folder in ("b", "a")
        for trial in ("f", "0")
        for fit in ("12345678", "unknown")
    ]
    for name in names:
        (tmp_path / "older" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "older" / name).write_text("damaged")
    for name in ("mine.json", f"x{'0' * 24}-12345678.json", f"{'0' * 24}-12345678.json.old"):
        (tmp_path / "older" / "a" / name).write_text("{}")
    (tmp_path / "older" / f"{'0' * 24}-12345678.json").write_text("{}")  # in no folder of a code
    found = [str(path.relative_to(tmp_path / "older")) for path in older_files(tmp_path)]
    assert found == sorted(names)
    assert older_files(tmp_path / "nowhere") == []
    left_out = LeftOut()
    assert list(read_older(tmp_path, left_out)) == list(read_older(tmp_path)) == []
    assert left_out.count == len(names)
    assert [name for name, _ in left_out.named] == [f"older/{name}" for name in sorted(names)][:5]


def versions(*given):
    """Records of one row, each of (seed, digest, when it was begun)."""
    found = []
    for seed, digest, started in given:
        one = record("mlp", 0.5, seed=seed, run={"started": started})
        one["trial"]["predictor"]["digest"] = digest
        found += read([one])
    return found


@pytest.mark.parametrize("reverse", [False, True])
def test_the_newest_version_is_the_one_that_was_begun_last(reverse):
    # the older code was begun on one more network, later than the newer code was on its first
    given = versions((0, "old", "1"), (1, "old", "3"), (0, "new", "2"), (1, "new", "4"))
    given = given[::-1] if reverse else given
    shown, older = newest(given)
    assert [one.trial.predictor.digest for one in shown] == ["new", "new"]
    assert shown == [one for one in given if one in shown]
    assert older == [one for one in given if one not in shown]
    assert len(older) == 2


def test_who_does_not_say_when_it_was_begun_is_older_than_who_does():
    for given in (((0, "a", None), (1, "b", "1")), ((0, "b", "1"), (1, "a", None))):
        shown, older = newest(versions(*given))
        assert [one.trial.predictor.digest for one in (*shown, *older)] == ["b", "a"]
    # one that was begun last stays so where another network of it does not say
    shown, _ = newest(versions((0, "a", "2"), (1, "a", None), (2, "b", "1")))
    assert {one.trial.predictor.digest for one in shown} == {"a"}
    # of two that were begun together it is the same one each time
    for given in (((0, "a", "1"), (1, "b", "1")), ((0, "b", "1"), (1, "a", "1"))):
        assert [one.trial.predictor.digest for one in newest(versions(*given))[0]] == ["b"]


def test_each_row_dataset_and_split_has_a_newest_version_of_its_own():
    given = [*versions((0, "old", "1"), (1, "new", "2"))]
    elsewhere = record("mlp", 0.5, dataset="grn:genes=50", run={"started": "0"})
    split = record("mlp", 0.5, split=("all", 0), run={"started": "0"})
    floor = record("mlp", 0.5, role="floor", run={"started": "0"})
    others = read([elsewhere, split, floor])
    shown, older = newest([*given, *others])
    assert (shown, older) == ([given[1], *others], [given[0]])
