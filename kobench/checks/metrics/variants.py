"""Variants of units for the checks of metrics: spoilt answers, other orders, other truths."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from kobench.cells import FloatArray, normalise_rows
from kobench.units import (
    Block,
    InteractionUnits,
    ProfileUnits,
    ResponseUnits,
    ScreenUnits,
    StructureUnits,
    Units,
)


def block_of(units: Units) -> Block:
    """What the bootstrap draws of such units."""
    if isinstance(units, ProfileUnits):
        return "cell" if units.genes is None else "gene"
    if isinstance(units, (ResponseUnits, ScreenUnits, StructureUnits)):
        return "perturbation"
    return "pair" if isinstance(units, InteractionUnits) else "gene"


def answered(units: Units, predicted: FloatArray) -> Units:
    """The same units with another answer, an array like `units.true`."""
    return dataclasses.replace(units, predicted=predicted)


def right(units: Units) -> Units:
    """The same units with the truth as the answer."""
    return answered(units, units.true.copy())


def noisy(units: Units, level: float, rng: np.random.Generator) -> Units:
    """The same units with the truth and noise as the answer.

    Parameters
    ----------
    units : Units
        Only their truth matters.
    level : float
        Standard deviation of the noise, in standard deviations of the truth; of the logarithms, for
        profiles, which stay profiles. What can't be negative does not become so.
    rng : numpy.random.Generator
        Gives the noise.
    """
    noise, true = rng.normal(size=units.true.shape), units.true
    if isinstance(units, ProfileUnits):
        return answered(units, normalise_rows(true * np.exp(level * noise)))
    if isinstance(units, ScreenUnits):
        spread = np.nanstd(true, axis=(0, 2))[:, None]
        predicted = true + level * spread * noise
        # p values are spoilt by their logarithms, and stay in their order with their adjusted ones
        p = true[:, 3:] * np.exp(5 * level * noise[:, 3:4])
        return answered(units, np.concatenate([predicted[:, :3], np.minimum(p, 1.0)], axis=1))
    predicted = true + level * float(np.nanstd(true)) * noise
    signed = isinstance(units, (ResponseUnits, StructureUnits))
    return answered(units, predicted if signed else np.abs(predicted))


def constants(units: Units) -> Iterator[tuple[str, Units]]:
    """Answers that say the same of everything.

    Yields
    ------
    tuple of (str, Units)
        What the answer says, and the units with it.
    """
    if isinstance(units, ProfileUnits):
        present = normalise_rows(units.present.astype(np.float64))
        yield "every present gene alike", answered(units, present)
        alike_everywhere = np.full(units.true.shape, 1 / units.true.shape[1])
        yield "every gene alike", answered(units, alike_everywhere)
        mean = np.tile(units.true.mean(axis=0), (len(units.true), 1))
        yield "the mean profile", answered(units, mean)
        return
    gaps = np.where(np.isnan(units.true), np.nan, 0.0)
    for word, number in (("0", 0.0), ("1", 1.0), ("the mean", float(np.nanmean(units.true)))):
        yield f"{word} everywhere", answered(units, gaps + number)
    if isinstance(units, ResponseUnits):
        mean = gaps + np.nanmean(units.true, axis=0)
        yield "the mean change of all perturbations", answered(units, mean)


def unknown(units: Units, rng: np.random.Generator) -> Iterator[tuple[str, Units]]:
    """Answers with NaN in the place of numbers; the other numbers are right.

    Yields
    ------
    tuple of (str, Units)
        What is NaN, and the units with that answer.
    """
    yield "NaN everywhere", answered(units, np.full(units.true.shape, np.nan))
    half = np.where(rng.random(units.true.shape) < 0.5, np.nan, units.true)
    yield "NaN in half of the entries", answered(units, half)


def taken(units: Units, rows: Any) -> Units:
    """Some of the units, or all in another order; `rows` indexes the first axis of every field."""
    changed: dict[str, Any] = {}
    for entry in dataclasses.fields(units):
        values = getattr(units, entry.name)
        if isinstance(values, np.ndarray):
            changed[entry.name] = values[:, :, rows] if entry.name == "halves" else values[rows]
    return dataclasses.replace(units, **changed)


def genes_reordered(units: Units, rng: np.random.Generator) -> Units:
    """The same units of a data set in which genes, cells and perturbations have other numbers.

    Columns move, and the ids of cells, genes, perturbations and pairs are drawn anew.
    """
    columns = rng.permutation(units.true.shape[-1]) if units.true.ndim > 1 else None
    changed: dict[str, Any] = {}
    for entry in dataclasses.fields(units):
        values = getattr(units, entry.name)
        if not isinstance(values, np.ndarray):
            continue
        if entry.name in ("cells", "genes", "perturbations", "pairs"):
            changed[entry.name] = rng.permutation(int(values.max(initial=0)) + 1)[values]
        elif columns is not None and values.shape[-1:] == units.true.shape[-1:]:
            changed[entry.name] = values[..., columns]
    return dataclasses.replace(units, **changed)


def another_truth(units: Units) -> Units:
    """The same answer beside a truth that has nothing to do with it: the truths change places."""
    order = np.roll(np.arange(len(units.true)), len(units.true) // 2 + 1)
    changed = {
        name: getattr(taken(units, order), name)
        for name in ("true", "responds", "null")
        if hasattr(units, name)
    }
    return dataclasses.replace(units, **changed)


def alike(units: Units) -> Units:
    """Units whose truth says one number of everything, with the truth as the answer."""
    level = np.where(np.isnan(units.true), np.nan, 0.5)
    if isinstance(units, ProfileUnits):
        level = normalise_rows(units.present.astype(np.float64))
    return dataclasses.replace(units, true=level, predicted=level.copy())
