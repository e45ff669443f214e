"""The board as LaTeX tables (booktabs), one a section."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.render.text import (
    COSTS,
    HOLLOW_LEGEND,
    KNOWS_HEAD,
    cost_texts,
    coverage_text,
    has_hollow,
    has_permuted,
    heading,
    knows_text,
    mark,
    rank_text,
    said_of,
    skill_text,
    value_text,
    why_unranked,
)
from kobench.board.table import Board, Column, Row, Section

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


def metric_head(column: Column) -> str:
    """The metric's name with the direction that is better."""
    return escape(column.name) + (
        r" $\downarrow$" if column.direction == "lower" else r" $\uparrow$"
    )


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
    lines = [r"\begin{table}", r"\centering"]
    about = (
        f"{heading(section)}. {section.sentence} {' '.join(section.warnings)}"
        f" {'. '.join(said_of(section))}."
    )
    if any(row.hollow for row in section.ranked):
        about += f" △ better, ≈ level, ▽ worse than the best floor; {HOLLOW_LEGEND}."
    lines.append(rf"\caption{{{escape(about)}}}")
    head = ["rank", "predictor", ""]
    for i, column in enumerate(section.leading):
        head += [
            metric_head(column),
            "skill",
            *(["coverage"] if i == 0 else []),
            *permuted_head(section, column),
        ]
    head += COSTS if board.cost else []
    lines += [rf"\begin{{tabular}}{{rl{'r' * (len(head) - 2)}}}", r"\toprule", row_line(head)]
    for title, rows in (
        ("", section.ranked),
        ("", section.unrankable),
        ("floors", section.floors),
        ("lines", section.lines),
        ("not ranked", section.unranked),
    ):
        if rows:
            lines.append(r"\midrule")
        if rows and title:
            lines.append(row_line([rf"\multicolumn{{{len(head)}}}{{l}}{{\emph{{{title}}}}}"]))
        lines += [table_row(board, section, row) for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    why = [f"{row.name}: {why_unranked(row)}." for row in section.unranked]
    why += [f"{row.name}: {remark}." for row in section.ranked for remark in row.remarks]
    lines += [rf"\par\footnotesize {escape(text)}" for text in [*why, *section.notes, *board.ran]]
    return [*lines, r"\end{table}"]


def permuted_head(section: Section, column: Column) -> list[str]:
    """The head of the column of permuted answers, where there are any."""
    return [KNOWS_HEAD] if has_permuted(section, column) else []


def row_line(cells: Sequence[str]) -> str:
    """One line of a tabular."""
    return " & ".join(cells) + r" \\"


def table_row(board: Board, section: Section, row: Row) -> str:
    """One row: rank, predictor, mark, scores, cost."""
    name = escape(row.name)
    cells = [escape(rank_text(row)).replace("-", "--"), name]
    for i, column in enumerate(section.leading):
        score = row.scores.get(column.name)
        if i == 0:
            cells[1] = rf"\textbf{{{name}}} (best)" if column.name in row.best_floor else name
            one = mark(row, column.name)
            cells.append(MARKS.get(one, escape(one)))
        cells += [
            escape(value_text(score, column)),
            escape(skill_text(score)),
            *([escape(coverage_text(row))] if i == 0 else []),
        ]
        cells += [
            escape(knows_text(score, column, section.control))
            for _ in permuted_head(section, column)
        ]
    if not section.leading:
        cells.append("")
    return row_line(cells + (cost_texts(row.cost) if board.cost else []))
