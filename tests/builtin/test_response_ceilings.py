"""Ceilings of the metrics of responses: what a perfect answer scores against a noisy truth."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from response_units import (
    CORRELATIONS,
    PRODUCTS,
    in_order,
    random_units,
    units_of,
)

from kobench.api import NotComputed, ResponseUnits
from kobench.builtin.metrics import delta
from kobench.builtin.metrics.ceiling import Power, reachable, trusted
from kobench.builtin.metrics.delta import ChosenUnits, UnitCorrelation, centre
from kobench.builtin.metrics.response import (
    auprc_responding,
    centroid_accuracy,
    cosine_delta,
    pearson_delta,
    pearson_delta_centred,
    sign_accuracy,
    spearman_delta,
)
from kobench.scoring.bootstrap import take


def powers(signal, noise, variance, least=0.0):
    return Power(
        np.array(signal), np.array(noise), np.array(variance), np.broadcast_to(least, len(signal))
    )


def test_the_power_of_a_change_by_hand():
    # halves (2, -2) and (4, -4): c = (3, -3), d = (-1, 1); then (3, -1) and (3, -5): c the same, d
    # = (0, 2)
    power = Power.of(np.array([[[[2.0, -2]], [[4, -4]]], [[[3, -1]], [[3, -5]]]]))
    assert power.signal.tolist() == [15.0]  # of 16 and 14; 18, the sum of cc, less the noise
    assert power.noise.tolist() == [3.0]  # of 2 and 4
    # (sum cd)^2 = 36 in both; of d and the other d the sum is 2, t = 4; for two splits 2 t / s = 4
    assert (power.variance.tolist(), power.least.tolist()) == ([4 * 36 - 2 * 4 + 4], [2 * 4 + 4])
    assert Power.of(np.ones((1, 2, 3, 4))).variance.tolist() == [0, 0, 0]


def test_the_ceiling_by_hand():
    # mean signal 4, variance of signals 16, less 8 of their own: half is kept. m' = 2, 4, 6
    asked = powers([0.0, 4, 8], [4.0] * 3, [8.0] * 3)
    roots = np.sqrt([1 / 3, 1 / 2, 3 / 5])
    doubt = 2 * math.sqrt(
        16 / 3
    )  # of the mean; half of it reaches each m', and the first falls below 0
    lower = [0.0, *(math.sqrt((m - doubt / 2) / (m - doubt / 2 + 4)) for m in (4, 6))]
    slopes = (roots - lower) / doubt
    np.testing.assert_allclose(
        reachable(asked, asked), roots + slopes.mean() * np.array([-4, 0, 4])
    )
    some = Power(*(values[1:] for values in vars(asked).values()))
    np.testing.assert_allclose(
        reachable(some, asked), roots[1:] + slopes[1:].mean() * np.array([-2, 2])
    )
    # the further signals are apart, the more of each is kept; without any sign of a difference,
    # only their mean, and 0 if that is negative
    far = powers([0.0, 400, 800], [4.0] * 3, [8.0] * 3)
    assert trusted(far, far).tolist() == pytest.approx([1 - 8 / 160_000] * 3)
    for shift, expected in ((4.0, math.sqrt(0.5)), (-4.0, 0.0)):
        near = powers(np.array([-1.0, 0, 1]) + shift, [4.0] * 3, [8.0] * 3)
        assert reachable(near, near).mean() == pytest.approx(expected)
    # a single signal's variance is never under what it is without signal; their mean counts as it
    # is
    uneven = powers([0.0, 4, 8], [4.0] * 3, [1.0, -1, 24], least=[3.0, 3, 3])
    np.testing.assert_allclose(trusted(uneven, uneven), [8 / 11, 8 / 11, 8 / 32])


@pytest.mark.parametrize("signal", [0.0, 4.0, 8.0, 400.0])
def test_a_single_change_that_was_chosen_is_trusted_as_among_all(signal):
    """A change that was chosen of many by its signal was chosen by its noise, too."""
    asked = powers([0.0, 4, 8], [4.0] * 3, [8.0] * 3)
    one = powers([signal], [4.0], [8.0])
    assert trusted(one, asked).tolist() == [0.5]
    middle = 4 + (signal - 4) / 2
    assert reachable(one, asked).tolist() == pytest.approx([math.sqrt(middle / (middle + 4))])
    # of a single one asked nothing tells how far signals are apart
    assert trusted(asked, one).tolist() == [1.0] * 3
    assert reachable(one, one).tolist() == pytest.approx([math.sqrt(signal / (signal + 4))])


def test_the_terms_of_a_ceiling_are_what_moves_the_mean_signal():
    rng = np.random.default_rng(0)
    asked = powers(
        rng.normal(600, 3, 9), rng.uniform(200, 400, 9), [5.0] * 9
    )  # far from 0, where the root is nearly straight
    alone = powers(
        asked.signal, asked.noise, [np.inf] * 9
    )  # nothing of a single signal is trusted: all terms are those of the mean
    values = reachable(alone, asked)

    def at(mean):
        return np.sqrt(mean / (mean + asked.noise)).mean()

    mean = asked.signal.mean()
    assert values.mean() == pytest.approx(at(mean))
    often = rng.multinomial(9, np.full(9, 1 / 9))
    moved = often @ asked.signal / 9
    own = np.sqrt(mean / (mean + asked.noise)) @ often / 9 - at(mean)
    assert values @ often / 9 - own == pytest.approx(
        at(moved), abs=0.02 * abs(at(moved) - at(mean))
    )


def test_a_ceiling_whose_mean_signal_may_be_0_reaches_down_to_0():
    """The interval must not hide that the mean signal may be 0.

    Where nothing responds it is above 0 half of the time, and its root far above.
    """
    rng = np.random.default_rng(1)
    above = 0
    for _ in range(400):
        asked = powers(rng.normal(0, 1, 20), [3.0] * 20, [1.0] * 20)
        values = reachable(asked, asked)
        above += bool(
            values.mean() > 0 and values.mean() - 2.09 * values.std(ddof=1) / math.sqrt(20) > 0
        )
    assert above / 400 < 0.1  # 0.17 by the tangent


def cells_in_halves(rng, true, n, noise, splits=20):
    """(s, 2, k, G) halves of k measured means of n cells each, and the means (k, G).

    The noise has r directions, (r, G).
    """
    cells = true[:, None] + rng.normal(size=(len(true), n, len(noise))) @ noise
    halves = []
    for _ in range(splits):
        order = rng.permutation(n)
        halves.append(
            [cells[:, order[: n // 2]].mean(axis=1), cells[:, order[n // 2 :]].mean(axis=1)]
        )
    return np.array(halves), cells.mean(axis=1)


def test_signal_noise_and_variance_are_what_other_cells_would_give():
    rng = np.random.default_rng(1)
    true, noise = rng.normal(size=30), rng.normal(size=(4, 30)) * 2
    halves, means = cells_in_halves(rng, np.tile(true, (4000, 1)), 40, noise, 8)
    power = Power.of(halves)
    assert power.signal.mean() == pytest.approx((true**2).sum(), rel=0.03)
    assert power.noise.mean() == pytest.approx((noise**2).sum() / 40, rel=0.02)
    assert ((means - true) ** 2).sum(axis=1).mean() == pytest.approx(
        (noise**2).sum() / 40, rel=0.05
    )
    assert power.variance.mean() == pytest.approx(power.signal.var(), rel=0.15)


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_ceiling_of_one_split_is_the_root_of_spearman_and_browns_reliability(name):
    units = random_units(2, digits=1, splits=1, targets=2)
    expected = []
    for number, halves in enumerate(zip(*units.halves[0], strict=True)):
        pair = units.halves[0]
        if name.endswith("unit"):  # by what scales the truth, which is the mean of the two
            pair = pair / np.sqrt(np.nansum(pair.mean(axis=0) ** 2, axis=1))[:, None]
        a, b = (levelled_one(name, pair[i])[number] for i in (0, 1))
        kept = ~np.isnan(halves[0])
        a, b = (
            values[kept] - (0 if name == "cosine-delta" else values[kept].mean())
            for values in (a, b)
        )
        r = max(0, a @ b / ((a @ a + b @ b) / 2))
        expected.append(math.sqrt(2 * r / (1 + r)))
    found = PRODUCTS[name].ceiling(units)
    np.testing.assert_allclose(in_order(found, units), expected, rtol=1e-10)
    assert found.over == "perturbation"
    np.testing.assert_array_equal(found.weights, np.ones(7))


def levelled_one(name, changes):
    return centre(changes) if "centred" in name else changes


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_true_change_reaches_the_ceiling(name):
    rng = np.random.default_rng(0)
    k, g = 12, 1500
    exact = rng.normal(size=g) + rng.normal(size=(k, g))
    first, second = (
        exact + rng.normal(size=(k, g)) * 1.5 for _ in range(2)
    )  # independent halves; the truth is their mean
    units = units_of(exact, (first + second) / 2, halves=np.array([[first, second]]))
    score, ceiling = CORRELATIONS[name](units).value, CORRELATIONS[name].ceiling(units).value
    assert 0.6 < ceiling < 0.95
    assert score == pytest.approx(ceiling, abs=0.02)


def test_the_true_change_reaches_the_ceiling_over_perturbations_chosen_by_their_halves():
    """Where changes are chosen by their halves, plain Spearman-Brown promises too much.

    The cells vary in few directions.
    """
    rng = np.random.default_rng(2)
    gaps = []
    for _ in range(40):
        true = rng.normal(size=(20, 60)) * rng.gamma(2.0, 0.25, size=(20, 1))
        halves, means = cells_in_halves(rng, true, 40, rng.normal(size=(4, 60)) * 4, 10)
        everything = ResponseUnits(true, means, np.arange(20), halves=halves)
        r = np.mean(
            [[np.corrcoef(a, b)[0, 1] for a, b in zip(*split, strict=True)] for split in halves],
            axis=0,
        )
        rows = np.flatnonzero(r >= 0.2)
        if len(rows) < 5:
            continue
        chosen = ChosenUnits(
            true[rows], means[rows], rows, halves=halves[:, :, rows], asked=(halves,)
        )
        plain = np.sqrt(2 * r[rows] / (1 + r[rows])).mean()
        score = pearson_delta(chosen).value
        score, everywhere = pearson_delta(chosen).value, pearson_delta(everything).value
        gaps.append(
            [
                pearson_delta.ceiling(chosen).value - score,
                plain - score,
                pearson_delta.ceiling(everything).value - everywhere,
            ]
        )
    assert len(gaps) > 30
    chosen, plain, everything = np.mean(gaps, axis=0)  # scores are near 0.39
    assert plain > 0.25
    assert abs(chosen) < 0.4 * plain
    assert abs(everything) < 0.08


def test_all_halves_stay_when_chosen_perturbations_are_drawn_again():
    units = random_units(3, k=9)
    rows = np.arange(0, 9, 2)
    chosen = ChosenUnits(
        units.predicted[rows],
        units.true[rows],
        units.perturbations[rows],
        True,
        units.halves[:, :, rows],
        units.responds[rows],
        asked=(units.halves,),
    )
    again = take(chosen, "perturbation", units.perturbations[rows][[0, 0, 3, 1, 2]])
    assert again.asked[0] is units.halves
    assert pearson_delta.ceiling(again).value > 0
    everything = ChosenUnits(**{**vars(units), "asked": (units.halves,)})
    assert (
        pearson_delta_centred.ceiling(everything).value
        == pearson_delta_centred.ceiling(units).value
    )


@pytest.mark.parametrize("score", [pearson_delta, pearson_delta_centred, cosine_delta])
def test_a_ceiling_is_the_same_a_few_perturbations_at_a_time(score, monkeypatch):
    units = random_units(4, k=11)
    scores = [score, UnitCorrelation("pearson", centred=True)]
    whole = [each.ceiling(units).sums for each in scores]
    monkeypatch.setattr(delta, "NUMBERS_AT_ONCE", 4 * units.halves[:, :, 0].size)
    parts = [each.ceiling(units).sums for each in scores]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)


def test_a_truth_without_noise_has_no_ceiling():
    with pytest.raises(NotComputed, match="no noise"):
        pearson_delta.ceiling(dataclasses.replace(random_units(), halves=None))
    for score in (sign_accuracy, auprc_responding, centroid_accuracy, spearman_delta):
        assert not hasattr(score, "ceiling")
