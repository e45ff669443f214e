"""Who regulates each gene, and its sum over them, from what cells are taken to hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from kobench_baselines.common import Bools, Floats, Ints
from kobench_baselines.moments import Moments, total_of
from kobench_baselines.stepwise import KINDS, Kind, choose, cross_validated, features
from kobench_baselines.sums import BLOCK_ENTRIES, Sums, mean_where_on, quantiles_where_on

#: Folds of the cross-validation.
FOLDS = 5

#: A gene that fewer training cells have gets no regulators.
FEWEST_CELLS = 20


@dataclass(frozen=True, eq=False)
class Taken:
    """What cells are taken to hold.

    Attributes
    ----------
    on : (n, G) bool
        Where a gene was read as present: there it is regressed.
    values : (n, G) float
        Values; where `presence` is given, those that genes have if they are there.
    presence : (n, G) float or None
        The chance that a gene is there. None: it is there where its value is over 0.
    weight : (n, G) float or None
        How much each reading counts in a regression; None for 1.
    doubt : float
        Which part of the variance that an uncertain presence gives a feature is counted, 0 to 1.
    """

    on: Bools
    values: Floats
    presence: Floats | None = None
    weight: Floats | None = None
    doubt: float = 0.0

    @classmethod
    def as_read(cls, values: Floats) -> Taken:
        """Cells with these values (n, G), in which a 0 is an absent gene."""
        return cls(values > 0, values)

    def expected(self) -> Floats:
        """(n, G) the expected values."""
        return self.values if self.presence is None else self.values * self.presence

    def knots(self) -> Floats:
        """(3, G) quantiles of each gene where it is more likely there than not."""
        if self.presence is None:
            return quantiles_where_on(self.values)
        return quantiles_where_on(np.where(self.presence > 0.5, self.values, 0.0))

    def mean(self) -> Floats:
        """(G,) mean of each gene where it is there, > 0."""
        if self.presence is None:
            return mean_where_on(self.values)
        total, cells = self.expected().sum(axis=0), self.presence.sum(axis=0)
        overall = total.sum() / cells.sum()
        return np.divide(total, cells, out=np.full(len(total), overall), where=total > 0)

    def moments(self, gene: int, of: Ints, knots: Floats, kind: Kind, fold: Ints) -> list[Moments]:
        """The moments of a gene on these regulators, by fold, over the cells in which it was read.

        Parameters
        ----------
        gene : int
            The gene that is regressed.
        of : (k,) int
            Its regulators.
        knots, kind
            See `kobench_baselines.stepwise.features`.
        fold : (n,) int
            The fold of each cell.
        """
        rows = np.flatnonzero(self.on[:, gene])
        at = np.ix_(rows, of)
        seen = features(self.values[at], knots[:, of], kind)
        return Moments.by_fold(
            seen,
            self.values[rows, gene],
            fold[rows],
            FOLDS,
            None if self.presence is None else self.presence[at],
            None if self.weight is None else self.weight[rows, gene],
            self.doubt,
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """The sums of all genes by one kind of features, with their held-out error.

    Attributes
    ----------
    sums : Sums
    loss : float
        Weighted squared relative error of held-out cells.
    explained : float
        Share of the error of the means alone that the sums take away.
    noise : (G,) float
        Held-out standard deviation of each gene about its sum, relative as in the regression.
    """

    sums: Sums
    loss: float
    explained: float
    noise: Floats


def regulators_of(
    taken: Taken,
    candidates: list[Ints],
    kind: Kind,
    fold: Ints,
    penalty: float,
    report: Callable[[str, int, int], None] | None = None,
) -> list[Ints]:
    """The regulators of each gene, chosen among its candidates.

    Parameters
    ----------
    taken : Taken
        Training cells.
    candidates : list of (k,) int
        Of each gene.
    kind : str
        Features by which they are chosen.
    fold : (n,) int
        The fold of each cell.
    penalty : float
        See `kobench_baselines.stepwise.choose`.
    report : callable or None
        Is told of progress: message, done, total.
    """
    knots, enough = taken.knots(), taken.on.sum(axis=0) >= FEWEST_CELLS
    chosen = []
    for gene, among in enumerate(candidates):
        if report is not None and gene % 50 == 0:
            report("regulators", gene, len(candidates))
        if not enough[gene] or not len(among):
            chosen.append(among[:0])
            continue
        folds = taken.moments(gene, among, knots, kind, fold)
        chosen.append(among[choose(folds, int(taken.on[:, gene].sum()), penalty)])
    return chosen


def best_fit(taken: Taken, fold: Ints, chosen: list[Ints], kinds: tuple[Kind, ...] = KINDS) -> Fit:
    """The fit by that kind of features which predicts held-out cells best."""
    return min((fit_sums(taken, fold, chosen, kind) for kind in kinds), key=lambda fit: fit.loss)


def fit_sums(taken: Taken, fold: Ints, chosen: list[Ints], kind: Kind) -> Fit:
    """Fit the sum of every gene over its regulators, by one kind of features."""
    genes, knots = taken.values.shape[1], taken.knots()
    mean, noise = taken.mean(), np.ones(genes)
    constant = mean_where_on(np.where(taken.on, taken.values, 0.0))
    found: list[tuple[Ints, Ints, Floats]] = []
    loss = of_means = 0.0
    for gene, regulators in enumerate(chosen):
        cells = int(taken.on[:, gene].sum())
        if cells < FEWEST_CELLS:
            continue
        folds = taken.moments(gene, regulators, knots, kind, fold)
        everyone, width = list(range(len(regulators))), folds[0].width
        fitted = total_of(folds).fit(everyone)
        constant[gene] = fitted[0]
        found.append((regulators, np.full(len(regulators), gene), fitted[1:].reshape(-1, width)))
        held_out = cross_validated(folds, everyone)
        of_sums = float(held_out[-1])
        loss += of_sums
        of_means += float(held_out[0])
        total = cells if taken.weight is None else taken.weight[taken.on[:, gene], gene].sum()
        noise[gene] = np.sqrt(max(of_sums, 0.0) / total)
    width = features(taken.values[:1, :1], knots[:, :1], kind).shape[2]
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
    return Fit(Sums(kind, knots, constant, coefficients, mean), loss, explained, noise)


def nearest(taken: Taken, most: int) -> list[Ints]:
    """For each gene the columns that may regulate it: those that correlate most with it.

    Correlations are those of log(1 + value / median), over all cells.

    Parameters
    ----------
    taken : Taken
        Training cells.
    most : int
        How many; with no more genes than that, all others.
    """
    values = taken.expected()
    genes = values.shape[1]
    if genes <= most + 1:
        return [np.flatnonzero(np.arange(genes) != gene) for gene in range(genes)]
    logs = np.log1p(values / taken.knots()[1])
    logs -= logs.mean(axis=0)
    size = np.sqrt((logs**2).sum(axis=0))
    logs = np.divide(logs, size, out=np.zeros_like(logs), where=size > 1e-12)
    found = []
    step = max(1, BLOCK_ENTRIES // genes)
    for first in range(0, genes, step):
        strengths = np.abs(logs[:, first : first + step].T @ logs)
        for gene, strength in enumerate(strengths, first):
            strength[gene] = -1
            found.append(np.sort(np.argsort(-strength, kind="stable")[:most]))
    return found


def narrowed(taken: Taken, candidates: list[Ints], kind: Kind, fold: Ints, most: int) -> list[Ints]:
    """Of each gene's candidates those that are taken first, at most `most` of them."""
    knots = taken.knots()
    left = []
    for gene, among in enumerate(candidates):
        if len(among) <= most or int(taken.on[:, gene].sum()) < FEWEST_CELLS:
            left.append(among)
            continue
        folds = taken.moments(gene, among, knots, kind, fold)
        left.append(np.sort(among[total_of(folds).order(most)]))
    return left
