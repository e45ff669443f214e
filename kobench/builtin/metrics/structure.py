"""How well it is kept which genes vary together among the cells of a perturbation."""

from __future__ import annotations

import numpy as np

from kobench.api import NotComputed, Parts, StructureUnits, orders_among
from kobench.cells import BoolArray, FloatArray, IntArray


class PairCorrelation:
    """Mean over perturbations of Pearson's correlation over pairs of genes."""

    def __call__(self, units: StructureUnits) -> Parts:
        """Parts over perturbations.

        A constant answer to one perturbation counts 0, constant in all of them it has no value.
        """
        kept = _asked(units)
        predicted, true = np.asarray(units.predicted, np.float64)[kept], units.true[kept]
        answered = _varies(predicted)
        values = np.zeros(len(kept))
        values[answered] = _correlate(predicted[answered], true[answered])
        if not answered.any() or np.isnan(predicted).any():
            values[:] = np.nan
        return Parts("perturbation", units.perturbations[kept], values, np.ones(len(kept)))

    def permuted(self, units: StructureUnits, orders: IntArray) -> FloatArray:
        """(n,) values with the answers permuted: the value, and what their `alike` change by."""
        kept = _asked(units)
        alike = units if units.alike is None else units.alike()
        predicted = np.asarray(alike.predicted, np.float64)[kept]
        table = _standard(predicted) @ _standard(alike.true[kept]).T
        at = np.arange(len(kept))
        given = table[orders_among(orders, kept), at].mean(axis=1)
        return np.asarray(self(units).value + (given - table[at, at].mean()))


def _asked(units: StructureUnits) -> IntArray:
    """The rows whose true correlations differ.

    Raises
    ------
    NotComputed
        Where there is none.
    """
    kept = np.flatnonzero(_varies(units.true))
    if not len(kept):
        raise NotComputed("no perturbation has pairs whose true correlations differ")
    return kept


def _varies(rows: FloatArray) -> BoolArray:
    """(k,) whether the numbers of a row differ by more than rounding."""
    if not rows.shape[1]:
        return np.zeros(len(rows), bool)
    return np.asarray(rows.max(axis=1) - rows.min(axis=1) > 1e-12)


def _standard(rows: FloatArray) -> FloatArray:
    """(k, M) rows of mean 0 and length 1, whose products are correlations; 0 for constant ones."""
    centred = np.where(_varies(rows)[:, None], rows - rows.mean(axis=1, keepdims=True), 0.0)
    size = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(centred, size, out=np.zeros_like(centred), where=size > 0))


def _correlate(a: FloatArray, b: FloatArray) -> FloatArray:
    """(k,) Pearson's correlation of each row of two; exactly 1 for equal rows."""
    a, b = (rows - rows.mean(axis=1, keepdims=True) for rows in (a, b))
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    found = np.clip((a * b).sum(axis=1) / size, -1.0, 1.0)
    return np.where((a == b).all(axis=1), 1.0, found)


pair_correlation = PairCorrelation()
