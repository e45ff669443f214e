"""Intervals over cells that belong together: what they cover; nobody makes them narrower."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from kobench.api import MetricSpec, Parts, ProfileUnits, TaskSpec, TaskUnits
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.board.numbers.series import units_of
from kobench.plugins.chosen import Task
from kobench.plugins.load import Entry
from kobench.question import Answers
from kobench.question.sets import Profiles
from kobench.results.parts import TaskScores
from kobench.scoring.blocks import drawn_groups
from kobench.scoring.bootstrap import draws
from kobench.scoring.grouped import LEAST, CellGroups, effective, two_stage_counts
from kobench.scoring.score import Scoring, score_task

DRAWS = 300


def error(units):
    """The mean over cells of the first column's error."""
    values = np.abs(units.predicted[:, 0] - units.true[:, 0])
    return Parts("cell", units.cells, values, np.ones(len(values)))


def task_of(variants=("",)):
    """A task whose units are the cells' values as predicted, 0 in truth."""

    def profile(view):
        question = view.asked(Profiles)
        values = view.answers.profile
        units = ProfileUnits(values, np.zeros_like(values), values > 0, question.rows)
        return TaskUnits(dict.fromkeys(variants, units), len(values), len(values))

    spec = TaskSpec("mine", profile, "profile", "profile", "any", ("error",), (), block="cell")
    metric = MetricSpec("error", error, of="profile", direction="lower", best=0.0)
    own = [Entry(one, "kobench", "", "", trusted=True) for one in (spec, metric)]
    return Task(own[0], (own[1],))


def scored(values, labels, n=DRAWS) -> TaskScores:
    """The record's scores of cells with these errors, in these groups; None for no groups."""
    values = np.asarray(values, float)[:, None]
    question = Profiles(values > 0, values, np.arange(len(values)))
    groups = None if labels is None else CellGroups("donor", np.asarray(labels, np.str_))
    answers = Answers(profile=values)
    return score_task(
        Scoring(task_of(), question, answers, {}, n, "a dataset", "cells", groups=groups)
    ).scores


def interval(values, labels):
    """What a board makes of it, as (low, high); None without an interval."""
    found = scored(values, labels)
    score = found.metrics["error"]
    drawn = np.array([score.draws]) if score.draws else None
    made = mean_interval(Series(np.array([score.value]), drawn, units_of(found)))
    return None if made.low is None else (made.low, made.high)


def width(values, labels):
    low, high = interval(values, labels)
    return high - low


def donors(rng, sizes, between):
    """Positive errors of cells of donors; `between` is the share of variance between donors."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    shift = rng.normal(0, math.sqrt(between), len(sizes))
    return 10 + shift[labels] + rng.normal(0, math.sqrt(1 - between), len(labels)), labels


def test_draws_take_groups_and_cells_inside_them():
    labels = np.array(["a"] * 3 + ["b"] * 5 + ["c"])
    counts = two_stage_counts(labels, 500, 0)
    for name, size in (("a", 3), ("b", 5), ("c", 1)):
        times = counts[:, labels == name].sum(axis=1) / size
        assert set(times) <= {0, 1, 2, 3}  # whole groups
        assert times.mean() == pytest.approx(1, abs=0.15)
    inside = counts[:, labels == "b"]
    assert (inside.max(axis=1) > inside.min(axis=1)).any()  # and cells inside are drawn, too
    assert np.array_equal(counts, two_stage_counts(labels, 500, 0))
    assert not np.array_equal(counts, two_stage_counts(labels, 500, 1))


def test_what_groups_are_worth_by_hand():
    assert effective([7, 7]) == 2
    assert effective([3, 1]) == 16 / 10
    groups = CellGroups("donor", np.array(["a", "a", "b"]))
    assert groups.worth(np.array([0, 1, 2])) == pytest.approx(9 / 5)
    assert groups.worth(np.array([0, 1])) is None  # one group
    # of cell 0 many events are asked: by events one group has nearly all
    assert groups.worth(np.repeat([0, 1, 2], [98, 1, 1])) is None
    assert groups.worth(np.array([0, 7])) is None  # ids that are not the question's cells
    assert groups.count(np.array([0, 1, 2])) == 2


def test_groups_are_worth_what_their_units_or_their_cells_are_whichever_is_less():
    """Events of few cells are no more donors, nor are many cells of few events."""
    # three cells of donor a, six of b and one of c
    groups = CellGroups("donor", np.array(list("aaabbbbbbc")))
    assert groups.worth(np.arange(10)) == pytest.approx(10**2 / (9 + 36 + 1), rel=1e-5)
    assert groups.worth(np.repeat(np.arange(10), 7)) == groups.worth(np.arange(10))
    # as many units of each donor: their cells are as uneven as before
    even = np.repeat(np.arange(10), [2, 2, 2, 1, 1, 1, 1, 1, 1, 6])
    assert effective(np.unique(groups.of_cells[even], return_counts=True)[1]) == 3
    assert groups.worth(even) == groups.worth(np.arange(10))
    # a cell of each donor, and nearly all units of one of them
    uneven = np.repeat([0, 3, 9], [18, 1, 1])
    assert groups.worth(uneven) is None
    assert groups.worth(np.repeat([0, 3, 9], [4, 1, 1])) == pytest.approx(6**2 / 18, rel=1e-5)
    # nearly all cells of one donor, and of all as many units
    few = CellGroups("donor", np.array(["a"] * 20 + ["b", "c"]))
    assert few.worth(np.repeat(np.arange(22), [1] * 20 + [20, 20])) is None


@pytest.mark.parametrize("turned", [False, True])
def test_groups_are_worth_those_of_the_variant_that_has_the_fewest(turned):
    """One number stands in the record for all variants: none is told to have more than it has."""
    groups = CellGroups("donor", np.array(list("aabbccdd")))

    def units(*cells):
        values = np.ones((len(cells), 1))
        return ProfileUnits(values, values, values > 0, np.array(cells))

    variants = {"": units(*range(8)), "two": units(0, 1, 4, 5), "three": units(0, 2, 4)}
    variants = dict(reversed(variants.items())) if turned else variants
    assert drawn_groups(groups, TaskUnits(variants, 8, 8)).worth == 2
    # one donor alone has no draws, whatever it is worth
    variants = {**variants, "one": units(6, 7)}
    assert drawn_groups(groups, TaskUnits(variants, 8, 8)).worth == 2
    assert drawn_groups(groups, TaskUnits({"": units(6, 7)}, 8, 2)).worth is None


def test_records_say_which_groups_were_drawn_and_what_they_are_worth():
    rng = np.random.default_rng(0)
    found = scored(rng.random(100), np.repeat(["d1", "d2", "d3"], [50, 30, 20]))
    assert (found.block, found.blocks) == ("group", 3)
    assert found.groups.column == "donor"
    assert found.groups.worth == pytest.approx(1 / (0.25 + 0.09 + 0.04), rel=1e-4)
    assert len(found.metrics["error"].draws) == DRAWS
    plain = scored(rng.random(100), None)
    assert (plain.block, plain.blocks, plain.groups) == ("cell", 100, None)
    assert "groups" not in plain.to_json()


def test_one_group_has_no_interval_and_two_have_a_wide_one():
    rng = np.random.default_rng(0)
    values = rng.random(40)
    assert interval(values, ["d1"] * 40) is None
    assert scored(values, ["d1"] * 40).metrics["error"].draws == []
    assert scored(values, ["d1"] * 40).groups.worth is None
    assert width(values, ["d1", "d2"] * 20) > 5 * width(values, None)


@pytest.mark.parametrize("sizes", [[60] * 5, [40] * 10, [200, 100, 50, 25, 25], [200] + [20] * 9])
def test_intervals_by_groups_cover_where_those_by_cells_do_not(sizes):
    """Errors of other donors, of which a tenth of the variance is: the mean of all is 10."""
    rng = np.random.default_rng(3)
    by_group, by_cell = [], []
    for _ in range(60):
        values, labels = donors(rng, sizes, 0.1)
        for held, groups in ((by_group, labels), (by_cell, None)):
            low, high = interval(values, groups)
            held.append(low <= 10 <= high)
    assert np.mean(by_group) >= 0.9
    assert np.mean(by_cell) <= 0.75


# how the author of a dataset could try to make intervals narrower than without any groups


def test_attack_groups_that_are_dealt_out_to_be_alike():
    values = np.sort(np.random.default_rng(1).random(200))
    # each group gets a cell of every height, so that groups hardly differ
    labels = np.tile(np.r_[np.arange(10), np.arange(10)[::-1]], 10)
    means = [values[labels == group].mean() for group in range(10)]
    assert np.std(means) < 0.05 * values.std() / math.sqrt(20)
    assert width(values, labels) >= width(values, None)


def test_attack_each_cell_is_a_group():
    values = np.random.default_rng(2).random(200)
    assert width(values, np.arange(200)) == pytest.approx(width(values, None), rel=0.15)


def test_attack_one_group_has_nearly_all_cells_and_many_have_one():
    rng = np.random.default_rng(3)
    values, labels = donors(rng, [400] + [2] * 50, 0.3)
    assert effective(np.bincount(labels)) < LEAST + 0.1
    # counted as 51 groups the interval would be as narrow as if cells were independent
    found = interval(values, labels)
    assert found is None or found[1] - found[0] > 10 * width(values, None)


def test_attack_a_group_of_its_own_for_every_label_with_blanks():
    from kobench.cells import Cells
    from kobench.dataset import Dataset
    from kobench.datasets.groups import labels_of_groups

    cells = Cells(np.ones((4, 2)), np.array(["a", "b"]), {"d": np.array(["x", "x ", " x", "y"])})
    dataset = Dataset(cells, "linear", "real", group_key="d")
    assert set(labels_of_groups(dataset)) == {"x", "y"}


def test_every_predictor_is_drawn_alike():
    rng = np.random.default_rng(4)
    values, labels = rng.random(60), np.repeat(np.arange(6), 10)
    one = scored(values, labels).metrics["error"].draws
    other = scored(2 * values, labels).metrics["error"].draws
    assert other == pytest.approx([2 * each for each in one], rel=1e-4)


def test_the_quick_way_is_that_of_drawn_units():
    rng = np.random.default_rng(5)
    values, labels = rng.random((30, 1)), np.repeat(["a", "b", "c"], 10)
    units = ProfileUnits(values, np.zeros_like(values), values > 0, np.arange(30))
    groups = CellGroups("donor", labels)

    def plainly(units):
        return error(units).value

    quick = draws(error, units, "cell", 40, 1, groups=groups)
    assert quick == pytest.approx(draws(plainly, units, "cell", 40, 1, groups=groups))
    assert quick != pytest.approx(draws(error, units, "cell", 40, 1))


def test_worth_that_a_record_makes_up_gives_no_narrow_interval_and_no_crash():
    found = scored(np.random.default_rng(6).random(40), ["a", "b"] * 20)
    drawn = np.array([found.metrics["error"].draws])
    for worth in (None, 0.0, -5.0, 0.5, 1.0):
        units = units_of(replace(found, groups=replace(found.groups, worth=worth)))
        assert mean_interval(Series(np.array([0.5]), drawn, units)).low is None
