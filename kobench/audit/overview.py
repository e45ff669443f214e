"""What a dataset can be asked: what a stranger needs to know to decide whether to use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kobench.audit.doubled import Doubled, doubled
from kobench.audit.drawn import SEED, draw
from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.differences import doubted_kind
from kobench.datasets.normalise import zeros
from kobench.datasets.notes import FEW_ZEROS
from kobench.datasets.split import rows_of
from kobench.errors import UserError
from kobench.truth.population import DETECTABLE, Screened
from kobench.units import MIN_CELLS

#: With fewer detectable perturbations the task `response` gives no score over them: their mean,
#: which it takes out, says too little.
ENOUGH_DETECTABLE = 5


@dataclass(frozen=True)
class Overview:
    """What a dataset can be asked.

    Attributes
    ----------
    wild_type, perturbed, genes : int
        Numbers of cells and genes.
    kind : str
        "real" or "simulated".
    counterfactual : bool
        Whether the truth of single cells is known.
    batch_key : str, or None
        Column of the batch.
    controls : mapping of str to int
        Batch -> wild-type cells; of one batch "" where there is no column.
    uncovered : mapping of str to int
        Batch with perturbed cells and under `MIN_CELLS` wild-type cells -> its perturbed cells.
    perturbation : str
        What was done to the perturbed cells; several kinds with their numbers of perturbations.
    askable : tuple of str
        Perturbations that can be asked.
    unasked : mapping of str to str
        Perturbation, or label, that can't be -> why.
    agreement : mapping of str to float
        Perturbation that was measured -> how well halves of its cells agree.
    drawn : tuple of str
        What was drawn of a large dataset to measure that.
    zeros : float
        Share of zeros in the wild-type cells.
    doubled : Doubled
        Copies among the cells.
    barcodes : int, or None
        Barcodes that stand in the file more than once; None where nobody looked.
    confounded, declared_null : str
        What the card says of it, "" where it does not.
    doubted_kind : str
        Why the perturbed cells may be of another kind, by what their targets do; "" where not.
    """

    wild_type: int
    perturbed: int
    genes: int
    kind: str
    counterfactual: bool
    batch_key: str | None
    controls: Mapping[str, int]
    uncovered: Mapping[str, int]
    perturbation: str
    zeros: float
    doubled: Doubled
    askable: tuple[str, ...] = ()
    unasked: Mapping[str, str] = field(default_factory=dict)
    agreement: Mapping[str, float] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()
    barcodes: int | None = None
    confounded: str = ""
    declared_null: str = ""
    doubted_kind: str = ""

    @property
    def detectable(self) -> tuple[str, ...]:
        """The measured perturbations whose halves agree."""
        return tuple(name for name, value in self.agreement.items() if value >= DETECTABLE)

    @property
    def presence_varies(self) -> bool:
        """Whether genes are off often enough for presence to tell anything."""
        return self.zeros >= FEW_ZEROS

    @property
    def near_null(self) -> str:
        """ "yes", "no" or, where nothing was measured, "unknown"."""
        if not self.agreement:
            return "unknown"
        found = len(self.detectable)
        whole = found * len(self.askable) / len(self.agreement)
        few = whole < ENOUGH_DETECTABLE if len(self.askable) >= ENOUGH_DETECTABLE else not found
        return "yes" if few else "no"

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "cells": {"wild_type": self.wild_type, "perturbed": self.perturbed},
            "genes": self.genes,
            "kind": self.kind,
            "counterfactual_truth": self.counterfactual,
            "batch_key": self.batch_key,
            "controls_by_batch": dict(self.controls),
            "batches_without_enough_controls": dict(self.uncovered),
            "perturbation": self.perturbation if self.perturbed else None,
            "askable": list(self.askable),
            "not_askable": dict(self.unasked),
            "detectable": list(self.detectable),
            "agreement_of_halves": {name: round(v, 4) for name, v in self.agreement.items()},
            "drawn_to_measure": {"what": list(self.drawn), "seed": SEED} if self.drawn else None,
            "presence": {"varies": self.presence_varies, "zeros": round(self.zeros, 6)},
            "duplicates": {**self.doubled.to_json(), "barcodes": self.barcodes},
            "near_null": {"measured": self.near_null, "declared": bool(self.declared_null)},
            "confounded": self.confounded,
            "doubted_kind": self.doubted_kind,
        }


def overview(dataset: Dataset) -> Overview:
    """Look at a validated dataset; what is measured is measured by the truth."""
    controls, uncovered = _by_batch(dataset)
    found: dict[str, Any] = {}
    if dataset.perturbed is not None:
        found = _asked(dataset, dataset.perturbed)
    barcodes = dataset.facts.get(BARCODES)
    return Overview(
        wild_type=dataset.cells.n_obs,
        perturbed=0 if dataset.perturbed is None else dataset.perturbed.n_obs,
        genes=dataset.cells.n_vars,
        kind=dataset.kind,
        counterfactual=dataset.truth is not None,
        batch_key=dataset.batch_key,
        controls=controls,
        uncovered=uncovered,
        perturbation=_kinds(dataset),
        zeros=zeros(dataset.cells.X),
        doubled=doubled(dataset) if dataset.kind == "real" else Doubled(),
        barcodes=barcodes if isinstance(barcodes, int) else None,
        confounded=dataset.confounded,
        declared_null=dataset.near_null,
        doubted_kind=doubted_kind(dataset) if dataset.kind == "real" else "",
        **found,
    )


def _asked(dataset: Dataset, perturbed: Cells) -> dict[str, Any]:
    """The fields of `Overview` on perturbations."""
    try:
        rows = rows_of(dataset, "halves", 0)
    except UserError as error:  # the card can be written, and other tasks be asked
        names = np.unique(np.asarray(perturbed.obs["perturbation"], dtype=np.str_))
        return {"unasked": dict.fromkeys(names.tolist(), str(error))}
    screened = Screened.of(dataset, perturbed, *rows)
    drawn = draw(screened)
    return {
        "askable": screened.names,
        "unasked": screened.unasked,
        "agreement": {name: drawn.agreement(name) for name in drawn.rows},
        "drawn": drawn.said,
    }


#: What a loader calls the number of barcodes that its file has more than once.
BARCODES = "doubled barcodes"


def _kinds(dataset: Dataset) -> str:
    """What was done to the perturbed cells, in words."""
    if dataset.perturbed is None or not dataset.kinds:
        return dataset.perturbation
    names = np.unique(np.asarray(dataset.perturbed.obs["perturbation"], dtype=np.str_)).tolist()
    count = Counter(dataset.kinds.get(name, dataset.perturbation) for name in names)
    return ", ".join(f"{number:,} {kind}" for kind, number in count.most_common())


def _by_batch(dataset: Dataset) -> tuple[dict[str, int], dict[str, int]]:
    """Wild-type cells of each batch, and the perturbed cells of those that have too few."""
    key, perturbed = dataset.batch_key, dataset.perturbed
    if key is None:
        return {"": dataset.cells.n_obs}, {}
    labels, counts = np.unique(dataset.cells.obs[key].astype(str), return_counts=True)
    controls = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    if perturbed is None or key not in perturbed.obs:
        return controls, {}
    labels, counts = np.unique(np.asarray(perturbed.obs[key]).astype(str), return_counts=True)
    theirs = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    return controls, {
        name: count for name, count in theirs.items() if controls.get(name, 0) < MIN_CELLS
    }
