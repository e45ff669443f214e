"""From cells to a weighted network: GRNBoost2's links, the strongest for each target, and a ridge
coefficient on each.
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
    """For each gene the columns of its `top` strongest regulators by GRNBoost2's importance,
    strongest first.

    expression : (n, G) float. names : G gene names, no two alike. regulators : columns of the genes
    that may regulate. Calls `arboreto.core.infer_partial_network` for one target after the other,
    with the settings of `arboreto.algo.grnboost2`. Raises RuntimeError where arboreto gives up on a
    target: it only warns then, and hands out an empty network.
    """
    from arboreto.core import SGBM_KWARGS, infer_partial_network

    matrix, column = expression[:, regulators], {name: place for place, name in enumerate(names)}
    regulator_names = [names[gene] for gene in regulators]
    links = []
    for target, name in enumerate(names):
        own = expression[:, target]
        candidates = len(regulator_names) - int(name in regulator_names)
        # a gene that never varies has no regulator; arboreto says so, too, but after 5,000 empty
        # trees
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
    """The `top` columns of largest importance, largest first; of equal ones the one with the lower
    column first.

    >>> top_of(np.array([4, 2, 7]), np.array([0.5, 0.5, 0.9]), 2)
    array([7, 2])
    """
    order = np.lexsort((columns, -importance))
    chosen: Ints = columns[order[:top]]
    return chosen


def coefficients(expression: Floats, links: Sequence[Ints], penalty: float) -> Any:
    """Sparse (G, G) coefficients; [i, j] is by how much gene j changes for each unit by which gene
    i does.

    For each target j with regulators R, b = argmin |y - Z b|^2 + penalty |b|^2, y and Z the centred
    columns j and R of `expression` (n, G): ridge regression (Hoerl & Kennard 1970) with an
    intercept. Without a penalty the shortest of the best b.
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
    """argmin |y - Z b|^2 + penalty |b|^2 by the singular values of Z (n, k), (k,); those at
    rounding error count as 0.

    >>> ridge(np.array([[1.0], [-1.0]]), np.array([2.0, -2.0]), 2.0)
    array([1.])
    """
    left, sizes, right = np.linalg.svd(Z, full_matrices=False)
    kept = sizes > max(Z.shape) * np.finfo(float).eps * sizes.max(initial=0.0)
    inverse = np.zeros_like(sizes)
    inverse[kept] = sizes[kept] / (sizes[kept] ** 2 + penalty)
    answer: Floats = right.T @ (inverse * (left.T @ y))
    return answer
