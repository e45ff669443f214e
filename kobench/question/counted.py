"""The counts that a measured truth was made with; none of them is handed to a predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kobench.cells import IntArray


@dataclass(frozen=True, eq=False)
class CountedCells:
    """Where the counts of a measured screen lie; they are copied when they are asked for.

    Attributes
    ----------
    perturbed, wild_type : (N, G), (M, G) array or CSR matrix
        Counts of all perturbed and all wild-type cells of the dataset.
    rows : (n,) int
        Rows of the perturbed cells of the asked perturbations.
    group : (n,) int
        The perturbation of each of them.
    control : (m,) int
        Rows of the wild-type cells that the truth is measured against.
    """

    perturbed: Any
    wild_type: Any
    rows: IntArray
    group: IntArray
    control: IntArray
