"""One LaTeX table for a paper: predictors x datasets of a task, within the width of the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kobench.board.board import Board
from kobench.board.render.latex import escape
from kobench.board.render.text.marks import MARKS, row_mark, row_verdict
from kobench.board.render.text.overview import SHORTLY
from kobench.board.render.text.values import skill_text
from kobench.board.row import Row
from kobench.board.table import Section
from kobench.board.words import PRIOR, base
from kobench.board.written import number
from kobench.errors import UserError

#: So many datasets stand side by side; of more it is counted how often each verdict.
SIDE_BY_SIDE = 6

#: Marks as a table of LaTeX has them.
SIGNS = {"▲": r"$+$", "△": r"$(+)$", "▼": r"$-$", "▽": r"$(-)$", "≈": r"$\approx$", "·": ""}

#: What cells without a number hold.
NONE = "--"

#: Where a long name may be parted.
PARTS = ":,=-_/"


def render_summary(board: Board) -> str:
    """One table environment to \\input: booktabs, a caption of at most 40 words, notes below it.

    Parameters
    ----------
    board : Board
        A board of one task, or of several, of which the most demanding one is shown.

    Raises
    ------
    UserError
        Where no task of the board ranks anybody.
    """
    ranked = [section for section in board.sections if section.primary]
    if not ranked:
        raise UserError(
            "no task of this board ranks anybody, so there is nothing to sum up; leave out"
            " --summary"
        )
    first = min(ranked, key=lambda section: section.order)
    sections = [section for section in ranked if section.task == first.task]
    others = dict.fromkeys(base(one.task) for one in ranked if one.task != first.task)
    names = names_of(sections)
    counted = len(sections) > SIDE_BY_SIDE
    heads = ["better", "same", "worse", "mean skill"] if counted else letters(len(sections))
    lines = [
        r"% needs \usepackage[T1]{fontenc} and \usepackage{booktabs}",
        *(
            [f"% other tasks of this board: {', '.join(others)}; -t NAME takes one"]
            if others
            else []
        ),
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(caption(first.task, sections))}}}",
        r"\small\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{@{{}}p{{0.28\textwidth}}{'r' * len(heads)}@{{}}}}",
        r"\toprule",
        row_line(["predictor", *heads]),
        r"\midrule",
    ]
    parts = [[name for name in names if name.endswith(PRIOR) == prior] for prior in (False, True)]
    for number_of_part, part in enumerate(parts):
        if number_of_part and all(parts):
            lines.append(r"\midrule")
        for name in part:
            rows = [section.predictors.get(name) for section in sections]
            lines.append(row_line([name_cell(name), *cells_of(sections, rows, counted)]))
    lines += [r"\bottomrule", r"\end{tabular}", *notes(sections, counted), r"\end{table}"]
    return "\n".join(lines) + "\n"


def names_of(sections: Sequence[Section]) -> list[str]:
    """Predictors by how often they are better, then by mean skill; last who was judged nowhere."""
    wins: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    skills: dict[str, list[float]] = {}
    for section in sections:
        for name, row in section.predictors.items():
            judged[name] += bool(row_verdict(section, row))
            wins[name] += row_verdict(section, row) == "better"
            score = row.scores.get(section.primary[0].name)
            skills.setdefault(name, [])
            if score is not None and score.skill is not None:
                skills[name].append(score.skill)

    def order(name: str) -> tuple[bool, int, float, str]:
        found = skills[name]
        return not judged[name], -wins[name], -(sum(found) / len(found)) if found else 0.0, name

    return sorted(skills, key=order)


def letters(count: int) -> list[str]:
    """Heads of the datasets, whose names stand below the table."""
    return [f"({chr(ord('a') + place)})" for place in range(count)]


def caption(task: str, sections: Sequence[Section]) -> str:
    """What the table shows, in at most 40 words."""
    several = "s" * (len(sections) > 1)
    return (
        f"{base(task)} on {len(sections)} dataset{several}: + better than the best floor, the best"
        " answer that knows nothing of the gene; - worse; by 95 % intervals. Numbers are skill:"
        " 0 is that floor, 1 the truth."
    )


def cells_of(sections: Sequence[Section], rows: Sequence[Row | None], counted: bool) -> list[str]:
    """The cells of one predictor."""
    if not counted:
        return [cell(section, row) for section, row in zip(sections, rows, strict=True)]
    verdicts: Counter[str] = Counter()
    skills = []
    for section, row in zip(sections, rows, strict=True):
        if row is None:
            continue
        verdicts[row_verdict(section, row)] += 1
        score = row.scores.get(section.primary[0].name)
        if score is not None and score.skill is not None:
            skills.append(score.skill)
    counts = [str(verdicts[verdict]) for verdict in ("better", "same", "worse")]
    return [*counts, in_math(number(sum(skills) / len(skills), 2)) if skills else NONE]


def cell(section: Section, row: Row | None) -> str:
    """A mark and a skill; of what is not told from the floor the mark alone."""
    if row is None or row.status != "ok":
        return NONE
    mark = row_mark(section, row)
    sign = SIGNS.get(mark, escape(mark))
    score = row.scores.get(section.primary[0].name)
    if mark == MARKS["same"] or score is None or score.skill is None:
        return sign or NONE
    return f"{sign} {in_math(skill_text(score, interval=False))}".strip()


def in_math(text: str) -> str:
    """A number with a minus sign and not a hyphen."""
    return f"${escape(text)}$" if text.startswith("-") else escape(text)


def name_cell(name: str) -> str:
    """A name that may be parted where parameters begin."""
    return "".join(
        " " if sign == " " else escape(sign) + (r"\allowbreak{}" if sign in PARTS else "")
        for sign in " ".join(name.split())
    )


def notes(sections: Sequence[Section], counted: bool) -> list[str]:
    """What stands below the table, within the width of the text."""
    said = []
    if not counted:
        said = [
            f"{letter} {section.title}, split {section.split}; best floor"
            f" {section.primary[0].floor or 'none'}"
            for letter, section in zip(letters(len(sections)), sections, strict=True)
        ]
    metrics = list(dict.fromkeys(column.name for one in sections for column in one.primary))
    said.append(f"Ranked by {' and '.join(metrics)}")
    shown = [row_mark(one, row) for one in sections for row in one.predictors.values()]
    said += [SHORTLY[word].rstrip(".") for word in SHORTLY if word in shown]
    if any(row.hollow for one in sections for row in one.predictors.values()):
        said.append("in parentheses: on one simulated network, which says nothing of others")
    text = ". ".join(name_cell(one) for one in said)
    return [
        r"\par\smallskip",
        rf"\parbox{{\textwidth}}{{\footnotesize\raggedright {text}.}}",
    ]


def row_line(cells: Sequence[str]) -> str:
    """One line of a tabular."""
    return " & ".join(cells) + r" \\"
