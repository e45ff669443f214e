"""`README.md` of a submission: what the method is, and its scores beside the floors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kobench.board.board import Board
from kobench.board.render.markdown.elements import escape, table_lines
from kobench.board.render.text.marks import row_mark
from kobench.board.render.text.values import arrow, skill_text, value_text
from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.written import bracket, number
from kobench.submit.specification import LOCK, Submission

#: The heads of the table of results.
HEADS = ("dataset", "task", "metric", "score", "best floor", "difference", "skill", "")

#: What is said of networks whose secret seed was known.
SEED_KNOWN = (
    "The secret seed of the board's networks was published before these runs, so the method could"
    " have been made for them. The board says so beside its rows."
)


def text_of(submission: Submission, board: Board) -> str:
    """The Markdown text.

    Parameters
    ----------
    submission : Submission
        What is submitted.
    board : Board
        The board with its rows.
    """
    method, source = submission.method, submission.source
    at = f", commit {source.commit}" if source.commit else ""
    at += f", in {source.folder}" if source.folder else ""
    at += " (with changes that no commit has)" if source.changed else ""
    facts = [
        ("distribution", f"{method.distribution} {method.version}".strip()),
        ("code", method.digest[:16]),
        ("source", f"{source.address}{at}"),
        ("licence", submission.licence),
        ("reference", submission.reference or ""),
        ("knows beside the cells", method.prior or ""),
        ("developed on", ", ".join(method.developed_on or ())),
        ("tuned on", ", ".join(submission.tuned_on or ())),
        ("environment", environment_of(submission)),
        ("run by", f"kobench {', '.join(submission.kobench)}"),
        ("took", took(submission)),
        ("compared with", compared_with(submission)),
    ]
    lines = [f"# {escape(method.selection)}", ""]
    lines += table_lines(("", ""), [fact for fact in facts if fact[1]])
    if submission.seed_known:
        lines += [SEED_KNOWN, ""]
    lines += ["## Results", ""]
    rows = list(results(board, method.selection, method.distribution))
    lines += table_lines(HEADS, rows)
    lines += [
        "▲ better than the best floor, ≈ not told apart from it, ▼ worse, · no verdict; 95 %"
        " intervals. Skill: 0 is the best floor, 1 the truth.",
        "",
        "## Make it again",
        "",
        "```bash",
        *submission.command,
        "```",
    ]
    return "\n".join(lines) + "\n"


def environment_of(submission: Submission) -> str:
    """Python, and where the versions of packages stand."""
    where = f"Python {submission.python}"
    if submission.method.environment:
        where = f"{submission.method.environment}, {where}"
    return f"{where}; {LOCK} has its packages" if submission.lock else where


def took(submission: Submission) -> str:
    """How long its trials took, and their memory."""
    cost = submission.cost
    said = f"{cost.trials} trials, {cost.seconds:.3g} s in all"
    return said if cost.peak_mb is None else f"{said}, {cost.peak_mb:,.0f} MB at most"


def compared_with(submission: Submission) -> str:
    """The board, and its state."""
    board = submission.board
    suite = f", suite {board.suite}" if board.suite else ""
    return f"{board.name}{suite} ({board.records} records, sha256 {board.digest[:16]})"


def own_rows(board: Board, selection: str, distribution: str) -> Iterator[tuple[Section, Row]]:
    """The rows of a method, each with its section."""
    for section in board.sections:
        for row in section.rows:
            if (row.role, row.selection, row.distribution) == (
                "predictor",
                selection,
                distribution,
            ):
                yield section, row


def results(board: Board, selection: str, distribution: str) -> Iterator[Sequence[str]]:
    """The scores of a method by the metrics that rank, each beside that of the best floor."""
    for section, row in own_rows(board, selection, distribution):
        for number_, column in enumerate(section.leading):
            yield cells(section, row, column, first=number_ == 0)


def cells(section: Section, row: Row, column: Column, first: bool) -> Sequence[str]:
    """One line of the table of results."""
    score = row.scores.get(column.name)
    floors = [floor for floor in section.floors if floor.name == column.floor]
    floor = f"{floors[0].name} {value_text(floors[0].scores.get(column.name), column, False)}"
    gain = score.difference if score else None
    difference = (
        f"{number(gain.value, column.decimals)} {bracket(gain.low, gain.high, column.decimals)}"
        if gain is not None
        else "-"
    )
    status = "" if row.status == "ok" else row.status
    return (
        section.place if first else "",
        section.task if first else "",
        arrow(column),
        status or value_text(score, column),
        floor if floors else "-",
        difference.strip(),
        "-" if status else skill_text(score),
        row_mark(section, row) if first else "",
    )
