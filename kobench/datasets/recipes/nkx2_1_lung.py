"""`nkx2-1-lung`: two tables of counts, genes x cells, stacked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kobench.datasets.recipes.common import fail, from_counts, read_csv


def make(files: Mapping[str, Path]) -> Any:
    """Wild-type cells of `WTdata.csv`, then the mutant's of `KOdata.csv`.

    Parameters
    ----------
    files : mapping of str to Path
        Tables with a gene a line, its name first, and a cell a column.
    """
    wild_type, mutant = read_csv(files["WTdata.csv"]), read_csv(files["KOdata.csv"])
    if not wild_type.index.equals(mutant.index):
        fail("WTdata.csv and KOdata.csv do not have the same genes in the same order")
    genotype = np.repeat(["WT", "KO"], [wild_type.shape[1], mutant.shape[1]])
    return from_counts(
        np.vstack([wild_type.to_numpy().T, mutant.to_numpy().T]),
        [*wild_type.columns, *mutant.columns],
        list(wild_type.index),
        {
            "perturbation": np.where(genotype == "KO", "Nkx2-1", "control"),
            "genotype": genotype,
            "cell_type": "lung endothelial (inferred)",
        },
    )
