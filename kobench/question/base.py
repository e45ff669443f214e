"""What every question has in common: what is handed to a predictor, and how answers must look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, Cells, IntArray, Knockouts
from kobench.question.answers import Answers


@dataclass(frozen=True, eq=False)
class Payload:
    """What a predictor is handed to answer one question: nothing of its truth.

    Attributes
    ----------
    arrays : mapping of str to array
        Arrays by name; they travel to a worker as they are.
    cells : Cells or None
        The asked cells with their expression; None where the question is asked by assemblage
        alone.
    """

    arrays: Mapping[str, npt.NDArray[Any]]
    cells: Cells | None = None


@dataclass(frozen=True, eq=False)
class Shape:
    """What one array of answers must look like.

    Attributes
    ----------
    missing : (n,) bool
        The rows that were not asked: only they may be NaN.
    width : int or None
        Number of columns; None for one number a row.
    profile : bool
        Whether rows are profiles, which are >= 0 and sum to 1.
    signed : bool
        Whether numbers may be negative.
    removed : (n, order) int or None
        Columns at which a row must be 0: the removed genes.
    """

    missing: BoolArray
    width: int | None = None
    profile: bool = False
    signed: bool = False
    removed: IntArray | None = None

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The shape of the array."""
        return (len(self.missing),) if self.width is None else (len(self.missing), self.width)


class Question:
    """What is asked about one dataset and split, with its truth.

    The base of the records in `kobench.question.sets`. A record says what a predictor is handed
    (`payload`) and how its answers must look (`shapes`); all else has a default.
    """

    #: How messages call it.
    called: ClassVar[str] = "a question"

    def payload(self) -> Payload:
        """What a predictor is handed; never the truth."""
        raise NotImplementedError

    def shapes(self, supported: BoolArray, max_order: int | None = None) -> Mapping[str, Shape]:
        """What each array that may answer this must look like, by the array's name.

        Parameters
        ----------
        supported : (G,) bool
            The genes that the predictor can remove.
        max_order : int or None
            How many genes it can remove at once; None for any number.
        """
        raise NotImplementedError

    def block_names(self, block: str) -> npt.NDArray[np.str_] | None:
        """Names of the blocks that are drawn again for intervals, by id; None where they have none.

        Named blocks are drawn alike wherever their columns stand.
        """
        return None

    def excluded(self) -> Mapping[str, int]:
        """Reason -> how many units the truth left out for everybody, beside what a task counts."""
        return {}

    @property
    def asks_nothing(self) -> bool:
        """Whether nobody can be asked, as nothing is left to ask; then nobody is fitted for it."""
        return False

    @property
    def rows_compared(self) -> int | None:
        """How many full rows are compared, where that is not all of them."""
        return None

    @property
    def drawn_events(self) -> tuple[int, int] | None:
        """How many events are asked, and of how many, where only a random sample is."""
        return None

    def asked_share(self, of: str) -> float:
        """The share of all events that a task on units `of` this kind sees; 1 for all of them."""
        return 1.0

    @property
    def n_events(self) -> int:
        """How many events there are to be drawn again, see `take`."""
        return 0

    def take(self, answers: Answers, rows: IntArray) -> tuple[Question, Answers]:
        """This question and its answers with the events at `rows` (n,), which may repeat.

        Only questions whose events may be a sample (`asked_share`) have it.
        """
        raise NotImplementedError


def answerable_events(events: Knockouts, supported: BoolArray, max_order: int | None) -> BoolArray:
    """Which events a predictor can answer.

    Parameters
    ----------
    events : Knockouts
        n events of one order.
    supported : (G,) bool
        The genes that it can remove.
    max_order : int or None
        How many genes it can remove at once; None for any number.

    Returns
    -------
    (n,) bool
        True where every gene is supported and there are not too many of them.
    """
    if max_order is not None and events.order > max_order:
        return np.zeros(len(events), dtype=bool)
    return np.asarray(supported[events.genes].all(axis=1))


def removed_genes(batches: list[Knockouts], supported: BoolArray, n_genes: int) -> BoolArray:
    """(G,) bool, the supported genes that any of these events removes."""
    removed = np.zeros(n_genes, dtype=bool)
    for events in batches:
        removed[events.genes[answerable_events(events, supported, None)]] = True
    return removed
