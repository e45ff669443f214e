"""Which metrics tell half of the cells from answers that know nothing: from the truth alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from response_units import METRICS, NAN, random_units

from kobench.api import MetricSpec, Parts, ResponseUnits
from kobench.builtin.metrics.response import pearson_delta_centred
from kobench.checks.metrics.calibration import NOISE, climb
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.calibration import (
    CONTROLS,
    DUPLICATE,
    Gap,
    Level,
    best_of,
    calibrate,
    gap_of,
    halved,
    know_nothing,
    level_of,
)
from kobench.units import RankingUnits
from tests.studies.calibration import made_screen as screen


def spec(score, direction="higher", best=1.0, of="response"):
    return MetricSpec("tested", score, of=of, direction=direction, best=best)


def each_one(function):
    """A metric that is a mean of one value for each perturbation."""

    def score(units):
        values = np.array(
            [function(*rows) for rows in zip(units.predicted, units.true, strict=True)], float
        )
        return Parts("perturbation", units.perturbations, values, np.ones(len(values)))

    return score


def coin(predicted, true):
    """A number between 0 and 1 that has nothing to do with how good an answer is."""
    seed = np.frombuffer(np.concatenate([predicted, true]).tobytes(), np.uint32)
    return np.random.default_rng(seed).random()


constant = each_one(lambda predicted, true: 0.5)
error = each_one(lambda predicted, true: np.nanmean(np.abs(predicted - true)))


def calibrated(score, units, seed=0, direction="higher", names=None):
    redraw = Redraw("perturbation", seed=seed, names=names)
    return calibrate(spec(score, direction), score, units, redraw)


def tells(found):
    return found.low is not None and found.low > 0


def test_answers_that_know_nothing_by_hand():
    true = np.array([[NAN, 3.0, 4.0], [1.0, NAN, 0.0], [0.0, 2.0, NAN]])
    measured = np.array([[NAN, 6.0, 8.0], [2.0, NAN, 0.0], [0.0, 4.0, NAN]])
    found = know_nothing(measured, true)
    assert set(found) == set(CONTROLS)
    # by length 1, 2, 5 the order is the second, third, first: each is given the next one's
    assert found["permuted"].tolist() == [[2, 0, 0], [0, 4, 0], [0, 6, 8]]
    # a gene's mean is over the perturbations that do not target it
    assert found["mean"].tolist() == [[1, 5, 4]] * 3
    assert found["direction"][0] == pytest.approx(np.array([1, 5, 4]) * 10 / np.sqrt(42))
    assert not found["nothing"].any()
    second_next = know_nothing(measured, true, turn=1)["permuted"]
    assert second_next.tolist() == [[0, 4, 0], [0, 6, 8], [2, 0, 0]]
    # with three there is no third next one: it would be its own
    assert know_nothing(measured, true, turn=2)["permuted"].tolist() == found["permuted"].tolist()


def test_a_gap_by_hand():
    one = Level(0.6, np.array([0.5, 0.7, 0.6]), 4)
    other = Level(0.2, np.array([0.3, 0.1, 0.2]), 4)
    gap = gap_of(spec(constant), one, other)
    # paired differences 0.2, 0.6, 0.4: SD 0.2, times sqrt(4/3); t with 3 degrees is 3.182446
    assert gap.error == pytest.approx(0.2 * np.sqrt(4 / 3))
    assert gap.value == pytest.approx(0.4)
    assert gap.low == pytest.approx(0.4 - 3.182446 * gap.error, abs=1e-5)
    assert gap_of(spec(constant, "lower"), one, other).value == pytest.approx(-0.4)
    # error of one perturbation: 0.2309 * 2; (1.64485 * 0.46188 / 0.4)^2 = 3.607
    assert gap.needs == 4
    assert Gap(-0.1, -0.2, 0.0, 0.05, 10).needs is None
    assert gap_of(spec(constant), dataclasses.replace(one, blocks=1), other).low is None
    # of two perturbations there is an interval: sqrt(2), and t with 1 degree is 12.7062
    two = gap_of(spec(constant), dataclasses.replace(one, blocks=2), other)
    assert two.error == pytest.approx(0.2 * np.sqrt(2))
    assert two.high == pytest.approx(0.4 + 12.7062 * two.error, rel=1e-5)
    # the draws that both have are compared, without those in which one has no value
    longer = Level(0.2, np.array([0.3, 0.1, np.nan, 9.0]), 4)
    assert gap_of(spec(constant), one, longer).error == pytest.approx(
        np.std([0.2, 0.6], ddof=1) * np.sqrt(4 / 3)
    )
    alone = Level(0.2, np.array([0.3, np.nan, np.nan]), 4)
    assert gap_of(spec(constant), one, alone).low is None
    assert level_of(each_one(constant), (), Redraw("perturbation", seed=0)) is None


def test_the_duplicate_is_scored_against_the_other_half():
    units = screen(splits=2)
    made = halved(units)
    assert set(made) == {DUPLICATE, *CONTROLS}
    for number, one in enumerate(made[DUPLICATE]):
        first, second = units.halves[number]
        assert np.array_equal(one.true, first, equal_nan=True)
        assert np.array_equal(one.predicted, second, equal_nan=True)
    expected = np.mean([pearson_delta_centred(one).value for one in made[DUPLICATE]])
    assert calibrated(pearson_delta_centred, units).duplicate == pytest.approx(expected, rel=1e-5)


def test_what_knows_nothing_is_not_told_from_the_truth_by_metrics_that_cannot_tell():
    units = screen()
    assert tells(calibrated(pearson_delta_centred, units))
    assert tells(calibrated(error, screen(noise=0.3), direction="lower"))
    noisy = calibrated(error, units, direction="lower")  # a mean, or nothing, has less noise
    assert noisy.control in ("mean", "nothing")
    assert not tells(noisy)
    assert not tells(calibrated(constant, units))
    by_chance = [tells(calibrated(each_one(coin), screen(seed))) for seed in range(20)]
    assert sum(by_chance) <= 1  # expected 2.5 % at most
    wrong_way = calibrated(error, screen(noise=0.3))
    assert wrong_way.apart < 0
    assert not tells(wrong_way)


def test_a_metric_without_values_for_each_perturbation_is_judged_too():
    units = screen(k=12)
    found = calibrated(lambda given: pearson_delta_centred(given).value, units)
    assert tells(found)
    assert not tells(calibrated(lambda given: 0.3, units))


def test_where_nothing_is_real_nothing_is_told_apart():
    found = [calibrated(pearson_delta_centred, screen(seed, signal=0.0)) for seed in range(20)]
    assert sum(tells(one) for one in found) <= 1
    # the truth of all cells has that half in it: against it noise would look like knowledge
    units = screen(signal=0.0)
    shared = dataclasses.replace(units, predicted=units.halves[0, 0])
    assert pearson_delta_centred(shared).value > 0.5


def test_one_direction_for_all_is_no_better_by_a_metric_that_leaves_it_in():
    units = screen(signal=0.05, shared=2.0)
    by_delta = calibrated(METRICS["pearson-delta"], units)
    assert by_delta.control in ("mean", "direction")
    assert by_delta.duplicate > 0.5
    assert not tells(by_delta)


@pytest.mark.parametrize("name", METRICS)
def test_orders_do_not_matter(name):
    units = random_units(3, k=8, g=24, splits=3)
    named = np.array([f"P{number}" for number in range(40)])
    rng = np.random.default_rng(4)
    rows, columns = rng.permutation(8), rng.permutation(24)
    other = ResponseUnits(
        units.predicted[rows][:, columns],
        units.true[rows][:, columns],
        units.perturbations[rows],
        halves=units.halves[:, :, rows][..., columns],
        responds=units.responds[rows][:, columns],
    )
    score = METRICS[name]
    one = calibrated(score, units, names=named)
    assert one is not None
    two = calibrated(score, other, names=named)
    assert one.control == two.control
    for field in ("duplicate", "known", "apart", "low", "high"):
        assert getattr(one, field) == pytest.approx(getattr(two, field), rel=1e-4)


def test_the_answer_does_not_matter_and_a_seed_gives_the_same():
    units = screen()
    known = dataclasses.replace(units, predicted=units.true)
    one = calibrated(pearson_delta_centred, units, seed=1)
    assert one == calibrated(pearson_delta_centred, known, seed=1)
    other = calibrated(pearson_delta_centred, units, seed=2)
    assert other.apart == one.apart
    assert other.low != one.low


def test_where_nothing_can_be_said():
    units = screen()
    assert calibrated(pearson_delta_centred, dataclasses.replace(units, halves=None)) is None
    few = ResponseUnits(
        units.predicted[:1],
        units.true[:1],
        units.perturbations[:1],
        halves=units.halves[:, :, :1],
    )
    assert calibrated(METRICS["pearson-delta"], few) is None
    four = screen(k=4)
    assert calibrated(pearson_delta_centred, four) is None  # it needs five
    assert calibrated(METRICS["pearson-delta"], RankingUnits(*[np.ones(3)] * 3)) is None


def test_a_ladder_of_noise_and_what_it_needs():
    units = screen(k=30, noise=0.3)
    redraw = Redraw("perturbation", seed=0)
    ladder = climb(spec(pearson_delta_centred), pearson_delta_centred, units, redraw)
    assert [name for name, _ in ladder.steps] == [
        DUPLICATE,
        *(f"with noise {level:g}" for level in NOISE),
    ]
    values = [level.value for _, level in ladder.steps]
    assert values == sorted(values, reverse=True)
    assert ladder.tells
    assert ladder.wins == 1.0
    assert ladder.needs == max(gap.needs for gap in (*ladder.gaps, ladder.whole))
    # the mean change of all is a constant once it is taken out
    assert [name for name, _ in ladder.known] == ["permuted", "direction"] or [
        name for name, _ in ladder.known
    ] == ["direction", "permuted"]
    floor = ladder.known[0][1].value
    assert ladder.share == pytest.approx((values[0] - floor) / (1 - floor))
    again = climb(spec(pearson_delta_centred), pearson_delta_centred, units, redraw)
    assert [level.value for _, level in again.steps] == values
    other = climb(spec(pearson_delta_centred), pearson_delta_centred, units, redraw, seed=1)
    assert [level.value for _, level in other.steps][1:] != values[1:]


def test_what_a_ladder_needs_is_what_draws_of_that_many_show():
    units = screen(k=300, g=30, noise=2.0)
    redraw = Redraw("perturbation", seed=0)
    made = halved(units)
    top, floor = (
        level_of(METRICS["pearson-delta"], made[name], redraw) for name in (DUPLICATE, "permuted")
    )
    gap = gap_of(spec(constant), top, floor)
    ahead = np.array([top.each[one] - floor.each[one] for one in top.each])
    rng = np.random.default_rng(0)
    drawn = rng.choice(ahead, (4000, gap.needs)).mean(axis=1)
    assert 0.92 <= np.mean(drawn > 0) <= 0.99


def test_two_perturbations_are_enough_and_one_is_not():
    two = screen(seed=3, k=2)
    assert calibrated(error, two, direction="lower") is not None
    one = ResponseUnits(
        two.predicted[:1], two.true[:1], two.perturbations[:1], halves=two.halves[:, :, :1]
    )
    assert calibrated(error, one, direction="lower") is None


def test_a_gene_that_one_perturbation_has_keeps_its_change_in_the_mean():
    true = np.array([[1.0, NAN, NAN], [3.0, 5.0, NAN]])
    mean = know_nothing(true, true)["mean"]
    np.testing.assert_allclose(mean, [[2.0, 5.0, 0.0]] * 2)


def test_the_best_control_is_the_one_nearer_to_the_better_end():
    levels = {name: Level(value, np.zeros(0), 2) for name, value in (("a", 1), ("b", 3), ("c", 3))}
    assert best_of(spec(error), levels) == "b"
    assert best_of(spec(error, "lower"), levels) == "a"
    assert best_of(spec(error), {}) is None


def test_a_level_is_the_mean_over_splits_and_over_the_fewest_blocks():
    def split(values):
        k = len(values)
        return ResponseUnits(np.array([values]).T, np.zeros((k, 1)), np.arange(k))

    several = [split([1.0, 2.0, 3.0]), split([4.0, 8.0])]
    level = level_of(error, several, Redraw("perturbation", seed=1))
    assert (level.value, level.blocks, len(level.draws)) == (4.0, 2, 400)
    assert level.each == {0: 2.5, 1: 5.0, 2: 3.0}
    anew = level_of(lambda units: float(units.predicted.mean()), several, Redraw("perturbation"))
    assert (anew.value, anew.blocks, len(anew.draws), anew.each) == (2.0, 3, 100, {})
    weighed = level_of(
        lambda units: Parts(
            "perturbation",
            units.perturbations,
            units.predicted[:, 0],
            np.full(len(units.true), 2.0),
        ),
        several,
        Redraw("perturbation"),
    )
    assert (weighed.value, weighed.each) == (2.0, {})
