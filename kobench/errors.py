"""The kinds of error that kobench shows as one sentence instead of a traceback."""

from __future__ import annotations


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
