"""What log-transformed values add up to in each cell: it tells how the counts were scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from kobench.errors import UserError

#: What the counts of a cell are scaled to in log1p-cp10k.
TARGET_TOTAL = 1e4

#: Cells that are looked at together.
ROWS = 4096

#: Sums that differ by no more than this part are equal, but for rounding.
ALIKE = 2e-3

#: With fewer cells equal sums say nothing.
ENOUGH = 10


def common_total(X: Any) -> float | None:
    """What expm1 of the values (n, G) adds up to in every cell; None where cells differ.

    >>> X = np.log1p(np.tile([[2.0, 3.0]], (10, 1)))
    >>> common_total(X)
    5.0
    """
    low, high = np.inf, 0.0
    if X.shape[0] < ENOUGH:
        return None
    for start in range(0, X.shape[0], ROWS):
        part = X[start : start + ROWS]
        sums = (
            np.asarray(part.astype(np.float64).expm1().sum(axis=1)).ravel()
            if scipy.sparse.issparse(part)
            else np.expm1(np.asarray(part, dtype=np.float64)).sum(axis=1)
        )
        low, high = min(low, float(sums.min())), max(high, float(sums.max()))
        if not high - low <= ALIKE * high:
            return None
    return (low + high) / 2


def is_target(total: float) -> bool:
    """Whether a sum is that of log1p-cp10k, but for rounding."""
    return abs(total - TARGET_TOTAL) <= ALIKE * TARGET_TOTAL


def of_other_total(total: float) -> str:
    """What is known of cells that all have another sum than 10,000, and what to do."""
    return (
        f"expm1 of the values adds up to {total:,.0f} in every cell, so they are logarithms of"
        f" counts per {total:,.0f}, not per {TARGET_TOTAL:,.0f}; bring the counts, or a copy of the"
        f" file with X = log1p(expm1(X) * {TARGET_TOTAL:.0f} / {total:.6g}) and declare"
        " scale=log1p-cp10k"
    )


def check_total(X: Any, where: str) -> None:
    """UserError where values (n, G) that are declared as log1p-cp10k have another common total."""
    total = common_total(X)
    if total is not None and not is_target(total):
        raise UserError(f"{where}: scale=log1p-cp10k is declared, but {of_other_total(total)}")
