"""Leakage: what gives an answer away, or makes a cell count twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.audit.material import Material
from kobench.audit.report import Part, Table, Verdict, counted, listed
from kobench.audit.shared import ONCE
from kobench.audit.statistics import cramers_v, crossed
from kobench.cells import IntArray
from kobench.dataset import Dataset
from kobench.datasets.parts import detected
from kobench.truth.population import NOT_MEASURED

KEY, TITLE = "leakage", "Leakage: does anything give an answer away?"

#: A gene marks a perturbation that is on in this share of its cells, and there in this share of all
#: cells in which it is on.
OFTEN, MOSTLY = 0.2, 0.9

#: ... and whose share elsewhere is at most this.
ELSEWHERE = 0.02

#: A column of obs that goes with the perturbation as far as this gives it away.
GIVES_AWAY = 0.9


@dataclass(frozen=True)
class Marker:
    """A gene that is on in the cells of one perturbation and nearly nowhere else.

    gene, perturbation : their names. inside, outside : shares of cells in which it is on. target :
    whether it is the perturbed gene itself.
    """

    gene: str
    perturbation: str
    inside: float
    outside: float
    target: bool


def markers(dataset: Dataset) -> list[Marker]:
    """Genes that tell the perturbation, as guide barcodes and vector genes among the genes do."""
    perturbed = dataset.perturbed
    if perturbed is None:
        return []
    names, of_cell = np.unique(
        np.asarray(perturbed.obs["perturbation"], dtype=np.str_), return_inverse=True
    )
    of_cell = of_cell.ravel()
    order = np.argsort(of_cell, kind="stable")
    ends = np.searchsorted(of_cell[order], np.arange(len(names) + 1))
    wild = detected(dataset.cells.X)
    total, best = wild.copy(), np.zeros(len(wild), np.int64)
    whose = np.full(len(wild), -1, np.int64)
    for place in range(len(names)):
        here = detected(perturbed.X[order[ends[place] : ends[place + 1]]])
        total += here
        more = here > best
        best[more], whose[more] = here[more], place
    sizes = np.diff(ends)
    everyone = dataset.cells.n_obs + perturbed.n_obs
    inside = np.divide(best, sizes[whose], out=np.zeros(len(best)), where=whose >= 0)
    rest = np.maximum(everyone - np.where(whose >= 0, sizes[whose], 0), 1)
    outside = (total - best) / rest
    found = np.flatnonzero(
        (inside >= OFTEN) & (best >= MOSTLY * total) & (outside <= ELSEWHERE) & (whose >= 0)
    )
    genes = dataset.cells.var_names
    return [
        Marker(
            str(genes[gene]),
            str(names[whose[gene]]),
            float(inside[gene]),
            float(outside[gene]),
            str(genes[gene]) in str(names[whose[gene]]).split("+"),
        )
        for gene in found[np.argsort(-inside[found], kind="stable")]
    ]


def telling_columns(dataset: Dataset) -> dict[str, float]:
    """Columns of obs, but for the batch, that go with the perturbation -> Cramer's V."""
    perturbed = dataset.perturbed
    if perturbed is None:
        return {}
    labels = np.concatenate(
        [np.full(dataset.cells.n_obs, 0), _numbered(perturbed.obs["perturbation"]) + 1]
    )
    found = {}
    for name in perturbed.obs:
        if name in ("perturbation", dataset.batch_key) or name not in dataset.cells.obs:
            continue
        values = _numbered(
            np.concatenate([dataset.cells.obs[name], perturbed.obs[name]]).astype(str)
        )
        if 1 < values.max() + 1 <= len(values) / 2:
            found[name] = cramers_v(crossed(labels, values))
    return {name: v for name, v in found.items() if v >= GIVES_AWAY}


def leakage(material: Material) -> Part:
    """Look for copies, targets that are in labels alone, and marks of perturbations."""
    dataset, seen = material.dataset, material.overview
    copies = seen.doubled
    unmeasured = sorted(name for name, why in seen.unasked.items() if why == NOT_MEASURED)
    marks, columns = markers(dataset), telling_columns(dataset)
    rows = []
    for count, what, advice in (
        (copies.across, "perturbed cells equal one of another label", "one of the labels is wrong"),
        (copies.wild_type, "wild-type cells equal another", "splits keep them on one side"),
        (copies.same, "perturbed cells equal another of their label", f"take them out: {ONCE}"),
        (seen.barcodes or 0, "barcodes stand there more than once", "look for merged libraries"),
    ):
        if count:
            rows.append((what, f"{count:,}", advice))
    if unmeasured:
        rows.append(("targets in labels alone", f"{len(unmeasured):,}", listed(unmeasured)))
    rows += [
        (
            f"gene {mark.gene}",
            f"{mark.inside:.0%} of {mark.perturbation}, {mark.outside:.1%} elsewhere",
            "the target itself rises" if mark.target else "leave it out of the genes",
        )
        for mark in marks
    ]
    rows += [
        (f"column {name}", f"V = {v:.2f}", "goes with the perturbation")
        for name, v in columns.items()
    ]
    verdict: Verdict = "fine"
    if copies.across or copies.same or any(not mark.target for mark in marks):
        verdict = "bad"
    elif rows:
        verdict = "look"
    facts: dict[str, Any] = {
        "copies": copies.to_json(),
        "barcodes": seen.barcodes,
        "targets_not_measured": unmeasured,
        "marking_genes": [vars(mark) for mark in marks],
        "telling_columns": {name: round(v, 4) for name, v in columns.items()},
    }
    table = Table(("what", "how much", "what to do"), rows) if rows else None
    return Part(
        KEY, TITLE, verdict, _sentence(seen.kind, bool(seen.perturbed), facts, marks), facts, table
    )


def _sentence(kind: str, perturbed: bool, facts: Mapping[str, Any], marks: list[Marker]) -> str:
    copies, unmeasured = facts["copies"], facts["targets_not_measured"]
    told = []
    if copies["across"]:
        told.append(
            f"{counted(copies['across'], 'perturbed cell')} equal a cell of another label, so"
            " labels"
            " are wrong or cells were pasted: mend the file first"
        )
    if foreign := [mark.gene for mark in marks if not mark.target]:
        told.append(
            f"{listed(foreign)} {'is' if len(foreign) == 1 else 'are'} on in one perturbation"
            " alone,"
            " as a guide's barcode is: leave such genes out, since their change is bookkeeping, not"
            " biology"
        )
    if own := [mark.gene for mark in marks if mark.target]:
        told.append(
            f"{listed(own)} {'is' if len(own) == 1 else 'are'} on in the cells that lost it"
            " alone, so look whether it was a knockout"
        )
    if copies["same"]:
        told.append(
            f"{counted(copies['same'], 'perturbed cell')} equal another of their label, so they"
            f" count twice and make halves agree: take them out first ({ONCE})"
        )
    if copies["wild_type"]:
        told.append(f"{counted(copies['wild_type'], 'wild-type cell')} equal another")
    if unmeasured:
        told.append(
            f"{counted(len(unmeasured), 'target')} ({listed(unmeasured)})"
            f" {'stands' if len(unmeasured) == 1 else 'stand'} in labels alone, so"
            f" {'it' if len(unmeasured) == 1 else 'they'} can't be asked"
        )
    if facts["telling_columns"]:
        told.append("a column of obs goes with the perturbation")
    if told:
        return f"Found: {'; '.join(told)}."
    looked = ["no two cells are equal"] if kind == "real" else []
    if perturbed:
        looked += [
            "no gene is on in one perturbation alone",
            "no target stands in labels alone",
        ]
    return f"Nothing found: {', '.join(looked) or 'simulated cells are not searched for copies'}."


def _numbered(values: object) -> IntArray:
    numbers: IntArray = np.unique(np.asarray(values).astype(str), return_inverse=True)[1].ravel()
    return numbers
