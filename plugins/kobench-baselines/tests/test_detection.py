"""Detection by hand, against numerical integrals, and with a planted rate."""

from __future__ import annotations

import numpy as np
from kobench_baselines.detection import BINS, Detection, edges_of
from scipy.integrate import quad
from scipy.stats import norm

#: One gene with edges 1 to 9; of the lower half 0.4 is lost, above 6 nothing.
HALF = Detection(np.arange(1.0, BINS)[:, None], np.array([0.4] * 5 + [0.1] + [0.0] * 4))


def test_bins_and_chances_by_hand() -> None:
    values = np.array([[0.5], [1.0], [5.5], [9.0], [20.0]])
    np.testing.assert_array_equal(HALF.bins(values)[:, 0], [0, 1, 5, 9, 9])
    np.testing.assert_allclose(HALF.chance(values)[:, 0], [0.4, 0.4, 0.1, 0, 0])


def test_edges_are_weighted_quantiles() -> None:
    """A value that counts twice is two values; one that doesn't count is none."""
    rng = np.random.default_rng(0)
    values, weight = rng.random((4000, 1)), np.ones((4000, 1))
    np.testing.assert_allclose(edges_of(values, weight)[:, 0], np.arange(1, 10) / 10, atol=0.03)
    low = values < 0.5
    np.testing.assert_allclose(
        edges_of(values, np.where(low, 0.0, 1.0))[:, 0], 0.5 + np.arange(1, 10) / 20, atol=0.03
    )
    twice = edges_of(values, np.where(low, 2.0, 1.0))[:, 0]
    np.testing.assert_allclose(twice, np.quantile(np.append(values, values[low]), at()), atol=1e-3)
    np.testing.assert_array_equal(edges_of(values, np.zeros((4000, 1))), np.zeros((9, 1)))


def at() -> np.ndarray:
    return np.arange(1, 10) / 10


def test_what_was_lost_is_the_integral() -> None:
    """By quadrature over the normal distribution, bin by bin."""
    said, spread = np.array([4.2, 6.5, 30.0]), np.array([1.0, 0.5, 1.0])
    by_bin, value = HALF.where_lost(said, spread, np.zeros(3, int))
    ends = [-np.inf, *range(1, BINS), np.inf]
    for case in (0, 1):
        law = norm(said[case], spread[case])
        chance = [HALF.lost[b] * quad(law.pdf, ends[b], ends[b + 1])[0] for b in range(BINS)]
        first = [
            HALF.lost[b] * law.expect(lb=max(ends[b], -40), ub=min(ends[b + 1], 40))
            for b in range(BINS)
        ]
        np.testing.assert_allclose(by_bin[case], chance, atol=1e-9)
        np.testing.assert_allclose(value[case], sum(first) / sum(chance), rtol=1e-6)
    # nothing of the last is lost, so nothing is known of what would be
    assert by_bin[2].sum() < 1e-12
    assert value[2] == 30.0


def test_rates_are_lost_over_lost_and_read() -> None:
    """Ten values, one a bin, are read; three more are expected to be lost from the first bin."""
    values = np.arange(0.5, 10)[:, None]
    on = np.ones((10, 1), bool)
    by_bin = np.zeros(BINS)
    by_bin[0] = 3.0
    learnt = HALF.learnt(values, np.ones((10, 1)), on, by_bin)
    np.testing.assert_allclose(learnt.lost, [0.75] + [0.0] * 9)


def test_a_start_that_falls() -> None:
    start = Detection.supposed(np.random.default_rng(1).random((50, 2)), np.ones((50, 2)))
    assert (np.diff(start.lost) < 0).all()
    assert start.edges.shape == (9, 2)
