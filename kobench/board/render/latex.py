"""The board as LaTeX tables (booktabs), one a section."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.board import Board
from kobench.board.render.text.marks import HOLLOW_LEGEND, has_hollow, row_mark
from kobench.board.render.text.section import heading, said_of, why_unranked
from kobench.board.render.text.values import (
    COSTS,
    KNOWS_HEAD,
    cost_texts,
    coverage_text,
    has_permuted,
    knows_text,
    rank_text,
    skill_text,
    value_text,
)
from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.words import APART

#: Characters that LaTeX reads otherwise, and those that its usual fonts lack.
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "▲": r"$\uparrow$",
    "≈": r"$\approx$",
    "▼": r"$\downarrow$",
    "·": r"$\cdot$",
    "◆": r"$\diamond$",
    "×": r"$\times$",
    "△": r"$\bigtriangleup$",
    "▽": r"$\bigtriangledown$",
    "σ": r"$\sigma$",
    "γ": r"$\gamma$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "±": r"$\pm$",
    "–": "--",
    "−": "$-$",
}

#: Marks that a table shows otherwise than `escape` does.
MARKS = {"▲": "$+$", "▼": "$-$", "·": ""}


def escape(text: str) -> str:
    """Text that LaTeX sets as it is.

    >>> print(escape("50 % of a_b <c>"))
    50 \\% of a\\_b \\textless{}c\\textgreater{}
    """
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def render(board: Board) -> str:
    """Tables to \\input into a document that loads booktabs."""
    lines = [
        r"% needs \usepackage[T1]{fontenc} and \usepackage{booktabs}; $+$: better than the best"
        r" floor, $-$: worse"
    ]
    if has_hollow(board):
        lines.append(rf"% $\bigtriangleup$, $\bigtriangledown$: the same, {HOLLOW_LEGEND}")
    for section in board.sections:
        lines += ["", *section_lines(board, section)]
    return "\n".join(lines) + "\n"


def section_lines(board: Board, section: Section) -> list[str]:
    """One table environment: its caption is the section's sentence."""
    heads = heads_of(board, section)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(caption(section))}}}",
        rf"\begin{{tabular}}{{rl{'r' * (len(heads) - 2)}}}",
        r"\toprule",
        row_line(heads),
    ]
    parts = (
        ("", section.from_cells),
        (APART, section.with_prior),
        ("", section.unrankable),
        ("floors", section.floors),
        ("lines", section.lines),
        ("not ranked", section.unranked),
    )
    for title, rows in parts:
        if rows:
            lines.append(r"\midrule")
        if rows and title:
            lines.append(row_line([rf"\multicolumn{{{len(heads)}}}{{l}}{{\emph{{{title}}}}}"]))
        lines += [table_row(board, section, row) for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    below = [f"{row.name}: {why_unranked(row)}." for row in section.unranked]
    below += [f"{row.name}: {remark}." for row in section.ranked for remark in row.remarks]
    below += [*section.dataset_notes, *board.remarks]
    below += [board.seeds] if section.kind == "simulated" and board.seeds else []
    lines += [rf"\par\footnotesize {escape(text)}" for text in below]
    return [*lines, r"\end{table}"]


def caption(section: Section) -> str:
    """What a table shows, the result in words, and what its numbers stand on."""
    text = (
        f"{heading(section)}. {section.sentence} {' '.join(section.warnings)}"
        f" {'. '.join(said_of(section))}."
    )
    if any(row.hollow for row in section.ranked):
        text += f" △ better, ≈ level, ▽ worse than the best floor; {HOLLOW_LEGEND}."
    return text


def heads_of(board: Board, section: Section) -> list[str]:
    """The heads of the columns, in the order of `table_row`."""
    heads = ["rank", "predictor", ""]
    for i, column in enumerate(section.leading):
        heads += [metric_head(column), "skill"]
        if i == 0:
            heads.append("coverage")
        if has_permuted(section, column):
            heads.append(KNOWS_HEAD)
    return [*heads, *COSTS] if board.cost else heads


def metric_head(column: Column) -> str:
    """The metric's name with the direction that is better."""
    arrow = r"$\downarrow$" if column.direction == "lower" else r"$\uparrow$"
    return f"{escape(column.name)} {arrow}"


def row_line(cells: Sequence[str]) -> str:
    """One line of a tabular."""
    return " & ".join(cells) + r" \\"


def table_row(board: Board, section: Section, row: Row) -> str:
    """One row: rank, predictor, mark, scores, cost."""
    name, sign = escape(row.name), ""
    if section.leading:
        metric = section.leading[0].name
        if metric in row.best_floor:
            name = rf"\textbf{{{name}}} (best)"
        one = row_mark(section, row)
        sign = MARKS.get(one, escape(one))
    cells = [escape(rank_text(row)).replace("-", "--"), name, sign]
    for i, column in enumerate(section.leading):
        score = row.scores.get(column.name)
        cells += [escape(value_text(score, column)), escape(skill_text(score))]
        if i == 0:
            cells.append(escape(coverage_text(row)))
        if has_permuted(section, column):
            cells.append(escape(knows_text(score, column, section.control)))
    if board.cost:
        cells += cost_texts(row.cost)
    return row_line(cells)
