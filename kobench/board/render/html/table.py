"""The table of a section as HTML, sortable, with a small picture of every interval."""

from __future__ import annotations

from kobench.board.board import Board
from kobench.board.render.html.bar import bar
from kobench.board.render.html.elements import esc, minus, scrolled
from kobench.board.render.html.matrix import style_of
from kobench.board.render.text.legend import DETECTABLE, IMPACTS, KNOWS_LEGEND
from kobench.board.render.text.marks import mark, verdict_text
from kobench.board.render.text.values import (
    COSTS,
    KNOWS_HEAD,
    arrow,
    cost_texts,
    coverage_text,
    has_permuted,
    knows_text,
    others,
    rank_text,
    skill_bracket,
    skill_number,
)
from kobench.board.row import Column, Cost, Row, Score
from kobench.board.table import Section
from kobench.board.words import APART, reason
from kobench.board.written import bracket, number

#: What a hover says of skill.
SKILL = "0 at the best floor, 1 at the truth itself or what an answer without error would score"

#: What a hover says of coverage.
COVERED = "share of what was asked that was answered"


def table(board: Board, section: Section) -> str:
    """The table, its rows in parts that are sorted apart."""
    titles = heads(board, section)
    parts = (
        ("ranked", "", section.from_cells),
        ("ranked", APART, section.with_prior),
        ("unrankable", "", section.unrankable),
        ("floors", "floors: trivial predictors", section.floors),
        ("lines", "lines: answers the dataset gives, no predictors", section.lines),
        ("unranked", "not ranked", section.unranked),
    )
    bodies = []
    for name, title, rows in parts:
        if not rows:
            continue
        head = ""
        if title:
            across = f'colspan="{len(titles)}" scope="rowgroup"'
            head = f'<tr class="part"><th {across}>{title}</th></tr>'
        lines = "\n".join(table_row(board, section, row) for row in rows)
        bodies.append(f'<tbody class="{name}">{head}{lines}</tbody>')
    inside = f"""<table>
<thead><tr>{"".join(titles)}</tr></thead>
{chr(10).join(bodies)}
</table>"""
    return scrolled(inside, f"{section.task} on {section.short}")


def heads(board: Board, section: Section) -> list[str]:
    """The heads of the columns, in the order of `table_row`."""
    found = [sortable_head("rank", "ascending"), sortable_head("predictor", "ascending", text=True)]
    for i, column in enumerate(section.leading):
        found.append(sortable_head(arrow(column), better_first(column), title=title_of(column)))
        found.append('<th scope="col">interval</th>')
        found.append(sortable_head("skill", "descending", "number", SKILL))
        if i == 0:
            found.append(sortable_head("coverage", "descending", "number", COVERED))
        if has_permuted(section, column):
            found.append(sortable_head(KNOWS_HEAD, "ascending", title=KNOWS_LEGEND))
    found += [
        sortable_head(arrow(column), better_first(column), "number extra", title_of(column))
        for column in others(section)
    ]
    if board.cost:
        found += [sortable_head(text, "ascending", "number") for text in COSTS]
    return found


def sortable_head(
    label: str, first: str, classes: str = "", title: str = "", text: bool = False
) -> str:
    """The head of a column that a click sorts by.

    Parameters
    ----------
    label : str
        What stands in it.
    first : str
        The order of the first click, "ascending" or "descending".
    classes : str
        The classes of the head.
    title : str
        What a hover says.
    text : bool
        Whether the column holds text rather than numbers.

    Returns
    -------
    str
        HTML.
    """
    kind = ' data-text=""' if text else ""
    return (
        f'<th scope="col" class="{classes}" data-first="{first}"{kind}>'
        f'<button title="{esc(title)}">{esc(label)}</button></th>'
    )


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


def table_row(board: Board, section: Section, row: Row) -> str:
    """One row of the table."""
    middle = sum(row.rank) / 2 if row.rank else ""
    cells = [
        f'<td data-value="{middle}">{esc(rank_text(row)).replace("-", "–")}</td>',
        name_cell(section, row),
    ]
    for i, column in enumerate(section.leading):
        score = row.scores.get(column.name)
        cells.append(value_cell(score, column))
        cells.append(f"<td>{bar(section, column, score)}</td>")
        cells.append(skill_cell(score))
        if i == 0:
            cells.append(number_cell(row.coverage, coverage_text(row)))
        if has_permuted(section, column):
            cells.append(knows_cell(score, column, section.control))
    cells += [
        value_cell(row.scores.get(column.name), column, "number extra")
        for column in others(section)
    ]
    if board.cost and row.cost:
        cells += cost_cells(row.cost)
    best = " class=best" if section.leading[0].name in row.best_floor else ""
    return f'<tr data-predictor="{esc(row.name)}"{best}>{"".join(cells)}</tr>'


def name_cell(section: Section, row: Row) -> str:
    """The mark of the verdict, the name, and what kind of row it is."""
    metric = section.leading[0].name
    name, says = esc(row.name), esc(verdict_text(row, metric))
    sign = ""
    if says:
        sign = (
            f'<span class="mark {style_of(row, metric)}" role="img" aria-label="{says}"'
            f' title="{says}">{mark(row, metric)}</span> '
        )
    tags = []
    if row.role != "predictor":
        tags.append("best floor" if metric in row.best_floor else row.role)
    if row.status != "ok":
        tags.append(esc(row.status))
    spans = "".join(f'<span class="tag">{tag}</span>' for tag in tags)
    return f'<td class="name" data-value="{name}" title="{name}">{sign}{name}{spans}</td>'


def number_cell(value: float | None, text: str) -> str:
    """A number that is sorted by its value, shown as `text`."""
    key = "" if value is None else f"{value:.6g}"
    return f'<td class="number" data-value="{key}">{text}</td>'


def cost_cells(cost: Cost) -> list[str]:
    """Seconds and memory of a row."""
    values = (cost.fit_seconds, cost.predict_seconds, cost.peak_mb)
    return [number_cell(*pair) for pair in zip(values, cost_texts(cost), strict=True)]


def value_cell(score: Score | None, column: Column, classes: str = "") -> str:
    """A score with its interval in small print, or why there is none."""
    if score is None or score.value is None:
        why = (reason(score.missing) if score else "") or "–"
        return f'<td class="missing {classes}" data-value="">{esc(why)}</td>'
    ends = bracket(score.low, score.high, column.decimals) if score.low != score.high else ""
    text = minus(number(score.value, column.decimals)) + small(ends)
    if column.greyed:
        text, classes = f"({text})", f"missing {classes}"
    return f'<td class="{classes}" data-value="{score.value:.6g}">{text}</td>'


def skill_cell(score: Score | None) -> str:
    """Skill with its interval, or why none is printed."""
    if score is None or score.skill is None:
        why = (reason(score.skill_reason) if score else "") or "–"
        return f'<td class="number missing" data-value="">{esc(why)}</td>'
    ends = skill_bracket(score) if score.skill_low != score.skill_high else ""
    return number_cell(score.skill, minus(skill_number(score)) + small(ends))


def small(ends: str) -> str:
    """An interval in small print, nothing where there is none."""
    return f'<span class="interval">{minus(ends)}</span>' if ends else ""


def knows_cell(score: Score | None, column: Column, control: bool) -> str:
    """Whether permuted answers do as well, sorted by p."""
    permuted = score.permuted if score else None
    p = "" if permuted is None else f"{permuted.p:.6g}"
    classes = "missing" if permuted and not permuted.knows else ""
    text = minus(knows_text(score, column, control))
    return f'<td class="{classes}" data-value="{p}">{text}</td>'
