"""Energy distances, by hand, by a double loop and by scipy, and their permutation p values."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.sparse
from scipy.spatial.distance import cdist, pdist, squareform

from kobench.truth.population import size as module
from kobench.truth.population.profiles import Population
from kobench.truth.population.size import (
    distances,
    draw,
    energy_distance,
    paired_energy_distance,
    size,
)


def group(rows: np.ndarray, batch: object, sparse: bool = False) -> Population:
    return Population.of(scipy.sparse.csr_matrix(rows) if sparse else rows, np.asarray(batch))


def by_scipy(x: np.ndarray, y: np.ndarray) -> float:
    return float(2 * cdist(x, y).mean() - pdist(x).mean() - pdist(y).mean())


def by_loop(x: np.ndarray, y: np.ndarray) -> float:
    def mean(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
        return sum(float(np.sqrt(((a - b) ** 2).sum())) for a, b in pairs) / len(pairs)

    def others(rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(rows[i], rows[j]) for i, j in product(range(len(rows)), repeat=2) if i != j]

    return 2 * mean(list(product(x, y))) - mean(others(x)) - mean(others(y))


def test_energy_distance_by_hand() -> None:
    # x: 0 and 3; y: 4 and 8 (on a line). Across: 4, 8, 1, 5: mean 18/4. Within: 3 and 4. 2 * 4.5 -
    # 3 - 4 = 2
    assert energy_distance(np.array([[0.0], [3]]), np.array([[4.0], [8]])) == pytest.approx(2.0)
    # in the plane: x (0, 0), (3, 4); y twice (3, 0). Across: 3, 3, 4, 4; within x 5, within y 0: 7
    # - 5 = 2
    assert energy_distance(
        np.array([[0.0, 0], [3, 4]]), np.array([[3.0, 0], [3, 0]])
    ) == pytest.approx(2.0)
    # below 0 where the groups lie in each other: across 1/2 everywhere, within 0 and 1: 1 - 0 - 1
    # ...
    assert energy_distance(np.array([[0.5], [0.5]]), np.array([[0.0], [1]])) == pytest.approx(0.0)
    # ... and x = y = (0, 1): across 0, 1, 1, 0: 1 - 1 - 1 = -1
    assert energy_distance(np.array([[0.0], [1]]), np.array([[0.0], [1]])) == pytest.approx(-1.0)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (5, 9), (30, 17)])
def test_energy_distance_is_the_plain_definition(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.dirichlet(np.ones(6), n), rng.dirichlet(np.full(6, 2.0), m)
    assert energy_distance(x, y) == pytest.approx(by_scipy(x, y), rel=1e-7, abs=1e-12)
    assert energy_distance(x, y) == pytest.approx(by_loop(x, y), rel=1e-7, abs=1e-12)
    assert energy_distance(y, x) == pytest.approx(energy_distance(x, y), rel=1e-9)
    order, genes = rng.permutation(n), rng.permutation(6)
    assert energy_distance(x[order][:, genes], y[:, genes]) == pytest.approx(
        energy_distance(x, y), rel=1e-9, abs=1e-13
    )


def test_distances_with_ties() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(8), 20)
    rows[7] = rows[3]
    np.testing.assert_allclose(distances(rows), squareform(pdist(rows)), atol=2e-8)
    assert np.all(np.diag(distances(rows)) == 0)
    assert np.all(distances(np.ones((4, 3))) == 0)


def test_energy_distance_is_0_on_average_without_effect() -> None:
    rng = np.random.default_rng(4)
    values = [energy_distance(*np.split(rng.dirichlet(np.ones(5), 24), [8])) for _ in range(600)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_paired_energy_distance() -> None:
    rng = np.random.default_rng(5)
    x = rng.dirichlet(np.ones(4), 12)
    y = np.where(rng.random((12, 1)) < 0.5, x, rng.dirichlet(np.ones(4), 12))
    other = [(i, j) for i, j in product(range(12), repeat=2) if i != j]
    expected = np.mean(
        [
            2 * np.linalg.norm(x[i] - y[j])
            - np.linalg.norm(x[i] - x[j])
            - np.linalg.norm(y[i] - y[j])
            for i, j in other
        ]
    )
    assert paired_energy_distance(x, y) == pytest.approx(expected, rel=1e-7)
    assert paired_energy_distance(x, x) == pytest.approx(0, abs=1e-12)
    # by hand: x 0, 1; y 2, 1. Across, not the cell itself: |0 - 1| + |1 - 2| = 2; within 1 and 1:
    # (2 * 2 - 2 - 2) / 2 = 0
    assert paired_energy_distance(np.array([[0.0], [1]]), np.array([[2.0], [1]])) == pytest.approx(
        0.0
    )
    # x 0, 1; y 5, 6: |0 - 6| + |1 - 5| = 10: (2 * 10 - 2 - 2) / 2 = 8
    assert paired_energy_distance(np.array([[0.0], [1]]), np.array([[5.0], [6]])) == pytest.approx(
        8.0
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_size_is_the_mean_over_batches_by_the_perturbed_mix(sparse: bool) -> None:
    rng = np.random.default_rng(6)
    X, Y = rng.gamma(1.0, 1.0, (20, 6)), rng.gamma(2.0, 1.0, (40, 6))
    batch, reference_batch = np.array([0] * 12 + [1] * 7 + [2]), np.arange(40) % 3
    found, p = size(group(X, batch, sparse), group(Y, reference_batch, sparse), [2])

    def profiles(rows: np.ndarray) -> np.ndarray:
        without = np.delete(rows, 2, axis=1)
        return without / without.sum(axis=1, keepdims=True)

    parts = [by_scipy(profiles(X[batch == b]), profiles(Y[reference_batch == b])) for b in (0, 1)]
    assert found == pytest.approx(
        (12 * parts[0] + 7 * parts[1]) / 19, rel=1e-6
    )  # one perturbed cell in batch 2 has no distance within
    assert 0 < p <= 1
    assert size(group(X, batch, sparse), group(Y, reference_batch, sparse), [2]) == (found, p)


def test_size_where_no_batch_has_two_perturbed_cells() -> None:
    rng = np.random.default_rng(0)
    found, p = size(
        group(rng.random((2, 3)), [0, 1]), group(rng.random((20, 3)), np.arange(20) % 2), [0]
    )
    assert np.isnan(found)
    assert p == 1


def test_p_is_the_share_of_all_relabellings() -> None:
    """Two of six cells: all 15 relabellings can be counted, and the draw must come near."""
    rng = np.random.default_rng(1)
    X = rng.dirichlet(np.ones(4), 6)
    X[0], X[1] = [0.9, 0.1, 0, 0], [0.7, 0.2, 0.1, 0]
    energies = []
    for i in range(6):
        for j in range(i):
            chosen = np.isin(np.arange(6), [i, j])
            energies.append(energy_distance(X[chosen], X[~chosen]))
    observed = energy_distance(X[:2], X[2:])
    share = np.mean(np.array(energies) >= observed - 1e-9)
    _, p = size(
        group(np.insert(X[:2], 0, 1.0, axis=1), [0, 0]),
        group(np.insert(X[2:], 0, 1.0, axis=1), [0] * 4),
        [0],
    )
    assert p == pytest.approx(
        share, abs=5 * np.sqrt(share * (1 - share) / module.PERMUTATIONS) + 1 / module.PERMUTATIONS
    )


def test_p_holds_its_level_without_effect_and_finds_an_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PERMUTATIONS", 199)
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(200):
        batch = np.repeat([0, 1], [14, 16])
        X = (
            rng.gamma(1.0, 1.0, (30, 5)) * np.array([[1, 1, 1, 1, 1], [1, 9, 1, 1, 1]])[batch]
        )  # batches differ, labels do not
        chosen = np.isin(
            np.arange(30), np.concatenate([rng.permutation(14)[:9], 14 + rng.permutation(16)[:3]])
        )
        p_values.append(
            size(group(X[chosen], batch[chosen]), group(X[~chosen], batch[~chosen]), [0])[1]
        )
    below = np.mean(np.array(p_values) <= 0.2)
    assert 0.2 - 4 * np.sqrt(0.16 / 200) < below < 0.2 + 4 * np.sqrt(0.16 / 200)
    assert min(p_values) >= 1 / 200
    X, Y = rng.gamma(1.0, 1.0, (25, 5)), rng.gamma(1.0, 1.0, (40, 5)) * [1, 1, 1, 9, 9]
    assert size(group(X, [0] * 25), group(Y, [0] * 40), [0])[1] == 1 / 200


def test_cells_alike_have_size_0_and_p_1() -> None:
    alike = np.ones((30, 4))
    found, p = size(group(alike[:10], [0] * 10), group(alike[10:], [0] * 20), [1])
    assert found == pytest.approx(0, abs=1e-12)
    assert p == 1


def test_many_cells_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert draw(5, 5, np.random.default_rng(0)).tolist() == [0, 1, 2, 3, 4]
    drawn = draw(50, 7, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == 7
    assert np.array_equal(drawn, np.sort(drawn))
    assert np.array_equal(drawn, draw(50, 7, np.random.default_rng(0)))
    monkeypatch.setattr(module, "PERMUTATIONS", 9)
    rng = np.random.default_rng(3)
    perturbed, reference = (
        group(rng.gamma(1.0, 1.0, (300, 5)), [0] * 300),
        group(rng.gamma(1.3, 1.0, (300, 5)), [0] * 300),
    )
    seen: list[int] = []
    real = module.distances
    monkeypatch.setattr(module, "distances", lambda rows: seen.append(len(rows)) or real(rows))
    whole = size(perturbed, reference, [0])[0]
    monkeypatch.setattr(module, "MOST_CELLS", 150)
    part = size(perturbed, reference, [0])[0]
    assert seen == [600, 300]
    assert part != whole
    assert part == pytest.approx(whole, abs=0.02)


def test_a_batch_weighs_by_all_its_perturbed_cells_not_by_those_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All cells of a group and batch alike, so that the draw of 4 of them makes no difference.

    Batch 0: 12 cells (1/2, 1/2, 0) against (1/2, 0, 1/2): distance sqrt(1/2), energy sqrt(2). Batch
    1: 3 cells (1, 0, 0) against (0, 1, 0): distance sqrt(2), energy 2 sqrt(2). Both without the
    target, and their mean is (12 sqrt(2) + 3 * 2 sqrt(2)) / 15 = 6 sqrt(2) / 5.
    """
    monkeypatch.setattr(module, "MOST_CELLS", 4)
    monkeypatch.setattr(module, "PERMUTATIONS", 9)
    X = np.array([[9.0, 1, 1, 0]] * 12 + [[9.0, 5, 0, 0]] * 3)
    Y = np.array([[0.0, 2, 0, 2]] * 20 + [[0.0, 0, 1, 0]] * 30)
    found, _ = size(group(X, [0] * 12 + [1] * 3), group(Y, [0] * 20 + [1] * 30), [0])
    assert found == pytest.approx(1.2 * np.sqrt(2))
