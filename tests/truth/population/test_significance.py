"""The rank-sum test within batches, against scipy's and the plain definition; its correction."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.stats import mannwhitneyu, norm, rankdata

from kobench.truth.population import significance
from kobench.truth.population.profiles import Population
from kobench.truth.population.significance import adjusted, rank_sum_p, responding


def group(rows: np.ndarray, batch: object, sparse: bool = False) -> Population:
    return Population.of(scipy.sparse.csr_matrix(rows) if sparse else rows, np.asarray(batch))


def cells(seed: int, n: int, m: int, genes: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Many zeros and ties; gene 1 differs much, gene 2 a little."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(1.0, (n + m, genes)).astype(float)
    X[:n, 1] += rng.poisson(3.0, n)
    X[:n, 2] += rng.random(n) < 0.3
    X[:, 0] += 1
    return X[:n], X[n:]


def profiles(rows: np.ndarray, target: int) -> np.ndarray:
    rows = rows.copy()
    rows[:, target] = 0
    return rows / rows.sum(axis=1, keepdims=True)


def van_elteren(
    x: np.ndarray, y: np.ndarray, batch: np.ndarray, reference_batch: np.ndarray
) -> float:
    """p of one gene, with the textbook's correction for ties."""
    deviation = variance = 0.0
    for b in np.unique(batch):
        both = np.concatenate([x[batch == b], y[reference_batch == b]])
        n, m, N = int((batch == b).sum()), int((reference_batch == b).sum()), len(both)
        ties = np.unique(both, return_counts=True)[1]
        w = 1 / (N + 1)
        deviation += w * (rankdata(both)[:n].sum() - n * (N + 1) / 2)
        variance += w**2 * n * m / 12 * (N + 1 - (ties**3 - ties).sum() / (N * (N - 1)))
    return float(2 * norm.sf(abs(deviation) / np.sqrt(variance)))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("n", "m"), [(30, 50), (7, 40), (1, 12)])
def test_one_batch_is_scipys_mann_whitney(n: int, m: int, sparse: bool) -> None:
    X, Y = cells(n, n, m)
    X[:, 0] = Y[:, 0] = 1  # every row has another gene on
    found = rank_sum_p(group(X, [3] * n, sparse), group(Y, [3] * m, sparse), [4])
    expected = mannwhitneyu(
        profiles(X, 4), profiles(Y, 4), axis=0, method="asymptotic", use_continuity=False
    ).pvalue
    others = np.arange(8) != 4
    np.testing.assert_allclose(found[others], expected[others], rtol=1e-9)
    assert found[4] == 1


@pytest.mark.parametrize("sparse", [False, True])
def test_several_batches_are_van_elterens_test(
    sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, Y = cells(1, 40, 70)
    batch, reference_batch = np.arange(40) % 3, np.random.default_rng(0).integers(0, 3, 70)
    expected = [
        van_elteren(profiles(X, 4)[:, j], profiles(Y, 4)[:, j], batch, reference_batch)
        for j in (0, 1, 2, 3, 5, 6, 7)
    ]
    perturbed, reference = group(X, batch, sparse), group(Y, reference_batch, sparse)
    np.testing.assert_allclose(
        np.delete(rank_sum_p(perturbed, reference, [4]), 4), expected, rtol=1e-9
    )
    monkeypatch.setattr(significance, "NUMBERS_AT_ONCE", 1)  # one gene at a time
    np.testing.assert_allclose(
        np.delete(rank_sum_p(perturbed, reference, [4]), 4), expected, rtol=1e-9
    )


def test_by_hand() -> None:
    # gene 0 of two: shares x 0.9, 0.8; y 0.1, 0.2, 0.3. Ranks of x: 5 and 4, sum 9, mean 2 * 6 / 2
    # = 6, variance 2 * 3 * 6 / 12 = 3
    X, Y = np.array([[9.0, 1, 5], [8, 2, 5]]), np.array([[1.0, 9, 5], [2, 8, 5], [3, 7, 5]])
    p = rank_sum_p(group(X, [0, 0]), group(Y, [0] * 3), [2])
    np.testing.assert_allclose(p, [2 * norm.sf(3 / np.sqrt(3)), 2 * norm.sf(3 / np.sqrt(3)), 1])
    # the same cells in two batches: deviations and variances add up, z is sqrt(2) times as large
    twice = rank_sum_p(
        group(np.vstack([X, X]), [0, 0, 1, 1]), group(np.vstack([Y, Y]), [0] * 3 + [1] * 3), [2]
    )
    assert twice[0] == pytest.approx(2 * norm.sf(np.sqrt(2) * 3 / np.sqrt(3)))
    # a batch without perturbed cells changes nothing
    more = rank_sum_p(group(X, [0, 0]), group(np.vstack([Y, Y]), [0] * 3 + [1] * 3), [2])
    np.testing.assert_allclose(more, p)


def test_a_gene_that_does_not_vary_has_p_1() -> None:
    X = np.array([[1.0, 0, 3], [1, 0, 3], [1, 0, 3], [1, 0, 3]])
    assert rank_sum_p(group(X[:2], [0, 0]), group(X[2:], [0, 0]), []).tolist() == [1, 1, 1]
    assert not responding(group(X[:2], [0, 0]), group(X[2:], [0, 0]), [2]).any()
    # nor has one that varies between batches only
    X = np.array([[1.0, 9], [5, 5], [1, 9], [5, 5], [5, 5]])
    assert rank_sum_p(group(X[:2], [0, 1]), group(X[2:], [0, 1, 1]), []).tolist() == [1, 1]


def test_genes_said_to_differ_are_benjamini_and_hochbergs() -> None:
    X, Y = cells(2, 60, 90, 20)
    perturbed, reference = group(X, np.arange(60) % 2), group(Y, np.arange(90) % 2)
    found = responding(perturbed, reference, [5])
    p = rank_sum_p(perturbed, reference, [5])
    others = np.delete(np.arange(20), 5)
    order = others[np.argsort(p[others])]
    passed = np.flatnonzero(p[order] <= 0.05 * np.arange(1, 20) / 19)
    assert sorted(order[: passed.max() + 1].tolist()) == np.flatnonzero(found).tolist()
    assert found[1]
    assert not found[5]


def test_adjusted_by_hand() -> None:
    # 0.01 * 4 / 1, 0.02 * 4 / 2, 0.03 * 4 / 3 and 0.9: each the least of itself and those after it
    np.testing.assert_allclose(adjusted(np.array([0.9, 0.03, 0.01, 0.02])), [0.9, 0.04, 0.04, 0.04])
    assert adjusted(np.array([0.3])).tolist() == [0.3]


def test_order_of_cells_and_genes_changes_nothing() -> None:
    X, Y = cells(3, 25, 45)
    batch, reference_batch = np.arange(25) % 2, np.arange(45) % 2
    p = rank_sum_p(group(X, batch), group(Y, reference_batch), [6])
    rng = np.random.default_rng(0)
    rows, others, genes = rng.permutation(25), rng.permutation(45), rng.permutation(8)
    again = rank_sum_p(
        group(X[rows][:, genes], 1 - batch[rows]),
        group(Y[others][:, genes], 1 - reference_batch[others]),
        [int(np.flatnonzero(genes == 6)[0])],
    )
    np.testing.assert_allclose(again, p[genes], rtol=1e-9)


def test_p_holds_its_level_without_effect() -> None:
    rng = np.random.default_rng(5)
    values = []
    for _ in range(150):
        X = rng.poisson(1.0, (40, 6)).astype(float) + 0.1
        X[20:, 3] += 4  # batches differ, labels do not
        chosen = np.isin(
            np.arange(40), np.concatenate([rng.permutation(20)[:14], 20 + rng.permutation(20)[:5]])
        )
        batch = np.repeat([0, 1], 20)
        values.append(
            np.delete(
                rank_sum_p(group(X[chosen], batch[chosen]), group(X[~chosen], batch[~chosen]), [0]),
                0,
            )
        )
    below = np.mean(np.array(values) <= 0.1)
    assert 0.06 < below < 0.14


def test_targets_are_not_among_the_genes_that_p_values_are_adjusted_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of three genes 0.049 * 3 / 3 is under 0.05; of four 0.049 * 4 / 3 would not be."""
    monkeypatch.setattr(significance, "rank_sum_p", lambda *_: np.array([1.0, 0.016, 0.03, 0.049]))
    cells = Population.of(np.ones((2, 4)), np.zeros(2, int))
    assert significance.responding(cells, cells, [0]).tolist() == [False, True, True, True]
    assert significance.responding(cells, cells, []).tolist() == [False] * 4
    assert significance.responding(cells, cells, [0, 1, 2, 3]).tolist() == [False] * 4
