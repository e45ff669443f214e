"""`covariance-shift`: a Gaussian's conditional mean once the removed genes are at 0.

The Gaussian has the covariance of the training cells' shares.
"""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.common import (
    Floats,
    Ints,
    Table,
    close_on,
    deviations,
    limited_threads,
    sets_of_genes,
    standardised,
)


class CovarianceShift:
    """The cell's own profile, moved to the conditional mean at p_K = 0, K the removed genes.

    p_ko = p - Sigma[:, K] Sigma[K, K]^-1 p_K, with p the profile and Sigma = D R D. D has the
    standard deviations of the training cells' shares. R are their correlations, shrunk towards
    none: R = (1 - a) r + a 1. Genes that are off stay off, what falls below 0 is 0, and rows are
    divided by their sums. No gene-by-gene table is kept: the columns asked for are made from the
    cells.

    Parameters
    ----------
    shrinkage : float, optional
        The shrinkage a, 0 to 1; None for that of Ledoit and Wolf, see `ledoit_wolf`.
    """

    def __init__(self, shrinkage: float | None = None) -> None:
        self.shrinkage = shrinkage

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep standardised shares of cells (n, G), and choose the shrinkage."""
        self.threads = context.threads
        shares = Table.of(cells).shares
        with limited_threads(context.threads):
            self.deviations, self.scores = deviations(shares), standardised(shares)
            self.chosen = ledoit_wolf(self.scores) if self.shrinkage is None else self.shrinkage

    def slopes(self, removed: Ints) -> Floats:
        """Change of every gene's share for each unit by which the removed genes' shares fall.

        Parameters
        ----------
        removed : (k,) int
            The removed genes.

        Returns
        -------
        (k, G) float
            One row for each removed gene.
        """
        columns = (1 - self.chosen) * (self.scores[:, removed].T @ self.scores) / len(self.scores)
        columns[np.arange(len(removed)), removed] += self.chosen
        columns *= self.deviations[removed][:, None] * self.deviations
        # the pseudo-inverse gives no change for genes that do not vary, alone or given the others
        answer: Floats = np.linalg.pinv(columns[:, removed], hermitian=True) @ columns
        return answer

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        own = cells.profiles()
        rows = knockouts.remove_from(own)
        with limited_threads(self.threads):
            for removed, events, asked in sets_of_genes(knockouts):
                taken = own[asked][:, removed]
                rows[events] -= (rows[events] > 0) * (taken @ self.slopes(removed))
        null = normalise_rows(knockouts.remove_from(own))
        return close_on(np.maximum(rows, 0.0), null)


def ledoit_wolf(scores: Floats) -> float:
    """The shrinkage of a covariance towards a multiple of the identity, by Ledoit and Wolf.

    The covariance S of the rows is mixed with mu 1, mu its mean variance, in the share
    a = min(b2, d2) / d2. Here d2 = |S - mu 1|^2 and b2 = (sum_k |x_k x_k' - S|^2) / n^2, with
    squared Frobenius norms (J. Multivariate Anal. 88:365, 2004).

    Parameters
    ----------
    scores : (n, G) float
        Centred rows. Only their (n, n) products are made, so that genes may be many.

    Returns
    -------
    float
        a, 0 to 1; 1 where S is mu 1 itself.
    """
    n, genes = scores.shape
    products = scores @ scores.T
    squares = np.diag(products)
    square_of_s = float((products**2).sum()) / n**2
    mu = float(squares.sum()) / n / genes
    d2 = square_of_s - genes * mu**2
    b2 = (float((squares**2).sum()) / n - square_of_s) / n
    return float(min(max(b2, 0.0), d2) / d2) if d2 > 1e-12 * max(square_of_s, 1e-300) else 1.0
