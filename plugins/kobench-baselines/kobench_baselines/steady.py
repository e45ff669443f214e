"""`steady-state`: regulatory equations fitted to wild-type cells.

A knockout runs them to their new steady state.
"""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.common import (
    Bools,
    Floats,
    Ints,
    blocks_of,
    close_on,
    expressing,
    hold_out,
    limited_threads,
    to_linear,
    to_scale,
)
from kobench_baselines.regulation import Equations, Form, Regression

#: Prices of a regulator that validation tries.
PRICES = (0.0, 0.02, 0.05, 0.1, 0.2)

#: The price while the form of the equations is chosen, and where there are too few cells to choose.
DEFAULT_PRICE = 0.05

#: Share of the training cells that validate, and number of genes that they are asked about.
VALIDATION, VALIDATION_GENES = 0.2, 40

#: Largest factor of a cell's value on what the equations say of a gene. A gene further off is not
#: explained and does not respond.
LARGEST_FACTOR = 10.0

#: The steady state is reached when no value changes by more than this share of the cell's largest
#: one, or after so many steps.
SETTLED, STEPS = 1e-8, 100


class SteadyState:
    """Each gene from its saturating regulators, all coefficients >= 0, fitted gene by gene.

    x_j = b_j + sum_i A_ij s_i + sum_i R_ij (1 - s_i) with s = x / (h + x) is the steady state of
    dx/dt = -x + activation + repression. Each gene is regressed over the cells in which it is on,
    on the values of all others there. Values, and not only which genes are on: once the regulators
    are known, that genes tend to be absent together says nothing more. Validation on wild-type
    cells chooses how many regulators there are, `rule` and `half`.

    A knockout starts from the cell. Each gene keeps its own factor, its value over what the
    equations say. The removed genes are set to 0, and the equations are iterated to the new steady
    state. Genes that are off stay off.

    Parameters
    ----------
    rule, half : str
        See `Form`; "auto" for validation.
    price : float, optional
        Price of a regulator, relative to the gene's mean; None for validation.
    regulators : int
        Most candidate regulators of a gene.
    targets : int
        Most genes to model.
    """

    def __init__(
        self,
        rule: str = "auto",
        half: str = "auto",
        price: float | None = None,
        regulators: int = 100,
        targets: int = 1000,
    ) -> None:
        self.rule, self.half, self.price = rule, half, price
        self.regulators, self.targets = regulators, targets

    def fit(self, cells: Cells, context: Context) -> None:
        """Choose the form of the equations, and fit them to cells (n, G)."""
        self.scale, self.threads = context.scale, context.threads
        values = to_linear(expressing(cells)[0], self.scale)
        with limited_threads(context.threads):
            genes = self._targets(values)
            form, price = self._choose(values, genes, np.random.default_rng(context.seed), context)
            self.chosen = {"rule": form.rule, "half": float(np.median(form.half)), "price": price}
            there: Bools = values > 0
            # with equations it is better known which genes are there, so "silenced" fits again
            for _ in range(3 if form.rule == "silenced" else 1):
                self.equations = Regression.of(form, values, there, self.regulators).fit(
                    genes, price
                )
                there = self.equations.there(values)

    def _targets(self, values: Floats) -> Ints:
        """The genes to model: all, or those that vary most where that is too many."""
        genes = values.shape[1]
        if genes <= self.targets:
            return np.arange(genes)
        return np.sort(np.argsort(-values.std(axis=0), kind="stable")[: self.targets])

    def _choose(
        self, values: Floats, genes: Ints, rng: np.random.Generator, context: Context
    ) -> tuple[Form, float]:
        """The form and the price with the smallest relative error on held-out cells."""
        halves = {"one": np.ones(values.shape[1]), "median": medians_where_on(values)}
        rules = ("zero", "silenced") if self.rule == "auto" else (self.rule,)
        names = ("one", "median") if self.half == "auto" else (self.half,)
        forms = [Form(rule, halves[name]) for name in names for rule in rules]
        prices = PRICES if self.price is None else (self.price,)
        first = DEFAULT_PRICE if self.price is None else self.price
        kept, held = hold_out(len(values), VALIDATION, rng)
        if not len(held):
            return forms[0], first
        asked = np.sort(rng.permutation(genes)[:VALIDATION_GENES])
        tries = len(forms) + len(prices)

        def error(form: Form, price: float, done: int) -> float:
            context.log("validation", done, tries)
            regression = Regression.of(form, values[kept], values[kept] > 0, self.regulators)
            equations = regression.fit(asked, price, passes=1)
            said, true = equations(values[held], values[held] > 0), values[held]
            off = np.abs(said - true)[:, asked] * (true[:, asked] > 0)
            mean = equations.mean[asked]
            counted = equations.modelled[asked] & (mean > 0)
            return float(np.divide(off, mean, out=np.zeros_like(off), where=counted).sum())

        form, price = forms[0], prices[0]
        if len(forms) > 1:
            form = min(forms, key=lambda one: error(one, first, forms.index(one)))
        if len(prices) > 1:
            price = min(prices, key=lambda one: error(form, one, len(forms) + prices.index(one)))
        return form, price

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        own = np.asarray(cells.dense(), np.float64)
        rows = normalise_rows(knockouts.remove_from(own))
        if not knockouts.order:
            return rows
        values = to_linear(own, self.scale)
        with limited_threads(self.threads):
            there = self.equations.there(values)
            said = self.equations(values, there)
            explained = self.equations.modelled & (values > 0) & (values < LARGEST_FACTOR * said)
            factor = np.divide(values, said, out=np.zeros_like(values), where=explained)
            for block in blocks_of(len(knockouts), cells.n_vars):
                part = knockouts[block]
                after = settle(
                    self.equations,
                    part.remove_from(values),
                    part.remove_from(there),
                    part.remove_from(factor),
                    explained[part.cells],
                )
                rows[block] = close_on(to_scale(after, self.scale), rows[block])
        return rows


def settle(
    equations: Equations, start: Floats, there: Bools, factor: Floats, explained: Bools
) -> Floats:
    """Iterate the equations to their steady state.

    Parameters
    ----------
    equations : Equations
        The fitted equations.
    start : (n, G) float
        Values to start from, removed genes at 0.
    there : (n, G) bool
        Which genes are there, see `Equations.there`.
    factor : (n, G) float
        Each gene's own factor on what the equations say.
    explained : (n, G) bool
        Genes that follow the equations; all others stay as they start.

    Returns
    -------
    (n, G) float
        The steady state, or the values after `STEPS` steps.
    """
    values = start
    scale = start.max(axis=1, keepdims=True)
    for _ in range(STEPS):
        new = np.where(explained, factor * equations(values, there), start)
        settled = bool((np.abs(new - values) <= SETTLED * scale).all())
        values = new
        if settled:
            break
    return values


def medians_where_on(values: Floats) -> Floats:
    """(G,) median of each gene over the cells in which it is on; 1 for a gene that is never on."""
    return np.array(
        [np.median(column[column > 0]) if (column > 0).any() else 1.0 for column in values.T]
    )
