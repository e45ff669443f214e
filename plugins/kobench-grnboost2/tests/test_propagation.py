"""Propagation by hand, by the geometric series, and by a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from kobench_grnboost2.propagation import mean_change, propagate


def chain() -> np.ndarray:
    """a -> b with 1/2, b -> c with 2, c -> a with 1/4."""
    weights = np.zeros((3, 3))
    weights[0, 1], weights[1, 2], weights[2, 0] = 0.5, 2.0, 0.25
    return weights


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(1, [-4, -2, 0]), (2, [-4, -2, -4]), (3, [-4, -2, -4]), (9, [-4, -2, -4])],
)
def test_chain_by_hand(steps: int, expected: list[float]) -> None:
    """a falls by 4, b by 2, c by 4; c's link back to a changes nothing, since a is gone."""
    np.testing.assert_array_equal(
        propagate(np.array([[4.0, 10.0, 10.0]]), chain(), np.array([0]), steps), [expected]
    )


def test_nothing_falls_below_zero_and_what_is_cut_off_is_not_passed_on() -> None:
    """b has 1 to lose and not 2, so c loses 2 x 1."""
    np.testing.assert_array_equal(
        propagate(np.array([[4.0, 1.0, 10.0]]), chain(), np.array([0]), 2), [[-4, -1, -2]]
    )


def test_a_repressor_raises_its_target() -> None:
    weights = np.array([[0.0, -0.5], [0.0, 0.0]])
    np.testing.assert_array_equal(
        propagate(np.array([[2.0, 3.0]]), weights, np.array([0]), 3), [[-2, 1]]
    )


def test_two_genes_at_once_by_hand() -> None:
    """a and b fall by 4 and 10, whatever a does to b; c by 2 x 10 but has 15."""
    np.testing.assert_array_equal(
        propagate(np.array([[4.0, 10.0, 15.0]]), chain(), np.array([0, 1]), 3), [[-4, -10, -15]]
    )


def network(seed: int, genes: int = 9) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.4, (genes, genes)) * (rng.random((genes, genes)) < 0.4)
    np.fill_diagonal(weights, 0)
    return rng.gamma(2.0, 1.0, (7, genes)) * (rng.random((7, genes)) < 0.8), weights


@pytest.mark.parametrize("steps", [1, 2, 3, 8])
@pytest.mark.parametrize("removed", [[0], [4], [1, 6]])
def test_geometric_series(steps: int, removed: list[int]) -> None:
    """Far from 0: d_0 (1 - W'^(t+1)) (1 - W')^-1, the sum of the series in closed form.

    W' is W without links into the removed genes.
    """
    expression, weights = network(steps)
    expression = expression + 0.01
    start = np.zeros_like(expression)
    start[:, removed] = -expression[:, removed]
    level = np.full_like(expression, 1e6)  # so high that nothing reaches 0
    level[:, removed] = expression[:, removed]
    open_links = weights.copy()
    open_links[:, removed] = 0
    one = np.eye(len(weights))
    series = (
        start
        @ (one - np.linalg.matrix_power(open_links, steps + 1))
        @ np.linalg.inv(one - open_links)
    )
    np.testing.assert_allclose(
        propagate(level, weights, np.array(removed), steps), series, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(4))
def test_plain_loop(seed: int) -> None:
    """With clipping, gene by gene and link by link."""
    expression, weights = network(seed)
    removed, steps = [2, 5], 4
    expected = np.zeros_like(expression)
    for row, cell in zip(expected, expression):
        change = {gene: -cell[gene] if gene in removed else 0.0 for gene in range(len(cell))}
        for _ in range(steps):
            change = {
                target: (
                    -cell[target]
                    if target in removed
                    else max(
                        sum(
                            weights[source, target] * change[source] for source in range(len(cell))
                        ),
                        -cell[target],
                    )
                )
                for target in range(len(cell))
            }
        row[:] = [change[gene] for gene in range(len(cell))]
    np.testing.assert_allclose(
        propagate(expression, weights, np.array(removed), steps), expected, rtol=1e-12, atol=1e-12
    )
    assert (expected == -expression)[:, [0, 1, 3, 4]].any()  # something was cut off


def test_sparse_weights_and_the_input() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    expression, weights = network(0)
    before = expression.copy(), weights.copy()
    dense = propagate(expression, weights, np.array([3]), 3)
    np.testing.assert_allclose(
        propagate(expression, sparse.csr_matrix(weights), np.array([3]), 3),
        dense,
        rtol=1e-12,
        atol=1e-14,
    )
    np.testing.assert_array_equal(expression, before[0])
    np.testing.assert_array_equal(weights, before[1])


def test_mean_is_over_the_cells_that_express_the_gene() -> None:
    """Cells with 4 and 2 of a: b falls by 2 and 1, 1.5 in the mean.

    The cell without a would make it 1.
    """
    expression = np.array([[4.0, 10.0, 10.0], [0.0, 10.0, 10.0], [2.0, 10.0, 10.0]])
    np.testing.assert_array_equal(mean_change(expression, chain(), np.array([0]), 1), [-3, -1.5, 0])
    np.testing.assert_array_equal(
        mean_change(expression[1:2], chain(), np.array([0]), 3), [0, 0, 0]
    )
    np.testing.assert_array_equal(
        mean_change(expression, chain(), np.array([], np.int64), 3), [0, 0, 0]
    )


def test_blocks_of_cells_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expression, weights = network(1)
    whole = mean_change(expression, weights, np.array([0]), 3)
    monkeypatch.setattr("kobench_grnboost2.propagation.BLOCK", 2 * expression.shape[1])
    np.testing.assert_allclose(
        mean_change(expression, weights, np.array([0]), 3), whole, rtol=1e-12
    )
