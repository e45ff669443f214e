"""Whether a file is what its card says: what can be seen in the file itself, and where they differ.

A card says what was done to the cells, of which species they are, and how many there are. A wrong
`kind` would ask what nobody did, and wrong numbers mislead, so each is looked for in the cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.units import MIN_CELLS

#: A fact of a card -> what the loader calls it.
FACTS = {
    "cells": "cells in file",
    "genes": "genes in file",
    "control": "wild-type cells",
    "perturbed": "perturbed cells",
    "perturbations": "perturbations",
    "targets_measured": "perturbed genes measured",
}

#: A target whose mean differs by so many standard errors has moved.
CLEAR = 4.0

#: With fewer targets that have moved, nothing is concluded from them.
ENOUGH_MOVED = 3

#: Names of genes that are looked at for the species.
MOST_NAMES = 5000


@dataclass(frozen=True)
class Moved:
    """How the targets of single perturbations changed in their own cells.

    Attributes
    ----------
    down, up : int
        Targets whose mean is clearly lower, or higher, than in wild-type cells.
    of : int
        Targets that are measured, in enough cells.
    """

    down: int
    up: int
    of: int


def facts_of(dataset: Dataset) -> dict[str, int]:
    """The numbers that a card states, as they were found."""
    facts = {
        name: dataset.facts[called]
        for name, called in FACTS.items()
        if isinstance(dataset.facts.get(called), int)
    }
    if dataset.perturbed is None:
        facts = {name: facts[name] for name in ("cells", "genes", "control") if name in facts}
    return facts


def disagreements(
    card: Mapping[str, Any], dataset: Dataset, size: int, whole: bool = True
) -> list[str]:
    """Where a file differs from its card, in sentences.

    Parameters
    ----------
    card : mapping
        `DatasetSpec.card`.
    dataset : Dataset
        What was loaded by it.
    size : int
        Bytes of the file.
    whole : bool
        Whether all its cells were loaded, so that their numbers can be compared.
    """
    return [
        *_of_size(card, size),
        *(_of_facts(card, dataset) if whole else ()),
        *_of_truth(card, dataset),
        *_of_organism(card, dataset),
        *_of_kind(dataset),
    ]


def _of_size(card: Mapping[str, Any], size: int) -> Iterator[str]:
    """The bytes of the file."""
    said = card.get("file", {}).get("bytes")
    if said is not None and said != size and "recipe" not in card:
        yield f"the card says {said:,} bytes, and the file has {size:,}"


def _of_facts(card: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """Numbers of cells, genes and perturbations."""
    found = facts_of(dataset)
    for name, said in card.get("facts", {}).items():
        if name in found and said != found[name]:
            yield f"the card says {name} = {said}, and {found[name]:,} were found"


def _of_truth(card: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """Whether cells were perturbed, and whether their genes are measured."""
    said, perturbed = card.get("truth", "none"), dataset.perturbed
    if said == "population" and perturbed is None:
        yield "the card says truth = population, and no cell of the file is perturbed"
    if said == "none" and perturbed is not None:
        yield f"the card says truth = none, and {perturbed.n_obs:,} cells are perturbed"
    expected = card.get("facts", {}).get("targets_measured")
    if perturbed is not None and expected != 0 and facts_of(dataset).get("targets_measured") == 0:
        yield (
            "none of the perturbed genes is among the genes, so the labels are no names of genes,"
            " or names of another kind"
        )


def _of_organism(card: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """The species, by how genes are written."""
    said = re.findall(r"[a-z]+", str(card.get("organism", "")).lower())
    looks = species_of(dataset.cells.var_names)
    if looks and looks not in said and {"human", "mouse"} & set(said):
        yield f"the card says organism = {card['organism']}, and genes are written as in {looks}"


def species_of(names: npt.NDArray[Any]) -> str:
    """ "human" or "mouse", by how most genes are written; "" where that does not tell.

    >>> species_of(np.array(["GATA1", "TAL1", "KLF1"])), species_of(np.array(["Gata1", "Tal1"]))
    ('human', 'mouse')
    """
    written = {"human": 0, "mouse": 0}
    for name in map(str, names[:MOST_NAMES]):
        if re.fullmatch(r"ENSMUSG\d{6,}.*|[A-Z][a-z][a-z0-9]+", name):
            written["mouse"] += 1
        elif re.fullmatch(r"ENSG\d{6,}.*|(?!ENS)[A-Z][A-Z0-9]{2,}", name):
            written["human"] += 1
    most, other = sorted(written, key=lambda name: -written[name])
    return most if written[most] > 2 * written[other] else ""


def _of_kind(dataset: Dataset) -> Iterator[str]:
    """What was done to the perturbed cells, by what became of its target."""
    for kind, moved in _moved_by_kind(dataset):
        seen = (
            f"the card says kind = {kind}, and of {moved.of:,} measured targets {moved.down:,} fell"
            f" and {moved.up:,} rose in their own cells"
        )
        if other := _looks_like(kind, moved):
            yield f"{seen}, as in {other}"
        if kind == "near-null" and moved.down + moved.up > moved.of / 2:
            yield seen


def doubted_kind(dataset: Dataset) -> str:
    """Why a knockout may be overexpression, or the reverse, and what to do; "" without a reason.

    It is asked of each kind by itself, and answered by how targets moved in their own cells.
    """
    said = []
    for kind, moved in _moved_by_kind(dataset):
        other = _looks_like(kind, moved)
        if other == "overexpression":
            seen = f"the target rises in {moved.up:,} of {moved.of:,}: was this CRISPRa?"
        elif other:
            seen = f"the target falls in {moved.down:,} of {moved.of:,}: was this a knockdown?"
        else:
            continue
        how = f"{other} in the column of --kind-key" if dataset.kinds else f"--kind {other}"
        said.append(f"{seen} then {how}")
    return "; ".join(said)


def _moved_by_kind(dataset: Dataset) -> Iterator[tuple[str, Moved]]:
    """How targets moved, for each kind of which enough did to conclude something."""
    for kind in sorted({dataset.perturbation, *dataset.kinds.values()}):
        moved = targets_moved(dataset, kind)
        if moved is not None and moved.down + moved.up >= ENOUGH_MOVED:
            yield kind, moved


def _looks_like(kind: str, moved: Moved) -> str:
    """The kind that targets speak for in place of the one that is said, "" where they don't."""
    if kind in ("knockout", "knockdown") and moved.up > moved.down:
        return "overexpression"
    if kind == "overexpression" and moved.down > moved.up:
        return "knockdown"
    return ""


def targets_moved(dataset: Dataset, kind: str) -> Moved | None:
    """How the targets of single perturbations of a kind changed; None where no cell is perturbed.

    Parameters
    ----------
    dataset : Dataset
        The cells.
    kind : str
        What the dataset says was done to them.
    """
    cells, perturbed = dataset.cells, dataset.perturbed
    if perturbed is None:
        return None
    position = {str(name): number for number, name in enumerate(cells.var_names)}
    labels = np.asarray(perturbed.obs["perturbation"], dtype=np.str_)
    names, number, counts = np.unique(labels, return_inverse=True, return_counts=True)
    there = [
        place
        for place, name in enumerate(names)
        if str(name) in position
        and counts[place] >= MIN_CELLS
        and dataset.kinds.get(str(name), dataset.perturbation) == kind
    ]
    columns = [position[str(names[place])] for place in there]
    theirs = _columns(perturbed, columns)
    rows = [np.flatnonzero(number == place) for place in there]
    means, errors = _mean_and_error(_columns(cells, columns))
    down = up = 0
    for column, ours in enumerate(rows):
        mean, error = _mean_and_error(theirs[ours][:, [column]])
        spread = float(np.sqrt(error[0] ** 2 + errors[column] ** 2))
        z = (mean[0] - means[column]) / spread if spread > 0 else 0.0
        down, up = down + (z <= -CLEAR), up + (z >= CLEAR)
    return Moved(int(down), int(up), len(there))


def _columns(cells: Cells, columns: list[int]) -> Any:
    """Some genes of cells, sparse."""
    return scipy.sparse.csr_matrix(cells.X[:, columns])


def _mean_and_error(X: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The mean of each gene (G,) of cells (n, G), and its standard error."""
    n = X.shape[0]
    mean = np.asarray(X.sum(axis=0), dtype=np.float64).ravel() / n
    square = np.asarray(X.multiply(X).sum(axis=0), dtype=np.float64).ravel() / n
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0) / n)
