"""The scores of tasks by metrics, in the `result` part of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.results.typed import Part, older, optional


@dataclass(frozen=True, kw_only=True)
class DrawnValue(Part):
    """A value and what it is when the blocks inside the dataset are drawn again.

    Attributes
    ----------
    value : float or None
        The value, null where there is none.
    draws : (D,) list of float or None
        Values under bootstrap draws, null where a draw gives no value; [] where nothing was
        drawn. Index b is the same draw for every predictor.
    """

    value: float | None
    draws: Sequence[float | None]


@dataclass(frozen=True, kw_only=True)
class PermutedScores(Part):
    """The scores of the same answers, permuted among the perturbations.

    Attributes
    ----------
    mean : float
        Mean score over the permutations.
    sd : float
        Standard deviation of these scores.
    low : float
        Lower end of the middle 95 % of them.
    high : float
        Upper end of the middle 95 % of them.
    p : float
        One-sided, (1 + number that score as well) / (1 + draws), at least 1 / the number of orders.
    draws : int
        Number of permutations.
    scores : (D,) list of float or None
        Scores by the first D permutations, 4 digits; kept of primary metrics, all of them where
        draws inside the dataset are, else 100. Index b is the same permutation of names for every
        predictor and split.
    names : (k,) list of str or None
        The permuted perturbations; there where `scores` are.
    """

    mean: float
    sd: float
    low: float
    high: float
    p: float
    draws: int
    scores: Sequence[float] | None = optional()
    names: Sequence[str] | None = optional()


@dataclass(frozen=True, kw_only=True)
class Calibration(Part):
    """Whether a metric tells what was measured twice from answers that know nothing of it.

    These know no perturbation, or its strength alone. It follows from the truth, whatever was
    answered.

    Attributes
    ----------
    duplicate : float
        Score of the change in one half of the cells against that in the other half.
    control : str
        The best of the answers that know nothing: "permuted", "mean", "direction" or "nothing".
    known : float
        Its score against the same half.
    apart : float
        How far the duplicate is above it, > 0 is better whatever the direction.
    low : float or None
        Lower end of the 95 % interval of that over perturbations, null where there are too few.
    high : float or None
        Upper end of it.
    """

    duplicate: float
    control: str
    known: float
    apart: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class MetricScore(Part):
    """What one metric says of one task's answers.

    Attributes
    ----------
    version : int
        Version of the metric.
    value : float or None
        The score, null where there is none.
    draws : (D,) list of float or None
        Scores under bootstrap draws of the blocks inside the dataset, null where a draw
        gives none; [] where not drawn (secondary metrics, or several networks).
    direction : str
        "higher" or "lower", the better end.
    best : float or None
        Score of the truth itself.
    low : float or None
        Lower end of the metric's range, null where it is open.
    high : float or None
        Upper end of the metric's range, null where it is open.
    nothing : float or None
        Score of the true answer in which nothing responds, of screens of counted cells that of
        the mean response; null where the metric knows none.
    missing : str or None
        Why there is no value: "none" for a constant answer that gives no ranking, "not
        answered", or a sentence; null where there is a value.
    floors : mapping of str to DrawnValue
        Score of each floor on just the units that this predictor answered; {} where it
        answered all.
    sampling_error : float or None
        Standard error of the value by the draw of the events; there where events were
        drawn.
    ceiling : DrawnValue or None
        What an answer without error would score; there where the truth has noise.
    permuted : PermutedScores or None
        The scores of permuted answers; there where the metric offers them.
    over : int or None
        How many perturbations, or other blocks, the value of a primary metric is over; there
        where the metric leaves out some of those that are drawn again.
    calibration : Calibration or None
        Whether the metric tells controls apart here; there in the record of the task's first floor,
        where the truth of responses has noise.
    """

    version: int = older(1)
    value: float | None
    draws: Sequence[float | None]
    direction: str
    best: float | None
    low: float | None
    high: float | None
    nothing: float | None = older()
    missing: str | None
    floors: Mapping[str, DrawnValue]
    sampling_error: float | None = optional()
    ceiling: DrawnValue | None = optional()
    permuted: PermutedScores | None = optional()
    over: int | None = optional()
    calibration: Calibration | None = optional()


@dataclass(frozen=True, kw_only=True)
class DrawnEvents(Part):
    """How many single knockouts were drawn at random.

    Attributes
    ----------
    asked : int
        How many were drawn and asked.
    of : int
        How many there are.
    """

    asked: int
    of: int


@dataclass(frozen=True, kw_only=True)
class DrawnGroups(Part):
    """The groups of cells that belong together (donors, runs), which draws take first.

    Attributes
    ----------
    column : str
        The column of the dataset's cells that names them.
    worth : float or None
        How many groups of one size they are worth, (sum of sizes)^2 / sum of squares; null where
        they are too few, or too unequal, for an interval.
    """

    column: str
    worth: float | None


@dataclass(frozen=True, kw_only=True)
class SampledPoints(Part):
    """A sample of single units, for pictures.

    Attributes
    ----------
    what : str
        The kind of units.
    true : (n,) list of float
        Their true values.
    predicted : (n,) list of float
        Their predicted values.
    """

    what: str
    true: Sequence[float]
    predicted: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class TaskScores(Part):
    """The scores of one task.

    Attributes
    ----------
    task : str
        Name of the task.
    version : int
        Version of the task.
    kind : str
        Kind of its units, "profile", "impact", "ranking", "response", "interaction",
        "screen" or "structure".
    asks : str
        Its question set; an ok record whose `keys.questions` has it but whose scores lack
        the task did not answer it.
    primary : list of str
        Metrics that rank, "name" or "name[variant]"; [] where the truth allows no ranking.
    floors : list of str
        Names of the floors that count.
    lines : list of str
        Names of the reference lines that are drawn.
    block : str
        What is drawn again inside the dataset: "cell", "gene", "perturbation", "pair", or "group"
        where cells are drawn in groups.
    blocks : int or None
        How many of these there are.
    groups : DrawnGroups or None
        Groups of cells; there where `block` is "group".
    blocks_digest : str or None
        Hash of what these are called and of how they are drawn: the draws of splits that have
        it in common are of the same blocks. There where they have names.
    asked : float
        How many units (cells, events, genes, perturbations) were asked.
    answered : float
        How many of them were answered.
    coverage : float or None
        Share of units answered.
    left_out : mapping of str to float
        Reason -> how many units were dropped for everybody, before any answer was seen.
    sampled : int or None
        How many events' full rows were compared, null for all.
    metrics : mapping of str to MetricScore
        Score by each metric, "name" or "name[variant]".
    notes : list of str
        Sentences on what the truth allows, the same for everybody.
    events : DrawnEvents or None
        How many single knockouts were drawn; there where they were.
    table : mapping of str to list of str, bool, int, float or None, or None
        Column -> values, one row a perturbation, gene or pair: what is known of it,
        `predicted` and `score`; kept of predictors on the first network.
    points : SampledPoints or None
        A sample of single units; kept where `table` is.
    """

    task: str
    version: int = older(1)
    kind: str = older("")
    asks: str
    primary: Sequence[str]
    floors: Sequence[str]
    lines: Sequence[str]
    block: str
    blocks: int | None
    groups: DrawnGroups | None = optional()
    blocks_digest: str | None = optional()
    asked: float
    answered: float
    coverage: float | None
    left_out: Mapping[str, float]
    sampled: int | None = older()
    metrics: Mapping[str, MetricScore]
    notes: Sequence[str] = older(())
    events: DrawnEvents | None = optional()
    table: Mapping[str, Sequence[str | bool | int | float | None]] | None = optional()
    points: SampledPoints | None = optional()
