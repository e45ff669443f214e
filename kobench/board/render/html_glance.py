"""The page's view at a glance: predictors and datasets of each task, with marks and colours; and
text made safe for a page.
"""

from __future__ import annotations

import html

from kobench.board.glance import groups_of, layout_of, tally
from kobench.board.render.text import (
    REPLICATE,
    glance_about,
    glance_text,
    line_texts,
    skill_bracket,
    tally_text,
    verdict_of,
    verdict_text,
)
from kobench.board.table import Matrix, Row, Section


def esc(text: object) -> str:
    """Text for HTML content and attributes."""
    return html.escape(str(text), quote=True)


def minus(text: str) -> str:
    """A number with a true minus sign."""
    return esc(text.replace("-", "\u2212"))


def matrix_card(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Predictors and datasets of one task."""
    tables = {"across": across, "down": down, "grouped": grouped}[layout_of(matrix)](
        matrix, anchors
    )
    return f"""<div class="card" data-task="{esc(matrix.task)}">
<h2>At a glance: {esc(matrix.task)}<small>{esc(glance_about(matrix))} Split {esc(matrix.split)}</small></h2>
{tables}
</div>"""


def scrolled(table: str, label: str) -> str:
    """A table that may be wider than the page."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(label)}">{table}</div>'


def link(section: Section, anchors: dict[int, str], scope: str) -> str:
    """A dataset's head in a matrix, which leads to its section."""
    return (
        f'<th scope="{scope}" data-dataset="{esc(section.dataset)}"><a'
        f' href="#{anchors[id(section)]}"'
        f' title="{esc(section.dataset)}">{esc(section.title)}</a></th>'
    )


def across(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Datasets side by side."""
    heads = "".join(link(section, anchors, "col") for section in matrix.datasets)
    rows = []
    for name, cells in zip(matrix.predictors, matrix.cells, strict=True):
        texts = "".join(
            f'<td data-dataset="{esc(section.dataset)}">{glance(section, row)}</td>'
            for section, row in zip(matrix.datasets, cells, strict=True)
        )
        rows.append(
            f'<tr data-predictor="{esc(name)}"><td class="name"'
            f' title="{esc(name)}">{esc(name)}</td>{texts}</tr>'
        )
    floors = "".join(
        f'<td data-dataset="{esc(section.dataset)}">{esc(section.primary[0].floor or "none")}</td>'
        for section in matrix.datasets
    )
    replicate = line_texts(matrix, REPLICATE)
    lines = "".join(
        f'<td data-dataset="{esc(section.dataset)}">{minus(text)}</td>'
        for section, text in zip(matrix.datasets, replicate, strict=True)
    )
    lines = f"<tr><td>line: {REPLICATE}</td>{lines}</tr>" if any(replicate) else ""
    table = f"""<table class="glance">
<thead><tr><th scope="col">predictor</th>{heads}</tr></thead>
<tbody>{chr(10).join(rows)}</tbody>
<tfoot><tr><td>best floor</td>{floors}</tr>{lines}</tfoot>
</table>"""
    return scrolled(table, f"Skill in {matrix.task}")


def down(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Datasets below each other, predictors side by side."""
    replicate = line_texts(matrix, REPLICATE)
    heads = [
        "dataset",
        *matrix.predictors,
        "best floor",
        *([f"line: {REPLICATE}"] if any(replicate) else []),
    ]
    rows = []
    for i, section in enumerate(matrix.datasets):
        cells = "".join(f"<td>{glance(section, cells[i])}</td>" for cells in matrix.cells)
        lines = [
            esc(section.primary[0].floor or "none"),
            *([minus(replicate[i])] if any(replicate) else []),
        ]
        cells += "".join(f'<td class="soft">{text}</td>' for text in lines)
        rows.append(
            f'<tr data-dataset="{esc(section.dataset)}">{link(section, anchors, "row")}{cells}</tr>'
        )
    titles = "".join(f'<th scope="col">{esc(head)}</th>' for head in heads)
    table = (
        '<table class="glance'
        f' down"><thead><tr>{titles}</tr></thead><tbody>{chr(10).join(rows)}</tbody></table>'
    )
    return scrolled(table, f"Skill in {matrix.task}")


def grouped(matrix: Matrix, anchors: dict[int, str]) -> str:
    """Datasets summed up by their parameters, each of them folded away below."""
    rows = []
    for title, places in groups_of(matrix):
        cells = "".join(
            f"<td>{minus(tally_text(tally(matrix, i, places)))}</td>"
            for i in range(len(matrix.predictors))
        )
        rows.append(f'<tr><th scope="row">{esc(title)}</th>{cells}</tr>')
    heads = "".join(
        f'<th scope="col">{esc(name)}</th>' for name in ("datasets", *matrix.predictors)
    )
    table = (
        '<table class="glance'
        f' down"><thead><tr>{heads}</tr></thead><tbody>{chr(10).join(rows)}</tbody></table>'
    )
    every = (
        f"<details><summary>Each of the {len(matrix.datasets)}"
        f" datasets</summary>{down(matrix, anchors)}</details>"
    )
    return scrolled(table, f"Verdicts in {matrix.task}") + every


def glance(section: Section, row: Row | None) -> str:
    """One cell of the matrix."""
    if row is None:
        return ""
    text = glance_text(section, row)
    first = section.primary[0].name
    if row.status != "ok" or first not in row.scores:
        return f'<span class="cell missing">{esc(text)}</span>'
    says = [
        f"{column.name}: {verdict_text(row, column.name) or 'no verdict'}"
        for column in section.primary
    ]
    title = "; ".join(
        [*says, f"skill {skill_bracket(row.scores[first])}"]
        if skill_bracket(row.scores[first])
        else says
    )
    verdicts = [verdict_of(row, column.name) or "missing" for column in section.primary]
    if len(set(verdicts)) == 1:
        return (
            f'<span class="cell {style_of(row, first)}" title="{esc(title)}">{minus(text)}</span>'
        )
    halves = f"linear-gradient(120deg, var(--{verdicts[0]}-bg) 50%, var(--{verdicts[-1]}-bg) 50%)"
    hollow = " hollow" if row.hollow else ""
    return (
        f'<span class="cell mixed{hollow}" style="background: {halves}"'
        f' title="{esc(title)}">{minus(text)}</span>'
    )


def style_of(row: Row, metric: str) -> str:
    """The style of a verdict, outlined instead of filled where it is hollow."""
    return f"{verdict_of(row, metric)} hollow" if row.hollow else verdict_of(row, metric)
