"""Made-up screens as people bring them: 280 cells of 12 genes, whose labels are to be changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

GENES = (
    *("GATA1", "TAL1", "KLF1", "SPI1", "CEBPA", "RUNX1"),
    *("MYB", "LMO2", "ZFPM1", "FLI1", "ETV6", "HOXA9"),
)

#: What was perturbed, 40 cells each.
PERTURBED = ("GATA1", "GATA1+SPI1", "KLF1", "TAL1")

#: Wild-type cells.
CONTROLS = 120


def screen(change: Callable[[str], object] = str, seed: int = 7) -> Any:
    """An AnnData of counts: 120 cells `control`, then 40 of each of `PERTURBED`.

    Parameters
    ----------
    change : callable
        The label that stands in the file in place of one.
    seed : int
        Of the counts.
    """
    import anndata
    import pandas
    import scipy.sparse

    rng = np.random.default_rng(seed)
    labels = ["control"] * CONTROLS + [name for name in PERTURBED for _ in range(40)]
    mean = rng.gamma(2.0, 2.0, len(GENES)) + 0.5
    effect = {gene: rng.normal(0, 0.8, len(GENES)) for gene in GENES}
    counts = np.zeros((len(labels), len(GENES)), dtype=np.float32)
    for row, label in enumerate(labels):
        rate = mean * rng.gamma(5, 0.2)
        for gene in set(label.split("+")) & set(GENES):
            rate = rate * np.exp(effect[gene])
            rate[GENES.index(gene)] *= 0.05
        counts[row] = rng.poisson(rate)
    counts[counts.sum(1) == 0, 0] = 1
    obs = pandas.DataFrame(
        {"perturbation": [change(label) for label in labels]},
        index=[f"cell{i}" for i in range(len(labels))],
    )
    var = pandas.DataFrame(index=list(GENES))
    return anndata.AnnData(scipy.sparse.csr_matrix(counts), obs=obs, var=var)


def written(adata: Any, folder: Path, name: str = "screen.h5ad") -> str:
    """The path of the file that an AnnData was written to."""
    folder.mkdir(exist_ok=True)
    adata.write_h5ad(folder / name)
    return str(folder / name)
