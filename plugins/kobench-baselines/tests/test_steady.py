"""The equations by hand, their fit to cells that obey them, and the way to the new steady state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from kobench_baselines.regulation import Equations, Form, Regression
from kobench_baselines.steady import SteadyState, medians_where_on, settle
from scipy.integrate import solve_ivp
from scipy.optimize import nnls

from kobench.api import Cells, Knockouts, normalise_rows

#: Gene 0 activates gene 1 (weight 4), gene 1 represses gene 2 (weight 6); gene 0 has a basal level
#: of 1. Rows are targets.
CHAIN = {
    "activates": [[0, 0, 0], [4, 0, 0], [0, 0, 0]],
    "represses": [[0, 0, 0], [0, 0, 0], [0, 6, 0]],
    "basal": [1, 0, 0],
}


def equations_of(activates: Any, represses: Any, basal: Any, rule: str = "zero") -> Equations:
    n = len(basal)
    matrices = [
        scipy.sparse.csr_array(np.asarray(weights, float)) for weights in (activates, represses)
    ]
    return Equations(
        Form(rule, np.ones(n)), *matrices, np.asarray(basal, float), np.ones(n, bool), np.ones(n)
    )


def simulate(n: int = 300, noise: float = 0.05, rule: str = "zero") -> tuple[Any, Any]:
    """(values, own factors) of cells of 8 genes at x_j = own_j (1/2 + 2 s_(j-1) + 3/2 r_(j-3)).

    A fifth of the entries is absent.
    """
    rng = np.random.default_rng(0)
    own = (rng.random((n, 8)) < 0.8) * rng.lognormal(0, noise, (n, 8))
    return run(own.copy(), own, rule), own


def run(x: Any, own: Any, rule: str = "zero") -> Any:
    """To the steady state, from x."""
    for _ in range(300):
        s = x / (1 + x)
        r = (1 - s) * (own > 0 if rule == "silenced" else 1)
        x = own * (0.5 + 2 * np.roll(s, 1, axis=1) + 1.5 * np.roll(r, 3, axis=1))
    return x


def cells_with(values: Any) -> Cells:
    return Cells(values, np.array([f"g{gene}" for gene in range(values.shape[1])]))


def of_chain() -> SteadyState:
    predictor = SteadyState()
    predictor.scale, predictor.threads, predictor.equations = "linear", 1, equations_of(**CHAIN)
    return predictor


def test_the_equations_by_hand() -> None:
    """s = (1/2, 2/3, .), so gene 1 is at 4 / 2 and gene 2 at 6 / 3.

    Without gene 1 gene 2 is at 6, or silenced at 0.
    """
    values = np.array([[1.0, 2.0, 9.0], [1.0, 0.0, 9.0]])
    np.testing.assert_allclose(equations_of(**CHAIN)(values, values > 0), [[1, 2, 2], [1, 2, 6]])
    np.testing.assert_allclose(
        equations_of(**CHAIN, rule="silenced")(values, values > 0), [[1, 2, 2], [1, 2, 0]]
    )


def test_off_for_want_of_regulators_is_there() -> None:
    """Without gene 0 gene 1 cannot be on: it is there. With gene 0 it could, so it is absent."""
    values = np.array([[0.0, 0.0, 6.0], [1.0, 0.0, 3.0]])
    np.testing.assert_array_equal(
        equations_of(**CHAIN, rule="silenced").there(values),
        [[False, True, True], [True, False, True]],
    )
    np.testing.assert_array_equal(equations_of(**CHAIN).there(values), values > 0)


def test_knockouts_of_a_chain_by_hand(cells_of: Any) -> None:
    """Knockouts in the cell (2, 2, 4), where s is (2/3, 2/3, .).

    The equations say 1, 8/3 and 2, so the cell's own factors are 2, 3/4 and 2. Without gene 0, gene
    1 falls to 0 and gene 2 rises to 2 * 6. Without gene 1, gene 0 stays as it was and gene 2 is at
    12. Without gene 2: 2 and 2.
    """
    rows = of_chain().predict_knockout(cells_of([[2, 2, 4]]), Knockouts([[0], [1], [2]], [0, 0, 0]))
    np.testing.assert_allclose(rows, [[0, 0, 1], [2 / 14, 0, 12 / 14], [0.5, 0.5, 0]], atol=1e-12)


def test_a_gene_that_is_not_explained_keeps_its_value(cells_of: Any) -> None:
    """Gene 2 at 21 is over ten times the 2 that the equations say."""
    rows = of_chain().predict_knockout(cells_of([[2, 2, 21]]), Knockouts([[1]], [0]))
    np.testing.assert_allclose(rows, [[2 / 23, 0, 21 / 23]])


def test_logarithms_are_undone_and_taken_again(cells_of: Any) -> None:
    predictor = of_chain()
    predictor.scale = "log1p-cp10k"
    rows = predictor.predict_knockout(cells_of(np.log1p([[2, 2, 4]])), Knockouts([[1]], [0]))
    np.testing.assert_allclose(rows, normalise_rows(np.log1p([[2, 0, 12]])))


def test_settling_is_where_the_differential_equation_ends() -> None:
    rng = np.random.default_rng(0)
    activates, represses = (rng.random((6, 6)) * (rng.random((6, 6)) < 0.4) for _ in range(2))
    equations = equations_of(activates, represses, rng.random(6))
    start, factor = rng.random((1, 6)) + 0.5, rng.uniform(0.5, 2, (1, 6))
    all_there = np.ones((1, 6), bool)

    def change(_: float, x: Any) -> Any:
        s = x / (1 + x)
        return factor[0] * (equations.basal + activates @ s + represses @ (1 - s)) - x

    end = solve_ivp(change, (0, 200), start[0], rtol=1e-10, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(
        settle(equations, start, all_there, factor, all_there)[0], end, rtol=1e-6
    )


def test_regression_is_scipys_nnls_on_relative_errors() -> None:
    values, _ = simulate()
    rows, others = values[:, 2] > 0, np.array([0, 1, 3, 4, 5, 6, 7])
    mine = Regression.of(Form("zero", np.ones(8)), values, values > 0, 100).fit_gene(
        2, others, 0.0, passes=1
    )
    assert mine is not None
    s = values[rows] / (1 + values[rows])
    F = np.hstack([s[:, others], 1 - s[:, others], np.ones((rows.sum(), 1))])
    y = values[rows, 2]
    weight = 1 / np.maximum(y, 0.3 * y.mean())
    theirs, _ = nnls(F * weight[:, None], y * weight)
    np.testing.assert_allclose(F @ mine, F @ theirs, rtol=1e-7)


@pytest.mark.parametrize("rule", ["zero", "silenced"])
def test_cells_that_obey_give_their_equations_back(fit: Any, rule: str) -> None:
    """Who regulates whom, and the rule, from wild-type cells alone."""
    predictor = fit(SteadyState(), cells_with(simulate(n=600, rule=rule)[0]))
    assert (predictor.chosen["rule"], predictor.chosen["half"]) == (rule, 1)
    gene = np.arange(8)
    activates, represses = (
        predictor.equations.activates.toarray(),
        predictor.equations.represses.toarray(),
    )
    np.testing.assert_array_equal(activates.argmax(axis=1), (gene - 1) % 8)
    np.testing.assert_array_equal(represses.argmax(axis=1), (gene - 3) % 8)
    np.testing.assert_allclose(activates[gene, (gene - 1) % 8], 2, rtol=0.15)
    np.testing.assert_allclose(represses[gene, (gene - 3) % 8], 1.5, rtol=0.15)


def test_its_knockouts_are_the_simulated_ones(fit: Any) -> None:
    """In held-out cells: under a tenth of the error of doing nothing."""
    values, own = simulate(n=500, noise=0.1)
    predictor = fit(SteadyState(), cells_with(values[:400]))
    values, own = values[400:], own[400:]
    events = Knockouts.singles(values > 0)
    truth = normalise_rows(run(events.remove_from(values), events.remove_from(own)))
    null = normalise_rows(events.remove_from(values))
    off = np.abs(predictor.predict_knockout(cells_with(values), events) - truth).sum()
    assert off < 0.1 * np.abs(null - truth).sum()


def test_candidate_regulators_are_those_that_correlate_most() -> None:
    values, _ = simulate()
    regression = Regression.of(Form("silenced", np.ones(8)), values, values > 0, 2)
    for asked, few in zip((4, 1), regression.regulators(np.array([4, 1])), strict=True):
        rows = np.flatnonzero(values[:, asked] > 0)
        s, r, y = regression.s[rows], regression.r[rows], values[rows, asked]
        strength = [
            max(abs(np.corrcoef(of[:, gene], y)[0, 1]) for of in (s, r)) if gene != asked else 0
            for gene in range(8)
        ]
        np.testing.assert_array_equal(few, np.sort(np.argsort(strength)[-2:]))


def test_a_price_leaves_fewer_regulators() -> None:
    values, _ = simulate(noise=0.3)
    regression = Regression.of(Form("zero", np.ones(8)), values, values > 0, 100)
    counts = []
    for price in (0.0, 0.2, 1e6):
        equations = regression.fit(np.arange(8), price)
        counts.append(equations.activates.nnz + equations.represses.nnz)
    assert counts[0] > counts[1] > counts[2] == 0


def test_with_targets_limited_the_others_do_not_respond(fit: Any) -> None:
    values, _ = simulate()
    values[:, 3] *= 10  # gene 3 varies most
    predictor = fit(SteadyState(targets=1), cells_with(values))
    np.testing.assert_array_equal(predictor.equations.modelled, np.arange(8) == 3)
    asked = values[:1] + 1
    rows = predictor.predict_knockout(cells_with(asked), Knockouts([[0]], [0]))
    others = [1, 2, 4, 5, 6, 7]
    np.testing.assert_allclose(normalise_rows(rows[:, others]), normalise_rows(asked[:, others]))


def test_medians_by_hand() -> None:
    np.testing.assert_array_equal(
        medians_where_on(np.array([[1.0, 0.0, 0.0], [3.0, 5.0, 0.0], [0.0, 0.0, 0.0]])), [2, 5, 1]
    )
