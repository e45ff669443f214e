"""`grn`: simulated gene networks with counterfactual truth, and `planted`: with perturbed cells.

Importing this needs no scipy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kobench.dataset import Dataset


def load(**params: Any) -> Dataset:
    """One simulated dataset with counterfactual truth.

    Parameters
    ----------
    **params
        Those of `kobench.builtin.datasets.grn.spec.PARAMS`, with the defaults there.

    Raises
    ------
    UserError
        For an unknown parameter or a value out of its range.

    Examples
    --------
    >>> dataset = load(genes=20, cells=5, seed=1)
    >>> dataset.cells.shape, dataset.truth.wild_type([0, 1]).shape
    ((5, 20), (2, 20))
    """
    from kobench.builtin.datasets.grn.generate import generate

    return generate(params)


def load_planted(**params: Any) -> Dataset:
    """One simulated dataset with perturbed cells.

    Its wild-type cells are those of `load` with the same parameters, but for a batch effect.

    Parameters
    ----------
    **params
        Those of `kobench.builtin.datasets.grn.spec.PLANTED`, with the defaults there.

    Raises
    ------
    UserError
        For an unknown parameter or a value out of its range.

    Examples
    --------
    >>> dataset = load_planted(genes=20, cells=5, perturbations=2, perturbed_cells=3)
    >>> dataset.cells.shape, sorted(set(dataset.perturbed.obs["perturbation"].tolist()))
    ((5, 20), ['G011', 'G015'])
    """
    from kobench.builtin.datasets.grn.planted import generate_planted

    return generate_planted(params)


def notes_of(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """What is said of the cells of `grn` or `planted` with some parameters, for `kobench info`.

    Parameters
    ----------
    name : "grn" or "planted"
        Which of them.
    params : mapping
        A value for every parameter.
    """
    from kobench.builtin.datasets.grn.describe import notes, planted_notes

    return (*planted_notes(params), *notes(params)) if name == "planted" else notes(params)
