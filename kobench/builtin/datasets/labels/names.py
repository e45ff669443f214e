"""The genes of a file by the names that a column of var gives them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.formats.source import Frame
from kobench.builtin.datasets.labels.text import joined, shown, trimmed
from kobench.errors import UserError
from kobench.util.text import suggestion


@dataclass(frozen=True, eq=False)
class GeneNames:
    """What the genes are called.

    Attributes
    ----------
    names : (G,) str
        Their names.
    several : dict of str to tuple of str
        A name of the column that belongs to several genes -> what these are called instead.
    notes : tuple of str
        Sentences on genes that could not be called as the column says.
    """

    names: npt.NDArray[np.str_]
    several: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def gene_names(var: Frame, key: str, where: str) -> GeneNames:
    """The names of a file's genes.

    Parameters
    ----------
    var : Frame
        The G genes.
    key : str
        Column with their names; "" for the index.
    where : str
        What messages start with.

    Returns
    -------
    GeneNames
        A gene without a name in the column, or with one that another gene has too, is called as in
        the index: to sum their values, or to take one of them, would be a guess.

    Raises
    ------
    UserError
        Where there is no such column, or it names no gene alone.
    """
    index = var.names
    if not key:
        return GeneNames(index)
    known = list(var.columns())
    if key not in known:
        raise UserError(
            f"{where}: var has no column {key!r}; set var_key to one that names genes, or leave it"
            f" out; {suggestion(key, known, 'its columns')}"
        )
    words = texts(var, key)
    count = Counter(words)
    alone = np.array([bool(word) and count[word] == 1 for word in words], dtype=bool)
    if not alone.any():
        raise UserError(
            f"{where}: var[{key!r}] names no gene alone ({len(count):,} names for {len(words):,}"
            " genes); set var_key to the column with the genes' names"
        )
    names = np.where(alone, np.array(words, dtype=np.str_), index)
    several: dict[str, tuple[str, ...]] = {}
    for word, own in zip(words, index, strict=True):
        if word and count[word] > 1:
            several[word] = (*several.get(word, ()), str(own))
    return GeneNames(names, several, tuple(_notes(several, int(count[""]), key)))


def texts(var: Frame, key: str) -> list[str]:
    """A column of var as text, "" where a gene has none."""
    column = var.column(key)
    pairs = zip(column.values, column.missing, strict=True)
    return ["" if gap else trimmed(str(word)) for word, gap in pairs]


def _notes(several: dict[str, tuple[str, ...]], unnamed: int, key: str) -> list[str]:
    """What could not be called as the column says."""
    notes = []
    if several:
        genes = sum(map(len, several.values()))
        examples = joined([shown(name) for name in sorted(several)[:3]], len(several) - 3)
        notes.append(
            f"{len(several):,} names in var[{key!r}] belong to {genes:,} genes ({examples}): these"
            " genes keep the names of the index and their values are not summed"
        )
    if unnamed:
        notes.append(
            f"{unnamed:,} genes have no name in var[{key!r}] and keep the names of the index"
        )
    return notes
