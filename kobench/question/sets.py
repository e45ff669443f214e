"""The question sets: one record each, and one row each in the table `SETS`.

A question set is a kind of question with its truth. To add one: its record and its row here; a
module in `kobench/truth/` that builds it (named in the row); a function in
`kobench/worker/answers.py` that answers it; and a task that asks it. Nothing else in kobench names
a question set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, Cells, FloatArray, IntArray, Knockouts
from kobench.question.answers import Answers
from kobench.question.base import Payload, Question, Shape, answerable_events, removed_genes
from kobench.question.counted import CountedCells


@dataclass(frozen=True, eq=False)
class ByAssemblage(Question):
    """Cells asked by their assemblages alone.

    Attributes
    ----------
    assemblages : (n, G) bool
        Which genes are on in each asked cell.
    true : (n, G) float
        Their true profiles.
    rows : (n,) int
        Rows of the dataset's cells.
    """

    assemblages: BoolArray
    true: FloatArray
    rows: IntArray

    def payload(self) -> Payload:
        return Payload({"assemblages": self.assemblages})

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        n, n_genes = self.assemblages.shape
        return {"profile": Shape(np.zeros(n, dtype=bool), n_genes, profile=True)}


@dataclass(frozen=True, eq=False)
class Profiles(ByAssemblage):
    """Held-out wild-type cells of the dataset that the model was trained on."""

    called: ClassVar[str] = "the profile question"


@dataclass(frozen=True, eq=False)
class Transfers(ByAssemblage):
    """Held-out wild-type cells of every group, asked of a model that was trained on one group.

    A group is a cell type or a dataset.

    Attributes
    ----------
    groups : (n,) str
        The group of each asked cell.
    trained : str
        The group that the model was trained on.
    training_cells : int
        How many of its cells; the same number for every group.
    left_out : mapping of str to int
        Groups with too few cells to be trained on and asked, and their number of cells.
    """

    called: ClassVar[str] = "the transfer question"

    groups: npt.NDArray[np.str_]
    trained: str
    training_cells: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Singles(Question):
    """Single knockouts in the asked cells, with the truth of the same cell.

    Attributes
    ----------
    cells : Cells
        The m asked cells as observed.
    events : Knockouts
        n knockouts of order 1; `events.cells` are rows of `cells`.
    sample : (s,) int
        Rows of `events` whose full profiles are compared; all of them below a size limit.
    wild_type : (m, G) float
        True clean profiles.
    raw, propagated : (n,) float
        True impacts; below 1e-6 they are 0.
    knockout, null : (s, G) float
        True profiles of the sampled events after the knockout, and where nothing responds.
    unsolved : int
        How many events were left out for everybody because the truth has no steady state.
    available : int or None
        How many events there are, where only a random sample of them is asked.
    """

    called: ClassVar[str] = "the single-knockout question"

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

    def payload(self) -> Payload:
        arrays = {"genes": self.events.genes, "cells": cells_of(self.events), "sample": self.sample}
        return Payload(arrays, self.cells)

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        n_cells, n_genes = self.cells.shape
        unasked = ~answerable_events(self.events, supported, None)
        removed = self.events.genes[self.sample]
        scored = removed_genes([self.events], supported, n_genes)
        return {
            "wild_type": Shape(np.zeros(n_cells, dtype=bool), n_genes, profile=True),
            "rows": Shape(unasked[self.sample], n_genes, profile=True, removed=removed),
            "raw": Shape(unasked),
            "propagated": Shape(unasked),
            "gene_scores": Shape(~scored, signed=True),
        }

    def gene_means(self, values: FloatArray) -> FloatArray:
        """The mean over each gene's events, hence over the asked cells that express it.

        Parameters
        ----------
        values : (n,) float
            One value for each event.

        Returns
        -------
        (G,) float
            0 for a gene without events.
        """
        genes = self.events.genes[:, 0]
        total = np.bincount(genes, weights=values, minlength=self.cells.n_vars)
        means: FloatArray = total / np.maximum(np.bincount(genes, minlength=self.cells.n_vars), 1)
        return means

    def block_names(self, block: str) -> npt.NDArray[np.str_] | None:
        return self.cells.var_names if block == "gene" else None

    def excluded(self) -> Mapping[str, int]:
        return {"no steady state in the truth": self.unsolved} if self.unsolved else {}

    @property
    def rows_compared(self) -> int | None:
        return len(self.sample) if len(self.sample) < len(self.events) else None

    @property
    def drawn_events(self) -> tuple[int, int] | None:
        return (len(self.events), self.available) if self.available else None

    def asked_share(self, of: str) -> float:
        """Those drawn of all events; for units "profile" those whose full rows are compared."""
        seen = len(self.sample) if of == "profile" else len(self.events)
        return seen / max(1, self.available or len(self.events))

    @property
    def n_events(self) -> int:
        return len(self.events)

    def take(self, answers: Answers, rows: IntArray) -> tuple[Singles, Answers]:
        place = np.full(len(self.events), -1, np.int64)
        place[self.sample] = np.arange(len(self.sample))
        sampled = np.flatnonzero(place[rows] >= 0)  # these events have a full row
        full_rows = place[rows[sampled]]
        question = replace(
            self,
            events=self.events[rows],
            sample=sampled,
            raw=self.raw[rows],
            propagated=self.propagated[rows],
            knockout=self.knockout[full_rows],
            null=self.null[full_rows],
        )
        return question, replace(
            answers,
            raw=None if answers.raw is None else answers.raw[rows],
            propagated=None if answers.propagated is None else answers.propagated[rows],
            rows=None if answers.rows is None else answers.rows[full_rows],
        )


@dataclass(frozen=True, eq=False)
class Responses(Question):
    """How the mean of each gene changes in each of k perturbations.

    Every event belongs to one of R answer rows. An answer row is a perturbation in one batch of
    cells; the rows of a perturbation are averaged by their weights.

    Attributes
    ----------
    cells : Cells
        The m asked wild-type cells as observed.
    names : k of str
        Labels, "A" or "A+B".
    targets : k of tuples of int
        Columns of the removed genes.
    events : tuple of Knockouts
        One batch of knockouts for each order; their cells are rows of `cells`.
    rows : tuple of (n,) int
        The answer row of each event, batch by batch.
    row_perturbation : (R,) int
        The perturbation of each answer row.
    row_weight : (R,) float
        Its share in the perturbation's mean; the shares of a perturbation sum to 1.
    change : (k, G) float
        True mean change of profiles, NaN at the own targets. These are taken out before rows are
        renormalised.
    size : (k,) float
        How strong each perturbation is.
    abundance : (k,) float
        Mean share of the target over the asked cells; of several targets their sum.
    detectable : (k,) bool
        Whether the change can be measured at all; always True without noise.
    perturbed : (k,) int
        Number of perturbed cells; of events, where the truth is counterfactual.
    halves : (s, 2, k, G) float or None
        See `ResponseUnits`.
    responds : (k, G) bool or None
        See `ResponseUnits`.
    size_p : (k,) float or None
        p value of the size.
    expected : (k, G) float or None
        The change without noise, where the dataset knows it.
    confounded : str
        See `Dataset`.
    left_out : mapping of str to int
        Reason -> how many perturbations were left out.
    unasked : mapping of str to str
        Of a real dataset, each perturbation that can't be asked -> why.
    counted : CountedCells or None
        The counts that the truth was measured with, where the dataset has counts.
    scale : str
        The working scale of `cells`.
    """

    called: ClassVar[str] = "the population question"

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
    unasked: Mapping[str, str] = field(default_factory=dict)
    counted: CountedCells | None = None
    scale: str = ""

    def payload(self) -> Payload:
        arrays: dict[str, npt.NDArray[Any]] = {"n_rows": np.array(len(self.row_perturbation))}
        for number, events in enumerate(self.events):
            arrays[f"genes{number}"] = events.genes
            arrays[f"cells{number}"] = cells_of(events)
            arrays[f"rows{number}"] = self.rows[number]
        return Payload(arrays, self.cells)

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        n_genes = self.cells.n_vars
        missing = np.ones(len(self.row_perturbation), dtype=bool)
        for number, events in enumerate(self.events):
            missing[self.rows[number][answerable_events(events, supported, max_order)]] = False
        singles = [events for events in self.events if events.order == 1]
        return {
            "response": Shape(missing, n_genes, signed=True),
            "raw": Shape(missing),
            "propagated": Shape(missing),
            "gene_scores": Shape(~removed_genes(singles, supported, n_genes), signed=True),
        }

    @property
    def asks_nothing(self) -> bool:
        return not self.names

    @property
    def noisy(self) -> bool:
        """Whether the truth was measured in other cells; a counterfactual truth has no noise."""
        return self.halves is not None

    def of_perturbations(self, values: FloatArray) -> FloatArray:
        """The weighted means over the answer rows of each perturbation.

        Parameters
        ----------
        values : (R, ...) float
            One entry for each answer row.

        Returns
        -------
        (k, ...) float
        """
        means = np.zeros((len(self.names), *values.shape[1:]))
        weights = self.row_weight.reshape(-1, *[1] * (values.ndim - 1))
        np.add.at(means, self.row_perturbation, weights * values)
        return means

    def block_names(self, block: str) -> npt.NDArray[np.str_] | None:
        return np.asarray(self.names, np.str_) if block == "perturbation" else None


@dataclass(frozen=True, eq=False)
class PerturbedCells(Responses):
    """Counted cells of each perturbation, or else how the mean of each gene changes.

    Attributes
    ----------
    each : int
        How many cells of each perturbation are asked of a predictor that gives cells.
    """

    called: ClassVar[str] = "the question of counted cells"

    each: int = 0

    def payload(self) -> Payload:
        asked = super().payload()
        most = max((len(genes) for genes in self.targets), default=0)
        targets = np.full((len(self.targets), most), -1, np.int32)
        for row, genes in enumerate(self.targets):
            targets[row, : len(genes)] = genes
        arrays = {**asked.arrays, "targets": targets, "each": np.array(self.each)}
        return Payload(arrays, asked.cells)

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        missing = [
            not supported[list(genes)].all() or (max_order is not None and len(genes) > max_order)
            for genes in self.targets
        ]
        rows = np.repeat(np.array(missing, bool), self.each)
        response = super().shapes(supported, max_order)["response"]
        return {"cells": Shape(rows, self.cells.n_vars), "response": response}


@dataclass(frozen=True, eq=False)
class Multiples(Question):
    """Several genes removed at once: which events differ from the sum of their single knockouts.

    Attributes
    ----------
    cells : Cells
        The m asked cells as observed.
    events : Knockouts
        n knockouts of order 2 or more; `events.cells` are rows of `cells`.
    pairs : (n,) int
        Which set of genes each event removes.
    linked : (n,) bool
        Whether the set was drawn among genes with a direct edge or a shared target; else it was
        drawn evenly among all sets.
    interaction : (n,) float
        True interactions; below 1e-6 they are 0.
    unsolved : int
        How many events were left out for everybody because the truth has no steady state.

    Notes
    -----
    The interaction of an event is BC(p, e): p the profile after it, e the expectation without
    interaction. That is the wild-type profile plus the changes of its single knockouts in the same
    cell, the removed genes at 0, clipped at 0, renormalised.
    """

    called: ClassVar[str] = "the question of several knockouts at once"

    cells: Cells
    events: Knockouts
    pairs: IntArray
    linked: BoolArray
    interaction: FloatArray
    unsolved: int = 0

    def payload(self) -> Payload:
        return Payload({"genes": self.events.genes, "cells": cells_of(self.events)}, self.cells)

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        return {"interaction": Shape(~answerable_events(self.events, supported, max_order))}


def cells_of(events: Knockouts) -> npt.NDArray[np.int32]:
    """(n,) the cell of each event; raises TypeError for events of a whole population."""
    if events.cells is None:
        raise TypeError("events of a question name a cell each; these are of a whole population")
    return events.cells


@dataclass(frozen=True)
class QuestionSet:
    """One row of the table of question sets.

    Attributes
    ----------
    name : str
        How tasks name it in `TaskSpec.asks`, and the stage in which a trial asks it.
    record : type
        What is asked, with its truth.
    needs : tuple of str
        Answer kinds; one of them, given or derived, makes the set answerable.
    arrays : tuple of str
        The fields of `Answers` that answer it.
    truth : str
        The module that builds it, see `kobench.truth.build`; imported when it is needed.
    order : int or None
        How many genes each event removes, where that makes the set.
    version : int
        A new version makes every stored answer to the set out of date.
    draws_events : bool
        Whether `--events N` asks a random sample of its events.
    between_groups : bool
        Whether it asks a model of one group of cells about all groups. Such a set has splits of its
        own ("cell-type", "dataset"), and every pair of groups an interval.
    """

    name: str
    record: type[Question]
    needs: tuple[str, ...]
    arrays: tuple[str, ...]
    truth: str
    order: int | None = None
    version: int = 1
    draws_events: bool = False
    between_groups: bool = False

    @property
    def by_assemblage(self) -> bool:
        """Whether cells are asked by assemblage alone: nobody is shown their expression."""
        return issubclass(self.record, ByAssemblage)


_ROWS = (
    QuestionSet(
        "profile",
        Profiles,
        needs=("expression",),
        arrays=("profile",),
        truth="kobench.truth.profiles",
    ),
    QuestionSet(
        "transfer",
        Transfers,
        needs=("expression",),
        arrays=("profile",),
        truth="kobench.truth.transfer",
        between_groups=True,
    ),
    QuestionSet(
        "singles",
        Singles,
        needs=("knockout", "impact", "genes"),
        arrays=("wild_type", "raw", "propagated", "rows", "gene_scores"),
        truth="kobench.truth.singles",
        draws_events=True,
    ),
    QuestionSet(
        "response",
        Responses,
        needs=("response", "knockout", "impact", "genes"),
        arrays=("response", "raw", "propagated", "gene_scores"),
        truth="kobench.truth.population",
    ),
    QuestionSet(
        "cells",
        PerturbedCells,
        needs=("cells", "response", "knockout"),
        arrays=("cells", "response"),
        truth="kobench.truth.cells",
    ),
    QuestionSet(
        "doubles",
        Multiples,
        needs=("interaction",),
        arrays=("interaction",),
        truth="kobench.truth.multiples",
        order=2,
    ),
    QuestionSet(
        "triples",
        Multiples,
        needs=("interaction",),
        arrays=("interaction",),
        truth="kobench.truth.multiples",
        order=3,
    ),
)

#: Every question set by its name, in the order in which a trial asks them: first what is asked by
#: assemblage alone, before a predictor has seen the expression of any asked cell.
SETS: Mapping[str, QuestionSet] = {row.name: row for row in _ROWS}
