"""`cipher`: CIPHER's normalisations and covariance.

The answer to a knockout is minus the removed gene's column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts


class Cipher:
    """The direction in which a knockout moves every gene, by linear response.

    After Kuznets-Speck et al. 2025, doi 10.1101/2025.06.27.661814. CIPHER says that the mean
    changes by `a * Sigma[:, g]`, with Sigma the covariance of unperturbed cells, and fits the
    number `a` to the measured change. Before anything is measured, it says the column. A knockout
    takes its gene away, so `a` < 0; here it is -1. `cipher.normalize_matrix` and
    `cipher.compute_covariance` do the work, with CIPHER's defaults.

    Parameters
    ----------
    normalization : str
        What is done to counts before the covariance.
    max_cells : int
        Most cells that the covariance is taken over.
    """

    def __init__(self, normalization: str = "raw", max_cells: int = 10_000) -> None:
        self.normalization = normalization
        self.max_cells = max_cells

    def fit(self, cells: Cells, context: Context) -> None:
        """Estimate the covariance (G, G) of cells (n, G).

        Raises
        ------
        ValueError
            With fewer than 2 cells, which have no covariance.
        """
        import cipher
        from threadpoolctl import threadpool_limits

        if cells.n_obs < 2:
            raise ValueError(
                f"{cells.n_obs} training cell; a covariance needs at least 2: give more cells"
            )
        counts = counts_of(cells, context.scale)
        context.log("covariance", 0, 1)
        with threadpool_limits(limits=context.threads):
            pseudocount = (
                cipher.fit_pflog_alpha(counts)[1] if self.normalization == "pflog" else None
            )
            values = cipher.normalize_matrix(
                counts,
                self.normalization,
                libsize=cipher.library_size(counts),
                pseudocount=pseudocount,
            )
            self.covariance = cipher.compute_covariance(
                values[chosen_cells(len(values), self.max_cells, context.seed)]
            )
        context.log("covariance", 1, 1)

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """Directions in which genes move. The sizes mean something only within a row.

        Parameters
        ----------
        cells : Cells
            They have no part in it.
        knockouts : Knockouts
            n single knockouts, or sets of no gene.

        Returns
        -------
        (n, G) float
            0 where nothing is removed.

        Raises
        ------
        ValueError
            For more than one removed gene: the strength of each would have to be fitted.
        """
        if knockouts.order > 1:
            raise ValueError(
                f"{knockouts.order} genes removed at once; CIPHER answers for one without a fit:"
                " ask for single knockouts"
            )
        if knockouts.order == 0:
            return np.zeros((len(knockouts), len(self.covariance)))
        return -self.covariance[:, knockouts.genes[:, 0]].T


def counts_of(cells: Cells, scale: str) -> npt.NDArray[Any]:
    """What CIPHER takes for raw counts.

    Parameters
    ----------
    cells : Cells
        (n, G), dense or sparse.
    scale : str
        The scale of X.

    Returns
    -------
    (n, G) array
        `layers["counts"]` where there is one; else X, with its logarithm undone if it has one.
    """
    if "counts" in cells.layers:
        layer = cells.layers["counts"]
        return np.asarray(layer.toarray() if hasattr(layer, "toarray") else layer)
    return np.expm1(cells.dense()) if scale.startswith("log1p") else np.asarray(cells.dense())


def chosen_cells(n: int, most: int, seed: int) -> npt.NDArray[np.intp]:
    """Ascending rows of all n cells, or of `most` of them, drawn without replacement."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
