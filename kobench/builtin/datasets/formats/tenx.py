"""What CellRanger writes: .h5 files of version 2 and 3, and folders with a matrix in text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.columns import texts_in
from kobench.builtin.datasets.formats.selected import Selected
from kobench.builtin.datasets.formats.source import Part, Source, Stored
from kobench.builtin.datasets.formats.stored import Sparse
from kobench.builtin.datasets.formats.table import TextFrame
from kobench.errors import UserError
from kobench.util.text import visible

#: What CellRanger calls the features that are genes.
EXPRESSION = "Gene Expression"

#: Where ids and names of features lie: in version 3, and in version 2.
FEATURES = (("features/id", "features/name"), ("genes", "gene_names"))

Names = npt.NDArray[np.str_]


def is_tenx(whole: Part) -> bool:
    """Whether an HDF5 file is one of CellRanger."""
    return any(_is_matrix(whole.get(name)) for name in _groups(whole))


def _groups(whole: Part) -> list[str]:
    """Names of groups that may be a matrix: that of version 3, or one for each genome."""
    names = whole.names()
    return ["matrix"] if "matrix" in names else names[:8]


def _is_matrix(part: Part | None) -> bool:
    if part is None or part.is_array:
        return False
    names = set(part.names())
    return {"barcodes", "data", "indices", "indptr"} <= names and bool(
        names & {"features", "genes"}
    )


def read_tenx(whole: Part, path: str) -> Source:
    """The cells of a CellRanger .h5 file.

    Raises
    ------
    UserError
        Where it holds several genomes, or a part is missing.
    """
    groups = [name for name in _groups(whole) if _is_matrix(whole.get(name))]
    if len(groups) > 1:
        raise UserError(
            f"{path} holds several genomes ({', '.join(groups)}); write the one you mean with"
            " scanpy: sc.read_10x_h5(FILE, genome=NAME).write_h5ad(OUT)"
        )
    part = whole.get(groups[0])
    assert part is not None
    ids, names = next(
        (_names(part, name) for name in pair)
        for pair in FEATURES
        if part.get(pair[0].split("/")[0]) is not None
    )
    kinds = part.get("features/feature_type")
    barcodes = _names(part, "barcodes")
    return of_features(
        path,
        barcodes,
        (ids, names, texts_in(kinds).values if kinds is not None else None),
        Sparse(part, (len(barcodes), len(ids)), by_rows=True),
    )


def _names(part: Part, name: str) -> Names:
    found = part.get(name)
    if found is None or len(found.shape) != 1:
        raise UserError(
            f"{part.file}: {part.name} has no list {name}; copy or download the file again"
        )
    return texts_in(found).values


def of_features(
    path: str, barcodes: Names, features: tuple[Names, Names, Names | None], matrix: Stored
) -> Source:
    """Cells whose columns are genes and other features, of which genes are kept.

    Parameters
    ----------
    path : str
        The file, for messages.
    barcodes : (n,) str
    features : (F,) str, (F,) str, (F,) str or None
        Their ids, names and types.
    matrix : Stored
        (n, F).

    Raises
    ------
    UserError
        Where no feature is a gene.
    """
    ids, names, kinds = features
    notes = []
    if kinds is not None and (kinds != EXPRESSION).any():
        genes = kinds == EXPRESSION
        others = Counter(kinds[~genes].tolist())
        if not genes.any():
            raise UserError(
                f"{path}: no feature is of type {EXPRESSION!r}, they are"
                f" {_counted(others)}; bring the file with gene expression"
            )
        notes.append(
            f"of the features of the file only {EXPRESSION!r} is read, not {_counted(others)};"
            " which guides a cell has is taken from obs (or the table given by obs) alone"
        )
        ids, names, matrix = ids[genes], names[genes], Selected(matrix, genes)
    called, said = distinct(ids, names)
    return Source(
        path=path,
        obs=TextFrame(barcodes, {}),
        var=TextFrame(called, {"gene_ids": ids, "gene_names": names}),
        X=matrix,
        notes=(*notes, *said),
    )


def distinct(ids: Names, names: Names) -> tuple[Names, Sequence[str]]:
    """Names of genes (G,), the id in place of a name that several have, and what is said of it."""
    _, of_gene, count = np.unique(names, return_inverse=True, return_counts=True)
    shared = (count[of_gene.ravel()] > 1) | (names == "")
    if not shared.any() or (ids == names).all():
        return names, ()
    example = visible(str(names[np.argmax(shared)]), 40)
    return np.where(shared, ids, names), (
        f"{int(shared.sum()):,} genes share their name with another one (first: {example}) and go"
        " by their id",
    )


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{visible(kind, 40)} ({count:,})" for kind, count in sorted(kinds.items()))
