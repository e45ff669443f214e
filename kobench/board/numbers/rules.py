"""The constants by which a board judges, in one place, with the version of them all.

A board says which version made it; docs/intervals.md has the reasons.
"""

from __future__ import annotations

#: Version of the rules in this file, of the range below, of `kobench.board.numbers.possible`, and
#: of who is said to know the gene (`kobench.board.numbers.permuted`). Boards of another version may
#: print skill, ▲, ▼ and ? elsewhere, from the same records.
RULES = 3

#: The gap between floor and ceiling must be over this share of the metric's range for skill to be
#: printed.
HEADROOM = 0.1

#: An estimated ceiling lies above 0 even where there is nothing to find, because agreement below 0
#: counts as none: 0.11 in the mean of ten planted networks with all labels shuffled. This share of
#: the range comes on top of `HEADROOM` where the ceiling is estimated.
CEILING_BIAS = 0.1

#: A difference is named, as a verdict or a rank, where it is at least this share of the way from
#: the best floor to what can be reached: what a board prints as 0.01 of skill.
NAMED = 0.01

#: A score counts as above what is possible where the interval at this confidence lies above it.
BEYOND = 0.999


def range_of(low: float | None, high: float | None, direction: str) -> float:
    """Width of the range in which floors and ceilings of a metric lie; 1 where it is open.

    Parameters
    ----------
    low, high : float, or None
        The metric's range, as its spec has it.
    direction : "higher" or "lower"
        The better end.

    Notes
    -----
    What knows nothing has a correlation of 0, and no floor counts below that. So a range from -1
    to 1 is one from 0 to 1 here: with 2, a floor above 0.8 would hide every skill.

    >>> range_of(-1.0, 1.0, "higher"), range_of(0.0, 1.0, "lower"), range_of(None, 1.0, "higher")
    (1.0, 1.0, 1.0)
    """
    if low is None or high is None:
        return 1.0
    return high - max(low, 0.0) if direction == "higher" and high > 0 else high - low


def least_gap(span: float, estimated: bool) -> float:
    """What the gap between floor and ceiling must exceed for skill to be printed.

    Parameters
    ----------
    span : float
        Width of the metric's range, see `range_of`.
    estimated : bool
        Whether the ceiling is estimated, as the truth is measured with noise.

    >>> least_gap(1.0, False), least_gap(1.0, True)
    (0.1, 0.2)
    """
    return (HEADROOM + CEILING_BIAS if estimated else HEADROOM) * span


def smallest_named(floor: float, top: float | None, span: float) -> float:
    """The smallest difference from a floor that is named, in the metric's units.

    Parameters
    ----------
    floor : float
        The best floor.
    top : float, or None
        The ceiling, or the score of the truth itself where no ceiling is known.
    span : float
        Width of the metric's range, for where neither is.

    Notes
    -----
    `NAMED` of the way from floor to top; where these all but meet, of a tenth (`HEADROOM`) of the
    larger of the two, so that no difference is named that a board would print as 0.

    >>> smallest_named(0.12, 0.0, 1.0), round(smallest_named(0.8, 0.81, 1.0), 5)
    (0.0012, 0.00081)
    """
    if top is None:
        return NAMED * span
    return NAMED * max(abs(top - floor), HEADROOM * max(abs(top), abs(floor)))
