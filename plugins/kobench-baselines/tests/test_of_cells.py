"""What every predictor that starts from the cell's own profile must do.

It keeps the contract, and its promises on odd cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from kobench_baselines import common

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench.checks import CHECKS, assert_contract

Make = Callable[[], Any]
Fit = Callable[..., Any]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(make_of_cells: Make, check: str, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params[
        "make_of_cells"
    ]  # weights of networks are drawn, and ties of trees broken, column by column
    assert_contract(
        make_of_cells,
        only=[check],
        order_matters=name.startswith(("mlp", "gbm")),
        prior="a table" if "prior" in name else "",
    )


@pytest.fixture
def singles(cells: Cells) -> Knockouts:
    return Knockouts.singles(cells.assemblages()[:20])


def test_order_0_is_the_cells_own_profile(make_of_cells: Make, fit: Fit, cells: Cells) -> None:
    rows = fit(make_of_cells(), cells).predict_knockout(cells, Knockouts.none(len(cells)))
    np.testing.assert_allclose(rows, cells.profiles(), rtol=1e-12)


def test_absent_genes_stay_absent(
    make_of_cells: Make, fit: Fit, cells: Cells, singles: Knockouts
) -> None:
    rows = fit(make_of_cells(), cells).predict_knockout(cells, singles)
    assert (rows[~singles.remove_from(cells.assemblages())] == 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_several_genes_in_any_order(
    make_of_cells: Make, fit: Fit, cells: Cells, order: int
) -> None:
    predictor = fit(make_of_cells(), cells)
    on = cells.assemblages()[:30]
    asked = np.flatnonzero(on.sum(axis=1) > order)
    genes = np.array([np.flatnonzero(on[cell])[:order] for cell in asked])
    rows = predictor.predict_knockout(cells, Knockouts(genes, asked))
    backwards = predictor.predict_knockout(cells, Knockouts(genes[:, ::-1], asked))
    np.testing.assert_allclose(rows, backwards, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-9)
    assert (np.take_along_axis(rows, genes, axis=1) == 0).all()


def test_a_gene_named_twice_is_removed_once(
    make_of_cells: Make, fit: Fit, cells: Cells, singles: Knockouts
) -> None:
    predictor = fit(make_of_cells(), cells)
    twice = Knockouts(np.repeat(singles.genes, 2, axis=1), singles.cells)
    np.testing.assert_allclose(
        predictor.predict_knockout(cells, twice),
        predictor.predict_knockout(cells, singles),
        rtol=1e-9,
        atol=1e-12,
    )


def test_blocks_do_not_show(
    make_of_cells: Make, fit: Fit, cells: Cells, singles: Knockouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = fit(make_of_cells(), cells)
    whole = predictor.predict_knockout(cells, singles)
    monkeypatch.setattr(common, "BLOCK_ENTRIES", 7 * 12)
    np.testing.assert_allclose(
        predictor.predict_knockout(cells, singles), whole, rtol=1e-6, atol=1e-9
    )


def test_permuted_genes_give_permuted_answers(
    make_not_drawn: Make, fit: Fit, cells: Cells, singles: Knockouts
) -> None:
    rows = fit(make_not_drawn(), cells).predict_knockout(cells, singles)
    order = np.random.default_rng(3).permutation(12)
    other = Cells(cells.X[:, order], cells.var_names[order])
    moved = Knockouts(np.argsort(order)[singles.genes], singles.cells)
    np.testing.assert_allclose(
        fit(make_not_drawn(), other).predict_knockout(other, moved),
        rows[:, order],
        rtol=1e-3,
        atol=1e-5,
    )


def test_sparse_and_dense_cells_are_the_same(
    make_of_cells: Make, fit: Fit, cells: Cells, singles: Knockouts
) -> None:
    sparse = Cells(scipy.sparse.csr_matrix(cells.X), cells.var_names)
    answers = [
        fit(make_of_cells(), given).predict_knockout(given, singles) for given in (cells, sparse)
    ]
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6])
def test_few_cells(make_of_cells: Make, fit: Fit, cells: Cells, singles: Knockouts, n: int) -> None:
    rows = fit(make_of_cells(), cells[:n]).predict_knockout(cells, singles)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-9)


def test_genes_never_on_always_on_and_cells_without_expression(
    make_of_cells: Make, fit: Fit, cells: Cells
) -> None:
    X = cells.X.copy()
    X[:, 5] = 0
    X[:, 6] = 2
    X[7] = 0
    predictor = fit(make_of_cells(), Cells(X, cells.var_names))
    X[:, 5] = 1
    asked = Cells(X[:7], cells.var_names)
    for gene in (5, 6):
        rows = predictor.predict_knockout(asked, Knockouts(np.full((7, 1), gene), np.arange(7)))
        np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-9)
        assert np.isfinite(rows).all()


def test_nothing_to_learn_from_is_said(make_of_cells: Make, fit: Fit, cells: Cells) -> None:
    with pytest.raises(ValueError, match="none of the 160 training cells expresses a gene"):
        fit(make_of_cells(), Cells(cells.X * 0, cells.var_names))


def test_nothing_asked(make_of_cells: Make, fit: Fit, cells: Cells) -> None:
    assert fit(make_of_cells(), cells).predict_knockout(
        cells, Knockouts(np.zeros((0, 1)), np.zeros(0))
    ).shape == (0, 12)


def test_threads_are_a_setting(make_of_cells: Make, cells: Cells, singles: Knockouts) -> None:
    predictor = make_of_cells()
    predictor.fit(cells, Context(threads=2, device="cpu"))
    np.testing.assert_allclose(predictor.predict_knockout(cells, singles).sum(axis=1), 1, rtol=1e-9)


def test_close_on_falls_back_to_the_null() -> None:
    null = normalise_rows(np.array([[1.0, 3.0], [1.0, 1.0]]))
    np.testing.assert_array_equal(
        common.close_on(np.array([[0.0, 0.0], [1.0, 3.0]]), null), [[0.25, 0.75], [0.25, 0.75]]
    )


def test_sets_of_genes_by_hand() -> None:
    knockouts = Knockouts(np.array([[3, 1], [2, 2], [1, 3]]), np.arange(5, 8))
    found = [tuple(part.tolist() for part in parts) for parts in common.sets_of_genes(knockouts)]
    assert found == [([1, 3], [0, 2], [5, 7]), ([2], [1], [6])]
    assert list(common.sets_of_genes(Knockouts.none(2))) == []
