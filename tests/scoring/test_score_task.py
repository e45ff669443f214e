"""`score_task`: the floors beside a partial answer, what is drawn again, permuted answers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from kobench.api import (
    ImpactUnits,
    MetricSpec,
    NotComputed,
    Parts,
    ResponseUnits,
    TaskSpec,
    TaskUnits,
    TaskView,
)
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.builtin.tasks.values import supported_genes
from kobench.cells import Cells, Knockouts
from kobench.errors import InvalidAnswerError
from kobench.plugins.chosen import Task
from kobench.plugins.load import Entry
from kobench.question import Answers, Responses, Transfers
from kobench.question.base import answerable_events
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.grouped import CellGroups
from kobench.scoring.metric import (
    Permuting,
    blocks_over,
    score_ceiling,
    score_metric,
    score_permuted,
)
from kobench.scoring.permutations import PERMUTATIONS
from kobench.scoring.score import (
    POINTS,
    Scoring,
    floors_on_same_units,
    score_task,
    shown_points,
    shown_table,
)

ALL = np.ones(4, bool)
CELLS = Cells(np.ones((2, 4), np.float32), np.array(list("abcd")))

#: Perturbations a, b, c, a+b and c+d, each in both cells.
SINGLES = Knockouts(np.repeat([[0], [1], [2]], 2, axis=0).astype(np.int32), np.arange(6) % 2)
DOUBLES = Knockouts(np.repeat([[0, 1], [2, 3]], 2, axis=0).astype(np.int32), np.arange(4) % 2)
QUESTION = Responses(
    cells=CELLS,
    names=("a", "b", "c", "a+b", "c+d"),
    targets=((0,), (1,), (2,), (0, 1), (2, 3)),
    events=(SINGLES, DOUBLES),
    rows=(np.repeat([0, 1, 2], 2), np.repeat([3, 4], 2)),
    row_perturbation=np.arange(5),
    row_weight=np.ones(5),
    change=np.zeros((5, 4)),
    size=np.array([1.0, 2, 4, 8, 16]),
    abundance=np.ones(5),
    detectable=np.ones(5, bool),
    perturbed=np.ones(5, int),
)


def sizes(view):
    """Mean impacts beside true sizes, of the perturbations that the answers cover."""
    question, answers = view.asked(Responses), view.answers
    supported = supported_genes(answers, 4)
    kept = np.zeros(5, bool)
    for events, rows in zip(question.events, question.rows, strict=True):
        kept[rows[answerable_events(events, supported, answers.max_order)]] = True
    (rows,) = np.nonzero(kept)
    units = ImpactUnits(answers.raw[rows], question.size[rows], rows, rows)
    return TaskUnits({"": units}, asked=5, answered=len(rows))


def mean_error(units):
    errors = np.abs(units.predicted - units.true)
    return float(errors.mean()) if len(errors) else math.nan


def own(spec) -> Entry:
    return Entry(spec, "kobench", "", "", trusted=True)


def task(name="sizes", floors=("ones", "zeros")) -> Task:
    spec = TaskSpec(name, sizes, "impact", "response", "any", ("error",), floors, block="cell")
    metric = MetricSpec("error", mean_error, of="impact", direction="lower", best=0.0)
    return Task(own(spec), (own(metric),))


#: Floors, and one that does not count for the task; they can remove any genes.
FLOORS = {
    "ones": Answers(raw=np.ones(5), supported=ALL),
    "zeros": Answers(raw=np.zeros(5), supported=ALL),
    "twos": Answers(raw=np.full(5, 2.0), supported=ALL),
}


def scored(answers, floors=FLOORS, draws=0, seed_of="a dataset", of=None):
    return score_task(
        Scoring(of or task(), QUESTION, answers, floors, draws, seed_of, seed_of)
    ).scores


def floor_values(scores):
    return {name: one.value for name, one in scores.metrics["error"].floors.items()}


def answer(supported=ALL, max_order=None):
    raw = np.array([1.0, 2, 3, 5, 9])
    return Answers(raw=raw, supported=supported, max_order=max_order)


@pytest.mark.parametrize(
    ("answers", "answered", "value", "ones", "zeros"),
    [
        # singles alone, truth 1, 2, 4: errors 0, 0, 1 | 0, 1, 3 | 1, 2, 4
        (answer(max_order=1), 3, 1 / 3, 4 / 3, 7 / 3),
        # without gene c, truth 1, 2, 8: errors 0, 0, 3 | 0, 1, 7 | 1, 2, 8
        (answer(np.array([True, True, False, True])), 3, 1.0, 8 / 3, 11 / 3),
        # both: a and b, truth 1, 2
        (answer(np.array([True, True, False, True]), 1), 2, 0.0, 0.5, 1.5),
    ],
)
def test_floors_are_scored_on_just_what_was_answered(answers, answered, value, ones, zeros):
    found = scored(answers)
    assert (found.asked, found.answered, found.coverage) == (5, answered, answered / 5)
    assert found.metrics["error"].value == pytest.approx(value)
    assert floor_values(found) == pytest.approx({"ones": ones, "zeros": zeros})


def test_floors_are_looked_at_only_beside_a_partial_answer():
    broken = {"ones": Answers(raw=None), "zeros": Answers(raw=None)}
    for answers in (answer(), answer(max_order=3), answer(np.zeros(4, bool))):
        assert floor_values(scored(answers, broken)) == {}
    with_nothing = scored(answer(np.zeros(4, bool)))
    assert (with_nothing.answered, floor_values(with_nothing)) == (0, {})


def test_a_floor_is_drawn_again_as_the_answer_is():
    """The floor that is the answer itself has its value and its draws."""
    answers = answer(max_order=1)
    same = {"ones": replace(answers, max_order=None)}
    error = scored(answers, same, draws=20).metrics["error"]
    assert len(set(error.draws)) > 1
    assert (error.floors["ones"].value, error.floors["ones"].draws) == (error.value, error.draws)


def test_draws_are_those_of_the_dataset_and_the_task():
    first, again = (scored(answer(), draws=30).metrics["error"].draws for _ in range(2))
    assert first == again
    assert scored(answer(), draws=30, seed_of="another").metrics["error"].draws != first
    other = scored(answer(), draws=30, of=task("other"))
    assert other.metrics["error"].draws != first


def test_blocks_are_those_of_the_variant_that_ranks():
    """An interval has as many degrees of freedom as these say."""

    def in_parts(view, primary=None):
        units = sizes(view).variants[""]
        few = ImpactUnits(units.predicted[:3], units.true[:3], np.array([0, 0, 1]), np.arange(3))
        return TaskUnits({"": units, "few": few}, asked=5, answered=5, primary=primary)

    def blocks(*primary, of="error"):
        spec = TaskSpec(
            "parts",
            lambda view: in_parts(view, primary or None),
            "impact",
            "response",
            "any",
            (of,),
            (),
            block="cell",
        )
        return scored(answer(), draws=5, of=Task(own(spec), task().metrics)).blocks

    assert blocks() == blocks("error") == blocks("error", "error[few]") == 5
    assert blocks("error[few]") == blocks("error[few]", "error") == 2
    assert blocks(of="error[few]") == 2
    assert blocks("error[gone]") == 0


def test_draws_are_of_the_named_blocks():
    """The mean over the cells drawn, by hand: cell i has an error of its own, i = 0 to 4."""
    errors = np.array([0.0, 0, 1, 3, 7])
    scoring = Scoring(task(), QUESTION, answer(), {}, 6, "a dataset", "cells")
    chosen = np.random.default_rng(scoring.seed).integers(0, 5, (6, 5))
    assert scored(answer(), draws=6).metrics["error"].draws == pytest.approx(
        errors[chosen].mean(axis=1), rel=1e-5
    )


def builtin_task(name, metric):
    (spec,) = [spec for spec in task_specs() if spec.name == name]
    (scores,) = [one for one in metric_specs() if (one.of, one.name) == (spec.of, metric)]
    return Task(own(spec), (own(scores),))


def test_every_pair_of_groups_has_draws_of_its_own():
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.ones(3), 12)
    groups = np.repeat(["cone", "glia", "rod"], 4)
    question = Transfers(true > 0, true, np.arange(12), groups, "rod", 40)
    predicted = rng.dirichlet(np.ones(3), 12)
    transfer = builtin_task("transfer", "bray-curtis")
    answers = Answers(profile=predicted)
    found = score_task(
        Scoring(transfer, question, answers, {}, 25, "a dataset", "cells")
    ).scores.metrics
    names = ("bray-curtis", "bray-curtis[cone]", "bray-curtis[glia]", "bray-curtis[rod]")
    assert tuple(found) == names
    errors = np.abs(predicted - true).sum(axis=1) / 2
    for name, rows in zip(
        names, (slice(0, 8), slice(0, 4), slice(4, 8), slice(8, 12)), strict=True
    ):
        draws = found[name].draws
        assert len(draws) == 25, name
        assert found[name].value == pytest.approx(errors[rows].mean())
        assert min(draws) < max(draws)
        assert errors[rows].min() - 1e-6 <= min(draws)
        assert max(draws) <= errors[rows].max() + 1e-6


class Permutable:
    """A metric whose permuted answers have these values."""

    def __init__(self, values):
        self.values = values

    def __call__(self, units):
        return 0.5

    def permuted(self, units, orders):
        self.orders = orders
        return self.values


#: Of ten perturbations, so that 1 / 10!, the smallest p there is, plays no part.
TEN = ImpactUnits(np.ones(10), np.ones(10), np.arange(10), np.arange(10))


@pytest.mark.parametrize(
    ("direction", "values", "p"),
    [
        # 0.5 itself scores as well: 2 of 4 permutations do, p = (1 + 2) / (1 + 4)
        ("higher", [0.1, 0.5, 0.2, 0.9], 3 / 5),
        ("lower", [0.1, 0.5, 0.2, 0.9], 4 / 5),
        # rounding makes no difference
        ("higher", [0.5 - 1e-14, 0.1, 0.2, 0.3], 2 / 5),
        ("lower", [0.5 + 1e-14, 0.1, 0.6, 0.7], 3 / 5),
        ("higher", [0.1] * 4, 1 / 5),
        ("lower", [0.1] * 4, 1.0),
        ("higher", [0.5] * 4, 1.0),
        ("lower", [0.5] * 4, 1.0),
        # those without a value say nothing
        ("higher", [0.9, np.nan, 0.1, np.inf], 2 / 3),
    ],
)
def test_p_counts_the_permutations_that_score_as_well(direction, values, p):
    spec = MetricSpec("made-up", "math:fsum", of="impact", direction=direction)
    metric = Permutable(values)
    found = score_permuted(spec, metric, TEN, 0.5, Permuting(7))
    known = np.array(values)[np.isfinite(values)]
    assert (found.p, found.draws) == (pytest.approx(p, rel=1e-5), len(known))
    assert found.mean == pytest.approx(known.mean(), rel=1e-5)
    assert found.sd == pytest.approx(known.std(), rel=1e-5, abs=1e-12)
    assert metric.orders.shape == (PERMUTATIONS, 10)


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_the_band_of_permuted_answers_holds_95_percent_of_them(direction):
    """Of 0 to 1000, in any order, 2.5 % lie below 25 and above 975."""
    spec = MetricSpec("made-up", "math:fsum", of="impact", direction=direction)
    values = np.random.default_rng(0).permutation(1001).astype(float)
    found = score_permuted(spec, Permutable(values), TEN, 0.5, Permuting(7))
    assert (found.low, found.high) == (25.0, 975.0)


def test_as_many_scores_of_permutations_are_kept_as_asked_for():
    """The first ones, as permutation b is the same in all splits; without them no names."""
    spec = MetricSpec("made-up", "math:fsum", of="impact")
    values = np.arange(8) / 8
    for kept, scores in ((0, None), (3, [0.0, 0.125, 0.25]), (9, values.tolist())):
        found = score_permuted(spec, Permutable(values), TEN, 0.5, Permuting(7, kept=kept))
        assert (found.scores, found.draws) == (scores, 8)
        assert found.names == (None if kept == 0 else [str(i) for i in range(10)])


@pytest.mark.parametrize("without", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 3, 7])
def test_where_a_permutation_has_no_value_none_of_them_is_kept(without, place):
    """Those behind it would be taken for other permutations than they are in other splits."""
    spec = MetricSpec("made-up", "math:fsum", of="impact")
    values = np.arange(8) / 8
    values[place] = without
    for kept in (3, 8):
        found = score_permuted(spec, Permutable(values), TEN, 0.5, Permuting(7, kept=kept))
        assert (found.scores, found.names, found.draws) == (None, None, 7)


def test_answers_are_permuted_alike_in_all_splits_of_the_same_cells_alone():
    """The draws of blocks differ between splits; a board averages the permutations of all."""

    def orders(split, cells):
        metric = Permutable(np.zeros(PERMUTATIONS))
        spec = TaskSpec("sizes", sizes, "impact", "response", "any", ("made-up",), (), block="cell")
        made_up = MetricSpec("made-up", metric, of="impact")
        of = Task(own(spec), (own(made_up),))
        score_task(Scoring(of, QUESTION, answer(), {}, 0, split, cells))
        return metric.orders

    first = orders("split 0", "these cells")
    assert first.shape == (PERMUTATIONS, 5)
    np.testing.assert_array_equal(orders("split 1", "these cells"), first)
    assert (orders("split 0", "other cells") != first).any()


def test_there_is_no_p_without_permutations_or_a_value():
    spec = MetricSpec("made-up", "math:fsum", of="impact")

    class Broken(Permutable):
        def permuted(self, units, orders):
            raise ZeroDivisionError

    for metric, units, value in (
        (mean_error, TEN, 0.5),
        (Permutable([0.1]), None, 0.5),
        (Permutable([0.1]), TEN, None),
        (Permutable([np.nan]), TEN, 0.5),
        (Broken([]), TEN, 0.5),
    ):
        assert score_permuted(spec, metric, units, value, Permuting(0)) is None


def raises(units):
    raise KeyError("x")


@pytest.mark.parametrize(
    ("score", "missing"),
    [
        (lambda units: math.inf, "the value is not finite"),
        (lambda units: -math.inf, "the value is not finite"),
        (lambda units: math.nan, "none"),
        (lambda units: "many", "the metric failed: ValueError"),
        (raises, "the metric failed: KeyError: 'x'"),
    ],
)
def test_a_metric_without_a_number_costs_its_own_column(score, missing):
    """JSON has neither infinity nor NaN, so none may come into a record."""
    spec = MetricSpec("broken", score, of="impact")
    both = replace(task(), metrics=(*task().metrics, own(spec)))
    found = scored(answer(max_order=1), draws=5, of=both).metrics
    assert found["broken"].value is None
    assert found["broken"].missing.startswith(missing)
    assert found["broken"].draws == []
    assert found["error"].value == pytest.approx(1 / 3)


def shown(true, predicted, seed=0):
    """The points of one variant of made-up units, as pairs."""
    rows = np.arange(len(true))
    units = ImpactUnits(np.asarray(predicted, float), np.asarray(true, float), rows, rows)
    found = shown_points(TaskUnits({"": units}, len(rows), len(rows)), "impact", seed)
    assert found is not None
    assert found.what == "impact"
    return list(zip(found.true, found.predicted, strict=True))


def test_points_for_pictures_are_all_units_but_those_without_anything_to_see():
    """A unit that is 0 on one side alone is an error, and a picture must show it."""
    nan, inf = math.nan, math.inf
    true = [0.0, 0.0, 0.5, nan, 0.3, 0.4, 0.123456]
    predicted = [0.0, 0.2, 0.0, 0.1, nan, inf, 7.0]
    assert shown(true, predicted) == [(0.0, 0.2), (0.5, 0.0), (0.1235, 7.0)]
    assert shown_points(TaskUnits({}, 3, 0), "impact", 0) is None


def test_of_many_points_a_sample_is_kept_that_follows_from_the_seed():
    true = np.arange(1.0, 1001.0)
    found = shown(true, -2 * true, seed=4)
    assert len(found) == len(set(found)) == POINTS
    assert all(predicted == -2 * value for value, predicted in found)
    assert found == sorted(found)
    assert shown(true, -2 * true, seed=4) == found != shown(true, -2 * true, seed=5)
    assert len(shown(true[:POINTS], true[:POINTS])) == POINTS


@pytest.mark.parametrize("showcase", [True, False])
def test_points_are_those_of_the_first_variant_and_of_a_showcase_alone(showcase):
    answers = answer()
    found = score_task(
        Scoring(task(), QUESTION, answers, FLOORS, 0, "a dataset", "a dataset", showcase)
    ).scores
    assert found.table is None
    if showcase:
        assert found.points is not None
        assert (found.points.true, found.points.predicted) == (
            QUESTION.size.tolist(),
            answers.raw.tolist(),
        )
    else:
        assert found.points is None


def broken(make):
    """The scores of a task that makes this of its answers."""
    spec = TaskSpec("x", make, "impact", "response", "any", ("error",), ("ones",), block="cell")
    return scored(answer(), draws=4, of=Task(own(spec), task().metrics))


@pytest.mark.parametrize(
    ("units", "why"),
    [
        ({}, "it gave a dict, expected kobench.api.TaskUnits"),
        (TaskUnits({}, 1, 1, unranked=3), "its units say unranked=3, expected text"),
        (ValueError("oh"), "ValueError: oh"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_a_broken_task_has_no_units_and_says_why(units, why):
    def make(view):
        if isinstance(units, BaseException):
            raise units
        return units

    found = broken(make)
    assert (found.asked, found.answered, found.coverage, found.blocks) == (0, 0, 0.0, 0)
    assert found.metrics["error"].missing == f"the task failed: {why}"
    assert found.metrics["error"].floors == {}


@pytest.mark.parametrize("error", [InvalidAnswerError("bad"), KeyboardInterrupt()])
def test_an_answer_that_is_refused_and_a_key_are_no_fault_of_the_task(error):
    def make(view):
        raise error

    with pytest.raises(type(error)):
        broken(make)


def test_an_answer_to_nothing_is_compared_with_no_floor():
    def make(view):
        rows = np.zeros(0, int)
        return TaskUnits({"": ImpactUnits(np.zeros(0), np.zeros(0), rows, rows)}, 5, 0)

    found = broken(make)
    assert (found.asked, found.answered, found.coverage) == (5, 0, 0.0)
    assert found.metrics["error"].missing == "none"
    spec = TaskSpec("x", make, "impact", "response", "any", ("error",), ("ones",), block="cell")
    scoring = Scoring(Task(own(spec), task().metrics), QUESTION, answer(), FLOORS, 0, "a", "a")
    some = TaskUnits({}, 5, 2)
    assert set(floors_on_same_units(scoring, some)) == {"ones"}
    for units in (replace(some, answered=0), replace(some, answered=5)):
        assert floors_on_same_units(scoring, units) == {}


def test_draws_are_of_metrics_that_rank_and_named_where_there_are_some():
    def halved(units):
        return mean_error(units) / 2

    metrics = tuple(
        own(MetricSpec(name, score, of="impact", direction="lower", best=0.0))
        for name, score in (("error", mean_error), ("half", halved))
    )
    found = scored(answer(), draws=7, of=Task(task().entry, metrics))
    assert [len(found.metrics[name].draws) for name in ("error", "half")] == [7, 0]
    assert found.metrics["half"].floors == {}

    def digest(draws, units, block):
        def make(view):
            return TaskUnits({"": units}, 5, 5)

        spec = replace(task().spec, units=make, block=block)
        return scored(answer(), draws=draws, of=Task(own(spec), metrics)).blocks_digest

    cells = ImpactUnits(np.zeros(2), np.ones(2), np.arange(2), np.arange(2))
    changes = ResponseUnits(np.zeros((2, 3)), np.ones((2, 3)), np.arange(2))
    assert digest(7, cells, "cell") is None  # cells have no names
    assert len(digest(7, changes, "perturbation")) == 16
    assert digest(0, changes, "perturbation") is None
    groups = CellGroups("donor", np.array([*"aabbc"]))
    for block, kept in (("cell", groups), ("gene", None)):
        spec = replace(task().spec, block=block)
        scoring = Scoring(
            Task(own(spec), metrics), QUESTION, answer(), {}, 7, "a", "a", groups=groups
        )
        assert scoring.redraw.groups is kept
        assert score_task(scoring).scores.block == ("group" if kept else "gene")


def test_an_infinite_value_is_none_and_a_table_is_plain():
    spec = MetricSpec("m", mean_error, of="impact", direction="lower", best=0.0, high=math.inf)
    units = sizes(TaskView(QUESTION, answer())).variants[""]
    found = score_metric(spec, lambda units: math.inf, units)
    assert (found.value, found.missing, found.high) == (None, "the value is not finite", None)
    assert score_metric(spec, mean_error, None).missing == "not answered"
    assert score_metric(spec, lambda units: math.nan, units).missing == "none"
    table = {"gene": np.array(["a", "b"]), "x": np.array([0.1, np.nan]), "n": [np.int64(3), 4]}
    assert shown_table(TaskUnits({}, 1, 1, table=table)) == {
        "gene": ["a", "b"],
        "x": [0.1, None],
        "n": [3, 4],
    }
    assert shown_table(TaskUnits({}, 1, 1)) is None


def test_a_value_over_fewer_blocks_than_its_units_says_over_how_many():
    units = ImpactUnits(np.zeros(4), np.zeros(4), np.array([0, 1, 2, 2]), np.arange(4))

    def over(ids, what="cell", redraw=None):
        parts = Parts(what, np.array(ids), np.zeros(len(ids)), np.ones(len(ids)))
        return blocks_over(parts, units, redraw or Redraw("cell", 5))

    assert over([0, 2]) == 2
    assert over([0, 1, 2]) is None
    assert over([0], "gene") is None
    assert over([0], redraw=Redraw("gene", 5)) is None
    assert over([0], redraw=Redraw("cell", 5, groups=CellGroups("d", np.array([*"abc"])))) is None
    assert blocks_over(0.5, units, Redraw("cell", 5)) is None
    assert (
        blocks_over(Parts("cell", np.zeros(1, int), np.zeros(1), np.ones(1)), units, None) is None
    )


@pytest.mark.parametrize(
    ("ceiling", "value"),
    [(lambda units: 0.75, 0.75), (lambda units: math.nan, None), (mean_error, 1.0)],
)
def test_a_ceiling_is_what_the_metric_says_or_unknown(ceiling, value):
    class Offers:
        def __call__(self, units):
            return 0.5

        def ceiling(self, units):
            return ceiling(units)

    units = ImpactUnits(np.ones(3), np.zeros(3), np.arange(3), np.arange(3))
    found = score_ceiling(Offers(), units, Redraw("cell", 4))
    assert (found.value, len(found.draws)) == (value, 0 if value is None else 4)
    assert score_ceiling(mean_error, units).value is None

    class Refuses(Offers):
        def ceiling(self, units):
            raise NotComputed("no")

    assert score_ceiling(Refuses(), units).value is None
