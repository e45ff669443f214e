"""Datasets: wild-type cells in their working scale, plus at most one kind of truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy.typing as npt

from kobench.cells import Cells, FloatArray, IntArray, Knockouts


class Counterfactual(Protocol):
    """Truth of a simulated dataset: the same cell, with the same weights, with and without genes.

    It is clean: it never sees dropout. Rows are expression (not profiles), float64. It may have
    edges, too: see `OffersEdges`.
    """

    def wild_type(self, cells: IntArray) -> FloatArray:
        """Clean expression of some cells, (n, G); `cells` (n,) are rows of the dataset's cells."""

    def knockout(self, knockouts: Knockouts) -> FloatArray:
        """Clean expression after each of n events of any order, (n, G).

        `knockouts.cells` are rows of the dataset's cells. A row is NaN where no steady state was
        reached.
        """


@runtime_checkable
class OffersEdges(Protocol):
    """A truth that tells the edges of its network; no truth has to.

    Half of the sets of genes of the tasks on several knockouts are then drawn among linked genes:
    those with an edge, or with a target in common. Without edges all are drawn at random.

    Attributes
    ----------
    edges : (m, 2) int
        Regulator and target of each edge, as columns of the dataset's cells: the first acts on the
        second. Each edge once. Predictors never see them.
    """

    edges: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Wild-type cells in their working scale, plus at most one kind of truth.

    Attributes
    ----------
    cells : Cells
        The observed wild-type cells, n x G.
    scale : str
        "log1p-cp10k", "log1p", "linear", ...
    kind : "simulated" or "real"
        The independent unit is the network of a simulated dataset, the cell of a real one.
    truth : Counterfactual, or None
        The truth of single cells, of a simulated dataset.
    replicate : callable, or None
        Another draw of the same cells: same network, same assemblages, new noise.
    notes : tuple of str
        Sentences shown beside every board of this dataset: choices that the source does not state,
        caveats.
    batch_key, cell_type_key : str, or None
        Columns of `cells.obs` with the batch and the cell type.
    perturbed : Cells, or None
        The perturbed cells of a population truth, with obs["perturbation"] ("A", or "A+B" for
        several genes); never shown to a predictor.
    perturbation : "knockout", "knockdown", "overexpression" or "near-null"
        What was done to the perturbed cells; only the first two are asked.
    confounded : str
        "", or why perturbed and wild-type cells differ by more than the perturbation (genotype and
        library are one).
    near_null : str
        "", or why the knockouts have hardly any effect, so that a good score is suspect.
    facts : mapping of str
        Numbers and words for `kobench info` (zeros, cells left out and why, ...).
    group_key : str, or None
        Column of `cells.obs` with groups of cells that belong together: donors, simulation runs.
        Splits keep each group on one side, and intervals draw groups. Perturbed cells have the
        column, too.
    replicate_key : str, or None
        Column of `cells.obs`, and of the perturbed cells', with the biological replicate.
    network : str
        What the network of a simulation is called, where several seeds draw cells of one: the same
        text in each of them, so that boards count it once. "" where each seed has its own.
    kinds : mapping of str to str
        What was done in perturbations in which that was not `perturbation`, by their names ("A", or
        "A+B" with the genes in alphabetical order).
    """

    cells: Cells
    scale: str
    kind: Literal["simulated", "real"]
    truth: Counterfactual | None = None
    replicate: Callable[[], Dataset] | None = None
    notes: tuple[str, ...] = ()
    batch_key: str | None = None
    cell_type_key: str | None = None
    perturbed: Cells | None = None
    perturbation: str = "knockout"
    confounded: str = ""
    near_null: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    group_key: str | None = None
    replicate_key: str | None = None
    network: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
