"""Ridge regression of every gene on the same features, each over the cells in which it is on."""

from __future__ import annotations

import numpy as np

from kobench_baselines.common import Bools, Floats, Ints


def solve(
    kernel: Floats,
    on: Bools,
    targets: Floats,
    penalty: float,
    tolerance: float = 1e-4,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Solve one ridge regression a gene, each over that gene's cells S_j = {i : on_ij}.

    Gene j minimises sum over S_j of (y_ij - b_j - x_i . w_j)^2 + penalty |w_j|^2, with a free
    intercept b_j. In the dual w_j = sum_i alpha_ij x_i, where alpha_j is 0 outside S_j, sums to 0
    and solves P (K + penalty) alpha_j = P y_j. K = x x', and P is the projection "keep S_j,
    subtract the mean over S_j". The cells differ from gene to gene, so one factorisation cannot
    serve all genes. But K is common, so conjugate gradients run for all genes at once, with one
    product K @ (n, G) a step.

    Parameters
    ----------
    kernel : (n, n) float
        K.
    on : (n, G) bool
        The cells of each gene.
    targets : (n, G) float
        y; its dtype is the one that is computed in.
    penalty : float
        Penalty, > 0.
    tolerance : float
        Residual over right-hand side at which a gene is done.
    start : (n, G) float, optional
        Weights to begin from, for instance those of another penalty.

    Returns
    -------
    weights : (n, G) float
        Dual weights alpha.
    intercepts : (G,) float
        b.
    """
    kernel, targets = kernel.astype(targets.dtype, copy=False), targets * on
    mask = on.astype(targets.dtype)
    count = np.maximum(mask.sum(axis=0), 1)
    right = project(targets, mask, count)
    goal = tolerance**2 * (right**2).sum(axis=0)
    weights = np.zeros_like(right) if start is None else start.copy()
    residual = right
    if start is not None:
        residual = right - project(kernel @ weights, mask, count) - penalty * weights
    size = (residual**2).sum(axis=0)
    genes: Ints = np.flatnonzero(size > goal)  # those that are not done
    solution, size = weights[:, genes], size[genes]
    residual, direction = residual[:, genes], residual[:, genes]
    # conjugate gradients end after n steps in exact arithmetic; rounding may need a few more
    for _ in range(2 * len(kernel)):
        if not len(genes):
            break
        image = project(kernel @ direction, mask[:, genes], count[genes]) + penalty * direction
        curvature = (direction * image).sum(axis=0)
        # 0 once a gene is solved exactly
        step = np.divide(size, curvature, out=np.zeros_like(size), where=curvature > 0)
        solution += step * direction
        residual = residual - step * image
        smaller = (residual**2).sum(axis=0)
        direction = (
            residual + np.divide(smaller, size, out=np.zeros_like(size), where=size > 0) * direction
        )
        size = smaller
        active = size > goal[genes]
        if active.mean() < 0.8:  # copying pays only once many genes are done
            weights[:, genes] = solution
            genes, size = genes[active], size[active]
            solution, residual = solution[:, active], residual[:, active]
            direction = direction[:, active]
    weights[:, genes] = solution
    intercepts = (mask * (targets - kernel @ weights)).sum(axis=0) / count
    return weights, intercepts


def project(values: Floats, mask: Floats, count: Floats) -> Floats:
    """Each column within its mask, minus its mean over the mask.

    Parameters
    ----------
    values, mask : (n, G) float
        Mask of 0 and 1.
    count : (G,) float
        Sums of the mask, at least 1.
    """
    masked = values * mask
    masked -= mask * (masked.sum(axis=0) / count)
    return masked
