"""`covariance-shift`: what a Gaussian with the cells' covariance expects of the other genes once
the removed ones are at 0.
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
    """p_ko = p - Sigma[:, K] Sigma[K, K]^-1 p_K of the cell's own profile p, K the removed genes;
    the conditional mean at p_K = 0.

    Sigma = D R D with D the standard deviations of the training cells' shares and R their
    correlations, shrunk towards none: R = (1 - a) r + a 1, a by Ledoit and Wolf (`shrinkage`).
    Genes that are off stay off, what falls below 0 is 0, rows are over their sum. No gene-by-gene
    table is kept: the columns asked for are made from the cells.
    """

    def __init__(self, shrinkage: float | None = None) -> None:
        self.shrinkage = shrinkage

    def fit(self, cells: Cells, context: Context) -> None:
        self.threads = context.threads
        shares = Table.of(cells).shares
        with limited_threads(context.threads):
            self.deviations, self.scores = deviations(shares), standardised(shares)
            self.chosen = ledoit_wolf(self.scores) if self.shrinkage is None else self.shrinkage

    def slopes(self, removed: Ints) -> Floats:
        """(order, G) change of every gene's share for each unit by which the removed genes' shares
        fall.
        """
        columns = (1 - self.chosen) * (self.scores[:, removed].T @ self.scores) / len(self.scores)
        columns[np.arange(len(removed)), removed] += self.chosen
        columns *= self.deviations[removed][:, None] * self.deviations
        # the pseudo-inverse says "no change" for genes that do not vary, alone or given each other
        answer: Floats = np.linalg.pinv(columns[:, removed], hermitian=True) @ columns
        return answer

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        own = cells.profiles()
        rows = knockouts.remove_from(own)
        with limited_threads(self.threads):
            for removed, events, asked in sets_of_genes(knockouts):
                taken = own[asked][:, removed]
                rows[events] -= (rows[events] > 0) * (taken @ self.slopes(removed))
        null = normalise_rows(knockouts.remove_from(own))
        return close_on(np.maximum(rows, 0.0), null)


def ledoit_wolf(scores: Floats) -> float:
    """The shrinkage a of centred rows' covariance S towards mu 1, mu its mean variance: a = min(b2,
    d2) / d2.

    d2 = |S - mu 1|^2, b2 = (sum_k |x_k x_k' - S|^2) / n^2, both squared Frobenius norms (J.
    Multivariate Anal. 88:365, 2004). From the (n, n) products of cells, so that genes may be many;
    1 where S is mu 1 itself.
    """
    n, genes = scores.shape
    products = scores @ scores.T
    squares = np.diag(products)
    square_of_s = float((products**2).sum()) / n**2
    mu = float(squares.sum()) / n / genes
    d2 = square_of_s - genes * mu**2
    b2 = (float((squares**2).sum()) / n - square_of_s) / n
    return float(min(max(b2, 0.0), d2) / d2) if d2 > 1e-12 * max(square_of_s, 1e-300) else 1.0
