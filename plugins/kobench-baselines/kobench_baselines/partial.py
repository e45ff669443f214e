"""`partial-correlation`: direct associations of square-rooted expression within batches.

They are shrunk by likelihood and by their own noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.common import (
    FEWEST_TO_VALIDATE,
    Floats,
    Ints,
    close_on,
    deviations,
    expressing,
    limited_threads,
    sets_of_genes,
    standardised,
    to_linear,
    to_scale,
)

#: Shrinkages that cross-validation tries; 1 is "no association at all".
SHRINKAGES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)

#: Folds of the cross-validation.
FOLDS = 5

#: Shrinkage where there are too few cells to choose it.
DEFAULT_SHRINKAGE = 0.9

#: A partial correlation of so many standard deviations of the noise is halved.
HALVED_AT = 3.0

#: The noise is estimated from the associations of at most this many genes with all others.
NOISE_GENES = 500

#: Median of the square of a standard normal.
MEDIAN_SQUARE = 0.4549364


@dataclass(frozen=True, eq=False)
class Correlations:
    """The correlations R = V diag(w) V' of standardised rows (n, G), without a gene-by-gene table.

    Attributes
    ----------
    vectors : (G, r) float
        V, the eigenvectors.
    values : (r,) float
        w, the eigenvalues.
    """

    vectors: Floats
    values: Floats

    @classmethod
    def of(cls, scores: Floats) -> Correlations:
        """The correlations of standardised rows (n, G)."""
        _, roots, vectors = np.linalg.svd(scores / np.sqrt(len(scores)), full_matrices=False)
        return cls(vectors.T, roots**2)

    def log_likelihood(self, scores: Floats, a: float) -> float:
        """Log-likelihood of other rows under a Gaussian with covariance M = (1 - a) R + a 1.

        Parameters
        ----------
        scores : (m, G) float
            The other rows, standardised alike.
        a : float
            The shrinkage, over 0 to 1.

        Returns
        -------
        float
            Twice the sum over rows, without its constant.
        """
        mixed, genes = (1 - a) * self.values + a, scores.shape[1]
        along = ((scores @ self.vectors) ** 2).sum(axis=0)
        distance = ((scores**2).sum() - along.sum()) / a + (along / mixed).sum()
        determinant = np.log(mixed).sum() + (genes - len(mixed)) * np.log(a)
        return float(-distance - len(scores) * determinant)

    def diagonal(self, a: float) -> Floats:
        """Diagonal (G,) of M^-1."""
        diagonal: Floats = 1 / a - (self.vectors**2) @ self._inside(a)
        return diagonal

    def partial(self, genes: Ints, a: float, diagonal: Floats) -> Floats:
        """Partial correlations of some genes with all others, -P_gj / sqrt(P_gg P_jj), P = M^-1.

        Parameters
        ----------
        genes : (k,) int
            These genes.
        a : float
            The shrinkage in M.
        diagonal : (G,) float
            As `diagonal` gives it for the same `a`.

        Returns
        -------
        (k, G) float
            0 of each gene with itself.
        """
        # -M^-1, but for its diagonal
        minus_inverse = (self.vectors[genes] * self._inside(a)) @ self.vectors.T
        partial: Floats = minus_inverse / np.sqrt(diagonal[genes][:, None] * diagonal)
        partial[np.arange(len(genes)), genes] = 0.0
        return partial

    def _inside(self, a: float) -> Floats:
        """Diagonal d (r,) in M^-1 = 1 / a - V diag(d) V'."""
        inside: Floats = 1 / a - 1 / ((1 - a) * self.values + a)
        return inside


class PartialCorrelation:
    """A knockout moves each gene by its direct association with the removed one, others held.

    Associations are those of u = sqrt(linear expression), whose noise is alike for rare and
    abundant genes, with batch means taken out. Their correlations R are mixed with none:
    M = (1 - a) R + a 1, a by cross-validated Gaussian likelihood. The partial correlations q of
    M^-1 are shrunk once more, each by its own noise: q^3 / (q^2 + (3 s)^2), with s the standard
    deviation of partial correlations under no association, from the median of all squares.

    A removed gene g falls from u_g to 0, so u_j changes by -u_g q_jg sqrt(P_gg / P_jj) sd_j / sd_g
    with P = M^-1. The effects of several removed genes add up. Genes that are off stay off, what
    falls below 0 is 0.

    Parameters
    ----------
    shrinkage : float, optional
        a, over 0 to 1; None for cross-validation.
    """

    def __init__(self, shrinkage: float | None = None) -> None:
        self.shrinkage = shrinkage

    def fit(self, cells: Cells, context: Context) -> None:
        """Estimate correlations and their noise from cells (n, G)."""
        self.scale, self.threads = context.scale, context.threads
        values, rows = expressing(cells)
        batches = cells.obs[context.batch_key][rows] if context.batch_key else np.zeros(len(rows))
        roots = without_batch_means(np.sqrt(to_linear(values, self.scale)), batches)
        with limited_threads(context.threads):
            chosen = self.shrinkage
            if chosen is None:
                chosen = choose_shrinkage(roots, np.random.default_rng(context.seed), context)
            self.chosen = float(chosen)
            self.correlations = Correlations.of(standardised(roots))
            varying = np.flatnonzero(deviations(roots))
            some = varying[:: -(-len(varying) // NOISE_GENES) or 1]
            self.diagonal = self.correlations.diagonal(self.chosen)
            partial = self.correlations.partial(some, self.chosen, self.diagonal)
            # a slope is the partial correlation times the one gene's unit over the other's
            self.units: Floats = deviations(roots) / np.sqrt(self.diagonal)
            partial[np.arange(len(some)), some] = np.nan
            squares = partial[:, varying] ** 2
            self.noise = 0.0
            if squares.size > len(some):
                self.noise = float(np.nanmedian(squares)) / MEDIAN_SQUARE

    def slopes(self, removed: Ints) -> Floats:
        """Change of every gene's u for each unit by which the u of a removed gene falls.

        Parameters
        ----------
        removed : (k,) int
            The removed genes.

        Returns
        -------
        (k, G) float
            One row for each removed gene.
        """
        partial = self.correlations.partial(removed, self.chosen, self.diagonal)
        square = partial**2
        kept = np.divide(
            square, square + HALVED_AT**2 * self.noise, out=np.zeros_like(square), where=square > 0
        )
        own = self.units[removed][:, None]
        units = np.divide(self.units, own, out=np.zeros_like(partial), where=own > 0)
        falls: Floats = partial * kept * units
        return -falls

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        own = np.asarray(cells.dense(), np.float64)
        null = normalise_rows(knockouts.remove_from(own))
        if not knockouts.order:
            return null
        rows = np.empty_like(null)
        roots = np.sqrt(to_linear(own, self.scale))
        with limited_threads(self.threads):
            for removed, events, asked in sets_of_genes(knockouts):
                before = roots[asked]
                moved = np.maximum(before + before[:, removed] @ self.slopes(removed), 0.0)
                after = moved * (null[events] > 0)
                rows[events] = to_scale(after**2, self.scale)
        return close_on(rows, null)


def choose_shrinkage(roots: Floats, rng: np.random.Generator, context: Context) -> float:
    """The shrinkage under which held-out rows are most likely, over the genes that vary.

    Parameters
    ----------
    roots : (n, G) float
        Square-rooted expression without batch means.
    rng : numpy.random.Generator
        Gives the folds.
    context : Context
        Where progress is reported.

    Returns
    -------
    float
        One of `SHRINKAGES`; the default one with fewer than 5 rows.
    """
    n = len(roots)
    if n < FEWEST_TO_VALIDATE:
        return DEFAULT_SHRINKAGE
    folds = min(FOLDS, n)
    fold_of = rng.permutation(n) % folds
    likelihood = np.zeros(len(SHRINKAGES))
    for fold in range(folds):
        context.log("cross-validation", fold, folds)
        kept, held = roots[fold_of != fold], roots[fold_of == fold]
        deviation = deviations(kept)
        varying = np.flatnonzero(deviation)
        held = (held - kept.mean(axis=0))[:, varying] / deviation[varying]
        correlations = Correlations.of(standardised(kept[:, varying]))
        likelihood += [correlations.log_likelihood(held, a) for a in SHRINKAGES]
    return SHRINKAGES[int(likelihood.argmax())]


def without_batch_means(rows: Floats, batches: npt.NDArray[Any]) -> Floats:
    """Subtract from rows the mean of their batch.

    Parameters
    ----------
    rows : (n, G) float
        Any values.
    batches : (n,) array
        Batch of each row.
    """
    _, of = np.unique(batches, return_inverse=True)
    total = np.zeros((of.max(initial=0) + 1, rows.shape[1]))
    np.add.at(total, of, rows)
    residuals: Floats = rows - (total / np.bincount(of)[:, None])[of]
    return residuals
