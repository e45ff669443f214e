"""A section as a card of the page: sentence, table, single units, reasons and notes."""

from __future__ import annotations

from typing import Any

from kobench.board.board import Board
from kobench.board.render.html.elements import esc, minus, scrolled
from kobench.board.render.html.table import sortable_head, table
from kobench.board.render.text.section import asked, problem_text, said_of, trained_on
from kobench.board.render.text.units import unit_table, unit_text, unit_title
from kobench.board.render.text.values import others
from kobench.board.row import Row
from kobench.board.table import CONTROL, Section, Units


def section_card(board: Board, section: Section, anchor: str) -> str:
    """One card.

    Parameters
    ----------
    board : Board
        The leaderboard.
    section : Section
        One of its sections.
    anchor : str
        What links to the card call it.

    Returns
    -------
    str
        HTML.
    """
    warnings = "".join(
        f'<p class="warning"><b>Warning.</b> {esc(warning)}</p>' for warning in section.warnings
    )
    scores = table(board, section) if section.leading else ""
    said = " ".join(text.rstrip(".") + "." for text in said_of(section))
    units = units_card(section, section.units) if section.units else ""
    question = f"{esc(asked(section))}; " if asked(section) else ""
    return f"""\
<section class="card" id="{anchor}" data-dataset="{esc(section.dataset)}" \
data-task="{esc(section.task)}">
<h2>{esc(section.task)} on {esc(section.short + (CONTROL if section.near_null else ""))}\
<small>{question}{esc(section.dataset)} (version {esc(section.dataset_version)}), \
split {esc(section.split + trained_on(section))}</small></h2>
<p class="sentence">{esc(section.sentence)}</p>{warnings}
{scores}{more_button(section)}
{reasons(section)}<p class="soft">{esc(said)}</p>
{units}{notes(section)}
</section>"""


def more_button(section: Section) -> str:
    """What shows the columns of all metrics; nothing where all are shown already."""
    if not others(section):
        return ""
    every = f"Show all {len(section.columns)} metrics"
    return (
        f'<button class="more" aria-expanded="false" data-more="{every}"'
        f' data-less="Show primary metrics only">{every}</button>'
    )


def notes(section: Section) -> str:
    """What is to be known of the dataset, folded away."""
    if not section.dataset_notes:
        return ""
    items = "".join(f"<li>{esc(text)}</li>" for text in section.dataset_notes)
    return (
        '<details class="soft"><summary>About this dataset</summary>'
        f'<ul class="facts">{items}</ul></details>'
    )


def reasons(section: Section) -> str:
    """Why rows are not ranked, and what else is to be known of rows."""
    items = []
    for row in section.rows:
        if texts := row_reasons(row):
            items.append(f"<dt>{esc(row.name)}</dt>")
            items += [f"<dd>{text}</dd>" for text in texts]
    return f'<dl class="why">{"".join(items)}</dl>' if items else ""


def row_reasons(row: Row) -> list[str]:
    """Remarks on a row and its problems as HTML, tracebacks folded away."""
    texts = [esc(remark) for remark in row.remarks]
    for problem in row.problems:
        text = esc(problem_text(problem))
        if problem.traceback:
            trace = f"<pre>{esc(problem.traceback)}</pre>"
            text += f"<details><summary>traceback</summary>{trace}</details>"
        texts.append(text)
    return texts


def units_card(section: Section, units: Units) -> str:
    """The table of single units, folded away."""
    heads, rows = unit_table(section, units)
    first, *columns = heads
    titles = sortable_head(first, "ascending", text=True)
    titles += "".join(sortable_head(name, "descending", "number") for name in columns)
    lines = [f"<tr>{unit_name(row[0])}{''.join(map(unit_value, row[1:]))}</tr>" for row in rows]
    inner = (
        f'<table class="units"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{chr(10).join(lines)}</tbody></table>"
    )
    title = unit_title(section, units)
    summary = esc(title[:1].upper() + title[1:])
    return f"<details><summary>{summary}</summary>{scrolled(inner, title)}</details>"


def unit_name(value: Any) -> str:
    """The name of a unit."""
    return f'<td class="name" data-value="{esc(sort_key(value))}">{esc(unit_text(value))}</td>'


def unit_value(value: Any) -> str:
    """A value of a unit, sorted as the number it is."""
    return f'<td class="number" data-value="{esc(sort_key(value))}">{minus(unit_text(value))}</td>'


def sort_key(value: Any) -> Any:
    """What a value is sorted by: numbers to six digits, "" for nothing."""
    if value is None:
        return ""
    return f"{float(value):.6g}" if isinstance(value, (int, float)) else value
