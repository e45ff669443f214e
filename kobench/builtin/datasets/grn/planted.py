"""`planted`: the cells of `grn`, and other cells in which genes are knocked out, as in a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.grn.cell_types import draw_labels, names_of
from kobench.builtin.datasets.grn.describe import planted_notes
from kobench.builtin.datasets.grn.generate import (
    Simulation,
    draw_cell_weights,
    draw_dropout,
    stream,
    usable,
)
from kobench.builtin.datasets.grn.parameters import complete
from kobench.builtin.datasets.grn.spec import PLANTED
from kobench.builtin.datasets.grn.truth import GrnTruth
from kobench.cells import Cells, FloatArray, IntArray
from kobench.dataset import Dataset

#: Streams of their own: the wild-type cells are those of `grn`, and the cells of one perturbation
#: depend on no other's.
GENES, PAIRS, FACTORS, BATCHES, SHUFFLE, CELLS = range(100, 106)

#: Of each perturbation.
ABSENCE, NOISE, DROPOUT, LABELS, MIX = range(5)


@dataclass(frozen=True, eq=False)
class PlantedCells:
    """n cells of one kind, wild type or of one perturbation.

    Attributes
    ----------
    seen : (n, genes) float
        Observed expression, without a batch effect.
    labels : (n,) int
        Cell types.
    batches : (n,) int
    left_out : mapping of str to int
        Reason -> how many of the cells drawn cannot be used.
    """

    seen: FloatArray
    labels: IntArray
    batches: IntArray
    left_out: Mapping[str, int]


def generate_planted(params: Mapping[str, Any]) -> Dataset:
    """The dataset of some parameters; the others have the defaults of `spec.PLANTED`."""
    p = complete(params, PLANTED, "planted")
    simulation = Simulation.of(p, "planted")
    base = simulation.dataset()
    n = base.cells.n_obs
    removed = draw_perturbations(p)
    groups = [_wild_type(simulation, n), *(perturb(simulation, genes) for genes in removed)]
    factors = _batch_factors(p)
    everyone = _observed(simulation, base.cells.var_names, groups, factors)
    names = np.repeat(
        ["+".join(everyone.var_names[list(genes)].tolist()) for genes in removed],
        [len(group.seen) for group in groups[1:]],
    )
    cells, perturbed = everyone[:n], everyone[n:]
    dataset = replace(
        base,
        cells=cells,
        truth=base.truth if p["shuffle"] == "none" else None,
        replicate=None,
        notes=(*planted_notes(p), *base.notes),
        batch_key="batch" if p["batches"] > 1 else None,
        perturbed=replace(perturbed, obs={**perturbed.obs, "perturbation": names}),
        facts={
            **base.facts,
            "zeros": float((cells.X == 0).mean()),
            "largest_value": float(cells.X.max()),
            "perturbations": len(removed),
            "perturbed_cells": len(names),
            **{
                f"perturbed_{reason}": sum(group.left_out[reason] for group in groups[1:])
                for reason in groups[0].left_out
            },
        },
    )
    if p["shuffle"] != "none":
        return dataset

    def replicate() -> Dataset:
        assert base.replicate is not None
        again = base.replicate()
        values = (again.cells.X * factors[groups[0].batches]).astype(np.float32)
        return replace(
            again,
            cells=replace(cells, X=values),
            notes=dataset.notes,
            batch_key=dataset.batch_key,
        )

    return replace(dataset, replicate=replicate)


def _batch_factors(p: Mapping[str, Any]) -> FloatArray:
    """(batches, genes) factors of each batch; all 1 for a single batch."""
    if p["batches"] == 1:
        return np.ones((1, p["genes"]))
    logarithms = stream(p["seed"], FACTORS).standard_normal((p["batches"], p["genes"]))
    factors: FloatArray = np.exp(p["batch_effect"] * logarithms)
    return factors


def _wild_type(simulation: Simulation, n: int) -> PlantedCells:
    """The n wild-type cells, spread over the batches evenly."""
    labels = simulation.truth.labels
    batches = draw_labels(stream(simulation.p["seed"], BATCHES), n, simulation.p["batches"])
    return PlantedCells(
        simulation.seen,
        np.zeros(n, np.int64) if labels is None else labels,
        batches,
        simulation.left_out,
    )


def _observed(
    simulation: Simulation,
    genes: npt.NDArray[np.str_],
    groups: Sequence[PlantedCells],
    factors: FloatArray,
) -> Cells:
    """All cells as predictors see them, group by group, with batch effects and shuffled labels.

    groups : the wild-type cells first. factors : (batches, genes).
    """
    p = simulation.p
    of_batch = np.concatenate([group.batches for group in groups])
    source = shuffled(stream(p["seed"], SHUFFLE), of_batch, len(groups[0].seen), p["shuffle"])
    values = np.concatenate([group.seen for group in groups]) * factors[of_batch]
    obs = {}
    if p["batches"] > 1:
        obs["batch"] = np.array([f"batch{batch}" for batch in of_batch])
    if simulation.types is not None:
        obs["cell_type"] = names_of(np.concatenate([group.labels for group in groups])[source])
    return Cells(values[source].astype(np.float32), genes, obs)


def draw_perturbations(p: Mapping[str, Any]) -> list[tuple[int, ...]]:
    """The genes of each perturbation.

    First `perturbations` single genes, drawn evenly among all, then `doubles` distinct pairs of
    these.
    """
    genes = stream(p["seed"], GENES).permutation(p["genes"])[: p["perturbations"]]
    singles = [(int(gene),) for gene in genes]
    if not p["doubles"]:
        return list(singles)
    count = len(genes) * (len(genes) - 1) // 2
    pairs = []
    for number in stream(p["seed"], PAIRS).choice(count, p["doubles"], replace=False).tolist():
        # pairs (a, b), a < b, are numbered b (b - 1) / 2 + a
        b = (1 + isqrt(1 + 8 * number)) // 2
        a = number - b * (b - 1) // 2
        pairs.append(tuple(sorted((int(genes[a]), int(genes[b])))))
    return [*singles, *pairs]


def perturb(simulation: Simulation, removed: tuple[int, ...]) -> PlantedCells:
    """New cells without the removed genes, drawn by the laws of the wild-type cells.

    Absence, cell types, noise, and dropout under the wild-type cells' medians. A cell that lacks
    the genes anyway is as it would be. Batches are drawn from a mix that is the perturbation's own,
    itself drawn evenly from all mixes.
    """
    p, n = simulation.p, simulation.p["perturbed_cells"]

    def rng(purpose: int) -> np.random.Generator:
        return stream(p["seed"], CELLS, purpose, *removed)

    labels = draw_labels(rng(LABELS), n, p["cell_types"])
    absent = simulation.more(rng(ABSENCE), n)
    absent[:, list(removed)] = True
    weights = draw_cell_weights(rng(NOISE), simulation.network, n, p["sigma"])
    drawn = GrnTruth.settle(
        simulation.network, simulation.solver, weights, absent, simulation.types, labels
    )
    clean = drawn.wild_type(np.arange(n))
    dropped = draw_dropout(rng(DROPOUT), clean, p["dropout"], simulation.medians)
    seen = np.where(dropped, 0.0, clean)
    kept, left_out = usable(drawn, seen)
    mix = rng(MIX)
    batches = mix.choice(p["batches"], n, p=mix.dirichlet(np.ones(p["batches"])))
    return PlantedCells(seen[kept], labels[kept], batches[kept], left_out)


def shuffled(
    rng: np.random.Generator, batches: IntArray, n_wild_type: int, shuffle: str
) -> IntArray:
    """Shuffle cells among labels: cells change places inside their batch, the labels stay.

    Parameters
    ----------
    rng : Generator
    batches : (n,) int
        Wild-type cells first.
    n_wild_type : int
    shuffle : "labels", "perturbed" or "none"
        Which cells change places: all, the perturbed ones, or none.

    Returns
    -------
    (n,) int
        Which cell stands in each place.
    """
    source = np.arange(len(batches))
    if shuffle == "none":
        return source
    first = 0 if shuffle == "labels" else n_wild_type
    for batch in np.unique(batches):
        places = first + np.flatnonzero(batches[first:] == batch)
        source[places] = rng.permutation(places)
    return source
