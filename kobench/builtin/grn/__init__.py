"""`grn`: simulated gene networks with counterfactual truth; `load` draws one. Importing this needs no scipy."""

from __future__ import annotations

from typing import Any

from kobench.truth import Dataset


def load(**params: Any) -> Dataset:
    """One simulated data set; the parameters and their defaults are those of `kobench.builtin.grn.spec.grn_spec`.

    Raises `kobench.errors.UserError` for an unknown parameter or a value out of its range.

    >>> dataset = load(genes=20, cells=5, seed=1)
    >>> dataset.cells.shape, dataset.truth.wild_type([0, 1]).shape
    ((5, 20), (2, 20))
    """
    from kobench.builtin.grn.generate import generate

    return generate(params)
