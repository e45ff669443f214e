"""Counts, whatever the working scale."""

from __future__ import annotations

import numpy as np
import pytest
from kobench.api import Cells

from kobench_sctenifold.counts import counts_of

NAMES = np.array(["a", "b"])


@pytest.mark.parametrize("scale", ["counts", "linear"])
def test_as_they_are(scale: str) -> None:
    X = np.array([[1, 2], [0, 4]], np.float32)
    found = counts_of(Cells(X, NAMES), scale)
    assert found.tolist() == [[1, 2], [0, 4]]
    found[0, 0] = 9
    assert X[0, 0] == 1


@pytest.mark.parametrize("scale", ["log1p", "log1p-cp10k"])
def test_logarithms_are_undone(scale: str) -> None:
    """log1p of 3 and 1 per 4 counts: 7,500 and 2,500 of 10,000, in proportion to the counts."""
    rows = np.log1p(np.array([[7500.0, 2500.0], [0.0, 10_000.0]]))
    np.testing.assert_allclose(
        counts_of(Cells(rows, NAMES), scale), [[7500, 2500], [0, 10_000]], rtol=1e-12
    )


def test_the_layer_comes_first() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    counts = np.array([[3, 1], [0, 5]])
    for layer in (counts, sparse.csr_matrix(counts)):
        assert (
            counts_of(
                Cells(np.ones((2, 2)), NAMES, layers={"counts": layer}), "unheard-of"
            ).tolist()
            == counts.tolist()
        )


def test_another_scale_is_an_error() -> None:
    with pytest.raises(ValueError, match="the working scale is 'z-score'; expected counts"):
        counts_of(Cells(np.ones((2, 2)), NAMES), "z-score")
