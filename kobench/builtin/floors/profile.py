"""Floors of the profile task: uniform, mean shares, and means that depend on how many are on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, normalise_rows
from kobench.cells import BoolArray, FloatArray


class Uniform:
    """Every present gene has the same share."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn nothing."""

    def predict_expression(self, assemblages: BoolArray) -> FloatArray:
        """Profiles (n, G): 1 / number of present genes at each present gene."""
        return normalise_rows(assemblages)


class MaskedMean:
    """Each gene's mean share among the cells that express it.

    The means of the genes that are on, renormalised. A gene that no training cell expresses gets
    the smallest of all means: it is rare, and rare genes are low where they are seen.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn the means from (n, G) cells."""
        shares = cells.profiles()
        self.mean = _with_unseen(shares.sum(axis=0), (shares > 0).sum(axis=0))

    def predict_expression(self, assemblages: BoolArray) -> FloatArray:
        """Profiles (n, G)."""
        return normalise_rows(assemblages * self.mean)


def _with_unseen(total: FloatArray, weight: npt.NDArray[Any]) -> FloatArray:
    """(G,) total / weight of each gene, both (G,).

    Genes of weight 0 get the smallest of the others, or 1 where there is no other.
    """
    seen = weight > 0
    mean: FloatArray = np.divide(total, weight, out=np.ones(len(total)), where=seen)
    if seen.any():
        mean[~seen] = mean[seen].min()
    return mean


class MaskedMeanDepth:
    """Masked mean whose shares also depend on how many genes are on.

    With k genes on, the share of gene g is level_g * k ** slope_g, renormalised.

    Notes
    -----
    slope_g is the least-squares slope of log share on log k over the cells that express g, shrunk
    towards the mean slope of all genes in closed form: slope = common + (own - common) * t / (t +
    e_g), with e_g the squared standard error of the own slope and t the variance of slopes between
    genes by the method of moments (DerSimonian & Laird, Control. Clin. Trials 7:177, 1986). A gene
    seen in fewer than 3 cells, or always with the same k, has the common slope.

    level_g keeps the gene's mean share over its cells: sum of shares / sum of k ** slope_g.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn levels and slopes from (n, G) cells."""
        shares = cells.profiles()
        on = shares > 0
        log_k = np.log(np.maximum(on.sum(axis=1), 1))
        self.middle = float(log_k.mean())
        self.slope = self.slopes(shares, on, log_k - self.middle)
        self.level = self.levels(shares, on, log_k - self.middle)

    def slopes(self, shares: FloatArray, on: BoolArray, x: FloatArray) -> FloatArray:
        """(G,) slopes of log share on x (n,), log k about its mean."""
        return shrunken_slopes(shares, on, x)

    def levels(self, shares: FloatArray, on: BoolArray, x: FloatArray) -> FloatArray:
        """(G,) levels at the mean of log k, given the slopes."""
        weight = np.zeros(shares.shape[1])
        for start in range(0, len(shares), 256):  # in parts: the factors are as large as the cells
            part = slice(start, start + 256)
            factors = np.exp(np.outer(x[part], self.slope))
            weight += np.where(on[part], factors, 0.0).sum(axis=0)
        return _with_unseen(shares.sum(axis=0), weight)

    def predict_expression(self, assemblages: BoolArray) -> FloatArray:
        """Profiles (n, G)."""
        log_k = np.log(np.maximum(assemblages.sum(axis=1), 1)) - self.middle
        return normalise_rows(assemblages * self.level * np.exp(np.outer(log_k, self.slope)))


def shrunken_slopes(shares: FloatArray, on: BoolArray, x: FloatArray) -> FloatArray:
    """Slopes of log share on x over each gene's own cells, shrunk towards their common mean.

    Parameters
    ----------
    shares : (n, G) float
    on : (n, G) bool
        Where a share is over 0.
    x : (n,) float

    Returns
    -------
    (G,) float64
        See the Notes of `MaskedMeanDepth`.
    """
    y = np.log(np.where(on, shares, 1.0))
    mask = on.astype(np.float64)
    n, sxx = spread_of_depth(on, x)
    count = np.maximum(n, 1)
    mean_x, mean_y = (x @ mask) / count, y.sum(axis=0) / count
    sxy = x @ y - count * mean_x * mean_y
    syy = np.einsum("ij,ij->j", y, y) - count * mean_y**2
    usable = (n >= 3) & (sxx > 1e-9 * count)
    own = np.divide(sxy, sxx, out=np.zeros(len(sxx)), where=usable)
    residual = np.maximum(syy[usable] - own[usable] * sxy[usable], 0.0) / (n[usable] - 2)
    return shrunk(own, residual / sxx[usable], usable)


def spread_of_depth(on: BoolArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(G,) cells of each gene, and (G,) sums of squares of x (n,) about its mean over them.

    `on` (n, G) says which cells express the gene.
    """
    mask = on.astype(np.float64)
    n = mask.sum(axis=0)
    count = np.maximum(n, 1)
    sxx: FloatArray = (x * x) @ mask - count * ((x @ mask) / count) ** 2
    return n, sxx


def shrunk(own: FloatArray, error: FloatArray, usable: BoolArray) -> FloatArray:
    """Slopes (G,) shrunk towards their common mean.

    Parameters
    ----------
    own : (G,) float
        The slope of each gene.
    error : (u,) float
        The squared standard errors of those that are usable.
    usable : (G,) bool
        Genes of which a slope is known; the others get the common one, 0 without any.

    Returns
    -------
    (G,) float64
        See the Notes of `MaskedMeanDepth`.
    """
    if not usable.any():
        return np.zeros(len(own))
    known = own[usable]
    error = np.maximum(error, 1e-12)
    weight = 1 / error
    fixed = float((weight * known).sum() / weight.sum())
    spread = float((weight * (known - fixed) ** 2).sum()) - (len(known) - 1)
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(0.0, spread / scale) if scale > 0 else 0.0
    weight = 1 / (error + between)
    common = float((weight * known).sum() / weight.sum())
    slopes = np.full(len(own), common)
    slopes[usable] = common + (known - common) * between / (between + error)
    return slopes
