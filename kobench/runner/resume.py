"""What must be done again for a trial, given its record: the rule behind resuming. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from kobench.errors import BAD, LIMIT_OF
from kobench.question import SETS
from kobench.results.parts import Record
from kobench.runner.keys import Trial
from kobench.supervisor.limits import FLAGS, raised


@dataclass(frozen=True)
class Action:
    """What must be done for a trial.

    Attributes
    ----------
    kind : str
        "fit" anew, "ask" again (which fits, too), "score" stored answers, or "nothing".
    asks : tuple of str
        The question sets that are asked.
    reason : str
        Why, for a reader.
    keep : bool
        Whether answers and scores of the earlier record are kept.
    goes_on : bool
        Whether it goes on with a trial that was asked a part before, and adds to its cost.
    """

    kind: Literal["fit", "ask", "score", "nothing"]
    asks: tuple[str, ...] = ()
    reason: str = ""
    keep: bool = field(default=True, repr=False)
    goes_on: bool = field(default=False, repr=False)


class Policy(Enum):
    """Which records of earlier runs still count."""

    #: Those that still answer their trial; a failure is tried again.
    RESUME = "resume"
    #: None: everything is done anew.
    FRESH = "fresh"


def decide(
    trial: Trial,
    record: Record | None,
    stored: Collection[str],
    policy: Policy = Policy.RESUME,
) -> Action:
    """What to do for a trial.

    Failures are tried again, but for what was answered by assemblage alone: whoever has then been
    shown the expression of these cells could answer better. What passed a limit is tried again only
    when that limit was raised, what is "unsupported" never: asking again would change nothing.

    Parameters
    ----------
    trial : Trial
        The trial as it is planned now.
    record : Record or None
        Its record, where there is one.
    stored : collection of str
        Hashes of the answers that are stored.
    policy : Policy
        Whether records count at all.
    """
    if record is None:
        return Action("fit", trial.asks, "no record yet", keep=False)
    if policy is Policy.FRESH:
        return Action("fit", trial.asks, "asked for anew", keep=False)
    keys = trial.keys
    if record.keys.fit != keys.fit:
        why = "the dataset, split, predictor, --readable, seed, threads or device is another one"
        return Action("fit", trial.asks, why, keep=False)
    status = record.result.status
    if passed_a_limit(record) and not raised(status, trial.request.limits, limits_of(record)):
        return Action("nothing", reason=f"it passed this limit before ({FLAGS[LIMIT_OF[status]]})")
    if status in BAD:
        final = answered_for_good(trial, record, stored)
        left = tuple(name for name in trial.asks if name not in final)
        if final and left:
            why = f"it ended as {status}; what it answered by assemblage alone stands"
            return Action("ask", left, why, goes_on=True)
        return Action("fit", trial.asks, f"it ended as {status}", keep=False)
    if status == "unsupported":
        return Action("nothing", reason="the predictor does not support it")
    missing = tuple(
        asks for asks in trial.asks if record.keys.questions.get(asks) != keys.questions[asks]
    )
    if missing:
        return Action("ask", missing, "a question is new or has changed")
    rescored = [
        task
        for task in trial.tasks
        if record.keys.scores.get(task.spec.label) != keys.scores[task.spec.label]
    ]
    if not rescored:
        return Action("nothing", reason="up to date")
    answers = record.result.answers
    lost = tuple(
        dict.fromkeys(
            task.spec.asks for task in rescored if answers.get(task.spec.asks) not in stored
        )
    )
    if lost:
        return Action("ask", lost, "the stored answers are gone")
    return Action("score", reason="a task or metric is new or has changed")


def answered_for_good(trial: Trial, record: Record, stored: Collection[str]) -> list[str]:
    """The question sets by assemblage alone that a trial had answered before it failed."""
    return [
        name
        for name in trial.asks
        if SETS[name].by_assemblage
        and record.keys.questions.get(name) == trial.keys.questions[name]
        and record.result.answers.get(name) in stored
    ]


def passed_a_limit(record: Record) -> bool:
    """Whether a limit ended the trial; a predictor may run out of memory below it, too."""
    status = record.result.status
    return status in LIMIT_OF and (status != "out-of-memory" or bool(record.run.found))


def limits_of(record: Record) -> dict[str, Any]:
    """The limits that a record's trial had, by name; older records have the time limit alone."""
    limits = record.run.limits
    return {"seconds": record.run.timeout} if limits is None else limits.to_json()
