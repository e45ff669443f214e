"""Sums by hand, the way to their fixed point, and what they find in cells that obey them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from kobench_baselines.additive import Additive
from kobench_baselines.batches import BatchLevels
from kobench_baselines.regressions import Taken, nearest
from kobench_baselines.sums import Sums, mean_where_on, quantiles_where_on, settle
from scipy.integrate import solve_ivp

from kobench.api import Cells, Context, Knockouts, normalise_rows


def sums_of(steps: Any, lines: Any, constant: Any, mean: float = 1.0) -> Sums:
    """Sums by the kind "line" of genes whose medians are 1; rows of the matrices are regulators."""
    genes = len(constant)
    return Sums(
        "line",
        np.ones((3, genes)),
        np.asarray(constant, float),
        tuple(scipy.sparse.csr_array(np.asarray(each, float)) for each in (steps, lines)),
        np.full(genes, mean),
    )


#: Gene 0 is at 1 by itself, gene 1 at 2 times gene 0, gene 2 at 10 less 1.5 times gene 1.
CHAIN = sums_of(np.zeros((3, 3)), [[0, 2, 0], [0, 0, -1.5], [0, 0, 0]], [1, 0, 10])


def of_chain() -> Additive:
    predictor = Additive()
    predictor.threads, predictor.levels, predictor.filler = 1, BatchLevels(None, {}), None
    predictor.sums = predictor.of_assemblages = CHAIN
    return predictor


def test_sums_by_hand() -> None:
    """Gene 2 would be at -5 in the second cell: it is at 0.02 of its mean."""
    np.testing.assert_allclose(
        CHAIN(np.array([[1.0, 2.0, 9.0], [1.0, 10.0, 0.0], [0.0, 0.0, 0.0]])),
        [[1, 2, 7], [1, 2, 0.02], [1, 0.02, 10]],
    )


def test_knockouts_of_a_chain_by_hand(cells_of: Any) -> None:
    """Knockouts in the cell (2, 2, 14), of which the sums say 1, 4 and 7.

    The own factors are 2, 1/2 and 2. Without gene 0, gene 1 falls to 0.01 and gene 2 rises to
    2 * 9.985. Without gene 1, gene 0 stays and gene 2 is at 20. Without gene 2: 2 and 2.
    """
    rows = of_chain().predict_knockout(
        cells_of([[2, 2, 14]]), Knockouts([[0], [1], [2]], [0, 0, 0])
    )
    expected = normalise_rows(np.array([[0, 0.01, 19.97], [2, 0, 20], [2, 2, 0]]))
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_expression_of_an_assemblage_by_hand() -> None:
    """Without gene 2: 1 and 2. Without gene 0: gene 1 at 0.02, gene 2 at 10 less 0.03."""
    rows = of_chain().predict_expression(np.array([[True, True, False], [False, True, True]]))
    expected = normalise_rows(np.array([[1, 2, 0], [0, 0.02, 9.97]]))
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_settling_is_where_the_differential_equation_ends() -> None:
    """x' = factor * sums(x) - x, with steps and lines of either sign."""
    rng = np.random.default_rng(0)
    steps, lines = (rng.normal(0, 0.15, (6, 6)) * (rng.random((6, 6)) < 0.5) for _ in range(2))
    sums = sums_of(steps, lines, rng.uniform(1, 2, 6))
    start, factor = rng.uniform(0.5, 1.5, (2, 6)), rng.uniform(0.5, 1.2, (2, 6))
    for cell in (0, 1):

        def change(_: float, x: Any, cell: int = cell) -> Any:
            return factor[cell] * sums(x[None])[0] - x

        end = solve_ivp(change, (0, 100), start[cell], rtol=1e-10, atol=1e-12).y[:, -1]
        np.testing.assert_allclose(settle(sums, start, factor)[cell], end, rtol=1e-4)


def test_no_cell_changes_what_another_settles_at() -> None:
    """One gene that feeds itself moves for ever; the other cell's answer doesn't know."""
    sums = sums_of(np.zeros((2, 2)), [[1.5, 0], [0, 0]], [0.5, 1])
    start, factor = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 3.0]])
    both = settle(sums, start, factor)
    np.testing.assert_array_equal(both[1:], settle(sums, start[1:], factor[1:]))
    np.testing.assert_allclose(both[1], [0, 3], rtol=1e-4)


def test_what_grows_without_end_is_held() -> None:
    """x = 0.5 + 1.5 x has no positive fixed point; it ends at ten times the start."""
    sums = sums_of(np.zeros((1, 1)), [[1.5]], [0.5])
    end = settle(sums, np.array([[2.0]]), np.ones((1, 1)))
    np.testing.assert_allclose(end, [[20.0]], rtol=1e-4)


def run(own: Any) -> Any:
    """The fixed point of 8 genes, x_j = own_j (1 + 2 [x_(j-1) > 0] + log(1 + x_(j-3)) / 2)."""
    x = own.copy()
    for _ in range(200):
        x = own * (1 + 2 * np.roll(x > 0, 1, axis=1) + 0.5 * np.log1p(np.roll(x, 3, axis=1)))
    return x


def drawn(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    own = (rng.random((n, 8)) < 0.8) * rng.lognormal(0, 0.05, (n, 8))
    return run(own), own


def cells_with(values: Any, obs: Any = None) -> Cells:
    names = np.array([f"g{gene}" for gene in range(values.shape[1])])
    return Cells(values, names, obs or {})


def test_regulators_are_found(fit: Any) -> None:
    predictor = fit(Additive(), cells_with(drawn(600)[0]))
    steps = abs(predictor.sums.coefficients[0].toarray())
    gene = np.arange(8)
    np.testing.assert_array_equal(steps.argmax(axis=0), (gene - 1) % 8)
    weight = sum(abs(each.toarray()) for each in predictor.sums.coefficients)
    for target in gene:
        assert (target - 3) % 8 in np.argsort(-weight[:, target])[:4]
    assert predictor.explained > 0.9


def test_its_knockouts_are_the_simulated_ones(fit: Any) -> None:
    """In held-out cells: under a tenth of the error of doing nothing."""
    values, own = drawn(500)
    predictor = fit(Additive(), cells_with(values[:400]))
    values, own = values[400:], own[400:]
    events = Knockouts.singles(values > 0)
    truth = normalise_rows(run(events.remove_from(own)))
    null = normalise_rows(events.remove_from(values))
    off = np.abs(predictor.predict_knockout(cells_with(values), events) - truth).sum()
    assert off < 0.1 * np.abs(null - truth).sum()


def test_cells_without_structure_get_constants(fit: Any) -> None:
    """Levels drawn by themselves: hardly any regulator, and nothing is explained."""
    rng = np.random.default_rng(1)
    values = (rng.random((400, 10)) < 0.8) * rng.lognormal(0, 0.3, (400, 10))
    predictor = fit(Additive(), cells_with(values))
    assert sum(each.nnz for each in predictor.sums.coefficients[:1]) <= 4
    assert predictor.explained < 0.03


def test_batches_are_taken_out_and_put_back(fit: Any) -> None:
    """The same cells in two batches, the second with other levels: one answer, in its own units."""
    values, _ = drawn(400)
    level = np.array([3.0, 1, 1, 0.25, 1, 1, 5, 1])
    both = np.vstack([values, values * level])
    obs = {"day": np.repeat(["a", "b"], 400)}
    predictor = Additive()
    predictor.fit(cells_with(both, obs), Context(batch_key="day"))
    event = Knockouts([[1], [1]], [0, 1])
    cell = np.flatnonzero(values[:, 1] > 0)[0]
    asked = cells_with(both[[cell, 400 + cell]], {"day": np.array(["a", "b"])})
    first, second = predictor.predict_knockout(asked, event)
    np.testing.assert_allclose(
        normalise_rows((first * level)[None])[0], second, rtol=0.02, atol=1e-4
    )


def test_batch_levels_by_hand() -> None:
    """Means where on: all 3; batch a (1 + 5 * 3) / 6 = 16/6, batch b (5 + 15) / 6 = 20/6."""
    cells = cells_with(np.array([[1.0, 0.0], [5.0, 0.0], [0.0, 0.0]]), {"b": np.array(list("abb"))})
    levels = BatchLevels.of(np.asarray(cells.X), cells, "b")
    np.testing.assert_allclose(levels(cells), [[8 / 9, 1], [10 / 9, 1], [10 / 9, 1]])
    elsewhere = cells_with(np.ones((1, 2)), {"b": np.array(["z"])})
    np.testing.assert_array_equal(levels(elsewhere), [[1, 1]])
    np.testing.assert_array_equal(levels(cells_with(np.ones((1, 2)))), [[1, 1]])


def test_quantiles_and_means_where_on() -> None:
    values = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        quantiles_where_on(values), np.column_stack([[1.66, 2, 2.68], [1, 1, 1]])
    )
    np.testing.assert_allclose(mean_where_on(values), [7 / 3, 7 / 3])


def test_candidates_are_those_that_correlate_most() -> None:
    values, _ = drawn(300)
    knots = quantiles_where_on(values)
    few = nearest(Taken.as_read(values), 2)
    strength = np.abs(np.corrcoef(np.log1p(values / knots[1]).T))
    np.fill_diagonal(strength, -1)
    for gene, found in enumerate(few):
        np.testing.assert_array_equal(found, np.sort(np.argsort(-strength[gene])[:2]))
    for gene, found in enumerate(nearest(Taken.as_read(values), 7)):
        np.testing.assert_array_equal(found, [g for g in range(8) if g != gene])


def test_the_kind_is_chosen_by_held_out_cells(fit: Any) -> None:
    """Presence alone decides: straight from the generator of conftest, "on" suffices."""
    rng = np.random.default_rng(2)
    on = rng.random((400, 6)) < 0.7
    values = on * (1 + 2 * np.roll(on, 1, axis=1)) * rng.lognormal(0, 0.1, on.shape)
    losses = {
        kind: fit(Additive(kind=kind), cells_with(values)).explained
        for kind in ("on", "line", "log", "spline")
    }
    chosen = fit(Additive(), cells_with(values))
    np.testing.assert_allclose(chosen.explained, losses[chosen.sums.kind], atol=0.02)
    assert losses["on"] > 0.9


def test_presence_counts_in_the_sums() -> None:
    """Gene 0 has 3 with a chance of 1/2: gene 1 is at 3, as with 1.5, and gene 2 at 10 less 1.5."""
    said = CHAIN(np.array([[3.0, 1.0, 5.0]]), np.array([[0.5, 1.0, 1.0]]))
    np.testing.assert_allclose(said, [[1, 3, 8.5]])


def test_a_filled_cell_runs_by_chances() -> None:
    """The chain with steps: half of gene 0 gives half of its step, and all of it on removal."""
    sums = sums_of([[0, 2], [0, 0]], np.zeros((2, 2)), [1, 1])
    presence, start = np.array([[0.5, 1.0]]), np.array([[1.0, 2.0]])
    np.testing.assert_allclose(settle(sums, start, np.ones((1, 2)), presence), [[1, 2]], rtol=1e-4)
    start[0, 0] = presence[0, 0] = 0.0
    end = settle(sums, start, np.array([[0.0, 1.0]]), presence)
    np.testing.assert_allclose(end, [[0, 1]], rtol=1e-4)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="kind is 'cubic'; choose auto or one of on, line"):
        Additive(kind="cubic").fit(cells_with(drawn(30)[0]), Context())
