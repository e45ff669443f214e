"""Cells of which nobody knows what was perturbed in them: they are left out, and that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.labels.read import Labels, Spelling
from kobench.builtin.datasets.labels.text import listed, trimmed
from kobench.cells import BoolArray
from kobench.errors import UserError

#: Labels that a sentence names.
MOST = 8


@dataclass(frozen=True, eq=False)
class Assigned:
    """Which cells are known to be perturbed, or not to be.

    Attributes
    ----------
    cells : (n,) bool
        Those cells.
    left_out : dict of str to int
        Label of other cells -> their number; "" for those that have none.
    """

    cells: BoolArray
    left_out: dict[str, int]

    @property
    def said(self) -> str:
        """A sentence on the cells that are left out, "" where none is."""
        number = sum(self.left_out.values())
        if not number:
            return ""
        named = {label or "(no label)": cells for label, cells in self.left_out.items()}
        are = "cell is" if number == 1 else "cells are"
        return (
            f"{number:,} {are} left out, as it is not known what was perturbed in them:"
            f" {listed(named, MOST)}"
        )

    def spread(self, labels: Labels) -> Labels:
        """The labels of all n cells, from those of the assigned ones; others are no wild type."""
        wild_type = np.zeros(len(self.cells), dtype=bool)
        wild_type[self.cells] = labels.wild_type
        names = np.full(len(self.cells), "", dtype=labels.names.dtype)
        names[self.cells] = labels.names
        return replace(labels, wild_type=wild_type, names=names)


def assigned(
    written: npt.NDArray[np.str_], unassigned: Sequence[str], spelling: Spelling, where: str
) -> Assigned:
    """Tell the cells apart by their labels.

    Parameters
    ----------
    written : (n,) str
        The labels as they stand in the file; "" for none.
    unassigned : sequence of str
        Labels of cells that are left out; "" for cells without a label.
    spelling : Spelling
        Whose controls can't be among them.
    where : str
        What messages start with: the file and the column.

    Raises
    ------
    UserError
        Where a label is declared as a control, too.
    """
    both = sorted({trimmed(each) for each in unassigned} & set(map(trimmed, spelling.control)))
    if both:
        raise UserError(
            f"{where}: {both[0]!r} is declared as a control and as unassigned; leave it out of one"
            " of them"
        )
    distinct, of_cell, counts = np.unique(written, return_inverse=True, return_counts=True)
    labels = {trimmed(each) for each in unassigned}
    out = np.array([trimmed(str(label)) in labels for label in distinct], dtype=bool)
    left_out = {
        str(label): int(count) for label, count in zip(distinct[out], counts[out], strict=True)
    }
    return Assigned(~out[of_cell.ravel()], left_out)
