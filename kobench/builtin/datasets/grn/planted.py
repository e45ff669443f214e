"""`planted`: the cells of `grn`, and other cells of the same simulator in which genes are knocked
out, as a screen measures them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any

import numpy as np

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
class Group:
    """Cells of one kind, n of them: seen (n, genes) without a batch effect, labels (n,) cell types,
    batches (n,).
    """

    seen: FloatArray
    labels: IntArray
    batches: IntArray
    left_out: Mapping[str, int]


def generate_planted(params: Mapping[str, Any]) -> Dataset:
    """The data set of some parameters; those not given have their defaults
    (`kobench.builtin.datasets.grn.spec.PLANTED`).
    """
    p = complete(params, PLANTED, "planted")
    seed, several = p["seed"], p["batches"] > 1
    simulation = Simulation.of(p, "planted")
    base = simulation.dataset()
    factors = np.ones((1, p["genes"]))
    if several:
        factors = np.exp(
            p["batch_effect"] * stream(seed, FACTORS).standard_normal((p["batches"], p["genes"]))
        )
    n = base.cells.n_obs
    batches = draw_labels(stream(seed, BATCHES), n, p["batches"])
    labels = np.zeros(n, np.int64) if simulation.truth.labels is None else simulation.truth.labels
    removed = draw_perturbations(p)
    groups = [
        Group(simulation.seen, labels, batches, simulation.left_out),
        *(perturb(simulation, genes) for genes in removed),
    ]

    of_batch = np.concatenate([group.batches for group in groups])
    source = shuffled(stream(seed, SHUFFLE), of_batch, n, p["shuffle"])
    values = np.concatenate([group.seen for group in groups]) * factors[of_batch]
    obs = {"batch": np.array([f"batch{batch}" for batch in of_batch])} if several else {}
    if simulation.types is not None:
        obs["cell_type"] = names_of(np.concatenate([group.labels for group in groups])[source])
    everyone = Cells(values[source].astype(np.float32), base.cells.var_names, obs)
    names = np.repeat(
        ["+".join(everyone.var_names[list(genes)].tolist()) for genes in removed],
        [len(group.seen) for group in groups[1:]],
    )
    cells = everyone[:n]
    dataset = replace(
        base,
        cells=cells,
        truth=base.truth if p["shuffle"] == "none" else None,
        replicate=None,
        notes=(*planted_notes(p), *base.notes),
        batch_key="batch" if several else None,
        perturbed=replace(everyone[n:], obs={**everyone[n:].obs, "perturbation": names}),
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

    def replicate() -> Dataset:
        assert base.replicate is not None
        again = base.replicate()
        return replace(
            again,
            cells=replace(cells, X=(again.cells.X * factors[batches]).astype(np.float32)),
            notes=dataset.notes,
            batch_key=dataset.batch_key,
        )

    return replace(dataset, replicate=replicate) if p["shuffle"] == "none" else dataset


def draw_perturbations(p: Mapping[str, Any]) -> list[tuple[int, ...]]:
    """Genes of each perturbation: `perturbations` single genes, drawn evenly among all, then
    `doubles` distinct pairs of these.
    """
    genes = stream(p["seed"], GENES).permutation(p["genes"])[: p["perturbations"]]
    count = len(genes)
    drawn = (
        stream(p["seed"], PAIRS).choice(count * (count - 1) // 2, p["doubles"], replace=False)
        if p["doubles"]
        else []
    )
    pairs = []
    for number in map(int, drawn):  # pairs (a, b), a < b, are numbered b (b - 1) / 2 + a
        b = (1 + isqrt(1 + 8 * number)) // 2
        a = number - b * (b - 1) // 2
        pairs.append(tuple(sorted((int(genes[a]), int(genes[b])))))
    return [*((int(gene),) for gene in genes), *pairs]


def perturb(simulation: Simulation, removed: tuple[int, ...]) -> Group:
    """Fresh cells without the removed genes, by the laws of the wild-type cells: absence, cell
    types, noise, dropout under their medians.

    A cell that lacks the genes anyway is as it would be. Its batch is drawn from a mix that is the
    perturbation's own, even on all mixes.
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
    seen = np.where(draw_dropout(rng(DROPOUT), clean, p["dropout"], simulation.medians), 0.0, clean)
    kept, left_out = usable(drawn, seen)
    mix = rng(MIX)
    batches = mix.choice(p["batches"], n, p=mix.dirichlet(np.ones(p["batches"])))
    return Group(seen[kept], labels[kept], batches[kept], left_out)


def shuffled(
    rng: np.random.Generator, batches: IntArray, n_wild_type: int, shuffle: str
) -> IntArray:
    """(n,) which cell stands in each place: cells change places inside their batch, the labels
    stay.

    "labels": wild-type and perturbed cells alike; "perturbed": the perturbed ones, those from
    `n_wild_type` on; "none": nobody.
    """
    source = np.arange(len(batches))
    if shuffle == "none":
        return source
    first = 0 if shuffle == "labels" else n_wild_type
    for batch in np.unique(batches):
        places = first + np.flatnonzero(batches[first:] == batch)
        source[places] = rng.permutation(places)
    return source
