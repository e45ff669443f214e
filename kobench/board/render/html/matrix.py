"""The page's view at a glance: predictors and datasets of each task, with marks and colours."""

from __future__ import annotations

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.html.elements import column_heads, esc, minus, scrolled
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


def matrix_card(matrix: Matrix, anchors: dict[int, str]) -> str:
    """A card with the predictors and datasets of one task.

    Parameters
    ----------
    matrix : Matrix
        Predictors x datasets.
    anchors : dict
        `id` of a section -> the anchor of its card.

    Returns
    -------
    str
        HTML.
    """
    layout = {"across": across, "down": down, "grouped": grouped}[layout_of(matrix)]
    about = f"{esc(glance_about(matrix))} Split {esc(matrix.split)}"
    return f"""<div class="card" data-task="{esc(matrix.task)}">
<h2>At a glance: {esc(matrix.task)}<small>{about}</small></h2>
{layout(matrix, anchors)}
</div>"""


def link(section: Section, anchors: dict[int, str], scope: str) -> str:
    """A dataset's head in a matrix, which leads to its section."""
    dataset = esc(section.dataset)
    return (
        f'<th scope="{scope}" data-dataset="{dataset}"><a href="#{anchors[id(section)]}"'
        f' title="{dataset}">{esc(section.title)}</a></th>'
    )


def across(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Datasets side by side."""

    def cells(texts: list[str]) -> str:
        return "".join(
            f'<td data-dataset="{esc(section.dataset)}">{text}</td>'
            for section, text in zip(matrix.datasets, texts, strict=True)
        )

    heads = "".join(link(section, anchors, "col") for section in matrix.datasets)
    lines = []
    for name, rows in zip(matrix.predictors, matrix.cells, strict=True):
        texts = [glance(section, row) for section, row in zip(matrix.datasets, rows, strict=True)]
        lines.append(
            f'<tr data-predictor="{esc(name)}"><td class="name" title="{esc(name)}">{esc(name)}'
            f"</td>{cells(texts)}</tr>"
        )
    floors = cells([esc(best_floor(section)) for section in matrix.datasets])
    replicates = line_texts(matrix, REPLICATE)
    below = ""
    if any(replicates):
        below = f"<tr><td>line: {REPLICATE}</td>{cells([*map(minus, replicates)])}</tr>"
    table = f"""<table class="glance">
<thead><tr><th scope="col">predictor</th>{heads}</tr></thead>
<tbody>{chr(10).join(lines)}</tbody>
<tfoot><tr><td>best floor</td>{floors}</tr>{below}</tfoot>
</table>"""
    return scrolled(table, f"Skill in {matrix.task}")


def down(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Datasets below each other, predictors side by side."""
    heads = ["dataset", *matrix.predictors, "best floor"]
    replicates = line_texts(matrix, REPLICATE)
    if any(replicates):
        heads.append(f"line: {REPLICATE}")
    lines = []
    for i, section in enumerate(matrix.datasets):
        cells = [f"<td>{glance(section, rows[i])}</td>" for rows in matrix.cells]
        cells.append(f'<td class="soft">{esc(best_floor(section))}</td>')
        if any(replicates):
            cells.append(f'<td class="soft">{minus(replicates[i])}</td>')
        lines.append(
            f'<tr data-dataset="{esc(section.dataset)}">{link(section, anchors, "row")}'
            f"{''.join(cells)}</tr>"
        )
    return scrolled(down_table(heads, lines), f"Skill in {matrix.task}")


def grouped(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Datasets summed up by their parameters, each of them folded away below."""
    lines = []
    for title, places in groups_of(matrix):
        texts = [tally_text(tally(matrix, i, places)) for i in range(len(matrix.predictors))]
        cells = "".join(f"<td>{minus(text)}</td>" for text in texts)
        lines.append(f'<tr><th scope="row">{esc(title)}</th>{cells}</tr>')
    sums = down_table(["datasets", *matrix.predictors], lines)
    each = (
        f"<details><summary>Each of the {len(matrix.datasets)} datasets</summary>"
        f"{down(matrix, anchors)}</details>"
    )
    return scrolled(sums, f"Verdicts in {matrix.task}") + each


def down_table(heads: list[str], lines: list[str]) -> str:
    """A table of rows that are HTML already."""
    return (
        f'<table class="glance down"><thead><tr>{column_heads(heads)}</tr></thead>'
        f"<tbody>{chr(10).join(lines)}</tbody></table>"
    )


def glance(section: Section, row: Row | None) -> str:
    """One cell of the matrix."""
    if row is None:
        return ""
    text = glance_text(section, row)
    first = section.primary[0].name
    if row.suspect:
        return f'<span class="cell {BEYOND}" title="{esc(row.beyond)}">{esc(text)}</span>'
    if row.status != "ok" or first not in row.scores:
        return f'<span class="cell missing">{esc(text)}</span>'
    title = esc("; ".join(hover_texts(section, row)))
    verdicts = [verdict_of(row, column.name) or "missing" for column in section.primary]
    if len(set(verdicts)) == 1:
        return f'<span class="cell {style_of(row, first)}" title="{title}">{minus(text)}</span>'
    halves = f"linear-gradient(120deg, var(--{verdicts[0]}-bg) 50%, var(--{verdicts[-1]}-bg) 50%)"
    hollow = " hollow" if row.hollow else ""
    return (
        f'<span class="cell mixed{hollow}" style="background: {halves}" title="{title}">'
        f"{minus(text)}</span>"
    )


def hover_texts(section: Section, row: Row) -> list[str]:
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
