"""Which single knockouts are asked: every one of every cell, or a random sample.

Cells are looked at a few at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from kobench.cells import Cells, IntArray, Knockouts

#: Entries (cells x genes) that are looked at at once.
ENTRIES_A_BLOCK = 4_000_000

#: Keep the two kinds of samples apart from every other use of a seed.
_SAMPLE_STREAM, _SPREAD_STREAM = 0x5A3B1E, 0x5B3EAD


def blocks_of_cells(shape: tuple[int, int]) -> Iterator[slice]:
    """Slices of the cells with at most `ENTRIES_A_BLOCK` entries each, or one cell.

    Parameters
    ----------
    shape : (int, int)
        Number of cells and of genes.
    """
    step = max(1, ENTRIES_A_BLOCK // max(1, shape[1]))
    return (slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step))


def singles_by_block(cells: Cells) -> Iterator[Knockouts]:
    """Every single knockout of the cells, block by block; see `Knockouts.singles`.

    Yields
    ------
    Knockouts
        Their `cells` are rows of all the cells.
    """
    for block in blocks_of_cells(cells.shape):
        events = Knockouts.singles(cells[block].assemblages())
        assert events.cells is not None
        yield Knockouts(events.genes, events.cells + np.int32(block.start))


def every_single(cells: Cells) -> Knockouts:
    """Every single knockout of every cell, grouped by cell."""
    return joined(list(singles_by_block(cells)))


def sample_singles(cells: Cells, most: int, seed: int = 0) -> tuple[Knockouts, int]:
    """Some of the single knockouts, all equally likely.

    The draw is one of gene names: genes in another order give the same events.

    Parameters
    ----------
    cells : Cells
        The asked cells.
    most : int
        How many are drawn; all of them where there are no more.
    seed : int
        Seed of the draw.

    Returns
    -------
    (Knockouts, int)
        The events, grouped by cell, and how many there are to draw from.
    """
    total = int(expressing(cells).sum())
    if total <= most:
        return every_single(cells), total
    rng = np.random.default_rng([_SAMPLE_STREAM, seed])
    chosen = np.sort(rng.choice(total, most, replace=False))
    by_name = ranks_of(cells.var_names)
    kept, passed = [], 0
    for events in singles_by_block(cells):
        assert events.cells is not None
        first, last = np.searchsorted(chosen, (passed, passed + len(events)))
        order = np.lexsort((by_name[events.genes[:, 0]], events.cells))
        kept.append(events[np.sort(order[chosen[first:last] - passed])])
        passed += len(events)
    return joined(kept), total


def spread_singles(cells: Cells, most: int, available: IntArray, seed: int = 0) -> Knockouts:
    """About `most` of the single knockouts, spread evenly over the genes.

    The draw is one of gene names, as that of `sample_singles`.

    Parameters
    ----------
    cells : Cells
        The asked cells.
    most : int
        How many knockouts are wanted.
    available : (G,) int
        How many each gene has, see `expressing`; 0 for genes that are not to be removed.
    seed : int
        Seed of the draw.

    Returns
    -------
    Knockouts
        Grouped by cell. Of each gene all its cells, or the same number of them: the largest number
        with which the events are no more than `most`, but one at least.
    """
    n_genes = cells.n_vars
    asked = np.minimum(available, even_share(available, most))
    rng = np.random.default_rng([_SPREAD_STREAM, seed])
    names = np.argsort(cells.var_names, kind="stable")
    chosen = [
        gene + n_genes * rng.choice(available[gene], asked[gene], replace=False)
        for gene in names
        if asked[gene]
    ]
    codes = np.concatenate([np.empty(0, np.int64), *chosen])
    kept, seen = [], np.zeros(n_genes, np.int64)
    for events in singles_by_block(cells):
        genes = events.genes[:, 0].astype(np.int64)
        counts = np.bincount(genes, minlength=n_genes)
        place = np.empty(len(genes), np.int64)  # among all events of the same gene
        before = np.repeat(np.cumsum(counts) - counts - seen, counts)
        place[np.argsort(genes, kind="stable")] = np.arange(len(genes)) - before
        seen += counts
        wanted = np.isin(genes + n_genes * place, codes, assume_unique=True)
        kept.append(events[np.flatnonzero(wanted)])
    return joined(kept)


def even_share(available: IntArray, most: int) -> int:
    """The largest number k >= 1 with sum(min(available, k)) <= most; 1 where even that is too much.

    >>> even_share(np.array([1, 5, 9]), 9)
    4
    """
    low, high = 1, max(1, int(available.max(initial=1)))
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(available, middle).sum()) <= most:
            low = middle
        else:
            high = middle - 1
    return low


def expressing(cells: Cells) -> npt.NDArray[np.int64]:
    """How many single knockouts each gene has.

    Returns
    -------
    (G,) int
        The cells that express the gene and at least one other gene.
    """
    counts = np.zeros(cells.n_vars, np.int64)
    for block in blocks_of_cells(cells.shape):
        on = cells[block].assemblages()
        counts += on[on.sum(axis=1) > 1].sum(axis=0)
    return counts


def ranks_of(names: npt.NDArray[np.str_]) -> IntArray:
    """(G,) the place of each name in their alphabetical order."""
    return np.argsort(np.argsort(names, kind="stable"))


def joined(batches: Sequence[Knockouts]) -> Knockouts:
    """Batches of single knockouts as one."""
    genes = [batch.genes for batch in batches]
    cells = [batch.cells for batch in batches if batch.cells is not None]
    return Knockouts(
        np.concatenate([np.empty((0, 1), np.int32), *genes]),
        np.concatenate([np.empty(0, np.int32), *cells]),
    )
