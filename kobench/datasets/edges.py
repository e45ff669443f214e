"""The edges of a simulated network: what a truth may tell of them, checked and digested."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import IntArray
from kobench.dataset import Counterfactual
from kobench.errors import UserError

#: How often each gene's neighbours are looked at: nearly every network differs from every other
#: after so many rounds.
ROUNDS = 4


def edges_of(truth: Counterfactual | None, n_genes: int, where: str = "this dataset") -> Any:
    """The edges of a truth, (m, 2) int64; None for a truth that tells none.

    Parameters
    ----------
    truth : Counterfactual or None
        See `kobench.dataset.OffersEdges`.
    n_genes : int
        How many genes the dataset has.
    where : str
        What messages start with.

    Raises
    ------
    UserError
        Where they are not what the contract says.
    """
    what = f"{where} has truth.edges"
    try:
        given = getattr(truth, "edges", None)
        edges = None if given is None else np.asarray(given)
    except Exception as error:
        raise UserError(
            f"{what} that can't be read ({type(error).__name__}: {error}); expected (m, 2) whole"
            " numbers, regulator and target of each edge"
        ) from error
    if edges is None:
        return None
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise UserError(
            f"{what} of shape {edges.shape}; expected (m, 2), regulator and target of each edge"
        )
    if edges.dtype.kind not in "iu":
        raise UserError(
            f"{what} of type {edges.dtype}; expected whole numbers, the columns of the genes"
        )
    wrong = (edges < 0) | (edges >= n_genes)
    if wrong.any():
        raise UserError(
            f"{what} that name gene {int(edges[wrong][0])}; it has the genes 0 to {n_genes - 1}"
        )
    found: IntArray = edges.astype(np.int64)
    return found


def edges_digest(edges: npt.NDArray[Any], n_genes: int) -> str:
    """Digest of a directed network that does not depend on what genes are called, or their order.

    Parameters
    ----------
    edges : (m, 2) int
        Regulator and target.
    n_genes : int
        Number of genes.

    Notes
    -----
    Each gene has a colour, which takes up in each of `ROUNDS` those of its regulators and targets
    (B. Weisfeiler & A. Lehman, 1968). The digest is of all colours, sorted. Equal networks have the
    same; different ones may, where they are very regular.
    """
    rows = np.unique(np.asarray(edges, dtype=np.int64).reshape(-1, 2), axis=0)
    regulators, targets = rows[:, 0], rows[:, 1]
    colour = np.ones(n_genes, dtype=np.uint64)
    for _ in range(ROUNDS):
        of_targets, of_regulators = np.zeros((2, n_genes), dtype=np.uint64)
        np.add.at(of_targets, regulators, _mixed(colour[targets], 1))
        np.add.at(of_regulators, targets, _mixed(colour[regulators], 2))
        colour = _mixed(_mixed(colour, 3) + _mixed(of_targets, 4) + _mixed(of_regulators, 5), 6)
    sha = hashlib.sha256(np.array([n_genes, len(rows)], dtype="<i8").tobytes())
    sha.update(np.sort(colour).astype("<u8").tobytes())
    return sha.hexdigest()[:16]


def _mixed(values: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.uint64]:
    """Each number scattered over all of its 64 bits (splitmix64)."""
    mixed = values + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
