"""The contrast by hand, the factor by hand, and both in an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from kobench_baselines.state_contrast import StateContrast, typical_counts
from kobench_baselines.states import States

from kobench.api import Cells, Context, Knockouts, normalise_rows

NO_STATES = States(np.zeros((3, 1)), np.zeros(1), np.ones(3), 1.0)


def made(values: Any, states: States = NO_STATES) -> StateContrast:
    predictor = StateContrast()
    predictor.threads, predictor.states, predictor.per_log = 1, states, None
    predictor.values = np.asarray(values, float)
    predictor.on = (predictor.values > 0).astype(float)
    predictor.mean = predictor.values.mean(axis=0)
    return predictor


#: Gene 0 is missing from the last two cells; there gene 1 is at 5 and gene 2 off or at 4.
CELLS = [[1.0, 2.0, 1.0], [1.0, 4.0, 3.0], [0.0, 4.0, 0.0], [0.0, 6.0, 4.0]]


def test_contrast_by_hand() -> None:
    """Gene 1: 5 without, 3 with. Gene 2, where it is on: 4 without, 2 with."""
    np.testing.assert_allclose(made(CELLS).contrast(0), [0, 2, 2])


def test_a_gene_that_every_cell_has_has_no_contrast() -> None:
    np.testing.assert_array_equal(made(CELLS).contrast(1), [0, 0, 0])


def test_contrast_is_that_of_a_loop_over_cells() -> None:
    rng = np.random.default_rng(0)
    values = (rng.random((50, 3)) < 0.7) * rng.random((50, 3))
    has, on = values[:, 1] > 0, values > 0
    for gene in (0, 2):
        without = values[on[:, gene] & ~has, gene].mean()
        np.testing.assert_allclose(
            made(values).contrast(1)[gene], without - values[on[:, gene] & has, gene].mean()
        )


def test_an_answer_by_hand(cells_of: Any) -> None:
    """Gene 1 falls by log 2, gene 2 rises by it: (0, (3 + 2) / 2, (1 + 2) * 2) without gene 0."""
    half = np.log(2)
    states = States(np.array([[1.0], [half], [-half]]), np.ones(1), np.ones(3), 1.0)
    predictor = made(CELLS, states)
    rows = predictor.predict_knockout(
        cells_of([[1, 3, 1], [1, 3, 0]]), Knockouts([[0], [0]], [0, 1])
    )
    np.testing.assert_allclose(rows, normalise_rows(np.array([[0, 2.5, 6], [0, 2.5, 0]])))


def test_of_two_genes_contrasts_add_up_and_factors_multiply(cells_of: Any) -> None:
    predictor = made(CELLS, States(np.full((3, 1), 0.5), np.ones(1), np.ones(3), 1.0))
    asked = cells_of([[1, 3, 1]])
    rows = predictor.predict_knockout(asked, Knockouts([[0, 1]], [0]))
    np.testing.assert_array_equal(rows, [[0, 0, 1]])
    factor = predictor.factor(0) * predictor.factor(1)
    np.testing.assert_allclose(factor[2], np.exp(-0.5))


def test_the_factor_of_logarithms_is_that_of_a_small_change() -> None:
    """Of log1p values: d log1p(a) / d log a = a / (1 + a), relative to the gene's mean value."""
    predictor = made(
        np.full((4, 3), np.log1p(3.0)),
        States(np.array([[1.0], [0.01], [-0.02]]), np.ones(1), np.ones(3), 1.0),
    )
    predictor.per_log = np.full(3, 3 / 4)
    expected = np.log1p(3 * np.exp([-0.01, 0.02])) / np.log1p(3)
    np.testing.assert_allclose(predictor.factor(0)[1:], expected, atol=1e-4)


def test_factors_and_changes_end_somewhere() -> None:
    predictor = made(CELLS, States(np.array([[1.0], [9.0], [-9.0]]), np.ones(1), np.ones(3), 1.0))
    np.testing.assert_allclose(predictor.factor(0), [1, np.exp(-3), 5])


def test_depth_is_taken_out_of_counts_where_the_scale_does_so() -> None:
    counts = np.array([[1.0, 3.0], [2.0, 6.0]])
    scaled = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    cells = Cells(scaled, np.array(["a", "b"]), layers={"counts": scipy.sparse.csr_matrix(counts)})
    np.testing.assert_allclose(
        typical_counts(cells, scaled, "log1p-cp10k"), [[1.5, 4.5], [1.5, 4.5]]
    )
    np.testing.assert_array_equal(typical_counts(cells, scaled, "log1p"), counts)
    without = Cells(scaled, np.array(["a", "b"]))
    np.testing.assert_allclose(typical_counts(without, np.log1p(counts), "log1p"), counts)


def test_states_are_found_within_batches() -> None:
    """Genes 0 and 1 differ between the days alone: removing one says nothing of the other."""
    rng = np.random.default_rng(0)
    day = np.repeat(["a", "b"], 300)
    rate = np.full((600, 6), 8.0)
    rate[:, :2] *= np.where(day == "a", 1, 3)[:, None]
    rate[:, 3:] *= np.exp(rng.normal(0, 0.5, (600, 1)))
    cells = Cells(rng.poisson(rate) + 1.0, np.array(list("abcdef")), {"day": day})
    apart, together = StateContrast(factors=1), StateContrast(factors=1)
    apart.fit(cells, Context(batch_key="day"))
    together.fit(cells, Context())
    assert abs(apart.states.log_change(0)[1]) < 0.05
    assert together.states.log_change(0)[1] < -0.2
    assert (apart.states.log_change(3)[4:] < -0.2).all()
