"""The equation of `steady-state`: each gene's expression from saturated regulators, and its fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from kobench_baselines.common import Bools, Floats, Ints, blocks_of
from kobench_baselines.nonnegative import nonnegative_lasso

#: A gene is modelled if it is on in at least so many training cells.
FEWEST_CELLS = 5

#: Errors count relative to the predicted value, or to this part of the gene's mean where the
#: prediction is smaller.
LEAST_RELATIVE_TO = 0.3

#: Rule `silenced`: a gene that is off while its equation says less than this part of its mean is
#: off for want of regulators, not absent.
SILENT = 0.1


@dataclass(frozen=True, eq=False)
class Form:
    """What regulators do: s = x / (h + x) activates, r = 1 - s represses.

    Attributes
    ----------
    rule : {"zero", "silenced"}
        "zero": without a repressor its targets are at their full level, as x = 0 says.
        "silenced": a regulator represses only while it is there, so its targets lose that part.
    half : (G,) float
        Values h of half saturation.
    """

    rule: str
    half: Floats

    def activation(self, values: Floats) -> Floats:
        """s (n, G) of values (n, G)."""
        s: Floats = values / (self.half + values)
        return s

    def repression(self, activation: Floats, there: Bools) -> Floats:
        """r (n, G) of activation s (n, G); `there` (n, G) says which regulators are there."""
        r: Floats = 1 - activation
        return r * there if self.rule == "silenced" else r


@dataclass(frozen=True, eq=False)
class Equations:
    """x_j = b_j + sum_i A_ij s_i + sum_i R_ij r_i for some genes; the others have no equation.

    Attributes
    ----------
    form : Form
        What s and r are.
    activates, represses : (G, G) sparse
        A and R; rows are targets.
    basal : (G,) float
        b.
    modelled : (G,) bool
        The genes that have an equation.
    mean : (G,) float
        Mean of each gene over the cells in which it is on.
    """

    form: Form
    activates: scipy.sparse.csr_array
    represses: scipy.sparse.csr_array
    basal: Floats
    modelled: Bools
    mean: Floats

    def __call__(self, values: Floats, there: Bools) -> Floats:
        """What the equations say (n, G) of each gene at values (n, G)."""
        s = self.form.activation(values)
        said: Floats = (
            self.activates @ s.T + self.represses @ self.form.repression(s, there).T
        ).T + self.basal
        return said

    def there(self, values: Floats) -> Bools:
        """Which genes are there, (n, G), at values (n, G).

        They are those that are on, and in rule "silenced" those that are off only for want of
        regulators. These change what the equations say, so this is repeated until nothing changes,
        5 times at most.
        """
        on = values > 0
        there = on
        for _ in range(5 if self.form.rule == "silenced" else 0):
            before, there = there, on | (self.modelled & (self(values, there) < SILENT * self.mean))
            if (before == there).all():
                break
        return there


@dataclass(frozen=True, eq=False)
class Regression:
    """The training cells in one form, ready to be regressed.

    Attributes
    ----------
    form : Form
        What s and r are.
    values, s, r : (n, G) float
        Expression, activation and repression.
    candidates : int
        How many candidate regulators a gene may have.
    """

    form: Form
    values: Floats
    s: Floats
    r: Floats
    candidates: int

    @classmethod
    def of(cls, form: Form, values: Floats, there: Bools, candidates: int) -> Regression:
        """The regression of values (n, G), where `there` (n, G) says which genes are there."""
        s = form.activation(values)
        return cls(form, values, s, form.repression(s, there), candidates)

    def regulators(self, genes: Ints) -> list[Ints]:
        """Candidate regulators of each gene.

        Parameters
        ----------
        genes : (k,) int
            The targets.

        Returns
        -------
        list of (m,) int
            All other genes; where these are more than `candidates`, those whose s or r correlates
            most with the target over the cells in which it is on.
        """
        n_genes = self.values.shape[1]
        if n_genes - 1 <= self.candidates:
            return [np.delete(np.arange(n_genes), gene) for gene in genes]
        found: list[Ints] = []
        for block in blocks_of(len(genes), n_genes):
            values = self.values[:, genes[block]]
            strength = np.maximum(*(_correlations(values, of) for of in (self.s, self.r)))
            strength[np.arange(len(strength)), genes[block]] = -1.0
            found.extend(
                np.sort(np.argsort(-strength, axis=1, kind="stable")[:, : self.candidates], axis=1)
            )
        return found

    def fit_gene(self, gene: int, regulators: Ints, price: float, passes: int) -> Floats | None:
        """Fit the equation of one gene over the cells in which it is on.

        Errors are relative: cells are weighted by 1 / value in the first pass, then by 1 / what the
        pass before says. The price decides which regulators there are; their coefficients are
        fitted without it.

        Parameters
        ----------
        gene : int
            The target.
        regulators : (k,) int
            Its candidate regulators.
        price : float
            Price of a regulator, in units of the gene's mean and the root of the number of cells.
        passes : int
            Number of passes.

        Returns
        -------
        (2 k + 1,) float or None
            Coefficients of the regulators' s, of their r, and the basal level; None where too few
            cells express the gene.
        """
        rows = np.flatnonzero(self.values[:, gene] > 0)
        if len(rows) < FEWEST_CELLS:
            return None
        y = self.values[rows, gene]
        features = np.hstack(
            [
                self.s[np.ix_(rows, regulators)],
                self.r[np.ix_(rows, regulators)],
                np.ones((len(rows), 1)),
            ]
        )
        prices = np.full(features.shape[1], price * np.sqrt(len(rows)) / y.mean())
        prices[-1] = 0.0
        said = y
        for _ in range(passes):
            weight = 1 / np.maximum(said, LEAST_RELATIVE_TO * y.mean())
            weighted = features * weight[:, None]
            products, right = weighted.T @ weighted, weighted.T @ (y * weight)
            coefficients = nonnegative_lasso(products, right, prices)
            if price:
                kept = np.flatnonzero(coefficients)
                coefficients[kept] = nonnegative_lasso(
                    products[np.ix_(kept, kept)], right[kept], np.zeros(len(kept))
                )
            said = features @ coefficients
        return coefficients

    def fit(self, genes: Ints, price: float, passes: int = 2) -> Equations:
        """Fit the equations of some genes.

        Parameters
        ----------
        genes : (k,) int
            The targets.
        price, passes
            See `fit_gene`.
        """
        n_genes = self.s.shape[1]
        entries: list[tuple[Ints, Ints, Floats, Floats]] = []
        basal, modelled = np.zeros(n_genes), np.zeros(n_genes, bool)
        on = self.values > 0
        for gene, regulators in zip(genes, self.regulators(genes), strict=True):
            coefficients = self.fit_gene(int(gene), regulators, price, passes)
            if coefficients is not None:
                k = len(regulators)
                entries.append(
                    (np.full(k, gene), regulators, coefficients[:k], coefficients[k : 2 * k])
                )
                basal[gene], modelled[gene] = coefficients[-1], True
        empty = (np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0), np.zeros(0))
        targets, sources, activates, represses = (
            np.concatenate(part) for part in zip(empty, *entries, strict=True)
        )

        def matrix(weights: Floats) -> scipy.sparse.csr_array:
            kept = weights > 0
            return scipy.sparse.csr_array(
                (weights[kept], (targets[kept], sources[kept])), shape=(n_genes, n_genes)
            )

        mean = self.values.sum(axis=0) / np.maximum(on.sum(axis=0), 1)
        return Equations(self.form, matrix(activates), matrix(represses), basal, modelled, mean)


def _correlations(values: Floats, features: Floats) -> Floats:
    """Absolute correlations (k, p) of columns, where they are over 0, with features there."""
    on = (values > 0).astype(np.float64)
    count = np.maximum(on.sum(axis=0), 1)
    centred = values - on * (values.sum(axis=0) / count)
    square = on.T @ features**2 - (on.T @ features) ** 2 / count[:, None]
    size = np.sqrt((centred**2).sum(axis=0))[:, None] * np.sqrt(np.maximum(square, 0.0))
    correlation: Floats = np.divide(
        np.abs(centred.T @ features), size, out=np.zeros_like(size), where=size > 1e-9
    )
    return correlation
