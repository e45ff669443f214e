"""Objects of R in files of R (.RData, .rda), read by the package `rdata`; no R is needed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from kobench.datasets.recipes.common import MissingPackageError, fail, unpacked


def read_r(path: Path) -> Any:
    """The one object in a file of R.

    Parameters
    ----------
    path : Path

    Returns
    -------
    DataFrame, or an object with R's slots as attributes
        A matrix of R's package Matrix is the latter; see `matrix_of`.

    Raises
    ------
    MissingPackageError
        Where `rdata` is not installed.
    RecipeError
        Where the file holds anything else than one object.
    """
    try:
        import rdata
    except ImportError:
        raise MissingPackageError("rdata", "pip install 'kobench[rdata]'") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that it gives as they are
        parsed = rdata.parser.parse_data(unpacked(path))
        found = rdata.conversion.convert(parsed)
    if not isinstance(found, dict) or len(found) != 1:
        fail(f"{path.name} holds something else than one object of R")
    return next(iter(found.values()))


def matrix_of(value: Any, what: str) -> Any:
    """A sparse matrix of R's package Matrix (dgCMatrix or dgTMatrix), genes x cells, as CSR.

    Parameters
    ----------
    value : object
        What `read_r` gave.
    what : str
        What it is called in messages.

    Returns
    -------
    CSR matrix
        Of 64-bit floats.
    """
    try:
        shape = (int(value.Dim[0]), int(value.Dim[1]))
        x, i = np.asarray(value.x, dtype=np.float64), np.asarray(value.i)
        if hasattr(value, "p"):
            found = scipy.sparse.csc_matrix((x, i, np.asarray(value.p)), shape=shape)
            found.check_format(full_check=True)
        else:
            found = scipy.sparse.coo_matrix((x, (i, np.asarray(value.j))), shape=shape)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        fail(f"{what} is no sparse matrix of R's package Matrix ({error})")
    return scipy.sparse.csr_matrix(found)


def names_of(value: Any, axis: int, what: str) -> list[str]:
    """The names of the rows (0) or columns (1) of such a matrix; RecipeError where it has none."""
    names = value.Dimnames[axis]
    if names is None or len(names) != int(value.Dim[axis]):
        fail(f"{what} has no names of its {('rows', 'columns')[axis]}")
    return [str(name) for name in names]
