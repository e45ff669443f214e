"""A fitted predictor whose inputs, and the global random states around it, are watched while it
works.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from kobench.api import Context
from kobench.cells import Cells, IntArray, Knockouts
from kobench.specs import METHODS
from kobench.worker.checks.random_states import RandomStates
from kobench.worker.derive import SinglesAnswer
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.wire import read_cells, write_cells


class Wrong(Exception):  # noqa: N818 - a finding
    """What a check found to break the contract."""


class NotApplicable(Exception):  # noqa: N818 - a finding
    """Why a check does not apply to the declared answers."""


class Declared(Protocol):
    """What a predictor's spec says of it, as far as the checks need it."""

    @property
    def make(self) -> Callable[[], Any]: ...

    answers: tuple[str, ...]
    wants: str
    seed: int
    max_order: int | None


class StoredSparse:
    """A matrix in the three arrays of compressed rows, which is what the wire writes: no scipy is
    needed for it.
    """

    def __init__(self, dense: Any) -> None:
        on = dense != 0
        self.shape, self.data, self.indices = (
            dense.shape,
            dense[on],
            np.nonzero(on)[1].astype(np.int32),
        )
        self.indptr = np.concatenate([[0], np.cumsum(on.sum(axis=1))]).astype(np.int32)

    def tocsr(self) -> StoredSparse:
        return self


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
    """One fitted predictor. modified : who changed its input. touched : who changed which global
    random state.

    stored_sparse : the cells it is given come from a data set that is stored sparse, through the
    files that a worker reads.
    """

    def __init__(self, declared: Declared, training: Cells, stored_sparse: bool = False) -> None:
        self.modified: list[str] = []
        self.touched: list[str] = []
        self.stored_sparse, self.wants = stored_sparse, declared.wants
        self.scratch = TemporaryDirectory(prefix="kobench-check-")  # removed with this object
        context = Context(
            seed=declared.seed,
            threads=1,
            device="cpu",
            scale="linear",
            scratch=Path(self.scratch.name),
        )
        recipe = Recipe(declared.make, {}, declared.answers, declared.wants, declared.max_order)
        given = self._as_wanted(training)
        # an AnnData is a copy that is made on the way; the others are watched
        self.fitted = self._watched("fit", (given,), lambda: fit_predictor(recipe, given, context))
        self.supported, self.predictor = self.fitted.supported, self.fitted.asker.predictor

    def _as_wanted(self, cells: Cells) -> Cells:
        if not self.stored_sparse and self.wants != "sparse":
            return Cells(cells.X.copy(), cells.var_names, cells.obs, cells.layers)
        X = StoredSparse(cells.X) if self.stored_sparse else cells.X
        with TemporaryDirectory(prefix="kobench-check-") as folder:
            write_cells(Path(folder), Cells(X, cells.var_names, cells.obs))
            return read_cells(Path(folder), self.wants)

    def _watched(self, method: str, things: Collection[Any], call: Callable[[], Any]) -> Any:
        content = _content(things)
        with RandomStates() as states:
            result = call()
        if _content(things) != content:
            self.modified.append(method)
        self.touched.extend(
            f"{method} changed the global state of {name}" for name in states.changed
        )
        return result

    def ask(
        self, kind: str, cells: Cells, events: Knockouts, reverse: bool = False
    ) -> dict[str, Any]:
        """What the method behind one answer kind returns, as it is: {method, or "predict_impact
        raw": values}.

        Responses and gene scores are asked of each removed gene once, in ascending order or, with
        `reverse`, descending.
        """
        name = METHODS[kind]
        method = getattr(self.predictor, name, None)
        if not callable(method):
            raise Wrong(
                f"answer {kind!r} is declared, but {type(self.predictor).__name__} has no method"
                f" {name}"
            )
        if kind == "expression":
            assemblages = events.remove_from(cells.assemblages())
            return {name: self._watched(name, (assemblages,), lambda: method(assemblages))}
        handed = self.fitted.asker.hand(self._as_wanted(cells))
        events = Knockouts(
            events.genes.copy(), None if events.cells is None else events.cells.copy()
        )
        if kind in ("knockout", "interaction"):
            return {name: self._watched(name, (handed, events), lambda: method(handed, events))}
        if kind == "impact":
            given = self._watched(name, (handed, events), lambda: method(handed, events))
            parts = {f"{name} {part}": getattr(given, part, None) for part in ("raw", "propagated")}
            found = {key: values for key, values in parts.items() if values is not None}
            if not found:
                raise Wrong(
                    f"{name} returned neither raw nor propagated impacts; expected"
                    " kobench.api.Impacts with at least one"
                )
            return found
        genes = np.unique(events.genes)[:: -1 if reverse else 1].copy()
        if kind == "response":
            population = Knockouts(genes[:, None])
            return {
                name: self._watched(name, (handed, population), lambda: method(handed, population))
            }
        return {name: self._watched(name, (handed, genes), lambda: method(handed, genes))}

    def singles(self, cells: Cells, events: Knockouts) -> SinglesAnswer:
        """All that a run would have of these events, given or derived."""

        def call() -> SinglesAnswer:
            none: IntArray = np.zeros(0, np.int64)
            answer: SinglesAnswer = self.fitted.asker.singles(cells, events, none, self.supported)
            return answer

        found: SinglesAnswer = self._watched("the derived answers", (), call)
        return found

    def profiles(
        self, kinds: Collection[str], cells: Cells, events: Knockouts
    ) -> Iterator[tuple[str, Any]]:
        """(method, rows) of those of the kinds that are declared."""
        for kind in kinds:
            if kind in self.fitted.asker.answers:
                yield from self.ask(kind, cells, events).items()
