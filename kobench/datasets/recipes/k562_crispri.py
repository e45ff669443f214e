"""`k562-crispri`: a screen with many guides a cell, as tables of R; cells with one target each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.datasets.recipes.common import fail, from_counts
from kobench.datasets.recipes.r_files import matrix_of, names_of, read_r

#: UMI from which on a guide counts as present.
PRESENT = 5
#: Control cells that are kept.
CONTROLS = 5000
#: How the groups of guides are called that aim at no gene, and at the start of one.
NON_TARGETING, PROMOTER = "non-targeting", "_TSS"


def make(files: Mapping[str, Path]) -> Any:
    """Cells with guides for exactly one of the promoters and no other target, and control cells.

    Parameters
    ----------
    files : mapping of str to Path
        `response_matrix_highmoi.rda` (genes x cells), `gRNA_matrix_highmoi.rda` (guides x cells),
        `grna_group_data_frame_highmoi.rda` (a guide a line), `covariate_data_frame_highmoi.rda`
        (a cell a line) and `gene_position_data_frame_grch38.rda` (symbols of genes).
    """
    response = read_r(files["response_matrix_highmoi.rda"])
    counts = matrix_of(response, "response_matrix_highmoi.rda")
    ids = np.array(names_of(response, 0, "response_matrix_highmoi.rda"))
    about = read_r(files["covariate_data_frame_highmoi.rda"])
    if len(about) != counts.shape[1]:
        fail("covariate_data_frame_highmoi.rda has another number of cells than the counts")
    aimed_at = _targets(files)
    targets = [group for group in aimed_at if group != NON_TARGETING]
    number = np.sum([aimed_at[group] for group in targets], axis=0)
    label = np.full(counts.shape[1], "control", dtype=object)
    perturbed = np.zeros(counts.shape[1], dtype=bool)
    for group in (group for group in targets if group.endswith(PROMOTER)):
        here = aimed_at[group] & (number == 1)
        label[here], perturbed = group.removesuffix(PROMOTER), perturbed | here
    controls = _controls(number == 0, aimed_at[NON_TARGETING])
    kept = np.sort(np.concatenate([np.flatnonzero(perturbed), controls]))
    first = np.sort(np.unique(ids, return_index=True)[1])  # repeated rows of genes are equal
    if (abs(counts - counts[_first_of(ids)])).nnz:
        fail("rows of response_matrix_highmoi.rda with the same gene differ")
    return from_counts(
        counts[first][:, kept].T,
        [f"cell{cell}" for cell in kept],
        _symbols(files, ids[first]),
        {
            "perturbation": label[kept],
            "has_nontargeting_grna": aimed_at[NON_TARGETING][kept],
            "cell_type": "K562",
            "n_counts_all": about["gene_n_umis"].to_numpy()[kept].astype(np.int64),
            # as the first conversion read them: R's 15 digits, of which 18 characters are left
            "p_mito": [float(f"{share:.15g}"[:18]) for share in about["p_mito"].to_numpy()[kept]],
            "batch": about["batch"].astype(str).to_numpy()[kept],
        },
        {"ensembl_id": ids[first]},
    )


def _targets(files: Mapping[str, Path]) -> dict[str, npt.NDArray[np.bool_]]:
    """Group of guides -> (n,) the cells in which one of them is present."""
    guides = matrix_of(read_r(files["gRNA_matrix_highmoi.rda"]), "gRNA_matrix_highmoi.rda")
    groups = read_r(files["grna_group_data_frame_highmoi.rda"])["grna_group"].astype(str).to_numpy()
    if len(groups) != guides.shape[0]:
        fail("grna_group_data_frame_highmoi.rda has another number of guides than the counts")
    present = guides >= PRESENT
    return {
        str(group): np.asarray(present[groups == group].sum(axis=0)).ravel() > 0
        for group in dict.fromkeys(groups)
    }


def _controls(
    untouched: npt.NDArray[np.bool_], marked: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """The control cells: all with a non-targeting guide, the rest drawn from the others."""
    certain, others = np.flatnonzero(untouched & marked), np.flatnonzero(untouched & ~marked)
    drawn = np.random.default_rng(0).choice(others, CONTROLS - len(certain), replace=False)
    return np.concatenate([certain, drawn])


def _first_of(names: npt.NDArray[np.str_]) -> npt.NDArray[np.intp]:
    """For each name the first place where it stands."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


def _symbols(files: Mapping[str, Path], ids: npt.NDArray[np.str_]) -> list[str]:
    """The symbol of each gene; its id where it has none."""
    table = read_r(files["gene_position_data_frame_grch38.rda"])
    known = dict(
        zip(table["response_id"].astype(str), table["response_name"].astype(str), strict=True)
    )
    return [known.get(str(gene), str(gene)) for gene in ids]
