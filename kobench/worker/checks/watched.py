"""A fitted predictor that is watched while it works: its inputs, and the global random states."""

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
from kobench.worker.checks.result import Wrong
from kobench.worker.derive import SinglesAnswer
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.wire import read_cells, write_cells

#: How many cells of each removed gene are asked of a predictor that gives cells.
CELLS = 3


class Declared(Protocol):
    """What the checks need to know of a predictor; see `PredictorSpec` for the meaning."""

    @property
    def make(self) -> Callable[[], Any]:
        """Returns a new predictor."""
        ...

    answers: tuple[str, ...]
    wants: str
    seed: int
    max_order: int | None


class StoredSparse:
    """A matrix in the three arrays of compressed sparse rows, which `write_cells` takes.

    It stands in for a scipy matrix, as scipy need not be there.

    Parameters
    ----------
    dense : (n, G) array
        The same matrix with its zeros.
    """

    def __init__(self, dense: Any) -> None:
        on = dense != 0
        self.shape = dense.shape
        self.data = dense[on]
        self.indices = np.nonzero(on)[1].astype(np.int32)
        self.indptr = np.concatenate([[0], np.cumsum(on.sum(axis=1))]).astype(np.int32)

    def tocsr(self) -> StoredSparse:
        """Itself, as scipy's matrices do."""
        return self


def _arrays(argument: Any) -> Iterator[Any]:
    """The arrays inside one argument of a predictor's method."""
    if isinstance(argument, np.ndarray):
        yield argument
    elif hasattr(argument, "indptr"):
        yield from (argument.data, argument.indices, argument.indptr)
    elif hasattr(argument, "X"):
        yield from _arrays(argument.X)
    elif isinstance(argument, Knockouts):
        yield argument.genes
        if argument.cells is not None:
            yield argument.cells


def _content(arguments: Collection[Any]) -> list[tuple[Any, bytes]]:
    """Shape and bytes of every array in the arguments, to be compared later."""
    return [(array.shape, array.tobytes()) for argument in arguments for array in _arrays(argument)]


class WatchedPredictor:
    """One fitted predictor, watched.

    Parameters
    ----------
    declared : Declared
        How to make the predictor, and what its spec says.
    training : Cells
        (n, G), dense.
    stored_sparse : bool
        Whether the cells it is given come from a data set that is stored sparse. They then pass
        through the files that a worker reads.

    Attributes
    ----------
    supported : (G,) bool
        The genes that it can remove.
    modified : list of str
        The methods that changed their arguments.
    touched : list of str
        A sentence for each method that changed a global random state.
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
        # an AnnData is a copy that is made on the way; other forms are passed on and watched
        self.fitted = self._watched("fit", (given,), lambda: fit_predictor(recipe, given, context))
        self.supported, self.predictor = self.fitted.supported, self.fitted.asker.predictor

    def _as_wanted(self, cells: Cells) -> Cells:
        """A copy of cells in the form that the predictor wants."""
        if not self.stored_sparse and self.wants != "sparse":
            return Cells(cells.X.copy(), cells.var_names, cells.obs, cells.layers)
        X = StoredSparse(cells.X) if self.stored_sparse else cells.X
        with TemporaryDirectory(prefix="kobench-check-") as folder:
            write_cells(Path(folder), Cells(X, cells.var_names, cells.obs))
            return read_cells(Path(folder), self.wants)

    def _watched(self, method: str, arguments: Collection[Any], call: Callable[[], Any]) -> Any:
        """What a call returns; notes whether it changed its arguments or a random state."""
        content = _content(arguments)
        with RandomStates() as states:
            result = call()
        if _content(arguments) != content:
            self.modified.append(method)
        self.touched.extend(
            f"{method} changed the global state of {name}" for name in states.changed
        )
        return result

    def ask(
        self, kind: str, cells: Cells, events: Knockouts, reverse: bool = False
    ) -> dict[str, Any]:
        """What the method behind one answer kind returns, unchanged.

        Parameters
        ----------
        kind : str
            One of `kobench.specs.METHODS`.
        cells : Cells
            (n, G), dense.
        events : Knockouts
            What is removed from these cells. Responses, gene scores and counted cells are asked
            once for each gene in it, in ascending order.
        reverse : bool
            Asks for these genes in descending order.

        Returns
        -------
        dict
            {method: values}; of impacts {"predict_impact raw": values, ...}, those that are given.

        Raises
        ------
        Wrong
            If there is no such method, or it gives no impact at all.
        """
        name = METHODS[kind]
        method = getattr(self.predictor, name, None)
        if not callable(method):
            raise Wrong(
                f"answer {kind!r} is declared, but {type(self.predictor).__name__} has no method"
                f" {name}"
            )

        def called(*arguments: Any) -> Any:
            return self._watched(name, arguments, lambda: method(*arguments))

        if kind == "expression":
            return {name: called(events.remove_from(cells.assemblages()))}
        wanted = self._as_wanted(cells)
        if kind == "cells":  # made of counts, which made-up cells have for this alone
            counts = {"counts": np.rint(cells.X)}
            wanted = Cells(wanted.X, wanted.var_names, wanted.obs, counts)
        given = self.fitted.asker.hand(wanted)
        if kind in ("response", "genes", "cells"):
            genes = np.unique(events.genes)[:: -1 if reverse else 1].copy()
            if kind == "genes":
                return {name: called(given, genes)}
            more = (CELLS,) if kind == "cells" else ()
            return {name: called(given, Knockouts(genes[:, None]), *more)}
        answer = called(
            given,
            Knockouts(events.genes.copy(), None if events.cells is None else events.cells.copy()),
        )
        if kind != "impact":
            return {name: answer}
        parts = {f"{name} {part}": getattr(answer, part, None) for part in ("raw", "propagated")}
        found = {key: values for key, values in parts.items() if values is not None}
        if not found:
            raise Wrong(
                f"{name} returned neither raw nor propagated impacts; expected"
                " kobench.api.Impacts with at least one"
            )
        return found

    def singles(self, cells: Cells, events: Knockouts) -> SinglesAnswer:
        """All that a run would have of single knockouts, given or derived.

        Parameters
        ----------
        cells : Cells
            (n, G), dense.
        events : Knockouts
            Single knockouts of these cells, grouped by cell.
        """

        def call() -> SinglesAnswer:
            none: IntArray = np.zeros(0, np.int64)
            answer: SinglesAnswer = self.fitted.asker.singles(cells, events, none, self.supported)
            return answer

        found: SinglesAnswer = self._watched("the derived answers", (), call)
        return found

    def profiles(
        self, kinds: Collection[str], cells: Cells, events: Knockouts
    ) -> Iterator[tuple[str, Any]]:
        """(method, rows) of those of the answer kinds that are declared."""
        for kind in kinds:
            if kind in self.fitted.asker.answers:
                yield from self.ask(kind, cells, events).items()
