"""Asks a fitted predictor in its worker about cells without a truth.

Cells are asked in batches, which bounds what is in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from kobench.cells import BoolArray, Cells, FloatArray, IntArray, Knockouts
from kobench.errors import TrialFailed, UserError
from kobench.question import Payload, Shape
from kobench.question.sets import cells_of
from kobench.runner.keys import Trial
from kobench.supervisor.guard import check_array, expected_arrays
from kobench.supervisor.process import WorkerProcess, answers_gone
from kobench.truth.events import (
    blocks_of_cells,
    even_share,
    expressing,
    singles_by_block,
    spread_singles,
)
from kobench.units import MIN_CELLS
from kobench.util.text import suggestion
from kobench.worker.protocol import write_payload


def available_of(cells: Cells, genes: Sequence[str]) -> IntArray:
    """How many knockouts of each gene can be asked.

    Parameters
    ----------
    cells : Cells
        The asked cells.
    genes : sequence of str
        Names of the genes that are wanted; () for all.

    Returns
    -------
    (G,) int
        0 for genes that are not wanted.

    Raises
    ------
    UserError
        For a name that is no gene of the dataset, and where no cell expresses any of the genes.
    """
    available = expressing(cells)
    if not genes:
        return available
    known = {str(name): column for column, name in enumerate(cells.var_names)}
    for name in genes:
        if name not in known:
            meant = (
                suggestion(name, known)
                if len(known) < 50
                else "`--what profile` lists them all as columns"
            )
            raise UserError(
                f"gene {name!r} is not among the {len(known)} genes of the dataset; {meant}"
            )
    wanted = np.isin(np.arange(cells.n_vars), [known[name] for name in genes])
    if not available[wanted].any():
        raise UserError(
            f"none of the {cells.n_obs} asked cells expresses {', '.join(genes)}; name a gene that"
            " is on in some cell"
        )
    return np.where(wanted, available, 0)


@dataclass
class Client:
    """A fitted predictor in its worker, asked about some cells.

    Attributes
    ----------
    worker : WorkerProcess
        Where the predictor was fitted.
    trial : Trial
        Which predictor, on which dataset.
    cells : Cells
        The m asked cells.
    rows : (m,) int
        Where they stand in the dataset.
    available : (G,) int
        How many knockouts of each gene there are, see `available_of`.
    supported : (G,) bool
        The genes that the predictor can remove.
    events : int
        How many events were asked so far.
    seconds : float
        What the answers took so far.
    kinds : list of str
        Names of the impacts that were given so far.
    """

    worker: WorkerProcess
    trial: Trial
    cells: Cells
    rows: IntArray
    available: IntArray
    supported: BoolArray
    events: int = 0
    seconds: float = 0.0
    kinds: list[str] = field(default_factory=list)

    @property
    def unsupported(self) -> BoolArray:
        """(G,) the genes that are wanted and on in some cell, but can't be removed."""
        return np.asarray((self.available > 0) & ~self.supported)

    @property
    def answerable(self) -> BoolArray:
        """(G,) the genes whose knockouts are asked."""
        return np.asarray((self.available > 0) & self.supported)

    def check_support(self) -> None:
        """Raise UserError where no knockout that was asked for can be answered."""
        if not self.answerable.any():
            names = self.cells.var_names[self.available > 0]
            named = ", ".join(names) if len(names) <= 10 else f"any of the {len(names)} genes asked"
            raise UserError(
                f"{self.trial.predictor.selection} does not support removing {named}; name other"
                " genes or another predictor"
            )

    def check_number(self) -> None:
        """Raise UserError where too few knockouts are drawn for any gene's keystone score."""
        most, available = self.trial.request.events, np.where(self.answerable, self.available, 0)
        if most is None or available.max() < MIN_CELLS or even_share(available, most) >= MIN_CELLS:
            return
        genes, needed = int((available > 0).sum()), int(np.minimum(available, MIN_CELLS).sum())
        raise UserError(
            f"--events {most} are {even_share(available, most)} knockouts of each of {genes:,}"
            f" genes; a keystone score needs {MIN_CELLS}: give {needed} or more, or name genes with"
            " --gene"
        )

    def ask(self, stage: str, payload: Payload, shapes: Mapping[str, Shape]) -> dict[str, Any]:
        """One question to the worker.

        Parameters
        ----------
        stage : str
            A name in `kobench.worker.answers.ANSWER`.
        payload : Payload
            What the predictor is handed.
        shapes : mapping of str to Shape
            What each array that may answer it must look like.

        Returns
        -------
        dict of str to array or None
            The arrays, checked; None for each that it does not give.

        Raises
        ------
        TrialFailed
            Where the worker fails, or an array is not as it must be.
        """
        write_payload(self.worker.stage(stage), payload)
        self.worker.ask(stage)
        self.seconds += self.worker.seconds[stage]
        arrays = dict(self.worker.answers(stage, expected_arrays(shapes)))
        if all(values is None for values in arrays.values()):
            raise answers_gone(stage)
        for name, values in arrays.items():
            if values is not None:
                check_array(stage, name, values, shapes[name])
        return arrays

    def impacts(self, cells: Cells, events: Knockouts) -> dict[str, FloatArray]:
        """The impacts (n,) of events in these cells, "raw" and "propagated" as far as given."""
        shape = Shape(np.zeros(len(events), bool))
        payload = Payload({"genes": events.genes, "cells": cells_of(events)}, cells)
        answered = self.ask("impacts", payload, {"raw": shape, "propagated": shape})
        arrays = {name: values for name, values in answered.items() if values is not None}
        self.events += len(events)
        self.kinds = self.kinds or sorted(arrays)
        if sorted(arrays) != self.kinds:
            given, before = " and ".join(sorted(arrays)), " and ".join(self.kinds)
            raise TrialFailed(
                "invalid",
                "impacts",
                f"predict_impact gave {given} for some cells, {before} for those before; expected"
                " the same",
            )
        return arrays

    def batches(self) -> Iterator[tuple[slice, Knockouts]]:
        """The knockouts to ask, a block of cells at a time.

        Yields
        ------
        (slice, Knockouts)
            Rows of the cells, and events whose cells count from the block's first.
        """
        most, answerable = self.trial.request.events, self.answerable
        if most is None or int(self.available[answerable].sum()) <= most:
            every = (
                events[np.flatnonzero(answerable[events.genes[:, 0]])]
                for events in singles_by_block(self.cells)
            )
        else:
            drawn = spread_singles(self.cells, most, np.where(answerable, self.available, 0))
            assert drawn.cells is not None
            starts = [block.start for block in blocks_of_cells(self.cells.shape)]
            cuts = np.append(np.searchsorted(drawn.cells, starts), len(drawn))
            every = (drawn[first:last] for first, last in pairwise(cuts))
        for block, events in zip(blocks_of_cells(self.cells.shape), every, strict=True):
            if len(events):
                assert events.cells is not None
                yield block, Knockouts(events.genes, events.cells - np.int32(block.start))
