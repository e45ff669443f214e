"""A predictor under test: made-up cells, questions about them, and its fits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kobench.cells import Cells, IntArray, Knockouts
from kobench.worker.checks.examples import ASKED, doubles_of
from kobench.worker.checks.result import NotApplicable, NotRun
from kobench.worker.checks.run import UnderTest
from kobench.worker.checks.watched import CELLS, WatchedPredictor


@dataclass
class PredictorUnderTest(UnderTest):
    """A predictor under test.

    Attributes
    ----------
    make : callable
        Returns a new predictor.
    answers : tuple of str
        The answer kinds that it declares.
    wants : str
        The form of cells that it declares to want.
    seed : int
        Seed of its fits, and of the questions.
    cells : Cells
        (n, G), dense. The last `ASKED` of them are kept for questions.
    order_matters : bool
        As declared in its `PredictorSpec`.
    max_order : int or None
        As declared in its `PredictorSpec`.
    prior : str
        As declared in its `PredictorSpec`.
    """

    make: Callable[[], Any]
    answers: tuple[str, ...]
    wants: str
    seed: int
    cells: Cells
    order_matters: bool = False
    max_order: int | None = None
    prior: str = ""
    _raw: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def training(self) -> Cells:
        """The cells that it is fitted on."""
        return self.cells[: self.cells.n_obs - ASKED]

    @property
    def asked(self) -> Cells:
        """The cells that it is asked about."""
        return self.cells[self.cells.n_obs - ASKED :]

    @cached_property
    def _first_fit(self) -> WatchedPredictor | BaseException:
        try:
            return WatchedPredictor(self, self.training)
        except (Exception, SystemExit) as error:
            return error

    def fit(self) -> WatchedPredictor:
        """The predictor, fitted once for all checks; raises what fitting it raised."""
        if isinstance(self._first_fit, BaseException):
            raise self._first_fit
        return self._first_fit

    @property
    def first(self) -> WatchedPredictor:
        """The same, for the checks that rest on it; raises NotRun where fitting failed."""
        if isinstance(self._first_fit, BaseException):
            raise NotRun("there is no fitted predictor")
        return self._first_fit

    @cached_property
    def second(self) -> WatchedPredictor:
        """A second predictor fitted alike; the first one has imported what both need."""
        return self.again()

    def again(self, training: Cells | None = None, stored_sparse: bool = False) -> WatchedPredictor:
        """Fit a further predictor.

        Parameters
        ----------
        training : Cells, optional
            Other training cells, dense.
        stored_sparse : bool
            Whether its cells come from a data set that is stored sparse.

        Raises
        ------
        NotRun
            If fitting the first one failed.
        """
        assert self.first
        return WatchedPredictor(
            self, self.training if training is None else training, stored_sparse
        )

    @cached_property
    def events(self) -> Knockouts:
        """Every knockout of a supported gene from a cell that is asked about, grouped by cell."""
        return self.supported_singles(self.asked)

    def supported_singles(self, cells: Cells) -> Knockouts:
        """Every knockout of one supported gene from cells, grouped by cell."""
        everything = Knockouts.singles(cells.assemblages())
        return everything[self.first.supported[everything.genes[:, 0]]]

    @cached_property
    def doubles(self) -> Knockouts:
        """Some double knockouts, grouped by cell; none where one gene at a time is declared."""
        found = doubles_of(self.asked.assemblages(), self.first.supported)
        return found if self.max_order is None or self.max_order >= 2 else found[:0]

    def events_of(self, kind: str) -> Knockouts:
        """What an answer kind is asked about: double knockouts for interactions, else single."""
        return self.doubles if kind == "interaction" else self.events

    def raw(self, kind: str) -> dict[str, Any]:
        """What the predictor returns for its events, {method: values}; asked once."""
        if kind not in self._raw:
            self._raw[kind] = self.first.ask(kind, self.asked, self.events_of(kind))
        return self._raw[kind]

    def expected_shape(self, kind: str, events: Knockouts) -> tuple[int, ...]:
        """Shape of the answer of one kind to events."""
        n, removed, genes = len(events), len(np.unique(events.genes)), self.cells.n_vars
        by_event = dict.fromkeys(("impact", "interaction"), (n,))
        return {
            **by_event,
            "expression": (n, genes),
            "knockout": (n, genes),
            "response": (removed, genes),
            "genes": (removed,),
            "cells": (removed, CELLS, genes),
        }[kind]

    def everything(
        self, kinds: Collection[str] | None = None
    ) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
        """Every declared answer, as it is returned.

        Parameters
        ----------
        kinds : collection of str, optional
            The answer kinds of interest; None for all.

        Yields
        ------
        tuple
            Method, returned values, expected shape.

        Raises
        ------
        NotApplicable
            If none of these kinds is declared.
        """
        mine = [kind for kind in self.answers if kinds is None or kind in kinds]
        if not mine and kinds is not None:
            raise NotApplicable(f"gives none of {', '.join(kinds)}")
        for kind in mine:
            for method, values in self.raw(kind).items():
                yield method, values, self.expected_shape(kind, self.events_of(kind))

    def reordered(self, events: Knockouts) -> IntArray:
        """Another order (n_events,) of events: cells are shuffled, and the events of each cell.

        The events stay grouped by cell.
        """
        assert events.cells is not None
        rng = np.random.default_rng([self.seed, 13])
        place = rng.permutation(self.asked.n_obs)[events.cells]
        return np.lexsort((rng.random(len(place)), place))

    def why_nothing(self) -> str:
        """Why the present check had nothing to look at."""
        if not self.first.supported.any():
            return (
                f"supports() takes none of the genes {', '.join(self.cells.var_names[:4])}, ...;"
                " pass cells with genes that it knows"
            )
        return "no answer is declared"
