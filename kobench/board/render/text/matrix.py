"""The matrices of predictors and datasets as plain text: one text a cell, and what it means."""

from __future__ import annotations

from kobench.board.glance import Tally, groups_of, layout_of
from kobench.board.overall import MIXED
from kobench.board.render.text.legend import DETECTABLE, WORDS
from kobench.board.render.text.marks import (
    BEYOND,
    MARKS,
    arrow_of,
    marks_of,
    row_mark,
    row_verdict,
)
from kobench.board.render.text.values import skill_text
from kobench.board.row import Row
from kobench.board.table import Matrix, Section
from kobench.board.words import PRIOR
from kobench.board.written import number, spoken

#: The line that the matrices show: what another draw of the same cells scores.
REPLICATE = "replicate"

#: What is said where predictors with prior knowledge are among the others.
LAST = f"Those with prior knowledge ({PRIOR}) stand last, and are not compared with the others."


def glance_text(section: Section, row: Row) -> str:
    """One cell of a matrix.

    Parameters
    ----------
    section : Section
        A section with a primary metric.
    row : Row
        One of its rows.

    Returns
    -------
    str
        The one mark by all primary metrics, then the skill by the first of them: `▲ 0.33`. Where
        no skill is printed, the score: `▲ score 0.981 ↑`. `≈` and words stand alone, because their
        number would be read as a rank. The row's status where that is not "ok".
    """
    column = section.primary[0]
    score = row.scores.get(column.name)
    if row.suspect:
        return f"{MARKS[BEYOND]} {row.status}"
    if row.status != "ok" or score is None:
        return row.status
    sign = row_mark(section, row)
    if row_verdict(section, row) in ("same", *WORDS):
        return sign
    if score.skill is not None or score.value is None:
        return f"{sign} {skill_text(score, interval=False)}"
    return f"{sign} score {number(score.value, column.decimals)} {arrow_of(column.direction)}"


def best_floor(section: Section) -> str:
    """The floor that counts by the first primary metric."""
    return section.primary[0].floor or "none"


def line_texts(matrix: Matrix, name: str) -> list[str]:
    """A reference line's skill or score in each dataset of a matrix, "" where there is none."""
    found = []
    for section in matrix.datasets:
        row = next((row for row in section.lines if row.name == name), None)
        found.append(glance_text(section, row).strip() if row else "")
    return found


def tally_text(tally: Tally) -> str:
    """`▲ 20, ≈ 2, ▼ 2 of 24; mean skill 0.41 over the 12 with headroom`.

    Verdicts that nobody has are left out.
    """
    marks = marks_of(tally.hollow)
    counts = {
        **{"better": tally.better, MIXED: tally.mixed, "same": tally.same},
        **{"worse": tally.worse, "": tally.rest},
    }
    named = ", ".join(f"{marks[verdict]} {count}" for verdict, count in counts.items() if count)
    said = f"{named} of {sum(counts.values())}"
    if tally.skill is None:
        return said
    judged = tally.better + tally.mixed + tally.same + tally.worse
    part = "" if tally.skills == judged else f" over the {tally.skills} with headroom"
    return f"{said}; mean skill {number(tally.skill, 2)}{part}"


def glance_about(matrix: Matrix) -> str:
    """What the cells of a matrix hold, and what tells its datasets apart.

    For instance `Which knockouts change the cells most. Skill by a; marks by a, then b. ...`.
    """
    said = [f"{matrix.words}."] if matrix.words != matrix.task else []
    metrics = dict.fromkeys(
        tuple(column.name for column in section.primary) for section in matrix.datasets
    )
    said.append(sentence("; elsewhere ".join(about_metrics(names) for names in metrics)))
    if matrix.mixed:
        said.append(LAST)
    if layout_of(matrix) != "grouped":
        return " ".join(said)
    keys = dict.fromkeys(title.partition("=")[0] for title, _ in groups_of(matrix))
    params = matrix.params_say(keys)
    return " ".join([*said, sentence(params)] if params else said)


def sentence(text: str) -> str:
    """Text with a capital letter first and a full stop last."""
    return f"{text[:1].upper()}{text[1:]}."


def about_metrics(names: tuple[str, ...]) -> str:
    """What marks and numbers are by, with the metrics' names."""
    first = names[0].partition("[")[0]
    if names == (first, f"{first}[all]"):
        return f"skill by {first} over {DETECTABLE}; marks by it over these and over all"
    if names == (first, f"{first}-unit"):
        return (
            f"skill by {first}; marks by it and by {first}-unit, with every change scaled to one"
            " length"
        )
    if names == (f"{first}[all]",):
        return f"mark and skill by {first} over all perturbations"
    if len(names) == 1:
        return f"skill by {names[0]}"
    return f"skill by {names[0]}; marks by {spoken(names)} together"
