"""The loader `h5ad`: wild-type cells of an AnnData file, and the perturbed cells beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets import read_anndata
from kobench.builtin.datasets.labels.advice import advice
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.names import gene_names
from kobench.builtin.datasets.labels.read import Labels, Spelling, all_wild_type, read_labels
from kobench.builtin.datasets.labels.said import how_read, why_unknown
from kobench.builtin.datasets.working_scale import WorkingScale, to_working_scale, totals_of
from kobench.cells import BoolArray, Cells, IntArray
from kobench.dataset import Dataset
from kobench.datasets.matrices import check_expressed, check_matrix, check_scale, tidy
from kobench.datasets.normalise import choose_genes, zeros
from kobench.datasets.validate import validate
from kobench.errors import UserError

#: That labels say themselves which genes they mean.
NO_TABLE: Mapping[str, str] = {}


def load(
    path: str,
    perturbation_key: str = "perturbation",
    control: str | Sequence[str] = "control",
    join: str | Sequence[str] = "",
    guide_pattern: str | Sequence[str] = "",
    labels: Mapping[str, str] = NO_TABLE,
    ignore_case: bool = False,
    var_key: str = "",
    cell_type_key: str = "",
    batch_key: str = "",
    group_key: str = "",
    replicate_key: str = "",
    scale: str = "counts",
    normalise: str = "auto",
    totals_key: str = "",
    layer: str = "",
    raw: bool = False,
    genes: int = 0,
    cell_type: str = "",
) -> Dataset:
    """The file's wild-type cells, and its perturbed cells as population truth.

    Parameters
    ----------
    path : str
        The file. The other parameters are described in `kobench.builtin.specs.datasets.h5ad_spec`.

    Returns
    -------
    Dataset
        Counts become log1p-cp10k (or log1p, or stay) with the totals taken before any gene is left
        out, and are kept in `layers["counts"]`; other scales are taken as declared. The gene list
        is chosen by wild-type cells (`choose_genes`).

    Raises
    ------
    UserError
        One sentence, for a file that cannot be read or does not hold what the parameters say.
    """
    keys = {
        "batch_key": batch_key,
        "cell_type_key": cell_type_key,
        "group_key": group_key,
        "replicate_key": replicate_key,
    }
    spelling = Spelling.of(path, control, join, guide_pattern, labels, ignore_case)
    content = _read(path, perturbation_key, spelling, var_key, keys, scale, layer, raw)
    totals = totals_of(content.adata, content.X, path, totals_key, scale)
    working = to_working_scale(content.X, scale, normalise, totals, totals_key, path)
    groups = _group(content, cell_type_key, cell_type)
    chosen = _choose(content, groups, genes)
    perturbed = None
    if len(groups.perturbed):
        perturbed = _cells(content, working, groups.perturbed, chosen, labelled=True)
    dataset = Dataset(
        cells=_cells(content, working, groups.wild_type, chosen),
        scale=working.scale,
        kind="real",
        notes=_notes(content, groups),
        batch_key=batch_key or None,
        cell_type_key=cell_type_key or None,
        group_key=group_key or None,
        replicate_key=replicate_key or None,
        perturbed=perturbed,
        facts={**_facts(content, groups, chosen), "normalisation": working.how},
    )
    return validate(dataset, path)


@dataclass(frozen=True, eq=False)
class _Content:
    """What the parameters name in a file of n cells and G genes.

    X : (n, G) float32 as stored. counts : whether it holds counts. names : (G,) genes. barcodes :
    (n,). labels : what was perturbed in each. columns : batch, cell type, group and replicate by
    the name of their column. notes : on names of genes and on labels.
    """

    path: str
    adata: Any
    X: Any
    counts: bool
    names: npt.NDArray[np.str_]
    barcodes: npt.NDArray[np.str_]
    labels: Labels
    columns: Mapping[str, npt.NDArray[np.str_]]
    notes: tuple[str, ...]


def _read(
    path: str,
    perturbation_key: str,
    spelling: Spelling,
    var_key: str,
    keys: Mapping[str, str],
    scale: str,
    layer: str,
    raw: bool,
) -> _Content:
    """Read the file and check it; `keys` are columns by their parameter, "" for none."""
    adata = read_anndata.read(path)
    X, var = read_anndata.matrix(adata, path, layer, raw)
    called = gene_names(var, var_key, path)
    names = called.names
    barcodes = np.asarray(adata.obs_names, dtype=np.str_)
    X = check_matrix(X, path, barcodes, names).astype(np.float32)
    check_scale(X, scale, path, barcodes, names)
    labels, said = all_wild_type(len(barcodes)), called.notes
    if perturbation_key != read_anndata.NO_PERTURBATION:
        genes = Genes(map(str, names), spelling.ignore_case, called.several)
        written = read_anndata.labels(adata, path, perturbation_key)
        labels = read_labels(written, spelling, genes, f"{path}: obs[{perturbation_key!r}]")
        meant = advice(labels, spelling, genes, var, var_key)
        more = (*how_read(labels, spelling, genes), why_unknown(labels, genes), meant)
        said = (*said, *(sentence for sentence in more if sentence))
    columns = {
        key: read_anndata.columns(adata, path, key, what) for what, key in keys.items() if key
    }
    if any(perturbation_key in (key, *key.split(read_anndata.JOIN)) for key in columns):
        raise UserError(
            f"{path}: column {perturbation_key!r} is the perturbation, so it cannot be batch or"
            " cell type, group or replicate; name another one"
        )
    return _Content(path, adata, X, scale == "counts", names, barcodes, labels, columns, said)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Which cells are kept, and which genes were perturbed in them.

    kept : (n,) bool, cells of the wanted type. wild_type, perturbed : their rows. targets : names
    of the perturbed genes. measured : columns of those that the file has.
    """

    kept: BoolArray
    wild_type: IntArray
    perturbed: IntArray
    targets: list[str]
    measured: list[int]


def _group(content: _Content, cell_type_key: str, cell_type: str) -> _Groups:
    """Tell wild-type from perturbed cells; UserError where no wild-type cell is left."""
    path, labels = content.path, content.labels
    kept = read_anndata.of_type(content.columns, path, cell_type_key, cell_type, len(labels.names))
    wild_type = np.flatnonzero(kept & labels.wild_type)
    perturbed = np.flatnonzero(kept & ~labels.wild_type)
    if not len(wild_type):
        raise UserError(
            f"{path}: no wild-type cell is of type {cell_type!r}; choose a cell_type that control"
            " cells have"
        )
    targets = labels.targets_of(perturbed)
    position = {str(gene): i for i, gene in enumerate(content.names)}
    measured = [position[gene] for gene in targets if gene in position]
    return _Groups(kept, wild_type, perturbed, targets, measured)


def _choose(content: _Content, groups: _Groups, genes: int) -> BoolArray:
    """(G,) the genes that are kept; UserError where a kept cell expresses none of them."""
    chosen = choose_genes(content.X[groups.wild_type], genes, groups.measured)
    rows = np.flatnonzero(groups.kept)
    remedy = "take them out of the file (in scanpy: sc.pp.filter_cells(adata, min_genes=1))"
    if genes:
        remedy = "keep more genes (genes=0 keeps all)"
    check_expressed(content.X[rows][:, chosen], content.path, content.barcodes[rows], remedy)
    return chosen


def _cells(
    content: _Content,
    working: WorkingScale,
    rows: IntArray,
    chosen: BoolArray,
    labelled: bool = False,
) -> Cells:
    """Some cells on the chosen genes, with their perturbations where they are `labelled`."""
    obs = {key: column[rows] for key, column in content.columns.items()}
    if labelled:
        obs["perturbation"] = content.labels.names[rows]
    layers = {"counts": tidy(content.X[rows][:, chosen])} if content.counts else {}
    return Cells(tidy(working.X[rows][:, chosen]), content.names[chosen], obs, layers)


def _unseen(content: _Content, groups: _Groups) -> int:
    """Number of genes that no wild-type cell expresses."""
    cells = np.asarray((content.X[groups.wild_type] > 0).sum(axis=0))
    return len(content.names) - int(np.sum(cells > 0))


def _notes(content: _Content, groups: _Groups) -> tuple[str, ...]:
    """Sentences on genes and labels that are not what they might be."""
    notes = list(content.notes)
    unseen = _unseen(content, groups)
    if unseen:
        notes.append(
            f"{unseen:,} of {len(content.names):,} genes are seen in no wild-type cell; they are"
            " left out (a perturbed gene excepted)"
        )
    if groups.targets and not groups.measured:
        notes.append(
            f"none of the {len(groups.targets)} perturbed genes is among the genes of the file;"
            " check that both use the same kind of name"
        )
    return tuple(notes)


def _facts(content: _Content, groups: _Groups, chosen: BoolArray) -> dict[str, Any]:
    """Numbers for `kobench info`."""
    return {
        "cells in file": len(content.barcodes),
        "genes in file": len(content.names),
        "wild-type cells": len(groups.wild_type),
        "perturbed cells": len(groups.perturbed),
        "cells of other types left out": int(np.sum(~groups.kept)),
        "genes": int(chosen.sum()),
        "genes left out": int(np.sum(~chosen)),
        "genes seen in no wild-type cell": _unseen(content, groups),
        "perturbations": len(np.unique(content.labels.names[groups.perturbed])),
        "perturbed genes": len(groups.targets),
        "perturbed genes measured": len(groups.measured),
        "zeros in wild-type cells": zeros(content.X[groups.wild_type][:, chosen]),
    }
