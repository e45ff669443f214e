"""The loader `h5ad`: wild-type cells of an AnnData file, and the perturbed cells beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.content import Content, Wanted, read_content
from kobench.builtin.datasets.formats.fill import keep_columns, split_rows
from kobench.builtin.datasets.labels.read import Spelling, several
from kobench.builtin.datasets.working_scale import to_working_scale
from kobench.cells import BoolArray, Cells, IntArray
from kobench.dataset import Dataset
from kobench.datasets.matrices import check_expressed, tidy
from kobench.datasets.normalise import choose_seen, zeros
from kobench.datasets.parts import row_sums
from kobench.datasets.validate import validate

#: That labels say themselves which genes they mean.
NO_TABLE: Mapping[str, str] = {}


def load(
    path: str,
    perturbation_key: str = "perturbation",
    control: str | Sequence[str] = "control",
    unassigned: str | Sequence[str] = "",
    join: str | Sequence[str] = "",
    guide_pattern: str | Sequence[str] = "",
    labels: Mapping[str, str] = NO_TABLE,
    ignore_case: bool = False,
    var_key: str = "",
    kind_key: str = "",
    cell_type_key: str = "",
    batch_key: str = "",
    group_key: str = "",
    replicate_key: str = "",
    scale: str = "counts",
    normalise: str = "auto",
    totals_key: str = "",
    layer: str = "",
    raw: bool = False,
    genes: int = 0,
    cell_type: str = "",
    obs: str = "",
) -> Dataset:
    """The file's wild-type cells, and its perturbed cells as population truth.

    Parameters
    ----------
    path : str
        The file. The other parameters are described in `kobench.builtin.specs.datasets.h5ad_spec`.

    Returns
    -------
    Dataset
        Counts become log1p-cp10k (or log1p, or stay) with the totals taken before any gene is left
        out, and are kept in `layers["counts"]`; other scales are taken as declared. The gene list
        is chosen by wild-type cells (`choose_genes`).

    Raises
    ------
    UserError
        One sentence, for a file that cannot be read or does not hold what the parameters say.
    """
    keys = {
        "batch_key": batch_key,
        "cell_type_key": cell_type_key,
        "group_key": group_key,
        "replicate_key": replicate_key,
    }
    spelling = Spelling.of(path, control, join, guide_pattern, labels, ignore_case)
    left_out = several(unassigned)
    wanted = Wanted(
        perturbation_key,
        left_out,
        spelling,
        var_key,
        kind_key,
        keys,
        totals_key,
        scale,
        layer,
        raw,
        cell_type,
        obs,
    )
    content = read_content(path, wanted)
    groups = content.groups
    place = f"adata.layers[{layer!r}]" if layer else "adata.raw.X" if raw else "adata.X"
    chosen = _choose(content, genes, place)
    facts = _facts(content, chosen)  # of all genes: those left out leave memory next
    X = keep_columns(content.X, chosen)
    working = to_working_scale(X, scale, normalise, content.totals, totals_key, path)
    first = len(groups.wild_type)
    logs, counts = split_rows(working.X, first), split_rows(X, first)
    names = content.names[chosen]
    wild_type, perturbed = (
        _cells(content, rows, logs[part], counts[part], names, labelled=part == 1)
        for part, rows in enumerate((groups.wild_type, groups.perturbed))
    )
    facts["zeros in wild-type cells"] = zeros(wild_type.X)
    dataset = Dataset(
        cells=wild_type,
        scale=working.scale,
        kind="real",
        notes=_notes(content),
        batch_key=batch_key or None,
        cell_type_key=cell_type_key or None,
        group_key=group_key or None,
        replicate_key=replicate_key or None,
        perturbed=perturbed if len(groups.perturbed) else None,
        perturbation=content.kinds.most,
        kinds=content.kinds.others,
        facts={**facts, "normalisation": working.how},
    )
    return validate(dataset, path)


def _choose(content: Content, genes: int, place: str) -> BoolArray:
    """(G,) the genes that are kept; UserError where a kept cell expresses none of them.

    `place` is where the matrix lies in AnnData, for the message.
    """
    chosen = choose_seen(content.seen, genes, content.groups.measured)

    def remedy() -> str:
        """What helps: not every cell without these genes is without any."""
        if np.any(row_sums(content.X) == 0):
            return f"give a copy of the file with the others: adata[{place}.sum(axis=1) > 0].copy()"
        if genes and np.all(row_sums(content.X, content.seen > 0) > 0):
            return "keep more genes (genes=0 keeps all)"
        return (
            "what they express is seen in no wild-type cell; give them a label of their own in a"
            " copy of the file, and leave that out (`--unassigned LABEL`)"
        )

    cells = content.barcodes[content.groups.rows]
    check_expressed(content.X, content.path, cells, remedy, chosen)
    return chosen


def _cells(
    content: Content,
    rows: IntArray,
    X: Any,
    counts: Any,
    names: npt.NDArray[np.str_],
    labelled: bool,
) -> Cells:
    """The cells at some rows, with their perturbations where they are `labelled`."""
    obs = {key: column[rows] for key, column in content.columns.items()}
    if labelled:
        obs["perturbation"] = content.labels.names[rows]
    return Cells(tidy(X), names, obs, {"counts": counts} if content.counts else {})


def _unseen(content: Content) -> int:
    """Number of genes that no wild-type cell expresses."""
    return int(np.sum(content.seen == 0))


def _notes(content: Content) -> tuple[str, ...]:
    """Sentences on genes and labels that are not what they might be."""
    notes, groups = list(content.notes), content.groups
    unseen = _unseen(content)
    if unseen:
        notes.append(
            f"{unseen:,} of {len(content.names):,} genes are seen in no wild-type cell; they are"
            " left out (a perturbed gene excepted)"
        )
    if groups.targets and not groups.measured:
        notes.append(
            f"none of the {len(groups.targets)} perturbed genes is among the genes of the file;"
            " check that both use the same kind of name"
        )
    return tuple(notes)


def _facts(content: Content, chosen: BoolArray) -> dict[str, Any]:
    """Numbers for `kobench info`."""
    groups, unassigned = content.groups, content.unassigned
    more = {"cells not in the table of obs": content.absent} if content.absent else {}
    if unassigned:
        more["cells left out as unassigned"] = unassigned
    if doubled := len(content.barcodes) - len(np.unique(content.barcodes)):
        more["doubled barcodes"] = doubled
    return {
        "cells in file": len(content.barcodes) + content.absent,
        "genes in file": len(content.names),
        "wild-type cells": len(groups.wild_type),
        "perturbed cells": len(groups.perturbed),
        **more,
        "cells of other types left out": len(content.barcodes) - len(groups.rows) - unassigned,
        "genes": int(chosen.sum()),
        "genes left out": int(np.sum(~chosen)),
        "genes seen in no wild-type cell": _unseen(content),
        "perturbations": len(np.unique(content.labels.names[groups.perturbed])),
        "perturbed genes": len(groups.targets),
        "perturbed genes measured": len(groups.measured),
    }
