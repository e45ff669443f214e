"""Impacts of knockouts for z * |W2 (W1 z + b1) + b2| over its sum, without predicting profiles.

With n genes on, z = assemblage / n. Removing k of them makes it (n z - their unit vectors) /
(n - k). So the argument of the absolute value, U = m + b with m = W2 W1 z and b = W2 b1 + b2,
becomes U + d with

    d = (k m - sum of W's columns of the removed genes) / (n - k),    W = W2 W1.

An event costs one look at each gene that is on, and no product of matrices. Much work on a CPU is
done by `affine_kernel` (numba), from the changes of the shares, which keeps small impacts exact.
Little work, odd events and CUDA are done by `impacts_of_rows` (torch), from the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from kobench.api import Cells, Impacts, Knockouts, normalise_rows
from kobench_baselines.common import Bools, Floats, Ints
from kobench_baselines.network import Layers, rows_over_sum

#: Bytes of W that are kept (8,900 genes in float64). A larger W is worked out in strips, anew for
#: each call.
TABLE_BYTES = 640_000_000

#: Number of events x genes a call from which the kernel is worth importing numba. That takes half a
#: second, or two where the kernel was never compiled.
MUCH_WORK = 20_000_000

#: Cells a thread works on at once, at most: a column of W, once in the cache, serves all of them.
CELLS_A_TASK = 128

#: Cells in a block, at most, however many threads share it.
CELLS_A_BLOCK = 512

#: Values after a knockout that sum to less than this part of those before it are zeros but for
#: rounding errors.
VANISHED = 1e-14

#: Numbers in a block of rows: so many fit a CPU's cache, or fill a GPU.
ROW_ENTRIES = {"cpu": 2**16, "cuda": 2**24}


@dataclass(frozen=True, eq=False)
class Block:
    """Some cells and their events.

    Attributes
    ----------
    on : (c, G) bool
        The cells' assemblages.
    genes : (n, k) int
        The removed genes of each event.
    cells : (n,) int
        The cell of each event, ascending.
    """

    on: Bools
    genes: Ints
    cells: Ints


class AffineImpacts:
    """Impacts by fitted layers; the columns of W are kept between calls where they fit in memory.

    Parameters
    ----------
    layers : Layers
        The network in plain coordinates.
    threads : int
        How many threads the kernel runs on. torch's own are set by the caller.
    """

    def __init__(self, layers: Layers, threads: int = 1) -> None:
        self.layers, self.threads = layers.map(lambda tensor: tensor.detach().double()), threads
        self.b = torch.addmv(self.layers.b2, self.layers.W2, self.layers.b1)
        self.inputs = self.layers.W1.T.contiguous()  # (G, h)
        self.kept: Tensor | None = None

    def __call__(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """Both impacts (n,) of events.

        Parameters
        ----------
        cells : Cells
            The asked cells.
        knockouts : Knockouts
            n events of any order, in any order of cells. A gene that is named twice counts once,
            and one that is off in the cell not at all.

        Raises
        ------
        ValueError
            If the events name no cells, or the cells have other genes than the network.
        """
        n, genes = len(knockouts), len(self.b)
        if knockouts.cells is None:
            raise ValueError("these knockouts name no cells; give one cell for each event")
        if cells.n_vars != genes:
            raise ValueError(
                f"the cells have {cells.n_vars} genes; expected {genes}, the genes of the training"
                " cells"
            )
        impacts = np.empty((2, n))
        if self.kept is None and n >= genes and 8 * genes**2 <= TABLE_BYTES:
            self.kept = self.columns(np.arange(genes))
        by_kernel = self.b.device.type == "cpu" and n * genes >= MUCH_WORK
        for events, block in self.blocks(cells, knockouts):
            impacts[:, events] = self.by_kernel(block) if by_kernel else self.by_rows(block)
        return Impacts(raw=impacts[0], propagated=impacts[1])

    def columns(self, genes: Ints) -> Tensor:
        """Columns of W = W2 W1 of genes (r,), as rows (r, G)."""
        return self.inputs[torch.from_numpy(genes).to(self.b.device)] @ self.layers.W2.T

    def blocks(self, cells: Cells, knockouts: Knockouts) -> Iterator[tuple[Ints, Block]]:
        """Cut the events into blocks, so that memory does not grow with the number of cells.

        Yields
        ------
        events : (m,) int
            Which events.
        block : Block
            Their block: so many cells that each thread has a task.
        """
        assert knockouts.cells is not None
        order = np.argsort(knockouts.cells, kind="stable")
        of_cells = knockouts.cells[order]
        first = np.append(np.flatnonzero(np.diff(of_cells, prepend=-1)), len(order))
        asked, counts = of_cells[first[:-1]], np.diff(first)
        step = min(CELLS_A_TASK * self.threads, CELLS_A_BLOCK)
        for start in range(0, len(asked), step):
            inside = asked[start : start + step]
            events = order[first[start] : first[start + len(inside)]]
            own = np.repeat(np.arange(len(inside)), counts[start : start + step])
            yield (
                events,
                Block(cells[inside].assemblages(), knockouts.genes[events].astype(np.intp), own),
            )

    def strips(self, genes: Ints) -> Iterator[tuple[slice, Tensor, Ints]]:
        """Cut events into strips whose columns of W take no more than `TABLE_BYTES`.

        Parameters
        ----------
        genes : (n, k) int
            The removed genes of each event.

        Yields
        ------
        events : slice
            Which events.
        columns : (r, G) tensor
            The columns of W that they need, as rows.
        row_of : (G,) int
            Row in `columns` of each gene.
        """
        row_of = np.arange(len(self.b))
        if self.kept is not None:
            yield slice(0, len(genes)), self.kept, row_of
            return
        most = max(1, TABLE_BYTES // (8 * len(self.b)))  # genes a strip
        step = len(genes) if len(self.b) <= most else max(1, most // max(1, genes.shape[1]))
        inner = np.arange(step, len(genes), step)
        if genes.shape[1] == 1:  # in order of their gene: a strip serves all events of its genes
            inner = np.flatnonzero(np.diff(genes[:, 0], prepend=-1))[most::most]
        for start, end in pairwise([0, *inner, len(genes)]):
            removed = np.unique(genes[start:end])
            row_of[removed] = np.arange(len(removed))
            yield slice(start, end), self.columns(removed), row_of

    def by_rows(self, block: Block) -> Floats:
        """Raw and propagated impacts (2, n) of a block, from rows of all genes."""
        impacts = np.empty((2, len(block.genes)))
        order = in_order_of_genes(block.genes)
        device = self.b.device
        z = torch.from_numpy(normalise_rows(block.on)).to(device)
        m = (z @ self.inputs) @ self.layers.W2.T
        cells = CellRows.of(z > 0, m, m + self.b)
        step = max(1, ROW_ENTRIES.get(device.type, ROW_ENTRIES["cpu"]) // len(self.b))
        for strip, columns, row_of in self.strips(block.genes[order]):
            for start in range(strip.start, strip.stop, step):
                events = order[start : min(start + step, strip.stop)]
                arrays = (block.cells[events], block.genes[events], row_of[block.genes[events]])
                found = impacts_of_rows(
                    cells, columns, *(torch.from_numpy(array).to(device) for array in arrays)
                )
                impacts[:, events] = torch.stack(found).cpu().numpy()
        return impacts

    def by_kernel(self, block: Block) -> Floats:
        """The same from the genes that are on alone, on all threads."""
        from kobench_baselines.affine_kernel import impacts_of_events, values_of_cells

        impacts = np.full((2, len(block.genes)), np.nan)
        first = np.append(0, np.cumsum(block.on.sum(axis=1)))
        on = (np.flatnonzero(block.on) % len(self.b)).astype(np.int32)
        m, U = np.empty(len(on)), np.empty(len(on))
        width = min(CELLS_A_TASK, -(-len(block.on) // self.threads))
        tasks = [
            (cell, min(cell + width, len(block.on))) for cell in range(0, len(block.on), width)
        ]
        layers = [array.numpy() for array in (self.inputs, self.layers.W2, self.b)]

        def values(task: tuple[int, int]) -> None:
            values_of_cells(*task, first, on, *layers, m, U)

        def events(task: tuple[int, int], strip: Ints, columns: Floats, row_of: Ints) -> None:
            own = strip[(block.cells[strip] >= task[0]) & (block.cells[strip] < task[1])]
            impacts_of_events(
                own, block.cells, block.genes, row_of, columns, first, on, m, U, VANISHED, impacts
            )

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(values, tasks))
            order = in_order_of_genes(block.genes)
            for strip, columns, row_of in self.strips(block.genes[order]):
                list(
                    pool.map(
                        partial(events, strip=order[strip], columns=columns.numpy(), row_of=row_of),
                        tasks,
                    )
                )
        odd = np.flatnonzero(np.isnan(impacts[0]))
        if len(odd):
            impacts[:, odd] = self.by_rows(Block(block.on, block.genes[odd], block.cells[odd]))
        return impacts


def in_order_of_genes(genes: Ints) -> Ints:
    """Order (n,) of events by the first gene that they remove; genes (n, k)."""
    if not genes.shape[1]:
        return np.arange(len(genes))
    names = genes[:, 0]
    if genes.max(initial=0) < 2**16:
        names = names.astype(np.uint16)  # numpy's stable sort of these is a radix sort
    return np.argsort(names, kind="stable")


@dataclass(frozen=True, eq=False)
class CellRows:
    """What the events of a cell have in common.

    Attributes
    ----------
    on : (c, G) tensor
        1 where a gene is on, else 0.
    m, U : (c, G) tensor
        0 where off.
    profile : (c, G) tensor
        The wild type's.
    total : (c,) tensor
        Sum of |U|.
    """

    on: Tensor
    m: Tensor
    U: Tensor
    profile: Tensor
    total: Tensor

    @classmethod
    def of(cls, on: Tensor, m: Tensor, U: Tensor) -> CellRows:
        """The rows of cells from `on`, m and U (c, G)."""
        on = on.double()
        U = U * on
        total = U.abs().sum(dim=1)
        return cls(on, m * on, U, closed(U.abs(), on, total <= 0), total)


def impacts_of_rows(
    rows: CellRows, columns: Tensor, cells: Tensor, genes: Tensor, places: Tensor
) -> tuple[Tensor, Tensor]:
    """Raw and propagated impacts of events, from the Bray-Curtis of whole profiles.

    Profiles are those of `predict_expression`: a row of zeros becomes uniform over what is on.

    Parameters
    ----------
    rows : CellRows
        The cells.
    columns : (r, G) tensor
        Columns of W, as rows.
    cells : (n,) tensor
        The cell of each event.
    genes : (n, k) tensor
        The removed genes of each event.
    places : (n, k) tensor
        Rows of these genes in `columns`.

    Returns
    -------
    raw, propagated : (n,) tensor
        The impacts.
    """
    on = rows.on[cells]
    # a removed gene counts where it is on, and the first time that it is named
    counted = on.gather(1, genes)
    for place in range(1, genes.shape[1]):
        counted[:, place][(genes[:, :place] == genes[:, place : place + 1]).any(dim=1)] = 0
    d = rows.m[cells] * counted.sum(dim=1, keepdim=True)
    for place in range(genes.shape[1]):
        d -= columns[places[:, place]] * on * counted[:, place : place + 1]
    remaining = on.scatter_(1, genes, 0)
    d /= remaining.sum(dim=1, keepdim=True).clamp_(min=1)
    before = rows.profile[cells]
    after = d.add_(rows.U[cells]).abs_().mul_(remaining)
    after = closed(after, remaining, after.sum(dim=1) <= VANISHED * rows.total[cells])
    null = rows_over_sum(before.scatter(1, genes, 0))
    return dissimilarity(after, before), dissimilarity(after, null)


def closed(values: Tensor, on: Tensor, vanished: Tensor) -> Tensor:
    """Divide rows by their sums, as `common.close_rows`; changes `values`.

    Parameters
    ----------
    values, on : (n, G) tensor
        Values >= 0; 1 where a gene is on, else 0.
    vanished : (n,) bool tensor
        Rows that become uniform over what is on.
    """
    if vanished.any():
        values[vanished] = on[vanished]
    return rows_over_sum(values)


def dissimilarity(a: Tensor, b: Tensor) -> Tensor:
    """Bray-Curtis (n,) of rows >= 0; 0 where both are 0."""
    total = a.sum(dim=1) + b.sum(dim=1)
    return (a - b).abs_().sum(dim=1) / torch.where(total > 0, total, torch.ones_like(total))
