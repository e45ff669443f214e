"""The page's view at a glance: predictors and datasets of each task, with marks and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.text.marks import BEYOND, verdict_of, verdict_text
from kobench.board.render.text.matrix import (
    REPLICATE,
    best_floor,
    glance_about,
    glance_text,
    line_texts,
    tally_text,
)
from kobench.board.render.text.values import skill_bracket
from kobench.board.row import Row
from kobench.board.table import Matrix, Section


@dataclass(frozen=True)
class Shown:
    """A cell of the matrix: its style, what stands in it, and what a hover says."""

    style: str
    text: str
    title: str = ""


@dataclass(frozen=True)
class Named:
    """The head of a row or column: its text, and where it leads.

    Attributes
    ----------
    text, title, href : str
        What stands in it, what a hover says, and the address of the section; "" for none.
    dataset, predictor : str
        What the filters find it by; "" for none.
    """

    text: str
    title: str = ""
    href: str = ""
    dataset: str = ""
    predictor: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of such cells.

    Attributes
    ----------
    corner : str
        The head of the names.
    heads : tuple of Named
        The columns.
    rows : tuple of (Named, tuple of Shown)
        The rows.
    last : tuple of (str, tuple of str)
        Lines below them: what a line is, and its texts.
    """

    corner: str
    heads: tuple[Named, ...]
    rows: tuple[tuple[Named, tuple[Shown, ...]], ...]
    last: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Glance:
    """A card: its task, split and words, its table, and the one that is folded away, or None."""

    task: str
    split: str
    about: str
    anchor: str
    grid: Grid
    folded: Grid | None = None


def glance_of(matrix: Matrix, anchor: str, links: Mapping[int, str]) -> Glance:
    """A card with the predictors and datasets of one task.

    Parameters
    ----------
    matrix : Matrix
        Predictors x datasets.
    anchor : str
        What links to the card call it.
    links : mapping
        `id` of a section -> the address of its card.
    """
    layout, folded = layout_of(matrix), None
    if layout == "across":
        grid = across(matrix, links)
    elif layout == "down":
        grid = down(matrix, links)
    else:
        grid, folded = grouped(matrix), down(matrix, links)
    return Glance(matrix.task, matrix.split, glance_about(matrix), anchor, grid, folded)


def dataset_head(section: Section, links: Mapping[int, str]) -> Named:
    """A dataset's head, which leads to its section."""
    return Named(section.title, section.dataset, links[id(section)], section.dataset)


def across(matrix: Matrix, links: Mapping[int, str]) -> Grid:
    """Datasets side by side."""
    rows = [
        (
            Named(name, predictor=name),
            tuple(cell(*pair) for pair in zip(matrix.datasets, cells, strict=True)),
        )
        for name, cells in zip(matrix.predictors, matrix.cells, strict=True)
    ]
    last = [("best floor", tuple(map(best_floor, matrix.datasets)))]
    replicates = line_texts(matrix, REPLICATE)
    if any(replicates):
        last.append((f"line: {REPLICATE}", tuple(replicates)))
    heads = [dataset_head(section, links) for section in matrix.datasets]
    return Grid("predictor", tuple(heads), tuple(rows), tuple(last))


def down(matrix: Matrix, links: Mapping[int, str]) -> Grid:
    """Datasets below each other, predictors side by side."""
    heads = [*map(Named, matrix.predictors), Named("best floor")]
    replicates = line_texts(matrix, REPLICATE)
    if any(replicates):
        heads.append(Named(f"line: {REPLICATE}"))
    rows = []
    for i, section in enumerate(matrix.datasets):
        cells = [cell(section, rows[i]) for rows in matrix.cells]
        cells.append(Shown("soft", best_floor(section)))
        if any(replicates):
            cells.append(Shown("soft", replicates[i]))
        rows.append((dataset_head(section, links), tuple(cells)))
    return Grid("dataset", tuple(heads), tuple(rows))


def grouped(matrix: Matrix) -> Grid:
    """Datasets summed up by their parameters."""
    rows = [
        (
            Named(title),
            tuple(
                Shown("tally", tally_text(tally(matrix, i, places)))
                for i in range(len(matrix.predictors))
            ),
        )
        for title, places in groups_of(matrix)
    ]
    return Grid("datasets", tuple(map(Named, matrix.predictors)), tuple(rows))


def cell(section: Section, row: Row | None) -> Shown:
    """One cell of the matrix."""
    if row is None:
        return Shown("", "")
    text = glance_text(section, row)
    first = section.primary[0].name
    if row.suspect:
        return Shown(BEYOND, text, row.beyond)
    if row.status != "ok" or first not in row.scores:
        return Shown("missing", text)
    title = "; ".join(hover_texts(section, row))
    verdicts = [verdict_of(row, column.name) or "missing" for column in section.primary]
    if len(set(verdicts)) == 1:
        return Shown(style_of(row, first), text, title)
    hollow = " hollow" if row.hollow else ""
    return Shown(f"mixed {verdicts[0]}-first {verdicts[-1]}-last{hollow}", text, title)


def hover_texts(section: Section, row: Row) -> Sequence[str]:
    """What a hover says of a row: its verdict by each primary metric, the interval of its skill."""
    said = [
        f"{column.name}: {verdict_text(row, column.name) or 'no verdict'}"
        for column in section.primary
    ]
    ends = skill_bracket(row.scores[section.primary[0].name])
    return [*said, f"skill {ends}"] if ends else said


def style_of(row: Row, metric: str) -> str:
    """The style of a verdict, outlined instead of filled where it is hollow."""
    verdict = verdict_of(row, metric)
    return f"{verdict} hollow" if row.hollow else verdict
