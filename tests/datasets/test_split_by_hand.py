"""Splits of cells and the hash of their content, at their edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from kobench.cells import Cells
from kobench.datasets.digest import digest
from kobench.datasets.groups import check_enough, held_out, second_half
from kobench.datasets.split import halve, split, split_groups
from kobench.errors import UserError


@pytest.mark.parametrize(
    ("cells", "asked"), [(3, 1), (5, 1), (7, 1), (8, 2), (12, 2), (13, 3), (100, 20)]
)
def test_a_fifth_is_asked_to_the_nearest_cell(cells, asked):
    train, others = split(cells)
    assert (len(train), len(others)) == (cells - asked, asked)
    assert sorted([*train, *others]) == list(range(cells))


def test_every_batch_gives_its_share_the_largest_remainders_first():
    batch = np.repeat([0, 1, 2], [10, 7, 3])  # of four asked 2, 1.4 and 0.6
    for seed in range(5):
        _, asked = split(20, seed=seed, batch=batch)
        assert np.bincount(batch[asked], minlength=3).tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("cells", "strategy", "why"),
    [
        (2, "holdout", "cannot be split 80/20"),
        (1, "halves", "cannot be halved"),
        (9, "quarters", "'quarters' is not known"),
    ],
)
def test_what_cannot_be_split(cells, strategy, why):
    with pytest.raises(UserError, match=why):
        split(cells, strategy)
    with pytest.raises(ValueError, match="batch has shape"):
        split(9, "holdout", batch=np.zeros(8))
    train, asked = split(2, "halves")
    assert sorted([*train, *asked]) == [0, 1]
    assert [part.tolist() for part in split(1, "all")] == [[0], [0]]


@pytest.mark.parametrize("strategy", ["holdout", "halves"])
def test_copies_of_a_cell_go_where_the_first_of_them_goes(strategy):
    first = np.array([0, 1, 0, 3, 4, 1, 6, 0, 8, 9])
    distinct = len(set(first.tolist()))
    for seed in range(5):
        train, asked = split(10, strategy, seed, first=first)
        assert not set(first[train]) & set(first[asked])
        assert sorted([*train, *asked]) == list(range(10))
        sizes = len(set(first[train])), len(set(first[asked]))
        assert sizes == ((distinct - 1, 1) if strategy == "holdout" else sizes)
        assert strategy == "holdout" or abs(sizes[0] - sizes[1]) <= 1
    whole = split(10, "all", first=first)
    assert [part.tolist() for part in whole] == [list(range(10))] * 2


def test_halves_take_turns_by_their_keys():
    keys = np.array([[0.9, 0.1, 0.5, 0.2], [0.1, 0.2, 0.3, 0.4]])
    group = np.array([0, 0, 0, 1])
    found = halve(group, keys, np.array([0, 1]))
    # order 1, 2, 0, 3: the second and the fourth; then 0, 1, 2, 3: the first and the third
    assert found.tolist() == [[False, False, True, True], [True, False, True, False]]


def test_whole_groups_are_on_one_side_without_copies_of_what_was_trained_on():
    groups = np.repeat([*"abcdefgh"], 5)
    for strategy in ("holdout", "halves"):
        train, asked = split_groups(groups, strategy, 1)
        assert not set(groups[train]) & set(groups[asked])
        assert len(train) + len(asked) == 40
        assert len(asked) == (20 if strategy == "halves" else 10)
        first = np.arange(40)
        first[asked[0]] = train[0]
        again = split_groups(groups, strategy, 1, first=first)
        assert (again[0].tolist(), again[1].tolist()) == (train.tolist(), asked[1:].tolist())
        first[asked] = train[0]
        with pytest.raises(UserError, match="exact copy"):
            split_groups(groups, strategy, 1, first=first)


@pytest.mark.parametrize("sizes", ["equal", "one is large"])
@pytest.mark.parametrize(("groups", "least"), [(2, 1), (4, 1), (5, 2), (6, 2)])
def test_of_five_groups_at_least_two_are_held_out_and_never_all(groups, least, sizes):
    many = [10] * groups if sizes == "equal" else [100, *[2] * (groups - 1)]
    names = np.repeat(np.arange(groups), many)
    for seed in range(5):
        out = held_out(names, np.zeros(len(names)), np.random.default_rng(seed))
        taken = set(names[out].tolist())
        assert least <= len(taken) < groups
        assert sizes != "equal" or len(taken) == least
        second = second_half(names, np.zeros(len(names)), np.random.default_rng(seed))
        assert 0 < len(set(names[second].tolist())) < groups


def test_a_split_needs_two_groups():
    check_enough(["a", "b"], "holdout", "donor")
    for strategy, other in (("holdout", True), ("halves", False)):
        with pytest.raises(UserError, match="'a' with 3 cells") as refused:
            check_enough(["a"] * 3, strategy, "donor")
        assert ("use split=all" in str(refused.value)) == other


def test_a_digest_is_of_every_value_and_name_and_of_nothing_else():
    X = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.5, 3.0, 0.0]])
    cells = Cells(X, np.array(list("abc")), {"batch": np.array(["x", "y", "x"])}, {"counts": X})
    found = digest(cells)
    sparse = scipy.sparse.csr_matrix(X)
    stored = scipy.sparse.csr_matrix(
        (np.array([1.0, 0.0, 2.0, 0.5, 3.0]), [0, 1, 2, 0, 1], [0, 3, 3, 5])
    )
    turned = scipy.sparse.csr_matrix((np.array([2.0, 1.0, 3.0, 0.5]), [2, 0, 1, 0], [0, 2, 2, 4]))
    for same in (
        X.astype(np.float32),
        np.asfortranarray(X),
        sparse,
        stored,
        turned,
        sparse.tocsc(),
    ):
        assert digest(replace(cells, X=same)) == found
    moved = X.copy()
    moved[1, 1], moved[2, 1] = 3.0, 0.0
    below = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.5, 3.0, 0.0]])  # in another row
    others = [
        replace(cells, X=moved),
        replace(cells, X=below),
        replace(cells, X=X * 2),
        replace(cells, X=X[:, [1, 0, 2]]),
        replace(cells, var_names=np.array(list("abd"))),
        replace(cells, obs={"batch": np.array(["x", "y", "y"])}),
        replace(cells, obs={"other": np.array(["x", "y", "x"])}),
        replace(cells, layers={}),
        replace(cells, layers={"other": X}),
        replace(cells, layers={"counts": X * 2}),
    ]
    assert len({found, *map(digest, others)}) == 1 + len(others)


def test_a_group_is_held_out_only_where_that_comes_nearer_to_a_fifth():
    names = np.repeat(np.arange(7), [40, *[10] * 6])  # 40 of 100 is as far from 20 as none
    for seed in range(8):
        out = held_out(names, np.zeros(100), np.random.default_rng(seed))
        assert np.bincount(names[out], minlength=7)[0] == 0
        assert out.sum() == 20
