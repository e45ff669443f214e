"""The digest of what a file of cells holds, whatever container it lies in.

An .h5ad of the same cells has other bytes with another version of h5py, anndata or HDF5. A file
that a recipe makes, or that a package ships again, is therefore checked by its content::

    sha256 of a head, then of each matrix

    head      JSON with sorted keys: "content" (the version of this definition), "cells" and "genes"
              (their names, in order), "obs" and "var" (columns by name, each a list of values),
              "raw" ("genes" and "var" of `.raw`, or null), "matrices" (their names, in the order in
              which they follow: "X" where there is one, "raw" where there is one, "layers/NAME"
              sorted)
    values    of a column: a number as a float, anything else as text, null where there is none
    matrix    its values that are not 0, row by row and within a row by column: how many each row
              has, their columns (both little-endian 64-bit whole numbers), and the values
              (little-endian 64-bit floats, of what is single precision in memory)

So it is the same for sparse and dense, for every type of number and index, and for columns in
another order. Left out is what no loader reads: uns, obsm, varm, obsp, varp. It is made with the
loader's own reader: what two readers take for different things in one file could pass for another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kobench.datasets.digest import nonzero
from kobench.errors import UserError
from kobench.util.resolve import resolve_reference

#: The version of the definition above.
VERSION = 2

#: The reader of loaders, named and not imported: only the hooks know `builtin`.
OPENED = "kobench.builtin.datasets.formats.opening:opened"
ROWS = "kobench.builtin.datasets.formats.fill:read_rows"

#: Whole numbers beyond this are not all floats: they stay text.
EXACT = 2**53

#: What an HDF5 file begins with.
HDF5 = b"\x89HDF\r\n\x1a\n"


class Table(Protocol):
    """Names and columns of cells or genes, as the reader gives them."""

    names: Any

    def columns(self) -> Any: ...
    def column(self, key: str) -> Any: ...


#: Parts of messages on files that may be right: they are open elsewhere, or can't be read here.
NOT_ITS_FAULT = (
    *(
        "in another process",
        "was not closed by",
        "may not be read by you",
        "of memory",
        "more memory",
    ),
    *("is not installed", "hdf5plugin", "cannot be unpacked into", "unpacked here"),
)


def content_of_file(path: Path, remedy: str = "bring the right file") -> str:
    """The digest of a file of cells, as [file] of a card says it.

    Parameters
    ----------
    path : Path
        A file that a loader reads.
    remedy : str
        How the message on a file that is none ends.

    Returns
    -------
    str
        "sha256:" and 64 hexadecimal digits.

    Raises
    ------
    UserError
        Where it cannot be read as one.
    """
    try:
        opened: AbstractContextManager[Any] = resolve_reference(OPENED)(str(path))
        with opened as source:
            return _content(source)
    # HDF5 and zarr have no common error
    except Exception as error:
        if isinstance(error, UserError) and any(each in str(error) for each in NOT_ITS_FAULT):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0].partition(";")[0]
        raise UserError(
            f"{path} cannot be read as a file of cells ({said:.300}); {remedy}"
        ) from error


def _content(source: Any) -> str:
    read_rows = resolve_reference(ROWS)
    raw = source.raw()
    matrices = {} if source.X is None else {"X": source.X}
    if raw is not None:
        matrices["raw"] = raw[1]
    matrices |= {f"layers/{name}": source.layers[name] for name in sorted(source.layers)}
    cells = len(source.obs.names)
    head = {
        "content": VERSION,
        "cells": partial(_texts, source.obs.names),
        "genes": partial(_texts, source.var.names),
        "obs": _columns(source.obs),
        "var": _columns(source.var),
        "raw": None
        if raw is None
        else {"genes": partial(_texts, raw[0].names), "var": _columns(raw[0])},
        "matrices": list(matrices),
    }
    total = hashlib.sha256()
    for piece in _written(head):
        total.update(piece.encode())
    for name, stored in matrices.items():
        if stored.shape[0] != cells:
            raise UserError(
                f"{source.path}: {name} has {stored.shape[0]:,} rows for {cells:,} cells;"
                " bring the right file"
            )
        for part in nonzero(read_rows(stored, np.arange(cells), source.path)):
            total.update(np.ascontiguousarray(part).data)
    return f"sha256:{total.hexdigest()}"


def _texts(names: Any) -> list[str]:
    return [str(name) for name in names.tolist()]


def _written(head: Any) -> Iterator[str]:
    """JSON with sorted keys, in pieces, so that one column at a time is in memory."""
    if not isinstance(head, dict):
        yield json.dumps(head() if callable(head) else head)
        return
    for number, key in enumerate(sorted(head)):
        yield f"{', ' if number else '{'}{json.dumps(key)}: "
        yield from _written(head[key])
    yield "}" if head else "{}"


def _columns(table: Table) -> dict[str, Callable[[], list[Any]]]:
    """What gives the values of each column of a table."""
    return {str(name): partial(_values, table, name) for name in table.columns()}


def _values(table: Table, name: str) -> list[Any]:
    """The values of one column: numbers as floats, others as text, None where there is none."""
    column = table.column(name)
    return [
        None if absent else _number(text) if column.kind in "iuf" else str(text)
        for text, absent in zip(column.values.tolist(), column.missing.tolist(), strict=True)
    ]


def _number(text: str) -> float | str:
    """A number as a float, where that is exact."""
    value = float(text)
    whole = text.lstrip("-").isdigit()
    return text if whole and abs(int(text)) > EXACT else value


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does; OSError where it can't be read."""
    with open(path, "rb") as stream:
        return stream.read(len(HDF5)) == HDF5
