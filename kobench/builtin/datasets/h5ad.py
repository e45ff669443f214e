"""Loader of AnnData files: wild-type cells in the working scale, and the perturbed cells beside
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets import read_anndata
from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.normalise import TARGET_TOTAL, choose_genes, zeros
from kobench.datasets.normalise import normalise as log1p_cp10k
from kobench.datasets.validate import check_expressed, check_matrix, check_scale, tidy, validate
from kobench.errors import UserError


def load(
    path: str,
    perturbation_key: str = "perturbation",
    control: str = "control",
    cell_type_key: str = "",
    batch_key: str = "",
    scale: str = "counts",
    normalise: str = "auto",
    totals_key: str = "",
    layer: str = "",
    raw: bool = False,
    genes: int = 0,
    cell_type: str = "",
) -> Dataset:
    """The file's wild-type cells, and its perturbed cells as population truth; parameters as in
    `specs_data.h5ad_spec`.

    Counts become log1p-cp10k (or log1p, or stay) with the totals taken before any gene is left out,
    and are kept in `layers["counts"]`; other scales are taken as declared. The gene list is chosen
    by wild-type cells (`choose_genes`). Raises UserError, one sentence, for a file that cannot
    be read or does not hold what the parameters say.
    """
    adata = read_anndata.read(path)
    X, names = read_anndata.matrix(adata, path, layer, raw)
    barcodes = np.asarray(adata.obs_names, dtype=np.str_)
    X = check_matrix(X, path, barcodes, names).astype(np.float32)
    check_scale(X, scale, path, barcodes, names)
    labels = read_anndata.labels(adata, path, perturbation_key, control)
    columns = {
        key: read_anndata.column(adata, path, key, what)
        for key, what in ((batch_key, "batch_key"), (cell_type_key, "cell_type_key"))
        if key
    }
    if perturbation_key in columns:
        raise UserError(
            f"{path}: column {perturbation_key!r} is the perturbation, so it cannot be batch or"
            " cell type; name another one"
        )
    totals = _totals(adata, X, path, totals_key, scale)
    working, target_scale, how = _working_scale(X, scale, normalise, totals, totals_key, path)

    kept = read_anndata.of_type(columns, path, cell_type_key, cell_type, len(labels))
    wild_type, perturbed = (
        np.flatnonzero(kept & (labels == control)),
        np.flatnonzero(kept & (labels != control)),
    )
    if not len(wild_type):
        raise UserError(
            f"{path}: no wild-type cell is of type {cell_type!r}; choose a cell_type that control"
            " cells have"
        )
    targets = sorted(
        {gene for label in np.unique(labels[perturbed]) for gene in _targets(str(label), control)}
    )
    position = {str(gene): i for i, gene in enumerate(names)}
    measured = [position[gene] for gene in targets if gene in position]
    chosen = choose_genes(X[wild_type], genes, measured)
    rows = np.flatnonzero(kept)
    remedy = (
        "keep more genes (genes=0 keeps all)"
        if genes
        else "take them out of the file (in scanpy: sc.pp.filter_cells(adata, min_genes=1))"
    )
    check_expressed(X[rows][:, chosen], path, barcodes[rows], remedy)

    def cells(rows: npt.NDArray[np.intp], more: dict[str, Any]) -> Cells:
        obs = {**{key: column[rows] for key, column in columns.items()}, **more}
        layers = {"counts": tidy(X[rows][:, chosen])} if scale == "counts" else {}
        return Cells(tidy(working[rows][:, chosen]), names[chosen], obs, layers)

    unseen = len(names) - int(np.sum(np.asarray((X[wild_type] > 0).sum(axis=0)) > 0))
    notes = []
    if unseen:
        notes.append(
            f"{unseen:,} of {len(names):,} genes are seen in no wild-type cell; they are left out"
            " (a perturbed gene excepted)"
        )
    if targets and not measured:
        notes.append(
            f"none of the {len(targets)} perturbed genes is among the genes of the file; check that"
            " both use the same kind of name"
        )
    dataset = Dataset(
        cells=cells(wild_type, {}),
        scale=target_scale,
        kind="real",
        notes=tuple(notes),
        batch_key=batch_key or None,
        cell_type_key=cell_type_key or None,
        perturbed=cells(perturbed, {"perturbation": labels[perturbed]}) if len(perturbed) else None,
        facts={
            "cells in file": len(labels),
            "genes in file": len(names),
            "wild-type cells": len(wild_type),
            "perturbed cells": len(perturbed),
            "cells of other types left out": int(np.sum(~kept)),
            "genes": int(chosen.sum()),
            "genes left out": int(np.sum(~chosen)),
            "genes seen in no wild-type cell": unseen,
            "perturbations": len(np.unique(labels[perturbed])),
            "perturbed genes": len(targets),
            "perturbed genes measured": len(measured),
            "zeros in wild-type cells": zeros(X[wild_type][:, chosen]),
            "normalisation": how,
        },
    )
    return validate(dataset, path)


def _totals(adata: Any, X: Any, path: str, key: str, scale: str) -> npt.NDArray[np.float64] | None:
    """Each cell's counts over all genes of the source; None: the file's genes are all."""
    if not key:
        return None
    if scale != "counts":
        raise UserError(
            f"{path}: totals_key={key} is given for scale={scale}; totals serve to normalise"
            " counts, so leave it out or set scale=counts"
        )
    text = read_anndata.column(adata, path, key, "totals_key")
    try:
        totals = text.astype(np.float64)
    except ValueError as error:
        raise UserError(
            f"{path}: obs[{key!r}] does not hold numbers ({error}); set totals_key to a column with"
            " a cell's count total"
        ) from error
    sums = np.asarray(X.sum(axis=1), dtype=np.float64).ravel()
    wrong = ~(np.isfinite(totals) & (totals >= sums * (1 - 1e-6)))
    if np.any(wrong):
        i = int(np.argmax(wrong))
        cell = str(adata.obs_names[i])
        raise UserError(
            f"{path}: obs[{key!r}] says {totals[i]:g} counts for cell {cell!r}, but its genes in"
            f" this file sum to {sums[i]:g}; set totals_key to the total over all genes, or leave"
            " it out"
        )
    return totals


def _working_scale(
    X: Any,
    scale: str,
    normalise: str,
    totals: npt.NDArray[np.float64] | None,
    totals_key: str,
    path: str,
) -> tuple[Any, str, str]:
    """The matrix in its working scale, the scale's name, and in words what was done."""
    if scale != "counts":
        if normalise not in ("auto", "none"):
            raise UserError(
                f"{path}: normalise={normalise} is given for scale={scale}; only counts are"
                " normalised, so leave it out"
            )
        return X, scale, f"none, {scale} as declared"
    if normalise in ("auto", "log1p-cp10k"):
        over = f"obs[{totals_key!r}]" if totals_key else "the file's genes"
        return (
            log1p_cp10k(X, totals),
            "log1p-cp10k",
            f"log1p of counts per 10,000, totals: {over}",
        )
    if totals is not None:
        raise UserError(
            f"{path}: totals_key={totals_key} is given with normalise={normalise}, which uses no"
            " totals; leave one of them out"
        )
    if normalise == "log1p":
        return (
            log1p_cp10k(X, np.full(X.shape[0], TARGET_TOTAL)),
            "log1p",
            "log1p of counts, no library-size step",
        )
    return X, "counts", "none, counts as they are"


def _targets(label: str, control: str) -> Sequence[str]:
    """The genes of a label; `A+B` is a double knockout.

    >>> _targets("TP53+control", "control")
    ['TP53']
    """
    return [gene.strip() for gene in label.split("+") if gene.strip() and gene.strip() != control]
