"""The formulas of the audit: numbers worked out by hand, and independent calculations."""

from __future__ import annotations

import random
from math import erfc, inf, sqrt

import numpy as np
import pytest

from kobench.audit.statistics import (
    cramers_v,
    fold_interval,
    independence_p,
    kruskal_wallis,
    power_of,
    smallest_seen,
    smallest_uneven,
    spread_of_uneven,
    standardised,
    units_needed,
    wilson,
)
from kobench.board.numbers.intervals import Series, mean_interval


def seen_in(differences) -> float:
    """In what share of boards (rows) the t interval over units lies above or below 0."""
    found = [mean_interval(Series(row)) for row in differences]
    return float(np.mean([one.above or one.below for one in found]))


def test_power_is_how_often_the_interval_of_a_board_lies_beside_0():
    rng = np.random.default_rng(0)
    for units, difference, spread in ((15, 0.1, 0.12), (6, 0.3, 0.2), (40, 0.05, 0.2)):
        drawn = rng.normal(difference, spread, (4000, units))
        assert seen_in(drawn) == pytest.approx(power_of(difference, spread, units), abs=0.025)


def test_power_of_known_cases():
    # Cohen's tables: a paired difference of half a standard deviation needs 34 pairs for 80 %
    assert power_of(0.5, 1.0, 34) == pytest.approx(0.8078, abs=5e-4)
    assert power_of(0.5, 1.0, 33) < 0.8
    assert units_needed(0.5, 1.0) == 34
    # of many units: 1.959964 + 0.841621 standard errors
    assert smallest_seen(1.0, 1_000_000) == pytest.approx(2.801585e-3, rel=1e-4)
    assert power_of(0.0, 1.0, 20) == pytest.approx(0.05, abs=1e-6)
    assert power_of(0.1, 1.0, 1) == 0.0
    assert smallest_seen(1.0, 1) == inf
    assert smallest_seen(0.0, 9) == 0.0
    for units in (2, 3, 8, 50):
        assert power_of(smallest_seen(0.3, units), 0.3, units) == pytest.approx(0.8, abs=1e-6)


def test_a_gain_that_few_have_spreads_as_a_coin_that_is_thrown():
    # a quarter of the units gain 0.8 each: mean 0.2, variance 0.64 * 3/16 = 0.12
    assert spread_of_uneven(0.2, 0.0, 0.8) == pytest.approx(sqrt(0.12))
    assert spread_of_uneven(0.2, 0.3, 0.8) == pytest.approx(sqrt(0.12 + 0.09))
    # by coins instead of the normal distribution that the formula supposes: 77 to 87 %
    rng = np.random.default_rng(1)
    for units, gap, spread in ((8, 0.8, 0.12), (15, 0.8, 0.12), (30, 0.4, 0.1)):
        gain = smallest_uneven(spread, gap, units)
        assert smallest_seen(spread, units) < gain < gap
        has = rng.random((2000, units)) < gain / gap
        seen = seen_in(has * gap + rng.normal(0, spread, has.shape))
        assert 0.73 < seen < 0.89
    assert smallest_uneven(1.0, 0.1, 5) == inf
    assert smallest_uneven(0.1, 0.0, 5) == inf


def test_cramers_v_by_hand():
    # 60 cells, 15 expected everywhere, 5 off in each of four: chi2 = 4 * 25/15, V = sqrt(chi2/60)
    assert cramers_v(np.array([[10, 20], [20, 10]])) == pytest.approx(1 / 3)
    assert cramers_v(np.array([[7, 0, 0], [0, 5, 0], [0, 0, 9]])) == pytest.approx(1.0)
    assert cramers_v(np.array([[10, 0], [20, 0]])) == 0.0


def test_the_p_value_is_that_of_permuted_labels():
    # of the 6 ways to put two labels on 2 + 2 cells, 2 part them wholly
    assert independence_p(np.array([[2, 0], [0, 2]]), 0) == pytest.approx(1 / 3, abs=0.04)
    assert independence_p(np.array([[30, 0], [0, 30]]), 0) == 0.001
    assert independence_p(np.array([[30, 30]]), 0) == 1.0
    table = np.array([[8, 3, 4], [2, 7, 5]])
    rows = [row for row in range(2) for _ in range(table[row].sum())]
    columns = [c for row in range(2) for c in range(3) for _ in range(table[row, c])]

    def chi2(labels):
        counts = [[0] * 3 for _ in range(2)]
        for row, column in zip(rows, labels, strict=True):
            counts[row][column] += 1
        total = len(rows)
        expected = [
            [sum(counts[r]) * sum(counts[q][c] for q in range(2)) / total for c in range(3)]
            for r in range(2)
        ]
        return sum(
            (counts[r][c] - expected[r][c]) ** 2 / expected[r][c]
            for r in range(2)
            for c in range(3)
        )

    dice, observed, reached = random.Random(0), chi2(columns), 0
    for _ in range(3000):
        shuffled = columns[:]
        dice.shuffle(shuffled)
        reached += chi2(shuffled) >= observed - 1e-9
    assert independence_p(table, 0) == pytest.approx(reached / 3000, abs=0.03)
    assert independence_p(table, 0) == independence_p(table, 0)


def test_wilson_by_hand():
    # z2 = 3.8415, centre (0.5 + 3.8415/20) / 1.38415 = 0.5, half 0.2634
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_fold_and_how_often_its_interval_covers():
    ratio, low, high = fold_interval(1.0, 0.01, 2.0, 0.04)
    half = 1.959964 * sqrt(0.01 + 0.01)
    assert (ratio, low, high) == pytest.approx((0.5, 0.5 * np.exp(-half), 0.5 * np.exp(half)))
    assert fold_interval(0.0, 0.0, 2.0, 0.1)[:2] == (0.0, 0.0)
    assert np.isnan(fold_interval(1.0, 0.1, 0.0, 0.0)[0])
    rng, inside = np.random.default_rng(2), 0
    for _ in range(1000):
        x, y = rng.poisson(1.5, 60), rng.poisson(3.0, 80)
        found = fold_interval(x.mean(), x.var(ddof=1) / len(x), y.mean(), y.var(ddof=1) / len(y))
        inside += found[1] <= 0.5 <= found[2]
    assert inside / 1000 == pytest.approx(0.95, abs=0.02)


def test_kruskal_wallis_by_hand_and_with_ties():
    # rank sums 6 and 15 of three each: 12/42 * (12 + 75) - 21
    h, p, size = kruskal_wallis([np.array([1.0, 2, 3]), np.array([4.0, 5, 6])])
    assert h == pytest.approx(27 / 7)
    assert p == pytest.approx(erfc(sqrt(27 / 14)))  # chi-squared with one degree of freedom
    assert size == pytest.approx(27 / 35)
    # ranks 1, 2.5 | 2.5, 4: 12/20 * (12.25/2 + 42.25/2) - 15 = 1.35, over 1 - 6/60
    assert kruskal_wallis([np.array([1.0, 2]), np.array([2.0, 3])])[0] == pytest.approx(1.5)
    assert kruskal_wallis([np.ones(5), np.ones(4)]) == (0.0, 1.0, 0.0)
    assert kruskal_wallis([np.ones(5)]) == (0.0, 1.0, 0.0)


def test_the_standardised_difference_by_hand():
    # means 3 and 2, squares 2 and 2 around them, 2 degrees of freedom: 1 / sqrt(2)
    assert standardised(np.array([2.0, 4.0]), np.array([1.0, 3.0])) == pytest.approx(sqrt(0.5))
    assert standardised(np.ones(4), np.ones(3)) == 0.0
