"""Metrics of responses: by hand, against scipy and scikit-learn, permuted."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from response_units import (
    METRICS,
    NAN,
    in_order,
    permuted,
    random_units,
    table_of,
    units_of,
)
from scipy.stats import pearsonr, spearmanr

from kobench.builtin.metrics import pairwise, rank_products, similarity
from kobench.builtin.metrics.delta import centre
from kobench.builtin.metrics.pairwise import correlate_rows
from kobench.builtin.metrics.response import (
    auprc_responding,
    centroid_accuracy,
    cosine_delta,
    pearson_delta,
    pearson_delta_centred,
    sign_accuracy,
    spearman_delta,
)
from kobench.builtin.metrics.similarity import Similarities


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


def test_centroid_accuracy_compares_both_truths_over_the_same_genes():
    # the first answer is its own truth but at gene 5, the target of the second perturbation: there
    # it has missed a large change of its own. Left out on the side of the second truth alone, that
    # gene made the second truth, which is worse on every gene they share, the more similar one
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1, (5, 8))
    true[1] = true[0] + 1.5 * rng.normal(0, 1, 8)
    true[0, 5] = 9.0
    true[np.arange(5), [0, 5, 2, 3, 4]] = NAN
    first = np.nan_to_num(centre(true)[0])
    first[5] = -9.0
    predicted = np.outer([1.0, -0.25, -0.25, -0.25, -0.25], first)  # next to nothing in common
    predicted[np.isnan(true)] = NAN
    units = units_of(predicted, true)
    own, other = centre(predicted)[0], centre(true)
    unequal = [correlate_rows(own[None], other[[row]])[0] for row in (0, 1)]
    assert unequal[0] < unequal[1] - 0.5
    neither = np.where(np.isnan(other[1]), NAN, own)
    equal = [correlate_rows(neither[None], other[[row]])[0] for row in (0, 1)]
    assert equal[0] > equal[1]
    assert centroid_accuracy(units).sums[0] == 1 / 4  # gene 5 tells for all the other truths
    np.testing.assert_allclose(
        centroid_accuracy(units).sums, np.diag(table_of("centroid-accuracy", units))
    )


@pytest.mark.parametrize("spike", [0.0, 1e3, 1e6])
def test_correlations_without_the_gaps_of_every_other_row(spike, monkeypatch):
    rng = np.random.default_rng(3)
    b = rng.normal(0, 1, (6, 9))
    b[2] = b[1]
    b[:, 4] += spike  # all but nothing is left of a row without this column
    b[np.arange(6), np.arange(6)] = NAN
    b[5, 7] = NAN
    for a in (rng.normal(0, 1, 9), np.where(np.arange(9) == 1, NAN, b[3]), np.ones(9)):
        a = a.copy()
        a[8] = NAN
        expected = np.zeros((6, 6))
        for i in range(6):
            for j in range(6):
                both = np.where(np.isnan(b[j]), NAN, b[i])
                expected[i, j] = correlate_rows(a[None], both[None])[0]
        similar = Similarities.of_rows(np.array([np.ones(9), a]), b)
        found = similar.of(1, np.arange(6), np.arange(6))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
        some, others = np.array([5, 0]), np.array([1, 2, 5])
        assert similar.of(1, some, others).tolist() == found[np.ix_(some, others)].tolist()
        monkeypatch.setattr(similarity, "NUMBERS_A_BLOCK", 12)
        assert np.vstack([block for _, block in similar.blocks(1)]).tolist() == found.tolist()


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
    orders = np.array(list(itertools.permutations(range(5))))
    np.testing.assert_allclose(
        METRICS[name].permuted(units, orders),
        [np.mean([table[i, j] for j, i in enumerate(order)]) for order in orders],
        rtol=1e-9,
        atol=1e-12,
    )
    assert METRICS[name].permuted(units, orders)[0] == pytest.approx(METRICS[name](units).value)


def test_permuting_leaves_chance():
    values = permuted(centroid_accuracy, random_units(0, k=20, g=60), 2000, 0)
    assert values.mean() == pytest.approx(0.5, abs=0.01)
    values = permuted(pearson_delta_centred, random_units(0, k=20, g=60), 2000, 0)
    assert abs(values.mean()) < 0.02
    assert pearson_delta_centred(random_units(0, k=20, g=60)).value > values.max()


def test_the_same_answer_for_every_perturbation_knows_none():
    units = random_units(0)
    same = np.where(np.isnan(units.true), NAN, np.arange(20.0))
    units = dataclasses.replace(units, predicted=same)
    assert math.isnan(pearson_delta_centred(units).value)
    assert math.isnan(centroid_accuracy(units).value)
    assert np.isnan(permuted(pearson_delta_centred, units, 5, 0)).all()
    assert not math.isnan(pearson_delta(units).value)


@pytest.mark.parametrize("digits", [None, 1])
def test_ranks_without_one_gap_are_those_with_entries_left_out_one_by_one(digits, monkeypatch):
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(9, 700)), rng.normal(size=(7, 700))
    a[8] = b[2] = 1.0
    if digits is not None:
        a, b = a.round(digits), b.round(digits)
    a[np.arange(8), [3, 5, 5, 0, 699, 41, 42, 43]] = NAN
    b[np.arange(6), [5, 3, 77, 699, 0, 41]] = NAN  # the last row has no gap
    expected = pairwise._correlate_left_out(a, b, pairwise.gaps_of(a), pairwise.gaps_of(b))
    found = pairwise.rank_correlate_pairs(a, b)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    monkeypatch.setattr(rank_products, "NUMBERS_A_BLOCK", 1500)
    np.testing.assert_allclose(pairwise.rank_correlate_pairs(a, b), found, rtol=0, atol=1e-12)
    whole = np.nan_to_num(a)  # without any gap
    np.testing.assert_allclose(
        pairwise.rank_correlate_pairs(whole, whole)[:8, :8], spearmanr(whole[:8].T)[0], atol=1e-9
    )
