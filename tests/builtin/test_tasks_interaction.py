"""Tasks, metrics and floors of several knockouts, by hand and against scikit-learn and scipy."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import braycurtis
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from kobench.api import (
    Answers,
    Cells,
    Context,
    InteractionUnits,
    Knockouts,
    Multiples,
    NotComputed,
    Profiles,
    TaskView,
    answer_kinds,
)
from kobench.builtin.floors.impact import Random
from kobench.builtin.floors.interaction import SmallerShare, SmallerSingle
from kobench.builtin.floors.knockout import PresenceContrast
from kobench.builtin.metrics.average_precision import average_precision
from kobench.builtin.metrics.interaction import INTERACTS, auprc, mae, spearman
from kobench.builtin.specs.floors import floor_specs
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.builtin.tasks.interaction import multiple_knockout
from kobench.errors import InvalidAnswerError
from kobench.scoring.bootstrap import block_counts, draws, take
from kobench.worker.describe import validation

# metrics


def units(predicted, true, pairs=None, cells=None) -> InteractionUnits:
    n = len(predicted)
    ids = np.arange(n) if pairs is None else np.asarray(pairs)
    return InteractionUnits(
        np.asarray(predicted, float),
        np.asarray(true, float),
        np.arange(n) if cells is None else np.asarray(cells),
        ids,
    )


def random_units(seed, n=400, sets=30, decimals=2) -> InteractionUnits:
    rng = np.random.default_rng(seed)
    true = np.where(rng.random(n) < 0.5, 0.0, rng.random(n).round(3) / 100)
    predicted = (50 * true + rng.random(n)).round(decimals)
    return units(predicted, true, rng.integers(0, sets, n), rng.integers(0, 20, n))


def test_auprc_by_hand():
    # ranked: hit, miss and hit tied, miss: 1/3... precision 1/1 at recall 1/2, then 2/3 at recall 1
    assert auprc(units([0.9, 0.5, 0.5, 0.1], [0.01, 0.0, 0.002, 0.001])) == pytest.approx(
        0.5 * 1 + 0.5 * 2 / 3
    )
    # just at the threshold is no interaction
    assert INTERACTS == 1e-3
    assert auprc(units([0.0, 1.0, 2.0], [0.001, 0.0010001, 0.0])) == pytest.approx(1 / 2)
    # the truth itself is 1, its opposite the least
    true = np.array([0.0, 0.0, 0.5, 0.2])
    assert auprc(units(true, true)) == 1.0
    assert auprc(units(-true, true)) == pytest.approx((1 / 3 + 2 / 4) / 2)


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("seed", range(3))
def test_auprc_is_scikit_learns(seed, decimals):
    given_units = random_units(seed, decimals=decimals)
    positive = given_units.true > INTERACTS
    assert auprc(given_units) == pytest.approx(
        average_precision_score(positive, given_units.predicted), abs=1e-12
    )
    assert auprc(given_units) == pytest.approx(
        average_precision(given_units.predicted, positive), abs=1e-12
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 3)), min_size=2, max_size=20
    )
)
@settings(max_examples=80, deadline=None)
def test_auprc_by_multiplicity_is_that_of_repeated_events(entries):
    scores, positive, often = (np.array(column) for column in zip(*entries, strict=True))
    value = auprc.prepare(units(scores, positive * 0.5))(often)
    repeated, hits = np.repeat(scores, often), np.repeat(positive, often)
    if len(np.unique(repeated)) < 2 or hits.all() or not hits.any():
        assert math.isnan(value)
    else:
        assert value == pytest.approx(average_precision_score(hits, repeated), abs=1e-12)


@pytest.mark.parametrize("metric", [auprc, spearman], ids=["auprc", "spearman"])
def test_quick_draws_are_those_of_the_units_drawn(metric):
    given_units = random_units(4, n=60, sets=8)
    quick = draws(metric, given_units, "pair", 20, seed=3)
    distinct, counts = block_counts(given_units.pairs, 20, 3)
    slow = [metric(take(given_units, "pair", np.repeat(distinct, often))) for often in counts]
    np.testing.assert_allclose(quick, slow, atol=1e-12)
    assert np.ptp(quick) > 0.01


def test_spearman_by_hand_and_scipy():
    assert spearman(units([1.0, 2.0, 3.0], [0.1, 0.3, 0.2])) == pytest.approx(0.5)
    for seed in range(3):
        given_units = random_units(seed)
        assert spearman(given_units) == pytest.approx(
            spearmanr(given_units.predicted, given_units.true).statistic, abs=1e-12
        )


def test_mae_by_hand():
    found = mae(units([0.1, 0.2, 0.4, 0.0], [0.1, 0.0, 0.1, 0.5], pairs=[5, 2, 5, 2]))
    assert (found.over, found.ids.tolist(), found.weights.tolist()) == ("pair", [2, 5], [2.0, 2.0])
    np.testing.assert_allclose(found.sums, [0.7, 0.3])
    assert found.value == pytest.approx(0.25)
    given_units = random_units(0)
    assert mae(given_units).value == pytest.approx(
        np.abs(given_units.predicted - given_units.true).mean()
    )


def test_degenerate_units():
    for metric in (auprc, spearman, mae):
        with pytest.raises(NotComputed, match="no event was asked"):
            metric(units([], []))
    for true, reason in (
        ([0.0, 0.0005], "no true interaction is over 0.001"),
        ([0.5, 0.2], "every true interaction is over 0.001"),
    ):
        with pytest.raises(NotComputed, match=reason):
            auprc(units([1.0, 2.0], true))
    with pytest.raises(NotComputed, match="all equal"):
        spearman(units([1.0, 2.0], [0.3, 0.3]))
    with pytest.raises(NotComputed, match="all equal"):
        spearman(units([1.0], [0.3]))
    constant = units([0.2, 0.2, 0.2], [0.0, 0.1, 0.2])
    assert math.isnan(auprc(constant))
    assert math.isnan(spearman(constant))
    assert mae(constant).value == pytest.approx(0.1)


def test_the_order_of_events_changes_no_value():
    given_units = random_units(7)
    order = np.random.default_rng(1).permutation(400)
    shuffled = InteractionUnits(*(values[order] for values in dataclasses.astuple(given_units)))
    assert auprc(shuffled) == auprc(given_units)
    assert spearman(shuffled) == pytest.approx(spearman(given_units), abs=1e-15)
    assert mae(shuffled).value == pytest.approx(mae(given_units).value, abs=1e-15)
    np.testing.assert_allclose(
        draws(auprc, shuffled, "pair", 5, 0), draws(auprc, given_units, "pair", 5, 0), atol=1e-12
    )


# the task


def question(order=2) -> Multiples:
    """Five sets of genes of eight, in six cells; the first three sets random, the others linked."""
    rng = np.random.default_rng(order)
    cells = Cells(
        (rng.random((6, 8)) + 0.1).astype(np.float32), np.array([f"g{j}" for j in range(8)])
    )
    sets = np.array([[0, 1, 2], [0, 3, 4], [2, 5, 6], [1, 3, 6], [4, 5, 7]])[:, :order]
    pairs = np.tile(np.arange(5), 6)
    interaction = np.where(rng.random(30) < 0.4, 0.0, rng.random(30) / 100)
    return Multiples(
        cells,
        Knockouts(sets[pairs], np.repeat(np.arange(6), 5)),
        pairs,
        pairs >= 3,
        interaction,
        unsolved=4,
    )


def test_variants_notes_and_table():
    asked = question()
    predicted = np.random.default_rng(0).random(30)
    found = multiple_knockout(TaskView(asked, Answers(interaction=predicted)))
    assert list(found.variants) == ["", "linked", "random"]
    assert (found.asked, found.answered, found.left_out) == (
        30,
        30,
        {"events without a steady state": 4},
    )
    assert found.primary is None
    np.testing.assert_allclose(found.variants[""].predicted, predicted, atol=1e-9)
    np.testing.assert_allclose(found.variants[""].true, asked.interaction, atol=1e-9)
    for name, inside in (("linked", asked.pairs >= 3), ("random", asked.pairs < 3)):
        part = found.variants[name]
        np.testing.assert_allclose(part.predicted, predicted[inside], atol=1e-9)
        assert part.pairs.tolist() == asked.pairs[inside].tolist()
        assert part.cells.tolist() == asked.events.cells[inside].tolist()
        share = (asked.interaction[inside] > 1e-3).mean()
        assert any(
            note.startswith(f"{name.capitalize()} sets of 2 genes: {share:.1%} of")
            for note in found.notes
        )
    names = ["g0+g1", "g0+g3", "g2+g5", "g1+g3", "g4+g5"]
    means = [
        [values[asked.pairs == pair].mean() for pair in range(5)]
        for values in (asked.interaction, predicted)
    ]
    order = np.argsort(means[0])[::-1]  # strongest first
    assert found.table["gene set"] == [names[pair] for pair in order]
    assert found.table["linked"] == [bool(pair >= 3) for pair in order]
    assert found.table["events"] == [6] * 5
    np.testing.assert_allclose(found.table["true"], np.array(means[0])[order], atol=1e-9)
    np.testing.assert_allclose(found.table["predicted"], np.array(means[1])[order], atol=1e-9)
    assert all(
        isinstance(value, (str, bool, int, float))
        for column in found.table.values()
        for value in column
    )


@pytest.mark.parametrize("order", [2, 3])
def test_events_that_cannot_be_answered_are_left_out(order):
    asked = question(order)
    supported = np.ones(8, bool)
    supported[[1, 5]] = False
    covered = supported[asked.events.genes].all(axis=1)
    answers = Answers(
        interaction=np.where(covered, 0.1, np.nan), supported=supported, max_order=order
    )
    found = multiple_knockout(TaskView(asked, answers))
    assert (found.asked, found.answered) == (30, int(covered.sum()))
    assert 0 < found.answered < 30
    assert found.variants[""].pairs.tolist() == asked.pairs[covered].tolist()
    assert found.notes == multiple_knockout(TaskView(asked, Answers())).notes  # of the truth alone
    few = multiple_knockout(TaskView(asked, dataclasses.replace(answers, max_order=order - 1)))
    assert (few.asked, few.answered) == (30, 0)
    with pytest.raises(NotComputed):
        auprc(few.variants[""])
    unanswered = multiple_knockout(TaskView(asked, Answers()))
    assert (dict(unanswered.variants), unanswered.asked, unanswered.answered, unanswered.table) == (
        {},
        30,
        0,
        None,
    )


def test_the_table_of_an_answer_in_part_names_the_sets_that_were_answered():
    asked = question()
    supported = np.ones(8, bool)
    supported[1] = False
    covered = np.isin(asked.pairs, [1, 2, 4])  # g0+g1 and g1+g3 need the gene
    predicted = np.where(covered, 0.01 * (1 + asked.pairs), np.nan)
    found = multiple_knockout(
        TaskView(asked, Answers(interaction=predicted, supported=supported))
    ).table
    names = {"g0+g3": 1, "g2+g5": 2, "g4+g5": 4}
    assert sorted(found["gene set"]) == sorted(names)
    pairs = [names[name] for name in found["gene set"]]
    assert found["linked"] == [pair == 4 for pair in pairs]
    means = [asked.interaction[asked.pairs == pair].mean() for pair in pairs]
    assert means == sorted(means, reverse=True)
    assert found["true"] == pytest.approx(means)
    assert found["predicted"] == pytest.approx([0.01 * (1 + pair) for pair in pairs])
    assert found["events"] == [6, 6, 6]


def test_a_missing_number_of_a_supported_gene_is_an_invalid_answer():
    predicted = np.ones(30)
    predicted[4] = np.nan
    with pytest.raises(
        InvalidAnswerError, match="1 of 30 interactions of supported genes are not finite"
    ):
        multiple_knockout(TaskView(question(), Answers(interaction=predicted)))


def test_ties_are_ties():
    asked = question()
    predicted = np.full(30, 0.3)
    predicted[:10] += 1e-12  # rounding noise
    predicted[10:15] = 9e-7  # under the tolerance
    found = multiple_knockout(TaskView(asked, Answers(interaction=predicted))).variants[""]
    assert sorted(set(found.predicted.tolist())) == [0.0, 0.3]


def test_where_one_half_is_all_there_is_it_ranks():
    asked = question()
    for linked, primary, shown in (
        (False, ("auprc[random]",), "random"),
        (True, ("auprc[linked]",), "linked"),
    ):
        alone = dataclasses.replace(asked, linked=np.full(30, linked))
        found = multiple_knockout(TaskView(alone, Answers(interaction=np.ones(30))))
        assert found.primary == primary
        assert list(found.variants) == ["", shown]
        assert len(found.notes) == 1
    nothing = Multiples(
        asked.cells,
        Knockouts(np.empty((0, 2)), np.empty(0)),
        np.empty(0, int),
        np.empty(0, bool),
        np.empty(0),
    )
    found = multiple_knockout(TaskView(nothing, Answers(interaction=np.empty(0))))
    assert (found.asked, found.answered, found.primary, found.notes) == (0, 0, ("auprc",), ())
    with pytest.raises(
        TypeError, match="needs the question of several knockouts at once, not Profiles"
    ):
        multiple_knockout(
            TaskView(Profiles(np.ones((1, 2), bool), np.ones((1, 2)), np.zeros(1, int)), Answers())
        )


# floors


def cells_of(seed=0, n=40, g=9) -> Cells:
    rng = np.random.default_rng(seed)
    present = rng.random((n, g)) > 0.3
    present[:, 0] = True
    return Cells(
        (present * rng.gamma(2.0, 1.0, (n, g))).astype(np.float32),
        np.array([f"g{j}" for j in range(g)]),
    )


def fitted(make, cells, seed=0):
    floor = make()
    floor.fit(cells, Context(seed=seed))
    return floor


@pytest.mark.parametrize("order", [2, 3])
def test_the_smaller_single_is_the_least_of_the_contrasts(order):
    cells = cells_of()
    rng = np.random.default_rng(order)
    rows = rng.permutation(40)
    events = Knockouts(
        np.array(
            [rng.choice(np.flatnonzero(cells.X[row])[1:], order, replace=False) for row in rows]
        ),
        rows,
    )
    given = fitted(SmallerSingle, cells).predict_interaction(cells, events)
    contrast = fitted(PresenceContrast, cells)
    assert given.shape == (40,)
    for event in range(40):
        impacts = []
        for gene in events.genes[event]:
            single = Knockouts(np.array([[gene]]), events.cells[[event]])
            null = cells.X[events.cells[event]].astype(float)
            null[gene] = 0
            impacts.append(
                braycurtis(contrast.predict_knockout(cells, single)[0], null / null.sum())
            )
        assert given[event] == pytest.approx(min(impacts))
    assert given.min() > 0
    again = fitted(SmallerSingle, cells).predict_interaction(
        cells, Knockouts(events.genes[::-1, ::-1], events.cells[::-1])
    )
    np.testing.assert_array_equal(again[::-1], given)


def test_the_smaller_single_by_hand():
    # gene 0 is in half of the cells and gene 2 is 2 with it and 4 without; gene 1 is everywhere, so
    # nothing is known of it
    cells = Cells(np.array([[1, 1, 2], [0, 1, 4]] * 2, np.float32), np.array(list("abc")))
    floor = fitted(SmallerSingle, cells)
    # cell 0 without gene 0: (1, 4) instead of (1, 2): BC of (1/5, 4/5) and (1/3, 2/3); without gene
    # 1 nothing
    assert floor.contrast.contrast[0, 2] == 2
    assert floor.predict_interaction(
        cells, Knockouts(np.array([[0, 1]]), np.array([0]))
    ).tolist() == [0.0]
    single = floor.predict_interaction(
        cells, Knockouts(np.array([[0, 0]]), np.array([0]))
    )  # both smallest alike
    assert single[0] == pytest.approx(1 / 3 - 1 / 5)


def test_the_smaller_share():
    cells = Cells(np.array([[1, 1, 2], [0, 1, 3]], np.float32), np.array(list("abc")))
    floor = fitted(SmallerShare, cells)
    events = Knockouts(np.array([[0, 2], [2, 1], [2, 1]]), np.array([0, 0, 1]))
    assert floor.predict_interaction(cells, events).tolist() == [0.25, 0.25, 0.25]
    assert floor.predict_interaction(
        cells, Knockouts(np.array([[2, 2]]), np.array([1]))
    ).tolist() == [0.75]
    assert floor.predict_interaction(
        cells, Knockouts(np.array([[2, 0, 1]]), np.array([1]))
    ).tolist() == [0.0]
    with pytest.raises(ValueError, match="name no cells"):
        floor.predict_interaction(cells, Knockouts(np.array([[2, 1]])))


def test_random_interactions():
    cells = cells_of()
    events = Knockouts(np.array([[0, 1], [1, 0], [0, 2], [0, 1]]), np.array([3, 3, 3, 4]))
    floor = fitted(Random, cells, 1)
    given = floor.predict_interaction(cells, events)
    assert given[0] == given[1]  # a set has no order
    assert len(set(given.tolist())) == 3
    impacts = floor.predict_impact(cells, events)
    assert not set(given.tolist()) & set(impacts.raw.tolist()) | set(given.tolist()) & set(
        impacts.propagated.tolist()
    )
    np.testing.assert_array_equal(
        fitted(Random, cells, 1).predict_interaction(cells, events[[2, 0]]), given[[2, 0]]
    )
    assert (fitted(Random, cells, 2).predict_interaction(cells, events) != given).all()
    many = floor.predict_interaction(cells, Knockouts(np.tile([[0, 3]], (40, 1)), np.arange(40)))
    assert 0 <= many.min() < 0.2 < 0.8 < many.max() < 1


# the records


def test_the_records_are_sound():
    metrics = [spec for spec in metric_specs() if spec.of == "interaction"]
    tasks = [spec for spec in task_specs() if spec.of == "interaction"]
    floors = [spec for spec in floor_specs() if spec.answers == ("interaction",)]
    for spec in (*metrics, *tasks, *floors):
        assert list(validation.faults(spec)) == []
    assert [spec.name for spec in metrics] == ["auprc", "spearman", "mae"]
    assert [spec.name for spec in tasks] == ["double-knockout", "triple-knockout"]
    assert [spec.asks for spec in tasks] == ["doubles", "triples"]
    assert answer_kinds(SmallerSingle) == answer_kinds(SmallerShare) == ("interaction",)
    assert {"random", *(spec.name for spec in floors)} == set(tasks[0].floors)
    assert "interaction" in answer_kinds(Random)
