"""Cells whose label says nothing: left out where nobody knows what was perturbed in them, or wild
type where those without a label are the controls. Either is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.labels.read import Labels, Spelling, labels_there
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
    unlabelled : (n,) bool
        Which of those cells are controls because they have no label.
    """

    cells: BoolArray
    left_out: dict[str, int]
    unlabelled: BoolArray

    @property
    def labelled(self) -> BoolArray:
        """Which cells have a label that is to be read."""
        return self.cells & ~self.unlabelled

    @property
    def said(self) -> tuple[str, ...]:
        """Sentences on the cells that are left out, and on those that are controls, if any are."""
        without = int(self.unlabelled.sum())
        are = "cell without a label is" if without == 1 else "cells without a label are"
        wild_type = (f"{without:,} {are} taken as wild type, as declared",) if without else ()
        number = sum(self.left_out.values())
        if not number:
            return wild_type
        named = {label or "(no label)": cells for label, cells in self.left_out.items()}
        are = "cell is" if number == 1 else "cells are"
        return (
            f"{number:,} {are} left out, as it is not known what was perturbed in them:"
            f" {listed(named, MOST)}",
            *wild_type,
        )

    def spread(self, labels: Labels) -> Labels:
        """The labels of all n cells, from those of the `labelled` ones; of others those without
        a label are wild type, if that is so declared.
        """
        wild_type = self.unlabelled.copy()
        wild_type[self.labelled] = labels.wild_type
        names = np.full(len(self.cells), "", dtype=labels.names.dtype)
        names[self.labelled] = labels.names
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
        Where a label is declared as a control, too, or no cell lacks a label, and these are
        declared as controls.
    """
    controls = {*map(trimmed, spelling.control), *([""] if spelling.unlabelled else [])}
    both = sorted({trimmed(each) for each in unassigned} & controls)
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
    blank = np.array([not trimmed(str(label)) for label in distinct], dtype=bool)
    unlabelled = (blank & spelling.unlabelled)[of_cell.ravel()]
    if spelling.unlabelled and not unlabelled.any():
        raise UserError(
            f"{where}: cells without a label are declared as controls (''), and every cell has one;"
            f" {labels_there('', dict(zip(map(str, distinct), map(int, counts), strict=True)))}"
        )
    return Assigned(~out[of_cell.ravel()], left_out, unlabelled)
