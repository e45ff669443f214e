"""Datasets, their truth, and the units that metrics see. Only trusted code (datasets, tasks, metrics) imports this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Union

import numpy as np

from kobench.cells import BoolArray, Cells, FloatArray, IntArray, Knockouts

#: Impacts below the simulator's solver tolerance are 0, in truth and prediction alike, so that ties are ties.
TOLERANCE = 1e-6

#: A gene asked in fewer cells than this has no keystone score and no ranking of its cells.
MIN_CELLS = 10


class Counterfactual(Protocol):
    """Truth of a simulated dataset: the same cell, with the same weights, with and without genes.

    Truth is clean: it never sees dropout. Rows are expression (not profiles), float64.
    """

    def wild_type(self, cells: IntArray) -> FloatArray:
        """(n, G) clean expression of the dataset's cells `cells`."""

    def knockout(self, knockouts: Knockouts) -> FloatArray:
        """(n, G) clean expression after each event; a row of NaN where no steady state was reached.

        `knockouts.cells` are rows of the dataset's cells. Any order.
        """


@dataclass(frozen=True, eq=False)
class Dataset:
    """Wild-type cells in their working scale, plus at most one kind of truth.

    cells : the observed wild-type cells. scale : "log1p-cp10k", "log1p", "linear", ...
    kind : "simulated" (the independent unit is the network) or "real" (the independent unit is the cell).
    replicate : another draw of the same cells (same network, same assemblages, new noise), or None.
    notes : sentences shown beside every board of this dataset (choices the source does not state, caveats).
    perturbed : the perturbed cells of a population truth, with obs["perturbation"]; never shown to a predictor.
    facts : numbers and words for `kobench info` (zeros, cells left out and why, ...).
    """

    cells: Cells
    scale: str
    kind: Literal["simulated", "real"]
    truth: Counterfactual | None = None
    replicate: Callable[[], Dataset] | None = None
    notes: tuple[str, ...] = ()
    batch_key: str | None = None
    cell_type_key: str | None = None
    perturbed: Cells | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ProfileUnits:
    """Rows of predicted and true profiles.

    predicted, true : (n, G). present : (n, G) bool, the genes that are on in the asked assemblage (after the knockout).
    cells : (n,) cell of each row. genes : (n,) removed gene of each row, None where nothing was removed.
    null : (n, G) the true wild type without the removed gene, None where nothing was removed.
    """

    predicted: FloatArray
    true: FloatArray
    present: BoolArray
    cells: IntArray
    genes: IntArray | None = None
    null: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class ImpactUnits:
    """One predicted and one true impact for each event: all (n,); values under 1e-6 are 0 in both, so ties are ties."""

    predicted: FloatArray
    true: FloatArray
    cells: IntArray
    genes: IntArray


@dataclass(frozen=True, eq=False)
class RankingUnits:
    """One predicted and one true score for each asked gene: all (n,)."""

    predicted: FloatArray
    true: FloatArray
    genes: IntArray


Units = Union[ProfileUnits, ImpactUnits, RankingUnits]


class NotComputed(Exception):  # noqa: N818 - a finding, not a fault
    """Raised by a metric that these units do not allow, whatever the answer; its text is the reason, shown in the value's place.

    An answer that gives no value where another answer would (a constant where a ranking is needed) is NaN instead, shown as "none".
    """


@dataclass(frozen=True, eq=False)
class TaskUnits:
    """What a task hands to the metrics.

    variants : variant -> units, "" the primary one; a variant that was not answered is absent.
    asked, answered : how many units (cells, events, genes) were asked, and how many of them these answers cover; the coverage is
    their ratio. left_out : reason -> how many units were dropped for everybody, from the truth alone.
    """

    variants: Mapping[str, Units]
    asked: int
    answered: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Parts:
    """A metric that is a ratio of sums over blocks: value = sum(sums) / sum(weights).

    over : which block the entries stand for, "cell" or "gene". ids : (b,) the block of each entry.
    sums, weights : (b,). A mean over blocks has weights of 1. With it a bootstrap needs no second look at the units.
    """

    over: Literal["cell", "gene"]
    ids: IntArray
    sums: FloatArray
    weights: FloatArray

    @property
    def value(self) -> float:
        """The metric's value; NaN where no block counts."""
        total = float(np.sum(self.weights))
        return float(np.sum(self.sums)) / total if total != 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Singles:
    """The single-knockout question of one dataset and split, with its truth.

    cells : the m asked cells as observed. events : (n,) knockouts, `events.cells` are rows of `cells`.
    sample : (s,) rows of `events` whose full profiles are compared (all of them below a size limit).
    wild_type : (m, G) true clean profiles. raw, propagated : (n,) true impacts, under 1e-6 set to 0.
    knockout, null : (s, G) true profiles of the sampled events after the knockout, and with nothing responding.
    unsolved : how many events were left out for everybody because the truth has no steady state.
    """

    cells: Cells
    events: Knockouts
    sample: IntArray
    wild_type: FloatArray
    raw: FloatArray
    propagated: FloatArray
    knockout: FloatArray
    null: FloatArray
    unsolved: int = 0

    def gene_means(self, values: FloatArray) -> FloatArray:
        """(G,) mean over each gene's events, hence over the asked cells that express it, of one value an event (n,); 0 without events."""
        genes = self.events.genes[:, 0]
        total = np.bincount(genes, weights=values, minlength=self.cells.n_vars)
        means: FloatArray = total / np.maximum(np.bincount(genes, minlength=self.cells.n_vars), 1)
        return means


@dataclass(frozen=True, eq=False)
class Profiles:
    """The profile question of one dataset and split: held-out wild-type cells, asked by assemblage alone.

    assemblages : (n, G) bool. true : (n, G) profiles. rows : (n,) rows of the dataset's cells.
    """

    assemblages: BoolArray
    true: FloatArray
    rows: IntArray


@dataclass(frozen=True, eq=False)
class Answers:
    """What a predictor answered, reduced; None where it was not asked or cannot answer.

    profile : (n, G) for `Profiles`. For `Singles`: wild_type (m, G), raw and propagated (n,), rows (s, G) of the sampled
    events, gene_scores (G,) NaN for genes not asked. supported : (G,) bool, which genes it can remove.
    Entries of events whose gene is not supported are NaN. To score a floor on just the units that a predictor answered, replace
    the floor's `supported` by the predictor's: tasks read `supported` and nothing else to leave units out.
    """

    profile: FloatArray | None = None
    wild_type: FloatArray | None = None
    raw: FloatArray | None = None
    propagated: FloatArray | None = None
    rows: FloatArray | None = None
    gene_scores: FloatArray | None = None
    supported: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class TaskView:
    """What a task turns into units: the question with its truth, and one set of answers."""

    question: Profiles | Singles
    answers: Answers
