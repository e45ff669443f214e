"""Ridge regression of every gene on the same features, each gene only over the cells in which it is
on.
"""

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
    """Dual weights (n, G) and intercepts (G,) of one ridge regression a gene, over that gene's
    cells S_j = {i : on_ij}.

    Gene j minimises sum over S_j of (y_ij - b_j - x_i . w_j)^2 + penalty |w_j|^2, intercept free,
    with kernel K = x x' (n, n). In the dual w_j = sum_i alpha_ij x_i, where alpha_j is 0 outside
    S_j, sums to 0 and solves P (K + penalty) alpha_j = P y_j, P being "keep S_j, subtract the mean
    over S_j" (a projection). The cells differ from gene to gene, so one factorisation cannot serve
    all genes; but K is common, so conjugate gradients run for all genes at once, one K @ (n, G)
    product a step.

    tolerance : residual over right-hand side at which a gene is done. start : weights to begin
    from, for instance of another penalty.
    """
    kernel, targets = kernel.astype(targets.dtype, copy=False), targets * on
    mask = on.astype(targets.dtype)
    count = np.maximum(mask.sum(axis=0), 1)
    right = project(targets, mask, count)
    goal = tolerance**2 * (right**2).sum(axis=0)
    weights = np.zeros_like(right) if start is None else start.copy()
    residual = (
        right
        if start is None
        else right - project(kernel @ weights, mask, count) - penalty * weights
    )
    size = (residual**2).sum(axis=0)
    genes: Ints = np.flatnonzero(size > goal)  # the ones not done
    solution, residual, size, direction = (
        weights[:, genes],
        residual[:, genes],
        size[genes],
        residual[:, genes],
    )
    # conjugate gradients end after n steps in exact arithmetic; rounding may need a few more
    for _ in range(2 * len(kernel)):
        if not len(genes):
            break
        image = project(kernel @ direction, mask[:, genes], count[genes]) + penalty * direction
        curvature = (direction * image).sum(axis=0)
        step = np.divide(
            size, curvature, out=np.zeros_like(size), where=curvature > 0
        )  # 0 once a gene is solved exactly
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
            solution, residual, direction = (
                solution[:, active],
                residual[:, active],
                direction[:, active],
            )
    weights[:, genes] = solution
    intercepts = (mask * (targets - kernel @ weights)).sum(axis=0) / count
    return weights, intercepts


def project(values: Floats, mask: Floats, count: Floats) -> Floats:
    """Each column within its mask, minus its mean over the mask."""
    masked = values * mask
    masked -= mask * (masked.sum(axis=0) / count)
    return masked
