"""Rank sums of many perturbations at once, beside scipy's ranks of one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from kobench.truth.population import rank_sums
from kobench.truth.population.measure import matched
from kobench.truth.population.profiles import Population
from kobench.truth.population.rank_sums import Perturbed, rank_sum_ps, responding_all
from kobench.truth.population.significance import rank_sum_p, responding

GENES = 25


def population(X: np.ndarray, batch: np.ndarray, sparse: bool = True) -> Population:
    return Population.of(scipy.sparse.csr_matrix(X) if sparse else X, batch)


def made(kind: str, n: int, batches: list[int], seed: int, sparse: bool = True) -> Population:
    """Cells in batches of some sizes; counts have many ties, also of cells of unlike depth."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(np.geomspace(6, 0.02, GENES), (n, GENES)).astype(np.float32)
    X[:, 1] += 1
    if kind == "log":
        X = np.log1p(1e4 * X / X.sum(axis=1, keepdims=True)).astype(np.float32)
    if kind == "alike":
        X[:] = X[rng.integers(0, 3, n)]
    X[:, -1] = 0
    share = np.array(batches) / sum(batches)
    return population(X, rng.choice(len(batches), n, p=share), sparse)


def both(
    perturbed: Population, reference: Population, targets: list[tuple[int, ...]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """p values at once and one after the other; the perturbed cells are dealt out by turns."""
    tested, plain = [], []
    for number, genes in enumerate(targets):
        rows = np.arange(number, len(perturbed), len(targets))
        ours, theirs = matched(perturbed[rows], reference, genes)
        tested.append(Perturbed(rows[ours], genes))
        plain.append(rank_sum_p(perturbed[rows[ours]], reference[theirs], genes))
    return list(rank_sum_ps(perturbed, reference, tested)), plain


TARGETS = [(0,), (3,), (), (20,), (0, 5), (GENES - 1,)]


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("at_once", [1, 100, 10**6])
@pytest.mark.parametrize("kind", ["counts", "log", "alike"])
def test_p_values_are_the_plain_ones_to_the_last_bit(
    kind: str, at_once: int, sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank_sums, "VALUES_AT_ONCE", at_once)
    reference = made(kind, 240, [70, 20, 60, 5, 85], 1, sparse)
    perturbed = made(kind, 150, [10, 50, 3, 30, 57], 2, sparse)
    found, plain = both(perturbed, reference, TARGETS)
    assert any(0 < p.min() < 0.9 for p in plain)
    for one, other in zip(found, plain, strict=True):
        assert one.tobytes() == other.tobytes()


def test_batches_of_one_kind_of_cells_count_for_nothing() -> None:
    reference = made("counts", 160, [1, 1, 1], 3)
    perturbed = made("counts", 90, [1, 1, 1], 4)
    # batches 0 and 7 have no perturbed cells, 3 no reference ones; and names leave gaps
    reference = replace(reference, batch=np.array([0, 5, 7])[reference.batch])
    perturbed = replace(perturbed, batch=np.array([5, 3, 9])[perturbed.batch])
    reference = replace(reference, batch=np.where(np.arange(160) < 20, 9, reference.batch))
    tested = [Perturbed(np.arange(90), (2,))]
    plain = rank_sum_p(perturbed, reference, (2,))
    assert next(rank_sum_ps(perturbed, reference, tested)).tobytes() == plain.tobytes()
    nowhere = replace(perturbed, batch=perturbed.batch + 100)
    assert (next(rank_sum_ps(nowhere, reference, tested)) == 1).all()
    assert list(rank_sum_ps(perturbed, reference, [])) == []


def test_a_cell_with_nothing_but_the_target_is_no_reference() -> None:
    reference, perturbed = made("counts", 100, [1, 1], 5), made("counts", 60, [1, 1], 6)
    X = reference.X.toarray()
    X[7, 2:], X[7, :2] = 0, (0, 4)
    reference = population(X, reference.batch)
    found, plain = both(perturbed, reference, [(1,), (2,)])
    for one, other in zip(found, plain, strict=True):
        assert one.tobytes() == other.tobytes()
    assert not np.array_equal(
        plain[0], rank_sum_p(perturbed, population(X[:7], reference.batch[:7]), (1,))
    )


def test_rows_that_are_full_do_not_run_into_the_next() -> None:
    """The same value in all cells of all batches is a tie of each batch alone."""
    X = np.ones((48, 4), np.float32)
    X[::5, 2] = 3
    cells = population(X, np.arange(48) % 4)
    perturbed, reference = cells[np.arange(20)], cells[np.arange(20, 48)]
    found, plain = both(perturbed, reference, [(0,), (1,)])
    for one, other in zip(found, plain, strict=True):
        assert one.tobytes() == other.tobytes()


def test_genes_that_respond_are_those_of_the_plain_test() -> None:
    reference, perturbed = made("counts", 300, [1, 1], 7), made("counts", 80, [1, 1], 8)
    X = perturbed.X.toarray()
    X[:40, 4] += 5
    perturbed = population(X, perturbed.batch)
    tested = [Perturbed(np.arange(40), (0,)), Perturbed(np.arange(40, 80), (3,))]
    found = list(responding_all(perturbed, reference, tested))
    assert found[0][4]
    for one, mine in zip(tested, found, strict=True):
        plain = responding(perturbed[one.rows], reference, one.targets)
        assert mine.tolist() == plain.tolist()
