"""AnnData's layout, of every version, in a file of groups: HDF5 or zarr."""

from __future__ import annotations

from kobench.builtin.datasets.formats.columns import RecordFrame, StoredFrame
from kobench.builtin.datasets.formats.source import Frame, Part, Source, Stored
from kobench.builtin.datasets.formats.stored import stored
from kobench.errors import UserError

#: What AnnData consists of at least. X may be missing: it may be empty.
NEEDED = ("obs", "var")


def is_annotated(whole: Part) -> bool:
    """Whether a group has what AnnData consists of at least."""
    return set(NEEDED) <= set(whole.names())


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
    missing = [part for part in NEEDED if part not in whole.names()]
    if missing:
        raise UserError(
            f"{path} has groups but is not AnnData ({', '.join(missing)} missing); write it with"
            " adata.write_h5ad(FILE)"
        )
    uns, layers = whole.get("uns"), whole.get("layers")
    matrices = {name: _matrix(layers, name) for name in (layers.names() if layers else ())}
    return Source(
        path=path,
        obs=_frame(whole, "obs", uns),
        var=_frame(whole, "var", uns),
        X=_matrix(whole, "X"),
        layers={name: matrix for name, matrix in matrices.items() if matrix is not None},
        raw=_raw(whole, uns),
    )


def _frame(group: Part, name: str, uns: Part | None) -> Frame:
    """The table of this name in a group."""
    part = group.get(name)
    if part is not None and part.is_array and part.dtype.names:
        return RecordFrame(part, uns)
    if part is None or part.is_array:
        raise UserError(
            f"{group.file} has no table {name}; write it again with adata.write_h5ad(FILE)"
        )
    return StoredFrame(part)


def _matrix(group: Part | None, name: str) -> Stored | None:
    """The matrix of this name in a group, None where there is none."""
    part = group.get(name) if group is not None else None
    return None if part is None else stored(part)


def _raw(whole: Part, uns: Part | None) -> tuple[Frame, Stored] | None:
    """Genes and matrix of `.raw`; before 0.7 they lay beside X."""
    raw = whole.get("raw")
    if raw is not None and not raw.is_array and "X" in raw.names():
        matrix = _matrix(raw, "X")
        return None if matrix is None else (_frame(raw, "var", uns), matrix)
    matrix = _matrix(whole, "raw.X")
    return None if matrix is None else (_frame(whole, "raw.var", uns), matrix)
