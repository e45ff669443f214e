"""`trem2-microglia`: two matrices of R, genes x cells, stacked, with the study's table of cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from kobench.datasets.recipes.common import fail, from_counts, read_csv
from kobench.datasets.recipes.r_files import matrix_of, names_of, read_r

#: The sources of wild type and knockout, in the order of the cells.
GENOTYPES = ("WT", "KO")


def make(files: Mapping[str, Path]) -> Any:
    """Wild-type cells, then knockout cells, on the genes that both have, in wild-type order.

    Parameters
    ----------
    files : mapping of str to Path
        `WT.RData` and `KO.RData`; `GSE130626_cell_info.csv.gz`, a cell a line.
    """
    matrices, genes, cells = [], [], []
    for name in (f"{genotype}.RData" for genotype in GENOTYPES):
        found = read_r(files[name])
        matrices.append(matrix_of(found, name))
        genes.append(names_of(found, 0, name))
        cells.append(names_of(found, 1, name))
    in_both = set(genes[0]) & set(genes[1])
    shared = [gene for gene in genes[0] if gene in in_both]
    parts = []
    for matrix, names in zip(matrices, genes, strict=True):
        row = {gene: number for number, gene in enumerate(names)}
        parts.append(matrix[[row[gene] for gene in shared]].T)
    ids = [*cells[0], *cells[1]]
    table = read_csv(files["GSE130626_cell_info.csv.gz"])
    if missing := set(ids) - set(table.index):
        fail(f"GSE130626_cell_info.csv.gz lacks {len(missing)} of {len(ids)} cells")
    about = table.loc[ids]
    genotype = about["trem2_genotype"].to_numpy()
    if not np.array_equal(genotype, np.repeat(GENOTYPES, [len(each) for each in cells])):
        fail("the genotypes in GSE130626_cell_info.csv.gz are not those of WT.RData and KO.RData")
    return from_counts(
        scipy.sparse.vstack(parts),
        ids,
        shared,
        {
            "perturbation": np.where(genotype == "KO", "Trem2", "control"),
            "genotype": genotype,
            "treatment": about["treatment"].to_numpy(),
            "snn_cluster": about["snn_cluster"].to_numpy(),
            "cell_type": "microglia",
            "n_counts_all": np.concatenate(
                [np.asarray(matrix.sum(axis=0)).ravel() for matrix in matrices]
            ).astype(np.int64),
        },
    )
