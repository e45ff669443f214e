"""Datasets, their truth, and the units that metrics see.

Only trusted code (datasets, tasks, metrics) imports this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, Cells, FloatArray, IntArray, Knockouts


@dataclass(frozen=True, eq=False)
class Singles:
    """The single-knockout question of one dataset and split, with its truth.

    cells : the m asked cells as observed. events : (n,) knockouts, `events.cells` are rows of
    `cells`. sample : (s,) rows of `events` whose full profiles are compared (all of them below a
    size limit). wild_type : (m, G) true clean profiles. raw, propagated : (n,) true impacts, under
    1e-6 set to 0. knockout, null : (s, G) true profiles of the sampled events after the knockout,
    and with nothing responding. unsolved : how many events were left out for everybody because the
    truth has no steady state. available : how many events there are where only a random sample of
    them is asked, None where all are.
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
    available: int | None = None

    def gene_means(self, values: FloatArray) -> FloatArray:
        """(G,) mean over each gene's events, hence over the asked cells that express it, of one
        value an event (n,); 0 without events.
        """
        genes = self.events.genes[:, 0]
        total = np.bincount(genes, weights=values, minlength=self.cells.n_vars)
        means: FloatArray = total / np.maximum(np.bincount(genes, minlength=self.cells.n_vars), 1)
        return means


@dataclass(frozen=True, eq=False)
class Profiles:
    """The profile question of one dataset and split: held-out wild-type cells, asked by assemblage
    alone.

    assemblages : (n, G) bool. true : (n, G) profiles. rows : (n,) rows of the dataset's cells.
    """

    assemblages: BoolArray
    true: FloatArray
    rows: IntArray


@dataclass(frozen=True, eq=False)
class Responses:
    """The population question of one dataset and split: how the mean of each gene changes in each
    of k perturbations, with its truth.

    cells : the m asked wild-type cells as observed. names : (k) labels, "A" or "A+B". targets : (k)
    columns of the removed genes. events : one batch of knockouts an order, `cells` are rows of
    `cells`; every event belongs to one of R answer rows: rows has the row of each event, batch by
    batch. An answer row is a perturbation in a batch of cells: row_perturbation (R,), and
    row_weight (R,) its share in the perturbation's mean; the shares of a perturbation sum to 1.
    change : (k, G) true mean change of profiles, NaN at the own targets, which are taken out before
    rows are renormalised. size : (k,) how strong each perturbation is. abundance : (k,) mean share
    of the target (of several: their sum) over the asked cells. halves : (s, 2, k, G) or None,
    responds : (k, G) or None, as in `ResponseUnits`. detectable : (k,) bool, always True without
    noise. size_p : (k,) p value of the size, or None. expected : (k, G) the change without noise,
    where the dataset knows it. perturbed : (k,) number of perturbed cells (of events, where the
    truth is counterfactual). confounded : see `Dataset`. left_out : reason -> count.
    """

    cells: Cells
    names: tuple[str, ...]
    targets: tuple[tuple[int, ...], ...]
    events: tuple[Knockouts, ...]
    rows: tuple[IntArray, ...]
    row_perturbation: IntArray
    row_weight: FloatArray
    change: FloatArray
    size: FloatArray
    abundance: FloatArray
    detectable: BoolArray
    perturbed: IntArray
    halves: FloatArray | None = None
    responds: BoolArray | None = None
    size_p: FloatArray | None = None
    expected: FloatArray | None = None
    confounded: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def noisy(self) -> bool:
        """Whether the truth was measured in other cells; a counterfactual truth has no noise."""
        return self.halves is not None

    def of_perturbations(self, values: FloatArray) -> FloatArray:
        """(k, ...) means over the answer rows (R, ...) of each perturbation, by their weights."""
        means = np.zeros((len(self.names), *values.shape[1:]))
        weights = self.row_weight.reshape(-1, *[1] * (values.ndim - 1))
        np.add.at(means, self.row_perturbation, weights * values)
        return means


@dataclass(frozen=True, eq=False)
class Multiples:
    """The question of several knockouts at once, with its truth: which events differ from the sum
    of their single knockouts.

    cells : the m asked cells as observed. events : (n,) knockouts of order 2 or more. pairs : (n,)
    which set of genes each event removes. linked : (n,) bool, whether the set was drawn among genes
    with a direct edge or a shared target; else evenly among all sets. interaction : (n,) true
    interactions, under 1e-6 set to 0. unsolved : how many events were left out for everybody
    because the truth has no steady state.

    The interaction of an event is BC(p, e): p the profile after it, e the expectation without
    interaction, the wild-type profile plus the changes of its single knockouts in the same cell,
    removed genes at 0, clipped at 0, renormalised.
    """

    cells: Cells
    events: Knockouts
    pairs: IntArray
    linked: BoolArray
    interaction: FloatArray
    unsolved: int = 0


@dataclass(frozen=True, eq=False)
class Transfers:
    """Held-out wild-type profiles of every group of cells (cell type, dataset), asked of a model
    trained on one of them.

    assemblages : (n, G) bool. true : (n, G) profiles. rows : (n,) rows of the dataset's cells.
    groups : (n,) group of each row. trained : the group that the model was trained on.
    training_cells : how many of its cells, the same number for every group. left_out : group -> its
    number of cells, those with too few of them to be trained on and asked.
    """

    assemblages: BoolArray
    true: FloatArray
    rows: IntArray
    groups: npt.NDArray[np.str_]
    trained: str
    training_cells: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


Question = Union[Profiles, Singles, Responses, Multiples, Transfers]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a predictor answered, reduced; None where it was not asked or cannot answer.

    profile : (n, G) for `Profiles` and `Transfers`. For `Singles`: wild_type (m, G), raw and
    propagated (n,), rows (s, G) of the sampled events, gene_scores (G,) NaN for genes not asked.
    For `Responses`: response (R, G), the mean over an answer row's events of knockout minus own
    wild type, the targets taken out of both and rows renormalised first; raw and propagated (R,),
    mean impacts; gene_scores (G,). For `Multiples`: interaction (n,). supported : (G,) bool, which
    genes it can remove; max_order : how many at once, None for any number. response_kind : what
    `response` means, see `PredictorSpec.response`. Entries of events whose gene is not supported
    are NaN. To score a floor on just the units that a predictor answered, replace the floor's
    `supported` and `max_order` by the predictor's: tasks read these and nothing else to leave units
    out.
    """

    profile: FloatArray | None = None
    wild_type: FloatArray | None = None
    raw: FloatArray | None = None
    propagated: FloatArray | None = None
    rows: FloatArray | None = None
    gene_scores: FloatArray | None = None
    response: FloatArray | None = None
    interaction: FloatArray | None = None
    supported: BoolArray | None = None
    max_order: int | None = None
    response_kind: str = "profile-change"


@dataclass(frozen=True, eq=False)
class TaskView:
    """What a task turns into units: the question with its truth, and one set of answers."""

    question: Question
    answers: Answers
