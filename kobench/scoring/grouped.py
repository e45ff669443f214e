"""Groups of cells that belong together (donors) as blocks of a bootstrap; what few are worth.

Cells of one donor are not independent, so intervals draw donors, and cells inside the donors that
were drawn. docs/intervals.md has how often such intervals cover, and the literature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kobench.cells import IntArray
from kobench.scoring.digits import rounded

#: Groups that are worth fewer than this many of one size are as good as one: no interval.
LEAST = 1.5


@dataclass(frozen=True, eq=False)
class CellGroups:
    """The groups that the cells of a question are in.

    Attributes
    ----------
    column : str
        The column of the dataset's cells that names them.
    of_cells : (ids,) str
        The group of each cell, by the id that units give it.
    """

    column: str
    of_cells: npt.NDArray[np.str_]

    def of(self, cells: IntArray) -> npt.NDArray[np.str_] | None:
        """(n,) the groups of units with these cells; None where a task made ids of its own."""
        ids = np.asarray(cells)
        if not len(ids) or ids.min() < 0 or ids.max() >= len(self.of_cells):
            return None
        return self.of_cells[ids]

    def count(self, cells: IntArray) -> int:
        """How many groups these units (n,) are in; 0 where that is not known."""
        found = self.of(cells)
        return 0 if found is None else len(np.unique(found))

    def worth(self, cells: IntArray) -> float | None:
        """How many groups of one size those of these units are worth, see `effective`.

        By their units or by their cells, whichever is less. None where that is too few for an
        interval.
        """
        found = self.of(cells)
        if found is None:
            return None
        distinct = self.of_cells[np.unique(cells)]
        least = min(
            effective(np.unique(labels, return_counts=True)[1]) for labels in (found, distinct)
        )
        return None if least < LEAST else rounded(least, 6)


def effective(sizes: npt.ArrayLike) -> float:
    """How many groups of one size some groups are worth: (sum of sizes)^2 / sum of their squares.

    Where one group has most cells, the mean follows that one, and how far the others stray from it
    says little. L. Kish, Survey Sampling (1965); as degrees of freedom of means over few clusters:
    A. V. Carter, K. T. Schnepel & D. G. Steigerwald, Rev. Econ. Stat. 99:698 (2017).

    Parameters
    ----------
    sizes : (g,) int
        Cells of each group.

    >>> effective([50, 50, 50]), round(effective([90, 5, 5]), 2)
    (3.0, 1.23)
    """
    values = np.asarray(sizes, dtype=np.float64)
    return float(values.sum() ** 2 / np.square(values).sum())


def two_stage_counts(groups: npt.NDArray[np.str_], n: int, seed: int) -> IntArray:
    """How often each cell stands in each draw: groups are drawn, then cells inside each of them.

    Parameters
    ----------
    groups : (b,) str
        The group of each of b cells.
    n : int
        How many draws.
    seed : int
        Their seed. The draws follow from it, the names of the groups and the order of their cells.

    Returns
    -------
    (n, b) int

    Notes
    -----
    As many groups as there are, with replacement, and of a group with m cells, each time it is
    drawn, m of these, with replacement (A. C. Davison & D. V. Hinkley, Bootstrap Methods and their
    Application, 1997, section 3.8). Groups drawn whole would do for honest ones. But groups may be
    made so that they are all alike, by dealing cells out; then only what varies inside them is
    left. So drawn, a mean never varies less than over the cells by themselves.
    """
    names, number = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    often = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), n)
    counts = np.zeros((n, len(number)), dtype=np.int64)
    for group in range(len(names)):
        cells = np.flatnonzero(number.ravel() == group)
        share = np.full(len(cells), 1 / len(cells))
        counts[:, cells] = rng.multinomial(often[:, group] * len(cells), share)
    return counts
