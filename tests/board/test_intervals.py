"""Intervals against numbers worked out by hand, against scipy, and by how often they cover."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy import stats

from kobench.board.numbers.intervals import (
    Interval,
    Series,
    combine,
    mean_interval,
    paired_difference,
    ratio_interval,
    spread_of,
    t_quantile,
)
from kobench.board.numbers.pairs import beats, rank_intervals


def series(*values: float, draws=None, units=0) -> Series:
    return Series(
        np.array(values, dtype=float),
        None if draws is None else np.array(draws, dtype=float),
        units,
    )


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_t_interval_by_hand():
    # mean 3, s = sqrt(2.5), se = sqrt(0.5), t(4, 0.975) = 2.776445
    interval = mean_interval(series(1, 2, 3, 4, 5))
    assert interval.value == 3.0
    assert ends(interval) == pytest.approx(
        (3 - 2.776445 * 0.7071068, 3 + 2.776445 * 0.7071068), abs=1e-5
    )


@pytest.mark.parametrize("n", [2, 3, 5, 10, 31])
def test_t_interval_is_scipys(n):
    values = np.random.default_rng(n).normal(2, 3, n)
    expected = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert ends(mean_interval(series(*values))) == pytest.approx(expected, rel=1e-9)


def test_quantiles_of_students_t():
    assert t_quantile(1) == pytest.approx(12.7062, abs=1e-4)
    assert t_quantile(11) == pytest.approx(stats.t.ppf(0.975, 11))
    assert t_quantile(inf) == pytest.approx(stats.norm.ppf(0.975))


def test_one_value_has_no_interval_and_equal_ones_a_point():
    assert mean_interval(series(4.0)) == Interval(4.0)
    assert mean_interval(series(*[0.25] * 6)) == Interval(0.25, 0.25, 0.25)


def test_draws_inside_several_blocks_add_nothing():
    values = (0.1, 0.5, 0.2)
    assert mean_interval(series(*values, draws=np.zeros((3, 10)), units=10)) == mean_interval(
        series(*values)
    )


def test_one_block_takes_the_spread_of_its_draws_by_hand():
    # draws 1, 2, 4: variance 7/3; four units: times 4/3, t(3, 0.975) = 3.182446
    half = 3.182446 * np.sqrt(7 / 3 * 4 / 3)
    assert ends(mean_interval(series(9.0, draws=[[1, 2, 4]], units=4))) == pytest.approx(
        (9 - half, 9 + half), abs=1e-5
    )
    # how many units were drawn is not known: 1.959964 standard deviations
    half = 1.959964 * np.sqrt(7 / 3)
    assert ends(mean_interval(series(9.0, draws=[[1, 2, 4]]))) == pytest.approx(
        (9 - half, 9 + half), abs=1e-5
    )


@pytest.mark.parametrize("n", [5, 12, 40])
def test_one_block_of_means_has_the_t_interval_over_its_units(n):
    """The bootstrap of a mean is known in closed form.

    So the interval must come out as the t interval over the units themselves.
    """
    rng = np.random.default_rng(n)
    values = rng.beta(8, 2, n)
    draws = values[rng.integers(n, size=(200_000, n))].mean(axis=1)
    found = mean_interval(series(values.mean(), draws=[draws], units=n))
    assert ends(found) == pytest.approx(
        ends(mean_interval(series(*values))), abs=0.01 * (found.high - found.low)
    )


def test_draws_without_a_value_are_left_out():
    found = mean_interval(series(9.0, draws=[[1, np.nan, 2, 4, np.nan]], units=4))
    assert found == mean_interval(series(9.0, draws=[[1, 2, 4]], units=4))
    top, bottom = (
        series(1.0, draws=[[1, np.nan, 2, 4]], units=4),
        series(2.0, draws=[[2, 3, np.nan, 5]], units=4),
    )
    assert spread_of(top, bottom).covariance[0, 1] == pytest.approx(
        np.cov([1, 4], [2, 5])[0, 1] * 4 / 3
    )


@pytest.mark.parametrize(
    "one",
    [
        series(7.0),
        series(7.0, draws=[[1.0]], units=5),
        series(7.0, draws=[[np.nan, 1.0]], units=5),
        series(7.0, draws=[[1.0, 2.0, 3.0]], units=1),  # one unit: drawing it again says nothing
        series(7.0, draws=[[]], units=5),
    ],
)
def test_nothing_to_go_by_is_no_interval(one):
    assert spread_of(one) is None
    assert mean_interval(one) == Interval(7.0)
    assert ratio_interval(one, one) == Interval(1.0)
    assert spread_of(series(draws=np.zeros((0, 3)))) is None


def test_combining_keeps_the_draws_that_fit():
    a, b = (
        series(1, 2, draws=[[1, 2], [3, 4]], units=9),
        series(5, 5, draws=[[1, 1], [1, 0]], units=7),
    )
    both = combine(np.subtract, a, b)
    assert (both.values.tolist(), both.draws.tolist(), both.units) == (
        [-4, -3],
        [[0, 1], [2, 4]],
        7,
    )
    assert combine(np.add, a, series(1, 1)).draws is None
    assert (
        combine(np.add, a, series(1, 1, draws=[[1, 1, 1]] * 2)).draws is None
    )  # three draws and two are not the same draws
    assert combine(np.multiply, a, series(2, 3, draws=[[2], [3]])).draws.tolist() == [
        [2, 4],
        [9, 12],
    ]  # one column fits any number


def grid_of_fieller(top, bottom, level=0.95):
    """All ratios R on a fine grid that scipy's t test does not reject: mean(top - R bottom) = 0."""
    value = np.mean(top) / np.mean(bottom)
    grid = value + np.linspace(-3, 3, 60_001)
    p = stats.ttest_1samp(np.subtract(top, np.outer(grid, bottom)), 0, axis=1).pvalue
    kept = grid[p > 1 - level]
    return kept.min(), kept.max()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("blocks", [3, 5, 10])
def test_ratio_interval_holds_what_a_t_test_does_not_reject(blocks, seed):
    rng = np.random.default_rng([seed, blocks])
    bottom = rng.normal(0.6, 0.04, blocks)
    top = 0.5 * bottom + rng.normal(0, 0.05, blocks)
    found = ratio_interval(series(*top), series(*bottom))
    assert found.value == pytest.approx(top.mean() / bottom.mean())
    assert ends(found) == pytest.approx(grid_of_fieller(top, bottom), abs=2e-4)


def test_ratio_by_hand():
    # tops 1, 3 and bottoms 2, 2: a fixed bottom, so half of the t interval of the top: 2 -+ 12.7062
    # x 1
    found = ratio_interval(series(1, 3), series(2, 2))
    assert (found.value, *ends(found)) == pytest.approx(
        (1.0, 1 - 12.7062 / 2, 1 + 12.7062 / 2), abs=1e-4
    )
    # a fixed top: 1 over the ends of the bottom's interval, here 4 -+ 4.302653 sqrt(1 / 3)
    half = 4.302653 / np.sqrt(3)
    assert ends(ratio_interval(series(1, 1, 1), series(3, 4, 5))) == pytest.approx(
        (1 / (4 + half), 1 / (4 - half)), abs=1e-6
    )


def test_ratio_is_of_means_and_what_moves_together_cancels():
    bottom = series(1, 2, 3, 4, 5)
    top = combine(lambda x: 2 * x, bottom)
    assert ratio_interval(top, bottom) == Interval(2.0, 2.0, 2.0)
    apart = ratio_interval(series(2, 9, 4, 1, 7), bottom)
    assert apart.value == pytest.approx(23 / 15)  # not the mean of the ratios
    assert apart.low < 23 / 15 < apart.high
    one = [series(value, draws=[np.linspace(0.8, 1.2, 9) * value], units=5) for value in (2.0, 1.0)]
    assert ratio_interval(*one) == Interval(2.0, 2.0, 2.0)


def test_ratio_has_no_interval_where_its_bottom_may_be_zero():
    top, bottom = series(1, 2, 3), series(0.1, 2, 4)
    assert not mean_interval(bottom).above
    assert ratio_interval(top, bottom) == Interval(top.mean / bottom.mean)
    surely = series(3, 4, 5)
    assert mean_interval(surely).above
    assert ratio_interval(top, surely).low is not None


@pytest.mark.parametrize("seed", range(40))
def test_ratio_excludes_zero_exactly_where_its_top_does(seed):
    rng = np.random.default_rng(seed)
    top, bottom = series(*rng.normal(0.1, 0.1, 4)), series(*rng.normal(1, 0.1, 4))
    found, alone = ratio_interval(top, bottom), mean_interval(top)
    assert (found.above, found.below) == (alone.above, alone.below)


def test_order_of_blocks_and_of_draws_is_of_no_consequence():
    rng = np.random.default_rng(4)
    top, bottom = rng.normal(0.3, 0.1, 7), rng.normal(0.8, 0.1, 7)
    order = rng.permutation(7)
    found, again = (
        ratio_interval(series(*top), series(*bottom)),
        ratio_interval(series(*top[order]), series(*bottom[order])),
    )
    assert (again.value, *ends(again)) == pytest.approx((found.value, *ends(found)), rel=1e-12)
    draws = rng.normal(size=50)
    one, other = (
        mean_interval(series(0.5, draws=[values], units=9))
        for values in (draws, draws[rng.permutation(50)])
    )
    assert ends(one) == pytest.approx(ends(other), rel=1e-12)


def test_pairing_removes_what_blocks_share():
    rng = np.random.default_rng(3)
    shared = rng.normal(0, 10, 8)
    a, b = series(*(shared + 1 + rng.normal(0, 0.01, 8))), series(*shared)
    assert paired_difference(a, b).above
    assert not mean_interval(a).above
    # the t test of scipy gives the same verdict as the interval
    assert stats.ttest_rel(a.values, b.values).pvalue < 0.05


@pytest.mark.parametrize("seed", range(20))
def test_paired_verdict_is_scipys_paired_t_test(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.5, 1, 7), rng.normal(0, 1, 7)
    found = paired_difference(series(*a), series(*b))
    assert (found.above or found.below) == (stats.ttest_rel(a, b).pvalue < 0.05)


def test_rounding_noise_is_a_tie():
    a = series(*(0.1 + 0.2 for _ in range(6)))
    assert not beats([a, series(*([0.3] * 6))]).any()


def test_beats_says_who_is_above_whom():
    better = beats([series(0.5, 0.6, 0.7), series(0.1, 0.2, 0.3), series(0.4, 0.1, 0.9)])
    assert better.tolist() == [[False, True, False], [False, False, False], [False, False, False]]


def test_rank_intervals_by_hand():
    # a beats c and d, b beats d: a 1-2, b 1-3, c 2-4, d 3-4
    better = np.zeros((4, 4), dtype=bool)
    better[0, 2] = better[0, 3] = better[1, 3] = True
    assert rank_intervals(better) == [(1, 2), (1, 3), (2, 4), (3, 4)]
    assert rank_intervals(np.zeros((1, 1), dtype=bool)) == [(1, 1)]
    assert rank_intervals(np.zeros((0, 0), dtype=bool)) == []


def share_covered(make, truth: float, repeats: int = 1000) -> float:
    """How often an interval holds the truth."""
    found = [make(np.random.default_rng([repeat, 7])) for repeat in range(repeats)]
    return float(np.mean([one.low <= truth <= one.high for one in found]))


# 1,000 repeats at 95 %: standard error 0.7 points; docs/intervals.md has the coverage of a board's
# own numbers


@pytest.mark.parametrize("blocks", [2, 3, 5, 10])
def test_t_intervals_cover_as_they_say(blocks):
    assert (
        0.93
        <= share_covered(lambda rng: mean_interval(series(*rng.normal(0, 1, blocks))), 0.0)
        <= 0.97
    )


@pytest.mark.parametrize("blocks", [3, 5, 10])
def test_skill_intervals_cover_as_they_say(blocks):
    def skill(rng):
        floor, gain = rng.normal(0.4, 0.05, blocks), rng.normal(0.2, 0.05, blocks)
        return ratio_interval(series(*gain), series(*(1 - floor)))

    assert 0.93 <= share_covered(skill, 0.2 / 0.6) <= 0.97


@pytest.mark.parametrize("units", [5, 12])
def test_few_perturbations_cover_where_percentiles_of_their_draws_do_not(units):
    percentiles = []

    def of_draws(rng):
        values = rng.normal(0.3, 0.4, units)
        draws = values[rng.integers(units, size=(300, units))].mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        percentiles.append(low <= 0.3 <= high)
        return mean_interval(series(values.mean(), draws=[draws], units=units))

    assert 0.93 <= share_covered(of_draws, 0.3) <= 0.97
    assert np.mean(percentiles) < 0.93


def one_by_one(every, smallest):
    """`beats` as its definition says it, pair by pair."""
    won = np.zeros((len(every), len(every)), dtype=bool)
    for i, a in enumerate(every):
        for j, b in enumerate(every[:i]):
            difference = paired_difference(a, b)
            if abs(difference.value) >= smallest:
                won[i, j], won[j, i] = difference.above, difference.below
    return won


def many(rng, blocks, draws=0, splits=0, units=0.0):
    """Series of one form, some of them equal and some nearly so."""
    every = []
    for _ in range(12):
        values = rng.normal(rng.choice([0.0, 0.3, 1.0]), 0.3, blocks)
        drawn = values[:, None] + rng.normal(0, 0.2, (blocks, draws)) if draws else None
        apart = rng.normal(0, 0.1, splits) + values[0] if splits else None
        every.append(Series(values, drawn, units, apart))
    twin = every[0]
    near = Series(twin.values + 1e-9, twin.draws, units, twin.splits)
    return [*every, twin, near]


@pytest.mark.parametrize("smallest", [0.0, 0.2])
@pytest.mark.parametrize(
    "form",
    [
        {"blocks": 5},
        {"blocks": 2},
        {"blocks": 1},
        {"blocks": 1, "draws": 60},
        {"blocks": 1, "draws": 60, "units": 12.0},
        {"blocks": 1, "draws": 60, "units": 1.0},
        {"blocks": 1, "draws": 60, "units": 12.0, "splits": 4},
        {"blocks": 1, "draws": 60, "splits": 4},
    ],
)
def test_many_are_compared_as_pairs_are(form, smallest):
    rng = np.random.default_rng(3)
    every = many(rng, **form)
    assert beats(every, smallest).tolist() == one_by_one(every, smallest).tolist()


def test_series_of_several_forms_are_compared_as_pairs_are():
    rng = np.random.default_rng(4)
    every = [
        *many(rng, 1, draws=60, units=12.0),
        *many(rng, 1, draws=60, units=9.0, splits=4)[:4],
        *many(rng, 1, draws=60, units=9.0, splits=3)[:4],
        *many(rng, 1)[:3],
        *many(rng, 1, draws=40)[:3],
    ]
    every[2].draws[0, :7] = np.nan
    assert beats(every).tolist() == one_by_one(every, 0.0).tolist()


def test_rows_over_other_slots_are_compared_over_those_that_both_have():
    """Series of one label are taken as they are, others as the pair says."""
    rng = np.random.default_rng(5)
    every = many(rng, 5)
    asked = []

    def pair(i, j):
        asked.append((i, j))
        return every[j], every[i]

    labels = [i % 2 for i in range(len(every))]
    found, plain = beats(every, 0.0, pair, labels), one_by_one(every, 0.0)
    same = np.equal.outer(labels, labels)
    assert found[same].tolist() == plain[same].tolist()
    assert found[~same].tolist() == plain.T[~same].tolist()
    assert {
        labels[i] == labels[j]
        for i, j in asked
        if not np.allclose(every[i].values, every[j].values)
    } == {False}
