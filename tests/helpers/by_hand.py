"""Files of cells written by h5py alone, in layouts that this machine's anndata no longer writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

try:
    import h5py

    TEXT = h5py.string_dtype()
except ImportError:  # tests that use it skip
    TEXT = None

#: Cells and genes, and what was perturbed in the cells.
CELLS, GENES = [f"cell{i}" for i in range(40)], [f"gene{i}" for i in range(8)]
LABELS = ["control"] * 24 + ["gene0"] * 8 + ["gene1+gene2"] * 8
BATCHES = ["one" if i % 2 else "two" for i in range(40)]


def counts(seed: int = 0) -> Any:
    """(40, 8) counts, the same as those of the plain file."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(1.0, (40, 8)).astype(np.float32)
    X[:, -1] += 1
    return X


def text(values: Any) -> Any:
    """Text as AnnData writes it: of any length, in UTF-8."""
    return np.array(list(values), dtype=TEXT)


def sparse(group: Any, name: str, X: Any, kind: str = "csr", **attrs: Any) -> Any:
    """A sparse matrix with the attributes of AnnData 0.7 and later, or those given."""
    matrix = X if scipy.sparse.issparse(X) else getattr(scipy.sparse, f"{kind}_matrix")(X)
    part = group.create_group(name)
    for each in ("data", "indices", "indptr"):
        part[each] = getattr(matrix, each)
    said = attrs or {"encoding-type": f"{kind}_matrix", "encoding-version": "0.1.0"}
    for key, value in said.items():
        part.attrs[key] = value
    if not any("shape" in key for key in said):
        part.attrs["shape"] = np.array(matrix.shape)
    return part


def codes(values: Any, categories: Any = None) -> tuple[Any, list[Any]]:
    """Numbers of the categories of values, and the categories."""
    names = sorted(set(values)) if categories is None else list(categories)
    return np.array([names.index(value) for value in values], dtype=np.int8), names


def frame(group: Any, name: str, index: Any, columns: Mapping[str, Any], **attrs: Any) -> Any:
    """A table as since AnnData 0.7; values of columns are arrays, or functions that write them."""
    part = group.create_group(name)
    part["_index"] = index
    for key, value in columns.items():
        if callable(value):
            value(part, key)
        else:
            part[key] = value
    said = {"_index": "_index", "column-order": text(columns), **attrs}
    for key, value in said.items():
        if value is not None:
            part.attrs[key] = value
    return part


def categorical(values: Any, categories: Any = None, of: Any = text) -> Any:
    """What writes a column with categories as AnnData 0.8 and later does."""

    def write(part: Any, key: str) -> None:
        found, names = codes(values, categories)
        column = part.create_group(key)
        column["codes"], column["categories"] = found, of(names)
        column.attrs["encoding-type"], column.attrs["ordered"] = "categorical", False

    return write


def elsewhere(values: Any) -> Any:
    """What writes a column whose categories lie in `__categories`, as AnnData 0.7 does."""

    def write(part: Any, key: str) -> None:
        found, names = codes(values)
        part[key] = found
        there = part.require_group("__categories")
        there[key] = text(names)
        there[key].attrs["ordered"] = False
        part[key].attrs["categories"] = there[key].ref

    return write


def masked(values: Any, kind: str) -> Any:
    """What writes a column of pandas' nullable arrays; None is a gap."""

    def write(part: Any, key: str) -> None:
        gaps = np.array([value is None for value in values])
        filled = next(value for value in values if value is not None)
        given = [filled if value is None else value for value in values]
        column = part.create_group(key)
        column["values"] = text(given) if isinstance(filled, str) else np.array(given)
        column["mask"] = gaps
        column.attrs["encoding-type"], column.attrs["encoding-version"] = kind, "0.1.0"

    return write


def records(index: Any, columns: Mapping[str, Any], strings: Any = None) -> Any:
    """A table as before AnnData 0.7: records, whose first field names the rows."""
    fields = {"index": list(index), **columns}
    dtypes = [
        (key, (strings or TEXT) if isinstance(values[0], str) else np.asarray(values).dtype)
        for key, values in fields.items()
    ]
    found = np.zeros(len(fields["index"]), dtype=dtypes)
    for key, values in fields.items():
        given = [value.encode() for value in values] if isinstance(values[0], str) else values
        found[key] = given
    return found


def annotated(path: Path, **parts: Any) -> Path:
    """A file with X, obs and var, of which any may be replaced by what writes it."""
    usual = {
        "X": lambda file: sparse(file, "X", counts()),
        "obs": lambda file: frame(
            file, "obs", text(CELLS), {"perturbation": text(LABELS), "batch": text(BATCHES)}
        ),
        "var": lambda file: frame(file, "var", text(GENES), {}),
    }
    with h5py.File(path, "w") as file:
        for write in {**usual, **parts}.values():
            if write is not None:
                write(file)
    return path
