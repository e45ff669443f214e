"""Changes of mean profiles matched by batch, by hand and by a plain loop; how halves agree."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from kobench.truth.population import measure, profiles
from kobench.truth.population.measure import (
    SPLITS,
    Halves,
    agreement,
    change,
    changes,
    halved_changes,
    matched,
)
from kobench.truth.population.profiles import Population


def group(rows: object, batch: object, sparse: bool = False) -> Population:
    X = np.asarray(rows, np.float32)
    return Population.of(scipy.sparse.csr_matrix(X) if sparse else X, np.asarray(batch))


def random_groups(
    seed: int = 0,
    n: int = 60,
    m: int = 90,
    genes: int = 7,
    n_batches: int = 3,
    sparse: bool = False,
) -> tuple[Population, Population]:
    rng = np.random.default_rng(seed)
    X = rng.gamma(1.5, 1.0, (n + m, genes)) * (rng.random((n + m, genes)) < 0.7)
    X[:, -1] += 0.1
    batch = rng.integers(0, n_batches, n + m)
    return group(X[:n], batch[:n], sparse), group(X[n:], batch[n:], sparse)


def plain_change(perturbed: Population, reference: Population, targets: list[int]) -> np.ndarray:
    """The definition, one cell after the other."""

    def mean(rows: np.ndarray) -> np.ndarray:
        without = [np.delete(row, targets) for row in rows.astype(np.float64)]
        return np.mean([row / row.sum() for row in without], axis=0)

    total = np.zeros(perturbed.X.shape[1] - len(targets))
    for batch in np.unique(perturbed.batch):
        share = np.mean(perturbed.batch == batch)
        total += share * (
            mean(perturbed.matrix()[perturbed.batch == batch])
            - mean(reference.matrix()[reference.batch == batch])
        )
    return np.insert(total, np.array(sorted(targets)) - np.arange(len(targets)), np.nan)


def test_sums_over_parts_of_the_cells_are_those_over_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    X = scipy.sparse.random(600, 30, 0.6, "csr", np.float32, random_state=4) * 7
    rows, weights = rng.permutation(600)[:500], rng.random((4, 500))
    cells = Population.of(X, np.zeros(600, int))[rows]
    at_once = np.asarray((weights / cells.rest([2])) @ X[rows])
    at_once[:, 2] = np.nan
    assert cells.combine([2], weights).tobytes() == at_once.tobytes()
    monkeypatch.setattr(profiles, "VALUES_AT_ONCE", 1)  # a part still has 2 x 4 x 30 values
    assert cells.combine([2], weights).tobytes() == at_once.tobytes()


def test_cells_taken_from_a_population_are_like_a_population_of_them() -> None:
    for sparse in (False, True):
        whole, _ = random_groups(sparse=sparse)
        rows = np.array([5, 6, 7, 30, 2])
        part, alone = whole[rows], Population.of(whole.X[rows], whole.batch[rows])
        assert part.X is whole.X
        weights = np.random.default_rng(0).random((3, 5))
        for name in ("batch", "total", "detected"):
            assert getattr(part, name).tobytes() == getattr(alone, name).tobytes()
        assert part.columns([1, 4]).tobytes() == alone.columns([1, 4]).tobytes()
        assert part.profiles([1, 4]).tobytes() == alone.profiles([1, 4]).tobytes()
        assert part.combine([1], weights).tobytes() == alone.combine([1], weights).tobytes()


@pytest.mark.parametrize("sparse", [False, True])
def test_change_by_hand(sparse: bool) -> None:
    # target: gene 0. Perturbed profiles without it: batch 0: (1/2, 1/2), (1, 0), (0, 1); batch 1:
    # (1/4, 3/4)
    perturbed = group([[9, 1, 1], [0, 2, 0], [5, 0, 3], [1, 1, 3]], [0, 0, 0, 1], sparse)
    # reference: batch 0: (1/5, 4/5), (3/5, 2/5), mean (2/5, 3/5); batch 1: (1, 0)
    reference = group([[0, 1, 4], [7, 3, 2], [2, 2, 0]], [0, 0, 1], sparse)
    # perturbed mean: (1/2 + 1 + 0 + 1/4) / 4 = 7/16; reference mean: 3/4 * 2/5 + 1/4 * 1 = 11/20
    found = change(perturbed, reference, [0])
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [7 / 16 - 11 / 20, 11 / 20 - 7 / 16], rtol=1e-12)
    # all batches in one: the reference mean is (1/5 + 3/5 + 1) / 3 = 3/5
    one = change(
        Population.of(perturbed.X, np.zeros(4, int)),
        Population.of(reference.X, np.zeros(3, int)),
        [0],
    )
    np.testing.assert_allclose(one[1:], [7 / 16 - 3 / 5, 3 / 5 - 7 / 16], rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("targets", [[0], [3], [1, 4]])
def test_change_is_the_plain_definition(
    sparse: bool, targets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    perturbed, reference = random_groups()
    expected = plain_change(perturbed, reference, targets)
    ours = random_groups(sparse=sparse)
    np.testing.assert_allclose(change(*ours, targets), expected, rtol=1e-9, atol=1e-15)
    monkeypatch.setattr(profiles, "NUMBERS_AT_ONCE", 100)  # one gene at a time
    np.testing.assert_allclose(change(*ours, targets), expected, rtol=1e-9, atol=1e-15)
    assert np.nansum(change(*ours, targets)) == pytest.approx(0, abs=1e-12)


def test_order_of_cells_genes_and_batch_numbers_changes_nothing() -> None:
    perturbed, reference = random_groups(3)
    before = change(perturbed, reference, [2])
    rng = np.random.default_rng(0)
    rows, others, genes = (
        rng.permutation(len(perturbed)),
        rng.permutation(len(reference)),
        rng.permutation(7),
    )
    relabel = np.array([5, 0, 3])
    after = change(
        group(perturbed.X[rows][:, genes], relabel[perturbed.batch[rows]]),
        group(reference.X[others][:, genes], relabel[reference.batch[others]]),
        [int(np.flatnonzero(genes == 2)[0])],
    )
    np.testing.assert_allclose(after, before[genes], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("sparse", [False, True])
def test_cells_without_another_gene_have_no_profile(sparse: bool) -> None:
    cells = group([[3, 0, 0], [1, 2, 1], [0, 0, 5], [0.1, 0.2, 0]], [0, 0, 0, 0], sparse)
    assert cells.rest([0]).tolist() == [0, 3, 5, pytest.approx(0.2)]
    assert cells.rest([0, 1])[3] == 0  # and not what rounding leaves of 0.1 + 0.2
    np.testing.assert_allclose(
        cells.profiles([0]), [[0, 0, 0], [0, 2 / 3, 1 / 3], [0, 0, 1], [0, 1, 0]]
    )


def test_matched_leaves_out_batches_and_empty_cells() -> None:
    reference = group(
        [[1, 1, 1]] * 10 + [[1, 1, 1]] * 9 + [[2, 0, 0]] + [[1, 1, 0]] * 12,
        [0] * 10 + [1] * 10 + [2] * 12,
    )
    perturbed = group([[0, 1, 1], [4, 0, 0], [0, 1, 2], [0, 0, 1]], [0, 0, 1, 3])
    ours, theirs = matched(perturbed, reference, [0])
    # batch 1 has ten reference cells, but one of them expresses nothing but gene 0; batch 2 has no
    # perturbed cell, batch 3 no reference
    assert ours.tolist() == [True, False, False, False]
    assert np.flatnonzero(theirs).tolist() == list(range(10))
    ours, theirs = matched(perturbed, reference, [1])
    assert ours.tolist() == [True, True, True, False]
    assert np.flatnonzero(theirs).tolist() == list(range(20))


def test_halves_are_balanced_fixed_and_follow_the_cell() -> None:
    halves = Halves.draw(23, 0)
    batch = np.arange(23) % 3
    chosen = halves.of(batch)
    assert chosen.shape == (SPLITS, 2, 23)
    assert np.array_equal(chosen[:, 0], ~chosen[:, 1])
    for number in range(3):
        assert np.all(np.abs(np.diff(chosen[:, :, batch == number].sum(axis=2), axis=1)) <= 1)
    assert np.array_equal(Halves.draw(23, 0).keys, halves.keys)
    assert not np.array_equal(Halves.draw(23, 1).keys, halves.keys)
    assert len({tuple(second) for second in chosen[:, 1]}) == SPLITS
    order = np.random.default_rng(0).permutation(23)
    assert np.array_equal(halves[order].of(batch[order]), chosen[:, :, order])


@pytest.mark.parametrize("sparse", [False, True])
def test_halved_changes_are_the_changes_of_the_halves(sparse: bool) -> None:
    perturbed, reference = random_groups(5, sparse=sparse)
    halves, others = Halves.draw(len(perturbed), 0), Halves.draw(len(reference), 1)
    found = halved_changes(perturbed, reference, [1], halves, others)
    assert found.shape == (SPLITS, 2, 7)
    dense, dense_reference = random_groups(5)
    ours, theirs = halves.of(perturbed.batch), others.of(reference.batch)
    for split in (0, 7, 19):
        for half in (0, 1):
            expected = plain_change(
                dense[ours[split, half]], dense_reference[theirs[split, half]], [1]
            )
            np.testing.assert_allclose(found[split, half], expected, rtol=1e-9, atol=1e-15)


def test_a_choice_without_reference_in_a_batch_is_measured_in_the_others() -> None:
    perturbed, reference = (
        group([[1, 3], [2, 2], [9, 1]], [0, 0, 1]),
        group([[1, 1], [3, 1]], [0, 1]),
    )
    everyone, none_in_1 = np.ones((1, 3), bool), np.array([[True, False]])
    # batch 0 alone: ((1/4 + 1/2) / 2) - 1/2
    np.testing.assert_allclose(
        changes(perturbed, reference, [], everyone, none_in_1), [[-1 / 8, 1 / 8]]
    )


def test_agreement_is_the_mean_correlation() -> None:
    rng = np.random.default_rng(1)
    halved = rng.normal(size=(6, 2, 9)) + rng.normal(size=9)
    expected = np.mean([np.corrcoef(a, b)[0, 1] for a, b in halved])
    assert agreement(halved) == pytest.approx(expected, rel=1e-12)
    with_target = np.insert(halved, 4, np.nan, axis=2)
    assert agreement(with_target) == pytest.approx(expected, rel=1e-12)
    order = rng.permutation(9)
    assert agreement(halved[:, ::-1][:, :, order]) == pytest.approx(expected, rel=1e-12)
    # by hand: (1, 2, 3) and (1, 3, 2) correlate by 1/2, (1, 2, 3) with its reverse by -1
    assert agreement(
        np.array([[[1, 2, 3], [1, 3, 2]], [[1, 2, 3], [3, 2, 1]]], float)
    ) == pytest.approx(-1 / 4)
    # a constant half has no correlation and counts 0
    assert agreement(
        np.array([[[1, 2, 3], [1, 3, 2]], [[1, 2, 3], [5, 5, 5]]], float)
    ) == pytest.approx(1 / 4)
    assert agreement(np.full((2, 2, 3), np.nan)) == 0
    assert agreement(np.zeros((2, 2, 1))) == 0


def test_labels_shuffled_within_batch_change_nothing_on_average() -> None:
    """Perturbed and reference cells of the same batch trade places.

    Batches differ much and are mixed differently.
    """
    rng = np.random.default_rng(8)
    level = np.array([[1.0, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]])
    batch = np.repeat([0, 1], [60, 100])
    X = rng.gamma(2.0, 1.0, (160, 6)) * level[batch]
    matched_means, naive = [], []
    for _ in range(300):
        chosen = np.concatenate([rng.permutation(60)[:30], 60 + rng.permutation(100)[:20]])
        left = np.setdiff1d(np.arange(160), chosen)
        matched_means.append(
            change(group(X[chosen], batch[chosen]), group(X[left], batch[left]), [5])[:5]
        )
        naive.append(
            change(group(X[chosen], 0 * batch[chosen]), group(X[left], 0 * batch[left]), [5])[:5]
        )

    def z(values: list[np.ndarray]) -> np.ndarray:
        return np.abs(np.mean(values, axis=0)) / (np.std(values, axis=0) / np.sqrt(len(values)))

    assert z(matched_means).max() < 4.5
    assert z(naive).max() > 20  # without matching, the batch mix looks like an effect


def test_what_is_detectable_is_said_once() -> None:
    assert measure.DETECTABLE == 0.2
    assert measure.SPLITS == 20


def test_batches_that_only_one_kind_of_cells_has_are_left_out_whichever_has_more() -> None:
    ours, theirs = (
        group([[1, 1]] * 12, [0] * 10 + [1] * 2),
        group([[1, 1]] * 30, [0] * 10 + [2] * 20),
    )
    for chosen, other in (matched(ours, theirs, [0]), matched(theirs, ours, [0])[::-1]):
        assert chosen.tolist() == [True] * 10 + [False] * 2
        assert other.tolist() == [True] * 10 + [False] * 20


def test_a_batch_counts_from_ten_reference_cells_on() -> None:
    ours = group([[1, 1]] * 2, [0, 1])
    theirs = group([[1, 1]] * 19, [0] * 10 + [1] * 9)
    chosen, other = matched(ours, theirs, [0])
    assert (chosen.tolist(), other.tolist()) == ([True, False], [True] * 10 + [False] * 9)
