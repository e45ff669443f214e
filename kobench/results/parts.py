"""The parts of a record: one trial, what was asked of whom, what came out, and how it was run.

Every other module reads and writes records through these classes; docs/records.md and
docs/records.schema.json are made from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.results.about import About
from kobench.results.typed import Part, older, optional


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(Part):
    """The dataset of a trial.

    Attributes
    ----------
    name : its name, without parameters
    selection : its canonical selection, `name:key=value,...`; values equal to defaults are left out
    version : version of the data, its cells and truth
    group : the selection without the seed: what simulated networks have in common
    seed : seed of a simulated network, null where the dataset has none
    kind : "simulated", where networks are independent, or "real", where cells are
    truth : "counterfactual", "population" or "none"
    digest : sha256 of the cells as given to predictors
    notes : sentences shown beside every board of this dataset
    """

    name: str
    selection: str
    version: str | int
    group: str
    seed: int | None
    kind: str
    truth: str
    digest: str
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SplitInfo(Part):
    """Which cells were trained on and which were asked.

    Attributes
    ----------
    name : "holdout" (80/20), "halves" (by wild-type halves, for a measured truth), "all" (trains on
        and asks every cell), or "cell-type" and "dataset", which train on one group of cells
    seed : seed of the split
    train : the group of cells that was trained on; there for "cell-type" and "dataset" alone
    """

    name: str
    seed: int
    train: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class PredictorInfo(Part):
    """The predictor, floor or line of a trial.

    Attributes
    ----------
    name : its name, without parameters
    selection : its canonical selection, `name:key=value,...`
    distribution : the installed package that brings it
    version : version of that package
    digest : hash of its source
    environment : name of the environment it lives in; left out for kobench's own interpreter
    """

    name: str
    selection: str
    distribution: str
    version: str | int
    digest: str
    environment: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class TrialInfo(Part):
    """What was asked of whom.

    Attributes
    ----------
    dataset : the dataset
    split : which cells were trained on and which were asked
    predictor : the predictor, floor or line
    fit_seed : seed given to the fit
    threads : number of threads it might use
    device : kind of device, "cpu" or "cuda"
    """

    dataset: DatasetInfo
    split: SplitInfo
    predictor: PredictorInfo
    fit_seed: int
    threads: int
    device: str


@dataclass(frozen=True, kw_only=True)
class Keys(Part):
    """Hashes of all that decides a result: a record is reused only where they agree with the plan.

    Attributes
    ----------
    fit : key of the fit
    questions : key of each question set, by its name
    scores : key of each task's scores, by task label
    """

    fit: str
    questions: Mapping[str, str]
    scores: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class DrawnValue(Part):
    """A value and what it is when the blocks inside the dataset are drawn again.

    Attributes
    ----------
    value : the value, null where there is none
    draws : (D,) values under bootstrap draws, null where a draw gives no value; [] where nothing
        was drawn. Index b is the same draw for every predictor.
    """

    value: float | None
    draws: Sequence[float | None]


@dataclass(frozen=True, kw_only=True)
class PermutedScores(Part):
    """The scores of the same answers, permuted among the perturbations.

    Attributes
    ----------
    mean : mean score over the permutations
    sd : standard deviation of these scores
    low : lower end of the middle 95 % of them
    high : upper end of the middle 95 % of them
    p : one-sided, (1 + number that score as well) / (1 + draws)
    draws : number of permutations
    """

    mean: float
    sd: float
    low: float
    high: float
    p: float
    draws: int


@dataclass(frozen=True, kw_only=True)
class MetricScore(Part):
    """What one metric says of one task's answers.

    Attributes
    ----------
    version : version of the metric
    value : the score, null where there is none
    draws : (D,) scores under bootstrap draws of the blocks inside the dataset, null where a draw
        gives none; [] where not drawn (secondary metrics, or several networks)
    direction : "higher" or "lower", the better end
    best : score of the truth itself
    low : lower end of the metric's range, null where it is open
    high : upper end of the metric's range, null where it is open
    nothing : score of the true answer in which nothing responds, null where the metric knows none
    missing : why there is no value: "none" for a constant answer that gives no ranking, "not
        answered", or a sentence; null where there is a value
    floors : score of each floor on just the units that this predictor answered; {} where it
        answered all
    sampling_error : standard error of the value by the draw of the events; there where events were
        drawn
    ceiling : what an answer without error would score; there where the truth has noise
    permuted : the scores of permuted answers; there where the metric offers them
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


@dataclass(frozen=True, kw_only=True)
class DrawnEvents(Part):
    """How many single knockouts were drawn at random.

    Attributes
    ----------
    asked : how many were drawn and asked
    of : how many there are
    """

    asked: int
    of: int


@dataclass(frozen=True, kw_only=True)
class SampledPoints(Part):
    """A sample of single units, for pictures.

    Attributes
    ----------
    what : the kind of units
    true : (n,) their true values
    predicted : (n,) their predicted values
    """

    what: str
    true: Sequence[float]
    predicted: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class TaskScores(Part):
    """The scores of one task.

    Attributes
    ----------
    task : name of the task
    version : version of the task
    kind : kind of its units, "profile", "impact", "ranking", "response" or "interaction"
    asks : its question set; an ok record whose `keys.questions` has it but whose scores lack the
        task did not answer it
    primary : metrics that rank, "name" or "name[variant]"; [] where the truth allows no ranking
    floors : names of the floors that count
    lines : names of the reference lines that are drawn
    block : what is drawn again inside the dataset: "cell", "gene", "perturbation" or "pair"
    blocks : how many of these there are
    asked : how many units (cells, events, genes, perturbations) were asked
    answered : how many of them were answered
    coverage : share of units answered
    left_out : reason -> how many units were dropped for everybody, before any answer was seen
    sampled : how many events' full rows were compared, null for all
    metrics : score by each metric, "name" or "name[variant]"
    notes : sentences on what the truth allows, the same for everybody
    events : how many single knockouts were drawn; there where they were
    table : column -> values, one row a perturbation, gene or pair: what is known of it, `predicted`
        and `score`; kept of predictors on the first network
    points : a sample of single units; kept where `table` is
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


@dataclass(frozen=True, kw_only=True)
class Result(Part):
    """What came out: the part that is the same whenever the same trial is run.

    Attributes
    ----------
    status : "ok", or one of "failed", "invalid", "timeout", "out-of-memory", "too-many-processes",
        "too-much-written" and "unsupported"
    stage : where it failed, null when ok
    message : why it failed, null when ok; what a limit found this one time is in `run.found`
    traceback : end of the predictor's traceback, null when ok
    answers : sha256 of the answers to each question set, by its name
    trusted_with_predictor : datasets, tasks and metrics here that see the truth and come with the
        predictor's own distribution
    scores : the scores of each task, by task label
    """

    status: str
    stage: str | None
    message: str | None
    traceback: str | None
    answers: Mapping[str, str]
    trusted_with_predictor: Sequence[str] = older(())
    scores: Mapping[str, TaskScores]


@dataclass(frozen=True, kw_only=True)
class RunLimits(Part):
    """What a trial might use at most; null for no limit.

    Attributes
    ----------
    seconds : wall-clock time, s
    memory_mb : memory of all its processes, MB
    processes : number of processes
    written_mb : bytes written to files, MB
    """

    seconds: float | None = older()
    memory_mb: float | None = older()
    processes: float | None = older()
    written_mb: float | None = older()


@dataclass(frozen=True, kw_only=True)
class RunSandbox(Part):
    """The sandbox in which a predictor's process ran.

    Attributes
    ----------
    mode : "auto", "require" or "off"
    layers : layer -> true, or why it was not there
    readable : more folders that the predictor could read
    """

    mode: str
    layers: Mapping[str, bool | str]
    readable: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RunEnvironment(Part):
    """The environment in which a predictor's process ran.

    Attributes
    ----------
    name : its name
    python : its version of Python
    packages : version of each installed package
    """

    name: str
    python: str
    packages: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RunInfo(Part):
    """How a trial was run: all that may differ between two equal runs.

    Attributes
    ----------
    fit_seconds : wall-clock time of the fit, s
    predict_seconds : wall-clock time of all answers, s
    peak_mb : largest memory held, MB
    timeout : time limit of older records, s; now `limits.seconds`
    limits : what the trial might use; older records lack it
    found : the sentence with what was measured, where a limit was passed
    sandbox : the sandbox of its process; null where no process was started
    output : end of what it printed, null for nothing
    environment : its environment, null for kobench's own interpreter
    started : when it started, ISO 8601, UTC
    host : name of the machine
    platform : operating system and kernel
    python : version of Python in which the predictor ran
    cpu_count : number of CPU cores of the machine
    kobench : version of kobench
    packages : versions of the packages that were installed where the predictor ran
    """

    fit_seconds: float | None = optional()
    predict_seconds: float | None = optional()
    peak_mb: float | None = optional()
    timeout: float | None = optional()
    limits: RunLimits | None = optional()
    found: str | None = optional()
    sandbox: RunSandbox | None = optional()
    output: str | None = optional()
    environment: RunEnvironment | None = optional()
    started: str | None = optional()
    host: str | None = optional()
    platform: str | None = optional()
    python: str | None = optional()
    cpu_count: int | None = optional()
    kobench: str | None = optional()
    packages: Mapping[str, str] | None = optional()


@dataclass(frozen=True, kw_only=True)
class Record(Part):
    """What a run leaves behind of one trial.

    Attributes
    ----------
    schema : number of this format; older files are upgraded step by step, newer ones refused
    role : "predictor", "floor" (a trivial predictor) or "line" (answers that the dataset gives:
        truth, replicate, gene-oracle)
    trial : what was asked of whom
    keys : hashes of all that decides the result
    result : what came out, the same in every run
    run : how it was run; may differ between two equal runs
    about : what a reader of a board is told of the dataset and the tasks
    """

    schema: int
    role: str
    trial: TrialInfo
    keys: Keys
    result: Result
    run: RunInfo
    about: About = older(About())
