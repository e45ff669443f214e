"""What cell types of one network differ in: basal production of genes, or edges they lack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.grn.network import LARGEST_WEIGHT, Network
from kobench.cells import BoolArray, IntArray

#: Share of the genes that a type produces whatever regulates them.
BASAL_GENES = 0.2

#: Share of the edges that a type lacks.
LACKING_EDGES = 0.3


@dataclass(frozen=True, eq=False)
class CellTypes:
    """The differences of k types; one of the two is given.

    Attributes
    ----------
    basal : (k, genes) float, >= 0, or None
        The production that a type adds to each gene.
    edges : (k, m) bool, or None
        The edges that a type has.
    """

    basal: npt.NDArray[np.float64] | None = None
    edges: BoolArray | None = None

    def weights(
        self, weights: npt.NDArray[np.float64], labels: IntArray
    ) -> npt.NDArray[np.float64]:
        """(cells, m) weights of cells of these types (cells,), 0 for edges that a type lacks."""
        return weights if self.edges is None else np.where(self.edges[labels], weights, 0.0)

    def production(self, labels: IntArray) -> npt.NDArray[np.float64] | None:
        """(cells, genes) basal production in cells of these types (cells,), or None for none."""
        return None if self.basal is None else self.basal[labels]


def draw_cell_types(
    rng: np.random.Generator, network: Network, count: int, kind: str
) -> CellTypes | None:
    """The differences of `count` cell types, drawn type by type.

    Parameters
    ----------
    rng : Generator
    network : Network
    count : int
        Number of types.
    kind : "basal" or "edges"
        "basal": each type produces round(`BASAL_GENES` * genes) random genes at a constant rate,
        uniform on 0 to `LARGEST_WEIGHT`, as though one more activator from outside the network were
        fully on. The rate is that of the type, without noise of the cell. "edges": each type lacks
        round(`LACKING_EDGES` * m) random edges.

    Returns
    -------
    CellTypes, or None for a single type, which is the network itself
    """
    if count == 1:
        return None
    m = len(network.edges)
    if kind == "edges":
        has: BoolArray = np.ones((count, m), bool)
        for row in has:
            row[rng.permutation(m)[: round(LACKING_EDGES * m)]] = False
        return CellTypes(edges=has)
    basal = np.zeros((count, network.genes))
    for row in basal:
        produced = rng.permutation(network.genes)[: round(BASAL_GENES * network.genes)]
        row[produced] = rng.uniform(0.0, LARGEST_WEIGHT, len(produced))
    return CellTypes(basal=basal)


def draw_labels(rng: np.random.Generator, cells: int, count: int) -> IntArray:
    """(cells,) the type of each cell: as many of each, to the nearest cell, in random order."""
    return rng.permutation(np.arange(cells) % count)


def names_of(labels: IntArray) -> npt.NDArray[np.str_]:
    """(cells,) names of types, "type0", "type1", ..., from their numbers."""
    return np.array([f"type{label}" for label in labels])
