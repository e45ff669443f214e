"""Checks of whole datasets: what a trial relies on, each fault in one sentence."""

from __future__ import annotations

import dataclasses

import numpy as np

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.edges import edges_of
from kobench.datasets.matrices import check_expressed, check_matrix, check_scale
from kobench.datasets.notes import with_notes
from kobench.errors import UserError
from kobench.specs import PERTURBATIONS

#: With fewer wild-type cells neither a fit nor its held-out fifth means anything.
MIN_WILD_TYPE = 10

#: The longest name of a network.
LONGEST_NAME = 200


def validate(dataset: Dataset, name: str) -> Dataset:
    """Check everything that a trial relies on.

    At least 10 wild-type cells and 2 genes; gene names present and unique; values finite, >= 0, and
    of the declared scale; no cell without expression. Batch and cell-type columns exist, and the
    perturbation does not. Perturbed cells have the same genes and a perturbation each.

    Parameters
    ----------
    dataset : Dataset
    name : str
        What it is called in messages.

    Returns
    -------
    Dataset
        The same, with sparse matrices as canonical CSR, and with what kobench says of its cells.

    Raises
    ------
    UserError
        For the first fault found, one sentence that names the dataset.
    """
    where = f"dataset {name!r}"
    cells = _checked_cells(dataset.cells, dataset.scale, f"{where}, wild-type cells")
    _check_size(cells, where)
    _check_columns(dataset, cells, where)
    if dataset.kind not in ("simulated", "real"):
        raise UserError(f"{where} is of kind {dataset.kind!r}; it must be 'simulated' or 'real'")
    for kind in (dataset.perturbation, *dataset.kinds.values()):
        if kind not in PERTURBATIONS:
            raise UserError(
                f"{where} has perturbations of kind {kind!r}; choose one of"
                f" {', '.join(PERTURBATIONS)}"
            )
    _check_texts(dataset, where)
    edges_of(dataset.truth, cells.n_vars, where)
    perturbed = dataset.perturbed
    if perturbed is not None:
        perturbed = _checked_cells(perturbed, dataset.scale, f"{where}, perturbed cells")
        _check_perturbed(perturbed, cells, where)
    return with_notes(dataclasses.replace(dataset, cells=cells, perturbed=perturbed))


def _check_texts(dataset: Dataset, where: str) -> None:
    """UserError where what readers are told is no text."""
    for name in ("confounded", "near_null"):
        said = getattr(dataset, name)
        if not isinstance(said, str):
            raise UserError(
                f'{where} has {name}={said!r}; expected a sentence that says why, or ""'
            )
    if not isinstance(dataset.network, str) or len(dataset.network) > LONGEST_NAME:
        raise UserError(
            f"{where} has network={str(dataset.network)[:40]!r}; expected a text of at most"
            f" {LONGEST_NAME} characters, the same in all draws of one network"
        )
    for note in dataset.notes:
        if not isinstance(note, str):
            raise UserError(f"{where} has the note {note!r}; expected text")


def _check_size(cells: Cells, where: str) -> None:
    """UserError for fewer wild-type cells or genes than a trial needs."""
    if cells.n_obs < MIN_WILD_TYPE:
        raise UserError(
            f"{where} has {cells.n_obs} wild-type cells; at least {MIN_WILD_TYPE} are needed to fit"
            " and to ask, so bring more cells"
        )
    if cells.n_vars < 2:
        raise UserError(
            f"{where} has {cells.n_vars} gene; at least 2 are needed, because a knockout needs"
            " another gene to act on"
        )


def _check_columns(dataset: Dataset, cells: Cells, where: str) -> None:
    """UserError where a named column of the wild-type cells is missing, or one says too much."""
    named = {
        "batch": dataset.batch_key,
        "cell-type": dataset.cell_type_key,
        "group": dataset.group_key,
        "replicate": dataset.replicate_key,
    }
    for kind, key in named.items():
        if key is not None and key not in cells.obs:
            known = ", ".join(sorted(cells.obs)) or "none"
            raise UserError(
                f"{where} names {key!r} as its {kind} column, but its cells have the columns"
                f" {known}; name one of them or None"
            )
        if key is not None and kind in ("group", "replicate"):
            _check_labels(dataset, key, f"{where} names {key!r} as its {kind} column")
    if "perturbation" in cells.obs:
        raise UserError(
            f"{where} gives its wild-type cells a column 'perturbation', which predictors must not"
            " see; take it out of cells.obs"
        )


def _check_labels(dataset: Dataset, key: str, said: str) -> None:
    """UserError where a column lacks a label, or perturbed cells lack the column."""
    parts = {"wild-type": dataset.cells, "perturbed": dataset.perturbed}
    for what, cells in parts.items():
        if cells is None:
            continue
        if key not in cells.obs:
            raise UserError(
                f"{said}, but its {what} cells lack it; give them the same column, or name None"
            )
        empty = [label is None or not str(label).strip() for label in cells.obs[key]]
        if any(empty):
            raise UserError(
                f"{said}, but {sum(empty):,} of its {len(empty):,} {what} cells have no label there"
                f" (first: cell {empty.index(True)}); give every cell one"
            )


def _check_perturbed(perturbed: Cells, cells: Cells, where: str) -> None:
    """UserError where perturbed cells have other genes, or no perturbation."""
    if not np.array_equal(perturbed.var_names, cells.var_names):
        raise UserError(
            f"{where} has other genes in its perturbed cells than in its wild-type cells; give"
            " both the same list in the same order"
        )
    labels = perturbed.obs.get("perturbation")
    if labels is None or not all(str(label).strip() for label in labels):
        raise UserError(
            f"{where} has perturbed cells without a label; give each one in"
            " perturbed.obs['perturbation']"
        )


def _checked_cells(cells: Cells, scale: str, where: str) -> Cells:
    """The cells with checked, tidied matrices."""
    names = [str(i) for i in range(cells.n_obs)]
    matrices = {
        layer: check_matrix(matrix, where, names, cells.var_names, layer)
        for layer, matrix in cells.layers.items()
    }
    X = check_matrix(cells.X, where, names, cells.var_names)
    check_scale(X, scale, where, names, cells.var_names)
    if "counts" in matrices:
        check_scale(
            matrices["counts"], "counts", f"{where}, layer 'counts'", names, cells.var_names
        )
    check_expressed(X, where, names, "leave them out, or bring more genes")
    return dataclasses.replace(cells, X=X, layers=matrices)
