"""The values of a section's table as plain text: scores, skill, rank, coverage and cost."""

from __future__ import annotations

from kobench.board.render.text.marks import arrow_of, mark
from kobench.board.row import Column, Cost, Row, Score
from kobench.board.table import Section
from kobench.board.words import ELSEWHERE, reason
from kobench.board.written import bracket, number, permuted_p

#: The longest reason that stands in a table; a longer one stands below it.
LONGEST = "not answered"

#: The head of the column with permuted answers.
KNOWS_HEAD = "knows which gene?"

#: The heads of the columns of cost.
COSTS = ("fit s", "pred s", "MB")


#: The head of the column with the levels of verification.
VERIFIED = "verified"


def has_verified(section: Section) -> bool:
    """Whether somebody looked at any row of a section."""
    return section.has_levels


def verified_text(row: Row) -> str:
    """The level that a row has reached.

    >>> from kobench.board.row import Verified
    >>> str(Verified("re-scored", "Ann", "2026-11-30", 2, 5))
    're-scored 2/5'
    """
    return "-" if row.verified is None else str(row.verified)


def arrow(column: Column) -> str:
    """The metric's name with the direction that is better."""
    return f"{column.name} {arrow_of(column.direction)}"


def value_text(score: Score | None, column: Column, interval: bool = True) -> str:
    """A score as `0.617 [0.588, 0.645]`, or why there is no value; in brackets where greyed."""
    if score is None:
        return "-"
    if score.value is None:
        return reason(score.missing) if 0 < len(score.missing) <= len(LONGEST) else "-"
    value = number(score.value, column.decimals)
    if interval and score.low != score.high:
        value = f"{value} {bracket(score.low, score.high, column.decimals)}".strip()
    return f"({value})" if column.greyed else value


def judged_value(section: Section, row: Row, column: Column, interval: bool = True) -> str:
    """A score as `value_text` has it, behind the mark by this metric where several rank."""
    value = value_text(row.scores.get(column.name), column, interval)
    several = column.primary and len(section.primary) > 1
    return f"{mark(row, column.name)} {value}".strip() if several and row.rank else value


def skill_text(score: Score | None, interval: bool = True) -> str:
    """A skill as `0.33 [0.30, 0.36]`, or why none is printed."""
    if score is None:
        return "-"
    if score.skill is None:
        return reason(score.skill_reason) or "-"
    if not interval or score.skill_low == score.skill_high:
        return skill_number(score)
    return f"{skill_number(score)} {skill_bracket(score)}".strip()


def skill_number(score: Score) -> str:
    """A skill with two decimals.

    >>> skill_number(Score(skill=0.33)), skill_number(Score())
    ('0.33', '-')
    """
    return "-" if score.skill is None else number(score.skill, 2)


def skill_bracket(score: Score) -> str:
    """The interval of a skill, `[low, high]`; "" where there is none."""
    return bracket(score.skill_low, score.skill_high, 2)


def has_permuted(section: Section, column: Column) -> bool:
    """Whether any row of a section has permuted answers by a metric."""
    return column.name in section.permuted


def knows_text(score: Score | None, column: Column, control: bool = False) -> str:
    """Whether a score is above that of permuted answers, with p and their mean.

    Parameters
    ----------
    score : Score or None
        A row's score.
    column : Column
        The metric that it is of.
    control : bool
        Whether a score above permuted is suspect (see `Section.control`).

    Returns
    -------
    str
        "" where nothing was permuted.

    Examples
    --------
    >>> from kobench.board.row import Permuted
    >>> column = Column("a", 1, "higher", 1.0, 0.0, 1.0, True)
    >>> knows_text(Score(0.4, permuted=Permuted(0.1, 0.3)), column)
    'not above permuted: p = 0.30 (mean 0.100)'
    """
    if score is None or score.permuted is None:
        return ""
    permuted = score.permuted
    p = permuted_p(permuted)
    if control:
        return f"{p} (suspect: control)" if permuted.knows else p
    above = "above" if permuted.knows else "not above"
    return f"{above} permuted: {p} (mean {number(permuted.mean, column.decimals)})"


def knows_with_p(score: Score | None, control: bool = False) -> str:
    """The same in fewer words.

    >>> from kobench.board.row import Permuted
    >>> knows_with_p(Score(0.4, permuted=Permuted(0.1, 0.3)))
    'no: p = 0.30'
    """
    if score is None or score.permuted is None:
        return ""
    return f"{knows_word(score, control)}: {permuted_p(score.permuted)}"


def knows_word(score: Score | None, control: bool = False) -> str:
    """The same in one word.

    >>> from kobench.board.row import Permuted
    >>> sure = Score(0.4, permuted=Permuted(0.1, 0.001))
    >>> knows_word(sure), knows_word(sure, control=True), knows_word(Score(0.4))
    ('yes', 'suspect', '')
    """
    if score is None or score.permuted is None:
        return ""
    if not score.permuted.knows:
        return "no"
    return "suspect" if control else "yes"


def rank_text(row: Row) -> str:
    """A rank as `1` or `2-4`; "" where not ranked."""
    if row.rank is None:
        return ""
    low, high = row.rank
    return str(low) if low == high else f"{low}-{high}"


def coverage_text(row: Row) -> str:
    """Whole percent; 100 % only where nothing was left out.

    >>> from types import SimpleNamespace
    >>> [coverage_text(SimpleNamespace(coverage=c)) for c in (1.0, 0.999, 0.5, None)]
    ['100%', '99.9%', '50%', '-']
    """
    if row.coverage is None:
        return "-"
    percent = 100 * row.coverage
    if percent < 100 and round(percent) == 100:
        return f"{min(percent, 99.9):.1f}%"
    return f"{percent:.0f}%"


def seconds(value: float | None) -> str:
    """Seconds as text: whole ones from 10 on, two significant digits between 1 and 10.

    >>> [seconds(value) for value in (12.3, 3.21, 0.123, None)]
    ['12', '3.2', '0.12', '-']
    """
    if value is None:
        return "-"
    decimals = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:.{decimals}f}"


def cost_texts(cost: Cost | None) -> list[str]:
    """Seconds of fitting and of predicting, and peak memory in MB, in the order of `COSTS`."""
    if cost is None:
        return ["-", "-", "-"]
    memory = "-" if cost.peak_mb is None else f"{cost.peak_mb:,.0f}"
    texts = [seconds(cost.fit_seconds), seconds(cost.predict_seconds), memory]
    return [f"{text}{ELSEWHERE}" if cost.elsewhere and text != "-" else text for text in texts]


def secondary(section: Section, limit: int) -> list[Column]:
    """The first few other metrics worth a column.

    Parameters
    ----------
    section : Section
        A section of the board.
    limit : int
        The largest number of columns.

    Returns
    -------
    list of Column
        Variants of the primary metrics (raw impacts first), then the rest in their order.
    """
    primary = {column.name for column in section.primary}

    def order(column: Column) -> tuple[bool, bool, bool]:
        name, _, variant = column.name.partition("[")
        return name not in primary, variant != "raw]", bool(variant)

    return sorted(others(section), key=order)[:limit]


def others(section: Section) -> list[Column]:
    """The metrics that do not stand first."""
    return [column for column in section.columns if column not in section.leading]
