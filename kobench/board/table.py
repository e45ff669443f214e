"""One section of a leaderboard, as plain frozen records.

`kobench.board.make` makes them of trial records, `kobench.board.render` writes them down. What a
board says in words is one of these:

note
    A sentence that a dataset or a task says of itself, the same whatever was answered.
remark
    What the board says of a board, section or row, from its records.
warning
    A remark that nobody must miss: rows are less comparable than they look.
reason
    Why there is no value, skill or rank: a few words, or a sentence.
sentence
    A result in words; the answer of a board is one sentence a task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kobench.board.numbers.intervals import ENOUGH
from kobench.board.row import Column, Row
from kobench.util.text import visible

#: Metrics shown first where no primary metric ranks.
LEADING = 2

#: Beside the name of a dataset whose knockouts have hardly any effect.
CONTROL = " (near-null control)"


@dataclass(frozen=True)
class Units:
    """The units of a section one by one: perturbations, genes, pairs or groups of cells.

    Attributes
    ----------
    unit : str
        What a row stands for, the name of the first column.
    of : str
        "" or the network that the table is of, out of how many.
    names : (n,) tuple of str
        The units.
    facts : mapping of str to (n,) tuple
        By column what the truth says of each, the same for everybody.
    answers : mapping of str to mapping of str to (n,) tuple
        By row and column what each predictor said, and how it scored; None where it said nothing.
    """

    unit: str
    of: str
    names: tuple[str, ...]
    facts: Mapping[str, tuple[Any, ...]]
    answers: Mapping[str, Mapping[str, tuple[Any, ...]]]


@dataclass(frozen=True)
class Points:
    """A fixed sample of predicted and true values of one predictor.

    Attributes
    ----------
    predictor : str
        The row's name.
    what : str
        What is predicted.
    of : str
        See `Units`.
    true, predicted : (n,) tuple of float
        The values.
    """

    predictor: str
    what: str
    of: str
    true: tuple[float, ...]
    predicted: tuple[float, ...]


@dataclass(frozen=True)
class Section:
    """One dataset, split and task.

    Attributes
    ----------
    dataset : str
        Canonical selection without the seed.
    dataset_name, dataset_version : str
        Its name and version.
    short : str
        The selection without what all datasets of that name share.
    kind : "simulated" or "real"
        Whether blocks are networks.
    split, task : str
        Name of the split, label of the task.
    columns : tuple of Column
        The metrics, the primary ones first.
    rows : tuple of Row
        In the order shown: ranked, floors, lines, then what could not be ranked.
    blocks : int
        How many independent units.
    label : str
        What the intervals stand for.
    remarks : tuple of str
        What was asked, left out or sampled; which floor counts; how ranks are made.
    dataset_notes, task_notes : tuple of str
        What the dataset and the task say of themselves.
    warnings : tuple of str
        What makes rows less comparable than they look.
    sentence : str
        The result in words.
    train : str
        "" or the group of cells that was trained on.
    params, params_say : mapping by name
        The dataset's parameters, and what they mean.
    near_null : str
        "" or why its knockouts have hardly any effect.
    says, demand, of_knockouts
        What is told of the task, see `kobench.results.about.TaskAbout`.
    unranked_reason : str
        "" or why nobody has a rank here.
    units, points
        Single units, for tables and pictures.
    """

    dataset: str
    dataset_name: str
    dataset_version: str
    short: str
    kind: str
    split: str
    task: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    blocks: int
    label: str
    remarks: tuple[str, ...] = ()
    dataset_notes: tuple[str, ...] = ()
    task_notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sentence: str = ""
    train: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    params_say: Mapping[str, str] = field(default_factory=dict)
    near_null: str = ""
    says: str = ""
    demand: float = 0.0
    of_knockouts: bool = True
    unranked_reason: str = ""
    units: Units | None = None
    points: tuple[Points, ...] = ()

    @property
    def place(self) -> str:
        """The dataset in short, with the group that was trained on."""
        return f"{self.short}, trained on {self.train}" if self.train else self.short

    @property
    def words(self) -> str:
        """What the task asks, or its label where it does not say."""
        return self.says or self.task

    @property
    def order(self) -> tuple[float, str]:
        """Sorts tasks, the most demanding first."""
        return -self.demand, self.task

    @property
    def control(self) -> bool:
        """Whether a good score is suspect here: knockouts are asked that have hardly any effect."""
        return bool(self.near_null) and self.of_knockouts

    @property
    def title(self) -> str:
        """The dataset in short, with what it is a control for."""
        return f"{self.place}{CONTROL if self.near_null else ''}"

    @property
    def few(self) -> bool:
        """Whether this is one simulated network, so that the results say nothing of others."""
        return self.kind == "simulated" and self.blocks < ENOUGH

    @cached_property
    def primary(self) -> tuple[Column, ...]:
        """The metrics that rank."""
        return tuple(column for column in self.columns if column.primary)

    @property
    def leading(self) -> tuple[Column, ...]:
        """The metrics that stand first: the primary ones, or a few others where none ranks."""
        return self.primary or self.columns[:LEADING]

    @cached_property
    def permuted(self) -> frozenset[str]:
        """The metrics by which any row has permuted answers."""
        return frozenset(
            name for row in self.rows for name, score in row.scores.items() if score.permuted
        )

    @cached_property
    def has_levels(self) -> bool:
        """Whether somebody looked at any row."""
        return any(row.verified is not None for row in self.rows)

    @cached_property
    def scales(self) -> dict[str, tuple[float, float] | None]:
        """By metric the ends between which rows are drawn, as far as anybody has asked."""
        return {}

    @cached_property
    def predictors(self) -> dict[str, Row]:
        """The rows of predictors by name, in their order."""
        return {row.name: row for row in self.rows if row.role == "predictor"}

    @cached_property
    def ranked(self) -> tuple[Row, ...]:
        """The rows with a rank, best first."""
        return tuple(row for row in self.rows if row.rank is not None)

    @cached_property
    def from_cells(self) -> tuple[Row, ...]:
        """The ranked rows that know the cells alone, best first."""
        return tuple(row for row in self.ranked if not row.prior)

    @cached_property
    def with_prior(self) -> tuple[Row, ...]:
        """The ranked rows with prior knowledge, whose ranks are among themselves, best first."""
        return tuple(row for row in self.ranked if row.prior)

    @cached_property
    def floors(self) -> tuple[Row, ...]:
        """The floors with a score in full."""
        return tuple(row for row in self.rows if row.role == "floor" and row.status == "ok")

    @cached_property
    def lines(self) -> tuple[Row, ...]:
        """The lines with a score in full."""
        return tuple(row for row in self.rows if row.role == "line" and row.status == "ok")

    @cached_property
    def unrankable(self) -> tuple[Row, ...]:
        """Predictors that answered in full where nobody can be ranked."""
        return tuple(
            row
            for row in self.rows
            if self.unranked_reason and row.role == "predictor" and row.status == "ok"
        )

    @cached_property
    def unranked(self) -> tuple[Row, ...]:
        """Rows without a rank that should have had one, and floors and lines that failed."""
        listed = {row.name for row in self.unrankable}
        return tuple(
            row
            for row in self.rows
            if row.rank is None
            and (row.status != "ok" or (row.role == "predictor" and row.name not in listed))
        )


@dataclass(frozen=True)
class Matrix:
    """Predictors x datasets of one task and split.

    Attributes
    ----------
    task, split : str
        Label of the task, name of the split.
    datasets : (d,) tuple of Section
        Their sections.
    predictors : (p,) tuple of str
        Names of the rows, the best first.
    cells : (p, d) tuple of Row, or None
        The row of each predictor on each dataset, None where it was not run.
    """

    task: str
    split: str
    datasets: tuple[Section, ...]
    predictors: tuple[str, ...]
    cells: tuple[tuple[Row | None, ...], ...]

    @property
    def words(self) -> str:
        """What the task asks, or its label where it does not say."""
        return self.datasets[0].words

    @property
    def mixed(self) -> bool:
        """Whether predictors with prior knowledge are among them; they stand last."""
        return any(row.prior for rows in self.cells for row in rows if row)

    def params_say(self, names: Iterable[str]) -> str:
        """`gamma: exponent of that power law; ...` for the parameters that say what they mean."""
        known: dict[str, str] = {}
        for section in self.datasets:
            known = {**section.params_say, **known}
        return "; ".join(f"{visible(name)}: {known[name]}" for name in names if known.get(name))
