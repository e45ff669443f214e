"""The predictor: its own part without arboreto, and the contract with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench.api import Cells, Context, Knockouts
from kobench.checks import CHECKS, assert_contract

from kobench_grnboost2.grnboost2 import GRNBoost2
from kobench_grnboost2.plugin import kobench_predictors


def with_network(weights: Any, **params: Any) -> GRNBoost2:
    """A predictor as if fitted, with these coefficients."""
    predictor = GRNBoost2(**params)
    predictor.weights, predictor.threads = np.array(weights), 1
    return predictor


def test_response_and_score_by_hand() -> None:
    """a falls by 3 (the mean of 4 and 2), b by 1.5 and c by 3.

    The length without a itself is sqrt(1.5^2 + 3^2).
    """
    pytest.importorskip("threadpoolctl")
    predictor = with_network([[0, 0.5, 0], [0, 0, 2], [0, 0, 0]], steps=2)
    cells = Cells(
        np.array([[4.0, 10, 10], [0, 10, 10], [2, 10, 10]], np.float32), np.array(["a", "b", "c"])
    )
    np.testing.assert_allclose(
        predictor.predict_response(cells, Knockouts(np.array([[0], [2]]))),
        [[-3, -1.5, -3], [0, 0, -10]],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        predictor.score_genes(cells, np.array([2, 0])), [0, np.sqrt(11.25)], rtol=1e-6
    )
    np.testing.assert_allclose(
        predictor.predict_response(cells, Knockouts(np.array([[0, 1]]))),
        [[-3, -10, -10]],
        rtol=1e-6,
    )
    assert (
        predictor.predict_response(cells, Knockouts(np.empty((2, 0), np.int32))).tolist()
        == [[0.0] * 3] * 2
    )


def test_only_regulators_can_be_removed() -> None:
    names = np.array(["a", "b", "c"])
    assert GRNBoost2().supports(names).tolist() == [True] * 3
    assert GRNBoost2(regulators=["c", "x"]).supports(names).tolist() == [False, False, True]


@pytest.mark.parametrize("regulators", ["SOX2", []])
def test_regulators_must_be_a_list_of_names(regulators: Any) -> None:
    with pytest.raises(ValueError, match="expected a list of gene names"):
        GRNBoost2(regulators=regulators)


def test_unknown_regulators_are_an_error() -> None:
    pytest.importorskip("threadpoolctl")
    cells = Cells(np.ones((3, 2)), np.array(["a", "b"]))
    with pytest.raises(
        ValueError, match=r"none of the regulators \(x, \.\.\.\) is among the 2 genes"
    ):
        GRNBoost2(regulators=["x"]).fit(cells, Context())


def test_spec_offers_what_the_class_takes() -> None:
    (spec,) = kobench_predictors()
    assert spec.response == "direction"
    predictor = GRNBoost2(**{name: param.default for name, param in spec.params.items()})
    assert vars(predictor) == vars(GRNBoost2())


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str) -> None:
    pytest.importorskip("arboreto.core", reason="arboreto is not installed")
    (spec,) = kobench_predictors()
    assert_contract(GRNBoost2, only=[check], order_matters=spec.order_matters)


def planted(n: int = 200) -> Cells:
    """a drives b (up) and c (down); d and e are their own, f never varies."""
    rng = np.random.default_rng(3)
    a, d, e = rng.gamma(4.0, 1.0, (3, n))
    X = np.column_stack(
        [
            a,
            2 * a + rng.normal(0, 0.1, n) + 1,
            20 - a + rng.normal(0, 0.1, n),
            d,
            e,
            np.full(n, 3.0),
        ]
    )
    return Cells(X.clip(0).astype(np.float32), np.array(list("abcdef")))


def test_planted_network() -> None:
    """The links into b and c come from a; removing a lowers b, raises c, hardly moves d and e."""
    pytest.importorskip("arboreto.core", reason="arboreto is not installed")
    cells = planted()
    predictor = GRNBoost2(regulators=["a", "d", "e"], top_regulators=1)
    predictor.fit(cells, Context(seed=1))
    weights = predictor.weights.toarray()
    assert np.flatnonzero(weights[:, 1]).tolist() == [0]
    assert np.flatnonzero(weights[:, 2]).tolist() == [0]
    assert not weights[:, 5].any()
    change = predictor.predict_response(cells, Knockouts(np.array([[0]])))[0]
    assert change[1] < -4
    assert change[2] > 2
    assert np.abs(change[3:]).max() < 1


def test_what_is_left_unasked_arboreto_answers_so_too() -> None:
    """A gene that never varies: no link."""
    core = pytest.importorskip("arboreto.core", reason="arboreto is not installed")
    cells = planted(40)
    found, fitted = core.infer_partial_network(
        "GBM",
        core.SGBM_KWARGS,
        cells.X,
        list("abcdef"),
        "f",
        cells.X[:, 5],
        include_meta=True,
        seed=0,
    )
    assert len(found) == 0
    assert len(fitted) == 1
