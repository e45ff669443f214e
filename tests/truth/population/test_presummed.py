"""Halves from sums that all perturbations share, beside each perturbation summed by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from kobench.api import Cells, Dataset
from kobench.truth.population import presummed, screen
from kobench.truth.population.measure import Halves, halved_changes, matched
from kobench.truth.population.presummed import HalvedCells, HalvedReference
from kobench.truth.population.profiles import Population
from kobench.truth.population.screen import Screen

GENES = 30


def counts(n: int, seed: int) -> np.ndarray:
    """Counts of genes that are on in nearly all cells, in few, in a single one, and in none."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(np.geomspace(40, 0.05, GENES), (n, GENES)).astype(np.float32)
    X[:, -3:] = 0
    X[n // 2, -2] = 3
    X[:, 0] += 1
    return X


def cells(
    n: int, seed: int, batches: int = 3, sparse: bool = True, dtype: type = np.float32
) -> Population:
    X = counts(n, seed).astype(dtype)
    batch = np.random.default_rng(seed + 100).integers(0, batches, n)
    return Population.of(scipy.sparse.csr_matrix(X) if sparse else X, batch).by_genes()


def both(
    perturbed: Population, wild_type: Population, targets: list[int], n_batches: int
) -> tuple[np.ndarray, np.ndarray]:
    """Changes in halves from common sums, and each perturbation's own."""
    halves, others = Halves.draw(len(perturbed), 0), Halves.draw(len(wild_type), 1)
    ours, theirs = matched(perturbed, wild_type, targets)
    plain = halved_changes(
        perturbed[ours], wild_type[theirs], targets, halves[ours], others[theirs]
    )
    mine = HalvedCells.of(perturbed[ours], targets, halves[ours])
    reference = HalvedReference.of(wild_type, others, n_batches)
    means = reference.means(mine.count(n_batches), targets)
    assert means is not None
    return mine.means - means, plain


def same(found: np.ndarray, plain: np.ndarray, within: float = 1e-15) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(plain))
    # a gene that is off in all cells of both halves does not change by what rounding leaves
    np.testing.assert_array_equal(found == 0, plain == 0)
    np.testing.assert_allclose(found, plain, rtol=0, atol=within)


@pytest.mark.parametrize("blocks", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("targets", [[], [0], [5], [20], [4, 12]])
def test_common_sums_give_each_perturbations_own_halves(
    targets: list[int], sparse: bool, blocks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presummed, "FEW", 0)  # all of it in double precision
    if not blocks:
        monkeypatch.setattr(presummed, "MOST_BYTES", 0)
    for seed in range(4):
        # batches of odd and of even sizes, so that the first half is now the even cells, now the
        # odd ones; perturbed cells are in some batches only
        perturbed, wild_type = cells(41, seed, 2, sparse), cells(133, seed + 50, 4, sparse)
        perturbed = replace(perturbed, batch=perturbed.batch * 2 + 1)
        same(*both(perturbed, wild_type, targets, 4))


def test_little_is_added_in_single_precision_to_a_billionth() -> None:
    rng = np.random.default_rng(3)
    X = rng.poisson(60, (200, 40)).astype(np.float32)
    X[:, 7] = rng.poisson(2, 200)
    wild_type = Population.of(scipy.sparse.csr_matrix(X[:150]), np.arange(150) % 2).by_genes()
    perturbed = Population.of(scipy.sparse.csr_matrix(X[150:]), np.arange(50) % 2)
    found, plain = both(perturbed, wild_type, [7], 2)
    same(found, plain, 1e-9 / 40)
    assert (found != plain).any()  # it was in single precision
    # of values that single precision does not hold, nothing is worked out in it
    double = [
        Population.of(each.X.astype(np.float64) / 3, each.batch) for each in (perturbed, wild_type)
    ]
    same(*both(*double, [7], 2))
    # nor is it where a target is much of a cell
    X[3, 7] = 900
    heavy = Population.of(scipy.sparse.csr_matrix(X[:150]), np.arange(150) % 2)
    same(*both(perturbed, heavy, [7], 2))


def test_a_cell_with_nothing_but_the_target_has_no_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presummed, "FEW", 0)
    wild_type = cells(60, 1, 1)
    X = wild_type.X.toarray()
    X[10, 1:], X[10, 0] = 0, 4
    X[11] = 0  # a cell without any profile is in no half, whatever is taken out
    wild_type = Population.of(scipy.sparse.csr_matrix(X), wild_type.batch)
    perturbed = cells(30, 2, 1)
    reference = HalvedReference.of(wild_type, Halves.draw(60, 1), 1)
    assert len(reference.cells) == 59
    halves = Halves.draw(30, 0)
    assert (
        reference.means(HalvedCells.of(perturbed, [0], halves).count(1), [0]) is None
    )  # others make the halves
    same(*both(perturbed, wild_type, [5], 1))


def screen_of(X: np.ndarray, sparse: bool, batch: bool = True) -> Screen:
    def made(rows: slice, **obs: np.ndarray) -> Cells:
        values = scipy.sparse.csr_matrix(X[rows]) if sparse else X[rows]
        labels = np.array([f"b{number % 3}" for number in range(len(X))])[rows]
        genes = np.array([f"g{gene}" for gene in range(GENES)])
        return Cells(values, genes, obs={"batch": labels, **obs})

    perturbed = made(slice(90), perturbation=np.array(["g0"] * 90))
    dataset = Dataset(
        made(slice(90, None)),
        "linear",
        "real",
        perturbed=perturbed,
        batch_key="batch" if batch else None,
    )
    training, reference = np.arange(0, len(X) - 90, 2), np.arange(1, len(X) - 90, 2)
    return Screen.of(dataset, perturbed, training, reference)


@pytest.mark.parametrize("sparse", [True, False])
def test_a_screen_measures_halves_so_and_falls_back_where_it_must(
    sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presummed, "FEW", 0)
    X = counts(290, 9)
    X[150, 1:] = 0  # in the reference, nothing but gene 0
    for measured in (screen_of(X, sparse), screen_of(X, sparse, batch=False)):
        for targets in ([0], [3], [1, 2]):
            rows = np.arange(40)
            found = measured.measure(rows, targets)
            with monkeypatch.context() as patched:
                patched.setattr(screen, "MOST_BYTES", 0)
                own = replace(measured).measure(rows, targets)
            same(found.halves, own.halves)
            assert found.agreement == pytest.approx(own.agreement, abs=1e-12)
            assert measured.agreement(rows, targets) == found.agreement


def test_agreement_is_over_batches_in_which_the_reference_alone_has_too_few() -> None:
    whole, rows = screen_of(counts(290, 9), True), np.arange(40)
    last = whole.wild_type.batch[whole.reference] == 2
    few = replace(whole, reference=whole.reference[~last | (np.cumsum(last) <= 5)])
    found = few.measure(rows, [3])
    # five reference cells are too few to measure in that batch; with those that train they are not
    assert found.cells == (few.perturbed.batch[rows] != 2).sum() < 40
    assert found.agreement == few.agreement(rows, [3]) == whole.measure(rows, [3]).agreement


def test_genes_are_looked_up_alike_by_gene_and_by_cell() -> None:
    known = cells(50, 4)
    plain = replace(known, by_gene=None)
    rows = np.array([7, 3, 3, 49])
    for chosen in ([0], [20, 4], []):
        assert known[rows].columns(chosen).tobytes() == plain[rows].columns(chosen).tobytes()
    dense = cells(50, 4, sparse=False)
    assert dense.by_gene is None
    assert dense[rows].columns([4, 2]).tolist() == known[rows].columns([4, 2]).tolist()
