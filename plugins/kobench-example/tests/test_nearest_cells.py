"""The contract, and the prediction worked out by hand."""

from __future__ import annotations

import numpy as np
from kobench_example import NearestCells

from kobench.api import Cells, Context
from kobench.checks import ContractTests


class TestContract(ContractTests):
    make = NearestCells


def fitted(X: list[list[float]], sharpness: float) -> NearestCells:
    predictor = NearestCells(sharpness)
    predictor.fit(Cells(np.array(X), np.array(["a", "b", "c"])), Context())
    return predictor


def test_prediction_by_hand() -> None:
    """Cells {a, b} with shares 3/4, 1/4 and {a, c} with 1/2, 1/2; asked is {a, b}.

    Similarities 1 and 1/3, so with sharpness 1.5 ln 2 the weights are 1 and 1/2. The mean share of
    all entries is 1/2, so plain means with one more cell are a: (5/4 + 1/2) / 3 = 7/12, b: (1/4 +
    1/2) / 2 = 3/8. Then a: (3/4 + 1/4 + 7/12) / (3/2 + 1) = 19/30, b: (1/4 + 3/8) / (1 + 1) = 5/16;
    over their sum 227/240: 152/227 and 75/227.
    """
    answer = fitted([[3, 1, 0], [1, 0, 1]], 1.5 * np.log(2)).predict_expression(
        np.array([[True, True, False]])
    )
    np.testing.assert_allclose(answer, [[152 / 227, 75 / 227, 0]], rtol=1e-12)


def test_like_cells_count_more() -> None:
    X = [[8, 2, 0], [8, 2, 0], [2, 0, 8], [2, 0, 8]]
    asked = np.array([[True, True, False]])
    sharp, flat = (fitted(X, sharpness).predict_expression(asked)[0] for sharpness in (100.0, 0.0))
    assert abs(sharp[0] - 0.8) < abs(flat[0] - 0.8)


def test_a_gene_that_no_training_cell_has_is_answered() -> None:
    answer = fitted([[3, 1, 0], [1, 1, 0]], 30).predict_expression(
        np.array([[False, False, True], [True, False, True]])
    )
    np.testing.assert_allclose(answer[0], [0, 0, 1])
    assert answer[1, 2] > 0
