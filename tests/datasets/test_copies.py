"""Copies of a cell stay on one side of every split, and are told of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.copies import copies, first_equal
from kobench.datasets.notes import notes_on
from kobench.datasets.split import rows_of, split
from kobench.datasets.validate import validate
from kobench.truth.transfer import ask_transfers


def cells_twice(n: int = 60, kind: str = "real", groups: bool = False) -> Dataset:
    """n cells, and the same n again."""
    rng = np.random.default_rng(4)
    X = np.log1p(rng.poisson(2.0, (n, 12)).astype(np.float32)) + np.float32(0.1) * (
        rng.random((n, 12)) < 0.5
    )
    twice = np.concatenate([X, X])
    obs = {"type": np.array(["a"] * n + ["b"] * n)} if groups else {}
    cells = Cells(twice, np.array([f"g{i}" for i in range(12)]), obs)
    return Dataset(cells=cells, scale="linear", kind=kind, cell_type_key="type" if groups else None)


@pytest.mark.parametrize("make", [np.asarray, scipy.sparse.csr_matrix, scipy.sparse.csc_matrix])
def test_equal_rows_by_hand(make):
    X = make(np.array([[1, 0, 2], [0, 1, 2], [1, 0, 2], [1, 2, 0], [0, 1, 2]], float))
    assert first_equal(X).tolist() == [0, 1, 0, 3, 1]
    assert copies(first_equal(X)) == 2
    stored_zero = scipy.sparse.csr_matrix(
        (np.array([1.0, 0.0, 1.0]), np.array([0, 1, 0]), np.array([0, 2, 3])), shape=(2, 2)
    )
    assert first_equal(stored_zero).tolist() == [0, 0]


@pytest.mark.parametrize("strategy", ["holdout", "halves"])
@pytest.mark.parametrize("seed", range(5))
def test_a_split_keeps_copies_together(strategy, seed):
    dataset = cells_twice()
    first = first_equal(dataset.cells.X)
    train, asked = rows_of(dataset, strategy, seed)
    assert not set(first[train]) & set(first[asked])
    assert sorted([*train, *asked]) == list(range(120))
    assert len(asked) == (24 if strategy == "holdout" else 60)
    loose = split(120, strategy, seed)
    assert set(first[loose[0]]) & set(first[loose[1]])  # what a memory of the cells would win by


def test_without_copies_a_split_is_what_it_was():
    batch = np.arange(50) % 3
    for strategy in ("holdout", "halves", "all"):
        given = split(50, strategy, 7, batch, np.arange(50))
        for ours, before in zip(given, split(50, strategy, 7, batch), strict=True):
            assert_array_equal(ours, before)


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_gives_its_share_of_the_cells_that_are_no_copies(seed):
    # six times the same cell and four others in batch "a", five in batch "b": five and five
    first = np.array([0, 0, 0, 0, 0, 0, *range(6, 15)])
    batch = np.array(["a"] * 10 + ["b"] * 5)
    train, asked = split(15, "holdout", seed, batch, first)
    assert sorted(batch[np.unique(first[asked])]) == ["a", "b"]  # a fifth of ten
    assert sorted(batch[np.unique(first[train])]) == ["a"] * 4 + ["b"] * 4
    for half in split(15, "halves", seed, batch, first):
        shares = np.unique(batch[np.unique(first[half])], return_counts=True)[1]
        assert sorted(shares) == [2, 3]


def test_a_transfer_asks_no_copy_of_a_training_cell():
    dataset = cells_twice(groups=True)
    labels = dataset.cells.obs["type"]
    first = first_equal(dataset.cells.X)
    found = ask_transfers(dataset, labels, ("a", "b"), "a", 0)
    simulated = dataclasses.replace(dataset, kind="simulated")
    before = ask_transfers(simulated, labels, ("a", "b"), "a", 0)
    assert len(found.rows) < len(before.rows)
    trained = set(range(120)) - set(before.rows)  # 60 cells of each are enough for both
    assert not set(first[found.rows]) & {int(first[row]) for row in trained}


def test_copies_are_told_of_once():
    dataset = validate(cells_twice(), "twice")
    (said,) = dataset.notes
    assert said == (
        "60 of 120 wild-type cells are exact copies of another; copies are kept on one side of a"
        " split"
    )
    assert validate(dataset, "twice").notes == (said,)
    assert not notes_on(cells_twice(kind="simulated"))


@pytest.mark.parametrize(
    ("zeros", "words"), [(0, "never varies: 0.0%"), (3, "hardly varies: 0.2%")]
)
def test_presence_that_hardly_varies_is_told_of(zeros, words):
    X = np.random.default_rng(1).random((120, 12)) + 0.1
    X.ravel()[:zeros] = 0
    cells = Cells(X, np.array([f"g{i}" for i in range(12)]))
    (said,) = notes_on(Dataset(cells=cells, scale="linear", kind="real"))
    assert said.startswith(f"presence {words} of the entries of wild-type cells are zero")
    X[:30, 0] = 0  # 2 %
    assert not notes_on(Dataset(cells=Cells(X, cells.var_names), scale="linear", kind="real"))
