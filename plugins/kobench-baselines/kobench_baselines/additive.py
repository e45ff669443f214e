"""`additive`: each gene as a sparse sum over the values of a few others.

A knockout runs these sums from the cell's own state to their fixed point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.batches import BatchLevels
from kobench_baselines.common import (
    Bools,
    Floats,
    Ints,
    as_assemblages,
    blocks_of,
    close_on,
    close_rows,
    expressing,
    limited_threads,
)
from kobench_baselines.stepwise import (
    KINDS,
    Kind,
    Moments,
    choose,
    cross_validated,
    features,
    total_of,
)

#: Folds of the cross-validation.
FOLDS = 5

#: A gene that fewer training cells have gets no regulators.
FEWEST_CELLS = 20

#: What a sum says of a gene is at least this part of the gene's mean.
LEAST = 0.02

#: On the way to the fixed point no value exceeds so many times its start, or the gene's mean where
#: that is larger.
LARGEST = 10.0

#: Each sweep goes this part of the way to what the sums say; a cell has settled when no value
#: moves by more than this share of its largest one, or after so many sweeps.
STEP, SETTLED, SWEEPS = 0.7, 1e-5, 60


@dataclass(frozen=True, eq=False)
class Sums:
    """What each gene's regulators say of it: constant + sum of coefficients x features.

    Attributes
    ----------
    kind : str
        Which features, see `kobench_baselines.stepwise.features`.
    knots : (3, G) float
        Quantiles of each gene where it is on.
    constant : (G,) float
    coefficients : tuple of (G, G) sparse
        For each of the d features: rows are regulators, columns the genes that they regulate.
    mean : (G,) float
        Mean of each gene where it is on, > 0.
    """

    kind: Kind
    knots: Floats
    constant: Floats
    coefficients: tuple[scipy.sparse.csr_array, ...]
    mean: Floats

    def __call__(self, values: Floats) -> Floats:
        """What they say of every gene, (n, G), in cells with these values (n, G)."""
        seen = features(values, self.knots, self.kind)
        said = np.tile(self.constant, (len(values), 1))
        for place, coefficients in enumerate(self.coefficients):
            said += seen[:, :, place] @ coefficients
        return np.maximum(said, LEAST * self.mean)


class Additive:
    """Each gene as a sparse additive function of the values of a few others.

    Over the cells that have gene j: x_j = c_j + sum_i f_ji(x_i), with f_ji a step where regulator i
    is on, plus a line, a logarithm or a bent line in its level. Squared relative errors count.
    Regulators are chosen greedily, their number and the kind of f (one for all genes) by 5-fold
    cross-validation. This is an additive model (Hastie & Tibshirani 1986) with the choice of
    variables of orthogonal matching pursuit. It knows no equation of any simulator; that genes are
    a sum over regulators and settle is the assumption.

    A knockout starts from the cell. Each gene keeps its own factor, its value over what the sums
    say. The removed genes are set to 0 and the sums are run to a fixed point. Genes that are off
    stay off. An assemblage is answered in the same way, from the genes' means and without own
    factors.

    Where cells come in batches, values are taken over what each gene has in that batch.

    Parameters
    ----------
    kind : str
        "on", "line", "log", "spline", see `kobench_baselines.stepwise.features`; "auto" for
        cross-validation.
    penalty : float
        The larger, the fewer regulators, see `kobench_baselines.stepwise.choose`.
    regulators : int
        Most candidate regulators of a gene, those that correlate most with it.
    """

    def __init__(self, kind: str = "auto", penalty: float = 1.0, regulators: int = 100) -> None:
        self.kind, self.penalty, self.regulators = kind, penalty, regulators

    def fit(self, cells: Cells, context: Context) -> None:
        """Choose the regulators of each gene, and fit the sums to cells (n, G)."""
        self.threads = context.threads
        raw, rows = expressing(cells)
        with limited_threads(context.threads):
            self.levels = BatchLevels.of(raw, cells[rows], context.batch_key)
            values = raw / self.levels(cells[rows])
            fold = np.random.default_rng(context.seed).permutation(len(values)) % FOLDS
            chosen = self._regulators(values, fold, context)
            kinds = KINDS if self.kind == "auto" else (_kind_of(self.kind),)
            fits = [_fit(values, fold, chosen, kind) for kind in kinds]
            best = min(fits, key=lambda fit: fit.loss)
            self.sums, self.explained = best.sums, best.explained

    def _regulators(self, values: Floats, fold: Ints, context: Context) -> list[Ints]:
        """The regulators of each gene."""
        kind = "log" if self.kind == "auto" else _kind_of(self.kind)
        knots, genes = quantiles_where_on(values), values.shape[1]
        chosen = []
        for gene, candidates in enumerate(_candidates(values, knots, self.regulators)):
            if gene % 50 == 0:
                context.log("regulators", gene, genes)
            rows = np.flatnonzero(values[:, gene] > 0)
            if len(rows) < FEWEST_CELLS or not len(candidates):
                chosen.append(candidates[:0])
                continue
            of = features(values[np.ix_(rows, candidates)], knots[:, candidates], kind)
            folds = Moments.by_fold(of, values[rows, gene], fold[rows], FOLDS)
            chosen.append(candidates[choose(folds, len(rows), self.penalty)])
        return chosen

    def predict_expression(self, assemblages: npt.NDArray[np.generic]) -> Floats:
        """Profiles (n, G) of cells in which exactly the given genes are on."""
        on = as_assemblages(assemblages, len(self.sums.mean))
        rows = np.empty(on.shape)
        with limited_threads(self.threads):
            for block in blocks_of(len(on), on.shape[1]):
                start = on[block] * self.sums.mean
                rows[block] = settle(self.sums, start, on[block].astype(np.float64))
        return close_rows(rows, on)

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        own = np.asarray(cells.dense(), np.float64)
        rows = normalise_rows(knockouts.remove_from(own))
        if not knockouts.order:
            return rows
        with limited_threads(self.threads):
            levels = self.levels(cells)
            values = own / levels
            factor = values / self.sums(values)
            for block in blocks_of(len(knockouts), cells.n_vars):
                part = knockouts[block]
                start = part.remove_from(values)
                after = settle(self.sums, start, part.remove_from(factor))
                rows[block] = close_on(after * levels[part.cells], rows[block])
        return rows


@dataclass(frozen=True, eq=False)
class _Fit:
    """The sums of all genes by one kind of features, with their held-out error.

    explained : share of the error of the means alone that the sums take away.
    """

    sums: Sums
    loss: float
    explained: float


def _fit(values: Floats, fold: Ints, chosen: list[Ints], kind: Kind) -> _Fit:
    """Fit the sums of every gene to values (n, G), with its regulators."""
    genes, knots = values.shape[1], quantiles_where_on(values)
    constant = mean_where_on(values)
    mean = constant.copy()
    found: list[tuple[Ints, Ints, Floats]] = []
    loss = of_means = 0.0
    for gene, regulators in enumerate(chosen):
        rows = np.flatnonzero(values[:, gene] > 0)
        if len(rows) < FEWEST_CELLS:
            continue
        of = features(values[np.ix_(rows, regulators)], knots[:, regulators], kind)
        folds = Moments.by_fold(of, values[rows, gene], fold[rows], FOLDS)
        everyone = list(range(len(regulators)))
        fitted = total_of(folds).fit(everyone)
        constant[gene] = fitted[0]
        found.append(
            (regulators, np.full(len(regulators), gene), fitted[1:].reshape(-1, of.shape[2]))
        )
        loss += cross_validated(folds, everyone)
        of_means += cross_validated(folds, [])
    width = features(values[:1, :1], knots[:, :1], kind).shape[2]
    sources, targets, weights = (
        np.concatenate(parts) if found else empty
        for parts, empty in zip(
            list(zip(*found, strict=True)) or [(), (), ()],
            (np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, width))),
            strict=True,
        )
    )
    coefficients = tuple(
        scipy.sparse.csr_array((weights[:, place], (sources, targets)), shape=(genes, genes))
        for place in range(width)
    )
    explained = 1 - loss / of_means if of_means > 0 else 0.0
    return _Fit(Sums(kind, knots, constant, coefficients, mean), loss, explained)


def settle(sums: Sums, start: Floats, factor: Floats) -> Floats:
    """Run the sums to their fixed point.

    Parameters
    ----------
    sums : Sums
        The fitted sums.
    start : (n, G) float
        Values to start from, removed genes at 0.
    factor : (n, G) float
        Each gene's own factor on what the sums say; 0 for genes that are off.

    Returns
    -------
    (n, G) float
        The fixed point of x = factor * sums(x), cell by cell, or the values after `SWEEPS` sweeps.
    """
    values = start.copy()
    most = LARGEST * np.maximum(start, sums.mean)
    moving = np.arange(len(start))
    for _ in range(SWEEPS):
        now = values[moving]
        said = np.minimum(sums(now) * factor[moving], most[moving])
        values[moving] = now + STEP * (said - now)
        change = np.abs(said - now).max(axis=1, initial=0)
        moving = moving[change > SETTLED * now.max(axis=1, initial=0)]
        if not len(moving):
            break
    return values


def quantiles_where_on(values: Floats) -> Floats:
    """(3, G) the 33 %, 50 % and 67 % quantiles of each gene where it is on; 1 for one never on."""
    knots = np.ones((3, values.shape[1]))
    for gene, column in enumerate(values.T):
        there = column[column > 0]
        if len(there):
            knots[:, gene] = np.quantile(there, [0.33, 0.5, 0.67])
    return knots


def mean_where_on(values: Floats) -> Floats:
    """(G,) mean of each gene where it is on; of one that is never on, the mean of all that are."""
    on: Bools = values > 0
    mean: Floats = values.sum(axis=0) / np.maximum(on.sum(axis=0), 1)
    mean[mean == 0] = values[on].mean()
    return mean


def _candidates(values: Floats, knots: Floats, most: int) -> list[Ints]:
    """For each gene the columns that may regulate it: those that correlate most with it.

    Correlations are those of log(1 + value / median), over all cells.
    """
    genes = values.shape[1]
    if genes <= most + 1:
        return [np.flatnonzero(np.arange(genes) != gene) for gene in range(genes)]
    logs = np.log1p(values / knots[1])
    logs -= logs.mean(axis=0)
    size = np.sqrt((logs**2).sum(axis=0))
    logs = np.divide(logs, size, out=np.zeros_like(logs), where=size > 1e-12)
    found = []
    for gene in range(genes):
        strength = np.abs(logs[:, gene] @ logs)
        strength[gene] = -1
        found.append(np.sort(np.argsort(-strength, kind="stable")[:most]))
    return found


def _kind_of(name: str) -> Kind:
    """The kind of this name; ValueError where there is none."""
    for kind in KINDS:
        if kind == name:
            return kind
    raise ValueError(f"kind is {name!r}; choose auto or one of {', '.join(KINDS)}")
