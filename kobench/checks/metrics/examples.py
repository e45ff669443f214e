"""Made-up units for the checks of metrics: a truth, with the truth as the answer."""

from __future__ import annotations

import numpy as np

from kobench.cells import IntArray, normalise_rows
from kobench.units import (
    ImpactUnits,
    InteractionUnits,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    ScreenUnits,
    StructureUnits,
    Units,
)

#: Size of a typical change of a gene in made-up responses.
SCALE = 1e-3

#: Standard deviation of the noise in a measured response, as a share of `SCALE`.
MEASURED = 0.5

#: How often the cells of a measured response are split into halves.
SPLITS = 20


def example_units(of: str, seed: int) -> dict[str, Units]:
    """Made-up units of one kind, large enough for every metric of kobench's own.

    Parameters
    ----------
    of : str
        The kind: "profile", "impact", "ranking", "response", "interaction", "screen" or
        "structure".
    seed : int
        One seed, one set of units.

    Returns
    -------
    dict
        Units after what they are called; their answer is the truth.
    """
    rng = np.random.default_rng([seed, 15])
    if of == "profile":
        return {"held-out cells": _profiles(rng, False), "knockouts": _profiles(rng, True)}
    if of == "impact":
        return {"events": _impacts(rng)}
    if of == "ranking":
        return {"240 genes": _ranking(rng, 240), "25 perturbations": _ranking(rng, 25)}
    if of == "response":
        return {
            "clean truth": responses(rng, noisy=False),
            "measured truth": responses(rng, noisy=True),
        }
    if of == "screen":
        return {"perturbations": _screen(rng)}
    if of == "structure":
        true = np.clip(rng.normal(0, 0.3, (12, 45)), -1, 1)
        return {"perturbations": StructureUnits(true.copy(), true, np.arange(12))}
    return {"events": _interactions(rng)}


def responses(
    rng: np.random.Generator, noisy: bool, perturbations: int = 12, targets: bool = True
) -> ResponseUnits:
    """Changes of 40 genes: one that all perturbations have in common, and each one's own.

    Parameters
    ----------
    rng : numpy.random.Generator
        Gives all randomness.
    noisy : bool
        Whether the truth is a noisy measurement; the answer is the clean change then, too.
    perturbations : int
        Number of perturbations, at most 40 where they have targets.
    targets : bool
        Whether each perturbation has a target among the genes, at which its change is NaN.
    """
    genes = 40
    shared = 0.5 * rng.normal(size=genes)
    own = rng.normal(size=(perturbations, genes)) * (rng.random((perturbations, genes)) < 0.5)
    clean = (shared + own) * SCALE
    ids = np.arange(perturbations)
    if targets:
        clean[ids, ids] = np.nan
    if not noisy:
        return ResponseUnits(clean.copy(), clean, ids, responds=np.abs(clean) > SCALE / 2)
    noise = MEASURED * SCALE
    true = clean + noise * rng.normal(size=clean.shape)
    halves = []
    for _ in range(SPLITS):
        # the two halves have the measurement as their mean, and its noise in their difference
        half = noise * rng.normal(size=clean.shape)
        halves.append([true + half, true - half])
    responds = np.abs(true) > SCALE / 2
    return ResponseUnits(clean.copy(), true, ids, halves=np.array(halves), responds=responds)


def _profiles(rng: np.random.Generator, knocked_out: bool) -> ProfileUnits:
    """36 cells x 30 genes, or three knockouts of each cell."""
    cells, genes = 36, 30
    on = rng.random((cells, genes)) < 0.75
    on[:, :3] = True
    rows = on * rng.lognormal(0, 1, genes) * rng.lognormal(0, 0.4, (cells, genes))
    if not knocked_out:
        true = normalise_rows(rows)
        return ProfileUnits(true.copy(), true, on, np.arange(cells))
    cell, removed = np.repeat(np.arange(cells), 3), np.tile(np.arange(3), cells)
    events = np.arange(len(cell))
    null, present = rows[cell].copy(), on[cell].copy()
    null[events, removed] = 0
    present[events, removed] = False
    true = normalise_rows(null * rng.lognormal(0, 0.4, null.shape))
    return ProfileUnits(true.copy(), true, present, cell, removed, normalise_rows(null))


def _impacts(rng: np.random.Generator) -> ImpactUnits:
    """Impacts of 15 genes in 24 cells, a tenth of which are not asked."""
    cells, genes = _pairs_of(24, 15)
    true = (
        rng.lognormal(-3, 0.7, 15)[genes]
        * rng.lognormal(0, 0.5, len(cells))
        * (rng.random(len(cells)) < 0.7)
    )
    asked = rng.random(len(cells)) < 0.9
    return ImpactUnits(true[asked].copy(), true[asked], cells[asked], genes[asked])


def _ranking(rng: np.random.Generator, n: int) -> RankingUnits:
    """Impacts of `n` genes, and how strongly each is expressed."""
    true = rng.lognormal(-3, 0.8, n)
    return RankingUnits(true.copy(), true, np.arange(n), rng.lognormal(-4, 1, n))


def _interactions(rng: np.random.Generator) -> InteractionUnits:
    """Interactions of 15 pairs of genes in 16 cells."""
    pairs, cells = _pairs_of(15, 16)
    true = (
        rng.lognormal(-5, 1, 15)[pairs]
        * rng.lognormal(0, 0.5, len(pairs))
        * (rng.random(len(pairs)) < 0.6)
    )
    return InteractionUnits(true.copy(), true, cells, pairs)


def _screen(rng: np.random.Generator) -> ScreenUnits:
    """9 perturbations of 60 genes, half of which respond, on a scale that ends at the truth."""
    k, genes = 9, 60
    level = rng.normal(3, 1, genes)
    responds = rng.random((k, genes)) < 0.5
    effect = rng.normal(0, 0.2, (k, genes)) + responds * rng.choice([-2.0, 2.0], (k, genes))
    adjusted = np.where(responds, 1e-4, 0.3) * rng.uniform(0.5, 2, (k, genes))
    true = np.stack([level + effect, effect, effect * 1.4, adjusted / 4, adjusted], axis=1)
    error = np.full(k, 0.02)
    zero = {"pds-cosine": 0.5, "direction-fidelity": 0.1, "direction-reach": 0.1}
    zero |= {"significance-jaccard": 0.1, "mse-capped": 1.0, "lfc-nmae": 1.0}
    one = {name: 1.0 if value < 1 else 0.0 for name, value in zero.items()}
    return ScreenUnits(true.copy(), true, error, error, np.arange(k), 0.01, zero, one)


def _pairs_of(n: int, m: int) -> tuple[IntArray, IntArray]:
    """Every pair of a number below `n` and one below `m`, two arrays (n * m,)."""
    first, second = np.meshgrid(np.arange(n), np.arange(m), indexing="ij")
    return first.ravel(), second.ravel()
