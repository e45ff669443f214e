"""What is said around the table of a section: its heading, why rows have no rank, its notes."""

from __future__ import annotations

from kobench.board.board import Board
from kobench.board.row import Problem, Row
from kobench.board.table import CONTROL, Section
from kobench.board.written import spoken
from kobench.util.text import one_line


def asked(section: Section) -> str:
    """What the task asks in words; "" for a task that has none."""
    return section.words if section.words != section.task else ""


def heading(section: Section) -> str:
    """Task, dataset and split in one line, with the group that was trained on."""
    words = asked(section)
    question = f": {words[:1].lower()}{words[1:]}" if words else ""
    return (
        f"{section.task} on {section.dataset}{CONTROL if section.near_null else ''}, split"
        f" {section.split}{trained_on(section)}{question}"
    )


def trained_on(section: Section) -> str:
    """The group of cells that was trained on: `, trained on rod`, or nothing."""
    return f", trained on {section.train}" if section.train else ""


def said_of(section: Section) -> list[str]:
    """What the intervals stand for and what was asked, then what the task says of the truth."""
    return [interval_line(section), *section.task_notes]


def interval_line(section: Section) -> str:
    """What the intervals stand for, and what was asked."""
    if section.label.endswith("so no interval"):
        return "; ".join(["No intervals", *section.remarks])
    return "; ".join([f"Intervals (95 %) over {section.label}", *section.remarks])


def notes_here(board: Board, section: Section) -> tuple[str, ...]:
    """A dataset's notes below the first of its sections: they are the same for all of them."""
    about = section.dataset, section.dataset_notes
    first = next(other for other in board.sections if (other.dataset, other.dataset_notes) == about)
    return section.dataset_notes if section is first else ()


def scored_without_rank(section: Section) -> tuple[Row, ...]:
    """Rows without a rank that have a value all the same, by some metric."""
    return tuple(
        row
        for row in section.unranked
        if any(score.value is not None for score in row.scores.values())
    )


def unranked(section: Section) -> dict[str, list[str]]:
    """Why rows have no rank -> the names of those rows."""
    found: dict[str, list[str]] = {}
    for row in section.unranked:
        found.setdefault(why_unranked(row), []).append(row.name)
    return found


def on_rows(section: Section) -> list[str]:
    """The remarks on ranked rows, each once, with the names of all rows that it is on."""
    found: dict[str, list[str]] = {}
    for row in section.ranked:
        for remark in row.remarks:
            found.setdefault(remark, []).append(row.name)
    return [f"{spoken(names)}: {remark}" for remark, names in found.items()]


def why_unranked(row: Row) -> str:
    """Everything that explains why a row has no rank."""
    said = [*map(problem_text, row.problems), *row.remarks]
    return "; ".join(said or [row.status])


def problem_text(problem: Problem) -> str:
    """One line: `failed in fit: message (3 trials: seed 0, fit seed 0; ...)`."""
    stage = f" in {problem.stage}" if problem.stage else ""
    message = one_line(problem.message) or one_line(last_line(problem.traceback)) or "no message"
    places = "; ".join(problem.where[:3]) + ("; ..." if len(problem.where) > 3 else "")
    count = f"{len(problem.where)} trials: " if len(problem.where) > 1 else ""
    return f"{problem.status}{stage}: {message} ({count}{places})"


def last_line(text: str) -> str:
    """The last line of a traceback that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
