"""How genes vary together among counted cells: correlations of pairs of genes."""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.screens.measure import Counted

#: How many genes are paired.
GENES = 60

#: A gene counts where this share of the control cells has it.
SEEN = 0.1

#: Fewest cells of a perturbation: of fewer a correlation is mostly noise.
MIN_CELLS = 40

#: What the counts of a cell are scaled to before the logarithm.
TOTAL = 10_000.0


def varying_genes(cells: Counted) -> IntArray:
    """Columns of the genes whose log value varies most between control cells, at most `GENES`.

    No gene that any perturbation removes.
    """
    logs = log_values(cells.control)
    seen = (logs > 0).mean(axis=0) >= SEEN
    seen[[gene for targets in cells.targets for gene in targets]] = False
    order = np.argsort(np.where(seen, -logs.var(axis=0), np.inf), kind="stable")
    return np.sort(order[: min(GENES, int(seen.sum()))])


def correlations(cells: Counted, rows: IntArray, genes: IntArray) -> FloatArray:
    """(len(rows), pairs) Pearson's correlation of each pair of genes in the cells of perturbations.

    Parameters
    ----------
    cells : Counted
        The cells.
    rows : (r,) int
        Which perturbations.
    genes : (g,) int
        Columns of the genes. A pair of which one does not vary has 0.
    """
    found = np.empty((len(rows), len(genes) * (len(genes) - 1) // 2))
    for place, row in enumerate(rows.tolist()):
        found[place] = pairs_of(log_values(cells.counts[cells.group == row])[:, genes])
    return found


def pairs_of(logs: FloatArray) -> FloatArray:
    """(pairs,) Pearson's correlation of each pair of columns (n, g); 0 where one is constant."""
    logs = logs - logs.mean(axis=0)
    size = np.sqrt((logs**2).sum(axis=0))
    # a gene that all cells have alike but for rounding does not vary
    varies = size > 1e-9 * np.sqrt(len(logs))
    unit = np.divide(logs, size, out=np.zeros_like(logs), where=varies)
    found: FloatArray = (unit.T @ unit)[np.triu_indices(logs.shape[1], 1)]
    return found


def log_values(counts: Any) -> FloatArray:
    """(n, G) the log of 1 + counts per ten thousand, dense."""
    dense = np.asarray(counts.toarray(), dtype=np.float64)
    return scaled_logs(dense, dense.sum(axis=1))


def scaled_logs(counts: FloatArray, total: FloatArray) -> FloatArray:
    """(n, g) the log of 1 + counts (n, g) per ten thousand of a cell's total (n,)."""
    total = total[:, None]
    values: FloatArray = np.log1p(
        np.divide(counts * TOTAL, total, out=np.zeros_like(counts), where=total > 0)
    )
    return values
