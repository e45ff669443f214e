"""Response metrics against hand-worked numbers, scipy and scikit-learn.

Also when answers are permuted among perturbations.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score

from kobench.api import NotComputed, RankingUnits, ResponseUnits
from kobench.builtin.metrics import pairwise, ranking
from kobench.builtin.metrics import response as metrics
from kobench.builtin.metrics.ceiling import Power, reachable, trusted
from kobench.builtin.metrics.delta import ChosenUnits, centre
from kobench.builtin.metrics.response import (
    auprc_responding,
    centroid_accuracy,
    cosine_delta,
    pearson_delta,
    pearson_delta_centred,
    sign_accuracy,
    spearman_delta,
)
from kobench.builtin.specs.metrics import metric_specs
from kobench.scoring.bootstrap import block_counts, draws, take

CORRELATIONS = {
    "pearson-delta-centred": pearson_delta_centred,
    "pearson-delta": pearson_delta,
    "spearman-delta": spearman_delta,
    "cosine-delta": cosine_delta,
}
#: Those with a ceiling.
PRODUCTS = {name: metric for name, metric in CORRELATIONS.items() if name != "spearman-delta"}
METRICS = {
    **CORRELATIONS,
    "sign-accuracy": sign_accuracy,
    "auprc-responding": auprc_responding,
    "centroid-accuracy": centroid_accuracy,
}
NAN = math.nan


def units_of(predicted, true, **more) -> ResponseUnits:
    predicted, true = np.array(predicted, float), np.array(true, float)
    return ResponseUnits(predicted, true, np.arange(len(true)) * 2 + 1, **more)


def random_units(seed=0, k=7, g=20, digits=None, splits=3, targets=1) -> ResponseUnits:
    """Changes with a common part and noise; with few digits there are ties.

    Each perturbation has gaps at 1 to `targets` genes, some of them shared.
    """
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=g), rng.normal(size=(k, g))
    true, predicted = common + own, 0.5 * common + own + rng.normal(size=(k, g))
    halves = true + rng.normal(size=(splits, 2, k, g))
    if digits is not None:
        true, predicted, halves = (values.round(digits) for values in (true, predicted, halves))
    responds = np.abs(true) > 1.2
    for row in range(k):
        genes = rng.permutation(g if row else 4)[: rng.integers(1, targets + 1)]
        for values in (true, predicted):
            values[row, genes] = NAN
        halves[:, :, row, genes] = NAN
    return ResponseUnits(predicted, true, rng.permutation(k) * 3, halves=halves, responds=responds)


def one_value(name, predicted, true, responds):
    """One perturbation by scipy or scikit-learn over the genes that both rows have."""
    kept = ~(np.isnan(predicted) | np.isnan(true))
    a, b, responds = predicted[kept], true[kept], responds[kept]
    if name == "cosine-delta":
        return 1 - cosine(a, b)
    if name == "spearman-delta":
        return spearmanr(a, b)[0]
    if name.startswith("pearson"):
        return pearsonr(a, b)[0]
    if name == "auprc-responding":
        return average_precision_score(responds, np.abs(a))
    return np.mean(
        [
            0.5 if p == 0 else float((p > 0) == (t > 0))
            for p, t in zip(a[responds], b[responds], strict=True)
        ]
    )


def levelled(name, units):
    centred = name in ("pearson-delta-centred", "centroid-accuracy")
    values = units.predicted, units.true
    return tuple(rows - np.nanmean(rows, axis=0) for rows in values) if centred else values


def table_of(name, units):
    """(k, k) the value of answer i for truth j, one by one."""
    predicted, true = levelled(name, units)
    k = len(true)
    responds = np.zeros(true.shape, bool) if units.responds is None else units.responds
    if name == "centroid-accuracy":
        similarity = table_of(
            "pearson-delta", dataclasses.replace(units, predicted=predicted, true=true)
        )
        return np.array(
            [
                [
                    (
                        sum(own > other for other in row)
                        + (sum(own == other for other in row) - 1) / 2
                    )
                    / (k - 1)
                    for own in row
                ]
                for row in similarity
            ]
        )
    return np.array(
        [[one_value(name, predicted[i], true[j], responds[j]) for j in range(k)] for i in range(k)]
    )


def in_order(parts, units):
    """Values in the order of the units."""
    values = dict(zip(parts.ids.tolist(), parts.sums, strict=True))
    return np.array([values[number] for number in units.perturbations.tolist()])


# by hand


def test_pearson_spearman_and_cosine_by_hand():
    # the target, a gap, is left out; deviations of 1, 2, 6 and of 2, 1, 6 from 3: -2, -1, 3 and -1,
    # -2, 3
    units = units_of([[1, 2, 6, NAN]], [[2, 1, 6, NAN]])
    assert pearson_delta(units).value == pytest.approx(13 / 14)
    assert spearman_delta(units).value == pytest.approx(0.5)
    assert cosine_delta(units).value == pytest.approx(40 / 41)


def test_the_mean_over_perturbations_says_nothing():
    common = np.array([5.0, -5.0, 3.0, 1.0, 0.0])
    own = np.eye(5)
    units = units_of(common + 1e-3 * own, -2 * common + own)
    assert pearson_delta(units).value < -0.9  # what they have in common is wrong
    assert pearson_delta_centred(units).value == pytest.approx(
        1.0
    )  # what each has of its own is right
    wrong = units_of(common + own[::-1], common + own)
    # of five perturbations the middle one is right; two one-hot rows less their mean correlate by
    # -1/4
    assert pearson_delta_centred(wrong).value == pytest.approx((1 - 4 / 4) / 5)
    np.testing.assert_allclose(pearson_delta_centred(wrong).sums, [-0.25, -0.25, 1, -0.25, -0.25])
    assert pearson_delta(wrong).value > 0.8


def test_the_mean_leaves_out_the_targets():
    values = np.array([[NAN, 1.0], [3.0, 2.0], [5.0, NAN]])
    np.testing.assert_allclose(centre(values), [[NAN, -0.5], [-1.0, 0.5], [1.0, NAN]])
    np.testing.assert_allclose(centre(np.array([[NAN, 1.0]])), [[NAN, 0.0]])


def test_sign_accuracy_by_hand():
    responds = np.array([[True, True, True, True, False], [False, True, False, False, True]])
    units = units_of(
        [[1, 0, 3, NAN, -1], [7, 7, NAN, 0, 2]],
        [[2, 1, -1, NAN, 1], [1, -1, NAN, 1, 1]],
        responds=responds,
    )
    # right, half, wrong, target, does not respond: 0.5; wrong and right: 0.5
    np.testing.assert_allclose(sign_accuracy(units).sums, [0.5, 0.5])
    better = dataclasses.replace(units, predicted=units.true)
    assert sign_accuracy(better).value == 1.0
    assert sign_accuracy(dataclasses.replace(units, predicted=0 * units.true)).value == 0.5


def test_auprc_by_hand():
    responds = np.array([[True, False, True, False]])
    # by size: gene 1 (no), gene 0 (yes), genes 2 and 3 tied: recall 1/2 at 1/2, recall 1/2 at 2/4
    units = units_of([[-2, 3, 1, -1]], [[1, 1, 1, 1]], responds=responds)
    assert auprc_responding(units).value == pytest.approx(0.5)
    assert (
        auprc_responding(dataclasses.replace(units, predicted=np.array([[-2.0, 0, 1, 0]]))).value
        == 1.0
    )


def test_centroid_accuracy_by_hand():
    true = np.eye(5)
    predicted = np.array(
        [[1.0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
    )
    # less their mean, answers 0 and 1 are 3, 0, -2, -2, -1 fifths, 2 and 3 are -2, 0, 3, 3, -1 and
    # the last -2, 0, -2, -2, 4
    np.testing.assert_allclose(
        centroid_accuracy(units_of(predicted, true)).sums, [1, 3 / 4, 3.5 / 4, 3.5 / 4, 1]
    )


# against scipy and scikit-learn


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("name", METRICS)
def test_like_scipy_and_sklearn(name, digits):
    for seed in range(4):
        units = random_units(seed, digits=digits, targets=3)
        expected = np.diag(table_of(name, units))
        np.testing.assert_allclose(
            in_order(METRICS[name](units), units), expected, rtol=1e-10, atol=1e-12
        )
        assert METRICS[name](units).value == pytest.approx(expected.mean(), abs=1e-12)


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("name", METRICS)
def test_every_answer_with_every_truth_like_scipy_and_sklearn(name, digits):
    for seed, targets in ((0, 1), (1, 3), (2, 2)):
        units = random_units(seed, digits=digits, targets=targets)
        compared = METRICS[name].compare(units)
        assert len(compared.kept) == 7
        np.testing.assert_allclose(compared.pairs(), table_of(name, units), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            np.diag(compared.pairs()), compared.values(), rtol=1e-12, atol=1e-14
        )


rows_with_gaps = st.lists(
    st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0, -1.0]), min_size=6, max_size=6),
    min_size=1,
    max_size=4,
)


@given(rows_with_gaps, rows_with_gaps)
@settings(max_examples=150, deadline=None)
def test_pairs_are_rows_one_by_one(first, second):
    a, b = np.array(first), np.array(second)
    for pairs, rows in (
        (pairwise.correlate_pairs, pairwise.correlate_rows),
        (
            lambda a, b: pairwise.correlate_pairs(a, b, False),
            lambda a, b: pairwise.correlate_rows(a, b, False),
        ),
        (pairwise.rank_correlate_pairs, pairwise.rank_correlate_rows),
    ):
        slow = np.array([[rows(x[None], y[None])[0] for y in b] for x in a])
        np.testing.assert_allclose(pairs(a, b), slow, atol=1e-12)


@given(rows_with_gaps, rows_with_gaps)
@settings(max_examples=100, deadline=None)
def test_rows_like_scipy(first, second):
    for x, y in zip(np.array(first), np.array(second), strict=False):
        kept = ~(np.isnan(x) | np.isnan(y))
        if kept.sum() > 1 and np.ptp(x[kept]) and np.ptp(y[kept]):
            expected = pearsonr(x[kept], y[kept])[0], spearmanr(x[kept], y[kept])[0]
        else:
            expected = 0.0, 0.0
        found = (
            pairwise.correlate_rows(x[None], y[None])[0],
            pairwise.rank_correlate_rows(x[None], y[None])[0],
        )
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_is_left_beside_a_giant_entry_is_correlated_all_the_same():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(1, 30)), rng.normal(size=(1, 30))
    expected = pearsonr(a[0, 1:], b[0, 1:])[0]
    b[0, 0] = NAN
    for giant, tolerance in ((1e4, 1e-9), (1e7, 1e-6)):
        a[0, 0] = giant
        assert pairwise.correlate_pairs(a, b)[0, 0] == pytest.approx(expected, abs=tolerance)
    one_hot = np.zeros((1, 30))
    one_hot[0, 0] = 7.0  # nothing but rounding is left of it
    assert pairwise.correlate_pairs(one_hot, b)[0, 0] == 0.0
    assert pairwise.correlate_pairs(one_hot, b, centre=False)[0, 0] == 0.0


def test_blocks_of_rows_change_nothing(monkeypatch):
    units = random_units(5, k=9, targets=2, digits=0)
    whole = pairwise.rank_correlate_pairs(units.predicted, units.true)
    monkeypatch.setattr(pairwise, "NUMBERS_A_BLOCK", 45)  # two rows
    np.testing.assert_array_equal(pairwise.rank_correlate_pairs(units.predicted, units.true), whole)
    monkeypatch.setattr(pairwise, "CANCELLED", 2.0)  # every pair is computed one by one
    slow = pairwise.correlate_pairs(units.predicted, units.true)
    monkeypatch.undo()
    np.testing.assert_allclose(
        pairwise.correlate_pairs(units.predicted, units.true), slow, atol=1e-12
    )


# permuted answers


@pytest.mark.parametrize("name", METRICS)
def test_permuted_values_are_those_of_every_order_of_the_answers(name):
    units = random_units(3, k=5, g=12)
    table = table_of(name, units)
    every = {
        round(np.mean([table[i, j] for j, i in enumerate(order)]), 9)
        for order in itertools.permutations(range(5))
    }
    values = METRICS[name].permuted(units, 4000, 1)
    assert values.shape == (4000,)
    assert {round(value, 9) for value in values} == every  # 120 orders, each about 33 times
    assert values.mean() == pytest.approx(table.mean(), abs=4 * values.std() / math.sqrt(4000))
    assert (
        np.abs(values - METRICS[name](units).value).min() < 1e-14
    )  # the given order is one of them
    np.testing.assert_array_equal(values, METRICS[name].permuted(units, 4000, 1))
    assert (values != METRICS[name].permuted(units, 4000, 2)).any()


def test_permuting_leaves_chance():
    values = centroid_accuracy.permuted(random_units(0, k=20, g=60), 2000, 0)
    assert values.mean() == pytest.approx(0.5, abs=0.01)
    values = pearson_delta_centred.permuted(random_units(0, k=20, g=60), 2000, 0)
    assert abs(values.mean()) < 0.02
    assert pearson_delta_centred(random_units(0, k=20, g=60)).value > values.max()


def test_the_same_answer_for_every_perturbation_knows_none():
    units = random_units(0)
    same = np.where(np.isnan(units.true), NAN, np.arange(20.0))
    units = dataclasses.replace(units, predicted=same)
    assert math.isnan(pearson_delta_centred(units).value)
    assert math.isnan(centroid_accuracy(units).value)
    assert np.isnan(pearson_delta_centred.permuted(units, 5, 0)).all()
    assert not math.isnan(pearson_delta(units).value)


# ceilings


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
        a, b = (levelled_one(name, units.halves[0][i])[number] for i in (0, 1))
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
    return centre(changes) if name.endswith("centred") else changes


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


def test_a_truth_without_noise_has_no_ceiling():
    with pytest.raises(NotComputed, match="no noise"):
        pearson_delta.ceiling(dataclasses.replace(random_units(), halves=None))
    for score in (sign_accuracy, auprc_responding, centroid_accuracy, spearman_delta):
        assert not hasattr(score, "ceiling")


# degenerate answers and truths


def test_a_perturbation_without_change_is_dropped_for_everybody():
    units = random_units(1, k=8)
    silent = units.true.copy()
    silent[3] = np.where(np.isnan(silent[3]), NAN, 1e-10)
    units = dataclasses.replace(units, true=silent)
    rest = np.delete(np.arange(8), 3)
    without = ResponseUnits(
        units.predicted[rest],
        units.true[rest],
        units.perturbations[rest],
        True,
        units.halves[:, :, rest],
    )
    for name, score in {**CORRELATIONS, "centroid-accuracy": centroid_accuracy}.items():
        assert units.perturbations[3] not in score(units).ids
        assert score(units).value == pytest.approx(score(without).value, rel=1e-12), name
        np.testing.assert_allclose(
            score.permuted(units, 9, 0), score.permuted(without, 9, 0), rtol=1e-9, atol=1e-12
        )
    np.testing.assert_array_equal(pearson_delta.ceiling(units).ids, pearson_delta(units).ids)


def test_a_constant_centred_truth_is_dropped_and_a_constant_answer_counts_as_0():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(6, 9))
    true[5] = true[:5].mean(axis=0)  # exactly the mean of all: nothing of its own
    predicted = rng.normal(size=(6, 9))
    predicted[4] = predicted[[0, 1, 2, 3, 5]].mean(axis=0)
    found = pearson_delta_centred(units_of(predicted, true))
    assert found.ids.tolist() == [1, 3, 5, 7, 9]
    assert found.sums[4] == 0.0
    assert (found.sums[:4] != 0).all()
    assert pearson_delta(units_of(predicted, true)).ids.tolist() == [1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
@pytest.mark.parametrize("name", METRICS)
def test_the_scale_of_an_answer_does_not_matter(name, scale):
    units = random_units(4)
    scaled = dataclasses.replace(units, predicted=scale * units.predicted)
    assert METRICS[name](scaled).value == pytest.approx(METRICS[name](units).value, rel=1e-9)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_rounding_is_no_answer(name):
    units = random_units(0)
    rng = np.random.default_rng(1)
    nearly = np.where(np.isnan(units.true), NAN, 0.3 + 1e-13 * rng.normal(size=units.true.shape))
    if name == "cosine-delta":
        nearly = 0 * units.true
    assert math.isnan(CORRELATIONS[name](dataclasses.replace(units, predicted=nearly)).value)


@pytest.mark.parametrize("name", [name for name in METRICS if name != "sign-accuracy"])
def test_no_change_at_all_is_no_answer(name):
    units = random_units(0)
    nothing = dataclasses.replace(units, predicted=0 * units.predicted)
    assert math.isnan(METRICS[name](nothing).value)
    assert np.isnan(METRICS[name].permuted(nothing, 3, 0)).all()
    assert np.isnan(draws(METRICS[name], nothing, "perturbation", 3, 0)).all()


def test_one_constant_answer_among_others_counts_as_chance():
    units = random_units(0)
    predicted = units.predicted.copy()
    predicted[2] = 0 * predicted[2]
    units = dataclasses.replace(units, predicted=predicted)
    for score in (pearson_delta, spearman_delta, cosine_delta):
        assert in_order(score(units), units)[2] == 0.0
    known = ~np.isnan(units.true[2])
    assert in_order(auprc_responding(units), units)[2] == pytest.approx(
        units.responds[2][known].mean()
    )
    alike = np.where(np.isnan(units.true), NAN, 1.0)
    alike[0, ~np.isnan(units.true[0])] = np.arange(np.isfinite(units.true[0]).sum())
    alike[1:] = np.where(np.isnan(units.true[1:]), NAN, 0.0)
    assert centroid_accuracy(dataclasses.replace(units, predicted=alike)).value > 0


def test_centring_takes_five_perturbations():
    units = random_units(0, k=4)
    with pytest.raises(
        NotComputed,
        match="4 with a true change; taking out their mean needs 5 perturbations or more",
    ):
        pearson_delta_centred(units)
    with pytest.raises(NotComputed, match="needs 5 perturbations"):
        centroid_accuracy(units)
    with pytest.raises(NotComputed):
        pearson_delta_centred.permuted(units, 3, 0)
    for name in (
        "pearson-delta",
        "spearman-delta",
        "cosine-delta",
        "sign-accuracy",
        "auprc-responding",
    ):
        assert math.isfinite(METRICS[name](units).value)


def test_one_perturbation_and_equal_ones():
    one = random_units(0, k=1)
    alike = np.tile(np.arange(4.0), (6, 1))
    with pytest.raises(NotComputed, match="true changes are all alike"):
        centroid_accuracy(units_of(alike, alike))
    assert pearson_delta(one).value == pytest.approx(table_of("pearson-delta", one)[0, 0])
    assert pearson_delta.permuted(one, 3, 0).tolist() == pytest.approx(
        [pearson_delta(one).value] * 3, rel=1e-12
    )


def test_an_answer_without_signs_says_only_which_genes_respond():
    units = dataclasses.replace(random_units(0), signed=False)
    for name, score in METRICS.items():
        if name == "auprc-responding":
            assert score(units).value == pytest.approx(np.diag(table_of(name, units)).mean())
        else:
            with pytest.raises(
                NotComputed, match="which genes are affected, not in which direction"
            ):
                score(units)


def test_what_can_not_be_computed_says_why():
    units = random_units(0)
    untested = dataclasses.replace(units, responds=None)
    none, everything = (np.full(units.true.shape, value) for value in (False, True))
    for score in (sign_accuracy, auprc_responding):
        with pytest.raises(NotComputed, match="no gene was tested"):
            score(untested)
    with pytest.raises(NotComputed, match="no gene responds"):
        sign_accuracy(dataclasses.replace(units, responds=none))
    for responds in (none, everything):
        with pytest.raises(NotComputed, match="some genes respond and others not"):
            auprc_responding(dataclasses.replace(units, responds=responds))
    still = dataclasses.replace(units, true=0 * units.true)
    for score in (*CORRELATIONS.values(), centroid_accuracy):
        with pytest.raises(NotComputed, match="no perturbation changes any gene"):
            score(still)
    empty = ResponseUnits(
        np.empty((0, 5)), np.empty((0, 5)), np.empty(0, int), responds=np.empty((0, 5), bool)
    )
    for score in METRICS.values():
        with pytest.raises(NotComputed):
            score(empty)
    level = dataclasses.replace(units, true=np.where(np.isnan(units.true), NAN, 0.5))
    with pytest.raises(NotComputed, match="differ between genes"):
        pearson_delta(level)
    alike = np.tile(np.arange(20.0), (7, 1))
    with pytest.raises(NotComputed, match="differ between genes"):
        pearson_delta_centred(dataclasses.replace(units, true=alike))


def test_responding_genes_that_are_targets_do_not_count():
    units = random_units(0)
    responds = units.responds | np.isnan(units.true)  # a target always responds
    for score in (sign_accuracy, auprc_responding):
        marked = dataclasses.replace(units, responds=responds)
        assert score(marked).value == score(units).value
        np.testing.assert_array_equal(score.permuted(marked, 5, 0), score.permuted(units, 5, 0))


def test_a_pair_without_a_responding_gene_left_counts_as_chance():
    true = np.array([[1.0, 2.0, NAN], [NAN, 1.0, 2.0]])
    responds = np.array([[True, False, False], [False, False, True]])
    units = units_of(
        true, true, responds=responds
    )  # the only responding gene of 0 is the target of 1, and the other way round
    assert sign_accuracy.compare(units).pairs().tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert auprc_responding.compare(units).pairs().tolist() == [[0.5, 0.5], [0.5, 1.0]]


# what holds for each of them


@pytest.mark.parametrize("name", [name for name in METRICS if name != "auprc-responding"])
def test_the_truth_scores_exactly_best(name):
    for seed in range(5):
        units = random_units(seed, targets=2)
        assert METRICS[name](dataclasses.replace(units, predicted=units.true)).value == 1.0


@pytest.mark.parametrize("name", METRICS)
def test_values_lie_in_the_range_and_noise_is_worse(name):
    spec = next(spec for spec in metric_specs() if spec.of == "response" and spec.name == name)
    rng = np.random.default_rng(0)
    units = random_units(0, k=30, g=80)
    values = []
    for amount in (0.2, 1.0, 10.0, 100.0):
        noisy = dataclasses.replace(
            units, predicted=units.true + amount * rng.normal(size=units.true.shape)
        )
        values.append(METRICS[name](noisy).value)
    assert spec.best >= values[0] >= values[1] > values[2] > values[3] >= spec.low
    wrong = dataclasses.replace(units, predicted=-units.true)
    if name not in ("auprc-responding", "centroid-accuracy"):
        assert METRICS[name](wrong).value == pytest.approx(spec.low, abs=1e-12)


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("name", METRICS)
def test_order_does_not_matter(name, digits):
    units = random_units(6, digits=digits, targets=2)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(7), rng.permutation(20)
    moved = ResponseUnits(
        units.predicted[rows][:, columns],
        units.true[rows][:, columns],
        units.perturbations[rows],
        True,
        units.halves[:, :, rows][..., columns],
        units.responds[rows][:, columns],
    )
    score = METRICS[name]
    assert score(moved).value == pytest.approx(score(units).value, rel=1e-12)
    np.testing.assert_allclose(
        draws(score, moved, "perturbation", 9, 1),
        draws(score, units, "perturbation", 9, 1),
        rtol=1e-11,
    )
    if name in PRODUCTS:
        assert score.ceiling(moved).value == pytest.approx(score.ceiling(units).value, rel=1e-12)
    np.testing.assert_allclose(
        score.permuted(moved, 50, 2), score.permuted(units, 50, 2), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("name", METRICS)
def test_draws_take_the_values_of_perturbations_as_they_are(name, monkeypatch):
    def never(*arguments):
        raise AssertionError("units were built again")

    monkeypatch.setattr("kobench.scoring.bootstrap.take", never)
    units = random_units(0)
    values = METRICS[name](units)
    counts = block_counts(units.perturbations, 20, 3)[1].astype(float)
    by_id = values.sums[np.argsort(values.ids)]
    assert len(by_id) == 7
    np.testing.assert_allclose(
        draws(METRICS[name], units, "perturbation", 20, 3), counts @ by_id / 7
    )
    if name in PRODUCTS:
        assert np.ptp(draws(CORRELATIONS[name].ceiling, units, "perturbation", 20, 3)) > 0


@pytest.mark.parametrize("name", METRICS)
def test_scoring_changes_no_unit(name):
    units = random_units(0)
    before = {
        field.name: np.copy(getattr(units, field.name)) for field in dataclasses.fields(units)
    }
    METRICS[name](units)
    METRICS[name].permuted(units, 5, 0)
    if name in PRODUCTS:
        METRICS[name].ceiling(units)
    for field, values in before.items():
        np.testing.assert_array_equal(getattr(units, field), values)


def test_every_metric_of_responses_is_tested_here():
    specs = {spec.name: spec for spec in metric_specs() if spec.of == "response"}
    assert sorted(specs) == sorted(METRICS)
    for name, spec in specs.items():
        assert getattr(metrics, spec.score.rpartition(":")[2]) is METRICS[name]


# with-abundance


def test_with_abundance_by_hand_and_like_scipy():
    rng = np.random.default_rng(0)
    units = RankingUnits(
        rng.random(30).round(1), rng.random(30), np.arange(30), rng.random(30).round(1)
    )
    assert ranking.with_abundance(units) == pytest.approx(
        spearmanr(units.predicted, units.abundance)[0], rel=1e-12
    )
    assert ranking.with_abundance(dataclasses.replace(units, predicted=units.abundance)) == 1.0
    assert ranking.with_abundance(dataclasses.replace(units, predicted=-units.abundance)) == -1.0
    small = RankingUnits(
        np.array([1.0, 2, 3]), np.array([3.0, 2, 1]), np.arange(3), np.array([1.0, 3, 2])
    )
    assert ranking.with_abundance(small) == pytest.approx(0.5)  # whatever the truth says


def test_with_abundance_of_nothing():
    units = RankingUnits(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.arange(2))
    with pytest.raises(NotComputed, match="no abundance is known"):
        ranking.with_abundance(units)
    with pytest.raises(NotComputed, match="abundances are all equal"):
        ranking.with_abundance(dataclasses.replace(units, abundance=np.ones(2)))
    assert math.isnan(
        ranking.with_abundance(RankingUnits(np.ones(2), np.ones(2), np.arange(2), np.arange(2.0)))
    )


def test_draws_of_with_abundance_equal_brute_force():
    rng = np.random.default_rng(1)
    units = RankingUnits(
        rng.random(15).round(1), rng.random(15), np.arange(15) * 2, rng.random(15).round(1)
    )
    counts = block_counts(units.genes, 30, 4)[1]
    slow = [
        spearmanr(np.repeat(units.predicted, often), np.repeat(units.abundance, often))[0]
        for often in counts
    ]
    np.testing.assert_allclose(
        draws(ranking.with_abundance, units, "perturbation", 30, 4), slow, rtol=1e-10
    )
