"""The truth of a simulated data set: any cell's expression with and without any genes, same weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kobench.builtin.grn.dynamics import START, Solver, read_out
from kobench.builtin.grn.network import Network
from kobench.cells import BoolArray, FloatArray, IntArray, Knockouts


class GrnTruth:
    """Fulfils `kobench.api.Counterfactual`; never sees dropout.

    edges : int32 (m, 2), regulator and target. weights : (m,) of the network, >= 0. sign : int8 (m,), +1 or -1.
    cell_weights : (cells, m), each cell's own. absent : bool (cells, genes), drawn as absent (a present gene may still fall to 0).
    solved : bool (cells,), whether the wild type has a steady state.
    """

    def __init__(self, network: Network, cell_weights: npt.NDArray[np.float64], absent: BoolArray, solver: Solver) -> None:
        self.network, self.cell_weights, self.absent, self.solver = network, cell_weights, absent, solver
        self.edges, self.weights, self.sign = network.edges, network.weights, network.sign
        cells = len(absent)
        start, nothing = np.full((cells, network.genes), START), np.empty((cells, 0), np.intp)
        self._steady = solver.solve(cell_weights, absent, start, np.arange(cells), nothing)
        self.solved: BoolArray = np.asarray(~np.isnan(self._steady).any(axis=1))

    def wild_type(self, cells: IntArray) -> FloatArray:
        """(n, genes) expression of the cells; NaN where there is no steady state."""
        return read_out(self._steady[np.asarray(cells, dtype=np.intp)])

    def knockout(self, knockouts: Knockouts) -> FloatArray:
        """(n, genes) expression after each event, from the cell's wild type on; a row of NaN where no steady state was reached.

        Any order; a removed gene is absent in addition, under the same rule. Raises ValueError where the events name no cells,
        or a cell or gene that does not exist.
        """
        if knockouts.cells is None:
            raise ValueError("these knockouts name no cells; the truth of a simulated data set is one of single cells")
        for what, asked, size in (("cell", knockouts.cells, len(self.absent)), ("gene", knockouts.genes, self.network.genes)):
            if asked.size and not (asked.min() >= 0 and asked.max() < size):
                raise ValueError(f"{what} {asked.min() if asked.min() < 0 else asked.max()} is asked; there are 0 to {size - 1}")
        return read_out(self.solver.solve(self.cell_weights, self.absent, self._steady, knockouts.cells, knockouts.genes))

    def keep(self, rows: BoolArray) -> GrnTruth:
        """The truth of some of the cells, in their order; nothing is solved again."""
        kept = object.__new__(GrnTruth)
        kept.__dict__.update(self.__dict__)
        kept.cell_weights, kept.absent, kept._steady, kept.solved = (
            self.cell_weights[rows],
            self.absent[rows],
            self._steady[rows],
            self.solved[rows],
        )
        return kept
