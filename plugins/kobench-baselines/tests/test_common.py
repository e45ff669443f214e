"""The masked mean and relative residuals by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kobench_baselines.common import Table, close_rows, compose, deviations, hold_out, standardised

from kobench.api import Cells


@pytest.fixture
def table() -> Table:
    """Shares 3/4, 1/4, 0 and 1/2, 0, 1/2."""
    return Table.of(
        Cells(
            np.array([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]), np.array(["a", "b", "c"])
        )
    )


def test_cells_without_expression_are_left_out(table: Table) -> None:
    np.testing.assert_array_equal(table.shares, [[0.75, 0.25, 0], [0.5, 0, 0.5]])


def test_mean_share(table: Table) -> None:
    """The four entries average to 1/2: a (5/4 + 1/2) / 3, b (1/4 + 1/2) / 2, c (1/2 + 1/2) / 2."""
    np.testing.assert_allclose(table.mean_share(), [7 / 12, 3 / 8, 1 / 2])


def test_relative_residuals(table: Table) -> None:
    """The masked mean of 1, 1, 3 says 1/2, 1/2 of the first cell, 1/4, 3/4 of the second."""
    np.testing.assert_allclose(
        table.relative_residuals(np.array([1.0, 1.0, 3.0])), [[0.5, -0.5, 0], [1, 0, -1 / 3]]
    )


def test_compose_undoes_relative_residuals(table: Table) -> None:
    mean = np.array([1.0, 1.0, 3.0])
    np.testing.assert_allclose(
        compose(table.relative_residuals(mean), table.on, mean), table.shares
    )


def test_compose_keeps_a_twentieth_of_the_mean() -> None:
    """Values 0.05 * 2 and 1 * 1.9."""
    rows = compose(np.array([[-3.0, 0.9]]), np.array([[True, True]]), np.array([2.0, 1.0]))
    np.testing.assert_allclose(rows, [[0.05, 0.95]])


def test_a_vanished_row_is_uniform_and_an_empty_one_stays_0() -> None:
    rows = close_rows(np.zeros((2, 3)), np.array([[True, False, True], [False, False, False]]))
    np.testing.assert_array_equal(rows, [[0.5, 0, 0.5], [0, 0, 0]])


@pytest.mark.parametrize(("n", "held"), [(1, 0), (4, 0), (5, 1), (10, 2), (501, 100)])
def test_hold_out(n: int, held: int) -> None:
    kept, out = hold_out(n, 0.2, np.random.default_rng(0))
    assert len(out) == held
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, out])), np.arange(n))


def test_standardised_by_hand_and_rounding_is_no_variation() -> None:
    """Mean 2 and deviation 1; 0.1 + 0.2 and 0.3 differ in the last digit only."""
    rows = np.array([[1.0, 0.1 + 0.2, 4.0], [3.0, 0.3, 4.0]])
    np.testing.assert_array_equal(deviations(rows), [1, 0, 0])
    np.testing.assert_array_equal(standardised(rows), [[-1, 0, 0], [1, 0, 0]])
