"""From cells to a weighted network.

It has GRNBoost2's links, the strongest for each target, with a ridge coefficient on each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

#: Called with (done, total) after each target.
Progress = Callable[[int, int], None]


def strongest_links(
    expression: Floats,
    names: Sequence[str],
    regulators: Ints,
    top: int,
    seed: int,
    window: int,
    progress: Progress,
) -> list[Ints]:
    """The strongest regulators of each gene by GRNBoost2's importance.

    It calls `arboreto.core.infer_partial_network` for one target after the other, with the settings
    of `arboreto.algo.grnboost2`.

    Parameters
    ----------
    expression : (n, G) float
        Expression of the cells.
    names : sequence of str
        G gene names, no two alike.
    regulators : (r,) int
        Columns of the genes that may regulate.
    top : int
        Regulators kept for each target.
    seed : int
        Seed of the trees.
    window : int
        Trees over which early stopping looks.
    progress : callable
        Called with (done, total) after each target.

    Returns
    -------
    list of (k,) int
        For each gene the columns of its regulators, strongest first.

    Raises
    ------
    RuntimeError
        If arboreto gives up on a target. It only warns then, and returns an empty network.
    """
    from arboreto.core import SGBM_KWARGS, infer_partial_network

    matrix, column = expression[:, regulators], {name: place for place, name in enumerate(names)}
    regulator_names = [names[gene] for gene in regulators]
    links = []
    for target, name in enumerate(names):
        own = expression[:, target]
        candidates = len(regulator_names) - int(name in regulator_names)
        # a gene that never varies has no regulator; arboreto finds that, too, but only after 5,000
        # empty trees
        if not candidates or np.all(own == own[0]):
            links.append(np.empty(0, np.int64))
        else:
            found, fitted = infer_partial_network(
                "GBM",
                SGBM_KWARGS,
                matrix,
                regulator_names,
                name,
                own,
                include_meta=True,
                early_stop_window_length=window,
                seed=seed,
            )
            if not len(fitted):
                raise RuntimeError(
                    f"arboreto could not infer the regulators of {name!r} from {len(own)} cells x"
                    f" {candidates} genes; its warnings say why"
                )
            links.append(
                top_of(
                    np.array([column[regulator] for regulator in found["TF"]], np.int64),
                    found["importance"].to_numpy(),
                    top,
                )
            )
        progress(target + 1, len(names))
    return links


def top_of(columns: Ints, importance: Floats, top: int) -> Ints:
    """The columns of largest importance, largest first; of equal ones the lower column first.

    Parameters
    ----------
    columns : (k,) int
        Columns of genes.
    importance : (k,) float
        Their importance.
    top : int
        How many are kept.

    Examples
    --------
    >>> top_of(np.array([4, 2, 7]), np.array([0.5, 0.5, 0.9]), 2)
    array([7, 2])
    """
    order = np.lexsort((columns, -importance))
    chosen: Ints = columns[order[:top]]
    return chosen


def coefficients(expression: Floats, links: Sequence[Ints], penalty: float) -> Any:
    """Coefficients on the links, by ridge regression with an intercept (Hoerl & Kennard 1970).

    For each target j with regulators R, b = argmin |y - Z b|^2 + penalty |b|^2, with y and Z the
    centred columns j and R of `expression`. Without a penalty, it is the shortest of the best b.

    Parameters
    ----------
    expression : (n, G) float
        Expression of the cells.
    links : sequence of (k,) int
        The regulators of each gene.
    penalty : float
        Ridge penalty, >= 0.

    Returns
    -------
    (G, G) sparse
        [i, j] is by how much gene j changes for each unit by which gene i does.
    """
    from scipy.sparse import csr_matrix

    values = np.asarray(expression, np.float64)
    centred = values - values.mean(axis=0)
    weights, rows, columns = [], [], []
    for target, regulators in enumerate(links):
        if len(regulators):
            weights.append(ridge(centred[:, regulators], centred[:, target], penalty))
            rows.append(regulators)
            columns.append(np.full(len(regulators), target))
    if not weights:
        return csr_matrix((len(links), len(links)))
    return csr_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(len(links), len(links)),
    )


def ridge(Z: Floats, y: Floats, penalty: float) -> Floats:
    """argmin |y - Z b|^2 + penalty |b|^2, by the singular values of Z.

    Singular values that are rounding errors count as 0.

    Parameters
    ----------
    Z : (n, k) float
        Features.
    y : (n,) float
        Targets.
    penalty : float
        Penalty, >= 0.

    Returns
    -------
    (k,) float
        b.

    Examples
    --------
    >>> ridge(np.array([[1.0], [-1.0]]), np.array([2.0, -2.0]), 2.0)
    array([1.])
    """
    left, sizes, right = np.linalg.svd(Z, full_matrices=False)
    kept = sizes > max(Z.shape) * np.finfo(float).eps * sizes.max(initial=0.0)
    inverse = np.zeros_like(sizes)
    inverse[kept] = sizes[kept] / (sizes[kept] ** 2 + penalty)
    answer: Floats = right.T @ (inverse * (left.T @ y))
    return answer
