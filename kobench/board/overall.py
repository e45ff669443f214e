"""What a row's comparisons with the best floor say together: one verdict by all metrics that rank.

A task may rank by several metrics, and they may disagree. So a row is better than the best floor
only where it is so by every one of them, and where it is by some a word says so in place of a mark.
"""

from __future__ import annotations

from kobench.board.row import Row
from kobench.board.table import Section

#: Better than the best floor by one of the metrics, and not by another.
MIXED = "mixed"

#: Better by all of them, yet its answers score as well where they are given to the wrong genes.
UNPROVEN = "unproven"


def overall(section: Section, row: Row) -> str:
    """One verdict of a row by all primary metrics of a section.

    Parameters
    ----------
    section : Section
        The section.
    row : Row
        One of its rows.

    Returns
    -------
    str
        "better" by every metric; `MIXED` by one of them, and not by another; `UNPROVEN` by every
        metric, and by one of them permuted answers do as well; "worse" by one of them at least,
        and better by none; "same" by all. "" for whoever is not ranked, where a metric has no
        interval, and for floors and lines.
    """
    if row.role != "predictor" or row.rank is None:
        return ""
    scores = [row.scores.get(column.name) for column in section.primary]
    verdicts = [score.verdict if score else "" for score in scores]
    if verdicts and set(verdicts) == {"better"}:
        unproven = any(score is not None and score.unproven for score in scores)
        return UNPROVEN if unproven else "better"
    if "better" in verdicts:
        return MIXED
    if "worse" in verdicts:
        return "worse"
    return "same" if set(verdicts) == {"same"} else ""
