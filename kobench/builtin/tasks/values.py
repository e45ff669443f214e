"""What the built-in tasks share: values are finite, free of rounding noise, and counted."""

from __future__ import annotations

import numpy as np

from kobench.api import Answers
from kobench.cells import BoolArray, FloatArray
from kobench.errors import InvalidAnswerError
from kobench.units import TOLERANCE

#: Decimals of impacts that count, a thousandth of the tolerance.
DIGITS = 9


def supported_genes(answers: Answers, n_genes: int) -> BoolArray:
    """(G,) which genes answers cover: all of them where nothing is said."""
    if answers.supported is None:
        return np.ones(n_genes, bool)
    return np.asarray(answers.supported, bool)


def must_be_finite(values: FloatArray, what: str) -> FloatArray:
    """The same values, which must all be finite.

    Parameters
    ----------
    values : array of float, any shape
    what : str
        What the values are, in the plural, for the message ("impacts of supported genes").

    Raises
    ------
    InvalidAnswerError
        With how many of the values are NaN or infinite.
    """
    bad = ~np.isfinite(values)
    if bad.any():
        raise InvalidAnswerError(
            f"{int(bad.sum())} of {bad.size} {what} are not finite; expected none"
        )
    return values


def without_noise(impacts: FloatArray) -> FloatArray:
    """Impacts in which ties are ties.

    Values below `kobench.units.TOLERANCE` are 0, and the last digits, which are rounding noise,
    are taken off: neither may put one event before another.

    Parameters
    ----------
    impacts : array of float, any shape, >= 0

    Returns
    -------
    array of float64, same shape
    """
    values = np.asarray(impacts, np.float64)
    return np.where(values < TOLERANCE, 0.0, np.round(values, DIGITS))


def counted(reasons: dict[str, int]) -> dict[str, int]:
    """The reasons for which anything was left out, without those that count nothing."""
    return {reason: count for reason, count in reasons.items() if count}
