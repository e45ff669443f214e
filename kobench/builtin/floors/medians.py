"""Floors fitted to Bray-Curtis: median shares of each gene alone, also by how many genes are on."""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, normalise_rows
from kobench.builtin.floors.profile import MaskedMeanDepth, shrunk, spread_of_depth
from kobench.cells import BoolArray, FloatArray

#: Steps of the median regression: each solves weighted least squares again.
STEPS = 30

#: Residuals of log share below this weigh alike in the next step.
NEAR = 0.01

#: Genes that are fitted at once: they stay in a processor's cache.
GENES_AT_ONCE = 64

#: Halvings of the interval in which the common quantile lies.
HALVINGS = 40


class MaskedMedian:
    """Each gene's median share among the cells that express it, on the given assemblage.

    All genes have the same quantile, near the median, see `QuantileLevels`. Where presence never
    varies, this is the one constant row that is best for Bray-Curtis on the training cells. A gene
    that no training cell expresses gets the smallest of all levels.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the levels from (n, G) cells."""
        shares = cells.profiles()
        self.level = QuantileLevels(shares, shares > 0, np.ones(shares.shape)).summing_to_one()

    def predict_expression(self, assemblages: BoolArray) -> FloatArray:
        """Profiles (n, G)."""
        return normalise_rows(assemblages * self.level)


class MaskedMedianDepth(MaskedMeanDepth):
    """Masked median whose shares also depend on how many genes are on.

    With k genes on, the share of gene g is level_g * k ** slope_g, renormalised. No gene sees
    another.

    Notes
    -----
    Bray-Curtis of two rows that each add up to 1 is half the sum of their absolute differences, so
    both parts are fitted by least absolute deviations. slope_g is that of the median regression of
    log share on log k over the cells that express g (Koenker & Bassett, Econometrica 46:33, 1978),
    shrunk towards the mean slope of all genes as in `MaskedMeanDepth`. level_g is a quantile of
    share / k ** slope_g over the same cells, each with the weight k ** slope_g, see
    `QuantileLevels`.
    """

    def slopes(self, shares: FloatArray, on: BoolArray, x: FloatArray) -> FloatArray:
        """(G,) slopes of median log share on x (n,), log k about its mean."""
        return shrunken_median_slopes(shares, on, x)

    def levels(self, shares: FloatArray, on: BoolArray, x: FloatArray) -> FloatArray:
        """(G,) levels at the mean of log k, given the slopes."""
        return QuantileLevels(shares, on, np.exp(np.outer(x, self.slope))).summing_to_one()


class QuantileLevels:
    """Levels of genes, each a quantile of share / factor over the gene's own cells.

    Parameters
    ----------
    shares : (n, G) float
    on : (n, G) bool
        Where a share is over 0.
    factors : (n, G) float
        What the level of a gene is multiplied by in each cell, over 0.

    Notes
    -----
    The sum over cells and genes of abs(share - level * factor) is smallest at the median of share /
    factor with the weights factor. But rows are renormalised, and medians of skewed shares add up
    to less than 1. With the condition that the levels give rows that add up to 1 on average, it is
    smallest where all genes have the same quantile (Lagrange): the one at which the condition
    holds. Between two cells the quantile is interpolated, so that it is the ordinary median at 0.5.
    """

    def __init__(self, shares: FloatArray, on: BoolArray, factors: FloatArray) -> None:
        self.values = np.empty(shares.shape)
        self.place = np.empty(shares.shape)
        self.total = np.empty(shares.shape[1])
        self.rows = int(on.any(axis=1).sum())
        self.count = on.sum(axis=0)
        for start in range(0, shares.shape[1], GENES_AT_ONCE):
            part = slice(start, start + GENES_AT_ONCE)
            weight = np.where(on[:, part], factors[:, part], 0.0)
            value = np.where(on[:, part], shares[:, part] / factors[:, part], np.inf)
            order = np.argsort(value, axis=0, kind="stable")
            weight = np.take_along_axis(weight, order, axis=0)
            reached = np.cumsum(weight, axis=0)
            self.total[part] = reached[-1]
            self.values[:, part] = np.take_along_axis(value, order, axis=0)
            self.place[:, part] = (reached - weight / 2) / np.where(reached[-1] > 0, reached[-1], 1)

    def at(self, quantile: float) -> FloatArray:
        """(G,) the quantile of each gene, from 0 to 1; genes of no cell get the smallest level."""
        genes = np.arange(len(self.total))
        last = np.maximum(self.count - 1, 0)
        # the places of cells without the gene are 1, after those of all the others
        above = np.minimum((self.place < quantile).sum(axis=0), last)
        below = np.maximum(above - 1, 0)
        low, high = self.place[below, genes], self.place[above, genes]
        share = np.clip((quantile - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
        seen = self.count > 0
        small = np.where(seen, self.values[below, genes], 1.0)
        large = np.where(seen, self.values[above, genes], 1.0)
        levels: FloatArray = small + (large - small) * share
        if seen.any():
            levels[~seen] = levels[seen].min()
        return levels

    def summing_to_one(self) -> FloatArray:
        """(G,) the levels that give rows which add up to 1 on average over the cells."""
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if float(self.total @ self.at(middle)) < self.rows:
                low = middle
            else:
                high = middle
        return self.at(high)


def shrunken_median_slopes(shares: FloatArray, on: BoolArray, x: FloatArray) -> FloatArray:
    """Slopes of median log share on x over each gene's own cells, shrunk towards their mean.

    Parameters
    ----------
    shares : (n, G) float
    on : (n, G) bool
        Where a share is over 0.
    x : (n,) float

    Returns
    -------
    (G,) float64
        See the Notes.

    Notes
    -----
    Median regression by least squares whose weights are 1 / abs(residual) of the step before. Its
    squared standard error is that with normal residuals: (pi / 2 * mean abs residual) ** 2 / sum of
    squares of x. A gene seen in fewer than 3 cells, or always with the same x, has the common
    slope.
    """
    n, sxx = spread_of_depth(on, x)
    usable = (n >= 3) & (sxx > 1e-9 * np.maximum(n, 1))
    own, size = np.zeros(shares.shape[1]), np.zeros(shares.shape[1])
    for start in range(0, len(own), GENES_AT_ONCE):
        part = slice(start, start + GENES_AT_ONCE)
        own[part], size[part] = _median_regression(shares[:, part], on[:, part], x)
    scale = np.pi / 2 * size[usable] / (n[usable] - 2)
    return shrunk(own, scale**2 / sxx[usable], usable)


def _median_regression(
    shares: FloatArray, on: BoolArray, x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(G,) slopes of median log share on x, and (G,) sums of absolute residuals."""
    y = np.log(np.where(on, shares, 1.0))
    weight = on.astype(np.float64)
    slope, size = np.zeros(y.shape[1]), np.zeros(y.shape[1])
    for _ in range(STEPS):
        total = np.maximum(weight.sum(axis=0), 1e-300)
        mean_x, mean_y = (x @ weight) / total, (weight * y).sum(axis=0) / total
        sxx = ((x * x) @ weight) / total - mean_x**2
        sxy = (x @ (weight * y)) / total - mean_x * mean_y
        slope = np.divide(sxy, sxx, out=np.zeros(len(sxx)), where=sxx > 1e-12)
        residual = np.abs(y - (mean_y - slope * mean_x) - np.outer(x, slope))
        size = (residual * on).sum(axis=0)
        weight = on / np.maximum(residual, NEAR)
    return slope, size
