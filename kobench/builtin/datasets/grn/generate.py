"""From parameters to a dataset: network, cell types, absence, noise, steady states, dropout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.grn.absence import More, draw_absence
from kobench.builtin.datasets.grn.cell_types import (
    CellTypes,
    draw_cell_types,
    draw_labels,
    names_of,
)
from kobench.builtin.datasets.grn.describe import facts, notes
from kobench.builtin.datasets.grn.dynamics import Solver
from kobench.builtin.datasets.grn.network import Network, draw_network
from kobench.builtin.datasets.grn.parameters import complete
from kobench.builtin.datasets.grn.truth import GrnTruth
from kobench.cells import BoolArray, Cells, FloatArray, IntArray
from kobench.dataset import Dataset
from kobench.errors import UserError

#: One stream of random numbers for each purpose, so that a parameter changes only what it names:
#: seed 7 at sigma 0.05 and at 0.30 is the same network with the same assemblages.
NETWORK, ABSENCE, NOISE, DROPOUT, REPLICATE, TYPES, LABELS = range(7)

#: From this seed on the streams of one seed have nothing in common that could be computed back:
#: seeds that are to stay unknown are as large.
UNGUESSED = 2**64

#: How often a replicate draws again the noise of cells that reached no steady state.
REDRAWS = 10


def generate(params: Mapping[str, Any]) -> Dataset:
    """The dataset of some parameters; the others have the defaults of `spec.PARAMS`."""
    return Simulation.of(complete(params), "grn").dataset()


@dataclass(frozen=True, eq=False)
class Simulation:
    """A network with its wild-type cells, and what is needed to draw other cells of the same kind.

    Attributes
    ----------
    p : mapping of str
        Every parameter.
    network : Network
    solver : Solver
    types : CellTypes, or None for a single cell type
    more : More
        Draws which genes further cells lack.
    truth : GrnTruth
        Of the cells that can be used.
    medians : (genes,) float
        The values under which dropout hits.
    seen : (cells, genes) float
        Expression as observed.
    dropped : (cells, genes) bool
        What was lost to dropout.
    left_out : mapping of str to int
        Reason -> how many of the cells drawn cannot be used.
    """

    p: Mapping[str, Any]
    network: Network
    solver: Solver
    types: CellTypes | None
    more: More
    truth: GrnTruth
    medians: FloatArray
    seen: FloatArray
    dropped: BoolArray
    left_out: Mapping[str, int]

    @classmethod
    def of(cls, p: Mapping[str, Any], name: str) -> Simulation:
        """Draw all of it.

        Parameters
        ----------
        p : mapping of str
            Every parameter.
        name : str
            Name of the dataset, for messages.

        Raises
        ------
        UserError
            Where no cell can be used.
        """
        genes, cells, seed = p["genes"], p["cells"], p["seed"]
        gamma = p["gamma"] if p["network"] == "sf" else None
        modules = p["modules"] if p["absence"] == "modules" else None
        network = draw_network(stream(seed, NETWORK), genes, p["degree"], gamma, p["repressors"])
        absent, more = draw_absence(stream(seed, ABSENCE), cells, genes, p["absent"], modules)
        solver = Solver(network, silenced=p["knockout"] == "silenced")
        types = draw_cell_types(stream(seed, TYPES), network, p["cell_types"], p["types"])
        labels = None
        if types is not None:
            labels = draw_labels(stream(seed, LABELS), cells, p["cell_types"])
        weights = draw_cell_weights(stream(seed, NOISE), network, cells, p["sigma"])
        drawn = GrnTruth.settle(network, solver, weights, absent, types, labels)

        clean = drawn.wild_type(np.arange(cells))
        medians = medians_of(clean)
        dropped = draw_dropout(stream(seed, DROPOUT), clean, p["dropout"], medians)
        seen = np.where(dropped, 0.0, clean)
        kept, left_out = usable(drawn, seen)
        if not kept.any():
            raise UserError(
                f"{name}: none of the {cells} cells drawn can be used"
                f" ({left_out['cells_without_steady_state']} without a steady state,"
                f" {left_out['cells_without_expression']} without expression) with genes={genes},"
                f" absent={p['absent']}, dropout={p['dropout']}; raise genes, or lower absent or"
                " dropout"
            )
        return cls(
            p=p,
            network=network,
            solver=solver,
            types=types,
            more=more,
            truth=drawn.keep(kept),
            medians=medians,
            seen=seen[kept],
            dropped=dropped[kept],
            left_out=left_out,
        )

    def dataset(self) -> Dataset:
        """The wild-type cells with their counterfactual truth and replicate."""
        found = self._dataset(self.truth, self.seen)
        return replace(found, replicate=self._replicate, facts={**found.facts, **self.left_out})

    def _replicate(self) -> Dataset:
        """The same cells with new noise; what was lost to dropout stays lost."""
        other = draw_replicate(self.truth, stream(self.p["seed"], REPLICATE), self.p["sigma"])
        values = np.where(self.dropped, 0.0, other.wild_type(np.arange(len(self.dropped))))
        return self._dataset(other, values)

    def _dataset(self, truth: GrnTruth, seen: FloatArray) -> Dataset:
        """The dataset of cells with this truth, observed as `seen` (cells, genes)."""
        return Dataset(
            cells=observed(seen, truth.labels),
            scale="linear",
            kind="simulated",
            truth=truth,
            notes=notes(self.p),
            cell_type_key=None if self.types is None else "cell_type",
            facts=facts(truth, seen, self.dropped),
        )


def stream(seed: int, *purpose: int) -> np.random.Generator:
    """The random numbers of one seed for one purpose.

    The generator is no cipher: whoever recovers the state of one stream, that of the absent genes
    say, could compute the seed from it, and the network from that. So a large seed is hashed with
    the purpose first.
    """
    if seed >= UNGUESSED:
        named = "/".join(map(str, (seed, *purpose)))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(named.encode()).digest(), "big"))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))


def draw_cell_weights(
    rng: np.random.Generator, network: Network, cells: int, sigma: float
) -> npt.NDArray[np.float64]:
    """(cells, m) each cell's own weights, w max(0, 1 + sigma e) with e standard normal."""
    noise = rng.standard_normal((cells, len(network.weights)))
    return network.weights * np.maximum(0.0, 1.0 + sigma * noise)


def medians_of(clean: FloatArray) -> FloatArray:
    """(genes,) median of each gene over the cells of `clean` (cells, genes) where it is > 0.

    0 for a gene that never is. Rows of NaN do not count.
    """
    # with a gene's values side by side this is several times as fast
    expressed = (values[values > 0] for values in np.ascontiguousarray(clean.T))
    return np.array([np.median(values) if len(values) else 0.0 for values in expressed])


def draw_dropout(
    rng: np.random.Generator, clean: FloatArray, probability: float, medians: FloatArray
) -> BoolArray:
    """(cells, genes) bool, the entries that are read as 0.

    Parameters
    ----------
    rng : Generator
    clean : (cells, genes) float
        Expression; nothing is dropped of rows of NaN.
    probability : float
        With which an entry is dropped that is > 0 and under its gene's median.
    medians : (genes,) float
        Of the wild-type cells, see `medians_of`.
    """
    below = (clean > 0) & (clean < medians)
    return np.asarray(below & (rng.random(clean.shape) < probability))


def usable(drawn: GrnTruth, seen: FloatArray) -> tuple[BoolArray, dict[str, int]]:
    """(cells,) bool, the cells with a steady state and expression, and how many have none."""
    kept: BoolArray = np.asarray(drawn.solved & (seen > 0).any(axis=1))
    return kept, {
        "cells_without_steady_state": int((~drawn.solved).sum()),
        "cells_without_expression": int((drawn.solved & ~kept).sum()),
    }


def draw_replicate(truth: GrnTruth, rng: np.random.Generator, sigma: float) -> GrnTruth:
    """The same cells with fresh noise: same network, types and assemblages.

    Cells that reach no steady state draw their noise again, so that rows correspond.
    """
    weights = draw_cell_weights(rng, truth.network, len(truth.absent), sigma)
    for _ in range(REDRAWS):
        other = GrnTruth.settle(
            truth.network, truth.solver, weights, truth.absent, truth.types, truth.labels
        )
        if other.solved.all():
            return other
        weights[~other.solved] = draw_cell_weights(
            rng, truth.network, int((~other.solved).sum()), sigma
        )
    raise UserError(
        f"grn: {int((~other.solved).sum())} cells of the replicate reached no steady state in"
        f" {REDRAWS} draws of their noise; take another seed, or fewer activators (a larger"
        " repressors)"
    )


def observed(values: FloatArray, labels: IntArray | None = None) -> Cells:
    """Cells as predictors see them: float32, genes named G000, G001, ...

    Parameters
    ----------
    values : (cells, genes) float
    labels : (cells,) int, or None for a single cell type
    """
    genes = values.shape[1]
    width = max(3, len(str(genes - 1)))
    names = np.array([f"G{gene:0{width}d}" for gene in range(genes)])
    return Cells(
        values.astype(np.float32), names, {} if labels is None else {"cell_type": names_of(labels)}
    )
