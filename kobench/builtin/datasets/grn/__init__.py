"""`grn`: simulated gene networks with counterfactual truth, and `planted`: with perturbed cells.

Importing this needs no scipy.
"""

from __future__ import annotations

from typing import Any

from kobench.dataset import Dataset


def load(**params: Any) -> Dataset:
    """One simulated data set; the parameters and their defaults are those of
    `kobench.builtin.datasets.grn.spec.grn_spec`.

    Raises `kobench.errors.UserError` for an unknown parameter or a value out of its range.

    >>> dataset = load(genes=20, cells=5, seed=1)
    >>> dataset.cells.shape, dataset.truth.wild_type([0, 1]).shape
    ((5, 20), (2, 20))
    """
    from kobench.builtin.datasets.grn.generate import generate

    return generate(params)


def load_planted(**params: Any) -> Dataset:
    """One simulated data set with perturbed cells; its parameters are those of
    `kobench.builtin.datasets.grn.spec.planted_spec`.

    Its wild-type cells are those of `load` with the same parameters, but for a batch effect. Raises
    `kobench.errors.UserError` as `load`.

    >>> dataset = load_planted(genes=20, cells=5, perturbations=2, perturbed_cells=3)
    >>> dataset.cells.shape, sorted(set(dataset.perturbed.obs["perturbation"].tolist()))
    ((5, 20), ['G011', 'G015'])
    """
    from kobench.builtin.datasets.grn.planted import generate_planted

    return generate_planted(params)
