"""Answers that are published with a board: which of them, whose, and what they are said to be."""

from __future__ import annotations

import hashlib
import random
import zipfile
from dataclasses import replace
from itertools import pairwise

import pytest
from factories import read, record

from kobench.results.packed_answers import (
    FILE,
    SAMPLE,
    Sample,
    chosen_answers,
    hash_of_all,
    member,
    missing_of,
    named_answers,
    names_in,
    pack_answers,
    read_member,
    read_sample,
)
from kobench.results.records import identity
from kobench.results.sample import name_of_row


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def answered(name, *sets, seed=0, role="predictor", **more):
    """A record with answers to some question sets, each with a key of its own."""
    document = record(name, role=role, seed=seed, **more)
    document["result"]["answers"] = {one: key_of(f"{name} {seed} {one}") for one in sets}
    return read([document])[0]


#: Two rows on four networks, of two question sets; a floor has answers too.
BOARD = [
    answered(name, "profile", "singles", seed=seed) for name in ("a", "b") for seed in range(4)
] + [answered("floor", "singles", role="floor"), answered("line", "singles", role="line")]


def test_the_answers_of_predictors_are_named_in_the_order_of_their_hashes():
    named = named_answers(BOARD)
    assert len(named) == 16
    assert {one.role for one, _, _ in named} == {"predictor"}
    assert all(one[2] < other[2] for one, other in pairwise(named))
    for one, name, key in named:
        assert one.result.answers[name] == key
    assert named_answers(BOARD[::-1]) == named
    # of equal answers by question set, then by trial
    same = [
        replace(one, result=replace(one.result, answers={"singles": "k", "profile": "k"}))
        for one in BOARD[:3]
    ]
    for given in (same, same[::-1]):
        named = [(name, identity(one.trial)) for one, name, _ in named_answers(given)]
        assert named == sorted(named)


def test_the_hash_of_all_is_of_whose_answers_they_are_and_to_what():
    lines = sorted(
        (key, f"{identity(one.trial)}|{name}|{key}\n")
        for one in BOARD[:8]
        for name, key in one.result.answers.items()
    )
    expected = hashlib.sha256("".join(line for _, line in lines).encode()).hexdigest()
    assert hash_of_all(BOARD) == hash_of_all(BOARD[::-1]) == expected
    swapped = dict(
        zip(BOARD[0].result.answers, list(BOARD[0].result.answers.values())[::-1], strict=True)
    )
    other = replace(BOARD[0], result=replace(BOARD[0].result, answers=swapped))
    assert hash_of_all([other, *BOARD[1:]]) != expected
    assert hash_of_all(BOARD[1:]) != expected


def sample(of_row=None, sets=("profile", "singles"), together=()):
    return Sample("x", of_row, sets, {}, together=together)


def test_a_sample_has_so_many_records_of_each_row_those_with_the_lowest_lots():
    assert chosen_answers(BOARD, sample()) == {key for _, _, key in named_answers(BOARD)}
    for of_row in (0, 1, 2, 3, 4, 5):
        chosen = chosen_answers(BOARD, sample(of_row))
        assert len(chosen) == 2 * 2 * min(of_row, 4)
        assert chosen_answers(BOARD[::-1], sample(of_row)) == chosen
    # the lot is that of the trial, so a record has all of its answers kept, or none
    for together in ((), None, (name_of_row(BOARD[0]), name_of_row(BOARD[4]))):
        for rows in (BOARD[:4], BOARD[4:8]):
            whole = hash_of_all(rows if together == () else BOARD)
            lots = sorted(
                (key_of(f"{whole}|{identity(one.trial)}"), one.trial.dataset.seed, one)
                for one in rows
            )
            expected = {key for _, _, one in lots[:2] for key in one.result.answers.values()}
            own = {key for one in rows for key in one.result.answers.values()}
            assert chosen_answers(BOARD, sample(2, together=together)) & own == expected
    alone = chosen_answers(BOARD, sample(sets=("singles",)))
    assert alone == {key for _, name, key in named_answers(BOARD) if name == "singles"}
    assert chosen_answers(BOARD, sample(sets=())) == set()
    # another answer of a row draws that row anew, and no other one
    networks = set()
    for text in "abcdef":
        result = replace(BOARD[0].result, answers={"profile": key_of(text)})
        changed = [replace(BOARD[0], result=result), *BOARD[1:]]
        found = chosen_answers(changed, sample(1))
        (seed,) = (
            one.trial.dataset.seed for one in changed[:4] if one.result.answers["profile"] in found
        )
        networks.add(seed)
        of_b = {key for one in BOARD[4:8] for key in one.result.answers.values()}
        assert found & of_b == chosen_answers(BOARD, sample(1)) & of_b
    assert len(networks) > 1


def test_the_groups_that_a_row_was_trained_on_are_drawn_together():
    groups = []
    for train in ("rod", "cone", "glia"):
        one = answered("a", "profile")
        one = replace(one, trial=replace(one.trial, split=replace(one.trial.split, train=train)))
        result = replace(one.result, answers={"profile": key_of(train)})
        groups.append(replace(one, result=result))
    assert len(chosen_answers(groups, sample(1))) == 1
    # another dataset, split or setting is a row of its own
    for other in (
        answered("a", "profile", dataset="grn:genes=9"),
        answered("a", "profile", split=("all", 0)),
        answered("a:width=3", "profile"),
    ):
        moved = replace(other, result=replace(other.result, answers={"profile": key_of("x")}))
        assert len(chosen_answers([*groups, moved], sample(1))) == 2


@pytest.fixture
def stored(tmp_path):
    """The answers of the board: 1,000 bytes of each profile, 5,000 of all else."""
    folder = tmp_path / "answers"
    folder.mkdir()
    rng = random.Random(0)
    for _, name, key in named_answers(BOARD):
        (folder / f"{key}.npz").write_bytes(rng.randbytes(1000 if name == "profile" else 5000))
    return folder


SMALL, LARGE = (
    len(member(bytes(random.Random(0).randbytes(1000)))),
    len(member(bytes(random.Random(0).randbytes(5000)))),
)


@pytest.mark.parametrize(
    ("most", "of_row", "sets", "left_out"),
    [
        (8 * (SMALL + LARGE), None, ("profile", "singles"), {}),
        (8 * (SMALL + LARGE) - 1, 3, ("profile", "singles"), {}),
        (4 * (SMALL + LARGE), 2, ("profile", "singles"), {}),
        (4 * (SMALL + LARGE) - 1, 1, ("profile", "singles"), {}),
        (2 * (SMALL + LARGE), 1, ("profile", "singles"), {}),
        # one of each row is too much: the question set with the largest answers is left out
        (2 * (SMALL + LARGE) - 1, None, ("profile",), {"singles": 8 * LARGE}),
        (8 * SMALL, None, ("profile",), {"singles": 8 * LARGE}),
        (8 * SMALL - 1, 3, ("profile",), {"singles": 8 * LARGE}),
        (2 * SMALL, 1, ("profile",), {"singles": 8 * LARGE}),
    ],
)
def test_as_many_of_each_row_are_packed_as_fit(tmp_path, stored, most, of_row, sets, left_out):
    packed = tmp_path / FILE
    found = pack_answers(BOARD, stored, packed, most)
    assert found == Sample(hash_of_all(BOARD), of_row, sets, left_out, together=())
    assert read_sample(tmp_path) == found
    chosen = chosen_answers(BOARD, found)
    assert names_in(packed) == {SAMPLE, *(f"{key}.npz" for key in chosen)}
    for key in chosen:
        content = (stored / f"{key}.npz").read_bytes()
        assert read_member(packed, f"{key}.npz", len(content)) == content
    assert list(missing_of(BOARD, tmp_path, found)) == []
    before = packed.read_bytes()
    pack_answers(BOARD[::-1], stored, packed, most)
    assert packed.read_bytes() == before


def test_of_more_rows_than_fit_as_many_records_as_fit_are_packed(tmp_path, stored):
    found = pack_answers(BOARD, stored, tmp_path / FILE, 2 * SMALL - 1)
    assert found == Sample(hash_of_all(BOARD), None, ("profile",), {"singles": 8 * LARGE}, 1, ())
    assert read_sample(tmp_path) == found
    assert list(missing_of(BOARD, tmp_path, found)) == []
    # whoever's lot with the hash of its row is lowest, whatever that row
    lots = {
        key_of(f"{hash_of_all(rows)}|{identity(one.trial)}"): one
        for rows in (BOARD[:4], BOARD[4:8])
        for one in rows
    }
    in_order = [lots[lot].result.answers["profile"] for lot in sorted(lots)]
    for number in range(9):
        sample = replace(found, of_all=number)
        assert chosen_answers(BOARD, sample) == set(in_order[:number])
    (said,) = missing_of(BOARD, tmp_path, replace(found, of_all=0))
    assert said.endswith("keeps 0 records of all, expected 1 or more")


def test_where_not_even_one_of_the_smallest_fits_nothing_is_packed(tmp_path, stored):
    assert pack_answers(BOARD, stored, tmp_path / FILE, SMALL - 1) is None
    assert not (tmp_path / FILE).exists()


def test_without_all_answers_and_without_any_nothing_is_packed(tmp_path, stored):
    assert pack_answers(BOARD[8:], stored, tmp_path / FILE, 10**9) is None
    next(stored.glob("*.npz")).unlink()
    assert pack_answers(BOARD, stored, tmp_path / FILE, 10**9) is None
    assert not (tmp_path / FILE).exists()


def test_equal_answers_are_packed_and_weighed_once(tmp_path):
    same = [
        replace(one, result=replace(one.result, answers={"profile": "a" * 64})) for one in BOARD[:4]
    ]
    (tmp_path / f"{'a' * 64}.npz").write_bytes(random.Random(0).randbytes(1000))
    found = pack_answers(same, tmp_path, tmp_path / FILE, SMALL)
    assert found is not None
    assert found.of_row is None
    assert len(names_in(tmp_path / FILE)) == 2


def test_what_packed_answers_lack_is_named(tmp_path, stored):
    found = pack_answers(BOARD, stored, tmp_path / FILE, 4 * (SMALL + LARGE))
    (said,) = missing_of(BOARD[1:], tmp_path, found)
    assert said.startswith(f"{FILE} is of other records: it names {hash_of_all(BOARD)[:16]} as")
    assert said.endswith(f"the records give {hash_of_all(BOARD[1:])[:16]}")
    more = replace(found, of_row=3)
    lacking = sorted(chosen_answers(BOARD, more) - chosen_answers(BOARD, found))
    (said,) = missing_of(BOARD, tmp_path, more)
    assert said == f"{FILE} lacks 4 answers that the hash of all chose ({lacking[0][:16]})"
    (said,) = missing_of(BOARD, tmp_path, replace(found, of_row=0))
    assert said == f"{FILE} keeps 0 records of a row, expected 1 or more"
    assert list(missing_of(BOARD, tmp_path, replace(found, of_row=1))) == []
    (said,) = missing_of(BOARD, tmp_path / "nowhere", found)
    assert "lacks 8 answers" in said


def packed_with(folder, **members):
    path = folder / FILE
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return path


def test_members_of_a_zip_that_may_be_anyones(tmp_path):
    path = packed_with(tmp_path, a_npz="x" * 100)
    assert read_member(path, "a.npz", 100) == b"x" * 100
    with pytest.raises(ValueError, match=r"a\.npz in .* has more than 99 bytes"):
        read_member(path, "a.npz", 99)
    assert read_member(path, "b.npz", 100) is None
    assert read_member(tmp_path / "nowhere", "a.npz", 100) is None
    assert names_in(path) == {"a.npz"}
    assert names_in(tmp_path / "nowhere") == frozenset()
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"damaged can't be read"):
        read_member(damaged, "a.npz", 100)
    assert names_in(damaged) == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"all_answers": "x", "of_row": 2, "sets": ["a", "b"], "left_out": {"c": 5}}',
            Sample("x", 2, ("a", "b"), {"c": 5}),
        ),
        (
            '{"all_answers": "x", "of_row": null, "sets": [], "left_out": {}}',
            Sample("x", None, (), {}),
        ),
        ('{"all_answers": "x", "sets": [], "left_out": {}}', "lacks a part"),
        ('{"all_answers": "x", "of_row": 1, "sets": 3, "left_out": {}}', "lacks a part"),
        ('{"all_answers": "x", "of_row": 1, "sets": [], "left_out": []}', "lacks a part"),
        ("[]", "lacks a part"),
    ],
)
def test_what_a_sample_says(tmp_path, text, expected):
    packed_with(tmp_path, sample_json=text)
    if isinstance(expected, Sample):
        assert read_sample(tmp_path) == expected
    else:
        with pytest.raises(ValueError, match=expected):
            read_sample(tmp_path)


def test_a_folder_without_packed_answers_has_no_sample(tmp_path):
    assert read_sample(tmp_path) is None
    packed_with(tmp_path, a_npz="x")
    assert read_sample(tmp_path) is None
