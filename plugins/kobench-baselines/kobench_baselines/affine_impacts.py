"""Impacts of knockouts for z * |W2 (W1 z + b1) + b2| over its sum, without predicting the profile
after each knockout.

With n genes on, z = assemblage / n. Removing k of them makes it (n z - their unit vectors) / (n -
k), so the absolute value's argument U = m + b, with m = W2 W1 z and b = W2 b1 + b2, becomes U + d
with

    d = (k m - sum of W's columns of the removed genes) / (n - k),    W = W2 W1.

An event costs one look at each gene that is on and no product of matrices. Much work on a CPU is
done by `affine_kernel` (numba, from the changes of the shares, which keeps small impacts exact);
little work, odd events and CUDA by `impacts_of_rows` (torch, from the rows).
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

#: Bytes of W that are kept (8,900 genes in float64). What is larger is worked out in strips, again
#: for each call.
TABLE_BYTES = 640_000_000

#: From so many events x genes a call the kernel is worth importing numba for (half a second, two
#: where it was never compiled).
MUCH_WORK = 20_000_000

#: Cells a thread works on at once, at most: a column of W, once in the cache, serves all of them.
CELLS_A_TASK = 128
#: Cells in a block, at most, however many threads share it.
CELLS_A_BLOCK = 512

#: Values after a knockout that sum to less than this part of those before it are what rounding
#: leaves of zeros.
VANISHED = 1e-14

#: Numbers in a block of rows: what fits a CPU's cache, what fills a GPU.
ROW_ENTRIES = {"cpu": 2**16, "cuda": 2**24}


@dataclass(frozen=True, eq=False)
class Block:
    """Some cells and their events. on : (c, G) bool. genes : (n, k) and cells : (n,) of the events,
    these ascending.
    """

    on: Bools
    genes: Ints
    cells: Ints


class AffineImpacts:
    """Impacts by the fitted layers; `columns` of W are kept between calls where they fit.

    threads : how many the kernel runs on (torch's own are the caller's to set).
    """

    def __init__(self, layers: Layers, threads: int = 1) -> None:
        self.layers, self.threads = layers.map(lambda tensor: tensor.detach().double()), threads
        self.b = torch.addmv(self.layers.b2, self.layers.W2, self.layers.b1)
        self.inputs = self.layers.W1.T.contiguous()  # (G, h)
        self.kept: Tensor | None = None

    def __call__(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """Both impacts (n,) of events of any order, in any order of cells; a gene named twice or
        off in the cell counts once or not at all.

        Raises ValueError where the events name no cells or the cells have other genes than the
        network.
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
        """(r, G) columns of W = W2 W1 of some genes, as rows."""
        return self.inputs[torch.from_numpy(genes).to(self.b.device)] @ self.layers.W2.T

    def blocks(self, cells: Cells, knockouts: Knockouts) -> Iterator[tuple[Ints, Block]]:
        """(which events, their block): a task's cells for each thread, so that memory does not grow
        with the number of cells.
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
        """(events, columns of W, the row in them of each gene) for events in this order, genes (n,
        k); columns no more than TABLE_BYTES.
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
        """(2, n) raw and propagated impacts of a block's events, from rows of all genes."""
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
    """Events in order of the first gene they remove."""
    if not genes.shape[1]:
        return np.arange(len(genes))
    names = (
        genes[:, 0].astype(np.uint16) if genes.max(initial=0) < 2**16 else genes[:, 0]
    )  # numpy's stable sort is a radix sort then
    return np.argsort(names, kind="stable")


@dataclass(frozen=True, eq=False)
class CellRows:
    """What a cell's events have in common.

    on : (c, G) 1 or 0. m, U : (c, G), 0 where off. profile : (c, G), the wild type's. total : (c,)
    sum of |U|.
    """

    on: Tensor
    m: Tensor
    U: Tensor
    profile: Tensor
    total: Tensor

    @classmethod
    def of(cls, on: Tensor, m: Tensor, U: Tensor) -> CellRows:
        on = on.double()
        U = U * on
        total = U.abs().sum(dim=1)
        return cls(on, m * on, U, closed(U.abs(), on, total <= 0), total)


def impacts_of_rows(
    rows: CellRows, columns: Tensor, cells: Tensor, genes: Tensor, places: Tensor
) -> tuple[Tensor, Tensor]:
    """(raw, propagated), each (n,), of events in `cells` (n,) that remove `genes` (n, k), whose
    columns of W are columns[places].

    The Bray-Curtis of profiles as `predict_expression` gives them: a row of zeros becomes uniform
    over what is on.
    """
    on = rows.on[cells]
    counted = on.gather(
        1, genes
    )  # a removed gene counts where it is on, and the first time that it is named
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
    return dissimilarity(after, before), dissimilarity(
        after, rows_over_sum(before.scatter(1, genes, 0))
    )


def closed(values: Tensor, on: Tensor, vanished: Tensor) -> Tensor:
    """`common.close_rows`: rows over their sum; a row that has `vanished` (n,) becomes uniform over
    what is on. Changes `values`.
    """
    if vanished.any():
        values[vanished] = on[vanished]
    return rows_over_sum(values)


def dissimilarity(a: Tensor, b: Tensor) -> Tensor:
    """(n,) Bray-Curtis of rows >= 0; 0 where both are 0."""
    total = a.sum(dim=1) + b.sum(dim=1)
    return (a - b).abs_().sum(dim=1) / torch.where(total > 0, total, torch.ones_like(total))
