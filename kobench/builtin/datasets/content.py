"""What parameters name in a file of cells, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets import read_anndata
from kobench.builtin.datasets.barcodes import SUFFIX, libraries
from kobench.builtin.datasets.formats.fill import read_rows, split_rows
from kobench.builtin.datasets.formats.opening import opened
from kobench.builtin.datasets.formats.source import Frame, Source
from kobench.builtin.datasets.kinds import Kinds, read_kinds
from kobench.builtin.datasets.labels.advice import advice
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.names import GeneNames, gene_names
from kobench.builtin.datasets.labels.read import Labels, Spelling, all_wild_type, read_labels
from kobench.builtin.datasets.labels.said import how_read, why_unknown
from kobench.builtin.datasets.labels.unassigned import assigned
from kobench.builtin.datasets.working_scale import check_totals, totals_of
from kobench.cells import BoolArray, IntArray
from kobench.datasets.matrices import check_gene_names, check_numbers, check_scale, check_shape
from kobench.datasets.parts import detected, row_sums
from kobench.datasets.sums import check_total
from kobench.errors import UserError

#: What a column with the batch is often called, in small letters without signs.
BATCHES = frozenset(
    ("batch", "batches", "batchid", "donor", "donorid", "lane", "lanes", "library", "libraryid")
) | frozenset(("gemgroup", "gem", "channel"))


@dataclass(frozen=True, eq=False)
class Wanted:
    """What the parameters name: see `kobench.builtin.specs.datasets.h5ad_spec`.

    keys : the columns of batch, cell type, group and replicate by their parameter, "" for none.
    obs : the table with further columns of cells, "" for none.
    """

    perturbation_key: str
    unassigned: tuple[str, ...]
    spelling: Spelling
    var_key: str
    kind_key: str
    keys: Mapping[str, str]
    totals_key: str
    scale: str
    layer: str
    raw: bool
    cell_type: str
    obs: str


@dataclass(frozen=True, eq=False)
class Groups:
    """Which cells are kept, and which genes were perturbed in them.

    wild_type, perturbed : their rows. targets : names of the perturbed genes. measured : columns
    of those that the file has.
    """

    wild_type: IntArray
    perturbed: IntArray
    targets: list[str]
    measured: list[int]

    @property
    def rows(self) -> IntArray:
        """(m,) the kept cells, wild type first."""
        return np.concatenate([self.wild_type, self.perturbed])


@dataclass(frozen=True, eq=False)
class Content:
    """What the parameters name in a file of n cells and G genes.

    X : (m, G) float32 as stored, the kept cells, wild type first. totals : (m,) their counts.
    counts : whether it holds counts. names : (G,) genes. barcodes : (n,). labels : what was
    perturbed in each. columns : batch, cell type, group and replicate by the name of their column.
    kinds : what was done to perturbed cells. seen : (G,) the number of wild-type cells that express
    each gene. absent, unassigned : number of cells that are not in the table of obs, and of
    those of which nobody knows what was perturbed. notes : on the file, names of genes, labels and
    kinds.
    """

    path: str
    X: Any
    totals: npt.NDArray[np.float64] | None
    counts: bool
    names: npt.NDArray[np.str_]
    barcodes: npt.NDArray[np.str_]
    labels: Labels
    columns: Mapping[str, npt.NDArray[np.str_]]
    groups: Groups
    kinds: Kinds
    seen: IntArray
    absent: int
    unassigned: int
    notes: tuple[str, ...]


def read_content(path: str, wanted: Wanted) -> Content:
    """Read what is needed of a file, and check it; UserError where it is not as wanted."""
    scale, key = wanted.scale, wanted.totals_key
    with opened(path, wanted.obs) as source:
        stored, var = read_anndata.matrix(source, wanted.layer, wanted.raw)
        called = f"layer {wanted.layer!r}" if wanted.layer else ".raw" if wanted.raw else "X"
        barcodes, genes = source.obs.names, gene_names(var, wanted.var_key, path)
        check_shape(stored.shape, stored.dtype, path, len(barcodes), len(genes.names), called)
        check_gene_names(genes.names, path)
        labels, known, said = _labels(source, wanted, genes, var)
        columns = _columns(source, wanted, known)
        given = totals_of(source.obs, path, key, scale)
        groups = _group(path, genes.names, labels, known, columns, wanted)
        kinds = _kinds(source, wanted, labels, groups.perturbed)
        batches = _batches(source, groups, wanted)
        rows = groups.rows
        X = read_rows(stored, rows, path)
        no_counts = partial(read_anndata.where_counts_lie, source, stored)
        check_numbers(X, path, barcodes[rows], genes.names, called, no_counts)
        check_scale(X, scale, path, barcodes[rows], genes.names, no_counts)
        if scale == "log1p-cp10k":
            check_total(X, path)
    totals = row_sums(X) if scale == "counts" else None
    if given is not None and totals is not None:
        check_totals(given[rows], totals, path, key, barcodes[rows])
        totals = given[rows]
    return Content(
        path=path,
        X=X,
        totals=totals,
        counts=scale == "counts",
        names=genes.names,
        barcodes=barcodes,
        labels=labels,
        columns=columns,
        groups=groups,
        kinds=kinds,
        seen=detected(split_rows(X, len(groups.wild_type))[0]),
        absent=source.absent,
        unassigned=int(np.sum(~known)),
        notes=(
            *source.notes,
            *said,
            *kinds.notes,
            *(batches or _libraries(barcodes, groups, wanted)),
        ),
    )


def _labels(
    source: Source, wanted: Wanted, called: GeneNames, var: Frame
) -> tuple[Labels, BoolArray, tuple[str, ...]]:
    """What was perturbed in each cell, where that is known, and what is to be said of it and of
    names of genes.
    """
    key, spelling = wanted.perturbation_key, wanted.spelling
    if key == read_anndata.NO_PERTURBATION:
        n = len(source.obs.names)
        return all_wild_type(n), np.ones(n, dtype=bool), called.notes
    genes = Genes(map(str, called.names), spelling.ignore_case, called.several)
    where = f"{source.path}: obs[{key!r}]"
    written = read_anndata.labels(
        source.obs, source.path, key, gaps="" in wanted.unassigned or spelling.unlabelled
    )
    known = assigned(written, wanted.unassigned, spelling, where)
    labels = read_labels(written[known.labelled], spelling, genes, where)
    meant = advice(labels, spelling, genes, var, wanted.var_key)
    read = how_read(labels, spelling, genes, joined_up="`--join " in meant)
    more = (*known.said, *read, why_unknown(labels, genes), meant)
    return (
        known.spread(labels),
        known.cells,
        (*called.notes, *(sentence for sentence in more if sentence)),
    )


def _batches(source: Source, groups: Groups, wanted: Wanted) -> tuple[str, ...]:
    """That a column looks like the batch, where none is named."""
    if any(wanted.keys.values()) or not len(groups.perturbed):
        return ()
    for key in source.obs.columns():
        if re.sub(r"[\W_]", "", key).casefold() in BATCHES:
            values = len(np.unique(np.asarray(source.obs.column(key).values)[groups.rows]))
            if 1 < values <= len(groups.rows) / 2:
                return (
                    f"obs has a column {key!r} of {values:,} values, and no batch column is given:"
                    f" is that the batch? then --batch-key {read_anndata.word(key)}",
                )
    return ()


def _libraries(barcodes: npt.NDArray[np.str_], groups: Groups, wanted: Wanted) -> tuple[str, ...]:
    """That cells seem to come from several libraries, where they are compared without regard."""
    if wanted.keys["batch_key"] or not len(groups.perturbed):
        return ()
    if any(SUFFIX in key for key in wanted.keys.values()):
        return ()
    said = libraries(barcodes[groups.rows].tolist())
    return (said,) if said else ()


def _kinds(source: Source, wanted: Wanted, labels: Labels, perturbed: IntArray) -> Kinds:
    """What was done to the perturbed cells, at these rows."""
    path, key = source.path, wanted.kind_key
    if not key:
        return Kinds()
    counts = np.zeros(len(labels.names), dtype=bool)
    counts[perturbed] = True
    remedy = "fill in what was done to them, or leave kind_key out if all are of one kind"
    words = read_anndata.column(source.obs, path, key, "kind_key", known=counts, remedy=remedy)
    return read_kinds(labels.names[perturbed], words[perturbed], f"{path}: obs[{key!r}]")


def _columns(source: Source, wanted: Wanted, known: BoolArray) -> dict[str, npt.NDArray[np.str_]]:
    """Batch, cell type, group and replicate of the `known` cells by the name of their column."""
    path, label = source.path, wanted.perturbation_key
    columns = {
        key: read_anndata.columns(source.obs, path, key, what, known)
        for what, key in wanted.keys.items()
        if key
    }
    if any(label in (key, *key.split(read_anndata.JOIN)) for key in columns):
        raise UserError(
            f"{path}: column {label!r} is the perturbation, so it cannot be batch or cell type,"
            " group or replicate; name another one"
        )
    return columns


def _group(
    path: str,
    names: npt.NDArray[np.str_],
    labels: Labels,
    known: BoolArray,
    columns: Mapping[str, npt.NDArray[np.str_]],
    wanted: Wanted,
) -> Groups:
    """Tell wild-type from perturbed cells; UserError where no wild-type cell is kept."""
    cell_type, key = wanted.cell_type, wanted.keys["cell_type_key"]
    kept = known & read_anndata.of_type(columns, path, key, cell_type, len(labels.names))
    wild_type = np.flatnonzero(kept & labels.wild_type)
    perturbed = np.flatnonzero(kept & ~labels.wild_type)
    if not len(wild_type):
        raise UserError(
            f"{path}: no wild-type cell is of type {cell_type!r}; choose a cell_type that control"
            " cells have"
        )
    targets = labels.targets_of(perturbed)
    position = {str(gene): i for i, gene in enumerate(names)}
    measured = [position[gene] for gene in targets if gene in position]
    return Groups(wild_type, perturbed, targets, measured)
