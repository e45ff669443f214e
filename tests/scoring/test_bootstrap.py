"""Bootstrap draws: the quick ways equal scoring the drawn units one by one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from kobench.api import (
    ImpactUnits,
    NotComputed,
    Parts,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    normalise_rows,
)
from kobench.builtin.metrics import impact, profile, ranking
from kobench.scoring.bootstrap import block_counts, block_of, draws, take


def impacts(seed=0, cells=14, genes=9) -> ImpactUnits:
    rng = np.random.default_rng(seed)
    of_cell, of_gene = np.nonzero(rng.random((cells, genes)) > 0.15)
    order = rng.permutation(len(of_cell))
    of_cell, of_gene = of_cell[order] * 3, of_gene[order] * 5  # ids with holes
    true = np.where(rng.random(len(order)) < 0.3, 0.0, rng.random(len(order)).round(1))
    return ImpactUnits((true + rng.random(len(order))).round(1), true, of_cell, of_gene)


def profiles(seed=0, n=40, g=8) -> ProfileUnits:
    rng = np.random.default_rng(seed)
    present = rng.random((n, g)) > 0.2
    present[:, 0] = True
    true, predicted, null = (normalise_rows(present * rng.random((n, g))) for _ in range(3))
    return ProfileUnits(
        predicted, true, present, rng.integers(0, 12, n), rng.integers(0, 7, n), null
    )


def genes(seed=0, g=30) -> RankingUnits:
    rng = np.random.default_rng(seed)
    return RankingUnits(rng.random(g).round(1), rng.random(g).round(1), np.arange(g) * 2)


def one_by_one(score, units, block, n, seed):
    """The definition: draw the blocks, build the drawn units, score them."""
    distinct, counts = block_counts(block_of(units, block), n, seed)
    values = []
    for often in counts:
        drawn = take(units, block, np.repeat(distinct, often))
        try:
            value = score(drawn)
        except NotComputed:
            value = math.nan
        values.append(value.value if isinstance(value, Parts) else value)
    return np.array(values)


IMPACTS, PROFILES = impacts(), profiles()
CASES = [
    (impact.spearman_within_cell, IMPACTS, "cell"),
    (impact.spearman_within_cell, IMPACTS, "gene"),
    (impact.spearman_within_gene, impacts(1, cells=18), "cell"),
    (impact.spearman_within_gene, impacts(1, cells=18), "gene"),
    (impact.spearman_pooled, IMPACTS, "cell"),
    (impact.spearman_pooled, IMPACTS, "gene"),
    (impact.mae, IMPACTS, "cell"),
    (impact.mae, IMPACTS, "gene"),
    (impact.auprc, IMPACTS, "gene"),
    (profile.bray_curtis, PROFILES, "cell"),
    (profile.bray_curtis, PROFILES, "gene"),
    (profile.bray_curtis, dataclasses.replace(PROFILES, genes=None, null=None), "cell"),
    (profile.explained_change, PROFILES, "gene"),
    (profile.spearman, PROFILES, "gene"),
    (ranking.spearman, genes(), "gene"),
    (ranking.kendall, genes(), "gene"),
    (ranking.ndcg, genes(), "gene"),
]


@pytest.mark.parametrize(("score", "units", "block"), CASES)
def test_draws_equal_brute_force(score, units, block):
    quick, slow = draws(score, units, block, 40, 7), one_by_one(score, units, block, 40, 7)
    assert quick.shape == (40,)
    assert np.ptp(quick) > 0
    np.testing.assert_allclose(quick, slow, rtol=1e-10, atol=1e-13)


def test_the_quick_ways_are_taken(monkeypatch):
    def never(*arguments):
        raise AssertionError("units were built again")

    monkeypatch.setattr("kobench.scoring.bootstrap.take", never)
    draws(impact.spearman_within_cell, impacts(), "gene", 3, 0)
    draws(impact.spearman_within_cell, impacts(), "cell", 3, 0)
    draws(profile.explained_change, profiles(), "gene", 3, 0)
    draws(ranking.spearman, genes(), "gene", 3, 0)
    with pytest.raises(AssertionError, match="built again"):
        draws(ranking.kendall, genes(), "gene", 3, 0)


def test_a_metric_may_offer_multiplicities_alone():
    class Mean:
        def __call__(self, units):
            return float(units.true.mean())

        def prepare(self, units):
            return lambda often: float((often * units.true).sum() / often.sum())

    np.testing.assert_allclose(
        draws(Mean(), IMPACTS, "gene", 20, 3),
        one_by_one(Mean(), IMPACTS, "gene", 20, 3),
        rtol=1e-12,
    )


def test_many_groups_are_drawn_in_parts_without_a_seam(monkeypatch):
    whole = draws(impact.spearman_within_cell, IMPACTS, "gene", 250, 4)
    monkeypatch.setattr(impact, "NUMBERS_A_PART", 1)  # a hundred draws a part
    np.testing.assert_array_equal(
        draws(impact.spearman_within_cell, IMPACTS, "gene", 250, 4), whole
    )


def test_a_value_that_is_known_is_not_computed_again():
    def never(units):
        raise AssertionError("computed again")

    known = profile.bray_curtis(PROFILES)
    np.testing.assert_array_equal(
        draws(never, PROFILES, "gene", 9, 1, value=known),
        draws(profile.bray_curtis, PROFILES, "gene", 9, 1),
    )


def test_take_by_hand():
    units = ImpactUnits(
        np.array([0.1, 0.2, 0.3, 0.4]),
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([0, 0, 1, 1]),
        np.array([5, 8, 5, 9]),
    )
    taken = take(units, "gene", np.array([5, 9, 5]))
    assert taken.true.tolist() == [1.0, 3.0, 4.0, 1.0, 3.0]
    assert taken.genes.tolist() == [0, 0, 1, 2, 2]  # a gene drawn twice counts as two
    assert taken.cells.tolist() == [0, 1, 1, 0, 1]


def test_counts_draw_as_many_blocks_as_there_are_and_depend_on_the_ids_alone():
    distinct, counts = block_counts(np.array([9, 3, 3, 7]), 50, 1)
    assert distinct.tolist() == [3, 7, 9]
    assert set(counts.sum(axis=1)) == {3}
    again = block_counts(np.array([7, 9, 3]), 50, 1)[1]
    np.testing.assert_array_equal(counts, again)
    assert (block_counts(np.array([7, 9, 3]), 50, 2)[1] != counts).any()


def test_every_predictor_gets_the_same_draws():
    units = impacts()
    order = np.random.default_rng(0).permutation(len(units.true))
    shuffled = ImpactUnits(
        units.predicted[order], units.true[order], units.cells[order], units.genes[order]
    )
    for score in (impact.spearman_within_cell, impact.mae):
        np.testing.assert_allclose(
            draws(score, units, "gene", 20, 3), draws(score, shuffled, "gene", 20, 3), rtol=1e-12
        )
    # the truth is best in every draw
    perfect = dataclasses.replace(units, predicted=units.true)
    np.testing.assert_array_equal(
        draws(impact.spearman_within_cell, perfect, "gene", 20, 3), np.ones(20)
    )
    # a difference of two predictors is that of the same blocks: shifting every error by a constant
    # shifts every draw by it
    off = dataclasses.replace(units, predicted=units.true + 0.25)
    further = dataclasses.replace(units, predicted=units.true + 0.75)
    gap = draws(impact.mae, further, "gene", 20, 3) - draws(impact.mae, off, "gene", 20, 3)
    np.testing.assert_allclose(gap, np.full(20, 0.5), rtol=1e-12)


def test_blocks_that_a_metric_leaves_out_are_drawn_all_the_same():
    units = impacts(2, cells=30)
    few = units.genes != 5  # gene 5 in two cells only: no correlation within it
    kept = few | (np.cumsum(~few) <= 2)
    units = ImpactUnits(
        *(column[kept] for column in (units.predicted, units.true, units.cells, units.genes))
    )
    assert 5 not in impact.spearman_within_gene(units).ids
    quick = draws(impact.spearman_within_gene, units, "gene", 30, 0)
    np.testing.assert_allclose(
        quick, one_by_one(impact.spearman_within_gene, units, "gene", 30, 0), rtol=1e-12
    )


def test_a_draw_without_a_value_is_nan():
    # of two genes with one event each, a draw of one gene twice leaves no difference in truth
    units = RankingUnits(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([0, 1]))
    values = draws(ranking.spearman, units, "gene", 60, 0)
    assert 0 < np.isnan(values).sum() < 60
    assert set(values[~np.isnan(values)]) == {1.0}
    only = Parts("gene", np.array([0]), np.array([1.0]), np.array([1.0]))
    values = draws(
        lambda units: only, units, "gene", 60, 0
    )  # nothing counts when gene 0 is not drawn
    assert 0 < np.isnan(values).sum() < 60


def test_a_constant_answer_has_draws_of_nan():
    units = dataclasses.replace(impacts(), predicted=np.zeros(len(impacts().true)))
    assert np.isnan(draws(impact.spearman_within_cell, units, "gene", 5, 0)).all()


def test_what_the_metric_raises_on_the_units_is_raised():
    units = dataclasses.replace(impacts(), true=np.zeros(len(impacts().true)))
    with pytest.raises(NotComputed):
        draws(impact.auprc, units, "gene", 5, 0)


def test_units_without_the_block_are_refused():
    with pytest.raises(ValueError, match="RankingUnits without cells"):
        draws(ranking.spearman, genes(), "cell", 5, 0)
    with pytest.raises(ValueError, match="ProfileUnits without genes"):
        draws(profile.bray_curtis, dataclasses.replace(profiles(), genes=None), "gene", 5, 0)


def test_perturbations_are_taken_with_their_halves() -> None:
    predicted = np.arange(12.0).reshape(3, 4)
    halves = np.arange(48.0).reshape(2, 2, 3, 4)
    units = ResponseUnits(
        predicted,
        predicted + 1,
        np.array([4, 7, 9]),
        signed=False,
        halves=halves,
        responds=predicted > 5,
    )
    taken = take(units, "perturbation", np.array([9, 4, 9]))
    assert taken.perturbations.tolist() == [0, 1, 2]
    assert not taken.signed
    np.testing.assert_array_equal(taken.predicted, predicted[[2, 0, 2]])
    np.testing.assert_array_equal(taken.halves, halves[:, :, [2, 0, 2]])
    np.testing.assert_array_equal(taken.responds, (predicted > 5)[[2, 0, 2]])


def test_a_ranking_of_perturbations_is_drawn_by_its_genes() -> None:
    units = RankingUnits(np.arange(3.0), np.arange(3.0), np.array([5, 2, 8]))
    assert take(units, "perturbation", np.array([8, 8])).predicted.tolist() == [2.0, 2.0]


def test_blocks_are_drawn_by_name_wherever_they_stand():
    """Genes in another order are drawn alike, as the seed and the set of names decide."""
    names = np.array(["d", "a", "e", "c", "b"])
    ids = np.array([0, 1, 1, 3, 4])  # e has no units
    distinct, counts = block_counts(ids, 50, 7, names)
    assert distinct.tolist() == [0, 1, 3, 4]
    by_name = dict(zip(names[distinct].tolist(), counts.T.tolist(), strict=True))
    order = np.array([4, 2, 0, 1, 3])  # where each gene stands now
    moved = np.empty(5, names.dtype)
    moved[order] = names
    there, again = block_counts(order[ids], 50, 7, moved)
    assert dict(zip(moved[there].tolist(), again.T.tolist(), strict=True)) == by_name
    # the draws of b blocks in the order of the alphabet, one by one
    drawn = np.random.default_rng(7).integers(0, 4, (50, 4))
    for place, name in enumerate("abcd"):
        assert by_name[name] == [(row == place).sum() for row in drawn]
    assert (counts.sum(axis=1) == 4).all()


def test_what_a_draw_adds_for_a_block_is_added_as_often_as_it_is_drawn():
    units = ResponseUnits(np.zeros((3, 2)), np.zeros((3, 2)), np.array([4, 2, 9]))
    sums, moves = np.array([1.0, 2.0, 4.0]), np.array([8.0, -24.0, 16.0])
    result = Parts("perturbation", units.perturbations, sums, np.ones(3), moves)
    found = draws(lambda units: result, units, "perturbation", 50, 1)
    _, counts = block_counts(units.perturbations, 50, 1)  # of the blocks 2, 4 and 9
    np.testing.assert_allclose(found, counts @ [-22.0, 9.0, 20.0] / 3)
