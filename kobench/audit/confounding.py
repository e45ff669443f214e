"""Confounding: whether the batch of a cell tells its perturbation."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from kobench.audit.material import Material
from kobench.audit.pictures import stacked_shares
from kobench.audit.report import Part, Picture, Table, Verdict, counted, listed
from kobench.audit.statistics import cramers_v, crossed, independence_p
from kobench.cells import IntArray
from kobench.dataset import Dataset
from kobench.units import MIN_CELLS

KEY, TITLE = "confounding", "Confounding: does the batch tell the perturbation?"

#: What the wild type is called among the perturbations.
WILD_TYPE = "wild type"

#: Why a perturbation is not judged.
FEW, OTHERWISE = "too few cells to be asked", "no measured target, or few cells beside controls"

#: From this share of its cells in one batch on, a perturbation counts as lying in one.
IN_ONE = 0.95

#: Cramer's V from which the association is a strong one (Cohen 1988: 0.5 is large).
STRONG = 0.5


def confounding(material: Material) -> Part:
    """Count cells by perturbation and batch, and say what follows for comparisons."""
    dataset = material.dataset
    assert dataset.perturbed is not None
    if dataset.confounded:
        return Part(
            KEY,
            TITLE,
            "bad",
            f"The card says: {dataset.confounded}. So changes are shown, and nobody is ranked by"
            " them.",
            {"declared": True, "batch_key": dataset.batch_key},
        )
    if dataset.batch_key is None or dataset.batch_key not in dataset.perturbed.obs:
        return Part(
            KEY,
            TITLE,
            "unknown" if dataset.kind == "real" else "fine",
            "No batch column is given, so nobody can say whether perturbed and wild-type cells come"
            " from the same libraries; name it with --batch-key, and where each genotype is a"
            " library"
            " of its own, write confounded = true on the card."
            if dataset.kind == "real"
            else "The simulated cells come from one batch, so nothing can be confounded.",
            {"declared": False, "batch_key": None},
        )
    names, batches, table = contingency(dataset)
    kept, others = judged(names, table, material.overview.askable)
    return _counted([names[row] for row in kept], batches, table[kept], others, material.seed)


def judged(
    names: list[str], table: IntArray, askable: Collection[str]
) -> tuple[list[int], dict[str, int]]:
    """Rows of the perturbations that are judged, and how many others are not, by the reason.

    The wild type is the first row and comes first; of the others those with the most cells. Beside
    what can be asked those are judged that have cells enough, and none of them beside controls.
    """
    cells, covered = table.sum(axis=1), table[0] >= MIN_CELLS
    asked = set(askable)
    kept, others = [], {FEW: 0, OTHERWISE: 0}
    for row in range(1, len(names)):
        apart = cells[row] >= MIN_CELLS and not table[row, covered].sum()
        if names[row] in asked or apart:
            kept.append(row)
        else:
            others[FEW if cells[row] < MIN_CELLS else OTHERWISE] += 1
    kept.sort(key=lambda row: (-int(cells[row]), names[row]))
    return [0, *kept], {reason: count for reason, count in others.items() if count}


def contingency(dataset: Dataset) -> tuple[list[str], list[str], IntArray]:
    """Perturbations, the wild type first, batches, and how many cells of each lie in each."""
    key, perturbed = dataset.batch_key, dataset.perturbed
    assert key is not None
    assert perturbed is not None
    names, of_cell = np.unique(
        np.asarray(perturbed.obs["perturbation"], dtype=np.str_), return_inverse=True
    )
    both = np.concatenate(
        [np.asarray(cells.obs[key], np.str_) for cells in (dataset.cells, perturbed)]
    )
    batches, of_batch = np.unique(both, return_inverse=True)
    row = np.concatenate([np.zeros(dataset.cells.n_obs, np.int64), of_cell.ravel() + 1])
    table = crossed(row, of_batch.ravel())
    return [WILD_TYPE, *names.tolist()], batches.tolist(), table


def distances_of_mixes(table: IntArray) -> list[float]:
    """How far each row's mix of batches lies from the first row's, by total variation."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    found: list[float] = (np.abs(shares - shares[0]).sum(axis=1) / 2).tolist()
    return found


def _counted(
    names: list[str], batches: list[str], table: IntArray, others: dict[str, int], seed: int
) -> Part:
    v, p = cramers_v(table), independence_p(table, seed)
    biggest = table.max(axis=1) / np.maximum(table.sum(axis=1), 1)
    alone = [
        name
        for place, name in enumerate(names)
        if place and len(batches) > 1 and biggest[place] >= IN_ONE
    ]
    covered = table[0] >= MIN_CELLS
    outside = table[:, ~covered].sum(axis=1)
    lost = [name for place, name in enumerate(names) if place and not table[place, covered].sum()]
    distance = distances_of_mixes(table)
    verdict: Verdict = "fine"
    if lost or v >= STRONG:
        verdict = "bad"
    elif len(batches) == 1 or alone or outside[1:].sum() or (p <= 0.05 and v >= 0.1):
        verdict = "look"
    facts = {
        "cramers_v": round(v, 4),
        "p": round(p, 4),
        "batches": len(batches),
        "in_one_batch": alone,
        "without_controls": lost,
        "cells_in_batches_without_controls": int(outside[1:].sum()),
        "not_judged": others,
        "cells": {
            name: dict(zip(batches, row, strict=True))
            for name, row in zip(names, table.tolist(), strict=True)
        },
    }
    shown = range(len(batches)) if len(batches) <= 6 else range(0)
    rows = [
        (
            name,
            f"{int(table[place].sum()):,}",
            f"{biggest[place]:.0%}",
            f"{distance[place]:.2f}",
            f"{int(outside[place]):,}",
            *(f"{int(table[place, column]):,}" for column in shown),
        )
        for place, name in enumerate(names)
    ]
    heads = (
        "perturbation",
        "cells",
        "in its largest batch",
        "distance from the wild type's mix",
        "in batches without controls",
        *(batches[column] for column in shown),
    )
    return Part(
        KEY,
        TITLE,
        verdict,
        _sentence(v, p, len(batches), alone, lost, int(outside[1:].sum())) + _unjudged(others),
        facts,
        Table(heads, rows),
        Picture(
            "Share of the cells of each perturbation that lie in each batch; the wild type is"
            " on the"
            " left",
            lambda: stacked_shares(names, batches, table),
        )
        if len(batches) > 1
        else None,
    )


def _unjudged(others: dict[str, int]) -> str:
    """A sentence on the perturbations that are not judged, "" where all are."""
    said = [
        f"{counted(count, 'other')} {'has' if count == 1 else 'have'} {reason}"
        for reason, count in others.items()
    ]
    return f" Not judged: {'; '.join(said)}." if said else ""


def _sentence(v: float, p: float, batches: int, alone: list[str], lost: list[str], cut: int) -> str:
    if batches == 1:
        return (
            "By the column that is given all cells lie in one batch, so nothing is confounded with"
            " it; make sure that it names the library, and not the study."
        )
    how = f"Cramer's V of perturbation and batch is {v:.2f} (p = {p:.3f} by permutation)"
    if lost:
        return (
            f"{how}: {listed(lost)} {'lies' if len(lost) == 1 else 'lie'} only in batches without"
            f" {MIN_CELLS} wild-type cells and can't be asked; nothing but controls of the same"
            " batches mends that."
        )
    if v >= STRONG:
        return (
            f"{how}: the batch all but tells the perturbation. Changes are measured within batches,"
            " but what else differs between them stands against few wild-type cells; do not rank by"
            " these data before somebody has said why they were made so."
        )
    if alone:
        return (
            f"{how}, and {listed(alone)} {'lies' if len(alone) == 1 else 'lie'} in one batch alone:"
            " changes are measured against wild-type cells of the same batch, but a batch effect on"
            " these can't be told from the gene."
        )
    if cut:
        return (
            f"{how}; {counted(cut, 'perturbed cell')} in batches without {MIN_CELLS} wild-type"
            " cells"
            " do not count."
        )
    if p <= 0.05 and v >= 0.1:
        return (
            f"{how}: perturbations are spread unevenly over batches. kobench compares within"
            " batches,"
            " so this costs cells, not truth; a method that pools batches may see it."
        )
    if p <= 0.05:
        return (
            f"{how}: perturbations are spread over batches nearly as the wild type is; p is small"
            " because there are many cells."
        )
    return f"{how}: perturbations are spread over batches as the wild type is."
