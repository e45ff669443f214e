"""What every model of profiles must do: the contract, and its own promises on odd cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from kobench_baselines import common

from kobench.api import Cells, Context, bray_curtis, normalise_rows
from kobench.checks import CHECKS, assert_contract

Make = Callable[[], Any]
Fit = Callable[..., Any]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(make: Make, check: str, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params[
        "make"
    ]  # weights of networks are drawn, and ties of trees broken, column by column
    assert_contract(make, only=[check], order_matters=name.startswith(("mlp", "gbm")))


def masked_mean(train: Cells, on: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shares = train.profiles()
    return normalise_rows(on * shares.sum(0) / np.maximum((shares > 0).sum(0), 1))


def test_beats_the_masked_mean_where_there_is_structure(make: Make, fit: Fit, cells: Cells) -> None:
    train, asked = cells[:120], cells[120:]
    floor = bray_curtis(masked_mean(train, asked.assemblages()), asked.profiles()).mean()
    answer = fit(make(), train).predict_expression(asked.assemblages())
    assert bray_curtis(answer, asked.profiles()).mean() < 0.95 * floor


def test_rows_are_profiles_on_the_asked_genes(make: Make, fit: Fit, cells: Cells) -> None:
    on = np.random.default_rng(1).random((50, 12)) < 0.4
    on[:, 3] |= ~on.any(axis=1)
    answer = fit(make(), cells).predict_expression(on)
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-9)
    assert (answer[~on] == 0).all()
    assert (answer >= 0).all()


def test_same_seed_same_bytes(make: Make, fit: Fit, cells: Cells) -> None:
    first, second = (
        fit(make(), cells, seed=3).predict_expression(cells.assemblages()) for _ in range(2)
    )
    assert first.tobytes() == second.tobytes()


def test_global_random_state_has_no_part(make: Make, fit: Fit, cells: Cells) -> None:
    answers = []
    for state in (0, 1):
        np.random.seed(state)  # noqa: NPY002 - the point of the test
        torch.manual_seed(state)
        answers.append(fit(make(), cells).predict_expression(cells.assemblages()).tobytes())
    assert answers[0] == answers[1]


def test_permuted_rows_give_permuted_answers(make: Make, fit: Fit, cells: Cells) -> None:
    predictor, on = fit(make(), cells), cells.assemblages()
    order = np.random.default_rng(2).permutation(len(on))
    np.testing.assert_allclose(
        predictor.predict_expression(on[order]), predictor.predict_expression(on)[order], rtol=1e-6
    )


def test_blocks_do_not_show(
    make: Make, fit: Fit, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, on = fit(make(), cells), cells.assemblages()
    whole = predictor.predict_expression(on)
    monkeypatch.setattr(common, "BLOCK_ENTRIES", 7 * 12)
    np.testing.assert_allclose(predictor.predict_expression(on), whole, rtol=1e-6)


def test_sparse_and_dense_cells_are_the_same(make: Make, fit: Fit, cells: Cells) -> None:
    sparse = Cells(scipy.sparse.csr_matrix(cells.X), cells.var_names)
    answers = [
        fit(make(), given).predict_expression(cells.assemblages()) for given in (cells, sparse)
    ]
    np.testing.assert_array_equal(*answers)


def test_scale_of_a_cell_has_no_part(make: Make, fit: Fit, cells: Cells) -> None:
    scaled = Cells(
        cells.X * np.where(np.arange(len(cells)) % 2, 4, 1)[:, None].astype(np.float32),
        cells.var_names,
    )
    answers = [
        fit(make(), given).predict_expression(cells.assemblages()) for given in (cells, scaled)
    ]
    np.testing.assert_allclose(*answers, rtol=1e-4, atol=1e-7)


def test_genes_never_on_and_cells_without_expression(make: Make, fit: Fit, cells: Cells) -> None:
    X = cells.X.copy()
    X[:, 5] = 0
    X[7] = 0
    predictor = fit(make(), Cells(X, cells.var_names))
    on = cells.assemblages() | (np.arange(12) == 5)
    answer = predictor.predict_expression(on)
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-9)
    assert (answer[:, 5] > 0).all()


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6])
def test_few_cells(make: Make, fit: Fit, cells: Cells, n: int) -> None:
    answer = fit(make(), cells[:n]).predict_expression(cells.assemblages())
    assert np.isfinite(answer).all()
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-9)


def test_one_gene_on(make: Make, fit: Fit, cells: Cells) -> None:
    np.testing.assert_allclose(
        fit(make(), cells).predict_expression(np.eye(12, dtype=bool)), np.eye(12), rtol=1e-9
    )


def test_one_gene_in_all(make: Make, fit: Fit) -> None:
    alone = Cells(np.arange(1, 21, dtype=np.float32)[:, None], np.array(["g0"]))
    np.testing.assert_array_equal(
        fit(make(), alone).predict_expression(np.ones((3, 1), bool)), np.ones((3, 1))
    )


def test_cells_that_all_have_all_genes(make: Make, fit: Fit) -> None:
    rng = np.random.default_rng(0)
    full = Cells(rng.uniform(1, 2, (30, 6)).astype(np.float32), np.array(list("abcdef")))
    on = ~np.eye(6, dtype=bool)
    answer = fit(make(), full).predict_expression(on)
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-9)
    assert (answer[on] > 0).all()


def test_an_empty_assemblage_stays_empty(make: Make, fit: Fit, cells: Cells) -> None:
    assert (fit(make(), cells).predict_expression(np.zeros((2, 12), bool)) == 0).all()


def test_nothing_asked(make: Make, fit: Fit, cells: Cells) -> None:
    assert fit(make(), cells).predict_expression(np.zeros((0, 12), bool)).shape == (0, 12)


def test_wrong_number_of_genes_is_named(make: Make, fit: Fit, cells: Cells) -> None:
    with pytest.raises(ValueError, match=r"\(3, 11\); expected \(n, 12\)"):
        fit(make(), cells).predict_expression(np.ones((3, 11), bool))


def test_nothing_to_learn_from_is_said(make: Make, fit: Fit, cells: Cells) -> None:
    with pytest.raises(ValueError, match="none of the 160 training cells expresses a gene"):
        fit(make(), Cells(cells.X * 0, cells.var_names))


def test_progress_is_reported(make: Make, cells: Cells) -> None:
    seen: list[tuple[str, int, int]] = []
    make().fit(cells, Context(device="cpu", report=lambda *said: seen.append(said)))
    assert seen
    assert all(0 <= done <= total for _, done, total in seen)
