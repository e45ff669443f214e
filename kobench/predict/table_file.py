"""A table written piece by piece to a file, which appears whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import IO, Any

import numpy as np

from kobench.errors import UserError
from kobench.util.files import umask
from kobench.util.spreadsheet import cell_text

#: Endings of the files that can be written.
FORMATS = (".csv", ".csv.gz", ".npz")


def as_cells(values: Any) -> Any:
    """A column of a CSV file: names as spreadsheets may read them, numbers as they are."""
    if np.asarray(values).dtype.kind not in "OUS":
        return values
    names, places = np.unique(np.asarray(values, str), return_inverse=True)
    return np.array([cell_text(str(name)) for name in names], object)[places]


class TableFile:
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
        if not out.name.endswith(FORMATS):
            raise UserError(
                f"the output {out.name!r} has no known ending; expected one of {', '.join(FORMATS)}"
            )
        self.out, self.rows = out, 0
        self.pieces: list[Mapping[str, Any]] = []  # of an .npz file: its arrays are written whole
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.file = NamedTemporaryFile(  # noqa: SIM115 - closed on exit
                dir=out.parent, prefix=f".{out.name}.", suffix=".tmp", delete=False
            )
        except OSError as error:
            raise UserError(
                f"the output {out} can't be written: {error.strerror}; name another file with -o"
            ) from error

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self.file.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.file.name)

    def _finish(self) -> None:
        """Write what is left and put the file in its place."""
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
        self.file.flush()
        os.fsync(self.file.fileno())
        os.chmod(self.file.name, 0o666 & ~umask())
        os.replace(self.file.name, self.out.resolve())  # a symbolic link stays one
