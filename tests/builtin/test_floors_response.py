"""Floors of the population tasks: what each answers, by hand and by numpy, in any order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from kobench.api import Cells, Context, Knockouts, answer_kinds, normalise_rows
from kobench.builtin.floors.response import (
    BatchTrend,
    Covariance,
    MinusAbundance,
    MinusDetection,
    MinusMean,
    PlusMean,
    natural,
)
from kobench.builtin.specs.floors import floor_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.util.resolve import resolve_reference

SPECS = [spec for spec in floor_specs() if str(spec.make).startswith(Covariance.__module__)]
IDS = [spec.name for spec in SPECS]
DIRECTIONS = [Covariance, PlusMean, MinusMean, BatchTrend]


def cells_of(values, batch=None) -> Cells:
    values = np.asarray(values, np.float32)
    return Cells(
        values,
        np.array([f"g{j}" for j in range(values.shape[1])]),
        {} if batch is None else {"batch": np.asarray(batch)},
    )


def random_cells(seed=0, n=40, g=9) -> Cells:
    rng = np.random.default_rng(seed)
    values = rng.gamma(2.0, 1.0, (n, g)) * (rng.random((n, g)) > 0.3)
    values[:, 0] += 0.1
    return cells_of(values, rng.permutation(np.array(["d10", "d2", "d3", "d4"])[np.arange(n) % 4]))


def fitted(make, cells):
    floor = make()
    floor.fit(cells, Context(batch_key="batch" if "batch" in cells.obs else None))
    return floor


def removing(*genes) -> Knockouts:
    return Knockouts(np.array(genes).reshape(len(genes), -1))


THREE = cells_of(
    [[1, 3, 0, 0], [1, 1, 2, 0], [2, 0, 2, 0]]
)  # shares 1/4 3/4 0 0; 1/4 1/4 1/2 0; 1/2 0 1/2 0


def test_covariance_by_hand():
    # deviations of gene 0: -1/12, -1/12, 2/12; of gene 1: 5/12, -1/12, -4/12; their covariance is
    # (-5 + 1 - 8) / 144 / 2 = -1/24
    floor = fitted(Covariance, THREE)
    np.testing.assert_allclose(
        floor.predict_response(THREE, removing(0)), [[0, 1 / 24, -1 / 48, 0]], atol=1e-12
    )
    # gene 2: deviations -4/12, 2/12, 2/12; with gene 1: (-20 - 2 - 8) / 144 / 2 = -30/288
    np.testing.assert_allclose(
        floor.predict_response(THREE, removing([0, 1])), [[0, 0, -1 / 48 + 30 / 288, 0]], atol=1e-12
    )
    np.testing.assert_allclose(
        floor.predict_response(THREE, removing(3)), np.zeros((1, 4)), atol=1e-15
    )


def test_covariance_like_numpy():
    cells = random_cells()
    table = np.cov(normalise_rows(cells.X).T)
    events = removing(4, 1, 4, 0)
    given = fitted(Covariance, cells).predict_response(cells, events)
    for row, gene in zip(given, events.genes[:, 0], strict=True):
        np.testing.assert_allclose(
            row, np.where(np.arange(9) == gene, 0, -table[gene]), rtol=1e-9, atol=1e-15
        )


def test_means_by_hand():
    mean = [0, 1 / 3, 1 / 3, 0]
    np.testing.assert_allclose(fitted(PlusMean, THREE).predict_response(THREE, removing(0)), [mean])
    np.testing.assert_allclose(
        fitted(MinusMean, THREE).predict_response(THREE, removing(0)), [np.negative(mean)]
    )


def test_batch_trend_by_hand():
    cells = cells_of([[1, 1], [3, 1], [1, 3], [1, 3]], ["d10", "d2", "d10", "d2"])
    # gene 0: (3/4 + 1/4) / 2 on d2, (1/2 + 1/4) / 2 on d10, which comes second
    floor = fitted(BatchTrend, cells)
    np.testing.assert_allclose(floor.direction, [-1 / 8, 1 / 8])
    np.testing.assert_allclose(
        floor.predict_response(cells, removing(0, 1)), [[0, 1 / 8], [-1 / 8, 0]]
    )


def test_batch_trend_like_scipy():
    cells = random_cells()
    shares, batch = normalise_rows(cells.X), cells.obs["batch"]
    means = np.array([shares[batch == name].mean(axis=0) for name in ("d2", "d3", "d4", "d10")])
    expected = [linregress(np.arange(4), column).slope for column in means.T]
    np.testing.assert_allclose(fitted(BatchTrend, cells).direction, expected, rtol=1e-9, atol=1e-15)
    numbers = np.array([{"d2": 2, "d3": 3, "d4": 4, "d10": 10}[name] for name in batch])
    np.testing.assert_allclose(
        fitted(BatchTrend, cells_of(cells.X, numbers)).direction, expected, rtol=1e-9, atol=1e-15
    )


def test_batch_trend_without_batches_is_nothing():
    cells = random_cells()
    for without in (cells_of(cells.X), cells_of(cells.X, np.full(40, "d2"))):
        assert not fitted(BatchTrend, without).predict_response(without, removing(0, 3)).any()
    floor = BatchTrend()
    floor.fit(cells, Context(batch_key=None))  # a column that nobody called a batch
    assert not floor.direction.any()
    floor.fit(cells, Context(batch_key="day"))
    assert not floor.direction.any()


def test_natural_order():
    assert sorted(["b", "d10", "d2", "a1b10", "a1b9", "", "²"], key=natural) == [
        "",
        "a1b9",
        "a1b10",
        "b",
        "d2",
        "d10",
        "²",
    ]
    assert sorted([10, 9, 2.5], key=natural) == [2.5, 9, 10]


def test_upside_down_scores_by_hand():
    shares = fitted(MinusAbundance, THREE)
    np.testing.assert_allclose(shares.score_genes(THREE, np.arange(4)), [-1 / 3, -1 / 3, -1 / 3, 0])
    seen = fitted(MinusDetection, THREE)
    np.testing.assert_allclose(seen.score_genes(THREE, np.array([3, 0, 1])), [0, -1, -2 / 3])


# the contract


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_the_spec_says_what_the_class_answers(spec):
    assert spec.floor
    assert spec.answers == answer_kinds(resolve_reference(spec.make))
    assert (spec.response == "direction") or spec.answers == ("genes",)
    assert spec.max_order == (1 if spec.answers == ("genes",) else None)


@pytest.mark.parametrize("make", DIRECTIONS)
def test_directions_are_finite_0_at_targets_and_add_up(make):
    cells = random_cells()
    floor = fitted(make, cells)
    events = removing([1, 4], [4, 1], [2, 3])
    given = floor.predict_response(cells, events)
    assert given.shape == (3, 9)
    assert np.isfinite(given).all()
    assert not np.take_along_axis(given, events.genes.astype(int), axis=1).any()
    np.testing.assert_allclose(given[0], given[1], rtol=1e-12)
    assert given.any()
    one, other = floor.predict_response(cells, removing(2, 3))
    rest = np.delete(np.arange(9), [2, 3])
    if make is Covariance:
        np.testing.assert_allclose(given[2, rest], (one + other)[rest], rtol=1e-12)
    else:
        np.testing.assert_allclose(given[2, rest], one[rest], rtol=1e-12)
    assert floor.predict_response(cells, Knockouts(np.empty((0, 1), np.int32))).shape == (0, 9)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_order_does_not_matter_and_nothing_is_changed(spec):
    cells = random_cells()
    kept = cells.X.copy()
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(40), rng.permutation(9)
    place = np.argsort(columns)
    moved = Cells(
        cells.X[rows][:, columns], cells.var_names[columns], {"batch": cells.obs["batch"][rows]}
    )
    before, after = (
        fitted(resolve_reference(spec.make), cells),
        fitted(resolve_reference(spec.make), moved),
    )
    genes = np.array([5, 0, 3])
    if spec.answers == ("genes",):
        np.testing.assert_allclose(
            before.score_genes(cells, genes), after.score_genes(moved, place[genes]), rtol=1e-6
        )
    else:
        given = before.predict_response(cells, removing(*genes))
        np.testing.assert_allclose(
            given,
            after.predict_response(moved, removing(*place[genes]))[:, place],
            rtol=1e-6,
            atol=1e-12,
        )
        np.testing.assert_array_equal(
            given[::-1], before.predict_response(cells, removing(*genes[::-1]))
        )
        np.testing.assert_array_equal(
            given, before.predict_response(cells, removing(*genes))
        )  # asking twice changes nothing
    np.testing.assert_array_equal(cells.X, kept)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_one_cell_and_empty_cells_are_enough(spec):
    for cells in (cells_of([[1, 2, 0]], ["d2"]), cells_of([[0, 0, 0], [1, 2, 0]], ["d2", "d3"])):
        floor = fitted(resolve_reference(spec.make), cells)
        given = (
            floor.score_genes(cells, np.arange(3))
            if spec.answers == ("genes",)
            else floor.predict_response(cells, removing(0, 1, 2))
        )
        assert np.isfinite(given).all()


def test_every_floor_of_the_population_tasks_can_answer():
    floors = {spec.name: spec for spec in floor_specs()}
    wanted = {"response": {"response", "knockout"}, "response-size": {"genes"}}
    for task in task_specs():
        if task.asks == "response":
            for name in task.floors:
                assert set(floors[name].answers) & wanted[task.name], (
                    f"{name} cannot answer {task.name}"
                )
