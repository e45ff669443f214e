"""`state-contrast`: cells without the gene against cells with it, and the states of the cells."""

from __future__ import annotations

import numpy as np

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.common import (
    Floats,
    close_on,
    expressing,
    limited_threads,
    sets_of_genes,
    to_linear,
)
from kobench_baselines.states import Counts, States, reproducible

#: A change of log expression ends at this, and a gene's factor at the other.
LARGEST_CHANGE, LARGEST_FACTOR = 3.0, 5.0


class StateContrast:
    """The presence contrast of the removed gene, and its slope on reproducible states.

    1. Contrast. To each gene that the cell has is added its mean over the wild-type cells that have
       it and lack the removed gene, less the same over those that have both, in the working scale.
       It is 0 for a gene that every cell has or no cell has.
    2. State. Counts scatter around a log-scale state as Poisson counts do. Their covariance within
       batches less that noise is cut to its k leading factors, see `Counts.axes`; k is what two
       halves of the cells agree on, see `reproducible`. Each gene is multiplied by what the removal
       means along these factors, see `States.log_change`.

    No gene's name and no perturbed cell is used.

    Parameters
    ----------
    factors : int
        k; 0 for as many as two halves agree on.
    most : int
        Most factors.
    overlap : float
        The agreement that halves must have.
    """

    def __init__(self, factors: int = 0, most: int = 10, overlap: float = 0.5) -> None:
        self.factors, self.most, self.overlap = factors, most, overlap

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep cells (n, G), and find their states."""
        self.threads = context.threads
        values, rows = expressing(cells)
        kept = cells[rows]
        key = context.batch_key
        labels = kept.obs[key] if key and key in kept.obs else np.zeros(len(values))
        counts = Counts.of(typical_counts(kept, values, context.scale), np.asarray(labels, np.str_))
        with limited_threads(context.threads):
            self.chosen = self.factors
            if not self.factors:
                rng = np.random.default_rng(context.seed)
                self.chosen, self.overlaps = reproducible(counts, self.most, self.overlap, rng)
            self.states = States.of(counts, self.chosen)
        self.values, self.on = values, (values > 0).astype(np.float64)
        self.mean = values.mean(axis=0)
        amount = to_linear(values, context.scale).mean(axis=0)
        # by how much log1p of an amount moves with the logarithm of the amount, at its mean
        self.per_log = amount / (1 + amount) if context.scale.startswith("log1p") else None

    def contrast(self, gene: int) -> Floats:
        """(G,) mean of each gene where it is on, in cells without this gene less in those with."""
        has = self.on[:, gene]
        change = np.zeros(len(self.mean))
        number_with, number = has @ self.on, self.on.sum(axis=0)
        sum_with, total = has @ self.values, self.values.sum(axis=0)
        known = (number_with > 0) & (number > number_with)
        without = (total - sum_with)[known] / (number - number_with)[known]
        change[known] = without - sum_with[known] / number_with[known]
        change[gene] = 0.0
        return change

    def log_change(self, gene: int) -> Floats:
        """(G,) by how much log expression moves along the states when a gene is removed."""
        return self.states.log_change(gene)

    def factor(self, gene: int) -> Floats:
        """(G,) by what the working value of each gene is multiplied when a gene is removed."""
        change = np.clip(self.log_change(gene), -LARGEST_CHANGE, LARGEST_CHANGE)
        if self.per_log is None:
            factor = np.exp(change)
        else:
            factor = 1 + change * np.divide(
                self.per_log, self.mean, out=np.zeros_like(change), where=self.mean > 0
            )
        return np.clip(factor, 0.0, LARGEST_FACTOR)

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        own = np.asarray(cells.dense(), np.float64)
        null = normalise_rows(knockouts.remove_from(own))
        if not knockouts.order:
            return null
        rows = knockouts.remove_from(own)
        with limited_threads(self.threads):
            for removed, events, _ in sets_of_genes(knockouts):
                added = np.sum([self.contrast(int(gene)) for gene in removed], axis=0)
                factor = np.prod([self.factor(int(gene)) for gene in removed], axis=0)
                there = rows[events] > 0
                rows[events] = np.maximum(rows[events] + added, 0.0) * factor * there
        return close_on(rows, null)


def typical_counts(cells: Cells, values: Floats, scale: str) -> Floats:
    """Counts (n, G) as if every cell had been read as deep as the typical one.

    Parameters
    ----------
    cells : Cells
        Cells with their counts in `layers["counts"]`; without, linear values stand for counts.
    values : (n, G) float
        Their working values.
    scale : str
        The working scale. Depth is taken out where that scale takes it out.
    """
    linear = to_linear(values, scale)
    if "counts" not in cells.layers:
        return linear
    layer = cells.layers["counts"]
    counts = np.asarray(layer.toarray() if hasattr(layer, "toarray") else layer, np.float64)
    if scale != "log1p-cp10k":
        return counts
    depth = counts.sum(axis=1) / np.maximum(linear.sum(axis=1), 1e-12)
    typical: Floats = linear * np.median(depth)
    return typical
