"""What a section is made of: columns, and rows with their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kobench.board.numbers.calibrated import Calibrated
from kobench.board.numbers.intervals import TIE, Interval
from kobench.board.numbers.rules import least_gap, range_of

#: What the paired comparison with the best floor says; "" where there is no interval to say it by.
VERDICTS = {
    "better": "better than the best floor",
    "same": "not told apart from the best floor, or not by enough to name",
    "worse": "worse than the best floor",
}


@dataclass(frozen=True)
class Column:
    """A metric of a section: its facts, the floor that counts for it, and whether skill is printed.

    Attributes
    ----------
    name : str
        The metric as shown, `name` or `name[variant]`.
    version : int
        Its version.
    direction : "higher" or "lower"
        The better end.
    best : float, or None
        The score of the truth itself.
    low, high : float, or None
        The range; None where it is open.
    primary : bool
        Whether it ranks.
    nothing : float, or None
        The score that no floor counts below, None where the metric has none.
    level : str
        What has that score.
    floor : str, or None
        The floor that counts.
    ceiling : float, or None
        What an answer without error scores, its mean over the blocks: `best`, or less where the
        truth has noise; None where that is not known.
    gap : Interval, or None
        How far the ceiling lies above the floor.
    reason : str
        "" where skill is printed, else why not.
    smallest : float
        The smallest difference that is named, in the metric's units.
    decimals : int
        How many are shown, so that the largest value has three digits that say something.
    ranks : bool
        Whether the task names it to rank by, also where it is greyed.
    calibrated : Calibrated, or None
        What it tells apart on this dataset; None where the records do not say.
    """

    name: str
    version: int
    direction: str
    best: float | None
    low: float | None
    high: float | None
    primary: bool
    nothing: float | None = None
    level: str = "doing nothing"
    floor: str | None = None
    ceiling: float | None = None
    gap: Interval | None = None
    reason: str = ""
    smallest: float = 0.0
    decimals: int = 3
    ranks: bool = False
    calibrated: Calibrated | None = None

    @property
    def greyed(self) -> bool:
        """Whether it can't tell controls of known quality apart here."""
        found = self.calibrated
        return found is not None and not found.tells and not found.near_null

    @property
    def span(self) -> float:
        """Width of the range in which floors and ceilings lie; 1 where it is open."""
        return range_of(self.low, self.high, self.direction)

    @property
    def estimated(self) -> bool:
        """Whether the ceiling is estimated: the truth itself is measured with noise."""
        return self.ceiling is not None and (
            self.best is None or abs(self.ceiling - self.best) > TIE
        )

    @property
    def headroom(self) -> float:
        """What the gap must exceed for skill to be printed."""
        return least_gap(self.span, self.estimated)

    @property
    def sign(self) -> float:
        """+1 where higher is better, -1 where lower is."""
        return -1.0 if self.direction == "lower" else 1.0


#: The status of a row that scores above what is possible, which nobody has explained.
IMPOSSIBLE = "above what is possible"

#: A predictor whose permuted answers reach its score with a larger p, among all predictors of the
#: section, is not shown to know which gene was removed.
KNOWS = 0.05


@dataclass(frozen=True)
class Permuted:
    """The score of the same answers given to the wrong perturbations.

    Attributes
    ----------
    mean : float
        Its mean over permutations.
    p : float
        How often permuted answers score as well, one-sided.
    low, high : float, or None
        The middle 95 % of the permutations, None where several networks are taken together.
    networks : int
        How many are.
    among : float, or None
        p among those of all predictors of the section, by Holm's correction; None before that.
    """

    mean: float
    p: float
    low: float | None = None
    high: float | None = None
    networks: int = 1
    among: float | None = None

    @property
    def knows(self) -> bool:
        """Whether the score shows that the predictor knows which gene was removed."""
        return (self.p if self.among is None else self.among) <= KNOWS

    @property
    def one_of_many(self) -> bool:
        """Whether its p would show that, if it were the only predictor of the section."""
        return self.p <= KNOWS and not self.knows


@dataclass(frozen=True)
class Score:
    """One row's score by one metric.

    Attributes
    ----------
    value, low, high : float, or None
        Mean over blocks and its 95 % interval, in the metric's units.
    missing : str
        "" or the reason why there is no value.
    skill, skill_low, skill_high : float, or None
        Share of the gap between floor and ceiling, None where not printed.
    skill_reason : str
        "" or why no skill is printed.
    floor : str, or None
        The floor it is measured against.
    difference : Interval, or None
        Score - floor, > 0 is better whatever the direction; where positive, times the coverage.
    verdict : "better", "same", "worse" or ""
        What the interval of the difference says.
    detectable : float, or None
        The smallest difference from the floor that would have been seen with a power of 80 %.
    permuted : Permuted, or None
        None where nothing was permuted.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    missing: str = ""
    skill: float | None = None
    skill_low: float | None = None
    skill_high: float | None = None
    skill_reason: str = ""
    floor: str | None = None
    difference: Interval | None = None
    verdict: str = ""
    detectable: float | None = None
    permuted: Permuted | None = None

    @property
    def unseen(self) -> float | None:
        """The difference that would have been seen where none was; None where there is a verdict.

        A difference that is too small to name is no lack of power.
        """
        difference = self.difference
        if self.verdict != "same" or difference is None or difference.above or difference.below:
            return None
        return self.detectable

    @property
    def unproven(self) -> bool:
        """Whether it is better than the best floor, yet permuted answers do as well."""
        return self.verdict == "better" and self.permuted is not None and not self.permuted.knows


@dataclass(frozen=True)
class Problem:
    """Why trials of a row have no score.

    Attributes
    ----------
    status, stage, message, traceback : str
        As in their records, see `kobench.results.parts.Result`.
    where : tuple of str
        Which trials: their seeds.
    """

    status: str
    stage: str
    message: str
    traceback: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What a row's trials cost; None where not measured.

    Attributes
    ----------
    fit_seconds, predict_seconds : float, or None
        Mean time of fitting and of answering, s.
    peak_mb : float, or None
        Largest memory, MB.
    elsewhere : bool
        Whether they were measured on another machine than those of the board's own rows.
    """

    fit_seconds: float | None
    predict_seconds: float | None
    peak_mb: float | None
    elsewhere: bool = False


@dataclass(frozen=True)
class Verified:
    """The level that a row has reached, as somebody says.

    Attributes
    ----------
    level : str
        One of `kobench.results.evidence.LEVELS`.
    by, on : str
        Who looked, and on which day.
    checked, of : int
        How many of its records were looked at, and how many there are.
    """

    level: str
    by: str
    on: str
    checked: int
    of: int

    def __str__(self) -> str:
        some = "" if self.checked == self.of else f" {self.checked}/{self.of}"
        return f"{self.level}{some}"


@dataclass(frozen=True)
class Row:
    """A predictor, floor or line in a section.

    Attributes
    ----------
    role : "predictor", "floor" or "line"
        What it is.
    name : str
        What it is called on the board.
    selection, distribution : str
        As in its records.
    versions : tuple of str
        The versions of its distribution.
    status : str
        "ok", "incomplete" (not run on every block), "not answered", "above what is possible", or
        that of its failed trials.
    scores : mapping of str to Score
        By metric.
    coverage : float, or None
        Share of units answered.
    blocks_done : int
        On how many of the section's blocks it has a score in full.
    splits : int
        In how many splits of the same cells it has a score.
    hollow : bool
        Whether this is one simulated network, so that a verdict says nothing of others.
    rank : (int, int), or None
        The ranks it may have, None where not ranked.
    level_with : tuple of str
        The ranked rows that it can't be told apart from.
    best_floor : tuple of str
        The metrics for which it is the floor that counts.
    beyond : str
        "" or why its score is above what is possible.
    problems : tuple of Problem
        Its failed trials.
    remarks : tuple of str
        What a reader should know of it.
    cost : Cost, or None
        None on boards without cost.
    sandbox : str
        "" or what was open to it.
    environment : str
        "" or where it ran, with its Python.
    prior : str
        "" or what it says that it knows beside the cells it was given.
    verified : Verified or None
        None where nobody says that they looked.
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
    splits: int = 1
    hollow: bool = False
    rank: tuple[int, int] | None = None
    level_with: tuple[str, ...] = ()
    best_floor: tuple[str, ...] = ()
    beyond: str = ""
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    cost: Cost | None = None
    sandbox: str = ""
    environment: str = ""
    prior: str = ""
    verified: Verified | None = None

    @property
    def suspect(self) -> bool:
        """Whether it scores above what is possible, and nobody has said why."""
        return self.status == IMPOSSIBLE
