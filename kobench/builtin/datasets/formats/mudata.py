"""MuData (.h5mu): several kinds of measurement of the same cells, of which the RNA is read."""

from __future__ import annotations

from dataclasses import replace

from kobench.builtin.datasets.formats.annotated import frame_of, read_annotated
from kobench.builtin.datasets.formats.source import Part, Source
from kobench.builtin.datasets.formats.table import Widened
from kobench.errors import UserError

#: What the RNA is called.
RNA = ("rna", "gex", "RNA", "GEX")


def is_mudata(whole: Part) -> bool:
    """Whether a file is MuData."""
    return "mod" in whole.names()


def read_mudata(whole: Part, path: str) -> Source:
    """The RNA of a MuData file, with the columns that its cells have in the whole besides.

    Raises
    ------
    UserError
        Where it has no RNA.
    """
    group = whole.get("mod")
    there = group.names() if group is not None else []
    name = next((name for name in RNA if name in there), there[0] if len(there) == 1 else "")
    part = group.get(name) if group is not None and name else None
    if part is None:
        raise UserError(
            f"{path} has the modalities {', '.join(there) or 'none'}, and none is called rna; write"
            " the one with expression as a file of its own (mdata.mod[NAME].write_h5ad(FILE))"
        )
    source = read_annotated(part, path)
    if "obs" in whole.names():
        source = replace(
            source, obs=Widened(source.obs, frame_of(whole, "obs", whole), path, whole.file_size)
        )
    others = [other for other in there if other != name]
    if others:
        said = f"of the modalities of the file only {name} is read, not {', '.join(others)}"
        source = replace(source, notes=(*source.notes, said))
    return source
