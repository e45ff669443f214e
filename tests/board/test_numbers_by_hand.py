"""The numbers behind boards one by one: at their edges, and by hand."""

from __future__ import annotations

from math import inf, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from factories import TASK, metric, read, record, scores

from kobench.board.numbers.calibrated import calibration_of
from kobench.board.numbers.intervals import (
    Interval,
    Series,
    combine,
    mean_interval,
    spread_of,
    t_quantile,
)
from kobench.board.numbers.networks import Networks
from kobench.board.numbers.pairs import beats
from kobench.board.numbers.permuted import Block, Permutable, block_of, combined, one_spread
from kobench.board.numbers.possible import equals_truth, over_ceiling, under_half
from kobench.board.numbers.power import detectable, errors_needed
from kobench.board.numbers.series import Numbers, units_of
from kobench.board.numbers.skill import headroom_reason, or_nothing, verdict_of, within
from kobench.board.numbers.splits import Splits, steady_blocks
from kobench.board.numbers.standings import Standings
from kobench.board.numbers.values import (
    RowValues,
    Value,
    block_series,
    ceiling_of,
    constant_level,
    mean_draws,
)
from kobench.board.row import Column
from kobench.results.parts import PermutedScores


def series(*values, draws=None, units=0.0, splits=None):
    drawn = None if draws is None else np.array(draws, float)
    apart = None if splits is None else np.array(splits, float)
    return Series(np.array(values, float), drawn, units, apart)


# intervals


def test_two_units_are_enough_for_an_interval_of_their_draws():
    found = mean_interval(series(9.0, draws=[[1, 2, 4]], units=2))
    half = 12.7062 * sqrt(7 / 3 * 2)
    assert (found.low, found.high) == pytest.approx((9 - half, 9 + half), abs=1e-3)


def test_the_fewest_units_of_several_series_count():
    few, many = series(1.0, draws=[[1, 2, 4]], units=3), series(2.0, draws=[[3, 1, 5]], units=9)
    unknown = series(2.0, draws=[[3, 1, 5]])
    assert spread_of(few, many).degrees == spread_of(many, few).degrees == 2
    assert spread_of(unknown, few).degrees == 2
    assert spread_of(unknown, unknown).degrees == inf
    assert combine(np.add, many, few).units == combine(np.add, few, many).units == 3
    assert combine(np.add, unknown, few).units == 3


def test_splits_count_where_all_series_have_as_many():
    three = series(2.0, draws=[[1, 2, 3]], units=4, splits=[1, 2, 3])
    two = series(2.0, draws=[[1, 2, 3]], units=4, splits=[1, 3])
    none = series(2.0, draws=[[1, 2, 3]], units=4)
    assert combine(np.add, three, two).splits is None
    assert combine(np.add, three, none).splits is None
    assert combine(np.add, three, three).splits.tolist() == [2, 4, 6]
    inside = 4 / 3
    assert spread_of(three, two).covariance[0, 0] == pytest.approx(inside)
    assert spread_of(three, none).covariance[0, 0] == pytest.approx(inside)
    both = spread_of(three, three).covariance
    assert both[0, 0] == both[1, 1] == pytest.approx(inside + 1 / 3)


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [
        (1.1e-9, 1.0, True, False),
        (1e-9, 1.0, False, False),
        (-1.0, -1.1e-9, False, True),
        (-1.0, -1e-9, False, False),
        (None, None, False, False),
    ],
)
def test_an_interval_beside_0_by_less_than_a_tie_is_on_it(low, high, above, below):
    found = Interval(0.5, low, high)
    assert (found.above, found.below) == (above, below)


# pairs


def test_a_difference_of_just_the_smallest_is_named():
    one, other = series(1.0, 1.0, 1.0), series(0.5, 0.5, 0.5)
    assert beats([one, other], 0.5).tolist() == [[False, True], [False, False]]
    assert beats([other, one], 0.5).tolist() == [[False, False], [True, False]]
    assert not beats([one, other], 0.5 + 1e-12).any()
    assert not beats([one], 0.0).any()


def test_pairs_are_compared_over_what_both_have():
    ones = [series(0.0, 0.0), series(1.0, 1.0), series(2.0, 2.0)]
    swapped = beats(ones, pair=lambda i, j: (ones[j], ones[i]))
    assert swapped.tolist() == beats(ones).T.tolist()
    assert swapped[0].tolist() == [False, True, True]


# skill


def column(direction="higher", low=-1.0, high=1.0, **more):
    return Column("m", 1, direction, 1.0 if direction == "higher" else 0.0, low, high, True, **more)


def test_doing_nothing_is_the_floor_where_the_best_one_is_worse_by_more_than_the_slack():
    for direction, sign in (("higher", 1), ("lower", -1)):
        shown = column(direction, nothing=0.5)
        near, far = (series(*[0.5 - sign * less] * 2) for less in (0.99e-4, 1.01e-4))
        assert or_nothing(shown, "own", near) == ("own", near)
        name, floor = or_nothing(shown, "own", far)
        assert (name, floor.values.tolist()) == ("doing nothing", [0.5, 0.5])
        above = series(0.5 + sign, 0.5 + sign)
        assert or_nothing(shown, "own", above) == ("own", above)
    assert or_nothing(column(), "own", far) == ("own", far)


def test_an_interval_is_cut_at_the_range_and_never_past_its_value():
    cut = column(low=0.0, high=1.0)
    assert within(Interval(0.5, -0.2, 1.3), cut) == Interval(0.5, 0.0, 1.0)
    assert within(Interval(0.5, 0.2, 0.7), cut) == Interval(0.5, 0.2, 0.7)
    assert within(Interval(-0.1, -0.3, 1.1), cut) == Interval(-0.1, -0.1, 1.0)
    assert within(Interval(1.2, 0.9, 1.3), cut) == Interval(1.2, 0.9, 1.2)
    assert within(Interval(0.5), cut) == Interval(0.5)
    unbounded = column(low=None, high=None)
    assert within(Interval(0.5, -0.2, 1.3), unbounded) == Interval(0.5, -0.2, 1.3)


def test_why_there_is_no_headroom():
    shown = column()  # a gap of 0.1 of the range from 0 to 1
    assert headroom_reason(shown, Interval(0.1, 0.05, 0.2)) == "no headroom"
    assert headroom_reason(shown, Interval(0.11, 0.05, 0.2)) == ""
    assert headroom_reason(shown, Interval(0.11)) == "no interval"
    assert headroom_reason(shown, Interval(0.05)) == "no headroom"
    assert headroom_reason(shown, Interval(0.11, 0.0, 0.2)) == "no headroom"


def test_a_verdict_is_named_from_the_smallest_difference_on():
    assert verdict_of(Interval(0.25, 0.1, 0.4), 0.25) == "better"
    assert verdict_of(Interval(-0.25, -0.4, -0.1), 0.25) == "worse"
    assert verdict_of(Interval(-0.2, -0.4, -0.1), 0.25) == "same"
    assert verdict_of(Interval(0.3, -0.1, 0.7), 0.25) == "same"
    assert verdict_of(Interval(0.3)) == ""


# power


def test_what_could_have_been_seen_is_more_where_a_smallest_difference_must_be_named():
    three = series(1.0, 2.0, 3.0)
    error = 1 / sqrt(3)
    assert detectable(three) == pytest.approx(errors_needed(2.0) * error)
    assert detectable(three, 5.0) == pytest.approx(5.0 + t_quantile(2, 0.6) * error)
    assert detectable(series(1.0)) is None


# values


def test_the_mean_of_draws_is_made_where_all_have_as_many():
    assert mean_draws([[1, 2], [3, 6]]).tolist() == [2, 4]
    assert np.isnan(mean_draws([[1, None], [3, 6]])).tolist() == [False, True]
    for lists in ([], [[]], [[], []], [[1, 2], [3]], [[1, 2], []]):
        assert mean_draws(lists) is None
    assert constant_level(2, 3) == (2.0, [2.0, 2.0, 2.0])


def test_draws_of_splits_keep_the_spread_of_one_unless_their_units_are_the_same():
    slots = {("s", "0"): [(1.0, [0.0, 2.0])], ("s", "1"): [(3.0, [2.0, 4.0])]}
    apart, steady = block_series(slots), block_series(slots, {"s"})
    assert apart.values.tolist() == steady.values.tolist() == [2.0]
    np.testing.assert_allclose(apart.draws, [[2 - sqrt(2), 2 + sqrt(2)]])
    assert steady.draws.tolist() == [[1.0, 3.0]]
    assert (apart.splits, steady.splits.tolist()) == (None, [1.0, 3.0])
    several = block_series({**slots, ("t", "0"): [(5.0, [5.0, 5.0])]}, {"s", "t"})
    assert (several.values.tolist(), several.splits) == ([2.0, 5.0], None)
    uneven = block_series({**slots, ("t", "0"): [(5.0, [5.0])]}, {"s", "t"})
    assert uneven.draws is None


def test_a_row_has_the_fewest_units_and_a_ceiling_where_all_fits_have_one():
    values = {
        ("a", "0"): [Value(1.0, units=9, ceiling=(2.0, ())), Value(3.0, units=5)],
        ("b", "0"): [Value(5.0, units=7, ceiling=(4.0, ()))],
    }
    row = RowValues(values)
    assert (row.units, row.ceiling, row.blocks) == (5, None, ("a", "b"))
    part = row.within([("b", "0")])
    assert (part.units, part.ceiling.values.tolist(), part.ceiling.units) == (7, [4.0], 7)
    assert row.series.values.tolist() == [2.0, 5.0]
    assert RowValues({}).units == 0.0
    assert RowValues({}).ceiling is None


def test_a_row_has_only_stand_ins_where_no_value_is_its_own():
    own, other = Value(1.0), Value(1.0, none=True)
    for values, nones, only in (
        ([other, other], 1, True),
        ([own, other], 1, False),
        ([other], 0, False),
        ([], 1, True),
    ):
        assert RowValues({("a", "0"): values}, nones=nones).only_none == only


def test_a_ceiling_is_the_recorded_one_else_the_truths_own_score():
    (one,) = read([record("mlp", scores({"a": metric(0.5, draws=[0.4, 0.6])}))])
    score = one.result.scores[TASK].metrics["a"]
    assert ceiling_of(score) == (1.0, [1.0, 1.0])
    for best, ceiling, expected in (
        (None, None, None),
        (1.0, {"value": None, "draws": []}, None),
        (1.0, {"value": 0.7, "draws": [0.6, 0.8]}, (0.7, [0.6, 0.8])),
    ):
        cell = {**metric(0.5, draws=[0.4, 0.6]), "best": best}
        if ceiling:
            cell["ceiling"] = ceiling
        (one,) = read([record("mlp", scores({"a": cell}))])
        assert ceiling_of(one.result.scores[TASK].metrics["a"]) == expected


# splits


def splits(*slots):
    found = Splits.__new__(Splits)
    found.slots = [[tuple(slot) for slot in several.split()] for several in slots]
    return found


@pytest.mark.parametrize(
    ("slots", "run", "owed"),
    [
        (["a0 a1 a2"], "a0", "a0"),
        (["a0 a1 a2"], "a0 a1", "a0 a1"),
        (["a0 a1 a2"], "a1", "a0 a1 a2"),
        (["a0 a1 a2"], "a0 a2", "a0 a1 a2"),
        (["a0 a1 a2"], "", "a0 a1 a2"),
        (["a0 a1", "b0 b1"], "a0 b0", "a0 b0"),
        (["a0 a1", "b0 b1"], "a0", "a0 a1 b0 b1"),
        (["a0 a1", "b0 b1"], "a0 b0 b1", "a0 b0 b1"),
        (["a0 a1", "b0 b1"], "a0 b1", "a0 a1 b0 b1"),
    ],
)
def test_the_first_splits_of_every_draw_are_owed_where_just_these_were_run(slots, run, owed):
    found = splits(*slots).owed([tuple(slot) for slot in run.split()])
    assert found == tuple(tuple(slot) for slot in owed.split())


def test_splits_are_counted_by_draw_of_the_cells():
    both = splits("a0 a1", "b0 b1 b2")
    assert both.count([("a", "0"), ("a", "1"), ("b", "2")]) == 2
    assert both.count([("b", "0"), ("b", "1"), ("b", "2")]) == 3
    assert both.count([]) == splits().count([]) == 0


def test_a_block_is_steady_where_each_row_was_drawn_from_the_same_units():
    def steady(*rows):
        found = {
            (name,): {
                ("s", str(i)): [SimpleNamespace(blocks_digest=one) for one in fits]
                for i, fits in enumerate(slots)
            }
            for name, slots in zip("ab", rows, strict=False)
        }
        return steady_blocks(found) == {"s"}

    assert steady(["x", "x"], ["y", "y"])
    assert not steady(["x", "x"], ["y", "z"])
    assert not steady(["xz"])
    assert not steady([[None], [None]])
    assert not steady([["x"], [None]])


# what is possible


def rows_of(values, ceilings=None, **more):
    tops = ceilings or {}
    return RowValues(
        {
            (block, "0"): [Value(value, ceiling=(tops[block], ()) if block in tops else None)]
            for block, value in values.items()
        },
        **more,
    )


def test_an_answer_equals_the_truth_up_to_a_thousandth_of_the_nearest_other_error():
    scale = series(1.0, 2.0)
    assert equals_truth(rows_of({"a": 0.001, "b": 0.0}), 0.0, scale)
    assert equals_truth(rows_of({"a": -0.001, "b": 0.001}), 0.0, scale)
    assert not equals_truth(rows_of({"a": 0.0011, "b": 0.0}), 0.0, scale)
    assert not equals_truth(rows_of({"a": 0.0, "b": 0.0011}), 0.0, rows_of({"a": 1.0, "b": 2.0}))
    assert equals_truth(rows_of({"a": 1.0}), 1.0, series(0.5))
    assert not equals_truth(rows_of({"a": 1.0}), 1.0, series(1.0))  # nothing to go by


def test_half_of_a_replicates_error_is_that_in_the_blocks_of_the_row():
    replicate = rows_of({"a": 1.0, "b": 0.1, "c": 1.2})
    assert under_half(rows_of({"a": 0.4, "c": 0.5}), replicate)
    assert not under_half(rows_of({"a": 0.5, "c": 0.6}), replicate)
    assert not under_half(rows_of({"a": 0.4, "b": 0.06}), replicate)


@pytest.mark.parametrize(("direction", "sign"), [("higher", 1), ("lower", -1)])
def test_a_score_is_over_a_ceiling_that_is_not_the_truths_own(direction, sign):
    shown = column(direction)
    best = shown.best
    tops = {"a": best - sign * 0.3, "b": best - sign * 0.2}
    over = {name: top + sign * 0.1 for name, top in tops.items()}
    under = {name: top - sign * 0.1 for name, top in tops.items()}
    assert over_ceiling(rows_of(over, tops), shown)
    assert not over_ceiling(rows_of(under, tops), shown)
    assert not over_ceiling(rows_of(tops, tops), shown)
    assert not over_ceiling(rows_of(over), shown)
    own = dict.fromkeys(tops, best)
    assert not over_ceiling(rows_of(dict.fromkeys(tops, best + sign), own), shown)


# calibration


def floors_with(*calibrations, kind="real"):
    """A floor in as many splits of one data set, or on as many networks."""
    records = []
    for number, (control, duplicate, known, low, high) in enumerate(calibrations):
        found = {"control": control, "duplicate": duplicate, "known": known, "low": low}
        cell = {**metric(0.4), "calibration": {**found, "apart": duplicate - known, "high": high}}
        where = (
            {"seed": number, "split": ("halves", 0)}
            if kind == "simulated"
            else {"seed": None, "split": ("halves", number)}
        )
        made = scores({"m": cell}, primary=("m",))
        records.append(record("own", made, role="floor", kind=kind, dataset="d", **where))
    return calibration_of(Numbers(read(records), TASK), "m")


def test_what_splits_say_of_a_metric_is_their_mean():
    found = floors_with(
        ("b", 0.6, 0.2, 0.1, 0.7), ("a", 0.8, 0.2, 0.3, 0.9), ("b", 0.7, 0.5, 0.2, 0.2)
    )
    assert (found.control, found.near_null) == ("b", False)
    assert (found.duplicate, found.known) == pytest.approx((0.7, 0.3))
    assert found.apart.value == pytest.approx(0.4)
    assert (found.apart.low, found.apart.high) == pytest.approx((0.2, 0.6))
    assert found.tells
    tied = floors_with(("b", 0.6, 0.2, 0.1, 0.7), ("a", 0.8, 0.2, 0.3, 0.9))
    assert tied.control == "a"


@pytest.mark.parametrize("missing", [(None, 0.9), (0.3, None), (None, None)])
def test_a_split_without_an_end_leaves_the_mean_without_an_interval(missing):
    found = floors_with(("b", 0.6, 0.2, 0.1, 0.7), ("b", 0.8, 0.2, *missing))
    assert (found.apart.value, found.apart.low, found.apart.high) == (
        pytest.approx(0.5),
        None,
        None,
    )
    assert found.tells  # nobody can say that it does not


def test_two_networks_have_the_interval_of_their_mean():
    found = floors_with(("b", 0.6, 0.2, 0.3, 0.5), ("b", 0.8, 0.2, 0.5, 0.7), kind="simulated")
    half = 12.7062 * 0.1
    assert (found.apart.low, found.apart.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)
    assert not found.tells


# permuted answers


def fit(value, kept=None, names="AB", draws=None, mean=0.0, sd=0.1):
    many = len(kept or ()) if draws is None else draws
    return Permutable(
        value,
        PermutedScores(
            mean=mean,
            sd=sd,
            low=0.0,
            high=0.0,
            p=0.5,
            draws=many,
            scores=kept,
            names=list(names) if names else None,
        ),
    )


def test_splits_of_one_dataset_are_averaged_permutation_by_permutation():
    first = [fit(0.1, [0.0, 0.0, 1.0, 1.0], mean=0.1), fit(0.3, [0.0, 0.0, 1.0, 1.0], mean=0.3)]
    found = block_of([first, [fit(0.6, [0.0, 1.0, 1.0, 0.0], mean=0.5)]])
    assert (found.value, found.mean) == pytest.approx((0.4, 0.35))
    assert found.scores.tolist() == [0.0, 0.5, 1.0, 0.5]
    assert found.sd == pytest.approx(0.1 * sqrt(0.125) / 0.5)
    assert (found.draws, found.names) == (4, frozenset("AB"))


def test_scores_of_permutations_that_do_not_go_together_are_not_averaged():
    one, other = [fit(0.1, [0.0, 1.0])], [fit(0.3, [1.0, 0.0], sd=0.3)]
    for splits, alike in (
        ([one, other], False),
        ([one, [fit(0.3, [1.0, 0.0, 0.5], sd=0.3)]], True),
        ([one, [fit(0.3, None, draws=5, sd=0.3)]], True),
        ([[fit(0.1, None, draws=2)], [fit(0.3, None, draws=7, sd=0.3)]], True),
    ):
        found = block_of(splits, alike)
        assert (found.scores, found.sd, found.draws) == (None, pytest.approx(0.2), 2)
    # of more permutations than are kept the spread is known, not each score
    part = block_of([[fit(0.1, [0.0, 1.0], draws=9)], [fit(0.3, [1.0, 0.0], draws=9)]])
    assert (part.scores, part.sd, part.draws) == (None, 0.0, 9)


def test_names_are_those_of_all_splits_where_all_of_them_are_known():
    one = [fit(0.1, [0.0, 1.0], names="AB")]
    assert block_of([one, [fit(0.1, [0.0, 1.0], names="BC")]]).names == frozenset("ABC")
    assert block_of([one, [fit(0.1, [0.0, 1.0], names="")]]).names == frozenset()


@pytest.mark.parametrize(
    ("other", "wider"),
    [
        ("AB", 1.0),
        ("BC", sqrt(1.5)),
        ("CD", sqrt(1.5)),
        ("BCDE", sqrt(1.5)),
        ("ABC", sqrt((0.25 + 0.125) / 2 * 6)),
    ],
)
def test_splits_with_other_perturbations_are_spread_as_one_would_be(other, wider):
    # variances of 1/4, a covariance of 1/12, so the mean has 1/6
    scores = np.array([[0.0, 0, 0, 1, 1, 1], [0.0, 0, 1, 0, 1, 1]])
    found = one_spread(scores, [frozenset("AB"), frozenset(other)])
    means = scores.mean(axis=0)
    np.testing.assert_allclose(found, 0.5 + wider * (means - 0.5))


def permuted_block(value, scores, names="ABCDEFGH", draws=1000):
    kept = None if scores is None else np.array(scores)
    return Block(value, 0.0, 0.1, kept, draws, frozenset(names))


def test_p_counts_the_permutations_that_score_as_well_or_all_but():
    found = combined([permuted_block(0.2, [0.1, 0.3, 0.2])], 1.0)
    assert (found.p, found.networks) == (3 / 4, 1)
    assert (found.low, found.high) == pytest.approx((0.105, 0.295))
    assert combined([permuted_block(0.2, [0.1, 0.3, 0.2])], -1.0).p == 3 / 4
    assert combined([permuted_block(0.25, [0.1, 0.3, 0.2])], -1.0).p == 3 / 4
    assert combined([permuted_block(0.31, [0.1, 0.3, 0.2])], 1.0).p == 1 / 4
    assert combined([permuted_block(0.0, [0.0, 0.0, 0.0])], 1.0).p == 1.0
    # four digits are kept of them: 5e-4 of the largest is nothing
    assert combined([permuted_block(0.3001, [0.1, 0.3, 0.2])], 1.0).p == 2 / 4
    assert combined([permuted_block(0.3002, [0.1, 0.3, 0.2])], 1.0).p == 1 / 4


def test_permutations_of_several_networks_are_averaged_where_all_are_kept():
    two = [permuted_block(0.5, [0.0, 1.0]), permuted_block(0.7, [1.0, 0.2])]
    found = combined(two, 1.0)
    assert (found.p, found.networks, found.low, found.high) == (2 / 3, 2, None, None)
    for other in (None, [1.0, 0.2, 0.4]):  # else by their spread: z = 0.6 / (0.1 / sqrt(2))
        assert combined([two[0], permuted_block(0.7, other)], 1.0).p == pytest.approx(1 / 1001)


def test_permutations_without_spread_show_what_lies_beside_them():
    flat = Block(0.3, 0.2, 0.0, None, 99, frozenset("ABCDEFGH"))
    assert combined([flat], 1.0).p == 1 / 100
    assert combined([flat], -1.0).p == 1.0
    assert combined([Block(0.2, 0.2, 0.0, None, 99, frozenset("ABCDEFGH"))], 1.0).p == 1.0


# series


def numbers(*records):
    return Numbers(read(records), TASK)


def test_why_a_row_has_no_score_in_a_slot():
    key = ("predictor", "mlp", "kobench-baselines", "1", "cpu")
    found = numbers(
        record("mlp", 0.5, seed=0),
        record("mlp", None, seed=1, status="failed"),
        record("mlp", None, seed=1, status="ok", fit_seed=1),
        record("mlp", None, seed=2),
        record("other", 0.1, seed=3),
    )
    slots = {block[-1]: (block, replicate) for block, replicate in found.slots}
    assert [found.absence(key, slots[seed]) for seed in "123"] == [
        "failed",
        "not answered",
        "not run",
    ]
    assert found.values(key, slots["0"], "spearman")[1] == ""
    assert found.values(key, slots["0"], "unheard of") == ([], "not answered")


def test_the_longest_list_of_metrics_that_begins_as_the_first_ranks():
    def made(*primary, seed):
        return record("mlp", scores(dict.fromkeys(primary, 0.5), primary=primary), seed=seed)

    assert numbers(made("a", seed=0), made("a", "b", seed=1)).primary() == ["a", "b"]
    assert numbers(made("a", seed=0), made("b", "a", seed=1)).primary() == ["a"]
    assert numbers(made("a", "b", seed=0), made("a", seed=1)).primary() == ["a", "b"]
    assert numbers().primary() == []
    both = numbers(
        record("mlp", scores({"z": 0.1, "b": 0.2, "b[x]": 0.3, "a": 0.4}, primary=["b"]))
    )
    assert both.metrics() == ["b", "a", "z", "b[x]"]


def test_what_groups_are_worth_is_one_at_least():
    def made(**more):
        (one,) = read([record("mlp", scores({"a": 0.5}, **more))])
        return units_of(one.result.scores[TASK])

    assert made(blocks=7) == 7.0
    assert made(blocks=7, groups={"column": "donor", "worth": 2.5}) == 2.5
    assert made(blocks=7, groups={"column": "donor", "worth": 0.5}) == 1.0
    assert made(blocks=7, groups={"column": "donor", "worth": None}) == 1.0


# standings


#: What the best floor scores on five networks, 0.4 in mean.
FLOOR = [0.40, 0.42, 0.38, 0.41, 0.39]
MLP = ("predictor", "mlp", "kobench-baselines", "1", "cpu")


def rows_by_name(direction="higher", nothing=0.0, more=None, **rows):
    """The standings of rows with a score on each of five networks, floors by a name with `f`."""
    best = 1.0 if direction == "higher" else 0.0
    low = -1.0 if direction == "higher" else 0.0
    records = []
    for name, values in rows.items():
        for seed, value in enumerate(values):
            if value == "gone":
                continue
            cell = metric(
                value,
                direction=direction,
                best=best,
                low=low,
                nothing=nothing,
                missing="none" if value is None else None,
            )
            made = scores(
                {"m": {**cell, **(more or {})}}, primary=("m",), floors=["f1", "f2", "f3"]
            )
            role = "floor" if name.startswith("f") else "predictor"
            records.append(record(name, made, role=role, seed=seed))
    return Standings(Numbers(read(records), TASK))


def test_the_best_floor_is_the_first_by_name_among_equals():
    worse = [one - 0.2 for one in FLOOR]
    found = rows_by_name(f3=worse, f2=FLOOR, f1=FLOOR, mlp=[0.6] * 5)
    assert (found.columns["m"].floor, found.beaten) == ("f1", {})
    assert found.section_floors["m"].values.tolist() == FLOOR
    assert found.standing(MLP, "m").score.floor == "f1"
    found = rows_by_name(f1=worse, f2=FLOOR, mlp=[0.6] * 5)
    assert (found.columns["m"].floor, found.columns["m"].reason) == ("f2", "")
    found = rows_by_name("lower", None, f1=FLOOR, f2=worse, mlp=[0.1] * 5)
    assert found.columns["m"].floor == "f2"
    assert found.columns["m"].gap.value == pytest.approx(0.2)


def test_a_floor_must_have_a_score_on_every_network():
    part = [0.9, "gone", 0.9, 0.9, 0.9]
    assert rows_by_name(f1=part, f2=FLOOR, mlp=[0.6] * 5).columns["m"].floor == "f2"
    none = [None] * 5  # a constant answer gives no ranking
    assert rows_by_name(f1=none, f2=FLOOR, mlp=[0.6] * 5).columns["m"].floor == "f2"
    found = rows_by_name(f1=none, f2=[-0.3] * 5, mlp=[0.6] * 5)
    assert found.columns["m"].floor == "doing nothing"
    assert found.beaten == {"m": ("f2", pytest.approx(-0.3))}
    alone = rows_by_name(f1=part, mlp=[0.6] * 5)
    assert (alone.columns["m"].floor, alone.columns["m"].reason) == (None, "no floor")
    assert alone.standing(MLP, "m").score.skill_reason == "no floor"


def test_doing_nothing_beats_the_best_floor_where_that_is_worse():
    found = rows_by_name(f1=[-0.3] * 5, f2=[-0.1] * 5, mlp=[0.6] * 5)
    assert found.columns["m"].floor == "doing nothing"
    assert found.beaten == {"m": ("f2", pytest.approx(-0.1))}
    standing = found.standing(MLP, "m")
    assert (standing.score.floor, standing.score.difference.value) == ("doing nothing", 0.6)
    assert standing.score.skill == pytest.approx(0.6)


def test_a_gain_is_a_share_of_the_gap_where_skill_is_printed():
    found = rows_by_name(f1=FLOOR, mlp=[one + 0.3 for one in FLOOR])
    standing = found.standing(MLP, "m")
    assert standing.score.difference.value == pytest.approx(0.3)
    assert standing.score.skill == pytest.approx(0.3 / 0.6)
    assert standing.gain.mean == pytest.approx(0.3 / 0.6)
    assert (standing.score.verdict, standing.score.skill_reason) == ("better", "")
    assert found.columns["m"].smallest == pytest.approx(0.006)
    near = rows_by_name(f1=[0.95] * 5, mlp=[0.98] * 5)
    standing = near.standing(MLP, "m")
    assert (standing.score.skill, standing.score.skill_reason) == (None, "no headroom")
    assert standing.gain.mean == pytest.approx(0.03)
    assert near.places({MLP: standing}, "m")[0].rank == (1, 1)


def test_rows_without_a_score_are_last_and_shared_ranks_name_each_other():
    def named(name):
        return (MLP[0], name, *MLP[2:])

    found = rows_by_name(
        f1=FLOOR,
        a=[0.6] * 5,
        b=[0.7] * 5,
        c=[0.6] * 5,
        d=[None] * 5,
    )
    keys = [named(name) for name in "dcba"]
    standings = {key: found.standing(key, "m") for key in keys}
    places = found.places(standings, "m")
    assert [place.key[1] for place in places] == ["b", "a", "c", "d"]
    assert [place.rank for place in places][:3] == [(1, 1), (2, 3), (2, 3)]
    assert [[key[1] for key in place.level_with] for place in places][:3] == [[], ["c"], ["a"]]
    # a row that ranks nothing counts as doing nothing
    assert places[3].rank == (4, 4)
    last = standings[named("d")]
    assert (last.score.value, last.score.missing) == (None, "none")
    assert last.gain.mean == pytest.approx(-0.4 / 0.6)
    # with nothing to stand in it has no gain, and is last all the same
    bare = rows_by_name(nothing=None, f1=FLOOR, a=[0.6] * 5, d=[None] * 5)
    standings = {key: bare.standing(key, "m") for key in (named("d"), named("a"))}
    assert standings[named("d")].gain is None
    assert [(one.key[1], one.rank) for one in bare.places(standings, "m")] == [
        ("a", (1, 1)),
        ("d", (2, 2)),
    ]


def test_differences_too_small_to_name_share_a_rank():
    def places(gap):
        found = rows_by_name(f1=FLOOR, a=[0.6] * 5, b=[0.6 + gap] * 5)
        keys = [(MLP[0], name, *MLP[2:]) for name in "ab"]
        return [one.rank for one in found.places({k: found.standing(k, "m") for k in keys}, "m")]

    assert places(0.0059) == [(1, 2), (1, 2)]  # 0.01 of the way from 0.4 to 1
    assert places(0.0061) == [(1, 1), (2, 2)]
    near = rows_by_name(f1=[0.95] * 5, a=[0.98] * 5, b=[0.985] * 5, c=[0.9851] * 5)
    keys = [(MLP[0], name, *MLP[2:]) for name in "abc"]
    found = near.places({key: near.standing(key, "m") for key in keys}, "m")
    # without headroom a difference of 0.001 is named: 0.01 of a tenth of the ceiling
    assert [(one.key[1], one.rank) for one in found] == [
        ("c", (1, 2)),
        ("b", (1, 2)),
        ("a", (3, 3)),
    ]


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.003, "same"), (0.007, "better"), (-0.3, "worse")]
)
def test_a_verdict_is_on_the_side_of_what_is_better(shift, verdict):
    higher = rows_by_name(f1=FLOOR, mlp=[one + shift for one in FLOOR]).standing(MLP, "m").score
    floor = [one + 0.2 for one in FLOOR]  # the way to 0 is 0.6, too
    lower = rows_by_name("lower", None, f1=floor, mlp=[one - shift for one in floor])
    for score in (higher, lower.standing(MLP, "m").score):
        assert (score.verdict, score.difference.value) == (verdict, pytest.approx(shift))


def test_a_part_that_no_floor_has_a_score_on_is_compared_with_none():
    part = metric(0.6)
    made = [
        record("mlp", scores({"m": part}, primary=("m",), coverage=0.5), seed=s) for s in (0, 1)
    ]
    floors = [
        record(
            "f1", scores({"m": metric(0.4)}, primary=("m",), floors=["f1"]), role="floor", seed=s
        )
        for s in (0, 1)
    ]
    found = Standings(Numbers(read(made + floors), TASK)).standing(MLP, "m")
    assert (found.score.skill_reason, found.score.floor, found.score.verdict) == (
        "no floor",
        None,
        "",
    )
    # a gain shrinks with the share that was answered
    assert found.gain.mean == pytest.approx(0.5 * 0.2 / 0.6)


# networks


def network(selection, digest, name="", edges="", kind="simulated"):
    dataset = SimpleNamespace(kind=kind, selection=selection, group="g", digest=digest)
    told = SimpleNamespace(name=name, edges=edges) if name or edges else None
    return SimpleNamespace(
        trial=SimpleNamespace(dataset=dataset, split=SimpleNamespace(seed=0)),
        about=SimpleNamespace(dataset=SimpleNamespace(network=told)),
    )


def test_what_counts_as_networks_of_their_own():
    none = Networks([network("r", "x", kind="real")])
    assert (none.count, none.draws, none.noun) == (0, 0, "data set")
    apart = Networks([network("a", "1"), network("b", "2"), network("a", "1")])
    assert (apart.count, apart.draws, apart.noun, apart.block("b")) == (2, 2, "network", "b")
    one = Networks([network("a", "1"), network("b", "1")])  # the same cells
    assert (one.count, one.draws, one.noun) == (1, 1, "network")
    assert one.claimed == {"edges": 0, "cells": 1}
    unknown = Networks([network("a", ""), network("b", "")])
    assert (unknown.count, unknown.claimed["cells"]) == (2, 0)
    draws = Networks([network("a", "1", "n"), network("b", "2", "n")])
    assert (draws.count, draws.draws, draws.noun) == (1, 2, "draw")
    assert (draws.block("b"), draws.evidence("b"), draws.evidence("?")) == ("b", "a", "?")
    assert draws.permuted_alike("b")
    assert draws.claimed == {"edges": 0, "cells": 0}
    told = Networks(
        [network("a", "1", "n", "e"), network("b", "2", "m", "e"), network("c", "3", "o")]
    )
    assert (told.count, told.block("b"), told.block("c")) == (2, "a", "c")
    assert told.claimed == {"edges": 1, "cells": 0}
    assert not told.permuted_alike("a")
    assert told.permuted_alike("c")
    slots = [told.slot(network("b", "2")), told.slot(network("c", "3"))]
    assert slots == [("a", '["b",0]'), ("c", "0")]
