"""The baselines on real cells and on the paper's demo: better than the floors, and the published
impacts found again.
"""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from kobench.api import Cells, Context, Knockouts, bray_curtis
from kobench.builtin.floors.profile import MaskedMean, MaskedMeanDepth

pytest.importorskip("kobench_baselines", reason="plugins/kobench-baselines is not installed")

RealData = Callable[[str], Path]


def baseline(name: str, **params: Any) -> Any:
    module, made = {"mlp": ("mlp", "MLP"), "linear": ("linear", "Linear"), "gbm": ("gbm", "GBM")}[
        name
    ]
    return getattr(importlib.import_module(f"kobench_baselines.{module}"), made)(**params)


def fit(predictor: Any, cells: Cells, seed: int = 0) -> Any:
    predictor.fit(cells, Context(seed=seed, device="cpu"))
    return predictor


def blood_cells(real_data: RealData) -> Cells:
    """The 700 PBMC as log1p of counts per 10,000."""
    import anndata

    counts = anndata.read_h5ad(real_data("pbmc68k-counts"))
    X = np.asarray(counts.X.toarray(), dtype=np.float64)
    X = np.log1p(X / X.sum(1, keepdims=True) * 1e4)
    return Cells(X.astype(np.float32), np.asarray(counts.var_names, dtype=str))


@pytest.mark.parametrize("name", ["mlp", "linear", "gbm"])
def test_better_than_both_floors_on_held_out_blood_cells(name: str, real_data: RealData) -> None:
    cells = blood_cells(real_data)
    order = np.random.default_rng(0).permutation(len(cells))
    train, asked = cells[np.sort(order[140:])], cells[np.sort(order[:140])]

    def errors(predictor: Any) -> Any:
        return bray_curtis(
            fit(predictor, train).predict_expression(asked.assemblages()), asked.profiles()
        )

    own = errors(baseline(name))
    for floor in (MaskedMean(), MaskedMeanDepth()):
        better = errors(floor) - own  # cell by cell
        assert better.mean() > 4 * better.std() / np.sqrt(len(better))


def demo_cells(real_data: RealData) -> Cells:
    X = np.loadtxt(real_data("dko_demo/Ptrain.csv"), delimiter=",", dtype=np.float32).T
    return Cells(np.ascontiguousarray(X), np.array([str(gene) for gene in range(X.shape[1])]))


def test_paper_preset_finds_the_published_impacts_again(real_data: RealData) -> None:
    """All cells trained on and asked: above 0.97 with the published impacts, above 0.98 between two
    seeds.
    """
    cells = demo_cells(real_data)
    with gzip.open(real_data("dko_demo/Impact_results.csv.gz"), "rt") as file:
        rows = np.genfromtxt(file, delimiter=",", names=True)
    events = Knockouts(rows["gene_id"].astype(np.int32)[:, None], rows["cell_id"].astype(np.int32))
    impacts = []
    for seed in (0, 1):
        predictor = fit(baseline("mlp", preset="paper"), cells, seed)
        after = predictor.predict_expression(events.remove_from(cells.assemblages()))
        impacts.append(
            bray_curtis(after, predictor.predict_expression(cells.assemblages())[events.cells])
        )
        assert scipy.stats.spearmanr(impacts[-1], rows["k_pred"])[0] > 0.97
    assert scipy.stats.spearmanr(*impacts)[0] > 0.98


def test_paper_preset_on_held_out_demo_cells(real_data: RealData) -> None:
    """Bray-Curtis about 0.10 and pooled Spearman about 0.92, as the paper's own code gives."""
    cells = demo_cells(real_data)
    order = np.random.default_rng(0).permutation(len(cells))
    train, asked = cells[np.sort(order[100:])], cells[np.sort(order[:100])]
    answer = fit(baseline("mlp", preset="paper"), train).predict_expression(asked.assemblages())
    assert bray_curtis(answer, asked.profiles()).mean() < 0.115
    assert 0.91 < scipy.stats.spearmanr(answer.ravel(), asked.profiles().ravel())[0] < 0.94
