"""The loader `table`: comma-separated numbers without header, as the DKO paper's Ptrain.csv."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.packed import unpacking
from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.matrices import check_expressed, check_matrix, check_scale
from kobench.datasets.normalise import choose_genes, normalise, zeros
from kobench.datasets.validate import validate
from kobench.errors import UserError
from kobench.util.bounded import open_plain

#: Bytes that a packed table may unpack to however small it is, and how many times its size beyond
#: that: a number of two bytes takes eight. Counts of which 1 in 20 is not 0 unpack to 40 times.
HARMLESS, MOST_TIMES = 16 << 20, 100


def load(path: str, scale: str = "linear", transpose: bool = False, genes: int = 0) -> Dataset:
    """Every column of a table as a wild-type cell.

    Parameters
    ----------
    path : str
        Comma-separated numbers, genes x cells, gzip-compressed or not.
    scale : str
        What the values are, taken as declared; counts become log1p-cp10k with totals over the
        file's genes, and stay in `layers["counts"]`.
    transpose : bool
        Whether every line is a cell instead.
    genes : int
        How many genes are kept; 0 keeps all.

    Returns
    -------
    Dataset
        Genes are called gene0, gene1, ... in the order of the file.

    Raises
    ------
    UserError
        One sentence, for a file that is not such a table.
    """
    values = read(path)
    values = values if transpose else values.T
    names = np.array([f"gene{i}" for i in range(values.shape[1])])
    cells = [f"cell{i}" for i in range(values.shape[0])]
    X = np.ascontiguousarray(check_matrix(values, path, cells, names), dtype=np.float32)
    check_scale(X, scale, path, cells, names)
    counts = scale == "counts"
    working = normalise(X) if counts else X
    chosen = choose_genes(X, genes)
    remedy = f"give a copy of the file without these {'lines' if transpose else 'columns'}"
    if genes and np.all(X.sum(axis=1) > 0):
        remedy = "keep more genes (genes=0 keeps all)"
    check_expressed(X[:, chosen], path, cells, remedy)
    unseen = int(np.sum(~np.any(X > 0, axis=0)))
    notes = []
    if unseen:
        notes.append(f"{unseen:,} of {len(names):,} genes are seen in no cell; they are left out")
    how = f"none, {scale} as declared"
    if counts:
        how = "log1p of counts per 10,000, totals: the file's genes"
    layers = {"counts": X[:, chosen]} if counts else {}
    dataset = Dataset(
        cells=Cells(working[:, chosen], names[chosen], layers=layers),
        scale="log1p-cp10k" if counts else scale,
        kind="real",
        notes=tuple(notes),
        facts={
            "cells in file": len(cells),
            "genes in file": len(names),
            "wild-type cells": len(cells),
            "genes": int(chosen.sum()),
            "genes left out": int(np.sum(~chosen)),
            "genes seen in no wild-type cell": unseen,
            "zeros in wild-type cells": zeros(X[:, chosen]),
            "normalisation": how,
        },
    )
    return validate(dataset, path)


def read(path: str) -> npt.NDArray[np.float64]:
    """(lines, columns) the numbers of a table; UserError where it holds anything else."""
    if not path:
        raise UserError("no table is given; say path=FILE.csv")
    file = Path(path)
    if not file.is_file():
        raise UserError(f"table {path!r} does not exist; give path=FILE.csv")
    try:
        with _open(file) as lines:
            _check_first_line(path, lines.readline().rstrip("\r\n"))
        with _open(file) as lines:
            return np.loadtxt(lines, delimiter=",", comments=None, dtype=np.float64, ndmin=2)
    except PermissionError as error:
        raise UserError(
            f"{path} may not be read by you ({error.strerror}); ask its owner"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"{path} is truncated or not gzip ({error}); copy or download it again"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not text ({error.reason} at byte {error.start}); give a comma-separated"
            " table of numbers"
        ) from error
    except ValueError as error:
        raise UserError(
            f"{path}: {_first_fault(file)}; give numbers only, comma-separated, as many on every"
            " line"
        ) from error


def _open(file: Path) -> IO[str]:
    """The file as text, unpacked where it is gzip, whatever its name says."""
    content = unpacking(open_plain(file), str(file), HARMLESS, MOST_TIMES)
    return io.TextIOWrapper(content, encoding="utf-8")


def _check_first_line(path: str, line: str) -> None:
    """UserError where the first line says that this is not a table of bare numbers."""
    if not line.strip():
        raise UserError(
            f"{path} is empty or starts with an empty line; give a comma-separated table of numbers"
        )
    words = line.split(",")
    if len(words) == 1 and len(line.replace(";", "\t").replace(" ", "\t").split("\t")) > 1:
        raise UserError(
            f"{path}: the first line has no comma ({line[:40]!r}); separate the numbers with commas"
        )
    strange = [word for word in words if not _is_number(word)]
    if len(strange) == 1 and len(words) > 1 and not _is_number(words[0]):
        raise UserError(
            f"{path}: the first column looks like gene names (it starts with {words[0]!r}); give a"
            " copy without it, since numbers alone are read"
        )
    if strange:
        raise UserError(
            f"{path}: the first line looks like a header (it has {strange[0]!r}); give a copy"
            " without it, since numbers alone are read"
        )


def _first_fault(file: Path) -> str:
    """Where a table stops being numbers, for a message."""
    width = None
    with _open(file) as lines:
        for number, line in enumerate(lines, 1):
            words = line.rstrip("\r\n").split(",")
            width = len(words) if width is None else width
            for column, word in enumerate(words, 1):
                if not _is_number(word):
                    return f"line {number}, column {column} holds {word!r}, which is not a number"
            if len(words) != width:
                return f"line {number} has {len(words)} columns but the first has {width}"
    return "the numbers cannot be read"


def _is_number(word: str) -> bool:
    """Whether Python reads the word as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
