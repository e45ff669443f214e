"""Impact metrics and grouped ranks against hand-worked numbers, scipy and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import average_precision_score

from kobench.api import ImpactUnits, NotComputed, RankingUnits
from kobench.builtin.metrics import grouped_spearman, impact
from kobench.builtin.metrics.grouped_spearman import GroupedSpearman
from kobench.builtin.metrics.ranks import Groups, TieRuns, rank_rows, sorting_order


def units(predicted, true, cells, genes) -> ImpactUnits:
    return ImpactUnits(
        np.asarray(predicted, float), np.asarray(true, float), np.asarray(cells), np.asarray(genes)
    )


def random_units(seed, cells=30, genes=25) -> ImpactUnits:
    rng = np.random.default_rng(seed)
    of_cell, of_gene = np.nonzero(rng.random((cells, genes)) > 0.3)
    order = rng.permutation(len(of_cell))  # grouping must not rely on the order of events
    of_cell, of_gene = of_cell[order], of_gene[order]
    true = np.where(rng.random(len(order)) < 0.4, 0.0, rng.random(len(order)).round(1))
    predicted = (true + 0.5 * rng.random(len(order))).round(1)
    return ImpactUnits(predicted, true, of_cell, of_gene)


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=8), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_ranks_inside_groups_are_scipys_average_ranks(groups):
    counts = np.array([len(group) for group in groups])
    values = np.concatenate([np.asarray(group, float) for group in groups])
    expected = np.concatenate([2 * rankdata(group) - (len(group) + 1) for group in groups])
    np.testing.assert_array_equal(TieRuns.of(values, counts).centred_ranks(), expected)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25
    )
)
@settings(max_examples=60, deadline=None)
def test_ranks_with_multiplicities_are_those_of_repeated_entries(entries):
    ids, values, often = (np.array(column) for column in zip(*entries, strict=True))
    groups = Groups.of(ids)
    runs = TieRuns.of(values[groups.order].astype(float), groups.counts)
    ranks = runs.centred_ranks(often[groups.order].astype(float))
    for i, group in enumerate(groups.ids):
        inside = slice(groups.counts[:i].sum(), groups.counts[: i + 1].sum())
        v, m = values[ids == group], often[ids == group]
        repeated = 2 * rankdata(np.repeat(v, m)) - (m.sum() + 1)
        np.testing.assert_array_equal(np.repeat(ranks[inside], m), repeated)


#: Values that are told apart by their last bits only, of both signs, with both zeros and the
#: smallest numbers there are.
CLOSE = [sign * (1 + k * 2.0**-52) for sign in (1, -1) for k in range(4)] + [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e30,
    -1e30,
    0.3,
    2.0,
]


@given(
    st.lists(st.sampled_from(CLOSE) | st.floats(-1e6, 1e6), min_size=1, max_size=200),
    st.sampled_from([np.float64, np.float32]),
)
@settings(max_examples=200, deadline=None)
def test_the_order_of_many_values_sorts_them(values, dtype):
    values = np.array(values, dtype)
    order = sorting_order(values)
    np.testing.assert_array_equal(values[order], np.sort(values))
    np.testing.assert_array_equal(np.sort(order), np.arange(len(values)))


def test_values_that_differ_behind_the_places_are_sorted_too():
    rng = np.random.default_rng(0)
    values = (
        1 + rng.integers(0, 2**20, 50_000) * 2.0**-52
    )  # all alike in the bits that are left beside 16 bits of place
    values[::3] *= -1
    np.testing.assert_array_equal(values[sorting_order(values)], np.sort(values))


@given(
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(0, 10**6),
    st.sampled_from([np.float64, np.float32]),
)
@settings(max_examples=80, deadline=None)
def test_ranks_of_rows_are_scipys_average_ranks(n, g, seed, dtype):
    rng = np.random.default_rng(seed)
    values, known = rng.integers(-2, 4, (n, g)).astype(dtype), rng.random((n, g)) < 0.7
    values[~known] = np.nan
    expected = np.zeros((n, g))
    for row, on in enumerate(known):
        expected[row, on] = 2 * rankdata(values[row, on]) - (on.sum() + 1) if on.any() else 0
    np.testing.assert_array_equal(rank_rows(values, known), expected)


def one_by_one(spearman, often, block):
    """The fields of the correlations of every draw, stacked."""
    found = [vars(spearman.correlations(draw[block].astype(float))) for draw in often.T]
    return {name: np.stack([one[name] for one in found], axis=1) for name in found[0]}


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(1, 40),
    st.integers(0, 10**6),
)
@settings(max_examples=80, deadline=None)
def test_draws_at_once_are_the_draws_one_by_one(counts, blocks, draws, seed):
    rng = np.random.default_rng(seed)
    counts = np.array(counts)
    n = int(counts.sum())
    spearman = GroupedSpearman(
        rng.integers(0, 4, n).astype(float), rng.integers(0, 3, n).astype(float), counts
    )
    often, block = rng.integers(0, 3, (blocks, draws)), rng.integers(0, blocks, n)
    at_once = vars(spearman.of_draws(often, block))
    for name, expected in one_by_one(spearman, often, block).items():
        np.testing.assert_array_equal(at_once[name], expected)


def test_draws_of_large_groups_and_of_large_numbers_are_exact(monkeypatch):
    rng = np.random.default_rng(0)
    spearman = GroupedSpearman(rng.random(120), rng.random(120).round(1), np.array([120]))
    often, block = (
        rng.integers(0, 900, (120, 20)),
        np.arange(120),
    )  # sums over 2**24, which single precision would round
    expected = one_by_one(spearman, often, block)["value"]
    np.testing.assert_array_equal(spearman.of_draws(often, block).value, expected)
    monkeypatch.setattr(grouped_spearman, "MOST_BY_PAIRS", 100)
    np.testing.assert_array_equal(spearman.of_draws(often, block).value, expected)


def test_groups_keep_entries_together():
    groups = Groups.of(np.array([5, 2, 5, 9, 2]))
    assert groups.ids.tolist() == [2, 5, 9]
    assert groups.order.tolist() == [1, 4, 0, 2, 3]
    assert groups.counts.tolist() == [2, 2, 1]


def test_a_single_entry_has_no_correlation():
    found = GroupedSpearman(np.array([1.0]), np.array([2.0]), np.array([1])).correlations()
    assert (found.value.tolist(), found.true_varies.tolist(), found.predicted_varies.tolist()) == (
        [0.0],
        [False],
        [False],
    )


def test_within_cell_by_hand():
    # cell 0 in order: 1; cell 1 reversed: -1; cell 2: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5
    # / sqrt(22.5)
    u = units(
        [1, 2, 2, 1, 1, 2, 2, 4],
        [1, 2, 1, 2, 1, 3, 2, 4],
        [0, 0, 1, 1, 2, 2, 2, 2],
        [0, 1, 0, 1, 0, 1, 2, 3],
    )
    parts = impact.spearman_within_cell(u)
    assert (parts.over, parts.ids.tolist(), parts.weights.tolist()) == (
        "cell",
        [0, 1, 2],
        [1.0, 1.0, 1.0],
    )
    np.testing.assert_allclose(parts.sums, [1.0, -1.0, 4.5 / math.sqrt(22.5)])
    assert parts.value == pytest.approx(1.5 / math.sqrt(22.5))


def test_within_cell_like_scipy():
    u = random_units(0)
    expected = [
        spearmanr(u.predicted[u.cells == c], u.true[u.cells == c])[0] for c in np.unique(u.cells)
    ]
    np.testing.assert_allclose(impact.spearman_within_cell(u).sums, expected, atol=1e-12)


def test_within_gene_like_scipy_and_only_with_ten_cells():
    u = random_units(1, cells=16)
    counted = [g for g in np.unique(u.genes) if (u.genes == g).sum() >= 10]
    assert 0 < len(counted) < 25
    parts = impact.spearman_within_gene(u)
    assert (parts.over, parts.ids.tolist()) == ("gene", counted)
    expected = [spearmanr(u.predicted[u.genes == g], u.true[u.genes == g])[0] for g in counted]
    np.testing.assert_allclose(parts.sums, expected, atol=1e-12)


def test_within_gene_without_enough_cells_says_so():
    u = random_units(2, cells=9)
    with pytest.raises(NotComputed, match="no gene is asked in 10 cells or more"):
        impact.spearman_within_gene(u)


def test_pooled_like_scipy():
    u = random_units(3)
    assert impact.spearman_pooled(u) == pytest.approx(spearmanr(u.predicted, u.true)[0], rel=1e-12)


def test_a_cell_of_constant_truth_is_dropped_and_a_constant_answer_to_another_counts_as_nothing():
    cells, genes = [0, 0, 1, 1], [0, 1, 0, 1]
    assert impact.spearman_within_cell(units([1, 2, 1, 2], [1, 2, 3, 3], cells, genes)).value == 1.0
    assert impact.spearman_within_cell(units([1, 2, 3, 3], [1, 2, 1, 2], cells, genes)).value == 0.5
    # constant within each cell, though not overall: no ranking within cells
    assert math.isnan(impact.spearman_within_cell(units([1, 1, 3, 3], [1, 2, 1, 2], cells, genes)))
    # varies only where the truth does not: no ranking either
    assert math.isnan(impact.spearman_within_cell(units([1, 1, 1, 2], [1, 2, 3, 3], cells, genes)))
    with pytest.raises(NotComputed, match="in no cell"):
        impact.spearman_within_cell(units([1, 2, 1, 2], [1, 1, 3, 3], cells, genes))


def test_the_same_answer_for_every_cell_says_nothing_within_genes():
    u = random_units(4)
    per_gene = ImpactUnits(np.random.default_rng(0).random(25)[u.genes], u.true, u.cells, u.genes)
    assert math.isnan(impact.spearman_within_gene(per_gene))
    assert impact.spearman_within_cell(per_gene).value == pytest.approx(0.0, abs=0.2)


def test_mae_by_hand():
    parts = impact.mae(units([0.1, 0.5, 0.3], [0.2, 0.2, 0.3], [0, 1, 0], [4, 4, 2]))
    assert (parts.over, parts.ids.tolist(), parts.weights.tolist()) == ("gene", [2, 4], [1.0, 2.0])
    assert parts.value == pytest.approx(0.4 / 3)


def test_auprc_by_hand():
    # found at places 1 and 3: precisions 1 and 2/3
    assert impact.auprc(
        units([0.9, 0.8, 0.7, 0.6], [0.1, 0, 0.2, 0], [0] * 4, range(4))
    ) == pytest.approx((1 + 2 / 3) / 2)
    # the tie of a hit and a miss enters as one: recall 1/2 at precision 1/2, then 2/3
    assert impact.auprc(
        units([0.9, 0.9, 0.7, 0.6], [0.1, 0, 0.2, 0], [0] * 4, range(4))
    ) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_auprc_like_scikit_learn():
    for seed in range(5):
        u = random_units(seed)
        assert impact.auprc(u) == pytest.approx(
            average_precision_score(u.true > 0, u.predicted), rel=1e-12
        )


def test_auprc_needs_both_kinds_of_events():
    with pytest.raises(NotComputed, match="every true impact"):
        impact.auprc(units([1, 2], [1, 2], [0, 0], [0, 1]))
    with pytest.raises(NotComputed, match="no true impact"):
        impact.auprc(units([1, 2], [0, 0], [0, 0], [0, 1]))


def test_a_ranking_has_no_cells():
    with pytest.raises(TypeError, match="no cells"):
        impact.spearman_within_cell(RankingUnits(np.arange(3.0), np.arange(3.0), np.arange(3)))
