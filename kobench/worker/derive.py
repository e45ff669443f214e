"""How missing answers follow from given ones: expression -> knockout -> impacts -> gene score.

Pure; numpy only.

Every answer passes a guard on its way: what is not finite, of the wrong shape or sign, or does not
sum to 1 is refused, never repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import (
    BoolArray,
    Cells,
    FloatArray,
    IntArray,
    Knockouts,
    bray_curtis,
    normalise_rows,
)
from kobench.errors import InvalidAnswerError

#: How far a profile row's sum may be from 1: float32 rows of many genes add up to this.
SUM_TOLERANCE = 1e-3

#: Events come grouped by cell in chunks of at most this many cells ...
CELLS_A_CHUNK = 256
#: ... and, where full rows are needed, at most this many numbers (32 MB in float64, of which a few
#: such arrays are alive at a time).
NUMBERS_A_CHUNK = 4_000_000

#: What each answer kind can be made from, itself first.
SOURCES = {
    "expression": ("expression",),
    "knockout": ("knockout", "expression"),
    "impact": ("impact", "knockout", "expression"),
    "response": ("response", "knockout", "expression"),
    "interaction": ("interaction", "knockout", "expression"),
    "genes": ("genes", "impact", "knockout", "expression"),
    "cells": ("cells",),
}


def source_of(kind: str, answers: Sequence[str]) -> str | None:
    """Which of the given answers an answer kind is derived from; None where it can't be had.

    It is the kind itself where that is given.

    Examples
    --------
    >>> source_of("impact", ("expression",))
    'expression'
    >>> source_of("expression", ("impact",)) is None
    True
    """
    return next((source for source in SOURCES[kind] if source in answers), None)


def array_of(values: Any, shape: tuple[int, ...], what: str) -> npt.NDArray[Any]:
    """The answer as a finite numeric array of the expected shape; raises InvalidAnswerError."""
    if type(values) is not np.ndarray:  # a masked array or a matrix would hide what it holds
        raise InvalidAnswerError(
            f"{what} returned {type(values).__name__}; expected a numpy array of shape {shape}"
        )
    if values.dtype.kind not in "fiub" or values.dtype == np.float16:
        raise InvalidAnswerError(
            f"{what} returned dtype {values.dtype}; expected float64 or float32"
        )
    if values.shape != shape:
        raise InvalidAnswerError(f"{what} returned shape {values.shape}; expected {shape}")
    bad = ~np.isfinite(values)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InvalidAnswerError(
            f"{what} returned {values[where]} at {where} and {int(bad.sum())} values that are not"
            " finite; expected none"
        )
    return values


def profiles_of(values: Any, shape: tuple[int, ...], what: str) -> npt.NDArray[Any]:
    """The answer as profile rows: finite, >= 0, each summing to 1; raises InvalidAnswerError."""
    rows = array_of(values, shape, what)
    if rows.size and rows.min() < 0:
        where = tuple(int(i) for i in np.argwhere(rows < 0)[0])
        raise InvalidAnswerError(f"{what} returned {rows[where]} at {where}; profiles must be >= 0")
    off = np.abs(rows.sum(axis=1, dtype=np.float64) - 1.0) > SUM_TOLERANCE
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise InvalidAnswerError(
            f"{what} returned a row {row} that sums to {rows[row].sum():.6g}; every profile must"
            f" sum to 1, within {SUM_TOLERANCE:g} (absolute)"
        )
    return rows


def counts_of(values: Any, shape: tuple[int, ...], what: str) -> npt.NDArray[Any]:
    """The answer as counts: whole numbers, >= 0; raises InvalidAnswerError."""
    counts = array_of(values, shape, what)
    wrong = (counts < 0) | (counts != np.rint(counts))
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InvalidAnswerError(
            f"{what} returned {counts[where]} at {where}; counts are whole numbers, >= 0"
        )
    return counts


def chunks(cells_of_events: IntArray, n_genes: int, rows: bool) -> Iterator[slice]:
    """Slices of events that are grouped by cell, small enough to be asked at once.

    Parameters
    ----------
    cells_of_events : (n,) int
        The cell of each event, in groups.
    n_genes : int
        Number of genes.
    rows : bool
        Whether full rows are needed. Then a slice is bounded in numbers, too.

    Yields
    ------
    slice
        About `CELLS_A_CHUNK` cells each.
    """
    n = len(cells_of_events)
    most = max(1, NUMBERS_A_CHUNK // max(1, n_genes)) if rows else n
    firsts = np.flatnonzero(np.diff(cells_of_events, prepend=-1))  # first event of every cell
    start = 0
    while start < n:
        cell = int(np.searchsorted(firsts, start, side="right")) - 1
        end = int(firsts[cell + CELLS_A_CHUNK]) if cell + CELLS_A_CHUNK < len(firsts) else n
        if end - start > most:
            # cut between two cells where one fits, inside a cell only when that cell alone is too
            # large
            cut = int(firsts[np.searchsorted(firsts, start + most, side="right") - 1])
            end = cut if cut > start else start + most
        yield slice(start, end)
        start = end


@dataclass(frozen=True, eq=False)
class SinglesAnswer:
    """Answers to a single-knockout question; what can't be answered is None.

    Shapes as in `kobench.question.Answers`.
    """

    wild_type: FloatArray | None
    raw: FloatArray | None
    propagated: FloatArray | None
    rows: FloatArray | None
    gene_scores: FloatArray | None


class Asker:
    """Asks a fitted predictor, derives what it does not answer itself, and refuses broken answers.

    Parameters
    ----------
    predictor : object
        The fitted predictor.
    answers : sequence of str
        The answer kinds that it gives.
    hand : callable
        Turns Cells into the form that it wants, see `PredictorSpec.wants`.
    report : callable or None
        Is told of progress: message, done, total.
    """

    def __init__(
        self,
        predictor: Any,
        answers: Sequence[str],
        hand: Callable[[Cells], Any] = lambda cells: cells,
        report: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.predictor = predictor
        self.answers = tuple(answers)
        self.hand = hand
        self.report = report

    def expression(self, assemblages: BoolArray) -> FloatArray | None:
        """Profiles of held-out assemblages.

        Parameters
        ----------
        assemblages : (n, G) bool
            Which genes are on.

        Returns
        -------
        (n, G) float32 or None
            None where the predictor can't answer by assemblage alone.
        """
        if "expression" not in self.answers:
            return None
        out = np.empty(assemblages.shape, np.float32)
        step = max(1, NUMBERS_A_CHUNK // max(1, assemblages.shape[1]))
        for start in range(0, len(assemblages), step):
            asked = assemblages[start : start + step]
            out[start : start + step] = profiles_of(
                self.predictor.predict_expression(asked.copy()), asked.shape, "predict_expression"
            )
        return out

    def knockout(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any] | None:
        """Profiles (n, G) after each event, from `predict_knockout` or else `predict_expression`.

        None where the predictor has neither.
        """
        shape = (len(knockouts), cells.n_vars)
        if "knockout" in self.answers:
            rows = profiles_of(
                self.predictor.predict_knockout(self.hand(cells), knockouts),
                shape,
                "predict_knockout",
            )
        elif "expression" in self.answers:
            assemblages = knockouts.remove_from(cells.assemblages())
            rows = profiles_of(
                self.predictor.predict_expression(assemblages), shape, "predict_expression"
            )
        else:
            return None
        if knockouts.order and len(rows):
            at_removed = np.take_along_axis(rows, knockouts.genes.astype(np.intp), axis=1)
            if at_removed.any():
                event = int(np.flatnonzero(at_removed.any(axis=1))[0])
                raise InvalidAnswerError(
                    f"the profile after event {event} has {at_removed[event].max():.6g} at the"
                    " removed gene; expected 0"
                )
        return rows

    def impact(self, cells: Cells, knockouts: Knockouts) -> dict[str, FloatArray]:
        """The impacts (n,) that `predict_impact` gives: "raw", "propagated" or both."""
        given = self.predictor.predict_impact(self.hand(cells), knockouts)
        out = {}
        for name in ("raw", "propagated"):
            values = getattr(given, name, None)
            if values is not None:
                out[name] = array_of(values, (len(knockouts),), f"predict_impact ({name})")
                if len(values) and values.min() < 0:
                    raise InvalidAnswerError(
                        f"predict_impact ({name}) returned {values.min():.6g}; impacts must be >= 0"
                    )
        if not out:
            raise InvalidAnswerError(
                "predict_impact returned neither raw nor propagated; expected kobench.api.Impacts"
                " with at least one"
            )
        return out

    def singles(
        self, cells: Cells, events: Knockouts, sample: IntArray, supported: BoolArray
    ) -> SinglesAnswer:
        """Answers to every event: impacts of all, full rows of some, wild types, gene scores.

        Parameters
        ----------
        cells : Cells
            The m asked cells.
        events : Knockouts
            n events of order 1; their cells are rows of `cells`.
        sample : (s,) int
            The events whose full rows are kept.
        supported : (G,) bool
            The genes that can be removed. Events of others are not asked and NaN.
        """
        wild_type = (
            self.wild_type(cells) if source_of("knockout", self.answers) is not None else None
        )
        rows = (
            None if wild_type is None else np.full((len(sample), cells.n_vars), np.nan, np.float32)
        )
        impacts = self.impacts(cells, events, supported, wild_type, sample, rows)
        return SinglesAnswer(
            wild_type=None if wild_type is None else wild_type.astype(np.float32),
            raw=impacts.get("raw"),
            propagated=impacts.get("propagated"),
            rows=rows,
            gene_scores=self.gene_scores(
                cells, np.unique(events.genes[supported[events.genes].all(axis=1)])
            ),
        )

    def impacts(
        self,
        cells: Cells,
        events: Knockouts,
        supported: BoolArray,
        wild_type: FloatArray | None = None,
        sample: IntArray | None = None,
        rows: FloatArray | None = None,
    ) -> dict[str, FloatArray]:
        """The "raw" and "propagated" impacts (n,) of events, as far as they can be had.

        Nothing of size events x genes is kept but `rows`.

        Parameters
        ----------
        cells : Cells
            The m asked cells.
        events : Knockouts
            n events of order 1; their cells are rows of `cells`.
        supported : (G,) bool
            The genes that can be removed. Events of others are NaN.
        wild_type : (m, G) float or None
            The own wild type of the cells, where it is known already; else it is asked chunk by
            chunk.
        sample : (s,) int or None
            Events whose full rows are wanted.
        rows : (s, G) float or None
            Where these rows are written.
        """
        assert events.cells is not None
        n = len(events)
        asked = np.flatnonzero(supported[events.genes].all(axis=1))
        place = np.full(n, -1, np.int64)  # of an event among the sampled
        if sample is not None:
            place[sample] = np.arange(len(sample))
        impacts = {name: np.full(n, np.nan) for name in ("raw", "propagated")}
        given: set[str] = set()
        # a given predict_impact answers whole cells at once; full rows are then needed for the
        # sample alone
        if "impact" in self.answers:
            for part, chunk_cells, chunk in self.chunks(cells, events, asked, rows=False):
                for name, values in self.impact(chunk_cells, chunk).items():
                    impacts[name][part] = values
                    given.add(name)
        if source_of("knockout", self.answers) is None:
            return {name: impacts[name] for name in impacts if name in given}
        derived = [name for name in impacts if name not in given]
        for part, chunk_cells, chunk in self.chunks(
            cells, events, asked if derived else asked[place[asked] >= 0], rows=True
        ):
            after = self.knockout(chunk_cells, chunk)
            assert after is not None
            before = chunk if wild_type is None else Knockouts(chunk.genes, events.cells[part])
            of_cells = self.wild_type(chunk_cells) if wild_type is None else wild_type
            if "raw" in derived:
                impacts["raw"][part] = bray_curtis(after, of_cells[before.cells])
            if "propagated" in derived:
                impacts["propagated"][part] = bray_curtis(
                    after, normalise_rows(before.remove_from(of_cells))
                )
            if rows is not None:
                kept = place[part] >= 0
                rows[place[part][kept]] = after[kept]
        return impacts

    def wild_type(self, cells: Cells) -> FloatArray:
        """The predictor's own wild-type profiles (m, G) of the cells."""
        out = np.empty(cells.shape)
        for start in range(0, cells.n_obs, CELLS_A_CHUNK):
            part = cells[start : start + CELLS_A_CHUNK]
            rows = self.knockout(part, Knockouts.none(part.n_obs))
            assert rows is not None
            out[start : start + CELLS_A_CHUNK] = rows
        return out

    def gene_scores(self, cells: Cells, genes: IntArray) -> FloatArray | None:
        """The scores that the predictor gives genes itself.

        Parameters
        ----------
        cells : Cells
            The asked cells.
        genes : (n,) int
            Columns of the genes that are asked.

        Returns
        -------
        (G,) float or None
            NaN for genes that are not asked; None where the predictor gives no scores.
        """
        if "genes" not in self.answers:
            return None
        out = np.full(cells.n_vars, np.nan)
        out[genes] = array_of(
            self.predictor.score_genes(self.hand(cells), genes.copy()), genes.shape, "score_genes"
        )
        return out

    def counted(self, cells: Cells, genes: IntArray, n: int) -> npt.NDArray[Any]:
        """Counts (n, G) of the cells that the predictor gives after these genes are removed."""
        asked = Knockouts(np.asarray(genes, np.int32)[None])
        given = self.predictor.predict_cells(self.hand(cells), asked, n)
        counts: npt.NDArray[Any] = counts_of(given, (1, n, cells.n_vars), "predict_cells")[0]
        return counts

    def chunks(
        self, cells: Cells, events: Knockouts, asked: IntArray, rows: bool
    ) -> Iterator[tuple[IntArray, Cells, Knockouts]]:
        """Events in chunks, each with its cells.

        Parameters
        ----------
        cells : Cells
            The m asked cells.
        events : Knockouts
            n events; their cells are rows of `cells`.
        asked : (k,) int
            The events that are asked, in whatever order.
        rows : bool
            See `chunks`.

        Yields
        ------
        ((c,) int, Cells, Knockouts)
            Rows of `events`, the cells of the chunk, and the events with cells counted from the
            chunk's first.
        """
        assert events.cells is not None
        asked = asked[np.argsort(events.cells[asked], kind="stable")]  # grouped by cell
        of_cells = events.cells[asked]
        for part in chunks(of_cells, cells.n_vars, rows):
            inside = np.unique(of_cells[part])
            local = np.searchsorted(inside, of_cells[part]).astype(np.int32)
            if self.report is not None:
                self.report("knockouts", part.stop, len(asked))
            yield asked[part], cells[inside], Knockouts(events.genes[asked[part]], local)
