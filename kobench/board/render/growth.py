"""Accuracy beside cost by size, written down: for the terminal, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from kobench.board.growth import Grown, Growth
from kobench.board.render.text import HOLLOW, MARKS, seconds
from kobench.board.render.transfer import esc, html_table, markdown_table, plain_table
from kobench.board.sections.sentences import number


def title_of(growth: Growth) -> str:
    """Task, dataset and split in one line."""
    return (
        f"Accuracy and cost by number of {growth.size}: {growth.task} on {growth.dataset}, split"
        f" {growth.split}"
    )


def legend_of(growth: Growth) -> str:
    """What a cell holds."""
    return (
        f"{growth.metric}: ▲ better than the best floor, ≈ no better, ▼ worse (hollow: one"
        " network); then seconds of fitting + answering all tasks, and the largest memory in MB."
        " Where knockouts were drawn (the facts below say so), both are of the sample: compare"
        f" predictors within a line. Last line: seconds grow with the number of {growth.size} to"
        " this power (least squares on logarithms)."
    )


def cell_text(cell: Grown) -> str:
    """`▲ 0.912 · 3.2 + 0.50 s · 310 MB`; a dash for what is not known."""
    value = None if cell.score is None else cell.score.value
    if value is None and cell.seconds is None:
        return "-"
    mark = "" if cell.score is None else (HOLLOW if cell.hollow else MARKS)[cell.score.verdict]
    parts = ["-" if value is None else f"{mark} {number(value)}".strip()]
    if cell.cost is not None:
        parts.append(f"{seconds(cell.cost.fit_seconds)} + {seconds(cell.cost.predict_seconds)} s")
        parts += [] if cell.cost.peak_mb is None else [f"{cell.cost.peak_mb:,.0f} MB"]
    return " · ".join(parts)


def head_of(growth: Growth) -> list[str]:
    """What the columns hold."""
    return [growth.size, *growth.predictors, "best floor"]


def rows_of(growth: Growth) -> list[list[str]]:
    """A row a size, then the exponents of the seconds."""
    rows = []
    for i, size in enumerate(growth.sizes):
        name, value = growth.floors[i]
        floor = name if value is None else f"{name} {number(value)}"
        rows.append([f"{size:,}", *(cell_text(cells[i]) for cells in growth.cells), floor])
    powers = ["-" if power is None else f"{growth.size}^{power:.1f}" for power in growth.exponents]
    return [*rows, ["seconds grow as", *powers, ""]]


def print_growths(growths: Sequence[Growth], console: Console) -> None:
    """Print the tables on a console."""
    for growth in growths:
        console.print()
        console.print(Text(title_of(growth), style="bold"))
        console.print(Text(legend_of(growth), style="dim"))
        table = plain_table()
        for head in head_of(growth):
            table.add_column(head, overflow="fold")
        for row in rows_of(growth):
            table.add_row(*map(Text, row))
        console.print(table)


def markdown_growths(growths: Sequence[Growth], escape: Callable[[str], str]) -> list[str]:
    """GitHub-flavoured lines; `escape` makes text safe in a table's cell."""
    lines: list[str] = []
    for growth in growths:
        lines += [f"## {escape(title_of(growth))}", "", escape(legend_of(growth)), ""]
        lines += markdown_table([escape(head) for head in head_of(growth)], rows_of(growth), escape)
    return lines


def html_growths(growths: Sequence[Growth]) -> str:
    """A card a table, with the styles of the page."""
    return "\n".join(html_growth(growth) for growth in growths)


def html_growth(growth: Growth) -> str:
    """One card."""
    rows = rows_of(growth)
    cells = [[f"<td>{esc(text)}</td>" for text in row[1:]] for row in rows]
    return f"""<section class="card" data-dataset="{esc(growth.dataset)}" data-task="{esc(growth.task)}">
<h2>{esc(title_of(growth))}</h2>
<p class="soft">{esc(legend_of(growth))}</p>
{html_table(head_of(growth), cells, [row[0] for row in rows], "glance")}
</section>"""
