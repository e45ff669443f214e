"""Data sets for tests of the audit: counts of known rates, with faults put in by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse

from kobench.cells import Cells
from kobench.dataset import Dataset


def cells_of(X, names, **obs) -> Cells:
    """Cells with counts as they are."""
    return Cells(scipy.sparse.csr_matrix(np.asarray(X, np.float32)), np.asarray(names), obs)


def screen(
    n=60, k=6, genes=30, effect=0.0, batches=2, seed=0, each=40, left=1.0, key="lane"
) -> Dataset:
    """n wild-type cells, and `each` cells of each of k perturbations.

    Gene i of the first k is the target of perturbation i, and has `left` of its rate there; ten
    others are multiplied by 1 + effect. Cells go to the batches by turns.
    """
    rng = np.random.default_rng(seed)
    names = np.array([f"g{i}" for i in range(genes)])

    def draw(count, shifted=(), target=None):
        rate = np.full(genes, 5.0)
        rate[list(shifted)] *= 1 + effect
        if target is not None:
            rate[target] *= left
        return rng.poisson(rate, (count, genes))

    def lanes(count):
        return np.array(list("abcdef"))[np.arange(count) % batches]

    wild = draw(n)
    shifted = [np.arange(10 + i, 20 + i) % genes for i in range(k)]
    perturbed = np.concatenate([draw(each, shifted[i], i) for i in range(k)])
    obs = {key: lanes(len(perturbed))} if key else {}
    return Dataset(
        cells=cells_of(wild, names, **({key: lanes(n)} if key else {})),
        scale="linear",
        kind="real",
        batch_key=key,
        perturbed=cells_of(perturbed, names, perturbation=np.repeat(names[:k], each), **obs),
    )


def with_columns(dataset: Dataset, wild=None, perturbed=None, **fields) -> Dataset:
    """The dataset with other columns of obs, and other fields."""
    cells, others = dataset.cells, dataset.perturbed
    assert others is not None
    return replace(
        dataset,
        cells=Cells(cells.X, cells.var_names, {**cells.obs, **(wild or {})}),
        perturbed=Cells(others.X, others.var_names, {**others.obs, **(perturbed or {})}),
        **fields,
    )


def with_gene(dataset: Dataset, name, wild, perturbed) -> Dataset:
    """The dataset with another gene."""
    others = dataset.perturbed
    assert others is not None
    names = np.append(dataset.cells.var_names, name)

    def widened(cells, column):
        X = scipy.sparse.hstack([cells.X, np.asarray(column, np.float32)[:, None]], format="csr")
        return Cells(X, names, cells.obs)

    return replace(
        dataset, cells=widened(dataset.cells, wild), perturbed=widened(others, perturbed)
    )
