"""The arithmetic of the study of the paper's claims on real cells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import braycurtis

from tests.studies.paper_real import Fitted, bray_curtis, impacts, without


def test_bray_curtis_is_the_mean_over_rows():
    a, b = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.25, 0.75], [0.0, 1.0]])
    assert bray_curtis(a, b) == pytest.approx((0.25 + 1) / 2)
    by_scipy = [braycurtis(x, y) for x, y in zip(a, b, strict=True)]
    assert bray_curtis(a, b) == pytest.approx(np.mean(by_scipy))


def test_without_a_gene_rows_add_up_to_one():
    rows = without(np.array([[0.5, 0.25, 0.25], [0.0, 0.2, 0.8]]), 0)
    np.testing.assert_allclose(rows, [[0.5, 0.5], [0.2, 0.8]])


def test_an_answer_in_which_nothing_responds_has_raw_impact_alone():
    """Raw impact is then the gene's own share, propagated 0."""
    wild_type = np.array([[0.4, 0.3, 0.3]])
    raw, propagated = impacts(wild_type, np.array([[0.0, 0.5, 0.5]]), 0)
    assert raw == pytest.approx([0.4])
    assert propagated == pytest.approx([0.0])
    _, moved = impacts(wild_type, np.array([[0.0, 0.6, 0.4]]), 0)
    assert moved == pytest.approx([0.1])


def test_absent_genes_have_no_share():
    class Flat:
        def predict_expression(self, assemblages):
            return np.full(assemblages.shape, 0.25)

    profiles = Fitted("flat", Flat()).profiles(np.array([[1, 0, 1, 0]]))
    np.testing.assert_allclose(profiles, [[0.5, 0, 0.5, 0]])
