"""The table of a section as heads and cells, for the template to write down.

The first metric that ranks has its interval as a bar, its skill and its comparison with the best
floor; of a second one the score and the mark are shown, so that no column is cut on a page of 1400
pixels. All further columns are data, of which the page makes columns when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from kobench.board.board import Board
from kobench.board.render.html.bar import Bar, bar
from kobench.board.render.html.glance import style_of
from kobench.board.render.html.templates import in_script, minus
from kobench.board.render.text.legend import DETECTABLE, IMPACTS, KNOWS_LEGEND
from kobench.board.render.text.marks import mark, verdict_text
from kobench.board.render.text.values import (
    COSTS,
    KNOWS_HEAD,
    VERIFIED,
    arrow,
    cost_texts,
    coverage_text,
    has_permuted,
    has_verified,
    knows_word,
    others,
    rank_text,
    skill_bracket,
    skill_number,
    verified_text,
)
from kobench.board.row import Column, Row, Score
from kobench.board.table import Section
from kobench.board.words import APART, reason
from kobench.board.written import bracket, decimals_for, number, permuted_p, sized

#: The heads of columns.
SKILL, DIFFERENCE, UNSEEN, COVERAGE = "skill", "above best floor", "would be seen", "coverage"

#: What they mean.
MEANINGS = {
    "rank": "the ranks that a predictor may have; those that can't be told apart share them",
    SKILL: "0 at the best floor, 1 at the truth itself or what an answer without error would score",
    DIFFERENCE: (
        "score minus that of the best floor, paired; above 0 is better, whatever the direction"
    ),
    UNSEEN: (
        "where no difference from the best floor was seen: the size of one that would have been,"
        " in four boards of five"
    ),
    KNOWS_HEAD: KNOWS_LEGEND,
    COVERAGE: "share of what was asked that was answered; where it is not there, all of it",
    VERIFIED: (
        "re-scored: somebody scored its published answers again; re-run: the method was fitted"
        " again and gave them"
    ),
    ", ".join(COSTS): "seconds of fitting and of answering, and the largest memory in MB",
}


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Attributes
    ----------
    text, title : str
        What stands in it, and what a hover says.
    first : "ascending" or "descending"
        The order of the first click.
    """

    text: str
    title: str = ""
    first: str = "descending"


@dataclass(frozen=True)
class Mark:
    """The mark of a verdict: its style, what it says in words, and the sign."""

    style: str
    says: str
    sign: str


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes
    ----------
    text, small : str
        What stands in it, and below it in small print.
    missing : bool
        Whether there is no number that counts.
    bar : Bar or None
        The interval as a picture.
    mark : Mark or None
        The mark of the verdict.
    wide : bool
        Whether it takes the room of all further cells of its row, because they have nothing.
    words : bool
        Whether its small print is words, whose lines may break.
    """

    text: str
    small: str = ""
    missing: bool = False
    bar: Bar | None = None
    mark: Mark | None = None
    wide: bool = False
    words: bool = False


@dataclass(frozen=True)
class Line:
    """A row: its name, mark, tags, whether it is a best floor, and its cells."""

    name: str
    mark: Mark | None
    tags: tuple[str, ...]
    best: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Part:
    """Rows that are sorted among themselves, with the style and title of that part."""

    style: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """A section's table.

    Attributes
    ----------
    label : str
        What it is of.
    heads : tuple of Head
        The columns after the name; the first is the rank.
    parts : tuple of Part
        Its rows.
    hidden : int
        How many columns are shown on demand alone.
    data : Markup
        These columns as JSON: their heads, then the cells of each row, text, small print and
        whether it is no number that counts, with tabs between them.
    """

    label: str
    heads: tuple[Head, ...]
    parts: tuple[Part, ...]
    hidden: int
    data: Markup


#: A column: its head, and the cell of a row.
Drawn = tuple[Head, Callable[[Row], Cell]]


def columns_of(board: Board, section: Section) -> tuple[list[Drawn], list[Drawn]]:
    """The columns that are shown at first, and those on demand."""
    ranks = Head("rank", first="ascending"), lambda row: Cell(rank_text(row).replace("-", "–"))
    shown: list[Drawn] = [ranks]
    more: list[Drawn] = []
    for i, column in enumerate(section.leading):
        shown.append(score_column(section, column, marked=i > 0))
        if i == 0:
            shown += compared(section, column, "")
        else:
            more += compared(section, column, f", {column.name}")
    rows = [row for row in section.rows if row.status == "ok"]
    if any(row.coverage is not None and row.coverage < 1 for row in rows):
        shown.append((Head(COVERAGE), lambda row: Cell(coverage_text(row))))
    if has_verified(section):
        shown.append((Head(VERIFIED), verified_cell))
    more += [score_column(section, column, drawn=False) for column in others(section)]
    if board.cost:
        shown += [cost_column(i, text) for i, text in enumerate(COSTS)]
    return shown, more


def score_column(
    section: Section, column: Column, marked: bool = False, drawn: bool = True
) -> Drawn:
    """A metric's scores: `marked` with the verdict by it, `drawn` with the interval as a bar."""

    def cell(row: Row) -> Cell:
        score = row.scores.get(column.name)
        return replace(
            value_cell(score, column),
            bar=bar(section, column, score) if drawn else None,
            mark=mark_of(row, column) if marked else None,
        )

    return Head(arrow(column), title_of(column), better_first(column)), cell


def compared(section: Section, column: Column, of: str) -> list[Drawn]:
    """Skill by a metric, and the comparison with the best floor and with permuted answers.

    Parameters
    ----------
    section : Section
        The section.
    column : Column
        The metric.
    of : str
        What its name is called by in heads; "" where nothing needs to tell it from another.
    """
    rows = section.rows
    found: list[Drawn] = [
        (Head(f"{SKILL}{of}"), lambda row: skill_cell(row.scores.get(column.name)))
    ]
    if any(difference_of(row, column) for row in rows):
        found.append((Head(f"{DIFFERENCE}{of}"), lambda row: difference_cell(row, column)))
    if any(unseen_of(row, column) for row in rows):
        found.append(
            (Head(f"{UNSEEN}{of}", first="ascending"), lambda row: unseen_cell(row, column))
        )
    if has_permuted(section, column):
        head = Head(f"{KNOWS_HEAD}{of}", first="ascending")
        found.append((head, lambda row: knows_cell(row.scores.get(column.name), section.control)))
    return found


def verified_cell(row: Row) -> Cell:
    """The level that a row has reached, and who says so."""
    found = row.verified
    small = f"{found.by}, {found.on}" if found else ""
    return Cell(verified_text(row), small, missing=found is None, words=True)


def cost_column(place: int, text: str) -> Drawn:
    """Seconds or memory."""

    def cell(row: Row) -> Cell:
        found = cost_texts(row.cost)[place]
        return Cell(found, missing=found == "-")

    return Head(text, first="ascending"), cell


def table_of(board: Board, section: Section) -> Table:
    """The table of a section, its rows in parts that are sorted apart."""
    shown, more = columns_of(board, section)
    parts = (
        ("ranked", "", section.from_cells),
        ("ranked", APART, section.with_prior),
        ("unrankable", "", section.unrankable),
        ("floors", "floors: trivial predictors", section.floors),
        ("lines", "lines: answers the dataset gives, no predictors", section.lines),
        ("unranked", "not ranked", section.unranked),
    )
    every = [row for *_, rows in parts for row in rows]
    return Table(
        label=f"{section.task} on {section.place}",
        heads=tuple(head for head, _ in shown),
        parts=tuple(
            Part(style, title, tuple(line_of(section, row, shown) for row in rows))
            for style, title, rows in parts
            if rows
        ),
        hidden=len(more),
        data=in_script(
            [
                [[head.text, head.title, head.first] for head, _ in more],
                *([packed(cell(row)) for _, cell in more] for row in every),
            ]
        ),
    )


def packed(cell: Cell) -> str:
    r"""A cell as one text.

    >>> packed(Cell("0.1", "[0.0, -0.2]")), packed(Cell("none", missing=True)), packed(Cell("a"))
    ('0.1\t[0.0, −0.2]', 'none\t\tm', 'a')
    """
    parts = [minus(cell.text), minus(cell.small), "m" if cell.missing else ""]
    return "\t".join(parts).rstrip("\t")


def line_of(section: Section, row: Row, columns: Sequence[Drawn]) -> Line:
    """One row; why it has nothing stands in one cell that takes the room of all."""
    first = section.leading[0]
    tags = []
    if row.role == "floor":
        tags.append("best floor" if first.name in row.best_floor else "floor")
    cells = tuple(cell(row) for _, cell in columns)
    known = [row.scores.get(column.name) for column in section.leading]
    if row.status != "ok" and not any(score and score.value is not None for score in known):
        cells = (cells[0], Cell(row.status, missing=True, wide=True))
    elif row.status != "ok":
        tags.append(row.status)
    best = first.name in row.best_floor
    return Line(row.name, mark_of(row, first), tuple(tags), best, cells)


def mark_of(row: Row, column: Column) -> Mark | None:
    """The mark of a row's verdict by a metric, None where there is none to give."""
    says = verdict_text(row, column.name)
    return Mark(style_of(row, column.name), says, mark(row, column.name)) if says else None


def better_first(column: Column) -> str:
    """The order that puts the better end on top."""
    return "ascending" if column.direction == "lower" else "descending"


def title_of(column: Column) -> str:
    """What a hover says of a metric."""
    name, _, variant = column.name.partition("[")
    impacts = f"{IMPACTS} " if variant in ("raw]", "propagated]") else ""
    over = f"over {DETECTABLE}; " if name.startswith("pearson-delta") and not variant else ""
    floor = f"best floor {column.floor}" if column.floor else "no floor"
    skill = reason(column.reason) or "skill printed"
    return f"{impacts}{over}{column.direction} is better; {floor}; {skill}"


def value_cell(score: Score | None, column: Column) -> Cell:
    """A score with its interval in small print, or why there is none."""
    if score is None or score.value is None:
        why = (reason(score.missing) if score else "") or "–"
        return Cell(why, missing=True)
    ends = bracket(score.low, score.high, column.decimals) if score.low != score.high else ""
    text = number(score.value, column.decimals)
    if column.greyed:
        return Cell(f"({text})", ends, missing=True)
    return Cell(text, ends)


def skill_cell(score: Score | None) -> Cell:
    """Skill with its interval, or why none is printed."""
    if score is None or score.skill is None:
        return Cell((reason(score.skill_reason) if score else "") or "–", missing=True)
    ends = skill_bracket(score) if score.skill_low != score.skill_high else ""
    return Cell(skill_number(score), ends)


def difference_of(row: Row, column: Column) -> bool:
    """Whether a predictor's difference from the best floor is known."""
    score = row.scores.get(column.name)
    return row.role == "predictor" and score is not None and score.difference is not None


def difference_cell(row: Row, column: Column) -> Cell:
    """How far a predictor is above the best floor, with the interval."""
    score = row.scores.get(column.name)
    if not difference_of(row, column) or score is None or score.difference is None:
        return Cell("")
    found = score.difference
    decimals = max(3, decimals_for([found.value], 2))
    return Cell(number(found.value, decimals), bracket(found.low, found.high, decimals))


def unseen_of(row: Row, column: Column) -> float | None:
    """The difference that would have been seen where a predictor has none."""
    score = row.scores.get(column.name)
    return score.unseen if score is not None and row.role == "predictor" else None


def unseen_cell(row: Row, column: Column) -> Cell:
    """The same as a cell."""
    found = unseen_of(row, column)
    return Cell("" if found is None else sized(found))


def knows_cell(score: Score | None, control: bool) -> Cell:
    """Whether permuted answers do as well, with p."""
    permuted = score.permuted if score else None
    if permuted is None:
        return Cell("")
    return Cell(knows_word(score, control), permuted_p(permuted), missing=not permuted.knows)
