"""A record as a whole: one trial, what came out of it, and how it was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.results.about import About
from kobench.results.parts.run import RunInfo
from kobench.results.parts.scores import TaskScores
from kobench.results.parts.trial import Keys, TrialInfo
from kobench.results.typed import Part, older, optional


@dataclass(frozen=True, kw_only=True)
class Result(Part):
    """What came out: the part that is the same whenever the same trial is run.

    Attributes
    ----------
    status : str
        "ok", or one of "failed", "invalid", "timeout", "out-of-memory",
        "too-many-processes", "too-much-written", "disk-full" and
        "unsupported".
    stage : str or None
        Where it failed, null when ok.
    message : str or None
        Why it failed, null when ok; what a limit found this one time is in `run.found`.
    traceback : str or None
        End of the predictor's traceback, null when ok.
    answers : mapping of str to str
        Sha256 of the answers to each question set, by its name.
    trusted_with_predictor : list of str
        Datasets, tasks and metrics here that see the truth and come with the predictor's
        own distribution.
    scores : mapping of str to TaskScores
        The scores of each task, by task label.
    """

    status: str
    stage: str | None
    message: str | None
    traceback: str | None
    answers: Mapping[str, str]
    trusted_with_predictor: Sequence[str] = older(())
    scores: Mapping[str, TaskScores]


@dataclass(frozen=True, kw_only=True)
class Record(Part):
    """What a run leaves behind of one trial.

    Attributes
    ----------
    schema : int
        Number of this format; older files are upgraded step by step, newer ones refused.
    role : str
        "predictor", "floor" (a trivial predictor) or "line" (answers that the dataset
        gives: truth, replicate, gene-oracle).
    trial : TrialInfo
        What was asked of whom.
    keys : Keys
        Hashes of all that decides the result.
    result : Result
        What came out, the same in every run.
    run : RunInfo
        How it was run; may differ between two equal runs.
    about : About
        What a reader of a board is told of the dataset and the tasks.
    seal : str or None
        Sha256 of all the rest, by which a file that was changed afterwards is noticed. It says
        nothing of who wrote it; a published folder has none.
    """

    schema: int
    role: str
    trial: TrialInfo
    keys: Keys
    result: Result
    run: RunInfo
    about: About = older(About())
    seal: str | None = optional()
