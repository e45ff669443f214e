"""The digest of what an AnnData file holds, whatever container it lies in.

An .h5ad of the same cells has other bytes with another version of h5py, anndata or HDF5. A file
that a recipe makes, or that a package ships again, is therefore checked by its content::

    sha256 of a head, then of each matrix

    head      JSON with sorted keys: "content" (the version of this definition), "cells" and "genes"
              (their names, in order), "obs" and "var" (columns by name, each a list of values),
              "raw" (the genes of `.raw`, or null), "matrices" (their names, in the order in which
              they follow: "X" where there is one, "raw" where there is one, "layers/NAME" sorted)
    values    of a column: a number as a float, anything else as text, null where there is none
    matrix    its values that are not 0, row by row and within a row by column: how many each row
              has, their columns (both little-endian 64-bit whole numbers), and the values
              (little-endian 64-bit floats)

So it is the same for sparse and dense, for every type of number and index, and for columns in
another order. Left out is what no loader reads: uns, obsm, varm, obsp, varp.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from kobench.datasets.digest import nonzero
from kobench.errors import UserError

#: The version of the definition above.
VERSION = 1


def content_of(adata: Any) -> str:
    """The digest of an AnnData, as [file] of a card says it.

    Parameters
    ----------
    adata : AnnData

    Returns
    -------
    str
        "sha256:" and 64 hexadecimal digits.
    """
    raw = adata.raw
    matrices = {} if adata.X is None else {"X": adata.X}
    if raw is not None:
        matrices["raw"] = raw.X
    # from anndata 0.13 on X is among the layers, without a name
    layers = sorted(name for name in adata.layers if name is not None)
    matrices |= {f"layers/{name}": adata.layers[name] for name in layers}
    head = {
        "content": VERSION,
        "cells": [str(name) for name in adata.obs_names],
        "genes": [str(name) for name in adata.var_names],
        "obs": _columns(adata.obs),
        "var": _columns(adata.var),
        "raw": None if raw is None else [str(name) for name in raw.var_names],
        "matrices": list(matrices),
    }
    total = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for matrix in matrices.values():
        for part in nonzero(matrix):
            total.update(np.ascontiguousarray(part).data)
    return f"sha256:{total.hexdigest()}"


def _columns(table: Any) -> dict[str, list[Any]]:
    """The values of each column of a table."""
    return {str(name): _values(table[name]) for name in table.columns}


def _values(column: Any) -> list[Any]:
    """The values of one column: numbers as floats, others as text, None where there is none."""
    missing = np.asarray(column.isna(), dtype=bool)
    kind = getattr(column.dtype, "categories", column).dtype.kind
    as_written = float if kind in "iuf" else str
    return [
        None if absent else as_written(value)
        for value, absent in zip(column.tolist(), missing, strict=True)
    ]


def content_of_file(path: Path) -> str:
    """The digest of an .h5ad file; UserError where it cannot be read as one."""
    import anndata

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old layouts and repeated names
            return content_of(anndata.read_h5ad(path))
    # HDF5 and anndata have no common error
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{path} cannot be read as AnnData ({type(error).__name__}: {said:.200}); bring the"
            " right file"
        ) from error
