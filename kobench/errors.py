"""The two kinds of error that kobench shows as one sentence instead of a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something the user asked for or brought cannot be used; the command ends with exit code 2.

    The message names the thing, the value found, the value expected and what to do next.
    """


class InvalidAnswerError(Exception):
    """A predictor's answer breaks the contract: the trial's status becomes `invalid`."""
