"""The tables of a site's pages: a cell is a text, what stands below it, a mark and a link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kobench.board.render.html.glance import style_of
from kobench.board.render.text.marks import mark, verdict_of
from kobench.board.render.text.values import rank_text, skill_bracket, skill_number
from kobench.board.row import Row
from kobench.board.site.places import Place, page
from kobench.board.site.summary import count_of
from kobench.board.words import reason
from kobench.board.written import bracket, number

#: The heads of columns that hold words.
WORDS = ("method", "dataset", "task", "board", "best floor", "metric", "version")


@dataclass(frozen=True)
class Cell:
    """A cell: its text, small print below it, a mark with its style, and where it leads."""

    text: str
    small: str = ""
    mark: str = ""
    style: str = ""
    href: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a page; the first cell of a row is its name."""

    title: str
    subtitle: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[str, ...] = WORDS


def result_cells(place: Place, row: Row) -> list[Cell]:
    """A row of a section in short: score by its first metric, skill, rank."""
    section = place.section
    column = section.leading[0] if section.leading else None
    score = row.scores.get(column.name) if column else None
    if column is None or score is None or score.value is None:
        why = (reason(score.missing) if score else "") or row.status
        return [Cell(row.status if row.status != "ok" else why), Cell(""), Cell("")]
    ends = bracket(score.low, score.high, column.decimals) if score.low != score.high else ""
    style = style_of(row, column.name) if verdict_of(row, column.name) else "missing"
    value = number(score.value, column.decimals)
    skill = Cell(reason(score.skill_reason) or "–")
    if score.skill is not None:
        skill = Cell(
            skill_number(score), skill_bracket(score) if score.skill_low != score.skill_high else ""
        )
    return [
        Cell(value, f"{column.name} {ends}".strip(), mark(row, column.name), style),
        skill,
        Cell(rank_text(row).replace("-", "–") or "–"),
    ]


def results_table(title: str, found: Iterable[tuple[Place, Row]], by_method: bool) -> Table:
    """What rows scored, by method or by dataset.

    Parameters
    ----------
    title : str
        The title.
    found : iterable of (Place, Row)
        The rows.
    by_method : bool
        Whether a line is named by its method, else by its dataset.
    """
    rows = []
    for place, row in found:
        dataset = Cell(place.section.place, href=page("dataset", place.section.dataset))
        kind = "floor" if row.role == "floor" else "method"
        first = Cell(row.name, href=page(kind, row.name)) if by_method else dataset
        rows.append(
            (
                first,
                Cell(place.section.task, place.section.split, href=place.path),
                *result_cells(place, row),
                Cell(place.board, href=f"board/{slugged(place)}/index.html"),
            )
        )
    heads = ("method" if by_method else "dataset", "task", "score", "skill", "rank", "board")
    return Table(title, "", heads, tuple(rows))


def slugged(place: Place) -> str:
    """The folder of a place's board."""
    return place.path.split("/")[1]


def over_datasets(
    title: str, subtitle: str, methods: Sequence[str], columns: Sequence[tuple[str, list[Place]]]
) -> Table:
    """What methods do on the datasets of several groups: how often better, and the mean skill."""
    rows = []
    for method in methods:
        counts = [count_of(method, places) for _, places in columns]
        cells = [Cell(count.marks or "–", count.skill) for count in counts]
        rows.append((Cell(method, href=page("method", method)), *cells))
    heads = ("method", *(f"{head} ({len(places)})" for head, places in columns))
    return Table(title, subtitle, heads, tuple(rows))


def matrix_table(title: str, methods: Sequence[str], places: Sequence[Place]) -> Table:
    """Methods and datasets of one task: the mark, and the skill or score."""
    rows = []
    for method in methods:
        cells = []
        for place in places:
            row = place.section.predictors.get(method)
            cells.append(short_cell(place, row) if row else Cell("–"))
        rows.append((Cell(method, href=page("method", method)), *cells))
    heads = tuple(f"{place.section.place}, {place.board}" for place in places)
    return Table(title, "", ("method", *heads), tuple(rows))


def short_cell(place: Place, row: Row) -> Cell:
    """The mark of a row, and its skill, or its score where there is none."""
    value, skill, _ = result_cells(place, row)
    number_cell = skill if skill.text[-1:].isdigit() else value
    return Cell(number_cell.text, mark=value.mark, style=value.style, href=place.path)
