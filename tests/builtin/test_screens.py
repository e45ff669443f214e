"""Screens of counted cells: every piece of the score by hand, and against a plain second way."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse
from counted_screens import made_screen
from scipy.stats import mannwhitneyu

from kobench.screens.bulk import BULK_TOTAL, log_bulk, sampling_error, summed
from kobench.screens.measure import ADJUSTED, BULK, EFFECT, FOLD, Counted, P, measure
from kobench.screens.members import (
    direction_fidelity,
    direction_reach,
    discrimination,
    fold_error,
    significance_jaccard,
    spread,
    squared_effect,
    squared_error,
)
from kobench.screens.rank_sums import LEAST_IN_CONTROL, differences, per_million
from kobench.screens.scale import (
    LIMITS,
    MEMBERS,
    Member,
    Scale,
    compared,
    halved,
    mean_response,
)

NAN = math.nan


def sparse(values):
    return scipy.sparse.csr_matrix(np.asarray(values, np.float32))


def table(**channels):
    """(k, 5, G) from some of its channels; the others are 0, and 1 for p values."""
    k, genes = np.shape(next(iter(channels.values())))
    out = np.zeros((k, 5, genes))
    out[:, [P, ADJUSTED]] = 1.0
    places = {"bulk": BULK, "effect": EFFECT, "fold": FOLD, "p": P, "adjusted": ADJUSTED}
    for name, values in channels.items():
        out[:, places[name]] = values
    return out


# bulks and their errors


def test_the_log_bulk_by_hand():
    counts, group = sparse([[1, 3], [0, 4], [2, 0]]), np.array([0, 0, 1])
    sums = summed(counts, group, 3)
    assert sums.tolist() == [[1, 7], [2, 0], [0, 0]]
    expected = [[math.log(1 + 50_000 / 8), math.log(1 + 50_000 * 7 / 8)], [math.log(50_001), 0]]
    np.testing.assert_allclose(log_bulk(sums), [*expected, [0, 0]])


def test_the_jackknife_leaves_out_one_cell_at_a_time():
    counts = np.random.default_rng(0).poisson(2.0, (700, 5))  # more than one block of cells
    n = len(counts)
    without = []
    for cell in range(n):
        rest = np.delete(counts, cell, axis=0).sum(axis=0)
        without.append(np.log1p(BULK_TOTAL * rest / rest.sum()))
    expected = (n - 1) / n * ((np.array(without) - np.mean(without, axis=0)) ** 2).sum()
    assert sampling_error(sparse(counts)) == pytest.approx(expected, rel=1e-9)


def test_where_nothing_can_be_left_out_there_is_no_error():
    assert sampling_error(sparse([[1, 2]])) == 0.0
    assert sampling_error(sparse([[0, 0], [0, 0]])) == 0.0
    # without the one cell that has counts nothing is left, and the bulk is 0
    bulk = np.log1p(BULK_TOTAL * np.array([0.25, 0.75]))
    expected = 0.5 * 2 * ((bulk / 2) ** 2).sum()
    assert sampling_error(sparse([[1, 3], [0, 0]])) == pytest.approx(expected)


# which genes differ


def test_rank_sums_are_those_of_scipy():
    rng = np.random.default_rng(1)
    genes = 12
    cells = rng.poisson(rng.uniform(0.05, 3, genes), (60, genes))
    control = rng.poisson(rng.uniform(0.05, 3, genes), (45, genes))
    cells[:, 0], control[:, 0] = 0, 0  # in no cell: not tested
    cells[:, 1] = control[:, 1] = 0
    control[0, 1] = 1
    group = rng.permutation(np.repeat([0, 1, 2], [10, 20, 30]))
    found = differences(sparse(cells), group, 3, sparse(control))
    ours, theirs = (np.log1p(per_million(sparse(values)).toarray()) for values in (cells, control))
    mean = np.expm1(theirs).mean(axis=0)
    tested = mean > LEAST_IN_CONTROL
    assert tested.tolist() == [False] + [True] * 11
    np.testing.assert_array_equal(np.isnan(found.p), np.broadcast_to(~tested, (3, genes)))
    for row in range(3):
        mine = group == row
        for gene in np.flatnonzero(tested):
            a, b = ours[mine, gene], theirs[:, gene]
            p = mannwhitneyu(a, b, use_continuity=False, method="asymptotic").pvalue
            assert found.p[row, gene] == pytest.approx(p if np.isfinite(p) else 1.0, rel=1e-9)
        fold = np.log2((np.expm1(ours[mine]).mean(axis=0) + 1e-9) / (mean + 1e-9))
        np.testing.assert_allclose(found.log_fold[row], fold)
        p = np.sort(found.p[row, tested])
        steps = np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
        np.testing.assert_allclose(np.sort(found.adjusted[row, tested]), np.minimum(steps, 1))


def test_which_genes_are_tested_is_said_by_the_control_cells_alone():
    control = np.full((30, 3), 1000)
    control[:, 2] = 0
    rng = np.random.default_rng(0)
    for _ in range(3):
        cells = rng.poisson(5, (20, 3))
        found = differences(sparse(cells), np.zeros(20, int), 1, sparse(control))
        assert np.isnan(found.p[0]).tolist() == [False, False, True]


def test_own_targets_are_nowhere():
    screen = made_screen(0)
    found = measure(screen.counted())
    for row, target in enumerate(screen.targets):
        assert np.isnan(found.table[row, :, target]).all()
    others = np.delete(found.table[0], screen.targets[0], axis=1)
    assert not np.isnan(others[: FOLD + 1]).any()


# members by hand


def test_discrimination_by_hand():
    true = table(effect=[[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    assert discrimination(true, true).tolist() == [1, 1, 1]
    answer = table(effect=[[2.0, 1, 0], [1.0, 0, 0], [1.0, 1, 1]])
    # the first is nearest to its own; the second nearer to the first than to its own and the third,
    # which are as far; the third as far from all
    assert discrimination(answer, true).tolist() == [1.0, 1 - 1.5 / 2, 0.5]
    nothing = table(effect=np.zeros((3, 3)))
    assert discrimination(nothing, true).tolist() == [0.5, 0.5, 0.5]
    assert discrimination(true[:1], true[:1]).tolist() == [1.0]


def test_discrimination_leaves_out_every_target_of_the_screen():
    """To lower all other targets is no knowledge: without this rule it would score above chance."""
    effect = np.array([[0, 0, -4.0, 1, 0], [0, 0, -4.0, 0, 1], [-4.0, -4.0, 0, 1, 1]])
    true = table(effect=effect)
    for row, target in enumerate((0, 1, 2)):
        true[row, :, target] = NAN
    assert not np.isnan(discrimination(true, true)).any()
    spiked = true.copy()
    spiked[:, EFFECT, 3:] = 0.0
    assert discrimination(spiked, true).tolist() == [0.5, 0.5, 0.5]


def test_squared_errors_by_hand():
    true = table(bulk=[[1.0, 2, NAN], [3.0, NAN, 4]], effect=[[1.0, 1, NAN], [2.0, NAN, 0]])
    answer = table(bulk=[[2.0, 4, NAN], [3.0, NAN, 1]])
    error, true_error = np.array([0.5, 0.1]), np.array([0.2, 0.3])
    # (1 + 4 - 0.2 - 0.2) / 2 and (0 + 9 - 0.1 - 0.3) / 2: less than the truth's is taken off, and
    # the bulks are further apart than that
    assert squared_error(answer, true, error, true_error).tolist() == pytest.approx([2.3, 4.3])
    assert squared_effect(true, true_error, 0.4).tolist() == pytest.approx([0.7, 1.65])


def test_what_is_taken_off_is_never_more_than_perturbations_differ_by():
    bulk = np.array([[1.0, 2], [1.0, 2.2], [1.2, 2]])
    weight = np.full(3, 0.5)
    expected = 0.5 * 3 * bulk.var(axis=0).sum()
    assert spread(bulk, weight) == pytest.approx(expected)
    true, answer = table(bulk=np.zeros((3, 2))), table(bulk=bulk)
    free = squared_error(answer, true, np.zeros(3), np.ones(3))
    taken = free - squared_error(answer, true, np.ones(3), np.ones(3))
    assert taken.sum() == pytest.approx(expected)
    pinned = table(bulk=np.tile([1.0, 2], (3, 1)))
    for error in (0.0, 5.0):  # cells that scatter about one mean earn nothing
        found = squared_error(pinned, true, np.full(3, error), np.ones(3))
        assert found.tolist() == pytest.approx([2.0, 2.0, 2.0])


def test_direction_fidelity_by_hand():
    true = table(fold=[[1, -1, 1, 0, 2, 1.0]], adjusted=[[0.01, 0.01, 0.01, 0.01, 0.9, NAN]])
    true[:, P] = true[:, ADJUSTED]
    answer = table(fold=[[1, 1, 0, 1, 1, 1.0]], adjusted=[[0.01, 0.01, 0.01, 0.01, 0.01, 0.01]])
    # called of those with a direction: genes 0, 1, 2, 4; right: 0 and 4; 4 respond
    assert direction_fidelity(answer, true).tolist() == [2 / 4]
    fewer = table(fold=answer[:, FOLD], adjusted=[[0.01, 1, 1, 1, 1, 1.0]])
    assert direction_fidelity(fewer, true).tolist() == [1 / 4]
    silent = table(fold=answer[:, FOLD])
    assert direction_fidelity(silent, true).tolist() == [0.0]
    quiet = table(fold=[[1, 1, 1, 1, 1, 1.0]])
    assert math.isnan(direction_fidelity(silent, quiet)[0])
    assert direction_fidelity(answer, quiet).tolist() == [5 / 6]  # one says 0


def test_direction_reach_by_hand():
    k = 20
    true = table(fold=np.ones((1, k)), adjusted=np.full((1, k), 0.01))
    sign = np.ones((1, k))
    sign[0, 9], sign[0, 15] = -1, -1  # 9 of 10 right at ten, 18 of 20 at the end
    rank = np.arange(k)[None] / 1000
    answer = table(fold=sign, p=rank, adjusted=rank)
    assert direction_reach(answer, true).tolist() == [1.0]
    sign[0, 16] = -1  # 14 of 15, then 14 of 16, 14 of 17, ... 17 of 20
    assert direction_reach(table(fold=sign, p=rank, adjusted=rank), true).tolist() == [15 / 20]
    sign[0, 0] = -1  # the first is wrong, and purity comes never back
    assert direction_reach(table(fold=sign, p=rank, adjusted=rank), true).tolist() == [0.0]
    assert math.isnan(direction_reach(answer, table(fold=np.ones((1, k))))[0])


def test_genes_that_an_answer_ranks_alike_are_ranked_against_it():
    true = table(fold=np.ones((1, 4)), adjusted=np.full((1, 4), 0.01))
    answer = table(fold=[[-1.0, 1, 1, 1]], p=np.full((1, 4), 0.5), adjusted=np.full((1, 4), 0.5))
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 2, 3]):
        assert direction_reach(answer[..., order], true).tolist() == [0.0]


def test_the_jaccard_index_by_hand():
    yes, no = 0.01, 0.9
    true = table(adjusted=[[yes, yes, no, NAN], [no, no, no, no], [no, no, no, no]])
    answer = table(adjusted=[[yes, no, yes, yes], [no, no, no, NAN], [yes, no, no, no]])
    assert significance_jaccard(answer, true).tolist() == [1 / 4, 1.0, 0.0]


def test_fold_errors_by_hand():
    genes = 11
    fold = np.full((2, genes), 2.0)
    true = table(fold=fold, adjusted=np.full((2, genes), 0.01))
    true[0, ADJUSTED, 10] = true[1, ADJUSTED, 9:] = 0.5  # 10 respond, and 9
    answer = table(fold=fold + 0.5)
    answer[0, P, 0] = NAN  # not tested in the answer: no change
    found = fold_error(answer, true)
    assert found[0] == pytest.approx((9 * 0.5 + 2.0) / 10 / 2.0)
    assert math.isnan(found[1])
    gate = table(fold=np.full((2, genes), 4.0), adjusted=np.full((2, genes), 0.01))
    assert fold_error(answer, true, gate)[1] == pytest.approx(0.5 / 4)


# the scale


def test_the_mean_response_by_hand():
    control = sparse([[10, 10, 0], [10, 30, 0]])
    cells = sparse([[0, 20, 1], [0, 20, 3], [30, 0, 0], [10, 0, 5], [5, 0, 5], [15, 0, 2]])
    counted = Counted(cells, np.array([0, 0, 1, 1, 1, 1]), control, [(0,), (1,)])
    found = mean_response(counted)
    # gene 0 by the second perturbation alone (15 of 10), gene 1 by the first (20 of 20), gene 2 is
    # in no control cell
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.integers(0, 2, 2), rng.integers(0, 2, 4)])
    expected = control.toarray()[drawn] * [1.5, 1.0, 0.0]
    np.testing.assert_allclose(found.counts.toarray(), expected)
    assert found.group.tolist() == counted.group.tolist()


def test_halves_have_no_cell_in_common_and_control_cells_of_their_own():
    screen = made_screen(1)
    cells = screen.counted()
    number = scipy.sparse.csr_matrix(np.arange(1, len(screen.real) + 1)[:, None])
    control = scipy.sparse.csr_matrix(np.arange(1, len(screen.control) + 1)[:, None])
    counted = Counted(number, cells.group, control, cells.targets)
    first, second = halved(counted, 5, 3)
    for one, other in ((first.counts, second.counts), (first.control, second.control)):
        assert not set(one.data) & set(other.data)
        assert one.shape == other.shape
    size = np.bincount(cells.group)
    assert np.bincount(first.group).tolist() == (size // 2).tolist()


def test_members_that_a_replicate_is_no_better_in_have_no_scale():
    scale = Scale(dict.fromkeys(MEMBERS, 0.5), dict.fromkeys(MEMBERS, 0.7))
    assert scale.usable("pds-cosine")
    assert not scale.usable("lfc-nmae")
    nothing = Scale(dict.fromkeys(MEMBERS, 0.5), dict.fromkeys(MEMBERS, NAN))
    assert not nothing.usable("pds-cosine")


def test_scaled_values_stay_within_the_challenges_limits():
    scale = Scale(dict.fromkeys(MEMBERS, 1.0), dict.fromkeys(MEMBERS, 0.5))
    assert scale.scaled("mse-capped", 1.5) == 0.0
    assert scale.scaled("mse-capped", 0.2) == 1.0
    assert scale.scaled("lfc-nmae", 9.0) == -6.0
    assert scale.scaled("lfc-nmae", 0.25) == 1.5
    assert LIMITS["pds-cosine"] == (-math.inf, math.inf)


def test_a_mean_is_over_those_that_have_a_value():
    assert Member.mean(np.array([1.0, NAN, 3.0])).value == 2.0
    assert math.isnan(Member.mean(np.array([NAN])).value)


# what must score how


def test_controls_known_to_be_good_and_bad_are_told_apart():
    """Other cells of the same perturbations score near 1, nothing near 0 or below."""
    screen = made_screen(4)
    cells = screen.counted()
    first, second = halved(cells, 99, 0)
    true = measure(first)
    scale = Scale.of(first, true)
    others = Counted(second.counts, second.group, first.control, first.targets)
    again = compared(measure(others), true)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, first.control.shape[0], len(first.group))
    nothing = compared(
        measure(Counted(first.control[drawn], first.group, first.control, first.targets)), true
    )
    for name in MEMBERS:
        assert scale.scaled(name, again[name]) > 0.6, name
        assert scale.scaled(name, nothing[name]) < 0.4, name


def test_the_other_cells_of_a_screen_change_nothing():
    """Perturbations in another order have the same members."""
    screen = made_screen(2)
    order = np.random.default_rng(0).permutation(len(screen.targets))
    place = np.argsort(order)
    same = screen.counted()
    moved = Counted(same.counts, place[same.group], same.control, [same.targets[i] for i in order])
    one, other = measure(screen.counted()), measure(moved)
    np.testing.assert_allclose(other.table, one.table[order])
    answer = measure(screen.counted(True))
    answer_moved = measure(
        Counted(screen.counted(True).counts, place[same.group], same.control, moved.targets)
    )
    for name, value in compared(answer, one).items():
        assert compared(answer_moved, other)[name] == pytest.approx(value), name
