"""Normalisation, choice of genes, splits and the digest, by hand and against scanpy."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from kobench.cells import Cells
from kobench.datasets.digest import digest
from kobench.datasets.matrices import tidy
from kobench.datasets.normalise import choose_genes, normalise, zeros
from kobench.datasets.split import split
from kobench.errors import UserError

COUNTS = np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0], [2.0, 2.0, 4.0]])

# Row 0: 10,000 / 4 a count; row 1 has none; row 2: 10,000 / 8 a count.
BY_HAND = [
    [math.log(2501.0), math.log(7501.0), 0.0],
    [0.0, 0.0, 0.0],
    [math.log(2501.0), math.log(2501.0), math.log(5001.0)],
]


@pytest.mark.parametrize(
    "form", [np.asarray, scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.csr_array]
)
def test_normalise_by_hand(form: Callable[..., object]) -> None:
    result = normalise(form(COUNTS))
    assert scipy.sparse.issparse(result) == scipy.sparse.issparse(form(COUNTS))
    assert result.dtype == np.float32
    np.testing.assert_allclose(
        result.toarray() if scipy.sparse.issparse(result) else result, BY_HAND, rtol=1e-6
    )


def test_normalise_takes_the_totals_of_the_whole_source() -> None:
    totals = [10_000, 7, 20_000]  # a file that keeps some genes: a row's total exceeds its sum
    expected = [[math.log(2), math.log(4), 0], [0, 0, 0], [math.log(2), math.log(2), math.log(3)]]
    np.testing.assert_allclose(normalise(COUNTS, totals), expected, rtol=1e-6)
    np.testing.assert_allclose(
        normalise(scipy.sparse.csr_matrix(COUNTS), totals).toarray(), expected, rtol=1e-6
    )


@pytest.mark.parametrize(
    "totals", [[4, 1], [4, 1, 0], [4, 1, np.nan], [4, 1, np.inf], [-4, 1, 8], [[4], [1], [8]]]
)
def test_normalise_refuses_impossible_totals(totals: list[float]) -> None:
    with pytest.raises(ValueError, match="totals"):
        normalise(COUNTS, totals)


def test_normalise_leaves_its_input_alone() -> None:
    counts = scipy.sparse.csr_matrix(COUNTS)
    before = counts.copy()
    result = normalise(counts)
    result.data[:] = -1
    assert (counts != before).nnz == 0
    assert not np.shares_memory(result.indices, counts.indices)


@pytest.mark.parametrize("sparse", [False, True])
def test_normalise_agrees_with_scanpy(sparse: bool) -> None:
    scanpy = pytest.importorskip("scanpy")
    anndata = pytest.importorskip("anndata")
    counts = np.random.default_rng(0).poisson(0.7, (40, 25)).astype(np.float32)
    counts[3] = 0
    adata = anndata.AnnData(scipy.sparse.csr_matrix(counts) if sparse else counts.copy())
    scanpy.pp.normalize_total(adata, target_sum=1e4)
    scanpy.pp.log1p(adata)
    theirs = adata.X.toarray() if sparse else adata.X
    ours = normalise(scipy.sparse.csr_matrix(counts) if sparse else counts)
    np.testing.assert_allclose(ours.toarray() if sparse else ours, theirs, rtol=1e-5, atol=0)


def test_choose_genes_by_hand() -> None:
    wild_type = np.array(
        [[1, 0, 5, 0, 1], [1, 0, 0, 0, 1], [1, 0, 5, 0, 0]]
    )  # seen in 3, 0, 2, 0, 2 cells
    assert choose_genes(wild_type).tolist() == [True, False, True, False, True]
    assert choose_genes(wild_type, 2).tolist() == [
        True,
        False,
        True,
        False,
        False,
    ]  # the tie goes to the earlier column
    assert choose_genes(wild_type, 1).tolist() == [True, False, False, False, False]
    assert choose_genes(wild_type, 99).tolist() == [True, False, True, False, True]
    # perturbed genes stay, seen or not, and count among the number asked for
    assert choose_genes(wild_type, 2, [3]).tolist() == [True, False, False, True, False]
    assert choose_genes(wild_type, 1, [3, 4]).tolist() == [False, False, False, True, True]
    assert choose_genes(wild_type, 0, [3]).tolist() == [True, False, True, True, True]
    assert np.array_equal(
        choose_genes(scipy.sparse.csr_matrix(wild_type), 2, [3]), choose_genes(wild_type, 2, [3])
    )


@pytest.mark.parametrize(
    ("n", "asked"), [(3, 1), (5, 1), (7, 1), (8, 2), (10, 2), (12, 2), (13, 3), (1000, 200)]
)
def test_holdout_asks_a_fifth(n: int, asked: int) -> None:
    train, held_out = split(n, seed=1)
    assert len(held_out) == asked
    assert np.array_equal(np.sort(np.concatenate([train, held_out])), np.arange(n))
    assert np.array_equal(train, np.sort(train))
    assert np.array_equal(held_out, np.sort(held_out))


@given(st.lists(st.sampled_from("abcd"), min_size=3, max_size=120), st.integers(0, 50))
def test_every_batch_gives_its_share_to_the_nearest_cell(batch: list[str], seed: int) -> None:
    train, asked = split(len(batch), seed=seed, batch=batch)
    labels = np.array(batch)
    assert len(asked) == round(len(batch) / 5)
    assert len(np.intersect1d(train, asked)) == 0
    assert len(train) + len(asked) == len(batch)
    for name in np.unique(labels):
        share = np.sum(labels == name) * len(asked) / len(batch)
        assert abs(np.sum(labels[asked] == name) - share) < 1


def test_largest_remainders_by_hand() -> None:
    batch = ["a"] * 7 + ["b"] * 4 + ["c"] * 9  # 4 of 20 are asked: shares 1.4, 0.8, 1.8
    _, asked = split(20, seed=3, batch=batch)
    assert [int(np.sum(np.array(batch)[asked] == name)) for name in "abc"] == [1, 1, 2]


def test_splits_are_deterministic_and_differ_between_seeds() -> None:
    batch = np.arange(100) % 3
    assert np.array_equal(split(100, seed=5, batch=batch)[1], split(100, seed=5, batch=batch)[1])
    assert len({tuple(split(100, seed=seed, batch=batch)[1]) for seed in range(10)}) == 10
    counts = np.bincount(
        np.concatenate([split(50, seed=seed)[1] for seed in range(400)]), minlength=50
    )
    assert counts.min() > 40  # each cell is asked in about 80 of 400 seeds (standard deviation 8)
    assert counts.max() < 120


def test_split_all_and_refusals() -> None:
    train, asked = split(4, "all", batch=None)
    assert train.tolist() == asked.tolist() == [0, 1, 2, 3]
    with pytest.raises(UserError, match="choose one of holdout, all"):
        split(10, "cell-type")
    with pytest.raises(UserError, match="at least 3"):
        split(2)
    with pytest.raises(ValueError, match="batch has shape"):
        split(10, batch=["a"])


def test_digest_depends_on_content_only(tiny_cells: Callable[..., Cells]) -> None:
    cells = tiny_cells()
    X = cells.dense()
    dirty = scipy.sparse.coo_matrix(
        (
            np.r_[X[0, 0], X[X > 0], 0.0],
            (np.r_[0, np.nonzero(X)[0], 2], np.r_[0, np.nonzero(X)[1], 1]),
        ),
        X.shape,
    )
    dirty.data[0] = 0.0  # a stored zero beside the true value of the same place
    forms = [
        X,
        np.asfortranarray(X),
        X.astype(np.float64),
        scipy.sparse.csr_matrix(X),
        scipy.sparse.csc_array(X),
        dirty,
        np.ascontiguousarray(X[::-1])[::-1],
    ]
    assert {
        digest(Cells(form, cells.var_names, dict(reversed(cells.obs.items())))) for form in forms
    } == {digest(cells)}


def test_digest_sees_every_change(tiny_cells: Callable[..., Cells]) -> None:
    cells = tiny_cells()
    X = cells.dense()
    other = X.copy()
    other[4, 4] += 1e-6
    swapped = cells.var_names.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    moved = {**cells.obs, "batch": np.roll(cells.obs["batch"], 1)}
    variants = [
        cells,
        Cells(other, cells.var_names, cells.obs),
        Cells(X, swapped, cells.obs),
        Cells(X, cells.var_names, moved),
        Cells(X, cells.var_names),
        Cells(X, cells.var_names, cells.obs, {"counts": X}),
        Cells(X, cells.var_names, cells.obs, {"counts": other}),
        Cells(X, cells.var_names, cells.obs, {"other": X}),
        cells[::-1],
        cells[:29],
        tiny_cells(seed=1),
    ]
    assert len({digest(variant) for variant in variants}) == len(variants)


def test_digest_is_fixed() -> None:
    """A changed digest makes every published record look as if its data had changed.

    Raise the contract then.
    """
    cells = Cells(
        np.array([[0.5, 0.0], [0.0, 2.0]]), np.array(["a", "b"]), {"batch": np.array(["x", "y"])}
    )
    head = b'{"layers": [], "obs": {"batch": ["x", "y"]}, "shape": [2, 2], "var_names": ["a", "b"]}'
    body = (
        struct.pack("<2q", 1, 1) + struct.pack("<2q", 0, 1) + struct.pack("<2d", 0.5, 2.0)
    )  # lengths, columns, values
    assert (
        digest(cells)
        == hashlib.sha256(head + body).hexdigest()
        == "7beb440c56d6e88dc7f69a34a7b097b35d989b6782ae9aca373f20c4b8ef6cde"
    )


def test_tidy_and_zeros() -> None:
    stored_zero = scipy.sparse.csr_matrix(
        (np.array([1.0, 0.0, 2.0]), (np.array([0, 0, 1]), np.array([1, 0, 0]))), (2, 2)
    )
    assert stored_zero.nnz == 3
    tidied = tidy(stored_zero)
    assert tidied.nnz == 2
    assert stored_zero.nnz == 3  # the caller's matrix is left alone
    assert tidy(tidied) is tidied
    assert zeros(tidied) == 0.5
    assert zeros(np.array([[0.0, 0.0, 1.0]])) == 0.6667
