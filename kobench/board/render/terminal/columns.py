"""The columns of a section's table for a terminal, and in which order they give way."""

from __future__ import annotations

from collections.abc import Callable

from kobench.board.board import Board
from kobench.board.render.terminal.fit import Form, Shown
from kobench.board.render.terminal.footnotes import Footnotes
from kobench.board.render.text.marks import HOLLOW, MARKS
from kobench.board.render.text.values import (
    COSTS,
    KNOWS_HEAD,
    VERIFIED,
    arrow,
    cost_texts,
    coverage_text,
    has_permuted,
    has_verified,
    judged_value,
    knows_text,
    knows_with_p,
    knows_word,
    secondary,
    skill_text,
    verified_text,
)
from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.words import reason

#: Secondary metrics shown where there is room.
SECONDARY = 3

#: When what gives way, the largest number first. First the secondary metrics, the last of them
#: first; the coverage that is 100 % for all; what permuted answers score on average; what stands
#: beside the score of the other primary metrics, those of the last of them first; the costs; p of
#: the first metric's permuted answers; the interval of its score, where that of the skill says the
#: same; then the scores of the other primary metrics.
SECONDARIES, COVER_OF_ALL, MEANS, EXTRAS, COST, P, SAME, OTHERS = (
    *(3000, 2000, 1500, 1000),
    *(200, 150, 120, 100),
)

#: The level of verification, which a remark counts, too.
LEVEL = 900

#: Of the first primary metric: the interval of its score, whether permuted answers do as well, a
#: coverage that differs, the interval of skill, skill, the score. Names stay.
INTERVAL, KNOWS, COVER, SKILL_INTERVAL, SKILL, SCORE = 60, 50, 40, 30, 10, 1


def columns_of(board: Board, section: Section, notes: Footnotes) -> list[Shown]:
    """Every column worth showing, in order, with which go first where the terminal is narrow.

    Parameters
    ----------
    board : Board
        The leaderboard.
    section : Section
        One of its sections.
    notes : Footnotes
        Where long reasons go.

    Returns
    -------
    list of Shown
        In the order in which they stand.
    """
    first, *others = section.leading
    shown = [
        value_column(section, first, notes, (INTERVAL if first.reason else SAME, SCORE)),
        skill_column(section, first, notes, (SKILL_INTERVAL, SKILL)),
        cover_column(section),
        *knows_columns(section, first, (P, KNOWS)),
    ]
    for i, column in enumerate(others):
        # in the order of leaving
        p, skills, scores, knows, skill = range(EXTRAS + 10 * i + 5, EXTRAS + 10 * i, -1)
        shown += [
            value_column(section, column, notes, (scores, OTHERS + i)),
            skill_column(section, column, notes, (skills, skill)),
            *knows_columns(section, column, (p, knows)),
        ]
    for i, column in enumerate(secondary(section, SECONDARY)):
        form = Form(value_of(section, column, notes, False), SECONDARIES + i)
        shown.append(Shown(arrow(column), (form,)))
    if has_verified(section):
        shown.append(Shown(VERIFIED, (Form(verified_text, LEVEL),)))
    if board.cost:
        shown += [Shown(title, (Form(cost_of(i), COST + i),)) for i, title in enumerate(COSTS)]
    return shown


def value_column(
    section: Section, column: Column, notes: Footnotes, leaves: tuple[int, int]
) -> Shown:
    """The scores by a metric, with their intervals where there is room."""
    return Shown(
        arrow(column),
        forms_of(
            section,
            value_of(section, column, notes),
            value_of(section, column, notes, False),
            f"intervals of {column.name}",
            leaves,
        ),
    )


def skill_column(
    section: Section, column: Column, notes: Footnotes, leaves: tuple[int, int]
) -> Shown:
    """The skill by a metric, with its interval where there is room."""
    said = "skill" if column == section.leading[0] else f"skill by {column.name}"
    return Shown(
        "skill",
        forms_of(
            section,
            skill_of(column, notes),
            skill_of(column, notes, False),
            f"intervals of {said}",
            leaves,
        ),
        said,
    )


def forms_of(
    section: Section,
    whole: Callable[[Row], str],
    short: Callable[[Row], str],
    lost: str,
    leaves: tuple[int, int],
) -> tuple[Form, Form]:
    """Numbers with and without intervals; where nobody has one, nothing is lost without."""
    differ = any(whole(row) != short(row) for row in section.rows)
    return Form(whole, leaves[0], lost if differ else ""), Form(short, leaves[1], narrow=True)


def cover_column(section: Section) -> Shown:
    """How much was answered, which is soon left out where all answered everything."""
    whole = all(row.coverage in (None, 1.0) for row in section.rows)
    form = Form(coverage_text, COVER_OF_ALL if whole else COVER)
    return Shown("cover", (form,), "cover (100% for all)" if whole else "")


def knows_columns(section: Section, column: Column, leaves: tuple[int, int]) -> list[Shown]:
    """The column of permuted answers, if a metric has any."""
    if not has_permuted(section, column):
        return []
    of = "" if column == section.leading[0] else f" by {column.name}"

    name, control = column.name, section.control
    return [
        Shown(
            KNOWS_HEAD,
            (
                Form(
                    lambda row: knows_text(row.scores.get(name), column, control),
                    MEANS + leaves[0],
                    f"means of permuted answers{of}",
                ),
                Form(
                    lambda row: knows_with_p(row.scores.get(name), control),
                    leaves[0],
                    f"p of permuted answers{of}",
                    narrow=True,
                ),
                Form(lambda row: knows_word(row.scores.get(name), control), leaves[1], narrow=True),
            ),
            f"{KNOWS_HEAD}{of}",
        )
    ]


def value_of(
    section: Section, column: Column, notes: Footnotes, interval: bool = True
) -> Callable[[Row], str]:
    """Row -> its score by a metric, or why there is none."""

    def text(row: Row) -> str:
        score = row.scores.get(column.name)
        if score is not None and score.value is None and score.missing:
            return notes.short(reason(score.missing))
        value = judged_value(section, row, column, interval)
        # numbers stand below each other, with a mark before them or not
        return value if value[:1] in marks or not several else f"  {value}"

    marks = {*MARKS.values(), *HOLLOW.values()} - {""}
    several = column.primary and len(section.primary) > 1

    return text


def skill_of(column: Column, notes: Footnotes, interval: bool = True) -> Callable[[Row], str]:
    """Row -> its skill by a metric, or why none is printed."""

    def text(row: Row) -> str:
        score = row.scores.get(column.name)
        said = skill_text(score, interval)
        return notes.short(said) if score is None or score.skill is None else said

    return text


def cost_of(i: int) -> Callable[[Row], str]:
    """Row -> what it cost, by the place in `COSTS`."""
    return lambda row: cost_texts(row.cost)[i]
