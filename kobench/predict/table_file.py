"""A table written piece by piece to a file, which appears whole or not at all."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from kobench.predict.new_file import NewFile
from kobench.util.spreadsheet import cell_text

#: Endings of the files that can be written.
FORMATS = (".csv", ".csv.gz", ".npz")


def as_cells(values: Any) -> Any:
    """A column of a CSV file: names as spreadsheets may read them, numbers as they are."""
    if np.asarray(values).dtype.kind not in "OUS":
        return values
    names, places = np.unique(np.asarray(values, str), return_inverse=True)
    return np.array([cell_text(str(name)) for name in names], object)[places]


class TableFile(NewFile):
    """A table in a file that is there after a `with` block without an exception.

    Parameters
    ----------
    out : Path
        The file; its ending is one of `FORMATS`.

    Attributes
    ----------
    rows : int
        Number of rows that were added.

    Raises
    ------
    UserError
        If the ending is unknown or the file can't be written; before the block begins.
    """

    def __init__(self, out: Path) -> None:
        super().__init__(out, FORMATS)
        self.pieces: list[Mapping[str, Any]] = []  # of an .npz file: its arrays are written whole

    def __enter__(self) -> TableFile:
        self.text: IO[str] | None = None
        if not self.out.name.endswith(".npz"):
            binary: Any = self.file
            if self.out.name.endswith(".gz"):
                # without a name and a time, so that equal tables are equal files
                binary = gzip.GzipFile("", "wb", 6, self.file, 0)
            self.text = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        return self

    def add(self, columns: Mapping[str, Any]) -> None:
        """Add rows.

        Parameters
        ----------
        columns : mapping of str to (n,) array
            Values of the n rows by column; the same columns each time.
        """
        import pandas

        if self.text is None:
            self.pieces.append(columns)
        else:
            cells = {cell_text(name): as_cells(values) for name, values in columns.items()}
            pandas.DataFrame(cells).to_csv(self.text, index=False, header=self.rows == 0)
        self.rows += len(next(iter(columns.values())))

    def finish(self) -> None:
        if self.text is None:
            names = self.pieces[0] if self.pieces else {}
            whole: dict[str, Any] = {
                name: np.concatenate([piece[name] for piece in self.pieces]) for name in names
            }
            np.savez_compressed(self.file, **whole)
        else:
            self.text.flush()
            inner = self.text.detach()  # type: ignore[attr-defined]
            if inner is not self.file:
                inner.close()  # the gzip trailer; the file below stays open
