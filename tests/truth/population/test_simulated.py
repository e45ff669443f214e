"""The population question without noise, and the noise-free change of a planted population."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kobench.builtin.datasets.grn import load
from kobench.cells import Cells, Knockouts, normalise_rows
from kobench.dataset import Dataset
from kobench.datasets.split import split
from kobench.errors import UserError
from kobench.question import Responses
from kobench.truth.population import ask_responses, ask_simulated_responses, counterfactual
from kobench.truth.population import size as size_module
from kobench.truth.population.counterfactual import change_of, expected_changes
from kobench.truth.population.events import abundance
from kobench.truth.population.profiles import Population
from kobench.truth.population.size import paired_energy_distance
from kobench.truth.singles import ask_singles

CLEAN = np.array([[4.0, 2, 2, 0], [1, 1, 0, 2], [5, 0, 0, 0], [3, 1, 1, 1]])


class Chain:
    """Removing gene 0 halves gene 1; nothing else responds.

    Every 4th cell has no steady state without gene 2.
    """

    def __init__(self, clean: np.ndarray) -> None:
        self.clean = clean

    def wild_type(self, cells: np.ndarray) -> np.ndarray:
        return self.clean[cells]

    def knockout(self, knockouts: Knockouts) -> np.ndarray:
        assert knockouts.cells is not None
        rows = knockouts.remove_from(self.clean)
        rows[(knockouts.genes == 0).any(axis=1), 1] /= 2
        rows[(knockouts.genes == 2).any(axis=1) & (knockouts.cells % 4 == 3)] = np.nan
        return rows


def chain(repeats: int = 12, observed: np.ndarray | None = None, sparse: bool = False) -> Dataset:
    clean = np.tile(CLEAN, (repeats, 1))
    X = np.asarray(clean if observed is None else observed, np.float32)
    return Dataset(
        Cells(scipy.sparse.csr_matrix(X) if sparse else X, np.array(list("abcd"))),
        "linear",
        "simulated",
        Chain(clean),
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_by_hand(sparse: bool) -> None:
    found = ask_simulated_responses(chain(sparse=sparse), np.arange(48))
    assert found.names == ("a", "b", "c", "d")
    assert found.targets == ((0,), (1,), (2,), (3,))
    # a: in cells 0, 1 and 3 (cell 2 expresses nothing else) cell 0: null 0 1/2 1/2 0, knockout 0 1
    # 2 0 / 3; cell 1: 0 1/3 0 2/3 and 0 1/2 0 2 / 2.5; cell 3: thirds and 0 1/2 1 1 / 2.5
    change_b = (1 / 3 - 1 / 2) + (1 / 5 - 1 / 3) + (1 / 5 - 1 / 3)
    change_c = (2 / 3 - 1 / 2) + 0 + (2 / 5 - 1 / 3)
    change_d = 0 + (4 / 5 - 2 / 3) + (2 / 5 - 1 / 3)
    np.testing.assert_allclose(
        found.change[0], [np.nan, change_b / 3, change_c / 3, change_d / 3], rtol=1e-12
    )
    for gene in (1, 2, 3):
        others = np.arange(4) != gene
        assert found.change[gene][others].tolist() == [0, 0, 0]  # exactly: nothing responds
        assert np.isnan(found.change[gene][gene])
    assert found.responds.tolist() == [
        [False, True, True, True],
        [False] * 4,
        [False] * 4,
        [False] * 4,
    ]
    assert found.size[1:].tolist() == [0, 0, 0]
    assert found.size[0] > 0
    # gene c is on in cells 0 and 3, of which cell 3 has no steady state without it
    assert found.perturbed.tolist() == [36, 36, 12, 24]
    assert found.left_out == {"events without a steady state": 12}
    assert found.detectable.all()
    assert not found.noisy
    assert found.size_p is None
    assert found.expected is None
    np.testing.assert_allclose(found.abundance[0], np.mean([1 / 2, 1 / 4, 1, 1 / 2]))


def test_answer_rows_and_events() -> None:
    found = ask_simulated_responses(chain(), np.arange(48))
    (events,), (rows,) = found.events, found.rows
    assert np.all(np.diff(events.cells) >= 0)
    assert found.row_perturbation.tolist() == [0, 1, 2, 3]
    assert found.row_weight.tolist() == [1, 1, 1, 1]
    assert rows.tolist() == events.genes[:, 0].tolist()
    of_cell_3 = events.genes[events.cells == 3, 0]
    assert of_cell_3.tolist() == [0, 1, 3]  # not gene c, whose event has no steady state


def test_genes_seen_in_few_cells_are_left_out() -> None:
    found = ask_simulated_responses(chain(9), np.arange(36))
    assert found.names == ("a", "b", "d")
    assert found.left_out == {
        "genes asked in under 10 cells": 1,
        "events without a steady state": 9,
    }
    nothing = ask_simulated_responses(chain(2), np.arange(8))
    assert (nothing.names, nothing.events, nothing.noisy) == ((), (), False)
    assert set(nothing.left_out) == {"genes asked in under 10 cells"}
    with pytest.raises(UserError, match="no counterfactual truth"):
        ask_simulated_responses(dataclasses.replace(chain(), truth=None), np.arange(48))


def test_dropout_changes_what_is_asked_and_never_the_truth() -> None:
    observed = np.tile(CLEAN, (12, 1))
    observed[::4, 0] = 0  # gene a of every cell 0 is read as absent
    found = ask_simulated_responses(chain(observed=observed), np.arange(48))
    assert found.perturbed.tolist()[0] == 24
    np.testing.assert_allclose(found.change[0, 2], (2 / 5 - 1 / 3) / 2)


def test_a_cell_left_without_expression_is_no_event() -> None:
    class Deadly(Chain):
        def knockout(self, knockouts: Knockouts) -> np.ndarray:
            rows = super().knockout(knockouts)
            rows[(knockouts.genes == 0).any(axis=1) & (knockouts.cells % 4 == 0)] = 0
            return rows

    dataset = chain()
    found = ask_simulated_responses(
        dataclasses.replace(dataset, truth=Deadly(np.tile(CLEAN, (12, 1)))), np.arange(48)
    )
    assert found.perturbed[0] == 24
    assert found.left_out["events after which no gene is on"] == 12
    np.testing.assert_allclose(found.change[0, 2], (2 / 5 - 1 / 3) / 2)


def test_a_cell_that_expresses_nothing_else_is_no_event_whatever_the_knockout_wakes() -> None:
    """It was read with another gene, which is noise: without response it has no profile."""

    class Waking(Chain):
        def knockout(self, knockouts: Knockouts) -> np.ndarray:
            rows = super().knockout(knockouts)
            rows[(knockouts.genes == 0).any(axis=1) & (knockouts.cells % 4 == 2), 3] = 1
            return rows

    observed = np.tile(CLEAN, (12, 1))
    observed[2::4, 2] = 1
    dataset = chain(observed=observed)
    waking = dataclasses.replace(dataset, truth=Waking(np.tile(CLEAN, (12, 1))))
    found, plain = (ask_simulated_responses(one, np.arange(48)) for one in (waking, dataset))
    assert found.perturbed[0] == plain.perturbed[0] == 36
    np.testing.assert_array_equal(found.change[0], plain.change[0])
    assert found.left_out["events after which no gene is on"] == 12


@pytest.fixture(scope="module")
def network() -> Dataset:
    return load(genes=12, cells=90, seed=3, dropout=0.2)


def test_events_and_means_are_those_of_the_single_knockouts(network: Dataset) -> None:
    asked = np.arange(20, 90)
    found, singles = ask_simulated_responses(network, asked), ask_singles(network, asked)
    genes, cells = singles.events.genes[:, 0], singles.events.cells
    assert cells is not None
    asked_genes = np.flatnonzero(np.bincount(genes, minlength=12) >= 10)
    assert [genes[0] for genes in found.targets] == asked_genes.tolist()
    for k, gene in enumerate(asked_genes):
        of_gene = genes == gene
        expected = (singles.knockout - singles.null)[of_gene].mean(axis=0)
        expected[gene] = np.nan
        np.testing.assert_allclose(found.change[k], expected, atol=2e-6)
        ours = found.events[0].cells[found.events[0].genes[:, 0] == gene]
        np.testing.assert_array_equal(np.sort(ours), np.sort(cells[of_gene]))
        pairs = singles.knockout[of_gene], singles.null[of_gene]
        assert found.size[k] == pytest.approx(paired_energy_distance(*pairs), rel=1e-3, abs=1e-9)
        assert bool(found.size[k] == 0) == bool((singles.propagated[of_gene] == 0).all())


def same(a: Responses, b: Responses, **tolerance: Any) -> None:
    for field in ("change", "size", "perturbed", "responds"):
        np.testing.assert_allclose(getattr(a, field), getattr(b, field), err_msg=field, **tolerance)


def test_chunks_and_order_change_nothing(network: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ask_simulated_responses(network, np.arange(90))
    backwards = ask_simulated_responses(network, np.arange(90)[::-1])
    same(whole, backwards, rtol=1e-6, atol=1e-12)
    monkeypatch.setattr(counterfactual, "NUMBERS_A_CHUNK", 7 * 12)
    same(whole, ask_simulated_responses(network, np.arange(90)), rtol=1e-6, atol=1e-12)
    monkeypatch.setattr(counterfactual, "MOST_CELLS", 40)
    part = ask_simulated_responses(network, np.arange(90))
    np.testing.assert_array_equal(
        part.change, ask_simulated_responses(network, np.arange(90)).change
    )
    responds = whole.size != 0
    assert (part.size[responds] != whole.size[responds]).any()
    np.testing.assert_allclose(part.size, whole.size, atol=0.3 * whole.size.max())
    monkeypatch.setattr(counterfactual, "NUMBERS_A_CHUNK", 10**7)
    same(part, ask_simulated_responses(network, np.arange(90)), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("order", [[0, 3], [3, 0]])
def test_the_size_of_many_cells_is_that_of_any_of_them(order: list[int]) -> None:
    """Cells that are sorted by kind: 600 of one, then 600 of the other."""
    clean = np.repeat(CLEAN[order], 600, axis=0)
    found = change_of(Chain(clean), np.arange(1200), clean, (0,))
    # every cell has the profile of its kind, before and after: half of the cells each
    null = np.array([[0, 1 / 2, 1 / 2, 0], [0, 1 / 3, 1 / 3, 1 / 3]])
    after = np.array([[0, 1 / 3, 2 / 3, 0], [0, 1 / 5, 2 / 5, 2 / 5]])

    def mean_distance(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.linalg.norm(x[:, None] - y[None], axis=2).mean())

    expected = 2 * mean_distance(after, null) - mean_distance(after, after)
    expected -= mean_distance(null, null)
    assert found.size == pytest.approx(expected, rel=0.05)


def planted(network: Dataset, genes: list[tuple[int, ...]]) -> Dataset:
    """Other draws of the same cells with genes knocked out, where all are on; no dropout."""
    assert network.truth is not None
    clean = network.truth.wild_type(np.arange(network.cells.n_obs))
    rows, labels = [], []
    for several in genes:
        on = np.flatnonzero((clean[:, several] > 0).all(axis=1)).astype(np.int32)
        rows.append(
            network.truth.knockout(
                Knockouts(np.tile(np.array(several, np.int32), (len(on), 1)), on)
            )
        )
        labels += ["+".join(str(network.cells.var_names[gene]) for gene in several)] * len(on)
    X = np.concatenate(rows)
    kept = np.isfinite(X).all(axis=1)
    perturbed = Cells(
        X[kept].astype(np.float32),
        network.cells.var_names,
        {"perturbation": np.array(labels)[kept]},
    )
    return dataclasses.replace(network, perturbed=perturbed)


def test_a_planted_population_knows_the_change_without_noise() -> None:
    network = load(genes=12, cells=400, seed=3)
    dataset = planted(network, [(0,), (5,), (2, 7)])
    found = ask_responses(dataset, *split(400, "halves", 0))
    assert found.expected is not None
    assert found.noisy
    clean = network.truth.wild_type(np.arange(400))
    for targets, expected, change in zip(found.targets, found.expected, found.change, strict=True):
        on = np.flatnonzero((clean[:, targets] > 0).all(axis=1)).astype(np.int32)
        after = network.truth.knockout(
            Knockouts(np.tile(np.array(targets, np.int32), (len(on), 1)), on)
        )
        before = clean[on].copy()
        before[:, targets] = 0
        plain = (normalise_rows(after) - normalise_rows(before)).mean(axis=0)
        plain[list(targets)] = np.nan
        np.testing.assert_allclose(expected, plain, atol=2e-6)
        kept = ~np.isnan(change)
        assert np.array_equal(kept, ~np.isnan(expected))
    strongest = int(np.argmax(found.size))
    kept = ~np.isnan(found.change[strongest])
    assert np.corrcoef(found.change[strongest][kept], found.expected[strongest][kept])[0, 1] > 0.5
    assert (
        ask_responses(dataclasses.replace(dataset, truth=None), *split(400, "halves", 0)).expected
        is None
    )


def test_expected_changes_by_hand() -> None:
    dataset = chain(1)
    found = expected_changes(dataset, [(0,), (0, 2), (2, 3)])
    assert found.shape == (3, 4)
    np.testing.assert_allclose(found[0, 2], ((2 / 3 - 1 / 2) + 0 + (2 / 5 - 1 / 3)) / 3)
    # both a and c are on in cells 0 and 3; cell 3 has no steady state without c; cell 0 is left
    # with b alone: no change
    np.testing.assert_allclose(found[1], [np.nan, 0, np.nan, 0])
    assert np.isnan(
        found[2]
    ).all()  # c and d are on together in cell 3 only, which has no steady state
    with pytest.raises(ValueError, match="counterfactual"):
        expected_changes(dataclasses.replace(dataset, truth=None), [(0,)])


def test_confounded_is_passed_on() -> None:
    found = ask_simulated_responses(dataclasses.replace(chain(), confounded="why"), np.arange(48))
    assert found.confounded == "why"


def test_how_many_cells_sizes_are_drawn_from() -> None:
    assert counterfactual.MOST_CELLS == size_module.MOST_CELLS == 400


def test_a_size_takes_two_cells_and_is_not_made_where_it_is_not_asked() -> None:
    cells = np.array([0, 1])
    two = change_of(Chain(CLEAN), cells, CLEAN[cells], (0,))
    after = np.array([[0, 1 / 3, 2 / 3, 0], [0, 1 / 5, 0, 4 / 5]])
    null = np.array([[0, 1 / 2, 1 / 2, 0], [0, 1 / 3, 0, 2 / 3]])
    across = np.linalg.norm(after[0] - null[1]) + np.linalg.norm(after[1] - null[0])
    within = np.linalg.norm(after[0] - after[1]) + np.linalg.norm(null[0] - null[1])
    assert two.size == pytest.approx(across - within)
    assert np.isnan(change_of(Chain(CLEAN), cells[:1], CLEAN[:1], (0,)).size)
    unsized = change_of(Chain(CLEAN), cells, CLEAN[cells], (0,), sized=False)
    assert np.isnan(unsized.size)
    np.testing.assert_array_equal(unsized.change, two.change)


def test_what_differs_by_less_than_the_tolerance_is_no_change_at_all() -> None:
    class Rounding(Chain):
        def knockout(self, knockouts: Knockouts) -> np.ndarray:
            return self.clean[knockouts.cells] * (1 + 1e-8 * np.arange(4))

    rows = np.full((3, 4), [1.0, 1.0, 1.0, 1.0])
    found = change_of(Rounding(rows), np.arange(3), rows, (0,))
    assert found.known.all()
    np.testing.assert_array_equal(found.change, [np.nan, 0, 0, 0])
    assert found.size == 0.0


def test_no_cell_has_no_change_and_nothing_that_is_not_known() -> None:
    none = change_of(Chain(CLEAN), np.arange(0), CLEAN[:0], (0,))
    assert np.isnan([*none.change, none.size]).all()
    assert (none.unsolved, none.silent, len(none.known)) == (0, 0, 0)


def test_ten_cells_are_enough_and_nine_are_counted_as_too_few() -> None:
    found = ask_simulated_responses(chain(10), np.arange(40))
    assert found.names == ("a", "b", "c", "d")  # c has ten events with a steady state
    assert found.perturbed.tolist()[2] == 10
    observed = np.tile(CLEAN, (12, 1))
    observed[np.flatnonzero(observed[:, 1])[10:], 1] = 0
    found = ask_simulated_responses(chain(observed=observed), np.arange(48))
    assert dict(zip(found.names, found.perturbed.tolist(), strict=True))["b"] == 10
    observed[np.flatnonzero(observed[:, 1])[9:], 1] = 0
    found = ask_simulated_responses(chain(observed=observed), np.arange(48))
    assert "b" not in found.names
    assert found.left_out["genes asked in under 10 cells"] == 1
    few = ask_simulated_responses(chain(2), np.arange(8)).left_out
    assert few == {"genes asked in under 10 cells": 4}


def test_shares_of_targets_are_of_all_that_a_cell_expresses_and_of_several_added() -> None:
    X = np.zeros((4, 9))
    X[0, [1, 8]] = 0.25, 0.25
    X[1, [1, 8, 3]] = 1, 2, 1
    X[2, 3] = 5  # and cell 3 expresses nothing
    cells = Population.of(X, np.zeros(4, int))
    found = abundance(cells, [(8,), (1,), (1, 8)])
    np.testing.assert_allclose(found, [1 / 4, (1 / 2 + 1 / 4) / 4, (1 + 3 / 4) / 4])
