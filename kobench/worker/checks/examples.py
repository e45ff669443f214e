"""Made-up cells on which predictors are checked, and pairs of genes to remove from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.cells import BoolArray, Cells, IntArray, Knockouts

#: Names of human genes, so that a predictor that knows genes by name supports them.
GENES = (
    *("GATA1", "TP53", "MYC", "CD4", "SPI1", "KLF1"),
    *("RUNX1", "STAT3", "SOX2", "PAX6", "CEBPA", "JUN"),
)

#: Number of cells that are kept for questions.
ASKED = 6


def example_cells(seed: int) -> Cells:
    """Made-up cells whose values are driven by one factor that all genes share.

    Parameters
    ----------
    seed : int
        One seed, one set of cells.

    Returns
    -------
    Cells
        80 + `ASKED` cells x 12 genes, float32, >= 0. About a third of the entries are 0; at least
        3 genes of each cell are not.
    """
    rng = np.random.default_rng([seed, 12])
    n, genes = 80 + ASKED, len(GENES)
    factor = rng.gamma(4.0, 0.25, size=(n, 1))
    values = (
        rng.gamma(3.0, 1.0, size=(n, genes)) * (0.5 + factor * rng.uniform(0, 1, size=genes)) + 0.05
    )
    on = rng.random((n, genes)) < 0.67
    on[np.arange(n)[:, None], np.argsort(rng.random((n, genes)), axis=1)[:, :3]] = True
    return Cells((values * on).astype(np.float32), np.array(GENES))


def doubles_of(assemblages: BoolArray, supported: BoolArray) -> Knockouts:
    """Some pairs of genes to remove from each cell.

    Parameters
    ----------
    assemblages : (n, G) bool
        Which genes are on in each cell.
    supported : (G,) bool
        Which genes can be removed.

    Returns
    -------
    Knockouts
        Each supported gene that is on, with the next such gene; grouped by cell. Cells in which
        fewer than three genes are on have none.
    """
    genes: list[IntArray] = []
    cells: list[int] = []
    for cell, on in enumerate(assemblages):
        mine = np.flatnonzero(on & supported)
        if on.sum() > 2:
            pairs = [mine[start : start + 2] for start in range(len(mine) - 1)]
            genes += pairs
            cells += [cell] * len(pairs)
    return Knockouts(np.array(genes, np.int32).reshape(-1, 2), np.array(cells, np.int32))


def two_gene_cells(genes: Any) -> Cells:
    """Cells (G, G) that express two genes each.

    Parameters
    ----------
    genes : (G,) str
        Gene names.
    """
    n = len(genes)
    values = np.zeros((n, n), np.float32)
    values[np.arange(n), np.arange(n)] = 1.0
    values[np.arange(n), (np.arange(n) + 1) % n] = 2.0
    return Cells(values, genes)


def one_gene_cells(genes: Any) -> Cells:
    """Cells (G, G) that express one gene each: nothing can be removed from them.

    Parameters
    ----------
    genes : (G,) str
        Gene names.
    """
    return Cells(np.eye(len(genes), dtype=np.float32) * 1.5, genes)
