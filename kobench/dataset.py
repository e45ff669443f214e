"""Datasets: wild-type cells in their working scale, plus at most one kind of truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from kobench.cells import Cells, FloatArray, IntArray, Knockouts


class Counterfactual(Protocol):
    """Truth of a simulated dataset: the same cell, with the same weights, with and without genes.

    Truth is clean: it never sees dropout. Rows are expression (not profiles), float64.
    """

    def wild_type(self, cells: IntArray) -> FloatArray:
        """(n, G) clean expression of the dataset's cells `cells`."""

    def knockout(self, knockouts: Knockouts) -> FloatArray:
        """(n, G) clean expression after each event; a row of NaN where no steady state was reached.

        `knockouts.cells` are rows of the dataset's cells. Any order.
        """


@dataclass(frozen=True, eq=False)
class Dataset:
    """Wild-type cells in their working scale, plus at most one kind of truth.

    cells : the observed wild-type cells. scale : "log1p-cp10k", "log1p", "linear", ... kind :
    "simulated" (the independent unit is the network) or "real" (the independent unit is the cell).
    replicate : another draw of the same cells (same network, same assemblages, new noise), or None.
    notes : sentences shown beside every board of this dataset (choices the source does not state,
    caveats). perturbed : the perturbed cells of a population truth, with obs["perturbation"] ("A",
    or "A+B" for several genes); never shown to a predictor. confounded : "" or why perturbed and
    wild-type cells differ by more than the perturbation (genotype and library are one). facts :
    numbers and words for `kobench info` (zeros, cells left out and why, ...).
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
    confounded: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
