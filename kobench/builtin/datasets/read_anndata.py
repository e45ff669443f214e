"""What parameters name in an opened file: each that is not there ends in one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.barcodes import SUFFIX, suffixes
from kobench.builtin.datasets.formats.source import Frame, Source, Stored
from kobench.builtin.datasets.labels.read import labels_there
from kobench.datasets.matrices import whole
from kobench.errors import UserError
from kobench.util.text import suggestion

#: `perturbation_key=none` says that every cell of the file is wild type.
NO_PERTURBATION = "none"

#: What is to be done with gaps in a column of labels.
GAPS = "fill it in, for instance with 'unknown', or leave {} out"

#: What CellRanger writes beside a matrix has the guides of each cell.
OF_CELLRANGER = (
    "--obs protospacer_calls_per_cell.csv --perturbation-key feature_call --join '|'"
    " --guide-pattern '{gene}-{n}' --control Non-Targeting"
)

#: `batch_key=day+donor` names the combination of two columns.
JOIN = "+"


def matrix(source: Source, layer: str, raw: bool) -> tuple[Stored, Frame]:
    """The matrix (n, G) that the parameters name, and the table of its genes.

    Parameters
    ----------
    source : Source
        The opened file.
    layer : str
        Name of a layer; "" for X.
    raw : bool
        Whether it is `.raw`.

    Raises
    ------
    UserError
        Where the parameters contradict each other, or there is no such matrix.
    """
    path = source.path
    if raw and layer:
        raise UserError(f"{path}: both layer={layer} and raw=true are given; give one of them")
    if raw:
        there = source.raw()
        if there is None:
            elsewhere = where_counts_lie(source, None)
            raise UserError(f"{path}: raw=true is given but the file has no .raw; {elsewhere}")
        genes, found = there
        return found, genes
    if layer and layer not in list(source.layers):
        if not list(source.layers):
            raise UserError(
                f"{path}: there is no layer {layer!r}, and no other one;"
                f" {where_counts_lie(source, None)}"
            )
        raise UserError(
            f"{path}: there is no layer {layer!r}; name one with layer=NAME;"
            f" {suggestion(layer, source.layers, 'its layers')}"
        )
    chosen = source.layers.get(layer) if layer else source.X
    if chosen is None and layer:
        raise UserError(f"{path}: layer {layer!r} is empty; {where_counts_lie(source, None)}")
    if chosen is None:
        raise UserError(f"{path}: X is empty; {where_counts_lie(source, None)}")
    return chosen, source.var


def where_counts_lie(source: Source, looked_at: Stored | None, otherwise: str = "") -> str:
    """What to do where a matrix holds no counts: which others do, as found by reading them.

    Parameters
    ----------
    source : Source
        The opened file.
    looked_at : Stored, or None
        The matrix that has none.
    otherwise : str
        What to do where no other one holds counts.
    """
    raw = source.raw()
    others: dict[str, Stored | None] = {
        "leave layer and raw out (X": source.X,
        **{f"set layer={word(name)} (the layer": source.layers.get(name) for name in source.layers},
        "set raw=true (.raw": raw[1] if raw else None,
    }
    with_counts = [
        f"{remedy} holds whole numbers)"
        for remedy, found in others.items()
        if found is not None and found is not looked_at and _holds_counts(found)
    ]
    if with_counts:
        return " or ".join(with_counts)
    if looked_at is None:
        there = ["leave layer and raw out"] * (source.X is not None)
        there += [f"set layer={word(name)}" for name in source.layers if source.layers.get(name)]
        there += ["set raw=true"] * (raw is not None)
        if there:
            return f"{' or '.join(there)}, whichever holds the values"
        return "the file has no layer and no .raw either, so it holds no values; bring another one"
    return f"{otherwise}; no other matrix of the file holds whole numbers"


def word(name: str) -> str:
    """A name as it is given to an option."""
    return name if re.fullmatch(r"[\w.-]+", name) else repr(name)


def _holds_counts(matrix: Stored) -> bool:
    """Whether all values of a matrix are whole, none negative, and one not 0."""
    if matrix.dtype.kind not in "iufb":
        return False
    some = False
    for values in matrix.values():
        if not (np.isfinite(values).all() and whole(values)):
            return False
        some = some or bool(values.any())
    return some


def column(
    obs: Frame,
    path: str,
    key: str,
    what: str,
    also: str = "",
    known: npt.NDArray[np.bool_] | None = None,
    remedy: str = "",
) -> npt.NDArray[np.str_]:
    """A column of obs as text (n,); UserError where it does not exist or has gaps.

    `what` is the parameter that names it, and `also` what else it may be set to, for messages that
    end in the `remedy`; "" stands for a word for what is not known. Gaps count in the `known` cells
    alone; None for all.
    """
    there = list(obs.columns())
    if key == SUFFIX and key not in there:
        everyone = np.ones(len(obs.names), dtype=bool)
        return suffixes(obs.names, everyone if known is None else known, f"{path}: {what}").values
    if key not in there:
        bring = "" if there else ", or bring a table with columns (`--obs FILE.csv`)"
        raise UserError(
            f"{path}: obs has no column {key!r}; set {what} to one it has{also}{bring};"
            f" {suggestion(key, there, 'its columns')}"
        )
    column = obs.column(key)
    missing = column.missing if known is None else column.missing & known
    if np.any(missing):
        number, first = int(missing.sum()), str(obs.names[int(np.argmax(missing))])
        raise UserError(
            f"{path}: obs[{key!r}] has no value for {number:,} of {len(missing):,} cells"
            f" (first: {first!r}); {remedy or GAPS.format(what)}"
        )
    return column.values


def columns(
    obs: Frame, path: str, key: str, what: str, known: npt.NDArray[np.bool_]
) -> npt.NDArray[np.str_]:
    """A column of obs as text (n,), or the combination of several that `+` joins in `key`.

    A column whose own name is `key` comes first. `what` is the parameter that names them. Gaps
    count in the `known` cells alone.

    Raises
    ------
    UserError
        Where a column does not exist or has gaps, or two combinations would read alike.
    """
    if key in obs.columns() or JOIN not in key:
        return column(obs, path, key, what, known=known)
    parts = np.stack([column(obs, path, name, what, known=known) for name in key.split(JOIN)])
    text = np.array([JOIN.join(labels) for labels in parts.T.tolist()], dtype=np.str_)
    if len(np.unique(text)) < len(np.unique(parts, axis=1).T):
        raise UserError(
            f"{path}: two combinations of obs[{key!r}] read alike, as their labels hold {JOIN!r};"
            " rename the labels"
        )
    return text


def labels(obs: Frame, path: str, key: str, gaps: bool) -> npt.NDArray[np.str_]:
    """Each cell's label of its perturbation (n,), from the column `key`; "" in gaps, if allowed."""
    also = f" (perturbation_key={NO_PERTURBATION} if every cell is wild type)"
    remedy = (
        "fill it in, or, if nobody knows what was perturbed in them, say that they are to be left"
        " out: --unassigned ''; if they are the controls: --control ''"
    )
    known = np.zeros(len(obs.names), dtype=bool) if gaps else None
    if not obs.columns():
        raise UserError(
            f"{path} has no labels of its cells: set perturbation_key={NO_PERTURBATION} if every"
            " cell is wild type, or bring a table with columns (`--obs FILE.csv`); CellRanger"
            f" writes the labels beside its matrix: {OF_CELLRANGER}"
        )
    text = column(obs, path, key, "perturbation_key", also, known, remedy)
    if gaps:
        text = np.where(obs.column(key).missing, "", text)
    if obs.column(key).kind != "f":
        return text
    # whole numbers, which a gap or a conversion has made floats
    distinct, of_cell = np.unique(text, return_inverse=True)
    return np.array([str(label).removesuffix(".0") for label in distinct])[of_cell.ravel()]


def of_type(
    columns: Mapping[str, npt.NDArray[np.str_]], path: str, key: str, cell_type: str, n: int
) -> npt.NDArray[np.bool_]:
    """(n,) bool, the cells of the wanted type; all of them where `cell_type` is "".

    `key` is the one of the `columns` that has the types. UserError where no cell is of that type.
    """
    if not cell_type:
        return np.ones(n, dtype=bool)
    if not key:
        raise UserError(
            f"{path}: cell_type={cell_type} is given without the column that holds cell types; set"
            " cell_type_key"
        )
    found, counts = np.unique(columns[key], return_counts=True)
    if cell_type not in found:
        raise UserError(
            f"{path}: no cell has {cell_type!r} in obs[{key!r}]; choose another cell_type;"
            f" {labels_there(cell_type, dict(zip(found, counts, strict=True)))}"
        )
    return np.asarray(columns[key] == cell_type)
