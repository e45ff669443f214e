"""The number at the end of a barcode: which library of several the cell comes from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.source import Column
from kobench.builtin.datasets.labels.text import joined, shown
from kobench.errors import UserError

#: In place of a column of obs: the number behind the last hyphen of each cell's name.
SUFFIX = "@barcode-suffix"

#: Names of cells that end in such a number, and those that are surely barcodes.
_NUMBERED = re.compile(r".*-(\d+)", re.DOTALL)
_BARCODE = re.compile(r"[ACGTN]{8,}(?:-\d+)*-(\d+)")

#: Libraries that a sentence names.
MOST = 4


def suffixes(names: npt.NDArray[np.str_], known: npt.NDArray[np.bool_], where: str) -> Column:
    """The number at the end of each cell's name (n,), as a column.

    Parameters
    ----------
    names : (n,) str
        Of the cells.
    known : (n,) bool
        The cells that must have one.
    where : str
        What messages start with: the file, and what parameter asks for it.

    Raises
    ------
    UserError
        Where one of the `known` cells has none.
    """
    found = [_NUMBERED.fullmatch(name) for name in names.tolist()]
    missing = np.array([each is None for each in found], dtype=bool)
    if np.any(missing & known):
        first = shown(str(names[int(np.argmax(missing & known))]))
        raise UserError(
            f"{where} is {SUFFIX}, but {int((missing & known).sum()):,} of {len(names):,} cells"
            f" have names that do not end in a hyphen and a number (first: {first}); name a column"
            " of obs that says which library each cell comes from"
        )
    return Column(np.array([each.group(1) if each else "" for each in found], np.str_), missing)


def libraries(names: Iterable[str]) -> str:
    """A sentence on barcodes that end in different numbers, where no batch is given; "" for none.

    Parameters
    ----------
    names : iterable of str
        Names of cells; all must be barcodes for anything to be said.
    """
    count: Counter[str] = Counter()
    for name in names:
        found = _BARCODE.fullmatch(name)
        if found is None:
            return ""
        count[found.group(1)] += 1
    if len(count) < 2:
        return ""
    ordered = sorted(count.items(), key=lambda item: int(item[0]))
    said = [f"-{number} ({cells:,} cell{'s' * (cells != 1)})" for number, cells in ordered[:MOST]]
    last = joined(said, len(count) - MOST) if len(count) > MOST else _and(said)
    return (
        f"barcodes end in {last}, as those of libraries that were put together (cellranger aggr),"
        " and no batch is given, so that a library can pass for the effect of a gene: if they are,"
        f" say --batch-key {SUFFIX}, which compares within each"
    )


def _and(said: list[str]) -> str:
    """Two things or more in words."""
    return f"{', '.join(said[:-1])} and {said[-1]}"
