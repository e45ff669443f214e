"""What every format gives: names and columns of cells and genes, and matrices not yet read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray

#: Characters that a name or a label may have; what is longer is no name.
LONGEST = 1000


class Part(Protocol):
    """A group or an array in a file of groups (HDF5, zarr), taken without following any link.

    Attributes
    ----------
    file : str
        The file, for messages.
    name : str
        Where the part is in it, for messages; "" for the whole.
    attrs : mapping of str
        What is written beside it.
    is_array : bool
        Whether it is an array.
    shape : tuple of int
        Of an array; () for a group.
    dtype : numpy dtype
        Of an array; of a group it means nothing.
    file_size : int
        Bytes of all that there is.
    """

    file: str
    name: str

    @property
    def attrs(self) -> Mapping[str, Any]: ...

    @property
    def is_array(self) -> bool: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def chunks(self) -> tuple[int, ...] | None: ...

    @property
    def file_size(self) -> int: ...

    def names(self) -> list[str]:
        """Names of the parts of a group."""

    def get(self, name: str) -> Part | None:
        """The part of this name in a group, None where there is none."""

    def read(self, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Numbers, texts (as objects) or records of an array, from one row up to another."""


def said(part: Part, key: str) -> str:
    """An attribute as text, "" where there is none; R and Julia write it as a list of one."""
    value = part.attrs.get(key, "")
    if isinstance(value, (list, tuple, np.ndarray)):
        value = next(iter(np.ravel(value).tolist()), "") if np.size(value) == 1 else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, eq=False)
class Column:
    """A column as text.

    Attributes
    ----------
    values : (n,) str
    missing : (n,) bool
        Which of them are not there.
    kind : str
        What it holds, as numpy says it: "O" for text, "f" for floats, "i", "u" or "b".
    """

    values: npt.NDArray[np.str_]
    missing: BoolArray
    kind: str = "O"


class Frame(Protocol):
    """A table of cells or genes.

    Attributes
    ----------
    names : (n,) str
        Of the rows.
    """

    @property
    def names(self) -> npt.NDArray[np.str_]: ...

    def columns(self) -> Sequence[str]:
        """Names of the columns."""

    def column(self, key: str) -> Column:
        """A column; KeyError where there is none."""


@dataclass(frozen=True, eq=False)
class Block:
    """Values at some rows and columns of a matrix, (m,) each, in any order."""

    rows: npt.NDArray[np.integer[Any]]
    columns: npt.NDArray[np.integer[Any]]
    values: npt.NDArray[Any]


class Stored(Protocol):
    """A matrix (n, G) as it lies in a file.

    Attributes
    ----------
    shape : (int, int)
    dtype : numpy dtype
    dense : bool
        Whether it is stored with its zeros.
    file_size : int
        Bytes of the file.
    """

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def dense(self) -> bool: ...

    @property
    def file_size(self) -> int: ...

    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """(n,) how many values each row stores; no less than are not 0."""

    def blocks(self) -> Iterator[Block]:
        """All values that are not 0, each place once or, where it is stored twice, to be added."""

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """All stored values, in parts and without their places."""


@dataclass(frozen=True, eq=False)
class Source:
    """An opened file of n cells and G genes.

    Attributes
    ----------
    path : str
        The file, for messages.
    obs, var : Frame
        Cells and genes.
    X : Stored, or None
        The matrix (n, G), None where it is empty.
    layers : mapping of str to Stored
        Further matrices (n, G).
    raw : callable
        Gives genes and matrix of `.raw`, None where there is none.
    notes : tuple of str
        What a reader of scores has to know of the file.
    absent : int
        Cells of the file that are left out because a table of cells lacks them.
    """

    path: str
    obs: Frame
    var: Frame
    X: Stored | None
    layers: Mapping[str, Stored] = field(default_factory=dict)
    raw: Callable[[], tuple[Frame, Stored] | None] = lambda: None
    notes: tuple[str, ...] = ()
    absent: int = 0
