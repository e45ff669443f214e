"""Which genes a perturbation's label names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kobench.cells import IntArray

#: Parts of a label that say that nothing else was perturbed, where no gene is called so.
NOTHING = ("control", "ctrl")


#: Why a perturbation can't be asked: what its label says.
NOT_MEASURED = "perturbations whose target is not among the genes"
NO_TARGET = "labels that name no target"


def perturbations(
    labels: npt.NDArray[np.str_], genes: npt.NDArray[np.str_]
) -> tuple[dict[str, tuple[int, ...]], IntArray, dict[str, str]]:
    """The perturbations that labels name, and which of them each cell has.

    Parameters
    ----------
    labels : (n,) str
        Label of each cell: "A", or "A+B" in any order, each gene once or more. A part that says
        "control" names no gene.
    genes : (G,) str
        Names of the genes.

    Returns
    -------
    targets : dict of str to tuple of int
        Name of each perturbation -> sorted columns of its targets. Names, and the genes in them,
        are in alphabetical order.
    number : (n,) int64
        Place of each cell's perturbation in `targets`, -1 where the cell is left out.
    left_out : dict of str to str
        Perturbation, or label -> why it can't be asked.
    """
    column = {str(gene): place for place, gene in enumerate(genes)}
    distinct, of_cell = np.unique(labels, return_inverse=True)
    parts = [parts_of(str(label), column) for label in distinct]
    known = [bool(names) and all(name in column for name in names) for names in parts]
    names = sorted({"+".join(part) for part, ok in zip(parts, known, strict=True) if ok})
    place = {name: number for number, name in enumerate(names)}
    number = np.array(
        [place["+".join(part)] if ok else -1 for part, ok in zip(parts, known, strict=True)],
        dtype=np.int64,
    )
    left_out = {
        "+".join(part) or str(label): NOT_MEASURED if part else NO_TARGET
        for part, ok, label in zip(parts, known, distinct, strict=True)
        if not ok
    }
    targets = {name: tuple(sorted(column[gene] for gene in name.split("+"))) for name in names}
    return targets, number[of_cell.ravel()], left_out


def parts_of(label: str, genes: Mapping[str, int] | Sequence[str]) -> tuple[str, ...]:
    """The genes of a label, each once, in alphabetical order; `genes` are the known ones.

    >>> parts_of("TP53+control", ["TP53"]), parts_of("B+A", ["A", "B"]), parts_of("control", [])
    (('TP53',), ('A', 'B'), ())
    """
    named = {part.strip() for part in label.split("+")} - {""}
    return tuple(sorted(part for part in named if part in genes or part.lower() not in NOTHING))
