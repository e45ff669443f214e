"""The whole leaderboard as one frozen record, made by `kobench.board.make`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kobench.board.growth import Growth
from kobench.board.made import Made
from kobench.board.table import Matrix, Section
from kobench.board.transfer import TransferMatrix


@dataclass(frozen=True)
class Board:
    """The whole leaderboard.

    Attributes
    ----------
    sections : tuple of Section
        A dataset, split and task each.
    matrices : tuple of Matrix
        Predictors x datasets of a task, where it was asked on several datasets.
    cost : bool
        Whether the board shows seconds and memory, which differ between equal runs.
    answer : tuple of str
        In one line a task, who is better than trivial, the most demanding task first.
    transfers : tuple of TransferMatrix
        Trained on one group of cells, asked of another.
    growths : tuple of Growth
        Accuracy and cost by size, where datasets differ in size.
    remarks : tuple of str
        Who was run without a full sandbox, could read more, or lives in an environment of its own.
    headline : str
        The verdict in one plain sentence.
    leaders : tuple of str
        The predictors that it names.
    seeds : str
        Whether the seeds of simulated networks were secret; "" where nothing is simulated.
    made : Made or None
        How the board came to be.
    """

    sections: tuple[Section, ...]
    matrices: tuple[Matrix, ...]
    cost: bool = True
    answer: tuple[str, ...] = ()
    transfers: tuple[TransferMatrix, ...] = ()
    growths: tuple[Growth, ...] = ()
    remarks: tuple[str, ...] = ()
    seeds: str = ""
    headline: str = ""
    leaders: tuple[str, ...] = ()
    made: Made | None = None

    @cached_property
    def has_levels(self) -> bool:
        """Whether somebody looked at any row."""
        return any(section.has_levels for section in self.sections)
