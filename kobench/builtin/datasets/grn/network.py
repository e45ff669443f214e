"""The regulatory network: who regulates whom, how strongly, and with which sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Every gene has at least this many regulators (fewer only where the mean degree is under it).
LEAST_REGULATORS = 2

#: Weights are uniform on 0 to this value.
LARGEST_WEIGHT = 2.0


@dataclass(frozen=True, eq=False)
class Network:
    """A directed network of m edges; no gene regulates itself.

    Attributes
    ----------
    genes : int
        Number of genes.
    edges : (m, 2) int32
        Regulator and target, sorted by target, then regulator.
    weights : (m,) float64, >= 0
    sign : (m,) int8
        +1 activates, -1 represses.
    """

    genes: int
    edges: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]
    sign: npt.NDArray[np.int8]

    def in_degrees(self) -> npt.NDArray[np.int64]:
        """(genes,) number of regulators of each gene."""
        return np.bincount(self.edges[:, 1], minlength=self.genes)

    def out_degrees(self) -> npt.NDArray[np.int64]:
        """(genes,) number of targets of each gene."""
        return np.bincount(self.edges[:, 0], minlength=self.genes)


def draw_network(
    rng: np.random.Generator, genes: int, degree: float, gamma: float | None, repressors: float
) -> Network:
    """A random directed network with m = round(genes * degree) edges.

    Parameters
    ----------
    rng : Generator
    genes : int
    degree : float
        Mean number of regulators; 1 <= degree <= genes - 1, unless genes = 1 (no edges).
    gamma : float, or None
        Exponent of the law of out-degrees; None draws regulators evenly (Erdos-Renyi).
    repressors : float
        Share of the edges that repress: round(m * repressors), drawn at random.

    Notes
    -----
    Both kinds share the law of in-degrees, so they differ in one thing only, who the regulators
    are: every gene has `LEAST_REGULATORS` regulators, and the other edges go to targets at random.
    Each gene's regulators are distinct other genes, drawn evenly, or with weight
    rank**(-1 / (gamma - 1)) of a random ranking of the genes. That makes the tail of the
    out-degrees a power law with exponent gamma (static model: Goh, Kahng and Kim, Phys. Rev. Lett.
    87:278701, 2001).
    """
    popularity = np.ones(genes)
    if gamma is not None:
        popularity = rng.permutation(np.arange(1, genes + 1) ** (-1.0 / (gamma - 1.0)))
    in_degrees = draw_in_degrees(rng, genes, degree)
    regulators = [
        draw_regulators(rng, popularity, target, count) for target, count in enumerate(in_degrees)
    ]
    targets = np.repeat(np.arange(genes), in_degrees)
    edges = np.stack([np.concatenate(regulators), targets], axis=1).astype(np.int32)
    sign = np.ones(len(edges), np.int8)
    sign[rng.permutation(len(edges))[: round(repressors * len(edges))]] = -1
    return Network(genes, edges, rng.uniform(0.0, LARGEST_WEIGHT, len(edges)), sign)


def draw_in_degrees(rng: np.random.Generator, genes: int, degree: float) -> npt.NDArray[np.int64]:
    """(genes,) numbers of regulators, round(genes * degree) in all.

    Each is between `LEAST_REGULATORS`, or the mean where that is lower, and genes - 1.
    """
    if genes == 1:
        return np.zeros(1, np.int64)
    least = min(LEAST_REGULATORS, int(degree))
    places = genes - 1 - least  # places left for a further regulator of each gene
    more = round(genes * degree) - genes * least
    taken = rng.choice(genes * places, size=more, replace=False) if more else np.empty(0, np.int64)
    return least + np.bincount(taken // max(places, 1), minlength=genes)


def draw_regulators(
    rng: np.random.Generator, popularity: npt.NDArray[np.float64], target: int, count: int
) -> npt.NDArray[Any]:
    """(count,) sorted distinct genes other than `target`.

    They are drawn one after the other in proportion to their popularity (genes,).
    """
    if not count:
        return np.empty(0, np.int64)
    weight = popularity.copy()
    weight[target] = 0.0
    return np.sort(rng.choice(len(weight), size=count, replace=False, p=weight / weight.sum()))
