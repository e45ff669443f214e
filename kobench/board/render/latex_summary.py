"""One LaTeX table for a paper: predictors x datasets of a task, within the width of the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kobench.board.board import Board
from kobench.board.numbers.intervals import Interval
from kobench.board.render.latex import breakable, escape
from kobench.board.render.text.marks import row_mark, row_verdict
from kobench.board.render.text.overview import SHORTLY
from kobench.board.row import Row
from kobench.board.table import Section
from kobench.board.words import PRIOR, base, is_evidence, no_evidence, signs_of
from kobench.board.written import bracket, number, spoken
from kobench.errors import UserError

#: So many datasets stand side by side; of more it is counted how often each verdict.
SIDE_BY_SIDE = 6

#: Marks as a table of LaTeX has them.
SIGNS = {"▲": r"$+$", "△": r"$(+)$", "▼": r"$-$", "▽": r"$(-)$", "≈": r"$\approx$", "·": ""}

#: What cells without a number hold.
NONE = "--"

#: So many have the wider columns.
WIDE = 4


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
    heads = (
        ["better", "same", "worse", "mean skill", "from lowest to highest"]
        if counted
        else letters(len(sections))
    )
    share = 0.28 if len(heads) <= WIDE or counted else 0.18
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
        rf"\small\setlength{{\tabcolsep}}{{{3 if len(heads) <= WIDE else 2}pt}}",
        rf"\begin{{tabular}}{{@{{}}p{{{share}\textwidth}}{'r' * len(heads)}@{{}}}}",
        r"\toprule",
        row_line(["predictor", *heads]),
        r"\midrule",
    ]
    parts = [
        [name for name in names if (PRIOR in signs_of(name)) == prior] for prior in (False, True)
    ]
    for number_of_part, part in enumerate(parts):
        if number_of_part and all(parts):
            lines.append(r"\midrule")
        for name in part:
            rows = [section.predictors.get(name) for section in sections]
            lines.append(row_line([breakable(name), *cells_of(sections, rows, counted)]))
            lines.append(r"\addlinespace[2pt]")
    lines += [r"\bottomrule", r"\end{tabular}", *notes(sections, counted), r"\end{table}"]
    return "\n".join(lines) + "\n"


def names_of(sections: Sequence[Section]) -> list[str]:
    """Predictors by how often they are better and mean skill; no evidence and no verdict last."""
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

    def order(name: str) -> tuple[bool, bool, int, float, str]:
        found = skills[name]
        return (
            not judged[name],
            not is_evidence(name),
            -wins[name],
            -(sum(found) / len(found)) if found else 0.0,
            name,
        )

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
        small = "scriptsize" if len(sections) <= WIDE else "tiny"
        return [cell(section, row, small) for section, row in zip(sections, rows, strict=True)]
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
    if not skills:
        return [*counts, NONE, NONE]
    low, mean, high = (
        in_math(number(one, 2)) for one in (min(skills), sum(skills) / len(skills), max(skills))
    )
    return [*counts, mean, f"{low} to {high}"]


def cell(section: Section, row: Row | None, small: str) -> str:
    """A mark and a skill, or a gain where nobody has a skill, and its interval below it.

    Parameters
    ----------
    section : Section
        The dataset.
    row : Row or None
        The row of a predictor.
    small : str
        The size of the letters of the interval.
    """
    if row is None or row.status != "ok":
        return NONE
    mark = row_mark(section, row)
    sign = SIGNS.get(mark, escape(mark))
    found = interval_of(section, row)
    if found is None:
        return sign or NONE
    decimals = 3 if by_gain(section) else 2
    first = f"{sign} {in_math(number(found.value, decimals))}".strip()
    ends = bracket(found.low, found.high, decimals)
    if not ends:
        return first
    low, high = (in_math(end) for end in ends.strip("[]").split(", "))
    return rf"\shortstack[r]{{{first}\\{{}}\{small}{{}}[{low}, {high}]}}"


def by_gain(section: Section) -> bool:
    """Whether nobody has a skill, so that gains stand in its place."""
    metric = section.primary[0].name
    return not any(
        (score := row.scores.get(metric)) is not None and score.skill is not None
        for row in section.ranked
    )


def interval_of(section: Section, row: Row) -> Interval | None:
    """The skill of a row with its interval, or its gain; None where it has none."""
    score = row.scores.get(section.primary[0].name)
    if score is None:
        return None
    if by_gain(section):
        return score.difference
    return None if score.skill is None else Interval(score.skill, score.skill_low, score.skill_high)


def in_math(text: str) -> str:
    """A number with a minus sign and not a hyphen."""
    return f"${escape(text)}$" if text.startswith("-") else escape(text)


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
    gains = [
        letter
        for letter, section in zip(letters(len(sections)), sections, strict=True)
        if not counted and by_gain(section)
    ]
    if gains:
        said.append(
            f"{spoken(gains)}: no skill, as the truth's own score is not known well enough; how far"
            " the score is above the floor"
        )
    marks = no_evidence([name for one in sections for name in one.predictors])
    said += [marks] if marks else []
    text = ". ".join(breakable(one) for one in said)
    return [
        r"\par\smallskip",
        rf"\parbox{{\textwidth}}{{\footnotesize\raggedright {text}.}}",
    ]


def row_line(cells: Sequence[str]) -> str:
    """One line of a tabular."""
    return " & ".join(cells) + r" \\"
