"""Anchoring by hand, and that it says what its model says where the cell is as its model has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines.anchored import LinearAnchored, anchored, anchored_knockouts
from kobench_baselines.anchored_network import MLPAnchored
from kobench_baselines.linear import Linear
from kobench_baselines.mlp import MLP

from kobench.api import Cells, Knockouts, normalise_rows


def test_by_hand() -> None:
    """Factors 2, 1/2 and 1 on 1/2, 1/4, 1/4: values 1, 1/8, 1/4, whose sum is 11/8."""
    rows = anchored(
        np.array([[0.5, 0.25, 0.25]]), np.array([[0.2, 0.4, 0.4]]), np.array([[0.4, 0.2, 0.4]])
    )
    np.testing.assert_allclose(rows, [[8 / 11, 1 / 11, 2 / 11]])


def test_factors_end_at_10_and_a_tenth_and_a_vanished_share_has_factor_1() -> None:
    """Factors 100 -> 10, 1/50 -> 1/10, 0 before -> 1 on equal shares."""
    rows = anchored(
        np.full((1, 3), 1 / 3), np.array([[0.005, 0.5, 0.0]]), np.array([[0.5, 0.01, 0.4]])
    )
    np.testing.assert_allclose(rows, [[10 / 11.1, 0.1 / 11.1, 1 / 11.1]])


def test_a_model_without_response_gives_the_null(cells_of: Any) -> None:
    """A model in which nothing responds gives the null, even where the removed gene is most of it.

    Its profiles are masked shares over their sum; the removed gene is 99 % of the cell.
    """

    def predict(on: Any) -> Any:
        return normalise_rows(on * np.array([99.0, 0.6, 0.4]))

    rows = anchored_knockouts(predict, cells_of([[2, 1, 3]]), Knockouts([[0]], [0]))
    np.testing.assert_allclose(rows, [[0, 0.25, 0.75]])


@pytest.mark.parametrize(
    ("anchoring", "plain"),
    [(LinearAnchored, Linear), (lambda: MLPAnchored(steps=60), lambda: MLP(steps=60))],
)
def test_in_a_cell_as_the_model_has_it_the_answer_is_the_models(
    anchoring: Any, plain: Any, fit: Any, cells: Cells
) -> None:
    mine, model = fit(anchoring(), cells), fit(plain(), cells)
    on = cells.assemblages()[:10]
    expected = Cells(model.predict_expression(on), cells.var_names)
    events = Knockouts.singles(on)
    np.testing.assert_array_equal(mine.predict_expression(on), model.predict_expression(on))
    np.testing.assert_allclose(
        mine.predict_knockout(expected, events),
        model.predict_expression(events.remove_from(on)),
        rtol=1e-6,
    )
