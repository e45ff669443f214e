"""The metric `coexpression` of profiles: gene-gene correlations that are kept."""

from __future__ import annotations

import numpy as np

from kobench.api import NotComputed, ProfileUnits
from kobench.cells import BoolArray, FloatArray

#: Two genes' correlation is compared where this many cells have both.
MIN_CELLS_OF_PAIR = 10

#: Pairs are taken among this many genes at most, those that vary most in truth.
MOST_GENES_OF_PAIRS = 500

#: Correlations that differ by less are equal: their rounding is no information.
EQUAL_CORRELATIONS = 1e-9


def coexpression(units: ProfileUnits) -> float:
    """How well gene-gene correlations across cells are kept.

    Pearson's correlation, over pairs of genes, of their predicted with their true correlation. A
    pair's correlation runs over the cells in which both genes are present, `MIN_CELLS_OF_PAIR` or
    more, so that presence, which is given, earns nothing. Pairs are of the genes that vary in
    truth, at most the `MOST_GENES_OF_PAIRS` that vary most. A pair whose prediction does not vary
    counts as 0.
    """
    true, present = np.asarray(units.true, np.float64), units.present
    seen = present.sum(axis=0)
    mean = np.where(present, true, 0.0).sum(axis=0) / np.maximum(seen, 1)
    variance = (np.where(present, true - mean, 0.0) ** 2).sum(axis=0) / np.maximum(seen, 1)
    usable = np.flatnonzero((seen >= MIN_CELLS_OF_PAIR) & (variance > 0))
    genes = usable[np.argsort(-variance[usable], kind="stable")[:MOST_GENES_OF_PAIRS]]
    of_truth, truth_varies = _pair_correlations(true[:, genes], present[:, genes])
    of_answer, _ = _pair_correlations(
        np.asarray(units.predicted[:, genes], np.float64), present[:, genes]
    )
    a, b = of_answer[truth_varies], of_truth[truth_varies]
    if len(b) < 2 or np.ptp(b) <= EQUAL_CORRELATIONS:
        raise NotComputed(
            f"too few pairs of genes are present together in {MIN_CELLS_OF_PAIR} cells or more"
        )
    if np.ptp(a) <= EQUAL_CORRELATIONS:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def _pair_correlations(values: FloatArray, present: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Pearson's correlation of each pair of columns over the rows where both are present.

    Parameters
    ----------
    values : (n, G) float
    present : (n, G) bool

    Returns
    -------
    (G (G - 1) / 2,) float64
        0 where it is not defined.
    (G (G - 1) / 2,) bool
        Where it is: both columns vary, and `MIN_CELLS_OF_PAIR` rows or more have both.
    """
    mask = present.astype(np.float64)
    mean = (values * mask).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)
    # centred first, so that the sums of squares below lose no digits
    x = np.where(present, values - mean, 0.0)
    upper = np.triu_indices(values.shape[1], 1)
    both, sums = mask.T @ mask, x.T @ mask
    squares, products = (x * x).T @ mask, x.T @ x
    n = np.maximum(both, 1)
    spread = squares - sums * sums / n  # of the row gene over the cells of the pair
    varies = spread > 1e-10 * (x * x).sum(axis=0)[:, None]
    defined = ((both >= MIN_CELLS_OF_PAIR) & varies & varies.T)[upper]
    covariance = (products - sums * sums.T / n)[upper]
    scale = np.sqrt(np.where(defined, (spread * spread.T)[upper], 1.0))
    return np.where(defined, covariance / scale, 0.0), defined
