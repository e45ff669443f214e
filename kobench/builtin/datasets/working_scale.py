"""Values of a file in the working scale of its dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets import read_anndata
from kobench.builtin.datasets.formats.source import Frame
from kobench.datasets.matrices import Names
from kobench.datasets.normalise import TARGET_TOTAL
from kobench.datasets.normalise import normalise as log1p_cp10k
from kobench.errors import UserError


@dataclass(frozen=True, eq=False)
class WorkingScale:
    """Values (n, G) in the working scale, the scale's name, and in words what was done to them."""

    X: Any
    scale: str
    how: str


def totals_of(obs: Frame, path: str, key: str, scale: str) -> npt.NDArray[np.float64] | None:
    """Each cell's counts over all genes of the source, to normalise with.

    Parameters
    ----------
    obs : Frame
        The cells.
    path : str
        What messages start with.
    key : str
        Column of obs with the totals; "" where the file's genes are all genes.
    scale : str
        The declared scale.

    Returns
    -------
    (n,) float64, or None where no column is named

    Raises
    ------
    UserError
        Where the values are not counts, or the column does not hold numbers.
    """
    if not key:
        return None
    if scale != "counts":
        raise UserError(
            f"{path}: totals_key={key} is given for scale={scale}; totals serve to normalise"
            " counts, so leave it out or set scale=counts"
        )
    remedy = "fill in the number of counts, or leave totals_key out"
    text = read_anndata.column(obs, path, key, "totals_key", remedy=remedy)
    try:
        totals = text.astype(np.float64)
    except ValueError as error:
        raise UserError(
            f"{path}: obs[{key!r}] does not hold numbers ({error}); set totals_key to a column with"
            " a cell's count total"
        ) from error
    return np.asarray(totals)


def check_totals(
    totals: npt.NDArray[np.float64],
    sums: npt.NDArray[np.float64],
    path: str,
    key: str,
    cells: Names,
) -> None:
    """UserError where a cell's total (n,) is less than what its genes sum to (n,).

    `path`, `key` (the column of the totals) and the names of the `cells` (n,) are for the message.
    """
    wrong = ~(np.isfinite(totals) & (totals >= sums * (1 - 1e-6)))
    if np.any(wrong):
        i = int(np.argmax(wrong))
        raise UserError(
            f"{path}: obs[{key!r}] says {totals[i]:g} counts for cell {str(cells[i])!r}, but its"
            f" genes in this file sum to {sums[i]:g}; set totals_key to the total over all genes,"
            " or leave it out"
        )


def to_working_scale(
    X: Any,
    scale: str,
    normalise: str,
    totals: npt.NDArray[np.float64] | None,
    totals_key: str,
    path: str,
) -> WorkingScale:
    """Bring values to the working scale.

    Parameters
    ----------
    X : (n, G) array or CSR matrix
    scale : str
        What the values are, as declared.
    normalise : str
        What is done to counts: "auto", "log1p-cp10k", "log1p" or "none".
    totals : (n,) float, or None
        Each cell's counts over all genes, before any was left out; None where they are not needed.
    totals_key, path : str
        For messages; `totals_key` is "" where the totals are those of the file's genes.

    Raises
    ------
    UserError
        Where `normalise`, or totals, do not go with the scale.
    """
    if scale != "counts":
        if normalise not in ("auto", "none"):
            raise UserError(
                f"{path}: normalise={normalise} is given for scale={scale}; only counts are"
                " normalised, so leave it out"
            )
        return WorkingScale(X, scale, f"none, {scale} as declared")
    if normalise in ("auto", "log1p-cp10k"):
        over = f"obs[{totals_key!r}]" if totals_key else "the file's genes"
        how = f"log1p of counts per 10,000, totals: {over}"
        return WorkingScale(log1p_cp10k(X, totals, share=True), "log1p-cp10k", how)
    if totals_key:
        raise UserError(
            f"{path}: totals_key={totals_key} is given with normalise={normalise}, which uses no"
            " totals; leave one of them out"
        )
    if normalise == "log1p":
        # totals that are the target leave the counts as they are before the logarithm
        values = log1p_cp10k(X, np.full(X.shape[0], TARGET_TOTAL), share=True)
        return WorkingScale(values, "log1p", "log1p of counts, no library-size step")
    return WorkingScale(X, "counts", "none, counts as they are")
