"""What the three baselines share: the training table, the masked mean, relative residuals, held-out
cells, threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Knockouts, bray_curtis, normalise_rows

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]

#: A gene that is on keeps at least this part of its mean share, whatever a regression says.
LEAST = 0.05

#: Answers are worked out in blocks of about so many entries, so that memory stays flat.
BLOCK_ENTRIES = 2**22

#: With fewer training cells nothing is held out: there is no choosing between settings.
FEWEST_TO_VALIDATE = 5


@dataclass(frozen=True, eq=False)
class Table:
    """Training cells that express something.

    on : (n, G) bool, the assemblages. shares : (n, G) float64, the profiles, 0 where off, each row
    summing to 1.
    """

    on: Bools
    shares: Floats

    @classmethod
    def of(cls, cells: Cells) -> Table:
        """The table of some cells, dense or sparse; cells without expression are left out.

        Raises ValueError where no cell expresses anything.
        """
        shares = normalise_rows(expressing(cells)[0])
        return cls(shares > 0, shares)

    def __len__(self) -> int:
        return len(self.on)

    def __getitem__(self, rows: Ints) -> Table:
        return Table(self.on[rows], self.shares[rows])

    def mean_share(self) -> Floats:
        """(G,) mean share of each gene over the cells in which it is on, with one extra cell at the
        overall mean.

        The extra cell gives genes seen in one or two cells a moderate value, and those never seen a
        positive one.
        """
        overall = self.shares[self.on].mean()
        mean: Floats = (self.shares.sum(axis=0) + overall) / (self.on.sum(axis=0) + 1)
        return mean

    def relative_residuals(self, mean: Floats) -> Floats:
        """(n, G) share over what the masked mean says of that cell, minus 1; 0 where the gene is
        off.

        The masked mean's share in a cell is mean_j / S with S the sum of the means of the genes
        that are on. Dividing by it takes out that shares shrink as more genes are on, which all
        genes have in common.
        """
        expected = mean / (self.on @ mean)[:, None]
        residuals: Floats = np.where(self.on, self.shares / expected - 1.0, 0.0)
        return residuals


def expressing(cells: Cells) -> tuple[Floats, Ints]:
    """X as dense float64 of the cells that express something, and the rows of these cells;
    ValueError where none does.
    """
    values = np.asarray(cells.dense(), np.float64)
    rows = np.flatnonzero(values.any(axis=1))
    if not len(rows):
        raise ValueError(
            f"none of the {cells.n_obs} training cells expresses a gene; at least one must"
        )
    return values[rows], rows


def to_linear(values: Floats, scale: str) -> Floats:
    """Values of a working scale in proportion to amounts: logarithms (`log1p`, `log1p-cp10k`) are
    undone.
    """
    return np.expm1(values) if scale.startswith("log1p") else values


def to_scale(values: Floats, scale: str) -> Floats:
    """The inverse of `to_linear`."""
    return np.log1p(values) if scale.startswith("log1p") else values


def deviations(rows: Floats) -> Floats:
    """(G,) standard deviation of each column; 0 where it is no more than rounding beside the
    largest one.
    """
    deviation: Floats = rows.std(axis=0)
    deviation[deviation <= 1e-9 * deviation.max(initial=0.0)] = 0.0
    return deviation


def standardised(rows: Floats) -> Floats:
    """Columns with mean 0 and standard deviation 1; a constant column is 0."""
    deviation, centred = deviations(rows), rows - rows.mean(axis=0)
    scores: Floats = np.divide(centred, deviation, out=np.zeros_like(rows), where=deviation > 0)
    return scores


def close_rows(values: Floats, on: Bools) -> Floats:
    """Rows over their sum.

    A row of 0 whose assemblage is not empty becomes uniform over it; an empty assemblage stays 0.
    """
    total = values.sum(axis=1, keepdims=True)
    lost = total[:, 0] <= 0
    if lost.any():
        values = np.where(lost[:, None], on, values)
        total = values.sum(axis=1, keepdims=True)
    rows: Floats = np.divide(values, total, out=np.zeros(values.shape), where=total > 0)
    return rows


def compose(relative: Floats, on: Bools, mean: Floats) -> Floats:
    """(n, G) profiles from predicted relative residuals: z_j mean_j max(0.05, 1 + r_j), rows over
    their sum.
    """
    return close_rows(on * (mean * np.maximum(LEAST, 1.0 + relative)), on)


def as_assemblages(assemblages: npt.NDArray[Any], genes: int) -> Bools:
    """The asked assemblages as bool (n, G); ValueError where G differs from the training cells'."""
    on = np.asarray(assemblages).astype(bool)
    if on.ndim != 2 or on.shape[1] != genes:
        raise ValueError(
            f"assemblages have shape {on.shape}; expected (n, {genes}), the genes of the training"
            " cells"
        )
    return on


def log_detected(on: Bools) -> Floats:
    """(n,) log of the number of genes that are on, at least 1."""
    detected: Floats = np.log(np.maximum(on.sum(axis=1), 1))
    return detected


def hold_out(n: int, fraction: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Rows to train on and rows to validate on, ascending; none to validate on with under 5
    rows.
    """
    if n < FEWEST_TO_VALIDATE:
        return np.arange(n), np.arange(0)
    order = rng.permutation(n)
    held = max(1, round(fraction * n))
    return np.sort(order[held:]), np.sort(order[:held])


def mean_bray_curtis(predicted: Floats, true: Floats) -> float:
    """Mean over rows of the Bray-Curtis dissimilarity."""
    return float(bray_curtis(predicted, true).mean())


def blocks_of(rows: int, entries: int) -> Iterator[slice]:
    """Slices of `rows` rows with `entries` numbers each, so that memory stays flat."""
    step = max(1, BLOCK_ENTRIES // max(1, entries))
    for start in range(0, rows, step):
        yield slice(start, start + step)


def sets_of_genes(knockouts: Knockouts) -> Iterator[tuple[Ints, Ints, Ints]]:
    """(removed genes, events that remove them, the cells of these events) for each set of removed
    genes; nothing for order 0.

    A gene named twice counts once. ValueError where the events name no cells.
    """
    if knockouts.cells is None:
        raise ValueError("these knockouts name no cells; give one cell for each event")
    if not knockouts.order or not len(knockouts):
        return
    removed, of = np.unique(np.sort(knockouts.genes, axis=1), axis=0, return_inverse=True)
    order = np.argsort(of.ravel(), kind="stable")
    for genes, events in zip(
        removed, np.split(order, np.cumsum(np.bincount(of.ravel()))[:-1]), strict=True
    ):
        yield np.unique(genes).astype(np.intp), events, knockouts.cells[events].astype(np.intp)


def close_on(values: Floats, null: Floats) -> Floats:
    """Rows over their sum; a row of 0 becomes that of `null`, which is what there is if nothing
    responds.
    """
    total = values.sum(axis=1, keepdims=True)
    rows: Floats = np.divide(values, total, out=null.copy(), where=total > 0)
    return rows


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Linear algebra uses at most so many threads inside."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads):
        yield
