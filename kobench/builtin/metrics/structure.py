"""How well it is kept which genes vary together among the cells of a perturbation."""

from __future__ import annotations

import numpy as np

from kobench.api import NotComputed, Parts, StructureUnits
from kobench.cells import BoolArray, FloatArray


def pair_correlation(units: StructureUnits) -> Parts:
    """Mean over perturbations of Pearson's correlation over pairs: Parts over perturbations.

    A constant answer to one perturbation counts 0, constant in all of them it has no value.
    """
    kept = np.flatnonzero(_varies(units.true))
    if not len(kept):
        raise NotComputed("no perturbation has pairs whose true correlations differ")
    predicted, true = np.asarray(units.predicted, np.float64)[kept], units.true[kept]
    answered = _varies(predicted)
    values = np.zeros(len(kept))
    values[answered] = _correlate(predicted[answered], true[answered])
    if not answered.any() or np.isnan(predicted).any():
        values[:] = np.nan
    return Parts("perturbation", units.perturbations[kept], values, np.ones(len(kept)))


def _varies(rows: FloatArray) -> BoolArray:
    """(k,) whether the numbers of a row differ by more than rounding."""
    if not rows.shape[1]:
        return np.zeros(len(rows), bool)
    return np.asarray(rows.max(axis=1) - rows.min(axis=1) > 1e-12)


def _correlate(a: FloatArray, b: FloatArray) -> FloatArray:
    """(k,) Pearson's correlation of each row of two; exactly 1 for equal rows."""
    a, b = (rows - rows.mean(axis=1, keepdims=True) for rows in (a, b))
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    found = np.clip((a * b).sum(axis=1) / size, -1.0, 1.0)
    return np.where((a == b).all(axis=1), 1.0, found)
