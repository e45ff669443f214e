"""What recipes share: reading tables, checking counts, and putting an AnnData together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np


class RecipeError(ValueError):
    """The sources are not what a recipe expects; says so in one sentence."""


def fail(sentence: str) -> NoReturn:
    """Raise RecipeError."""
    raise RecipeError(sentence)


def read_csv(path: Path) -> Any:
    """A table with names in its first line and its first column, as a DataFrame."""
    import pandas

    return pandas.read_csv(path, index_col=0)


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
