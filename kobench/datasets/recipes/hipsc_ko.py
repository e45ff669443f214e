"""`hipsc-ko`: expression as log1p of counts, and the knocked-out gene of each cell, one-hot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kobench.datasets.recipes.common import fail, from_counts, read_csv

#: How far a count may be from a whole number; the farthest is 5e-13.
NEAR = 1e-6


def make(files: Mapping[str, Path]) -> Any:
    """Counts round(expm1(E)), with the gene that has a 1 in X as the perturbation.

    Parameters
    ----------
    files : mapping of str to Path
        `E_renge_d2_80.csv` (cells x genes) and `X_renge_d2_80.csv` (cells x genes, then the day).
    """
    expression = read_csv(files["E_renge_d2_80.csv"])
    knocked_out = read_csv(files["X_renge_d2_80.csv"])
    if not expression.index.equals(knocked_out.index):
        fail("E_renge_d2_80.csv and X_renge_d2_80.csv do not have the same cells in the same order")
    values = np.expm1(expression.to_numpy(dtype=np.float64))
    counts = np.rint(values)
    if not np.all(np.abs(values - counts) < NEAR):
        fail("expm1 of E_renge_d2_80.csv is not whole numbers")
    hot, day = knocked_out.iloc[:, :-1], knocked_out.iloc[:, -1].to_numpy()
    marks = hot.to_numpy()
    if not (np.all((marks == 0) | (marks == 1)) and np.all(marks.sum(axis=1) <= 1)):
        fail("a row of X_renge_d2_80.csv has something else than one 1 or none")
    genes = np.asarray(hot.columns, dtype=object)
    return from_counts(
        counts,
        list(expression.index),
        list(expression.columns),
        {
            "perturbation": np.where(marks.any(axis=1), genes[marks.argmax(axis=1)], "control"),
            "day": day.astype(np.int64),
            "cell_type": "hiPSC",
            "n_counts_panel": counts.sum(axis=1).astype(np.int64),
        },
    )
