"""The truth of a simulated dataset: a cell's expression with and without genes, same weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.grn.cell_types import CellTypes
from kobench.builtin.datasets.grn.dynamics import START, Solver, read_out
from kobench.builtin.datasets.grn.network import Network
from kobench.cells import BoolArray, FloatArray, IntArray, Knockouts


@dataclass(frozen=True, eq=False)
class GrnTruth:
    """Fulfils `kobench.api.Counterfactual`; never sees dropout. Made by `settle`.

    Attributes
    ----------
    network : Network
        Of m edges.
    solver : Solver
    cell_weights : (cells, m) float64
        Each cell's own weights, 0 for edges that its type lacks.
    absent : (cells, genes) bool
        Drawn as absent; a present gene may still fall to 0.
    steady : (cells, genes) float64
        The wild type before the read-out threshold; a row of NaN where it did not settle.
    types : CellTypes, or None where there is one type only
        What the cell types differ in.
    labels : (cells,) int, or None
        The type of each cell.
    """

    network: Network
    solver: Solver
    cell_weights: npt.NDArray[np.float64]
    absent: BoolArray
    steady: npt.NDArray[np.float64]
    types: CellTypes | None = None
    labels: IntArray | None = None

    @classmethod
    def settle(
        cls,
        network: Network,
        solver: Solver,
        cell_weights: npt.NDArray[np.float64],
        absent: BoolArray,
        types: CellTypes | None = None,
        labels: IntArray | None = None,
    ) -> GrnTruth:
        """Let every cell run to its wild type, from `START` in every present gene.

        `cell_weights` (cells, m) are without regard to cell types, which take edges away or add
        production; the other arguments are the attributes.
        """
        cells = len(absent)
        start, nothing = np.full((cells, network.genes), START), np.empty((cells, 0), np.intp)
        basal = None
        if types is not None and labels is not None:
            cell_weights = types.weights(cell_weights, labels)
            basal = types.production(labels)
        steady = solver.solve(cell_weights, absent, start, np.arange(cells), nothing, basal)
        return cls(network, solver, cell_weights, absent, steady, types, labels)

    @property
    def edges(self) -> npt.NDArray[np.int32]:
        """(m, 2) regulator and target, sorted by target, then regulator."""
        return self.network.edges

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """(m,) weights of the network, >= 0, before the cells' noise."""
        return self.network.weights

    @property
    def sign(self) -> npt.NDArray[np.int8]:
        """(m,) +1 where the edge activates, -1 where it represses."""
        return self.network.sign

    @property
    def solved(self) -> BoolArray:
        """(cells,) bool, whether the wild type has a steady state."""
        return np.asarray(~np.isnan(self.steady).any(axis=1))

    def keep(self, rows: BoolArray) -> GrnTruth:
        """The truth of some of the cells, `rows` (cells,) bool, in their order.

        Nothing is solved again, nor copied where all are kept.
        """
        if rows.dtype == bool and rows.all():
            return self
        labels = None if self.labels is None else self.labels[rows]
        return replace(
            self,
            cell_weights=self.cell_weights[rows],
            absent=self.absent[rows],
            steady=self.steady[rows],
            labels=labels,
        )

    def wild_type(self, cells: IntArray) -> FloatArray:
        """(n, genes) expression of cells (n,); a row of NaN where there is no steady state."""
        return read_out(self.steady[np.asarray(cells, dtype=np.intp)])

    def knockout(self, knockouts: Knockouts) -> FloatArray:
        """Expression after each of n events of any order, from the cell's wild type on.

        A removed gene is absent in addition, under the same rule.

        Returns
        -------
        (n, genes) float64
            A row of NaN where no steady state was reached.

        Raises
        ------
        ValueError
            Where the events name no cells, or a cell or gene that does not exist.
        """
        if knockouts.cells is None:
            raise ValueError(
                "these knockouts name no cells; the truth of a simulated data set is one of single"
                " cells"
            )
        for what, asked, size in (
            ("cell", knockouts.cells, len(self.absent)),
            ("gene", knockouts.genes, self.network.genes),
        ):
            if asked.size and not (asked.min() >= 0 and asked.max() < size):
                wrong = asked.min() if asked.min() < 0 else asked.max()
                raise ValueError(
                    f"a knockout names {what} {wrong}; this data set has {what}s 0 to {size - 1}"
                )
        basal = None
        if self.types is not None and self.labels is not None:
            basal = self.types.production(self.labels)
        return read_out(
            self.solver.solve(
                self.cell_weights, self.absent, self.steady, knockouts.cells, knockouts.genes, basal
            )
        )
