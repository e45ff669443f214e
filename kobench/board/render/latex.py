"""The board as LaTeX tables (booktabs), one a section, each within the width of the text.

Columns that do not fit beside each other stand in a table below, with the names again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

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
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
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

#: Where a long name may be parted.
PARTS = r":,=\-_/"

#: The longest word that need not be parted, in characters.
LONG = 12

#: How wide columns are, as shares of the text: rank, name and mark, then each of the others.
NAMES, DATA = (0.08, 0.22, 0.09), 0.13

#: How many of the others stand side by side.
COLUMNS = 4

#: After how many tables LaTeX has to set those that wait for a page: it keeps few.
FLOATS = 12

#: Marks that a table shows otherwise than `escape` does.
MARKS = {"▲": "$+$", "▼": "$-$", "·": ""}


def escape(text: str) -> str:
    """Text that LaTeX sets as it is.

    >>> print(escape("50 % of a_b <c>"))
    50 \\% of a\\_b \\textless{}c\\textgreater{}
    """
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def breakable(text: str) -> str:
    """Text whose long words LaTeX may part where names and parameters have a sign."""
    return " ".join(word if len(word) <= LONG else parted(word) for word in escape(text).split(" "))


def parted(word: str) -> str:
    """A word that LaTeX may part behind signs.

    >>> print(parted("grn:genes=50"))
    grn:\\allowbreak{}genes=\\allowbreak{}50
    """
    return re.sub(rf"[{PARTS}](?!$)|(?<=.)(?=\[)", r"\g<0>\\allowbreak{}", word)


def render(board: Board) -> str:
    """Tables to \\input into a document that loads booktabs."""
    lines = [
        r"% needs \usepackage[T1]{fontenc} and \usepackage{booktabs}; $+$: better than the best"
        r" floor, $-$: worse",
        "% one table for a paper: kobench board FOLDER --summary -o table.tex",
    ]
    if has_hollow(board):
        lines.append(rf"% $\bigtriangleup$, $\bigtriangledown$: the same, {HOLLOW_LEGEND}")
    for place, section in enumerate(board.sections, 1):
        lines += ["", *section_lines(board, section)]
        if place % FLOATS == 0:
            lines.append(r"\clearpage")
    return "\n".join(lines) + "\n"


def section_lines(board: Board, section: Section) -> list[str]:
    """One table environment: its caption is the section's sentence."""
    lines = [
        r"\begin{table}",
        r"\centering\sloppy",
        rf"\caption{{{breakable(caption(section))}}}",
        r"\scriptsize\setlength{\tabcolsep}{2pt}",
    ]
    columns = columns_of(board, section)
    for start in range(0, max(1, len(columns)), COLUMNS):
        lines += tabular_lines(section, columns[start : start + COLUMNS])
    below = [f"{row.name}: {why_unranked(row)}." for row in section.unranked]
    below += [f"{row.name}: {remark}." for row in section.ranked for remark in row.remarks]
    below += [*section.dataset_notes, *board.remarks]
    below += [board.seeds] if section.kind == "simulated" and board.seeds else []
    lines += [rf"\par\footnotesize\raggedright {breakable(text)}" for text in below]
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


#: What a column holds of a row.
Cell = Callable[[Row], str]


def tabular_lines(section: Section, columns: Sequence[tuple[str, Cell]]) -> list[str]:
    """Some columns of a section, behind rank, name and mark."""
    count = len(columns) + 3
    widths = "".join(rf"p{{{share}\textwidth}}" for share in (*NAMES, *[DATA] * len(columns)))
    lines = [
        rf"\begin{{tabular}}{{@{{}}{widths}@{{}}}}",
        r"\toprule",
        row_line(["rank", "predictor", "", *(head for head, _ in columns)]),
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
            lines.append(row_line([rf"\multicolumn{{{count}}}{{@{{}}l}}{{\emph{{{title}}}}}"]))
        lines += [
            row_line([*name_cells(section, row), *(cell(row) for _, cell in columns)])
            for row in rows
        ]
    return [*lines, r"\bottomrule", r"\end{tabular}", r"\par\smallskip"]


def columns_of(board: Board, section: Section) -> list[tuple[str, Cell]]:
    """The heads of a section's columns, and what they hold."""
    found: list[tuple[str, Cell]] = []
    for i, column in enumerate(section.leading):
        found += metric_columns(section, column)
        if i == 0:
            found.insert(2, ("coverage", lambda row: breakable(coverage_text(row))))
    if board.cost:
        found += [(escape(head), cost_column(place)) for place, head in enumerate(COSTS)]
    return found


def cost_column(place: int) -> Cell:
    """What one of the columns of costs holds."""
    return lambda row: cost_texts(row.cost)[place]


def metric_columns(section: Section, column: Column) -> list[tuple[str, Cell]]:
    """The columns of one metric: the score, its skill, and whether it knows the gene."""
    name = column.name
    found: list[tuple[str, Cell]] = [
        (metric_head(column), lambda row: breakable(value_text(row.scores.get(name), column))),
        ("skill", lambda row: breakable(skill_text(row.scores.get(name)))),
    ]
    if has_permuted(section, column):
        found.append(
            (
                KNOWS_HEAD,
                lambda row: breakable(knows_text(row.scores.get(name), column, section.control)),
            )
        )
    return found


def name_cells(section: Section, row: Row) -> list[str]:
    """Rank, name and mark of a row."""
    name, sign = breakable(row.name), ""
    if section.leading:
        if section.leading[0].name in row.best_floor:
            name = rf"\textbf{{{name}}} (best)"
        one = row_mark(section, row)
        sign = MARKS.get(one, escape(one))
    return [escape(rank_text(row)).replace("-", "--"), name, sign]


def metric_head(column: Column) -> str:
    """The metric's name with the direction that is better."""
    arrow = r"$\downarrow$" if column.direction == "lower" else r"$\uparrow$"
    return f"{breakable(column.name)} {arrow}"


def row_line(cells: Sequence[str]) -> str:
    """One line of a tabular."""
    return " & ".join(cells) + r" \\"
