"""What recipes share: reading tables, checking counts, and putting an AnnData together."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from kobench.util.bounded import size_text
from kobench.util.resolve import resolve_reference

#: Bytes that a file may unpack to however small it is, and how many times its size beyond that.
#: Those of the recipes here unpack to 20 times at most.
HARMLESS, MOST_TIMES = 64 << 20, 100

#: The check of an HDF5 file before a library reads all of it, named and not imported: only the
#: hooks know `builtin`.
CHECKED = "kobench.builtin.datasets.formats.hdf5:check_whole"

#: How each kind of packed file begins, and what unpacks it.
PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


class RecipeError(ValueError):
    """The sources are not what a recipe expects; says so in one sentence."""


def fail(sentence: str) -> NoReturn:
    """Raise RecipeError."""
    raise RecipeError(sentence)


class MissingPackageError(Exception):
    """A package that a recipe needs is not installed.

    Parameters
    ----------
    package, remedy : str
        The package, and what installs it.
    """

    def __init__(self, package: str, remedy: str) -> None:
        super().__init__(f"the Python package {package} is not installed; {remedy}")


def unpacked(path: Path) -> bytes:
    """The content of a file, unpacked where it is packed (gzip, bzip2 or xz).

    Raises
    ------
    RecipeError
        Where it is damaged, or unpacks to far more than it is.
    """
    with open(path, "rb") as file:
        start, size = file.read(6), file.seek(0, 2)
    most = max(HARMLESS, MOST_TIMES * size)
    unpack = next((PACKED[mark] for mark in PACKED if start.startswith(mark)), open)
    try:
        with unpack(path, "rb") as file:
            content = bytes(file.read(most + 1))
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        fail(f"{path.name} cannot be unpacked ({error})")
    if len(content) > most:
        fail(f"{path.name} ({size_text(size)}) unpacks to more than {size_text(most)}")
    return content


def read_csv(path: Path) -> Any:
    """A table with names in its first line and its first column, as a DataFrame.

    A name or label such as NA is taken as it is written.
    """
    import pandas

    return pandas.read_csv(io.BytesIO(unpacked(path)), index_col=0, keep_default_na=False)


def read_h5ad(path: Path) -> Any:
    """An AnnData file, without the warnings of one of an old layout.

    UserError where it claims far more than it holds, or leads to another file.
    """
    import anndata

    resolve_reference(CHECKED)(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return anndata.read_h5ad(path)


def from_counts(
    X: Any,
    cells: Sequence[str],
    genes: Sequence[str],
    obs: Mapping[str, Any],
    var: Mapping[str, Any] | None = None,
) -> Any:
    """An AnnData of counts.

    Parameters
    ----------
    X : (n, G) array or sparse matrix
        Whole numbers of 0 or more.
    cells, genes : (n,), (G,) str
        Their names, which differ.
    obs, var : mapping of str to (n,) or (G,) array
        Columns; `var` may be left out.

    Returns
    -------
    AnnData
        X as sparse rows of 32-bit floats without stored zeros.

    Raises
    ------
    RecipeError
        Where values are no counts, or names are repeated.
    """
    import anndata
    import pandas
    import scipy.sparse

    matrix = scipy.sparse.csr_matrix(X, dtype=np.float64)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    values = matrix.data
    # beyond that a 32-bit float skips whole numbers
    if not (np.all(values >= 0) and np.all(values == np.rint(values)) and np.all(values < 1 << 24)):
        fail("the values are not counts: whole numbers of 0 or more")
    for what, names in (("cells", cells), ("genes", genes)):
        if len(set(names)) != len(names):
            fail(f"two {what} have the same name")
    return anndata.AnnData(
        matrix.astype(np.float32),
        obs=pandas.DataFrame(dict(obs), index=pandas.Index(list(cells), dtype=object)),
        var=pandas.DataFrame(dict(var or {}), index=pandas.Index(list(genes), dtype=object)),
    )
