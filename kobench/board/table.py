"""The leaderboard as plain frozen records: what `kobench.board` makes of trial records and
`kobench.board.render` writes down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kobench.board.numbers.intervals import ENOUGH, Interval

#: Metrics shown first where no primary metric ranks.
LEADING = 2

#: Beside the name of a dataset whose knockouts have hardly any effect.
CONTROL = " (near-null control)"

#: What the paired comparison with the best floor says; "" where there is no interval to say it by.
VERDICTS = {
    "better": "better than the best trivial predictor",
    "same": "can't be told apart from the best trivial predictor",
    "worse": "worse than the best trivial predictor",
}


@dataclass(frozen=True)
class Column:
    """A metric of a section: its facts, the floor that counts for it, and whether the floor leaves
    headroom.

    nothing : the value of doing nothing, None where the metric has none. ceiling : what an answer
    without error scores, its mean over the blocks: `best`, or less where the truth has noise; None
    where that is not known. gap : how far it lies above the best floor. note : "" where skill is
    printed, else why not. decimals : how many to show, so that the largest value has three digits
    that say something.
    """

    name: str
    version: int
    direction: str
    best: float | None
    low: float | None
    high: float | None
    primary: bool
    nothing: float | None = None
    floor: str | None = None
    ceiling: float | None = None
    gap: Interval | None = None
    note: str = ""
    decimals: int = 3

    @property
    def span(self) -> float:
        """Width of the metric's range; 1 where it is open."""
        return 1.0 if self.low is None or self.high is None else self.high - self.low

    @property
    def sign(self) -> float:
        """+1 where higher is better, -1 where lower is."""
        return -1.0 if self.direction == "lower" else 1.0


#: A predictor whose permuted answers reach its score with a larger p is not shown to know which
#: gene was removed.
KNOWS = 0.05


@dataclass(frozen=True)
class Permuted:
    """The score of the same answers given to the wrong perturbations: its mean over permutations,
    and p, how often these do as well.

    low, high : the middle 95 % of the permutations, None where several networks are taken together.
    networks : how many are.
    """

    mean: float
    p: float
    low: float | None = None
    high: float | None = None
    networks: int = 1

    @property
    def knows(self) -> bool:
        """Whether the score shows that the predictor knows which gene was removed."""
        return self.p <= KNOWS


@dataclass(frozen=True)
class Score:
    """One row's score by one metric.

    value, low, high : mean over blocks and 95 % interval, in the metric's units. missing : "" or
    why there is no value. skill, skill_low, skill_high : None where not printed; skill_note : why
    not. floor : the floor it is measured against. difference : score - floor, > 0 is better
    whatever the direction; where positive, times the coverage. verdict : from its interval.
    permuted : None where nothing was permuted.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    missing: str = ""
    skill: float | None = None
    skill_low: float | None = None
    skill_high: float | None = None
    skill_note: str = ""
    floor: str | None = None
    difference: Interval | None = None
    verdict: str = ""
    permuted: Permuted | None = None

    @property
    def unproven(self) -> bool:
        """Whether it is better than the best floor, yet permuted answers do as well."""
        return self.verdict == "better" and self.permuted is not None and not self.permuted.knows


@dataclass(frozen=True)
class Problem:
    """Why trials of a row have no score: their status, stage, message, traceback's tail, how many,
    and where.
    """

    status: str
    stage: str
    message: str
    traceback: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """Mean seconds of fitting and of answering, and the largest peak memory in MB, over a row's
    trials; None where not measured.
    """

    fit_seconds: float | None
    predict_seconds: float | None
    peak_mb: float | None


@dataclass(frozen=True)
class Row:
    """A predictor, floor or line in a section.

    status : "ok", "incomplete" (not run on every block), "not answered", or that of its failed
    trials. rank : (low, high), None where not ranked. level_with : names of the ranked rows that it
    can't be told apart from. coverage : share of units answered. blocks_done : on how many of the
    section's blocks it has a score in full. hollow : whether this is one simulated network, so that
    a verdict says nothing of others. best_floor : the metrics for which it is the floor that
    counts. remarks : what a reader should know of the row. sandbox : "" or what was open to it.
    environment : "" or where it ran, with its Python.
    """

    role: str
    name: str
    selection: str
    distribution: str
    versions: tuple[str, ...]
    status: str
    scores: Mapping[str, Score]
    coverage: float | None
    blocks_done: int
    hollow: bool = False
    rank: tuple[int, int] | None = None
    level_with: tuple[str, ...] = ()
    best_floor: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    cost: Cost | None = None
    sandbox: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Units:
    """The units of a section one by one: perturbations, genes, pairs or groups of cells.

    unit : what a row stands for, the name of the first column. of : "" or the network that the
    table is of, out of how many. names : (n,) the units. facts : column -> (n,) what the truth says
    of each, the same for everybody. answers : row name -> column -> (n,) what each predictor said,
    and how it scored; None where it said nothing.
    """

    unit: str
    of: str
    names: tuple[str, ...]
    facts: Mapping[str, tuple[Any, ...]]
    answers: Mapping[str, Mapping[str, tuple[Any, ...]]]


@dataclass(frozen=True)
class Points:
    """A fixed sample of predicted and true values (n,) of one predictor. what : what is predicted.
    of : see `Units`.
    """

    predictor: str
    what: str
    of: str
    true: tuple[float, ...]
    predicted: tuple[float, ...]


@dataclass(frozen=True)
class Section:
    """One dataset, split and task.

    `rows` come in the order shown: ranked, floors, lines, then what could not be ranked.

    dataset : canonical selection without the seed; short : the same without what all datasets of
    that name share. train : "" or the group of cells that was trained on. params : the dataset's
    parameters; params_say : what they mean. near_null : "" or why its knockouts have hardly any
    effect. says, demand, of_knockouts : see `kobench.results.about.TaskAbout`. blocks : how many independent units; label : what the intervals stand for. sentence
    : the result in words. unranked_why : "" or why nobody has a rank here. said : sentences on what
    the truth allows. units, points : for tables and pictures.
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
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sentence: str = ""
    train: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    params_say: Mapping[str, str] = field(default_factory=dict)
    near_null: str = ""
    says: str = ""
    demand: float = 0.0
    of_knockouts: bool = True
    unranked_why: str = ""
    said: tuple[str, ...] = ()
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

    @property
    def primary(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.primary)

    @property
    def leading(self) -> tuple[Column, ...]:
        """The metrics that stand first: the primary ones, or a few others where none ranks."""
        return self.primary or self.columns[:LEADING]

    @property
    def ranked(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.rank is not None)

    @property
    def floors(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.role == "floor" and row.status == "ok")

    @property
    def lines(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.role == "line" and row.status == "ok")

    @property
    def unrankable(self) -> tuple[Row, ...]:
        """Predictors that answered in full where nobody can be ranked."""
        return tuple(
            row
            for row in self.rows
            if self.unranked_why and row.role == "predictor" and row.status == "ok"
        )

    @property
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
    """Predictors x datasets of one task and split: `cells[predictor][dataset]` is its row there,
    None where it was not run.
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

    def params_say(self, names: Iterable[str]) -> str:
        """`gamma: exponent of that power law; ...` for the parameters that say what they mean."""
        known: dict[str, str] = {}
        for section in self.datasets:
            known = {**section.params_say, **known}
        return "; ".join(f"{name}: {known[name]}" for name in names if known.get(name))
