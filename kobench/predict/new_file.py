"""A file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from kobench.errors import UserError
from kobench.util.files import umask


class NewFile:
    """A file that is there after a `with` block without an exception.

    Parameters
    ----------
    out : Path
        The file.
    formats : tuple of str
        Endings that it may have.

    Attributes
    ----------
    rows : int
        Number of rows that were added.

    Raises
    ------
    UserError
        If the ending is unknown or the file can't be written; before the block begins.
    """

    def __init__(self, out: Path, formats: tuple[str, ...]) -> None:
        if not out.name.endswith(formats):
            raise UserError(
                f"the output {out.name!r} has no known ending; expected one of {', '.join(formats)}"
            )
        self.out, self.rows = out, 0
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.file = NamedTemporaryFile(  # noqa: SIM115 - closed on exit
                dir=out.parent, prefix=f".{out.name}.", suffix=".tmp", delete=False
            )
        except OSError as error:
            raise UserError(
                f"the output {out} can't be written: {error.strerror}; name another file with -o"
            ) from error

    def __enter__(self) -> Self:
        return self

    def finish(self) -> None:
        """Write what is left, before the file is put in its place."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
                self.file.flush()
                os.fsync(self.file.fileno())
                os.chmod(self.file.name, 0o666 & ~umask())
                os.replace(self.file.name, self.out.resolve())  # a symbolic link stays one
        finally:
            self.file.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.file.name)
