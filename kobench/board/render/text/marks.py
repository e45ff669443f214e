"""The marks of verdicts: one character for what a comparison with the best floor says."""

from __future__ import annotations

from kobench.board.board import Board
from kobench.board.overall import MIXED, UNPROVEN, overall
from kobench.board.row import IMPOSSIBLE, VERDICTS, Row
from kobench.board.sections.called import on_networks
from kobench.board.table import Section
from kobench.board.written import sized

#: What stands in place of a verdict where a score is above what is possible, and nobody says why.
BEYOND = "beyond"

#: The mark of a verdict; where metrics disagree, a word.
MARKS = {
    **{"better": "▲", "same": "≈", "worse": "▼", "": "·", BEYOND: "‼"},
    **{MIXED: MIXED, UNPROVEN: UNPROVEN},
}

#: The same where a verdict rests on one network.
HOLLOW = {**MARKS, "better": "△", "worse": "▽"}

HOLLOW_LEGEND = "hollow: one network only, which says nothing of other networks"


def marks_of(hollow: bool) -> dict[str, str]:
    """The marks to use: hollow ones where verdicts rest on one network."""
    return HOLLOW if hollow else MARKS


def verdict_of(row: Row, metric: str) -> str:
    """A predictor's verdict by a metric.

    Parameters
    ----------
    row : Row
        A row of a section.
    metric : str
        The name of a metric.

    Returns
    -------
    str
        "better", "same" or "worse" than the best floor; `BEYOND`; "" without an interval, and for
        floors and lines.
    """
    score = row.scores.get(metric)
    if row.role != "predictor" or score is None:
        return ""
    return BEYOND if row.suspect else score.verdict


def mark(row: Row, metric: str) -> str:
    """The mark of a predictor's verdict by one metric; nothing for floors and lines."""
    if row.role != "predictor":
        return ""
    score = row.scores.get(metric)
    if score and score.unproven and not row.suspect:
        return UNPROVEN
    return marks_of(row.hollow)[verdict_of(row, metric)]


def row_verdict(section: Section, row: Row) -> str:
    """A row's verdict by all metrics that rank, or `BEYOND`; "" without one."""
    suspect = row.suspect and row.role == "predictor"
    return BEYOND if suspect else overall(section, row)


def row_mark(section: Section, row: Row) -> str:
    """The one mark of a row, by all metrics that rank; nothing for floors and lines."""
    return marks_of(row.hollow)[row_verdict(section, row)] if row.role == "predictor" else ""


def verdict_text(row: Row, metric: str) -> str:
    """A verdict in words, with how far it reaches; "" where there is none."""
    if row.suspect and row.role == "predictor":
        return f"{IMPOSSIBLE}: {row.beyond}"
    text = VERDICTS.get(verdict_of(row, metric), "")
    unseen = row.scores[metric].unseen if text else None
    if unseen is not None:
        seen = "no difference from the best floor seen"
        text = f"{seen}; one of {sized(unseen)} would have been"
    if text and row.hollow:
        return f"{text} {on_networks(row.blocks_done)} ({HOLLOW_LEGEND})"
    return text


def has_hollow(board: Board) -> bool:
    """Whether any mark on the board is hollow."""
    return any(
        row.hollow and verdict_of(row, column.name)
        for section in board.sections
        for row in section.rows
        for column in section.primary
    )


def arrow_of(direction: str) -> str:
    """The arrow to the better end of a metric.

    >>> arrow_of("lower"), arrow_of("higher")
    ('↓', '↑')
    """
    return "↓" if direction == "lower" else "↑"
