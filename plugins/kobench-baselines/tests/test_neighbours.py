"""Neighbours by hand and by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from kobench_baselines.neighbours import KNN
from sklearn.neighbors import NearestNeighbors

from kobench.api import Cells, Knockouts, normalise_rows


def test_by_hand(fit: Any, cells_of: Any) -> None:
    """Cells without gene 0: (0, 4, 1, 0), (0, 3, 1, 1) and (0, 0, 0, 1) over their sums.

    To (5, 4, 1, 0) the first two are the nearest.

    Gene 1: (.8 + .6) / 2 = .7, gene 2: (.2 + .2) / 2 = .2, gene 3 is off in the cell: .7 / .9 and
    .2 / .9.
    """
    predictor = fit(KNN(k=2), cells_of([[0, 4, 1, 0], [0, 0, 0, 1], [9, 4, 1, 0], [0, 3, 1, 1]]))
    np.testing.assert_allclose(
        predictor.predict_knockout(cells_of([[5, 4, 1, 0]]), Knockouts([[0]], [0])),
        [[0, 7 / 9, 2 / 9, 0]],
    )


def test_a_gene_counts_where_neighbours_express_it_and_else_as_in_the_cell(
    fit: Any, cells_of: Any
) -> None:
    """Neighbours (0, 1, 0, 0) and (0, 2, 2, 0) of (2, 1, 1, 2).

    Gene 1 (1 + .5) / 2, gene 2 .5, gene 3 its own 2 / 4: .75 .5 .5 / 1.75.
    """
    predictor = fit(KNN(k=2), cells_of([[0, 1, 0, 0], [0, 2, 2, 0]]))
    np.testing.assert_allclose(
        predictor.predict_knockout(cells_of([[2, 1, 1, 2]]), Knockouts([[0]], [0])),
        [[0, 3 / 7, 2 / 7, 2 / 7]],
    )


def test_without_a_cell_that_lacks_the_genes_nothing_responds(fit: Any, cells_of: Any) -> None:
    predictor = fit(KNN(k=1), cells_of([[1, 2, 0], [1, 0, 2], [0, 1, 1]]))
    rows = predictor.predict_knockout(cells_of([[2, 1, 1]]), Knockouts([[1, 2]], [0]))
    np.testing.assert_allclose(rows, [[1, 0, 0]])
    rows = fit(KNN(k=1), cells_of([[1, 2, 0], [1, 0, 2]])).predict_knockout(
        cells_of([[2, 3, 1]]), Knockouts([[0]], [0])
    )
    np.testing.assert_allclose(rows, [[0, 0.75, 0.25]])


def test_neighbours_are_scikit_learns(fit: Any, cells: Cells) -> None:
    """The smallest Hellinger distance of profiles without the removed gene."""
    asked, gene, k = cells[:20], 3, 4
    asked = asked[asked.assemblages()[:, gene]]
    without = cells.profiles()[~cells.assemblages()[:, gene]]
    null = asked.profiles()
    null[:, gene] = 0
    null = normalise_rows(null)
    found = (
        NearestNeighbors(n_neighbors=k)
        .fit(np.sqrt(without))
        .kneighbors(np.sqrt(null), return_distance=False)
    )
    expected = []
    for cell, rows in zip(null, found, strict=True):
        shares = without[rows]
        count = (shares > 0).sum(axis=0)
        values = np.where(count > 0, shares.sum(axis=0) / np.maximum(count, 1), cell) * (cell > 0)
        expected.append(values / values.sum())
    n = len(null)
    answer = fit(KNN(k=k), cells).predict_knockout(
        asked, Knockouts(np.full((n, 1), gene), np.arange(n))
    )
    np.testing.assert_allclose(answer, expected, rtol=1e-9)
