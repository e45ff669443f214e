"""Boosted trees: by hand, against scikit-learn, what gets trees, features, stopping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost
from kobench_baselines import gbm
from kobench_baselines.common import Table, log_detected
from kobench_baselines.gbm import GBM, DepthBase, Features, depth_helps
from kobench_baselines.linear import Linear
from sklearn.linear_model import LinearRegression

from kobench.api import Cells, Context, bray_curtis, normalise_rows


def test_depth_slopes_are_least_squares(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gbm, "SLOPE_PRIOR", 0.0)
    table = Table.of(cells)
    residuals = table.relative_residuals(table.mean_share())
    base = DepthBase.of(table, residuals)
    for gene in range(12):
        rows = table.on[:, gene]
        line = LinearRegression().fit(log_detected(table.on)[rows, None], residuals[rows, gene])
        np.testing.assert_allclose(base.slope[gene], line.coef_[0], rtol=1e-9)
        np.testing.assert_allclose(base.depth[gene], log_detected(table.on)[rows].mean())
        np.testing.assert_allclose(base.level[gene], residuals[rows, gene].sum() / (rows.sum() + 1))


def test_depth_base_by_hand() -> None:
    base = DepthBase(np.array([0.5, 0.0]), np.array([2.0, -1.0]), np.array([np.log(2), 0.0]))
    np.testing.assert_allclose(base(np.array([[True, True]])), [[0.5, -np.log(2)]])


def test_one_tree_by_hand() -> None:
    """Gene a's relative residual depends on b alone: +d with b, -d without.

    Lambda 1 and shrinkage 1/2 on n cells a side.

    A leaf is shrinkage * sum of residuals / (cells + 1), over the cells that have a only.
    """
    n = 30
    with_b, without = [[3.0, 1.0, 1.0]] * n, [[1.0, 0.0, 1.0]] * n
    cells = Cells(
        np.array([*with_b, *without, *[[0.0, 1.0, 1.0]] * n], np.float32), np.array(["a", "b", "c"])
    )
    predictor = GBM(rounds=1, depth=1, lr=0.5, genes=3)
    predictor.context = Context(device="cpu")
    table = Table.of(cells)
    predictor.columns = 1.0  # with half of the columns a node the split may fall on depth
    predictor._prepare(table, corrected=False)
    predictor._round()
    margins = predictor._margins(xgboost.DMatrix(predictor.features(table.on)), 0, 1)
    a = list(predictor.boosted).index(0)
    residual = table.relative_residuals(table.mean_share())[:, 0]
    np.testing.assert_allclose(margins[:n, a], 0.5 * residual[:n].sum() / (n + 1), rtol=1e-5)
    np.testing.assert_allclose(
        margins[n : 2 * n, a], 0.5 * residual[n : 2 * n].sum() / (n + 1), rtol=1e-5
    )


def test_absent_genes_teach_nothing(cells: Cells, fit: Any) -> None:
    """Trees of gene j are the same whatever is said of it in cells without it.

    The loss has no weight there.
    """
    predictors = []
    for junk in (0.0, 50.0):
        predictor = GBM(rounds=5, genes=12)
        predictor.context = Context(device="cpu")
        table = Table.of(cells)
        predictor._prepare(table, corrected=False)
        predictor._target = np.where(predictor._on > 0, predictor._target, junk).astype(np.float32)
        for _ in range(5):
            predictor._round()
        predictors.append(predictor)
    np.testing.assert_array_equal(
        *(predictor._predict(cells.assemblages()) for predictor in predictors)
    )


def test_rare_genes_and_genes_over_the_limit_get_no_trees(cells: Cells, fit: Any) -> None:
    X = cells.X.copy()
    X[9:, 4] = 0
    assert 4 not in fit(GBM(rounds=4), Cells(X, cells.var_names)).boosted
    assert len(fit(GBM(rounds=4, targets=5), cells).boosted) == 5


def test_features_with_all_genes_have_no_components(cells: Cells) -> None:
    table = Table.of(cells)
    features = Features.of(table, table.relative_residuals(table.mean_share()), 12, 4)
    values = features(table.on)
    assert values.shape == (len(cells), 13)
    np.testing.assert_array_equal(values[:, :12], table.on)
    np.testing.assert_allclose(values[:, 12], np.log(table.on.sum(1)), rtol=1e-6)


def test_features_choose_what_explains(cells: Cells) -> None:
    table = Table.of(cells)
    unexplained = np.zeros(table.on.shape)
    unexplained[:, 2] = table.on[:, 7] - table.on[:, 7].mean()
    features = Features.of(table, unexplained, 1, 4)
    assert features.genes.tolist() == [7]
    scores = features(table.on)[:, 2:]
    assert scores.shape[1] == 4
    reference = np.linalg.svd(table.on - table.on.mean(0), full_matrices=False)
    np.testing.assert_allclose(
        np.abs(scores), np.abs(reference[0][:, :4] * reference[1][:4]), atol=1e-4
    )


def test_trees_stop_where_nothing_can_be_learned(fit: Any) -> None:
    rng = np.random.default_rng(0)
    X = (rng.random((60, 20)) < 0.5) * rng.lognormal(0, 1, (60, 20))
    assert (
        fit(
            GBM(), Cells(X.astype(np.float32), np.array([f"g{gene}" for gene in range(20)]))
        ).chosen_rounds
        < 12
    )


def test_an_interaction_is_learned_that_no_linear_model_can(fit: Any) -> None:
    """Gene c is at four times its level where exactly one of a and b is on."""
    rng = np.random.default_rng(0)
    on = rng.random((400, 6)) < 0.5
    on[:, 5] = True
    level = np.ones(on.shape)
    level[:, 2] = np.where(on[:, 0] ^ on[:, 1], 4, 1)
    cells = Cells((on * level).astype(np.float32), np.array(list("abcdef")))
    train, asked = cells[:300], cells[300:]
    errors = [
        bray_curtis(
            fit(predictor, train).predict_expression(asked.assemblages()), asked.profiles()
        ).mean()
        for predictor in (GBM(depth=3), Linear())
    ]
    assert errors[0] < 0.5 * errors[1]


def test_depth_helps_where_it_does() -> None:
    """Gene a holds a share of 1/2 however many others share the rest.

    The masked mean's share of it falls with their number.
    """
    rng = np.random.default_rng(0)
    on = rng.random((200, 20)) < rng.uniform(0.1, 1, 200)[:, None]
    on[:, :2] = True
    shares = normalise_rows(on[:, 1:].astype(float)) / 2
    table = Table(on, np.hstack([np.full((200, 1), 0.5), shares]))
    assert depth_helps(table[np.arange(150)], table[np.arange(150, 200)])


def test_depth_does_not_help_where_shares_follow_the_mean() -> None:
    rng = np.random.default_rng(1)
    on = rng.random((20, 15)) < 0.5
    on[:, 0] = True
    table = Table(on, normalise_rows(on * rng.lognormal(0, 1, on.shape)))
    assert not depth_helps(table[np.arange(10)], table[np.arange(10, 20)])
