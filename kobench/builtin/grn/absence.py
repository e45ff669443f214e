"""Which genes each cell lacks: at random, or in correlated sets as in tissue."""

from __future__ import annotations

import numpy as np

from kobench.cells import BoolArray

#: Correlation of two genes of the same module on the latent scale whose lowest entries are absent.
MODULE_CORRELATION = 0.9


def draw_random_absence(rng: np.random.Generator, cells: int, genes: int, absent: float) -> BoolArray:
    """(cells, genes) bool: each cell lacks round(absent * genes) genes, drawn evenly and independently of every other cell.

    The number is the same in each cell because the paper's demo has it so: none of its 500 cells lacks fewer than 20 of 100.
    """
    ranks = rng.random((cells, genes)).argsort(axis=1).argsort(axis=1)
    return np.asarray(ranks < round(absent * genes))


def draw_module_absence(rng: np.random.Generator, cells: int, genes: int, absent: float, modules: int) -> BoolArray:
    """(cells, genes) bool: genes of one module are absent together; round(absent * cells * genes) entries in all.

    Every gene belongs to one of `modules` equal sets, drawn without regard to the network. Cell c has a standard normal factor
    z[c, k] for each; gene g has the score sqrt(rho) z[c, module(g)] + sqrt(1 - rho) e[c, g] with rho = `MODULE_CORRELATION`
    and e standard normal; the lowest scores of all are absent. So presence of one gene tells of the presence of its
    whole module, and the number of expressed genes differs between cells.
    """
    module = rng.permutation(np.arange(genes) % modules)
    factors = rng.standard_normal((cells, modules))
    own = rng.standard_normal((cells, genes))
    score = np.sqrt(MODULE_CORRELATION) * factors[:, module] + np.sqrt(1.0 - MODULE_CORRELATION) * own
    lacking = np.zeros(cells * genes, bool)
    lacking[score.ravel().argsort(kind="stable")[: round(absent * cells * genes)]] = True
    return lacking.reshape(cells, genes)
