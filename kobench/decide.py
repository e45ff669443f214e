"""What must be done again for a trial, given its record: the rule behind resuming. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from kobench.plan import Trial
from kobench.records import Record


@dataclass(frozen=True)
class Action:
    """What must be done for a trial: "fit" anew, "ask" again (which fits, too), "score" stored answers, or "nothing"."""

    kind: Literal["fit", "ask", "score", "nothing"]
    asks: tuple[str, ...] = ()
    reason: str = ""
    keep: bool = field(default=True, repr=False)


def decide(trial: Trial, record: Record | None, stored: Collection[str], fresh: bool = False) -> Action:
    """What to do for a trial, given its record and the hashes of the answers that are stored.

    Failures are tried again; a timeout only when the limit was raised; "unsupported" never: asking again changes nothing.
    """
    keys = trial.keys
    if record is None or fresh:
        return Action("fit", trial.asks, "asked for anew" if record else "no record yet", keep=False)
    if record["keys"]["fit"] != keys["fit"]:
        return Action("fit", trial.asks, "the dataset, split, predictor, seed, threads or device is another one", keep=False)
    status = record["result"]["status"]
    if status == "timeout" and not raised(trial.request.timeout, record["run"].get("timeout")):
        return Action("nothing", reason="it reached this time limit before")
    if status in ("failed", "invalid", "out-of-memory", "timeout"):
        return Action("fit", trial.asks, f"it ended as {status}", keep=False)
    if status == "unsupported":
        return Action("nothing", reason="the predictor does not support it")
    missing = tuple(asks for asks in trial.asks if record["keys"]["questions"].get(asks) != keys["questions"][asks])
    if missing:
        return Action("ask", missing, "a question is new or has changed")
    rescored = [task for task in trial.tasks if record["keys"]["scores"].get(task.spec.label) != keys["scores"][task.spec.label]]
    if not rescored:
        return Action("nothing", reason="up to date")
    answers = record["result"]["answers"]
    lost = tuple(dict.fromkeys(task.spec.asks for task in rescored if answers.get(task.spec.asks) not in stored))
    if lost:
        return Action("ask", lost, "the stored answers are gone")
    return Action("score", reason="a task or metric is new or has changed")


def raised(limit: float | None, before: float | None) -> bool:
    """Whether a time limit is now higher than it was."""
    return before is not None and (limit is None or limit > before)
