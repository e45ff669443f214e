"""Energy distances from products that all perturbations share, beside those from profiles."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from kobench.truth.population import grams as module
from kobench.truth.population import size as sizes
from kobench.truth.population.grams import Grams
from kobench.truth.population.profiles import Population
from kobench.truth.population.size import distances, size

GENES = 40


def cells(n: int, seed: int, batches: int, sparse: bool) -> Population:
    rng = np.random.default_rng(seed)
    X = rng.poisson(rng.gamma(1.0, 3.0, GENES), (n, GENES)).astype(np.float32)
    X[:, 0] += 2
    return Population.of(
        scipy.sparse.csr_matrix(X) if sparse else X, rng.integers(0, batches, n)
    ).by_genes()


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("targets", [[], [3], [0, 7]])
@pytest.mark.parametrize("most", [sizes.MOST_CELLS, 30])
def test_sizes_from_products_are_those_from_profiles(
    targets: list[int], sparse: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "MOST_CELLS", most)  # of more, a draw
    everyone = cells(260, 1, 3, sparse)
    reference, perturbed = everyone[np.arange(0, 260, 2)], cells(70, 2, 3, sparse)
    shared = Grams.of(reference)
    assert len(shared.products) == 3
    for few in (0, 100):
        monkeypatch.setattr(sizes, "FEW", few)
        found, p = size(perturbed, reference, targets, shared)
        plain, plain_p = size(perturbed, reference, targets)
        assert found == pytest.approx(plain, rel=1e-9, abs=1e-14)
        assert p == plain_p


@pytest.mark.parametrize("sparse", [True, False])
def test_distances_are_those_of_profiles_without_the_targets(sparse: bool) -> None:
    reference, x = cells(50, 5, 1, sparse), cells(6, 6, 1, sparse)
    shared, y = Grams.of(reference), reference[np.array([7, 3, 40])]
    for targets in ([], [2], [0, 1, 5]):
        expected = distances(np.concatenate([x.profiles(targets), y.profiles(targets)]))
        found = shared.distances(x, y, targets)
        assert found is not None
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)


def test_batches_whose_products_are_too_many_go_without(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, perturbed = cells(90, 7, 2, True), cells(30, 8, 2, True)
    counts = np.bincount(reference.batch)
    monkeypatch.setattr(module, "MOST_NUMBERS", int(counts.min()) ** 2)
    shared = Grams.of(reference)
    assert [*shared.products] == [int(np.argmin(counts))]
    found, p = size(perturbed, reference, [1], shared)
    plain, plain_p = size(perturbed, reference, [1])
    assert found == pytest.approx(plain, rel=1e-9)
    assert p == plain_p


def test_two_keys_alike_draw_as_many_cells() -> None:
    class Alike:
        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            return np.zeros(shape)

    labels = sizes._labels(3, 5, Alike())  # type: ignore[arg-type]
    assert labels.sum(axis=1).tolist() == [3] * len(labels)
