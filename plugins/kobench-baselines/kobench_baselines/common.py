"""What the baselines share: the training table, the masked mean, blocks of work, threads."""

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

    Attributes
    ----------
    on : (n, G) bool
        The assemblages.
    shares : (n, G) float64
        The profiles: 0 where a gene is off, each row summing to 1.
    """

    on: Bools
    shares: Floats

    @classmethod
    def of(cls, cells: Cells) -> Table:
        """Make the table of cells, dense or sparse; cells without expression are left out.

        Raises
        ------
        ValueError
            If no cell expresses anything.
        """
        shares = normalise_rows(expressing(cells)[0])
        return cls(shares > 0, shares)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.on)

    def __getitem__(self, rows: Ints) -> Table:
        """The table of some of the cells."""
        return Table(self.on[rows], self.shares[rows])

    def mean_share(self) -> Floats:
        """Mean share of each gene over the cells in which it is on.

        One extra cell has every gene at the overall mean. It gives genes seen in one or two cells a
        moderate value, and those never seen a positive one.

        Returns
        -------
        (G,) float64
            Mean shares, > 0.
        """
        overall = self.shares[self.on].mean()
        mean: Floats = (self.shares.sum(axis=0) + overall) / (self.on.sum(axis=0) + 1)
        return mean

    def relative_residuals(self, mean: Floats) -> Floats:
        """Shares relative to what the masked mean says of the same cell.

        The masked mean's share in a cell is mean_j / S, with S the sum of the means of the genes
        that are on. All genes have in common that their shares shrink as more genes are on;
        dividing by the masked mean takes that out.

        Parameters
        ----------
        mean : (G,) float
            Mean shares, as `mean_share` gives them.

        Returns
        -------
        (n, G) float64
            Share over expected share, minus 1; 0 where the gene is off.
        """
        expected = mean / (self.on @ mean)[:, None]
        residuals: Floats = np.where(self.on, self.shares / expected - 1.0, 0.0)
        return residuals


def expressing(cells: Cells) -> tuple[Floats, Ints]:
    """Expression of the cells that express something.

    Parameters
    ----------
    cells : Cells
        (n, G), dense or sparse.

    Returns
    -------
    values : (k, G) float64
        Expression of these k cells.
    rows : (k,) int
        Their rows among the cells.

    Raises
    ------
    ValueError
        If no cell expresses anything.
    """
    values = np.asarray(cells.dense(), np.float64)
    rows = np.flatnonzero(values.any(axis=1))
    if not len(rows):
        raise ValueError(
            f"none of the {cells.n_obs} training cells expresses a gene; at least one must"
        )
    return values[rows], rows


def to_linear(values: Floats, scale: str) -> Floats:
    """Values in proportion to amounts: logarithms (`log1p`, `log1p-cp10k`) are undone.

    Parameters
    ----------
    values : array
        Values of a working scale.
    scale : str
        The scale, see `Context.scale`.
    """
    return np.expm1(values) if scale.startswith("log1p") else values


def to_scale(values: Floats, scale: str) -> Floats:
    """The inverse of `to_linear`."""
    return np.log1p(values) if scale.startswith("log1p") else values


def deviations(rows: Floats) -> Floats:
    """Standard deviation (G,) of each column; 0 where it is rounding beside the largest one."""
    deviation: Floats = rows.std(axis=0)
    deviation[deviation <= 1e-9 * deviation.max(initial=0.0)] = 0.0
    return deviation


def standardised(rows: Floats) -> Floats:
    """Columns with mean 0 and standard deviation 1; a constant column is 0."""
    deviation, centred = deviations(rows), rows - rows.mean(axis=0)
    scores: Floats = np.divide(centred, deviation, out=np.zeros_like(rows), where=deviation > 0)
    return scores


def close_rows(values: Floats, on: Bools) -> Floats:
    """Divide rows by their sums.

    Parameters
    ----------
    values : (n, G) float
        Values >= 0, 0 where `on` is false.
    on : (n, G) bool
        The assemblages.

    Returns
    -------
    (n, G) float
        A row of 0 becomes uniform over its assemblage; with an empty assemblage it stays 0.
    """
    total = values.sum(axis=1, keepdims=True)
    lost = total[:, 0] <= 0
    if lost.any():
        values = np.where(lost[:, None], on, values)
        total = values.sum(axis=1, keepdims=True)
    rows: Floats = np.divide(values, total, out=np.zeros(values.shape), where=total > 0)
    return rows


def compose(relative: Floats, on: Bools, mean: Floats) -> Floats:
    """Profiles from predicted relative residuals.

    Parameters
    ----------
    relative : (n, G) float
        Predicted `Table.relative_residuals` r.
    on : (n, G) bool
        The assemblages z.
    mean : (G,) float
        Mean shares.

    Returns
    -------
    (n, G) float
        z_j mean_j max(0.05, 1 + r_j), rows divided by their sums.
    """
    return close_rows(on * (mean * np.maximum(LEAST, 1.0 + relative)), on)


def as_assemblages(assemblages: npt.NDArray[Any], genes: int) -> Bools:
    """The asked assemblages as bool.

    Parameters
    ----------
    assemblages : (n, G) array
        Which genes are on.
    genes : int
        The expected G, that of the training cells.

    Raises
    ------
    ValueError
        If they have another shape.
    """
    on = np.asarray(assemblages).astype(bool)
    if on.ndim != 2 or on.shape[1] != genes:
        raise ValueError(
            f"assemblages have shape {on.shape}; expected (n, {genes}), the genes of the training"
            " cells"
        )
    return on


def log_detected(on: Bools) -> Floats:
    """Logarithm (n,) of the number of genes that are on, at least 1."""
    detected: Floats = np.log(np.maximum(on.sum(axis=1), 1))
    return detected


def hold_out(n: int, fraction: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Split rows at random into those to train on and those to validate on.

    Parameters
    ----------
    n : int
        Number of rows.
    fraction : float
        Share of the rows to validate on; with fewer than 5 rows there are none.
    rng : numpy.random.Generator
        Gives the split.

    Returns
    -------
    kept, held : (k,) and (n - k,) int
        Rows to train on and rows to validate on, ascending.
    """
    if n < FEWEST_TO_VALIDATE:
        return np.arange(n), np.arange(0)
    order = rng.permutation(n)
    held = max(1, round(fraction * n))
    return np.sort(order[held:]), np.sort(order[:held])


def mean_bray_curtis(predicted: Floats, true: Floats) -> float:
    """Mean over rows (n, G) of their Bray-Curtis dissimilarity."""
    return float(bray_curtis(predicted, true).mean())


def blocks_of(rows: int, entries: int) -> Iterator[slice]:
    """Slices that cut rows into blocks of about `BLOCK_ENTRIES` numbers, so that memory stays flat.

    Parameters
    ----------
    rows : int
        Number of rows.
    entries : int
        Numbers in each row.
    """
    step = max(1, BLOCK_ENTRIES // max(1, entries))
    for start in range(0, rows, step):
        yield slice(start, start + step)


def sets_of_genes(knockouts: Knockouts) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Group knockouts by the genes that they remove.

    Parameters
    ----------
    knockouts : Knockouts
        Events with their cells. A gene named twice in one counts once.

    Yields
    ------
    genes : (k,) int
        One set of removed genes. Knockouts of order 0 give none.
    events : (m,) int
        The events that remove it.
    cells : (m,) int
        The cells of these events.

    Raises
    ------
    ValueError
        If the events name no cells.
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
    """Divide rows by their sums; a row of 0 becomes that of `null`, as if nothing responded.

    Parameters
    ----------
    values, null : (n, G) float
        Values >= 0; profiles with the removed genes at 0.
    """
    total = values.sum(axis=1, keepdims=True)
    rows: Floats = np.divide(values, total, out=null.copy(), where=total > 0)
    return rows


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Let linear algebra use at most `threads` threads inside a `with` block."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads):
        yield
