"""Which genes each cell lacks: at random, or in correlated sets as in tissue."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray

#: Correlation of two genes of the same module on the latent scale whose lowest entries are absent.
MODULE_CORRELATION = 0.9

#: Draws which genes further cells lack, (cells, genes) bool, by the law of the first ones.
More = Callable[[np.random.Generator, int], BoolArray]


def draw_absence(
    rng: np.random.Generator, cells: int, genes: int, absent: float, modules: int | None
) -> tuple[BoolArray, More]:
    """Which genes each cell lacks, and how further cells of the same kind are drawn.

    Parameters
    ----------
    rng : Generator
    cells, genes : int
    absent : float
        Share of the entries that are absent.
    modules : int, or None for absence at random
        Number of modules.

    Returns
    -------
    (cells, genes) bool
    More
        Draws further cells. They have the same modules and lack what scores as low as in the first
        cells, so their number of absent entries varies.
    """
    if modules is None:
        first = draw_random_absence(rng, cells, genes, absent)
        return first, lambda other, n: draw_random_absence(other, n, genes, absent)
    module = draw_modules(rng, genes, modules)
    score = draw_module_scores(rng, cells, module)
    lacking = lowest(score, absent)
    cut = score[lacking].max(initial=-np.inf)
    return lacking, lambda other, n: np.asarray(draw_module_scores(other, n, module) <= cut)


def draw_random_absence(
    rng: np.random.Generator, cells: int, genes: int, absent: float
) -> BoolArray:
    """(cells, genes) bool, where each cell lacks round(absent * genes) random genes.

    They are drawn evenly and independently of every other cell. The number is the same in each cell
    because the paper's demo has it so: none of its 500 cells lacks fewer than 20 of 100.
    """
    ranks = rng.random((cells, genes)).argsort(axis=1).argsort(axis=1)
    return np.asarray(ranks < round(absent * genes))


def draw_module_absence(
    rng: np.random.Generator, cells: int, genes: int, absent: float, modules: int
) -> BoolArray:
    """(cells, genes) bool, where genes of one module are absent together.

    In all round(absent * cells * genes) entries are absent. So presence of one gene tells of the
    presence of its whole module, and the number of expressed genes differs between cells.

    Notes
    -----
    Every gene belongs to one of `modules` equal sets, drawn without regard to the network. Cell c
    has a standard normal factor z[c, k] for each set k; gene g has the score sqrt(rho) z[c,
    module(g)] + sqrt(1 - rho) e[c, g] with rho = `MODULE_CORRELATION` and e standard normal. The
    lowest scores of all are absent.
    """
    return draw_absence(rng, cells, genes, absent, modules)[0]


def draw_modules(rng: np.random.Generator, genes: int, modules: int) -> IntArray:
    """(genes,) the module of each gene."""
    return rng.permutation(np.arange(genes) % modules)


def draw_module_scores(rng: np.random.Generator, cells: int, module: IntArray) -> FloatArray:
    """(cells, genes) scores as in `draw_module_absence`, from the module of each gene, (genes,)."""
    factors = rng.standard_normal((cells, int(module.max()) + 1))
    own = rng.standard_normal((cells, len(module)))
    scores: FloatArray = (
        np.sqrt(MODULE_CORRELATION) * factors[:, module] + np.sqrt(1.0 - MODULE_CORRELATION) * own
    )
    return scores


def lowest(score: FloatArray, share: float) -> BoolArray:
    """Which entries of `score`, any shape, are among the round(share * all) lowest."""
    marked: BoolArray = np.zeros(score.size, bool)
    marked[score.ravel().argsort(kind="stable")[: round(share * score.size)]] = True
    return marked.reshape(score.shape)
