"""The predictor: the contract, and the package's own function as its twin."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kobench.api import Cells, Context, Knockouts
from kobench.checks import CHECKS, assert_contract

from kobench_sctenifold.containment import seeded_eigs
from kobench_sctenifold.plugin import kobench_predictors
from kobench_sctenifold.sctenifoldknk import ScTenifoldKnk


@pytest.fixture
def package() -> Any:
    return pytest.importorskip("scTenifold", reason="scTenifoldpy is not installed")


def draw(n: int = 120, genes: int = 40) -> Cells:
    """Counts of genes that share three factors; the last gene is in 2 of the cells only."""
    rng = np.random.default_rng(8)
    factors = rng.gamma(3.0, 1.0, (n, 3)) @ rng.gamma(0.5, 1.0, (3, genes))
    X = rng.poisson(factors + 0.5).astype(np.float32)
    X[:, -1] = 0
    X[:2, -1] = 3
    return Cells(X, np.array([f"g{gene}" for gene in range(genes)]))


def fitted(cells: Cells, scale: str = "counts", **params: Any) -> ScTenifoldKnk:
    predictor = ScTenifoldKnk(**params)
    predictor.fit(cells, Context(seed=4, scale=scale))
    return predictor


def test_spec_offers_what_the_class_takes() -> None:
    (spec,) = kobench_predictors()
    assert spec.response == "affected"
    predictor = ScTenifoldKnk(**{name: param.default for name, param in spec.params.items()})
    assert vars(predictor) == vars(ScTenifoldKnk())


def test_defaults_are_the_packages_own_but_for_the_library_size(package: Any) -> None:
    (spec,) = kobench_predictors()
    pipeline = package.scTenifoldKnk
    mine = {name: param.default for name, param in spec.params.items()}
    mine["K"], mine["d"] = mine.pop("rank"), mine.pop("dimensions")
    theirs = {
        name: value
        for step in ("qc_kws", "nc_kws", "td_kws", "ma_kws")
        for name, value in pipeline.list_kws(step).items()
    }
    theirs["strict_lambda"] = pipeline.get_empty_config()["strict_lambda"]
    assert {name for name, value in mine.items() if theirs[name] != value} == {"min_lib_size"}
    assert pipeline.list_kws("td_kws")["n_decimal"] == 3


@pytest.mark.parametrize("check", CHECKS)
def test_contract(package: Any, check: str) -> None:
    (spec,) = kobench_predictors()
    assert_contract(ScTenifoldKnk, only=[check], order_matters=spec.order_matters)


@pytest.mark.parametrize("removed", [[0], [7], [3, 11]])
def test_same_as_the_whole_pipeline_run_for_one_knockout(package: Any, removed: list[int]) -> None:
    """One fit asked for many knockouts gives what `virtual_knockout` gives for one at a time."""
    pandas = pytest.importorskip("pandas")
    cells = draw()
    answers = fitted(cells).predict_response(
        cells,
        Knockouts(np.array([[5, 6], [1, 2], removed] if len(removed) == 2 else [[5], removed])),
    )
    table = pandas.DataFrame(
        cells.X.T, index=list(cells.var_names), columns=[f"cell{i}" for i in range(len(cells))]
    )
    with redirect_stdout(io.StringIO()), warnings.catch_warnings(), seeded_eigs(4):
        warnings.simplefilter("ignore")
        result = package.virtual_knockout(
            table, [f"g{gene}" for gene in removed], random_state=4, qc_kws={"min_lib_size": 0}
        )
    result = result.set_index("Gene")
    assert len(result) == cells.n_vars - 1
    expected = np.zeros(cells.n_vars)
    for column, name in enumerate(cells.var_names):
        if name in result.index and result.loc[name, "p-value"] < 1:
            expected[column] = result.loc[name, "Distance"]
    assert (expected > 0).sum() > 5
    np.testing.assert_array_equal(answers[-1], expected)


def test_the_scale_does_not_matter(package: Any) -> None:
    """Counts, and log1p of counts per 10,000 of the same cells, up to rounding."""
    cells = draw()
    logged = Cells(
        np.log1p(cells.X.astype(float) / cells.X.sum(1, keepdims=True) * 1e4), cells.var_names
    )
    kept = {"remove_outlier_cells": False}  # which asks for totals, and those are gone
    events = Knockouts(np.array([[0], [9]]))
    plain, undone = (
        fitted(cells, **kept).predict_response(cells, events),
        fitted(logged, "log1p", **kept).predict_response(logged, events),
    )
    np.testing.assert_allclose(undone, plain, rtol=1e-4, atol=1e-9)


def test_genes_that_quality_control_takes_out(package: Any) -> None:
    """The last gene never moves, and removing it moves nothing; with min_percent=0 it does."""
    cells = draw()
    events = Knockouts(np.array([[0], [39]]))
    answers = fitted(cells).predict_response(cells, events)
    assert answers[0, 39] == 0
    assert answers[0].any()
    assert not answers[1].any()
    both = fitted(cells).predict_response(cells, Knockouts(np.array([[0, 39]])))
    np.testing.assert_array_equal(both, answers[:1])
    assert fitted(cells, min_percent=0.0).predict_response(cells, events)[1].any()


def test_rounding_noise_is_no_displacement(package: Any) -> None:
    """A gene without links of its own: the two networks are the same, and no gene has moved."""
    cells = draw()
    predictor = fitted(cells)
    predictor.pipeline.tensor_dict["WT"].loc["g5", :] = 0.0
    assert not predictor.predict_response(cells, Knockouts(np.array([[5]]))).any()
    assert predictor.pipeline.d_regulation["Distance"].to_numpy().max() < 1e-9


def test_score_by_hand() -> None:
    """Three genes in the networks, removed is b: sqrt((3^2 + 4^2) / 2)."""
    predictor = ScTenifoldKnk()
    predictor.genes, predictor.kept = 4, ["a", "b", "c"]
    predictor.context = Context()
    predictor.displacements = lambda removed: np.array([3.0, 9.0, 4.0, 0.0])  # type: ignore[method-assign]
    cells = SimpleNamespace(n_vars=4)
    np.testing.assert_allclose(predictor.score_genes(cells, np.array([1])), [np.sqrt(12.5)])  # type: ignore[arg-type]


def test_nothing_left_is_an_error(package: Any) -> None:
    cells = draw()
    with pytest.raises(ValueError, match=r"min_lib_size=100000.* left 0 of 120 cells"):
        fitted(cells, min_lib_size=1e5)
