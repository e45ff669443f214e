"""AnnData's layout, of every version, in a file of groups: HDF5 or zarr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from kobench.builtin.datasets.formats.columns import RecordFrame, StoredFrame
from kobench.builtin.datasets.formats.source import Frame, Part, Source, Stored
from kobench.builtin.datasets.formats.stored import stored
from kobench.errors import UserError

#: What AnnData consists of at least. X may be missing: it may be empty.
NEEDED = ("obs", "var")


def missing_in(whole: Part) -> list[str]:
    """What a group lacks of what AnnData consists of at least."""
    there = set(whole.names())
    return [part for part in NEEDED if part not in there]


def read_annotated(whole: Part, path: str) -> Source:
    """The AnnData in a group.

    Parameters
    ----------
    whole : Part
        The group.
    path : str
        The file, for messages.

    Raises
    ------
    UserError
        Where a part of it is missing or no such part.
    """
    if missing := missing_in(whole):
        raise UserError(
            f"{path} has groups but is not AnnData ({', '.join(missing)} missing); write it with"
            " adata.write_h5ad(FILE)"
        )
    return Source(
        path=path,
        obs=frame_of(whole, "obs", whole),
        var=frame_of(whole, "var", whole),
        X=_matrix(whole, "X"),
        layers=Layers(whole),
        raw=partial(_raw, whole),
    )


class Layers(Mapping[str, Stored]):
    """The layers of AnnData, each opened when it is asked for; those without values are not there.

    Parameters
    ----------
    whole : Part
        The AnnData.
    """

    def __init__(self, whole: Part) -> None:
        self._group = whole.get("layers")
        self._names = self._group.names() if self._group is not None else []

    def __getitem__(self, name: str) -> Stored:
        found = _matrix(self._group, name) if name in self._names else None
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def frame_of(group: Part, name: str, whole: Part) -> Frame:
    """The table of this name in a group; before 0.7 its categories lay elsewhere in the whole."""
    part = group.get(name)
    if part is not None and part.is_array and part.dtype.names:
        return RecordFrame(part, whole)
    if part is None or part.is_array:
        raise UserError(
            f"{group.file} has no table {name}; write it again with adata.write_h5ad(FILE)"
        )
    return StoredFrame(part)


def _matrix(group: Part | None, name: str) -> Stored | None:
    """The matrix of this name in a group, None where there is none."""
    part = group.get(name) if group is not None else None
    return None if part is None else stored(part)


def _raw(whole: Part) -> tuple[Frame, Stored] | None:
    """Genes and matrix of `.raw`; before 0.7 they lay beside X."""
    raw = whole.get("raw")
    if raw is not None and not raw.is_array and "X" in raw.names():
        matrix = _matrix(raw, "X")
        return None if matrix is None else (frame_of(raw, "var", whole), matrix)
    matrix = _matrix(whole, "raw.X")
    return None if matrix is None else (frame_of(whole, "raw.var", whole), matrix)
