"""Made-up units of every kind, and every built-in metric, for tests that hold for all of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import kobench.builtin
from kobench.api import (
    ImpactUnits,
    InteractionUnits,
    MetricSpec,
    NotComputed,
    Parts,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    Units,
)
from kobench.cells import normalise_rows
from kobench.units import Block
from kobench.util.resolve import resolve_reference

#: Metrics of counted cells say several things of each gene, and have tests of their own:
#: test_screens.py, test_screens_reference.py and test_task_screen.py.
SPECS: list[MetricSpec] = [
    spec
    for spec in kobench.builtin.plugin.kobench_metrics()
    if spec.of not in ("screen", "structure")
]
IDS = [f"{spec.of}-{spec.name}" for spec in SPECS]

#: What the tasks draw again for units of each kind.
BLOCKS: dict[str, tuple[Block, ...]] = {
    "profile": ("cell", "gene"),
    "impact": ("cell", "gene"),
    "ranking": ("gene", "perturbation"),
    "response": ("perturbation",),
    "interaction": ("pair",),
}

#: Fields that name a block, whatever their numbers are.
LABELS = ("cells", "genes", "perturbations", "pairs")


def value(spec: MetricSpec, units: Units) -> float:
    """The metric; raises NotComputed as it does."""
    result = resolve_reference(spec.score)(units)
    return result.value if isinstance(result, Parts) else result


def outcome(spec: MetricSpec, units: Units) -> float | str:
    """The metric, or "not computed"; an answer without a value is NaN."""
    try:
        return value(spec, units)
    except NotComputed:
        return "not computed"


def rounded(values: np.ndarray, digits: int | None) -> np.ndarray:
    return values if digits is None else values.round(digits)


def profile_units(
    seed: int = 0, n: int = 60, g: int = 30, knocked_out: bool = True, digits: int | None = None
) -> ProfileUnits:
    rng = np.random.default_rng(seed)
    present = rng.random((n, g)) > 0.3
    present[:, :2] = True
    genes = rng.integers(2, g, n)
    if knocked_out:
        present[np.arange(n), genes] = False
    values = (rounded(rng.gamma(2.0, 1.0, (n, g)), digits) + 0.5 for _ in range(3))
    true, predicted, null = (normalise_rows(present * table) for table in values)
    cells = np.repeat(np.arange((n + 1) // 2), 2)[:n] if knocked_out else np.arange(n)
    extra = {"genes": genes, "null": null} if knocked_out else {}
    return ProfileUnits(predicted, true, present, cells, **extra)


def impact_units(
    seed: int = 0, cells: int = 25, g: int = 20, digits: int | None = 2
) -> ImpactUnits:
    rng = np.random.default_rng(seed)
    of_cell, of_gene = np.nonzero(rng.random((cells, g)) > 0.2)
    order = rng.permutation(len(of_cell))
    true = np.where(rng.random(len(order)) < 0.3, 0.0, rounded(rng.random(len(order)), digits))
    return ImpactUnits(
        rounded(rng.random(len(order)), digits), true, of_cell[order] * 3, of_gene[order] * 5
    )


def ranking_units(seed: int = 0, g: int = 400, digits: int | None = 2) -> RankingUnits:
    rng = np.random.default_rng(seed)
    predicted, true, abundance = (rounded(rng.random(g), digits) for _ in range(3))
    return RankingUnits(predicted, true, rng.permutation(g) * 2, abundance)


def response_units(
    seed: int = 0, k: int = 9, g: int = 20, digits: int | None = None
) -> ResponseUnits:
    """Changes with a common part; one or two targets in each perturbation, some shared."""
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=g), rng.normal(size=(k, g))
    true, predicted = common + own, 0.5 * common + own + 3 * rng.normal(size=(k, g))
    halves = true + rng.normal(size=(3, 2, k, g))
    true, predicted, halves = (rounded(values, digits) for values in (true, predicted, halves))
    responds = np.abs(true) > 1.2
    for row in range(k):
        targets = rng.permutation(g if row else 4)[: rng.integers(1, 3)]
        true[row, targets] = predicted[row, targets] = np.nan
        halves[:, :, row, targets] = np.nan
    return ResponseUnits(predicted, true, rng.permutation(k) * 3, halves=halves, responds=responds)


def interaction_units(
    seed: int = 0, n: int = 300, sets: int = 25, digits: int | None = 2
) -> InteractionUnits:
    rng = np.random.default_rng(seed)
    true = np.where(rng.random(n) < 0.5, 0.0, rng.random(n).round(3) / 100)
    return InteractionUnits(
        rounded(50 * true + rng.random(n), digits),
        true,
        rng.integers(0, 20, n),
        rng.integers(0, sets, n) * 4,
    )


def units_of(spec: MetricSpec, seed: int = 0, digits: int | None = 2) -> Units:
    if spec.of == "profile":
        return profile_units(seed, knocked_out=spec.tasks != ("profile",), digits=digits)
    made = {
        "impact": impact_units,
        "ranking": ranking_units,
        "response": response_units,
        "interaction": interaction_units,
    }
    return made[spec.of](seed, digits=digits)


def columns(units: Units) -> dict[str, np.ndarray]:
    """The arrays of units."""
    fields = {field.name: getattr(units, field.name) for field in dataclasses.fields(units)}
    return {name: values for name, values in fields.items() if isinstance(values, np.ndarray)}


def take_rows(units: Units, rows: Any) -> Units:
    """The units at `rows`, in that order."""
    return dataclasses.replace(
        units,
        **{
            name: values[:, :, rows] if name == "halves" else values[rows]
            for name, values in columns(units).items()
        },
    )


def take_genes(units: Units, order: np.ndarray) -> Units:
    """Units over genes (profiles, changes) with their columns in another order, the removed gene's
    label along with its column.
    """
    wide = {
        name: values[..., order] for name, values in columns(units).items() if name not in LABELS
    }
    if isinstance(units, ProfileUnits) and units.genes is not None:
        wide["genes"] = np.argsort(order)[units.genes]
    return dataclasses.replace(units, **wide)
