"""The floors fitted to Bray-Curtis: by hand, and against linear programs that do the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from kobench.api import Cells, Context, bray_curtis, normalise_rows
from kobench.builtin.floors import medians
from kobench.builtin.floors.medians import (
    MaskedMedian,
    MaskedMedianDepth,
    QuantileLevels,
    shrunken_median_slopes,
)
from kobench.builtin.floors.profile import MaskedMean, MaskedMeanDepth, shrunk


def cells_of(values) -> Cells:
    values = np.asarray(values, np.float32)
    return Cells(values, np.array([f"g{j}" for j in range(values.shape[1])]))


def fitted(make, cells):
    floor = make()
    floor.fit(cells, Context(seed=0))
    return floor


def error(floor, cells) -> float:
    return float(
        bray_curtis(floor.predict_expression(cells.assemblages()), cells.profiles()).mean()
    )


def smallest_error(shares) -> float:
    """The least sum of abs(share - level) over rows (n, G) that one row with sum 1 can have."""
    n, g = shares.shape
    # variables: the levels, then what each share is above and below its level
    cost = np.concatenate([np.zeros(g), np.ones(2 * n * g)])
    level = np.tile(np.eye(g), (n, 1))
    equal = np.hstack([level, np.eye(n * g), -np.eye(n * g)])
    total = np.concatenate([np.ones(g), np.zeros(2 * n * g)])[None]
    found = linprog(
        cost, A_eq=np.vstack([equal, total]), b_eq=np.concatenate([shares.ravel(), [1.0]])
    )
    return found.fun


def median_slope(y, x) -> float:
    """The slope of median regression of y (n,) on x (n,), as a linear program."""
    n = len(y)
    cost = np.concatenate([np.zeros(2), np.ones(2 * n)])
    equal = np.hstack([np.ones((n, 1)), x[:, None], np.eye(n), -np.eye(n)])
    free = [(None, None)] * 2 + [(0, None)] * (2 * n)
    return linprog(cost, A_eq=equal, b_eq=y, bounds=free).x[1]


def skewed_cells(seed, n=400, g=30, depth=0.0) -> Cells:
    """Cells of rare large values, whose genes follow how many are on by slopes of size `depth`."""
    rng = np.random.default_rng(seed)
    slope = depth * np.where(np.arange(g) % 2, 1.0, -1.0)
    present = rng.random((n, g)) < rng.uniform(0.3, 1.0, n)[:, None]
    present[:, :2] = True
    k = present.sum(axis=1)
    noise = np.exp(rng.standard_t(2, (n, g)) / 2)
    return cells_of(present * k[:, None] ** slope * noise)


def test_masked_median_by_hand():
    # shares .25 .75 - -, .5 - .5 -, .25 .25 .5 -. Hazen's places of the sorted shares: 1/6, 1/2,
    # 5/6 of three and 1/4, 3/4 of two. At the quantile q >= 1/2 the levels are 1/4 + 3/4 (q - 1/2),
    # q and 1/2; three cells have the first gene, two each of the others: 3 in all at q = 19/34
    floor = fitted(MaskedMedian, cells_of([[1, 3, 0, 0], [2, 0, 2, 0], [1, 1, 2, 0]]))
    np.testing.assert_allclose(floor.level, np.array([10, 19, 17, 10]) / 34)  # the last is unseen
    rows = floor.predict_expression(np.array([[True, True, False, False], [False, True, True, 1]]))
    np.testing.assert_allclose(
        rows, [[10 / 29, 19 / 29, 0, 0], [0, 19 / 46, 17 / 46, 10 / 46]], rtol=1e-9
    )


def test_a_quantile_with_weights_by_hand():
    # over the factors: 0.2 with weight 1, 0.4 / 3 with weight 3: places 3.5 / 4 and 1.5 / 4
    levels = QuantileLevels(
        np.array([[0.2, 0.3], [0.4, 0.0], [0.0, 0.0]]),
        np.array([[1, 1], [1, 0], [0, 0]], bool),
        np.array([[1.0, 1.0], [3.0, 1.0], [9.0, 9.0]]),
    )
    middle = 0.4 / 3 + (0.2 - 0.4 / 3) * 0.25
    np.testing.assert_allclose(levels.at(0.5), [middle, 0.3])
    np.testing.assert_allclose(levels.at(0.0), [0.4 / 3, 0.3])
    np.testing.assert_allclose(levels.at(1.0), [0.2, 0.3])
    assert levels.rows == 2  # the cell without expression asks for no sum


def test_rows_of_the_training_cells_add_up_to_one_on_average():
    cells = skewed_cells(0, depth=0.5)
    floor = fitted(MaskedMedianDepth, cells)
    on = cells.assemblages()
    factors = np.exp(np.outer(np.log(on.sum(axis=1)) - floor.middle, floor.slope))
    assert (on * floor.level * factors).sum(axis=1).mean() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_where_presence_never_varies_it_is_the_best_constant_row(seed):
    rng = np.random.default_rng(seed)
    cells = cells_of(rng.lognormal(0, 1, (15, 6)))
    best = smallest_error(cells.profiles())
    both = [fitted(make, cells) for make in (MaskedMedian, MaskedMedianDepth)]
    for floor in both:
        assert 2 * 15 * error(floor, cells) == pytest.approx(best, rel=1e-6)
    assert 2 * 15 * error(fitted(MaskedMean, cells), cells) > 1.005 * best
    plain = np.median(cells.profiles(), axis=0)
    assert np.abs(cells.profiles() - plain / plain.sum()).sum() > best * (1 + 1e-6)


def test_slopes_are_those_of_median_regression_shrunk_as_the_formula_says():
    rng = np.random.default_rng(1)
    n, g = 80, 7
    on = rng.random((n, g)) > 0.3
    on[:, 6] = np.arange(n) < 2  # too few cells: the common slope
    x = rng.normal(0.0, 0.4, n)
    log = -3 + x[:, None] * rng.normal(0.3, 0.9, g) + 0.4 * rng.standard_t(2, (n, g))
    shares = np.where(on, np.exp(log), 0.0)
    own, squared = np.zeros(g), np.zeros(6)
    for j in range(6):
        kept = on[:, j]
        own[j] = median_slope(log[kept, j], x[kept])
        off = log[kept, j] - own[j] * x[kept]
        size = np.abs(off - np.median(off)).sum() / (kept.sum() - 2)
        squared[j] = (np.pi / 2 * size) ** 2 / ((x[kept] - x[kept].mean()) ** 2).sum()
    found = shrunken_median_slopes(shares, on, x)
    expected = shrunk(own, squared, np.arange(g) < 6)
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert found[6] == pytest.approx(np.average(found[:6]), abs=0.3)
    assert np.std(found[:6]) > 0.3


def test_an_outlier_does_not_move_a_slope():
    x = np.linspace(-1, 1, 21)
    shares = np.exp(-3 + 0.5 * x)[:, None] * np.ones((1, 2))
    shares[-1, 0] *= 100
    slopes = shrunken_median_slopes(shares, np.ones(shares.shape, bool), x)
    np.testing.assert_allclose(slopes, 0.5, atol=1e-3)


def test_it_is_the_masked_median_where_all_cells_have_as_many_genes():
    rng = np.random.default_rng(0)
    present = np.array([rng.permutation(12) < 7 for _ in range(30)])
    cells = cells_of(present * rng.gamma(2.0, 1.0, (30, 12)))
    floors = [fitted(make, cells) for make in (MaskedMedian, MaskedMedianDepth)]
    assert not floors[1].slope.any()
    np.testing.assert_allclose(*(floor.predict_expression(present) for floor in floors))


def test_medians_are_better_than_means_on_skewed_cells():
    train, asked = skewed_cells(0, depth=0.5), skewed_cells(1, depth=0.5)
    of = {
        make: error(fitted(make, train), asked)
        for make in (MaskedMean, MaskedMeanDepth, MaskedMedian, MaskedMedianDepth)
    }
    assert of[MaskedMedian] < 0.99 * of[MaskedMean]
    assert of[MaskedMedianDepth] < 0.99 * of[MaskedMeanDepth]
    assert of[MaskedMedianDepth] < 0.999 * of[MaskedMedian]


def test_genes_are_fitted_each_alone(monkeypatch):
    cells = skewed_cells(2, n=60, g=9, depth=0.5)
    whole = fitted(MaskedMedianDepth, cells)
    monkeypatch.setattr(medians, "GENES_AT_ONCE", 2)
    parts = fitted(MaskedMedianDepth, cells)
    np.testing.assert_allclose(parts.slope, whole.slope, rtol=1e-9)
    np.testing.assert_allclose(parts.level, whole.level, rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["hipsc-ko", "k562-crispri", "trem2-microglia", "nkx2-1-lung", "pbmc68k-counts"]
)
def test_better_than_means_on_held_out_real_cells(name, real_data):
    real_data(name)
    from kobench.datasets.cards import card_specs
    from kobench.datasets.split import split

    pytest.importorskip("anndata", reason="reads .h5ad files")
    spec = next(spec for spec in card_specs()[0] if spec.name == name)
    dataset = spec.load(**({"genes": 1000} if name == "trem2-microglia" else {}))
    cells = Cells(normalise_rows(dataset.cells.dense()).astype(np.float32), dataset.cells.var_names)
    train, asked = split(cells.n_obs, "holdout", 0)
    best = error(fitted(MaskedMedianDepth, cells[train]), cells[asked])
    for make in (MaskedMean, MaskedMeanDepth, MaskedMedian):
        assert best < error(fitted(make, cells[train]), cells[asked])
