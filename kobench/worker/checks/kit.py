"""What the checks work with: made-up cells, questions about them, and the predictor, fitted for
each way of asking.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kobench.cells import Cells, IntArray, Knockouts
from kobench.worker.checks.fitted import Fitted, NotApplicable, Wrong

__all__ = [
    "ASKED",
    "GENES",
    "Fitted",
    "Kit",
    "NotApplicable",
    "Wrong",
    "doubles_of",
    "example_cells",
]

#: Names of human genes, so that a predictor that knows genes by name supports them.
GENES = (
    "GATA1",
    "TP53",
    "MYC",
    "CD4",
    "SPI1",
    "KLF1",
    "RUNX1",
    "STAT3",
    "SOX2",
    "PAX6",
    "CEBPA",
    "JUN",
)

#: Cells that are kept for questions.
ASKED = 6


def example_cells(seed: int) -> Cells:
    """86 cells x 12 genes, float32: a shared factor drives the values, a third of the entries are
    0, at least 3 are not.
    """
    rng = np.random.default_rng([seed, 12])
    n, genes = 80 + ASKED, len(GENES)
    factor = rng.gamma(4.0, 0.25, size=(n, 1))
    values = (
        rng.gamma(3.0, 1.0, size=(n, genes)) * (0.5 + factor * rng.uniform(0, 1, size=genes)) + 0.05
    )
    on = rng.random((n, genes)) < 0.67
    on[np.arange(n)[:, None], np.argsort(rng.random((n, genes)), axis=1)[:, :3]] = True
    return Cells((values * on).astype(np.float32), np.array(GENES))


def doubles_of(assemblages: Any, supported: Any) -> Knockouts:
    """Pairs of supported genes that are next to each other among the genes that are on, in cells
    with a third one; grouped by cell.
    """
    genes: list[Any] = []
    cells: list[int] = []
    for cell, on in enumerate(assemblages):
        mine = np.flatnonzero(on & supported)
        if on.sum() > 2:
            genes += [mine[start : start + 2] for start in range(len(mine) - 1)]
            cells += [cell] * max(len(mine) - 1, 0)
    return Knockouts(np.array(genes, np.int32).reshape(-1, 2), np.array(cells, np.int32))


@dataclass
class Kit:
    """A predictor under test. `compared` counts what the present check has looked at."""

    make: Callable[[], Any]
    answers: tuple[str, ...]
    wants: str
    seed: int
    cells: Cells
    order_matters: bool = False
    max_order: int | None = None
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
            return Fitted(self, self.training)
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
        return self.again()

    def again(self, training: Cells | None = None, stored_sparse: bool = False) -> Fitted:
        """A further one, on other training cells or on those that were stored sparse; raises what
        fitting the first one raised.
        """
        assert self.first
        return Fitted(self, self.training if training is None else training, stored_sparse)

    @cached_property
    def events(self) -> Knockouts:
        """Every single knockout of the asked cells of a gene that is supported, grouped by cell."""
        everything = Knockouts.singles(self.asked.assemblages())
        return everything[self.first.supported[everything.genes[:, 0]]]

    @cached_property
    def doubles(self) -> Knockouts:
        """Some double knockouts of the asked cells, grouped by cell; none for a predictor that
        removes one gene at a time.
        """
        found = doubles_of(self.asked.assemblages(), self.first.supported)
        return found if self.max_order is None or self.max_order >= 2 else found[:0]

    def events_of(self, kind: str) -> Knockouts:
        """What is asked of an answer kind: double knockouts of interactions, single ones of the
        others.
        """
        return self.doubles if kind == "interaction" else self.events

    def raw(self, kind: str) -> dict[str, Any]:
        """What the predictor returns for the events, asked once."""
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
        }[kind]

    def everything(
        self, kinds: Collection[str] | None = None
    ) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
        """(method, returned values, expected shape) of every declared answer of these kinds;
        NotApplicable where there is none.
        """
        mine = [kind for kind in self.answers if kinds is None or kind in kinds]
        if not mine and kinds is not None:
            raise NotApplicable(f"gives none of {', '.join(kinds)}")
        for kind in mine:
            for method, values in self.raw(kind).items():
                yield method, values, self.expected_shape(kind, self.events_of(kind))

    def reordered(self, events: Knockouts) -> IntArray:
        """Events in another order, still grouped by cell: cells shuffled, and the events of
        each.
        """
        assert events.cells is not None
        rng = np.random.default_rng([self.seed, 13])
        place = rng.permutation(self.asked.n_obs)[events.cells]
        return np.lexsort((rng.random(len(place)), place))

    def two_gene_cells(self) -> tuple[Cells, Knockouts]:
        """Cells that express two genes each, and the knockouts of those genes that are
        supported.
        """
        n = self.cells.n_vars
        values = np.zeros((n, n), np.float32)
        values[np.arange(n), np.arange(n)] = 1.0
        values[np.arange(n), (np.arange(n) + 1) % n] = 2.0
        cells = Cells(values, self.cells.var_names)
        events = Knockouts.singles(cells.assemblages())
        return cells, events[self.first.supported[events.genes[:, 0]]]

    def one_gene_cells(self) -> Cells:
        """Cells that express one gene each: nothing can be removed from them, but their wild type
        is asked for.
        """
        return Cells(np.eye(self.cells.n_vars, dtype=np.float32) * 1.5, self.cells.var_names)

    def why_nothing(self) -> str:
        """Why a check had nothing to look at."""
        if not self.first.supported.any():
            return (
                f"supports() takes none of the genes {', '.join(self.cells.var_names[:4])}, ...;"
                " pass cells with genes that it knows"
            )
        return "no answer is declared"
