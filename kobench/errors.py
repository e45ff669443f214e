"""Errors shown as one sentence instead of a traceback, and how a trial ends that fails."""

from __future__ import annotations

from typing import Any


class UserError(Exception):
    """Something the user asked for or brought cannot be used; the command ends with `exit_code`.

    The message names the thing, the value found, the value expected and what to do next.
    """

    exit_code = 2


class PredictorFailedError(UserError):
    """What was asked for was right, but the predictor raised, ended early or gave a broken
    answer.
    """

    exit_code = 1


class InvalidAnswerError(Exception):
    """A predictor's answer breaks the contract: the trial's status becomes `invalid`."""


#: The statuses of trials that ended before they answered; a record that has none of them is "ok".
STATUSES = (
    "failed",
    "invalid",
    "timeout",
    "out-of-memory",
    "too-many-processes",
    "too-much-written",
    "disk-full",
    "unsupported",
)


#: The same without "unsupported", which nobody can be blamed for: a run in which any of these
#: stands ends with exit code 1.
BAD = STATUSES[:-1]

#: The status that a board gives to a trial whose record contradicts itself; no run ends so.
INCONSISTENT = "inconsistent"

#: The statuses that a board gives to trials of which evidence says that their answers give other
#: scores, or that there are no answers to score.
WRONG, UNVERIFIABLE = "wrong", "unverifiable"

#: What a board shows no score of, because nobody has to believe it.
DISBELIEVED = (INCONSISTENT, WRONG, UNVERIFIABLE)

#: For each status of a trial that passed a limit, the name of that limit.
LIMIT_OF = {
    "timeout": "seconds",
    "out-of-memory": "memory_mb",
    "too-many-processes": "processes",
    "too-much-written": "written_mb",
}


class TrialFailed(Exception):  # noqa: N818 - a result, not a mistake of this program
    """A trial ended early; becomes the status of its record.

    message : the same whenever the trial ends so, on whatever machine. found : the sentence with
    what was measured this time, None where nothing was; it is what a reader is told (`str`). ran :
    JSON for the record's `run` part, filled in by whoever ran it. given : by question set the
    arrays that had been answered before.
    """

    def __init__(
        self,
        status: str,
        stage: str,
        message: str,
        traceback: str | None = None,
        found: str | None = None,
    ) -> None:
        super().__init__(found or message)
        self.status, self.stage, self.message, self.traceback, self.found = (
            status,
            stage,
            message,
            traceback,
            found,
        )
        self.ran: dict[str, Any] = {}
        self.given: dict[str, dict[str, Any]] = {}
