"""Trees grown together are those of an estimator for each gene, round by round."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kobench_baselines.common import Table, compose, hold_out
from kobench_baselines.gbm import GBM, VALIDATION, depth_helps

from benchmarks.plain.trees import Job, gene_by_gene
from kobench.api import Cells, Context


def fitted(cells: Cells, **more: int) -> GBM:
    predictor = GBM(**more)
    predictor.columns = 1.0  # a random half is drawn in another order by single estimators
    predictor.fit(cells, Context(seed=0, device="cpu"))
    return predictor


def some_cells(seed: int, n: int, genes: int) -> Cells:
    """The first gene follows the second.

    A cell may express one gene only, a gene may be in no cell.
    """
    rng = np.random.default_rng(seed)
    X = (rng.random((n, genes)) < rng.uniform(0, 1, genes)) * rng.lognormal(0, 0.3, (n, genes))
    X[:, 0] = 1 + 3 * (X[:, 1 % genes] > 0)
    return Cells(X.astype(np.float32), np.array([f"g{gene}" for gene in range(genes)]))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 60),
    genes=st.integers(1, 12),
    features=st.integers(1, 12),
)
def test_together_and_gene_by_gene_predict_the_same(
    seed: int, n: int, genes: int, features: int
) -> None:
    cells = some_cells(seed, n, genes)
    predictor = fitted(cells, genes=features, components=2)
    table = Table.of(cells)
    kept, held = hold_out(len(table), VALIDATION, np.random.default_rng(0))
    corrected = bool(len(held)) and depth_helps(table[kept], table[held])
    whole = Job.of(table, corrected, features, 2)
    relative = predictor.base(table.on)
    grown = gene_by_gene(
        whole,
        whole.values,
        whole,
        whole.values,
        predictor.boosted.tolist(),
        4,
        predictor.chosen_rounds,
        predictor.depth,
        predictor.lr,
        1,
    )
    for gene, (_, margins) in zip(predictor.boosted, grown, strict=True):
        relative[:, gene] += margins
    plain = compose(relative, table.on, predictor.mean)
    np.testing.assert_allclose(
        predictor.predict_expression(cells.assemblages()), plain, rtol=1e-6, atol=1e-9
    )


def test_the_looks_are_the_margins_of_the_first_rounds() -> None:
    table = Table.of(some_cells(3, 60, 6))
    job = Job.of(table, False, 6, 0)
    ((looks, last),) = gene_by_gene(job, job.values, job, job.values, [0], 8, 8, 2, 0.3, 1)
    assert len(looks) == 2
    np.testing.assert_array_equal(looks[-1], last)
    assert np.abs(looks[0] - last).max() > 1e-4


def test_by_default_a_node_may_split_on_half_of_the_columns() -> None:
    predictor = GBM()
    predictor.context = Context(device="cpu")
    predictor._prepare(Table.of(some_cells(3, 60, 6)), corrected=False)
    assert '"colsample_bynode":"0.5"' in predictor._booster.save_config().replace(" ", "")
