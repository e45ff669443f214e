"""The board as one self-contained HTML page: nothing is loaded, everything that comes from a record
is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from kobench.board.render.growth import html_growths
from kobench.board.render.html_glance import esc, matrix_card, minus, scrolled, style_of
from kobench.board.render.pictured import enclosed
from kobench.board.render.text import (
    COSTS,
    DETECTABLE,
    HOLLOW,
    HOLLOW_LEGEND,
    IMPACTS,
    KNOWS_HEAD,
    KNOWS_LEGEND,
    MARKS,
    TITLE,
    answer_parts,
    arrow,
    cost_texts,
    coverage_text,
    has_hollow,
    has_permuted,
    knows_text,
    mark,
    notices,
    problem_text,
    purpose,
    rank_text,
    said_of,
    skill_bracket,
    skill_number,
    trained_on,
    verdict_text,
)
from kobench.board.render.transfer import STYLE, html_cards
from kobench.board.render.units import unit_table, unit_text, unit_title
from kobench.board.sections.sentences import bracket, number
from kobench.board.table import CONTROL, VERDICTS, Board, Column, Row, Score, Section, Units
from kobench.board.words import reason

if TYPE_CHECKING:
    from kobench.board.pictures.draw import Drawn

#: Width and height of an interval bar in pixels, and the room left at each end.
BAR, HEIGHT, MARGIN = 120, 16, 6

#: What the marks say, short.
PLAIN = {
    "better": "better than every trivial predictor",
    "same": "no better",
    "worse": "worse",
    "": "not ranked, or no interval to judge by",
}

#: What a hover says of skill.
SKILL = "0 at the best floor, 1 at the truth itself or what an answer without error would score"

#: What a hover says of coverage.
COVERED = "share of what was asked that was answered"

#: Nothing may be loaded from anywhere, whatever a name in a record tries.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'"
)


def render(board: Board, pictures: Sequence[Drawn] = ()) -> str:
    """A page with filters, the summary, a sortable table a section, and the pictures between the
    marks of `kobench.board.render.pictured`.
    """
    files = resources.files("kobench.board.render")
    style, script = (
        files.joinpath(name).read_text(encoding="utf-8").strip() for name in ("page.css", "page.js")
    )
    style = f"{style}\n{STYLE}" if board.transfers or board.growths else style
    anchors = {id(section): f"s{i}" for i, section in enumerate(board.sections, 1)}
    body = [top(board)]
    body += [html_cards(board.transfers)] if board.transfers else []
    if board.matrices:
        body += [
            '<div class="glances">',
            *(matrix_card(matrix, anchors) for matrix in board.matrices),
            "</div>",
        ]
    body += [html_growths(board.growths)] if board.growths else []
    body[-1] += gallery([one for one in pictures if one.picture.section is None])
    for section in board.sections:
        body.append(
            section_card(board, section, anchors[id(section)])
            + gallery([one for one in pictures if one.picture.section is section])
        )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{esc(TITLE)}</title>
<style>
{style}
</style>
</head>
<body>
{chr(10).join(body)}
</main>
<footer class="soft"><p>Bars show scores with their 95 % interval, better to the right; the dashed line is the best floor.
Click a column's head to sort by it.</p></footer>
<script>
{script}
</script>
</body>
</html>
"""


def gallery(pictures: Sequence[Drawn]) -> str:
    """A card of pictures, each folded away; those of a section are hidden with it."""
    if not pictures:
        return ""
    section = pictures[0].picture.section
    where = (
        f' data-dataset="{esc(section.dataset)}" data-task="{esc(section.task)}"' if section else ""
    )
    return enclosed(f'\n<div class="card pictures"{where}>{"".join(map(figure, pictures))}</div>')


def figure(one: Drawn) -> str:
    """A picture, folded away."""
    caption = esc(one.picture.caption)
    return f"""
<details data-task="{esc(one.picture.task)}"><summary>{caption}</summary>
<figure role="img" aria-label="{caption}">{one.svg.strip()}</figure></details>"""


def top(board: Board) -> str:
    """Title, what the marks mean, filters."""
    marks = "".join(
        f'<li><span class="mark {verdict or "missing"}">{MARKS[verdict]}</span> {esc(text)}</li>'
        for verdict, text in PLAIN.items()
    )
    if has_hollow(board):
        spans = " ".join(
            f'<span class="mark {verdict} hollow">{HOLLOW[verdict]}</span>' for verdict in VERDICTS
        )
        marks += f"<li>{spans} {esc(HOLLOW_LEGEND)}</li>"
    by_task = "".join(
        f"<li><b>{esc(task)}</b> {esc(who)}</li>" for task, who in map(answer_parts, board.answer)
    )
    answer = f'<ul class="answers">{by_task}</ul>' if by_task else ""
    datasets = {section.dataset: section.short for section in board.sections}
    tasks = sorted({section.task for section in board.sections})
    ran = "".join(f"\n<p>{esc(text)}</p>" for text in board.ran)
    return f"""<header>
<h1>{esc(TITLE)}</h1>
<p>{esc(purpose(board))}</p>
<ul class="legend">{marks}</ul>
{answer}
<p class="soft">Each predictor is compared with the <b>best floor</b>: the best of the trivial predictors that a method has to beat, on the
same data.
<b>Skill</b> is 0 at that floor and 1 at the truth itself. A rank is an interval: predictors that can't be told apart share it.
{esc(" ".join(notices(board)))}</p>{ran}
<div class="filters">
<label>Dataset <select id="dataset"><option value="">all</option>{options(datasets)}</select></label>
<label>Task <select id="task"><option value="">all</option>{options({task: task for task in tasks})}</select></label>
<label>Predictor <input id="predictor" type="search" placeholder="part of a name"></label>
</div>
</header>
<main>"""


def options(named: dict[str, str]) -> str:
    """Options of a select: value -> text."""
    return "".join(
        f'<option value="{esc(value)}">{esc(text)}</option>' for value, text in named.items()
    )


def section_card(board: Board, section: Section, anchor: str) -> str:
    """One section: sentence, table, reasons, notes."""
    warnings = "".join(
        f'<p class="warning"><b>Warning.</b> {esc(warning)}</p>' for warning in section.warnings
    )
    facts = "".join(f"<li>{esc(text)}</li>" for text in section.notes)
    notes = (
        '<details class="soft"><summary>About this dataset</summary><ul'
        f' class="facts">{facts}</ul></details>'
        if facts
        else ""
    )
    control = CONTROL if section.near_null else ""
    extra = [column for column in section.columns if column not in section.leading]
    words = f"Show all {len(section.columns)} metrics", "Show primary metrics only"
    more = (
        f'<button class="more" aria-expanded="false" data-more="{words[0]}"'
        f' data-less="{words[1]}">{words[0]}</button>'
        if extra
        else ""
    )
    return f"""<section class="card" id="{anchor}" data-dataset="{esc(section.dataset)}" data-task="{esc(section.task)}">
<h2>{esc(section.task)} on {esc(section.short + control)}<small>{esc(asked(section))}\
{esc(section.dataset)} (version {esc(section.dataset_version)}), \
split {esc(section.split + trained_on(section))}</small></h2>
<p class="sentence">{esc(section.sentence)}</p>{warnings}
{table(board, section) if section.leading else ""}{more}
{reasons(section)}<p class="soft">{esc(" ".join(text.rstrip(".") + "." for text in said_of(section)))}</p>
{units_card(section, section.units) if section.units else ""}{notes}
</section>"""


def asked(section: Section) -> str:
    """What the task asks in words, nothing for a task that has none."""
    words = section.words
    return f"{words}; " if words != section.task else ""


def units_card(section: Section, units: Units) -> str:
    """The table of single units, folded away."""
    heads, rows = unit_table(section, units)
    titles = "".join(
        head(name, "descending" if i else "ascending", "" if i == 0 else "number", text=i == 0)
        for i, name in enumerate(heads)
    )
    lines = [
        f"<tr>{''.join(unit_cell(value, i) for i, value in enumerate(row))}</tr>" for row in rows
    ]
    inner = (
        "<table"
        f' class="units"><thead><tr>{titles}</tr></thead><tbody>{chr(10).join(lines)}</tbody></table>'
    )
    title = unit_title(section, units)
    return f"<details><summary>{esc(title[:1].upper() + title[1:])}</summary>{scrolled(inner, title)}</details>"


def unit_cell(value: Any, column: int) -> str:
    """A value of such a table, sorted as the number it is."""
    key = (
        "" if value is None else f"{float(value):.6g}" if isinstance(value, (int, float)) else value
    )
    text = unit_text(value)
    return (
        f'<td class="{"name" if column == 0 else "number"}"'
        f' data-value="{esc(key)}">{esc(text) if column == 0 else minus(text)}</td>'
    )


def table(board: Board, section: Section) -> str:
    """The table, its rows in parts that are sorted apart."""
    heads = [head("rank", "ascending"), head("predictor", "ascending", text=True)]
    for i, column in enumerate(section.leading):
        heads += [
            head(arrow(column), better_first(column), title=title_of(column)),
            '<th scope="col">interval</th>',
        ]
        heads += [head("skill", "descending", "number", SKILL)] + (
            [head("coverage", "descending", "number", COVERED)] if i == 0 else []
        )
        heads += (
            [head(KNOWS_HEAD, "ascending", title=KNOWS_LEGEND)]
            if has_permuted(section, column)
            else []
        )
    others = [column for column in section.columns if column not in section.leading]
    heads += [
        head(arrow(column), better_first(column), "number extra", title_of(column))
        for column in others
    ]
    heads += [head(text, "ascending", "number") for text in COSTS] if board.cost else []
    bodies = []
    parts = (
        ("ranked", "", section.ranked),
        ("unrankable", "", section.unrankable),
        ("floors", "floors: trivial predictors", section.floors),
        ("lines", "lines: answers the dataset gives, no predictors", section.lines),
        ("unranked", "not ranked", section.unranked),
    )
    for name, title, rows in parts:
        if rows:
            part = (
                f'<tr class="part"><th colspan="{len(heads)}" scope="rowgroup">{title}</th></tr>'
                if title
                else ""
            )
            bodies.append(
                "<tbody"
                f' class="{name}">{part}{chr(10).join(table_row(board, section, row) for row in rows)}</tbody>'
            )
    return f"""<div class="scroll" tabindex="0" role="region" aria-label="{esc(section.task)} on {esc(section.short)}"><table>
<thead><tr>{"".join(heads)}</tr></thead>
{chr(10).join(bodies)}
</table></div>"""


def head(label: str, first: str, classes: str = "", title: str = "", text: bool = False) -> str:
    """A sortable column head; `first` is the order of the first click."""
    kind = ' data-text=""' if text else ""
    return (
        f'<th scope="col" class="{classes}" data-first="{first}"{kind}><button'
        f' title="{esc(title)}">{esc(label)}</button></th>'
    )


def better_first(column: Column) -> str:
    """The order that puts the better end on top."""
    return "ascending" if column.direction == "lower" else "descending"


def title_of(column: Column) -> str:
    """What a hover says of a metric."""
    floor = f"best floor {column.floor}" if column.floor else "no floor"
    name, _, variant = column.name.partition("[")
    over = f"over {DETECTABLE}; " if name.startswith("pearson-delta") and not variant else ""
    impacts = f"{IMPACTS} " if variant in ("raw]", "propagated]") else ""
    return (
        f"{impacts}{over}{column.direction} is better; {floor};"
        f" {reason(column.note) or 'skill printed'}"
    )


def table_row(board: Board, section: Section, row: Row) -> str:
    """One row of the table."""
    first = section.leading[0].name
    best = first in row.best_floor
    tags = [
        (
            f'<span class="tag">{"best floor" if best else row.role}</span>'
            if row.role != "predictor"
            else ""
        )
    ]
    tags += [f'<span class="tag">{esc(row.status)}</span>'] if row.status != "ok" else []
    says = esc(verdict_text(row, first))
    sign = (
        f'<span class="mark {style_of(row, first)}" role="img" aria-label="{says}"'
        f' title="{says}">{mark(row, first)}</span> '
        if says
        else ""
    )
    name = (
        f'<td class="name" data-value="{esc(row.name)}"'
        f' title="{esc(row.name)}">{sign}{esc(row.name)}{"".join(tags)}</td>'
    )
    cells = [
        (
            f'<td data-value="{sum(row.rank) / 2 if row.rank else ""}">{esc(rank_text(row)).replace("-", "–")}</td>'
        ),
        name,
    ]
    for i, column in enumerate(section.leading):
        one = row.scores.get(column.name)
        cells += [value_cell(one, column), f"<td>{bar(section, column, one)}</td>", skill_cell(one)]
        if i == 0:
            share = "" if row.coverage is None else f"{row.coverage:.6g}"
            cells.append(f'<td class="number" data-value="{share}">{coverage_text(row)}</td>')
        cells += [knows_cell(one, column, section.control)] if has_permuted(section, column) else []
    others = [column for column in section.columns if column not in section.leading]
    cells += [value_cell(row.scores.get(column.name), column, "number extra") for column in others]
    if board.cost and row.cost:
        values = (row.cost.fit_seconds, row.cost.predict_seconds, row.cost.peak_mb)
        cells += [
            f'<td class="number" data-value="{"" if value is None else f"{value:.6g}"}">{text}</td>'
            for value, text in zip(values, cost_texts(row.cost), strict=True)
        ]
    return (
        f'<tr data-predictor="{esc(row.name)}"{" class=best" if best else ""}>{"".join(cells)}</tr>'
    )


def value_cell(score: Score | None, column: Column, classes: str = "") -> str:
    """A score with its interval in small print, or why there is none."""
    if score is None or score.value is None:
        return (
            f'<td class="missing {classes}"'
            f' data-value="">{esc((reason(score.missing) if score else "") or "–")}</td>'
        )
    ends = bracket(score.low, score.high, column.decimals) if score.low != score.high else ""
    small = f'<span class="interval">{minus(ends)}</span>' if ends else ""
    return (
        f'<td class="{classes}"'
        f' data-value="{score.value:.6g}">{minus(number(score.value, column.decimals))}{small}</td>'
    )


def knows_cell(score: Score | None, column: Column, control: bool) -> str:
    """Whether permuted answers do as well, sorted by p."""
    p = "" if score is None or score.permuted is None else f"{score.permuted.p:.6g}"
    classes = "missing" if score and score.permuted and not score.permuted.knows else ""
    return (
        f'<td class="{classes}" data-value="{p}">{minus(knows_text(score, column, control))}</td>'
    )


def skill_cell(score: Score | None) -> str:
    """Skill with its interval, or why none is printed."""
    if score is None or score.skill is None:
        return (
            '<td class="number missing"'
            f' data-value="">{esc((reason(score.skill_note) if score else "") or "–")}</td>'
        )
    ends = skill_bracket(score) if score.skill_low != score.skill_high else ""
    small = f'<span class="interval">{minus(ends)}</span>' if ends else ""
    return (
        '<td class="number"'
        f' data-value="{score.skill:.6g}">{minus(skill_number(score))}{small}</td>'
    )


def bar(section: Section, column: Column, score: Score | None) -> str:
    """The interval as a small picture, scaled to the predictors and the best floor; better is to
    the right, what lies outside is cut.
    """
    rows = [row for row in section.rows if row.role == "predictor" or column.name in row.best_floor]
    ends = [
        end
        for row in rows
        if (one := row.scores.get(column.name))
        for end in (one.value, one.low, one.high)
        if end is not None
    ]
    if (
        score is None
        or score.value is None
        or score.low is None
        or not ends
        or min(ends) == max(ends)
    ):
        return ""
    worst, best = (min(ends), max(ends))[:: 1 if column.sign > 0 else -1]

    def place(value: float) -> str:
        share = min(1.0, max(0.0, (value - worst) / (best - worst)))
        return f"{MARGIN + share * (BAR - 2 * MARGIN):.1f}"

    middle = HEIGHT // 2
    parts = [f'<line class="axis" x1="0" x2="{BAR}" y1="{middle}" y2="{middle}"/>']
    floor = next(
        (row.scores[column.name].value for row in section.floors if column.name in row.best_floor),
        None,
    )
    if floor is not None:
        parts.append(
            f'<line class="floor" x1="{place(floor)}" x2="{place(floor)}" y1="0" y2="{HEIGHT}"/>'
        )
    if score.low is not None and score.high is not None:
        parts.append(
            f'<line class="range" x1="{place(score.low)}" x2="{place(score.high)}" y1="{middle}"'
            f' y2="{middle}"/>'
        )
    parts.append(f'<circle cx="{place(score.value)}" cy="{middle}" r="3.5"/>')
    return (
        f'<svg class="bar" width="{BAR}" height="{HEIGHT}"'
        f' aria-hidden="true">{"".join(parts)}</svg>'
    )


def reasons(section: Section) -> str:
    """Why rows are not ranked, and what else is to be known of rows."""
    said = []
    for row in section.rows:
        texts = [esc(remark) for remark in row.remarks]
        for problem in row.problems:
            trace = (
                f"<details><summary>traceback</summary><pre>{esc(problem.traceback)}</pre></details>"
                if problem.traceback
                else ""
            )
            texts.append(esc(problem_text(problem)) + trace)
        if texts:
            said.append(f"<dt>{esc(row.name)}</dt>" + "".join(f"<dd>{text}</dd>" for text in texts))
    return f'<dl class="why">{"".join(said)}</dl>' if said else ""
