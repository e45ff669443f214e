"""Reading of AnnData files: every fault of a file, or of a column's name, is one sentence."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.labels.read import labels_there
from kobench.errors import UserError
from kobench.util.text import suggestion

#: `perturbation_key=none` says that every cell of the file is wild type.
NO_PERTURBATION = "none"

#: `batch_key=day+donor` names the combination of two columns.
JOIN = "+"


def read(path: str) -> Any:
    """The AnnData in a file; UserError, one sentence, where there is none."""
    _check_start(path)
    _check_parts(path)
    import anndata

    try:
        with warnings.catch_warnings():
            # of old layouts, and of repeated names, which are an error later on
            warnings.simplefilter("ignore")
            return anndata.read_h5ad(path)
    except OSError as error:
        raise UserError(
            f"{path} is truncated or damaged ({first_line(error)}); copy or download it again"
        ) from error
    except Exception as error:
        raise UserError(
            f"{path} cannot be read as AnnData ({first_line(error)}); write it again with"
            " adata.write_h5ad(FILE)"
        ) from error


def _check_start(path: str) -> None:
    """UserError where there is no file, or its first bytes are not those of HDF5."""
    if not path:
        raise UserError("no h5ad file is given; say path=FILE.h5ad")
    if not Path(path).is_file():
        raise UserError(f"h5ad file {path!r} does not exist; give path=FILE.h5ad")
    with open(path, "rb") as stream:
        start = stream.read(8)
    if not start:
        raise UserError(f"{path} is empty (0 bytes); copy or download it again")
    if start[:2] == b"\x1f\x8b":
        raise UserError(f"{path} is gzip-compressed; unpack it first (gunzip)")
    # not h5py.is_hdf5: it calls a truncated file "not HDF5"
    if start != b"\x89HDF\r\n\x1a\n":
        raise UserError(
            f"{path} is not an HDF5 file (it starts with {start[:8]!r}), so not an .h5ad; write one"
            " with adata.write_h5ad(FILE)"
        )


def _check_parts(path: str) -> None:
    """UserError where an HDF5 file is damaged, or lacks a part of AnnData."""
    import h5py

    try:
        with h5py.File(path) as content:
            missing = [part for part in ("X", "obs", "var") if part not in content]
    # HDF5 has no common error: OSError where a file is cut, RuntimeError and others inside it
    except Exception as error:
        raise UserError(
            f"{path} is truncated or damaged ({first_line(error)}); copy or download it again"
        ) from error
    if missing:
        raise UserError(
            f"{path} is HDF5 but not AnnData ({', '.join(missing)} missing); write it with"
            " adata.write_h5ad(FILE)"
        )


def first_line(error: Exception) -> str:
    """The type of an error and the first line of its text."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def matrix(adata: Any, path: str, layer: str, raw: bool) -> tuple[Any, Any]:
    """The matrix (n, G) that the parameters name, and the table of its G genes.

    Parameters
    ----------
    adata : AnnData
    path : str
        What messages start with.
    layer : str
        Name of a layer; "" for X.
    raw : bool
        Whether it is `.raw`.

    Raises
    ------
    UserError
        Where the parameters contradict each other, there is no such matrix, or it is damaged.
    """
    if raw and layer:
        raise UserError(f"{path}: both layer={layer} and raw=true are given; give one of them")
    if raw and adata.raw is None:
        raise UserError(
            f"{path}: raw=true is given but the file has no .raw; leave raw out or name a layer"
        )
    source = adata.raw if raw else adata
    if layer and layer not in adata.layers:
        raise UserError(
            f"{path}: there is no layer {layer!r}; name one with layer=NAME;"
            f" {suggestion(layer, adata.layers, 'its layers')}"
        )
    matrix = adata.layers[layer] if layer else source.X
    if matrix is None:
        raise UserError(f"{path}: X is empty; name the layer that holds the values with layer=NAME")
    if hasattr(matrix, "check_format"):
        try:  # an index out of range would crash the process further on
            matrix.check_format(full_check=True)
        except ValueError as error:
            raise UserError(
                f"{path} is damaged (its sparse matrix: {first_line(error)}); copy or download it"
                " again"
            ) from error
    return matrix, source.var


def column(adata: Any, path: str, key: str, what: str, also: str = "") -> npt.NDArray[np.str_]:
    """A column of obs as text (n,); UserError where it does not exist or has gaps.

    `what` is the parameter that names it, and `also` what else it may be set to, for messages.
    """
    known = [str(name) for name in adata.obs.columns]
    if key not in known:
        raise UserError(
            f"{path}: obs has no column {key!r}; set {what} to one it has{also};"
            f" {suggestion(key, known, 'its columns')}"
        )
    column = adata.obs[key]
    empty = np.asarray(column.isna()) | (column.astype(str) == "").to_numpy()
    if np.any(empty):
        number, first = int(empty.sum()), str(adata.obs_names[int(np.argmax(empty))])
        raise UserError(
            f"{path}: obs[{key!r}] has no value for {number:,} of {len(empty):,} cells (first:"
            f" {first!r}); fill it in or leave them out"
        )
    return np.asarray(column.astype(str), dtype=np.str_)


def columns(adata: Any, path: str, key: str, what: str) -> npt.NDArray[np.str_]:
    """A column of obs as text (n,), or the combination of several that `+` joins in `key`.

    A column whose own name is `key` comes first. `what` is the parameter that names them.

    Raises
    ------
    UserError
        Where a column does not exist or has gaps, or two combinations would read alike.
    """
    if key in adata.obs.columns or JOIN not in key:
        return column(adata, path, key, what)
    parts = np.stack([column(adata, path, name, what) for name in key.split(JOIN)])
    text = np.array([JOIN.join(labels) for labels in parts.T.tolist()], dtype=np.str_)
    if len(np.unique(text)) < len(np.unique(parts, axis=1).T):
        raise UserError(
            f"{path}: two combinations of obs[{key!r}] read alike, as their labels hold {JOIN!r};"
            " rename the labels"
        )
    return text


def labels(adata: Any, path: str, key: str) -> npt.NDArray[np.str_]:
    """Each cell's label of its perturbation (n,), from the column `key`."""
    also = f" (perturbation_key={NO_PERTURBATION} if every cell is wild type)"
    text = column(adata, path, key, "perturbation_key", also)
    values = getattr(adata.obs[key], "cat", adata.obs[key])
    if getattr(values, "categories", values).dtype.kind != "f":
        return text
    # whole numbers, which a gap or a conversion has made floats
    distinct, of_cell = np.unique(text, return_inverse=True)
    return np.array([str(label).removesuffix(".0") for label in distinct])[of_cell.ravel()]


def of_type(
    columns: Mapping[str, npt.NDArray[np.str_]], path: str, key: str, cell_type: str, n: int
) -> npt.NDArray[np.bool_]:
    """(n,) bool, the cells of the wanted type; all of them where `cell_type` is "".

    `key` is the one of the `columns` that has the types. UserError where no cell is of that type.
    """
    if not cell_type:
        return np.ones(n, dtype=bool)
    if not key:
        raise UserError(
            f"{path}: cell_type={cell_type} is given without the column that holds cell types; set"
            " cell_type_key"
        )
    found, counts = np.unique(columns[key], return_counts=True)
    if cell_type not in found:
        raise UserError(
            f"{path}: no cell has {cell_type!r} in obs[{key!r}]; choose another cell_type;"
            f" {labels_there(cell_type, dict(zip(found, counts, strict=True)))}"
        )
    return np.asarray(columns[key] == cell_type)
