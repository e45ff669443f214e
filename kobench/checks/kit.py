"""What the checks work with: made-up cells, and fitted predictors whose inputs and random states are watched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import Cells, IntArray, Knockouts
from kobench.checks.random_states import RandomStates
from kobench.derive import SinglesAnswer
from kobench.session import Session
from kobench.specs import METHODS

#: Names of human genes, so that a predictor that knows genes by name supports them.
GENES = ("GATA1", "TP53", "MYC", "CD4", "SPI1", "KLF1", "RUNX1", "STAT3", "SOX2", "PAX6", "CEBPA", "JUN")

#: Cells that are kept for questions.
ASKED = 6


class Wrong(Exception):  # noqa: N818 - a finding
    """What a check found to break the contract."""


class NotApplicable(Exception):  # noqa: N818 - a finding
    """Why a check does not apply to the declared answers."""


def example_cells(seed: int) -> Cells:
    """86 cells x 12 genes, float32: a shared factor drives the values, a third of the entries are 0, at least 3 are not."""
    rng = np.random.default_rng([seed, 12])
    n, genes = 80 + ASKED, len(GENES)
    factor = rng.gamma(4.0, 0.25, size=(n, 1))
    values = rng.gamma(3.0, 1.0, size=(n, genes)) * (0.5 + factor * rng.uniform(0, 1, size=genes)) + 0.05
    on = rng.random((n, genes)) < 0.67
    on[np.arange(n)[:, None], np.argsort(rng.random((n, genes)), axis=1)[:, :3]] = True
    return Cells((values * on).astype(np.float32), np.array(GENES))


def _arrays(thing: Any) -> Iterator[Any]:
    """The arrays inside what is handed to a predictor."""
    if isinstance(thing, np.ndarray):
        yield thing
    elif hasattr(thing, "indptr"):
        yield from (thing.data, thing.indices, thing.indptr)
    elif hasattr(thing, "X"):
        yield from _arrays(thing.X)
    elif isinstance(thing, Knockouts):
        yield thing.genes
        if thing.cells is not None:
            yield thing.cells


def _content(things: Collection[Any]) -> list[tuple[Any, bytes]]:
    return [(array.shape, array.tobytes()) for thing in things for array in _arrays(thing)]


class Fitted:
    """One fitted predictor. modified : who changed its input. touched : who changed which global random state."""

    def __init__(self, make: Callable[[], Any], answers: tuple[str, ...], wants: str, seed: int, training: Cells) -> None:
        self.modified: list[str] = []
        self.touched: list[str] = []
        self.scratch = TemporaryDirectory(prefix="kobench-check-")  # removed with this object
        context = Context(seed=seed, threads=1, device="cpu", scale="linear", scratch=Path(self.scratch.name))
        self.session = Session(make, {}, answers, wants, context)
        self.wants = wants
        given = self._as_wanted(training)
        # an AnnData is a copy that the session makes; the others are watched
        self.supported = self._watched("fit", (given,), lambda: self.session.fit(given))
        self.predictor = self.session.predictor

    def _as_wanted(self, cells: Cells) -> Cells:
        if self.wants != "sparse":
            return Cells(cells.X.copy(), cells.var_names, cells.obs, cells.layers)
        from scipy.sparse import csr_matrix

        return Cells(csr_matrix(cells.X), cells.var_names, cells.obs)

    def _watched(self, method: str, things: Collection[Any], call: Callable[[], Any]) -> Any:
        content = _content(things)
        with RandomStates() as states:
            result = call()
        if _content(things) != content:
            self.modified.append(method)
        self.touched.extend(f"{method} changed the global state of {name}" for name in states.changed)
        return result

    def ask(self, kind: str, cells: Cells, events: Knockouts, reverse: bool = False) -> dict[str, Any]:
        """What the method behind one answer kind returns, as it is: {method, or "predict_impact raw": values}.

        Responses and gene scores are asked of each removed gene once, in ascending order or, with `reverse`, descending.
        """
        name = METHODS[kind]
        method = getattr(self.predictor, name, None)
        if not callable(method):
            raise Wrong(f"answer {kind!r} is declared, but {type(self.predictor).__name__} has no method {name}")
        if kind == "expression":
            assemblages = events.remove_from(cells.assemblages())
            return {name: self._watched(name, (assemblages,), lambda: method(assemblages))}
        handed = self.session.hand(self._as_wanted(cells))
        events = Knockouts(events.genes.copy(), None if events.cells is None else events.cells.copy())
        if kind == "knockout":
            return {name: self._watched(name, (handed, events), lambda: method(handed, events))}
        if kind == "impact":
            given = self._watched(name, (handed, events), lambda: method(handed, events))
            parts = {f"{name} {part}": getattr(given, part, None) for part in ("raw", "propagated")}
            found = {key: values for key, values in parts.items() if values is not None}
            if not found:
                raise Wrong(f"{name} returned neither raw nor propagated impacts; expected kobench.api.Impacts with at least one")
            return found
        genes = np.unique(events.genes)[:: -1 if reverse else 1].copy()
        if kind == "response":
            population = Knockouts(genes[:, None])
            return {name: self._watched(name, (handed, population), lambda: method(handed, population))}
        return {name: self._watched(name, (handed, genes), lambda: method(handed, genes))}

    def singles(self, cells: Cells, events: Knockouts) -> SinglesAnswer:
        """All that a run would have of these events, given or derived."""

        def call() -> SinglesAnswer:
            return self.session.singles(cells, events, np.zeros(0, np.int64), self.supported)

        found: SinglesAnswer = self._watched("the derived answers", (), call)
        return found

    def profiles(self, kinds: Collection[str], cells: Cells, events: Knockouts) -> Iterator[tuple[str, Any]]:
        """(method, rows) of those of the kinds that are declared."""
        for kind in kinds:
            if kind in self.session.answers:
                yield from self.ask(kind, cells, events).items()


@dataclass
class Kit:
    """A predictor under test. `compared` counts what the present check has looked at."""

    make: Callable[[], Any]
    answers: tuple[str, ...]
    wants: str
    seed: int
    cells: Cells
    compared: int = 0
    _raw: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def training(self) -> Cells:
        return self.cells[: self.cells.n_obs - ASKED]

    @property
    def asked(self) -> Cells:
        return self.cells[self.cells.n_obs - ASKED :]

    @cached_property
    def _outcome(self) -> Fitted | BaseException:
        try:
            return Fitted(self.make, self.answers, self.wants, self.seed, self.training)
        except (Exception, SystemExit) as error:
            return error

    @property
    def failure(self) -> BaseException | None:
        """What fitting raised, None when it did not."""
        return self._outcome if isinstance(self._outcome, BaseException) else None

    @property
    def first(self) -> Fitted:
        """The predictor, fitted once for all checks; raises what fitting it raised."""
        outcome = self._outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    @cached_property
    def second(self) -> Fitted:
        """Another one, fitted alike after the first, which has imported what it needs."""
        assert self.first
        return Fitted(self.make, self.answers, self.wants, self.seed, self.training)

    @cached_property
    def events(self) -> Knockouts:
        """Every single knockout of the asked cells of a gene that is supported, grouped by cell."""
        everything = Knockouts.singles(self.asked.assemblages())
        return everything[self.first.supported[everything.genes[:, 0]]]

    def raw(self, kind: str) -> dict[str, Any]:
        """What the predictor returns for the events, asked once."""
        if kind not in self._raw:
            self._raw[kind] = self.first.ask(kind, self.asked, self.events)
        return self._raw[kind]

    def expected_shape(self, kind: str, events: Knockouts) -> tuple[int, ...]:
        """Shape of the answer of one kind to events."""
        n, removed, genes = len(events), len(np.unique(events.genes)), self.cells.n_vars
        return {"expression": (n, genes), "knockout": (n, genes), "impact": (n,), "response": (removed, genes), "genes": (removed,)}[kind]

    def everything(self, kinds: Collection[str] | None = None) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
        """(method, returned values, expected shape) of every declared answer of these kinds; NotApplicable where there is none."""
        mine = [kind for kind in self.answers if kinds is None or kind in kinds]
        if not mine and kinds is not None:
            raise NotApplicable(f"gives none of {', '.join(kinds)}")
        for kind in mine:
            for method, values in self.raw(kind).items():
                yield method, values, self.expected_shape(kind, self.events)

    def reordered(self) -> IntArray:
        """Events in another order, still grouped by cell: cells shuffled, and the events of each."""
        assert self.events.cells is not None
        rng = np.random.default_rng([self.seed, 13])
        place = rng.permutation(self.asked.n_obs)[self.events.cells]
        return np.lexsort((rng.random(len(place)), place))

    def two_gene_cells(self) -> tuple[Cells, Knockouts]:
        """Cells that express two genes each, and the knockouts of those genes that are supported."""
        n = self.cells.n_vars
        values = np.zeros((n, n), np.float32)
        values[np.arange(n), np.arange(n)] = 1.0
        values[np.arange(n), (np.arange(n) + 1) % n] = 2.0
        cells = Cells(values, self.cells.var_names)
        events = Knockouts.singles(cells.assemblages())
        return cells, events[self.first.supported[events.genes[:, 0]]]

    def why_nothing(self) -> str:
        """Why a check had nothing to look at."""
        if not self.first.supported.any():
            return f"supports() takes none of the genes {', '.join(self.cells.var_names[:4])}, ...; pass cells with genes that it knows"
        return "no answer is declared"
