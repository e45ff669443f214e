"""Moments, their regression and the greedy choice, by hand and against least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines import moments, stepwise
from kobench_baselines.moments import JITTER, RIDGE, Moments, orders, total_of
from kobench_baselines.stepwise import choose, cross_validated, features
from sklearn.linear_model import LinearRegression


def test_features_by_hand() -> None:
    """Median 2, the other quantiles 1 and 3: z = x / 2, bends at 1/2 and 3/2."""
    x, knots = np.array([[0.0], [1.0], [4.0]]), np.array([[1.0], [2.0], [3.0]])
    found = {kind: features(x, knots, kind)[:, 0].tolist() for kind in stepwise.KINDS}
    assert found["on"] == [[0], [1], [1]]
    assert found["line"] == [[0, 0], [1, 0.5], [1, 2]]
    assert found["log"] == [[0, 0], [1, np.log(1.5)], [1, np.log(3)]]
    assert found["spline"] == [[0, 0, 0, 0], [1, 0.5, 0, 0], [1, 2, 1.5, 0.5]]


def drawn(n: int = 200, k: int = 8, d: int = 2, seed: int = 0) -> tuple[Any, Any, Any]:
    """(features, y, fold): y is a sum over regulators 1, 4 and 6, with some noise."""
    rng = np.random.default_rng(seed)
    of = rng.random((n, k, d))
    y = 1 + of[:, 1] @ [2, 1] + of[:, 4] @ [0.5, 1] + of[:, 6, 0] + rng.normal(0, 0.05, n)
    return of, y, rng.permutation(n) % 5


def weights(y: Any) -> Any:
    return 1 / np.maximum(y, 0.3 * y.mean()) ** 2


def test_moments_by_hand() -> None:
    """Two cells, y = 1 and 3, so y.mean() = 2 and the weights are 1 and 1/9."""
    (only,) = Moments.by_fold(
        np.array([[[1.0]], [[0.0]]]), np.array([1.0, 3.0]), np.zeros(2, int), 1
    )
    np.testing.assert_allclose(only.sums, [[1 + 1 / 9, 1, 1 + 1 / 3], [1, 1, 1], [1 + 1 / 3, 1, 2]])


def test_a_small_value_counts_as_a_part_of_the_mean() -> None:
    """Values 0.1 and 1.9 have the mean 1, so the first counts as 0.3."""
    (only,) = Moments.by_fold(np.zeros((2, 1, 1)), np.array([0.1, 1.9]), np.zeros(2, int), 1)
    np.testing.assert_allclose(only.sums[0, 0], 1 / 0.3**2 + 1 / 1.9**2)


def test_moments_of_uncertain_regulators_are_expected_products() -> None:
    """Against the mean over both states of one regulator with two features."""
    rng = np.random.default_rng(5)
    of, y, chance = rng.random((6, 1, 2)), rng.uniform(1, 2, 6), rng.random((6, 1))
    fold = np.zeros(6, int)
    (mine,) = Moments.by_fold(of, y, fold, 1, chance)
    w = 1 / np.maximum(y, 0.3 * y.mean())
    expected = np.zeros((4, 4))
    for there in (0, 1):
        table = np.column_stack([np.ones(6), there * of[:, 0], y]) * w[:, None]
        weight = chance[:, 0] if there else 1 - chance[:, 0]
        expected += table.T @ (table * weight[:, None])
    np.testing.assert_allclose(mine.sums, expected)


def test_two_uncertain_regulators_are_independent() -> None:
    """Of two regulators only the products with itself take the variance."""
    of, y = np.ones((2, 2, 1)), np.ones(2)
    chance = np.array([[0.5, 0.25], [0.5, 0.25]])
    (mine,) = Moments.by_fold(of, y, np.zeros(2, int), 1, chance)
    np.testing.assert_allclose(mine.sums[1:3, 1:3], [[1, 0.25], [0.25, 0.5]])
    (half,) = Moments.by_fold(of, y, np.zeros(2, int), 1, chance, doubt=0.0)
    np.testing.assert_allclose(half.sums[1:3, 1:3], [[0.5, 0.25], [0.25, 0.125]])


def test_a_cell_that_counts_twice_is_two_cells() -> None:
    of, y, _ = drawn(20)
    counts = np.arange(20) % 2 + 1.0
    (mine,) = Moments.by_fold(of, y, np.zeros(20, int), 1, counts=counts)
    twice = np.repeat(np.arange(20), counts.astype(int))
    w = 1 / np.maximum(y, 0.3 * y.mean())
    table = (np.column_stack([np.ones(20), of.reshape(20, -1), y]) * w[:, None])[twice]
    np.testing.assert_allclose(mine.sums, table.T @ table)


def test_folds_add_up_and_can_be_left_out() -> None:
    of, y, fold = drawn()
    folds = Moments.by_fold(of, y, fold, 5)
    (whole,) = Moments.by_fold(of, y, np.zeros(len(y), int), 1)
    np.testing.assert_allclose(total_of(folds).sums, whole.sums)
    w = np.sqrt(weights(y))[fold != 2]
    table = np.column_stack([np.ones(len(y)), of.reshape(len(y), -1), y])[fold != 2] * w[:, None]
    np.testing.assert_allclose(total_of(folds).without(folds[2]).sums, table.T @ table)


def test_the_fit_is_weighted_least_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "RIDGE", 0.0)
    of, y, fold = drawn()
    theirs = LinearRegression().fit(of[:, [4, 1]].reshape(len(y), -1), y, sample_weight=weights(y))
    mine = total_of(Moments.by_fold(of, y, fold, 5)).fit([4, 1])
    np.testing.assert_allclose(mine, [theirs.intercept_, *theirs.coef_], rtol=1e-5)


def test_the_ridge_is_relative_to_each_features_variance() -> None:
    """Against the augmented least squares: rows sqrt(ridge * variance) below the centred table."""
    of, y, fold = drawn()
    w = weights(y) / weights(y).sum()
    X = of[:, [1, 4]].reshape(len(y), -1)
    centred, target = X - w @ X, y - w @ y
    variance = w @ centred**2
    rows = np.vstack([centred * np.sqrt(w)[:, None], np.diag(np.sqrt(RIDGE * variance))])
    slopes = np.linalg.lstsq(rows, np.concatenate([target * np.sqrt(w), np.zeros(4)]))[0]
    mine = total_of(Moments.by_fold(of, y, fold, 5)).fit([1, 4])
    np.testing.assert_allclose(mine[1:], slopes, rtol=1e-5)
    np.testing.assert_allclose(mine[0], w @ y - w @ X @ slopes, rtol=1e-5)


def test_the_losses_are_those_of_the_cells() -> None:
    of, y, fold = drawn()
    folds = Moments.by_fold(of, y, fold, 5)
    kept, held = total_of(folds).without(folds[3]), fold == 3
    expected = []
    for chosen in ([], [6], [6, 1], [6, 1, 3]):
        fitted = kept.fit(chosen)
        said = fitted[0] + of[:, chosen].reshape(len(y), -1) @ fitted[1:]
        expected.append((weights(y) * (said - y) ** 2)[held].sum())
    np.testing.assert_allclose(folds[3].losses([6, 1, 3], kept), expected, rtol=1e-9)


def test_the_order_is_that_of_least_squares_by_groups() -> None:
    """Each step takes the regulator with which the regression on all taken has the least error."""
    of, y, fold = drawn(seed=4)
    w = np.sqrt(weights(y))

    def error(chosen: list[int]) -> float:
        X = np.column_stack([np.ones(len(y)), of[:, chosen].reshape(len(y), -1)]) * w[:, None]
        return float(((y * w - X @ np.linalg.lstsq(X, y * w)[0]) ** 2).sum())

    expected: list[int] = []
    for _ in range(5):
        left = [place for place in range(8) if place not in expected]
        expected.append(min(left, key=lambda place: error([*expected, place])))
    assert total_of(Moments.by_fold(of, y, fold, 5)).order(5) == expected
    assert set(expected[:3]) == {1, 4, 6}


def test_side_by_side_orders_are_those_of_each_alone() -> None:
    """Also where one stops before the others: of the last, y is regulator 1 and nothing else."""
    every = [
        total_of(Moments.by_fold(*drawn(n, k=40, seed=seed), 5)) for seed, n in enumerate((60, 90))
    ]
    of, _, fold = drawn(k=40, seed=7)
    every.append(total_of(Moments.by_fold(of, 1 + of[:, 1, 0], fold, 5)))
    found = orders(every, 10)
    assert found == [orders_plainly(each, 10) for each in every] == [m.order(10) for m in every]
    assert len(found[0]) == len(found[1]) == 10


def orders_plainly(of: Moments, most: int) -> list[int]:
    """Every product made orthogonal to what was taken, in each step."""
    d, k, sums = of.width, of.regulators, of.sums
    left = sums[1:, 1:] - np.outer(sums[1:, 0], sums[0, 1:]) / sums[0, 0]
    penalty = (RIDGE + JITTER) * np.diag(left)[:-1]
    enough = 1e-9 * left[-1, -1] + 1e-12 * sums[-1, -1]
    taken: list[int] = []
    while len(taken) < most:
        gains = np.full(k, -1.0)
        for place in set(range(k)) - set(taken):
            at = slice(place * d, place * d + d)
            block = left[at, at] + np.diag(penalty[at])
            gains[place] = left[at, -1] @ np.linalg.solve(block, left[at, -1])
        best = int(gains.argmax())
        if gains[best] <= enough:
            break
        taken.append(best)
        at = slice(best * d, best * d + d)
        block = left[at, at] + np.diag(penalty[at])
        left = left - left[:, at] @ np.linalg.solve(block, left[at, :])
    return taken


@pytest.mark.parametrize("seed", range(6))
def test_a_regulator_that_all_cells_have_is_chosen_by_its_level(seed: int) -> None:
    """Its presence varies by rounding alone, which may leave less than nothing of a variance."""
    rng = np.random.default_rng(seed)
    y, level, fold = rng.lognormal(-6, 0.5, 400), rng.random((400, 30)), rng.permutation(400) % 5
    y *= 1 + level[:, 3]
    of = np.stack([np.ones_like(level), level], axis=2)
    folds = Moments.by_fold(of, y, fold, 5)
    every = [total_of(folds).without(held) for held in folds]
    by_level = Moments.by_fold(of[:, :, 1:], y, fold, 5)
    alone = [total_of(by_level).without(held) for held in by_level]
    assert [order[:5] for order in orders(every, 10)] == [order[:5] for order in orders(alone, 10)]
    assert np.isfinite(cross_validated(folds, [3, 1])).all()


def test_what_explains_nothing_is_not_taken() -> None:
    of, y, fold = drawn()
    of[:, 3:] = of[:, 1:2]  # copies of regulator 1, and nothing else
    constant = np.full_like(y, 2.0)
    assert total_of(Moments.by_fold(of, constant, fold, 5)).order(5) == []


def test_the_number_is_chosen_by_held_out_cells() -> None:
    """Against a plain loop over folds and numbers, and the three that there are."""
    of, y, fold = drawn()
    folds = Moments.by_fold(of, y, fold, 5)
    errors = np.zeros(9)
    for held in range(5):
        kept = total_of(folds).without(folds[held])
        order = kept.order(8)
        errors += folds[held].losses(order, kept)
    smallest = next(m for m in range(9) if errors[m] <= errors.min() * (1 + 2 / len(y)))
    assert len(choose(folds, len(y), 1.0)) == smallest
    assert set(choose(folds, len(y), 1.0)[:3]) == {1, 4, 6}
    assert len(choose(folds, len(y), 1e9)) == 0


def test_few_cells_allow_few_regulators() -> None:
    of, y, fold = drawn(n=31)
    assert len(choose(Moments.by_fold(of, y, fold, 5), 31, 0.0)) <= 31 // 15


def test_cross_validated_error_by_hand() -> None:
    """Without regulators each fold is told the weighted mean of the others."""
    y, fold = np.array([1.0, 2.0, 4.0, 5.0]), np.array([0, 0, 1, 1])
    w = weights(y)
    first, second = (w[rows] @ y[rows] / w[rows].sum() for rows in (fold == 1, fold == 0))
    expected = (w * (y - np.where(fold == 0, first, second)) ** 2).sum()
    found = cross_validated(Moments.by_fold(np.zeros((4, 0, 2)), y, fold, 2), [])
    np.testing.assert_allclose(found, [expected])


def test_twins_are_kept_apart_by_the_jitter() -> None:
    """Two regulators with the same features: one is taken, and nothing breaks."""
    of, y, fold = drawn()
    of[:, 2] = of[:, 1]
    order = total_of(Moments.by_fold(of, y, fold, 5)).order(8)
    assert len({1, 2} & set(order[:3])) == 1
    assert JITTER > 0
