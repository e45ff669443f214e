"""Made-up units for checks of metrics: a truth with the true answer, and that answer spoilt in
every way that must not pay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from kobench.cells import FloatArray, normalise_rows
from kobench.units import (
    Block,
    ImpactUnits,
    InteractionUnits,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    Units,
)

#: How strong the noise in an answer is, in standard deviations of the truth (of logarithms, for
#: profiles).
NOISE = (0.1, 0.3, 1.0, 3.0)

#: How noisy the measurement of a response is, and how often it is split into halves.
MEASURED, SPLITS = 0.5, 20


def example_units(of: str, seed: int) -> dict[str, Units]:
    """Units of one kind under what they are called; the answer is the truth.

    Large enough for every metric of kobench's own.
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
    return {"events": _interactions(rng)}


def _profiles(rng: np.random.Generator, knocked_out: bool) -> ProfileUnits:
    cells, genes = 36, 30
    on = rng.random((cells, genes)) < 0.75
    on[:, :3] = True
    rows = on * rng.lognormal(0, 1, genes) * rng.lognormal(0, 0.4, (cells, genes))
    if not knocked_out:
        true = normalise_rows(rows)
        return ProfileUnits(true.copy(), true, on, np.arange(cells))
    cell, removed = np.repeat(np.arange(cells), 3), np.tile(np.arange(3), cells)
    null, present = rows[cell].copy(), on[cell].copy()
    null[np.arange(len(cell)), removed] = 0
    present[np.arange(len(cell)), removed] = False
    true = normalise_rows(null * rng.lognormal(0, 0.4, null.shape))
    return ProfileUnits(true.copy(), true, present, cell, removed, normalise_rows(null))


def _impacts(rng: np.random.Generator) -> ImpactUnits:
    cells, genes = (
        place.ravel() for place in np.meshgrid(np.arange(24), np.arange(15), indexing="ij")
    )
    true = (
        rng.lognormal(-3, 0.7, 15)[genes]
        * rng.lognormal(0, 0.5, len(cells))
        * (rng.random(len(cells)) < 0.7)
    )
    asked = rng.random(len(cells)) < 0.9
    return ImpactUnits(true[asked].copy(), true[asked], cells[asked], genes[asked])


def _ranking(rng: np.random.Generator, n: int) -> RankingUnits:
    true = rng.lognormal(-3, 0.8, n)
    return RankingUnits(true.copy(), true, np.arange(n), rng.lognormal(-4, 1, n))


def responses(
    rng: np.random.Generator, noisy: bool, perturbations: int = 12, targets: bool = True
) -> ResponseUnits:
    """Changes of 40 genes: a part that all perturbations have in common, and each one's own; with
    noise, the answer is the clean change.
    """
    genes = 40
    clean = 0.5 * rng.normal(size=genes) + rng.normal(size=(perturbations, genes)) * (
        rng.random((perturbations, genes)) < 0.5
    )
    clean *= 1e-3
    if targets:
        clean[np.arange(perturbations), np.arange(perturbations)] = np.nan
    ids = np.arange(perturbations)
    if not noisy:
        return ResponseUnits(clean.copy(), clean, ids, responds=np.abs(clean) > 1e-3 / 2)
    true, apart = clean + MEASURED * 1e-3 * rng.normal(size=clean.shape), []
    for _ in range(SPLITS):
        # halves of the same cells: their mean is the measurement, their difference as noisy as it
        half = MEASURED * 1e-3 * rng.normal(size=clean.shape)
        apart.append([true + half, true - half])
    return ResponseUnits(
        clean.copy(), true, ids, halves=np.array(apart), responds=np.abs(true) > 1e-3 / 2
    )


def _interactions(rng: np.random.Generator) -> InteractionUnits:
    pairs, cells = (
        place.ravel() for place in np.meshgrid(np.arange(15), np.arange(16), indexing="ij")
    )
    true = (
        rng.lognormal(-5, 1, 15)[pairs]
        * rng.lognormal(0, 0.5, len(pairs))
        * (rng.random(len(pairs)) < 0.6)
    )
    return InteractionUnits(true.copy(), true, cells, pairs)


def block_of(units: Units) -> Block:
    """What is drawn again of such units."""
    if isinstance(units, ProfileUnits):
        return "cell" if units.genes is None else "gene"
    if isinstance(units, ResponseUnits):
        return "perturbation"
    return "pair" if isinstance(units, InteractionUnits) else "gene"


def answered(units: Units, predicted: FloatArray) -> Units:
    """The same units with another answer."""
    return dataclasses.replace(units, predicted=predicted)


def right(units: Units) -> Units:
    """The same units with the truth as the answer."""
    return answered(units, units.true.copy())


def noisy(units: Units, level: float, rng: np.random.Generator) -> Units:
    """The true answer with noise; a profile stays one, and what can't be negative is not."""
    noise, true = rng.normal(size=units.true.shape), units.true
    if isinstance(units, ProfileUnits):
        return answered(units, normalise_rows(true * np.exp(level * noise)))
    predicted = true + level * float(np.nanstd(true)) * noise
    return answered(units, predicted if isinstance(units, ResponseUnits) else np.abs(predicted))


def constants(units: Units) -> Iterator[tuple[str, Units]]:
    """Answers that say the same of everything, by what they say."""
    if isinstance(units, ProfileUnits):
        yield (
            "every present gene alike",
            answered(units, normalise_rows(units.present.astype(np.float64))),
        )
        yield (
            "every gene alike",
            answered(units, np.full(units.true.shape, 1 / units.true.shape[1])),
        )
        yield (
            "the mean profile",
            answered(units, np.tile(units.true.mean(axis=0), (len(units.true), 1))),
        )
        return
    gaps = np.where(np.isnan(units.true), np.nan, 0.0)
    for word, number in (("0", 0.0), ("1", 1.0), ("the mean", float(np.nanmean(units.true)))):
        yield f"{word} everywhere", answered(units, gaps + number)
    if isinstance(units, ResponseUnits):
        yield (
            "the mean change of all perturbations",
            answered(units, gaps + np.nanmean(units.true, axis=0)),
        )


def unknown(units: Units, rng: np.random.Generator) -> Iterator[tuple[str, Units]]:
    """Answers with NaN in the place of numbers, the others being right."""
    yield "NaN everywhere", answered(units, np.full(units.true.shape, np.nan))
    yield (
        "NaN in half of the entries",
        answered(units, np.where(rng.random(units.true.shape) < 0.5, np.nan, units.true)),
    )


def taken(units: Units, rows: Any) -> Units:
    """Some of the units, or all of them in another order; every field goes along."""
    changed: dict[str, Any] = {}
    for entry in dataclasses.fields(units):
        values = getattr(units, entry.name)
        if isinstance(values, np.ndarray):
            changed[entry.name] = values[:, :, rows] if entry.name == "halves" else values[rows]
    return dataclasses.replace(units, **changed)


def genes_reordered(units: Units, rng: np.random.Generator) -> Units:
    """The same units of a data set whose genes, cells and perturbations have other numbers: columns
    move, ids are dealt out anew.
    """
    columns = rng.permutation(units.true.shape[1]) if units.true.ndim == 2 else None
    changed: dict[str, Any] = {}
    for entry in dataclasses.fields(units):
        values = getattr(units, entry.name)
        if not isinstance(values, np.ndarray):
            continue
        if entry.name in ("cells", "genes", "perturbations", "pairs"):
            changed[entry.name] = rng.permutation(int(values.max(initial=0)) + 1)[values]
        elif columns is not None and values.shape[-1:] == units.true.shape[1:]:
            changed[entry.name] = values[..., columns]
    return dataclasses.replace(units, **changed)


def another_truth(units: Units) -> Units:
    """The same answer beside a truth that has nothing to do with it: the units' truths change
    places.
    """
    order = np.roll(np.arange(len(units.true)), len(units.true) // 2 + 1)
    changed = {
        name: getattr(taken(units, order), name)
        for name in ("true", "responds", "null")
        if hasattr(units, name)
    }
    return dataclasses.replace(units, **changed)


def alike(units: Units) -> Units:
    """A truth, and the same as its answer, that says one number of everything."""
    level = np.where(np.isnan(units.true), np.nan, 0.5)
    if isinstance(units, ProfileUnits):
        level = normalise_rows(units.present.astype(np.float64))
    return dataclasses.replace(units, true=level, predicted=level.copy())
