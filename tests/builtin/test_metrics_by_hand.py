"""Metrics at their edges, by hand: the least that interacts, one unit, constant rows."""

from __future__ import annotations

import numpy as np
import pytest

from kobench.api import (
    ImpactUnits,
    InteractionUnits,
    NotComputed,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    StructureUnits,
)
from kobench.builtin.metrics import impact, interaction, profile, ranking, structure
from kobench.builtin.metrics.average_precision import (
    average_precision,
    average_precision_pairs,
    average_precision_rows,
)
from kobench.builtin.metrics.leave_one_out import moves_of_others
from kobench.builtin.metrics.ranks import rank_rows


def interactions(predicted, true, pairs=None):
    predicted, true = (np.asarray(one, float) for one in (predicted, true))
    ids = np.arange(len(true)) if pairs is None else np.asarray(pairs)
    return InteractionUnits(predicted, true, np.arange(len(true)), ids)


def impacts(predicted, true, cells, genes):
    predicted, true = (np.asarray(one, float) for one in (predicted, true))
    return ImpactUnits(predicted, true, np.asarray(cells), np.asarray(genes))


def test_events_interact_from_more_than_a_thousandth_on():
    # of 0, 0.001 and 0.0011 the last one interacts; it is found second of three
    units = interactions([0.3, 0.1, 0.2], [0.0, 0.001, 0.0011])
    assert interaction.auprc(units) == pytest.approx(1 / 2)
    for true in ([0.0, 0.001], [0.0011, 0.5]):
        with pytest.raises(NotComputed, match=r"interaction is over 0\.001"):
            interaction.auprc(interactions([1, 2], true))


def test_one_event_or_none_has_no_ranking():
    for score in (interaction.spearman, interaction.auprc):
        for n in (0, 1):
            with pytest.raises(NotComputed):
                score(interactions(np.ones(n), np.ones(n)))
    assert np.isnan(interaction.spearman(interactions([1, 1], [1, 2])))
    assert interaction.spearman(interactions([3, 2, 1], [1, 2, 3])) == pytest.approx(-1)


def test_absolute_errors_are_over_pairs_and_genes():
    parts = interaction.mae(interactions([1, 2, 3, 4], [0, 4, 3, 0], pairs=[5, 2, 5, 2]))
    assert (parts.over, parts.ids.tolist()) == ("pair", [2, 5])
    assert (parts.sums.tolist(), parts.weights.tolist(), parts.value) == ([6, 1], [2, 2], 7 / 4)
    parts = impact.mae(impacts([1, 2, 3], [0, 4, 3], [0, 0, 1], [9, 3, 9]))
    assert (parts.over, parts.ids.tolist()) == ("gene", [3, 9])
    assert (parts.sums.tolist(), parts.value) == ([2, 1], 1.0)


def test_two_entries_of_a_cell_are_enough_and_constant_answers_count_0():
    units = impacts(
        [1, 2, 2, 1, 3, 3, 7], [1, 2, 1, 2, 1, 2, 5], [0, 0, 1, 1, 2, 2, 3], np.arange(7)
    )
    found = impact.spearman_within_cell(units)
    assert found.ids.tolist() == [0, 1, 2]  # cell 3 has one entry
    assert found.sums.tolist() == [1, -1, 0]
    ten = np.arange(10.0)
    both = impacts([*ten, *ten[:9]], [*ten, *ten[:9]], [*range(10), *range(9)], [1] * 10 + [2] * 9)
    assert impact.spearman_within_gene(both).ids.tolist() == [1]  # from ten cells on
    with pytest.raises(NotComputed, match="10 cells or more"):
        impact.spearman_within_gene(impacts(ten[:9], ten[:9], range(9), [1] * 9))
    assert np.isnan(impact.spearman_within_cell(impacts([1, 1], [1, 2], [0, 0], [0, 1])))


def test_impacts_above_0_are_to_be_found():
    units = impacts([3, 2, 1, 0], [0.1, 0, 1e-9, 0], np.zeros(4, int), np.arange(4))
    assert impact.auprc(units) == pytest.approx((1 + 2 / 3) / 2)
    for true, word in (([0, 0], "no true"), ([1, 2], "every true")):
        with pytest.raises(NotComputed, match=word):
            impact.auprc(impacts([1, 2], true, [0, 0], [0, 1]))


def test_average_precision_with_ties_and_gaps():
    positive = np.array([True, False, True, False])
    assert average_precision(np.array([2.0, 2.0, 1.0, 0.0]), positive) == pytest.approx(
        (1 / 2) / 2 + (2 / 3) / 2
    )
    assert np.isnan(average_precision(np.ones(4), positive))
    rows = np.array([[2.0, 2.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0], [np.nan, 3.0, 2.0, 1.0]])
    found = average_precision_rows(rows, np.array([positive] * 3))
    assert found == pytest.approx([(1 / 2 + 2 / 3) / 2, 1 / 2, 1 / 2])
    pairs = average_precision_pairs(rows, np.array([positive] * 3))
    assert np.diag(pairs) == pytest.approx(found)
    # the scores of row 0 for what row 2 looks for, gene 2 of genes 1 to 3; and the other way round
    assert pairs[0, 2] == pytest.approx(1 / 2)
    assert pairs[2, 0] == pytest.approx(1 / 2)
    lost = average_precision_pairs(rows[[2, 0]], np.array([positive, [True, False, False, False]]))
    assert lost[0, 1] == pytest.approx(1 / 4)  # gene 0 is a gap there: the share of those to find


def test_ranks_of_rows_are_those_among_what_is_known():
    values = np.array([[3.0, 1.0, 3.0, 9.0], [5.0, 5.0, 5.0, 5.0]])
    known = np.array([[True, True, True, False], [True, True, True, True]])
    assert rank_rows(values, known).tolist() == [[1, -2, 1, 0], [0, 0, 0, 0]]


def test_what_a_perturbation_moves_adds_up_to_nothing_and_constant_rows_count_0():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(4, 6))
    true -= true.mean(axis=0)
    found = moves_of_others(true, true)
    assert found.sum() == pytest.approx(0, abs=1e-12)
    predicted = np.zeros((4, 6))
    assert moves_of_others(predicted, true).tolist() == [0.0] * 4
    assert moves_of_others(true, predicted).tolist() == [0.0] * 4
    assert ResponseUnits(true, true, np.arange(4)).halves is None


def test_structure_is_a_mean_over_perturbations_with_pairs_that_differ():
    def score(predicted, true):
        predicted, true = np.array(predicted, float), np.array(true, float)
        return structure.pair_correlation(StructureUnits(predicted, true, np.arange(len(true))))

    true = [[1, 2, 3], [3, 3, 3], [1, 2, 4]]
    found = score([[3, 2, 1], [1, 2, 3], [5, 5, 5]], true)
    assert (found.ids.tolist(), found.sums.tolist()) == ([0, 2], [pytest.approx(-1), 0.0])
    assert score(true, true).value == 1.0
    assert np.isnan(score([[5, 5, 5], [1, 2, 3], [5, 5, 5]], true).value)
    assert np.isnan(score([[1, 2, np.nan], [1, 2, 3], [1, 2, 3]], true).value)
    with pytest.raises(NotComputed):
        score([[1, 2, 3]], [[3, 3, 3]])


def test_a_tie_between_a_gap_and_what_is_looked_for_is_taken_out():
    scores = np.array([[2.0, 2.0, 1.0], [np.nan, 3.0, 1.0]])
    found = np.array([[False, True, False], [False, True, False]])
    # of row 0 gene 1 is found first of two; without gene 0, a gap of row 1, first of one
    assert average_precision_pairs(scores, found)[0].tolist() == [1 / 2, 1.0]


def test_where_nothing_to_be_found_is_left_the_share_is_of_what_the_other_row_has():
    scores = np.array([[np.nan, 3.0, 2.0, 1.0], [1.0, np.nan, 2.0, 3.0]])
    found = np.array([[False, True, True, False], [True, False, False, False]])
    pairs = average_precision_pairs(scores, found)
    # row 0 lacks gene 0, the one of the three genes of row 1 that is looked for
    assert pairs[0, 1] == pytest.approx(1 / 3)
    # row 1 lacks gene 1; of genes 2 and 3 it has gene 2 as the second
    assert pairs[1, 0] == pytest.approx(1 / 2)


def test_change_is_explained_though_some_profiles_stay_as_they_are():
    true = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    null = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])

    def explained(predicted, null=null):
        units = ProfileUnits(predicted, true, true > 0, np.arange(2), null=null)
        return profile.explained_change(units).value

    assert (explained(true), explained(null)) == (1.0, 0.0)
    assert explained(np.array([[0.75, 0.25, 0.0], [1.0, 0.0, 0.0]])) == 0.5
    for nothing in (None, true):
        with pytest.raises(NotComputed):
            explained(true, nothing)


def test_abundance_must_be_known_to_be_compared_with():
    ranked = RankingUnits(np.array([1.0, 2, 3]), np.ones(3), np.arange(3))
    with pytest.raises(NotComputed, match="no abundance is known"):
        ranking.with_abundance(ranked)
    known = RankingUnits(np.array([1.0, 2, 3]), np.ones(3), np.arange(3), np.array([3.0, 2, 1]))
    assert ranking.with_abundance(known) == pytest.approx(-1)
