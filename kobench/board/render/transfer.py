"""Transfer matrices written down: for the terminal, as Markdown and as HTML; first each predictor's
means, then pair by pair.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from string import ascii_uppercase

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kobench.board.numbers.intervals import Interval
from kobench.board.numbers.standings import verdict_of
from kobench.board.render.text import HOLLOW, HOLLOW_LEGEND, MARKS
from kobench.board.sections.sentences import bracket, number
from kobench.board.transfer import TransferCell, TransferMatrix, drop_verdict

#: What a drop says, beside its number.
DROPS = {"loses": "↓", "same": "≈", "gains": "↑", "": "·"}

STYLES = {
    "better": "green",
    "gains": "green",
    "same": "yellow",
    "worse": "red",
    "loses": "red",
    "": "dim",
}

#: What the page needs beside its own styles.
STYLE = """
table.transfer { width: auto; }
table.transfer th { white-space: normal; max-width: 130px; }
table.transfer td { text-align: center; padding: 4px 10px; border: 1px solid var(--rule); }
table.transfer td.own { outline: 2px solid currentColor; outline-offset: -3px; }
table.transfer td span { display: block; }
""".strip()

#: The least room that a row's name has on a terminal.
NAME_WIDTH = 8

#: Colour of the cells of the page: of what is explained, and of what is worse than the floor.
GREEN, RED = "28, 124, 77", "176, 57, 47"


def by_dataset(matrices: Iterable[TransferMatrix]) -> Iterator[list[TransferMatrix]]:
    """The matrices of each dataset, split and task."""
    for _, group in groupby(
        matrices,
        key=lambda matrix: (matrix.dataset, matrix.dataset_version, matrix.split, matrix.task),
    ):
        yield list(group)


def title_of(matrix: TransferMatrix) -> str:
    """Task, dataset and split in one line."""
    return f"{matrix.task} between {matrix.noun}s of {matrix.dataset}, split {matrix.split}"


def legend_of(matrix: TransferMatrix) -> str:
    """What the numbers and marks mean."""
    hollow = f" △ ≈ ▽ {HOLLOW_LEGEND}." if matrix.few else ""
    blank = "" if pairs_have_intervals(matrix) else " · No interval, so no verdict."
    return (
        f"Explained: 1 is the truth, 0 the trivial {matrix.floor} trained on the same cells (▲"
        " above it, ≈ can't be told apart, ▼ below, by 95 % intervals; [ ] trained on the asked"
        f" {matrix.noun} itself).{hollow} Drop: what a model trained on the asked {matrix.noun},"
        " with as many cells, explains more of the same cells (↓ loses, ≈ can't be told apart, ↑"
        f" gains).{blank}"
    )


def pairs_have_intervals(matrix: TransferMatrix) -> bool:
    """Whether every pair with a share has an interval of it."""
    return all(
        cell.explained.low is not None for row in matrix.cells for cell in row if cell.explained
    )


def sentence_of(matrices: Sequence[TransferMatrix]) -> str:
    """The result in words: who explains anything of groups not trained on, and how much is lost."""
    said = []
    for matrix in matrices:
        if matrix.other is None:
            said.append(f"{matrix.predictor} has no score on other {matrix.noun}s.")
            continue
        against = f"the trivial {matrix.floor} trained on the same cells"
        words = {
            "better": f"is better than {against}",
            "worse": f"is worse than {against}",
            "same": f"can't be told apart from {against}",
            "": f"can't be judged against {against}, for want of an interval",
        }
        lost = (
            ""
            if matrix.drop is None
            else f", and loses {with_ends(matrix.drop)} against a model of that {matrix.noun}"
        )
        said.append(
            f"On {matrix.noun}s it was not trained on, {matrix.predictor}"
            f" {words[verdict_of(matrix.other)]}: it explains {with_ends(matrix.other)}{lost}."
        )
    floor = matrices[0].floor_drop
    return " ".join([*said, f"The floor itself loses {with_ends(floor)}."] if floor else said)


def with_ends(interval: Interval | None) -> str:
    """`0.12 [0.08, 0.16]`."""
    if interval is None:
        return "-"
    return f"{number(interval.value, 2)} {bracket(interval.low, interval.high, 2)}".strip()


def summary_rows(matrices: Sequence[TransferMatrix]) -> list[list[str]]:
    """Name, own, other and drop of every predictor, then of the floor, which explains nothing by
    definition but may lose, too.
    """

    def marked(interval: Interval | None, few: bool) -> str:
        return (
            "-"
            if interval is None
            else f"{(HOLLOW if few else MARKS)[verdict_of(interval)]} {with_ends(interval)}"
        )

    def dropped(interval: Interval | None) -> str:
        return "-" if interval is None else f"{DROPS[drop_verdict(interval)]} {with_ends(interval)}"

    rows = [
        [one.predictor, marked(one.own, one.few), marked(one.other, one.few), dropped(one.drop)]
        for one in matrices
    ]
    first = matrices[0]
    return [*rows, [f"floor: {first.floor}", "0", "0", dropped(first.floor_drop)]]


def summary_head(matrix: TransferMatrix) -> list[str]:
    """What the columns of the summary hold."""
    return ["explained, mean", f"own {matrix.noun}", f"other {matrix.noun}s", "drop"]


def interval_line(matrix: TransferMatrix) -> str:
    """What the intervals of means and of single cells stand for, and what the task said of the
    question.
    """
    within = (
        f"{matrix.blocks} networks"
        if matrix.blocks > 1
        else "the asked cells (they say nothing of other training cells)"
    )
    partly = sum(0 < cell.done < matrix.blocks for row in matrix.cells for cell in row)
    some = [f"{partly} pairs were not scored on every network"] if partly else []
    single = (
        f"of single pairs over {within}"
        if pairs_have_intervals(matrix)
        else "single pairs have none"
    )
    means = (
        f"of means over {matrix.label}"
        if matrix.other and matrix.other.low is not None
        else "means have none"
    )
    return "; ".join([f"Intervals (95 %): {means}, {single}", *some, *matrix.notes])


def share_text(matrix: TransferMatrix, cell: TransferCell, own: bool) -> str:
    """`▲ 0.12`, on the diagonal `▲[0.12]`, or why there is no number."""
    if cell.explained is None:
        return cell.missing
    mark = (HOLLOW if matrix.few else MARKS)[verdict_of(cell.explained)]
    value = two_digits(cell.explained)
    return f"{mark}[{value}]" if own else f"{mark} {value}"


def drop_text(cell: TransferCell) -> str:
    """`↓ 0.30`, nothing where there is no drop."""
    return "" if cell.drop is None else f"{DROPS[drop_verdict(cell.drop)]} {two_digits(cell.drop)}"


def two_digits(interval: Interval) -> str:
    """Two decimals; what rounds to 0 and is told apart from it keeps its sign.

    >>> two_digits(Interval(-0.004, -0.006, -0.002)), two_digits(Interval(-0.004, -0.01, 0.01)), two_digits(Interval(0.123))
    ('-0.00', '0.00', '0.12')
    """
    text = number(interval.value, 2)
    return (
        text
        if text != "0.00" or not (interval.above or interval.below)
        else "+0.00"
        if interval.above
        else "-0.00"
    )


def letters_of(count: int) -> list[str]:
    """A, B, ... Z, AA, BB, ...: short names of groups."""
    return [ascii_uppercase[i % 26] * (i // 26 + 1) for i in range(count)]


# terminal


def print_transfers(matrices: Sequence[TransferMatrix], console: Console) -> None:
    """Print the matrices on a console, at its width (80 columns hold eight groups side by side)."""
    for group in by_dataset(matrices):
        first = group[0]
        console.print()
        console.print(Text(title_of(first), style="bold"))
        console.print(Text(sentence_of(group)))
        console.print(Text(legend_of(first), style="dim"))
        console.print()
        table = plain_table()
        for i, head in enumerate(summary_head(first)):
            table.add_column(head, overflow="fold", no_wrap=i > 0)  # names give way to numbers
        for row in summary_rows(group):
            table.add_row(*row)
        console.print(table)
        for matrix in group:
            console.print()
            console.print(
                Text(
                    f"{matrix.predictor}: explained, and below it the drop; rows trained on,"
                    " columns asked",
                    style="bold",
                )
            )
            cells = [
                [grid_text(matrix, cell, a == b) for b, cell in enumerate(row)]
                for a, row in enumerate(matrix.cells)
            ]
            print_grid(first, cells, console)
        console.print()
        arrow = "↓" if first.direction == "lower" else "↑"
        console.print(Text(f"{first.floor}, the floor: {first.metric} {arrow} itself", style="dim"))
        floors = [[Text(number(value), style="dim") for value in row] for row in first.floors]
        print_grid(first, floors, console)
        for letter, name in zip(letters_of(len(first.groups)), first.groups, strict=True):
            console.print(Text.assemble(Text(f"{letter:>2}", style="bold"), f"  {name}"))
        console.print(Text(interval_line(first), style="dim"))


def plain_table() -> Table:
    """A table without any line, as narrow as its text."""
    return Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")


def grid_text(matrix: TransferMatrix, cell: TransferCell, own: bool) -> Text:
    """Two lines: what is explained, and the drop; bold on the diagonal."""
    style = STYLES[verdict_of(cell.explained)] if cell.explained else "dim"
    share = Text(share_text(matrix, cell, own), style=f"bold {style}" if own else style)
    dropped = drop_text(cell)
    return (
        Text.assemble(share, "\n", Text(dropped, style=STYLES[drop_verdict(cell.drop)]))
        if dropped
        else share
    )


def print_grid(matrix: TransferMatrix, cells: Sequence[Sequence[Text]], console: Console) -> None:
    """Groups x groups, as many columns side by side as fit; columns go by their letters, rows by
    letter and as much of the name as fits.
    """
    letters = letters_of(len(matrix.groups))
    width = min(
        12, max(len(line) for row in cells for cell in row for line in cell.plain.split("\n"))
    )
    step = min(len(letters), max(1, (console.width - NAME_WIDTH) // (width + 1)))
    names = [f"{letter} {name}" for letter, name in zip(letters, matrix.groups, strict=True)]
    name_width = min(max(map(len, names)), console.width - step * (width + 1) - 1)
    for start in range(0, len(letters), step):
        table = plain_table()
        table.add_column("", width=name_width, no_wrap=True, overflow="ellipsis")
        for letter in letters[start : start + step]:
            table.add_column(letter, width=width, overflow="fold")
        for name, row in zip(names, cells, strict=True):
            table.add_row(Text(name), *row[start : start + step])
        console.print(table)


# Markdown


def markdown_lines(matrices: Sequence[TransferMatrix], escape: Callable[[str], str]) -> list[str]:
    """GitHub-flavoured lines; `escape` makes text safe in a table's cell."""
    lines = []
    for group in by_dataset(matrices):
        first = group[0]
        lines += [
            f"## {escape(title_of(first))}",
            "",
            escape(sentence_of(group)),
            "",
            escape(legend_of(first)),
            "",
        ]
        lines += markdown_table(summary_head(first), summary_rows(group), escape)
        heads = ["trained on \\ asked", *first.groups]
        for matrix in group:
            lines += [f"### {escape(matrix.predictor)}: explained, and the drop", ""]
            lines += markdown_table(
                heads,
                [
                    [name, *row]
                    for name, row in zip(first.groups, markdown_cells(matrix), strict=True)
                ],
                escape,
            )
        arrow = "↓" if first.direction == "lower" else "↑"
        lines += [
            f"### {escape(first.floor)}, the floor: {escape(first.metric)} {arrow} itself",
            "",
        ]
        rows = [
            [name, *map(number, row)] for name, row in zip(first.groups, first.floors, strict=True)
        ]
        lines += [*markdown_table(heads, rows, escape), f"- {escape(interval_line(first))}", ""]
    return lines


def markdown_cells(matrix: TransferMatrix) -> list[list[str]]:
    """What is explained and the drop, each with its interval."""
    return [
        [
            ", ".join(
                part
                for part in (
                    f"{share_text(matrix, cell, a == b)} {ends(cell.explained)}".strip(),
                    drop_with_ends(cell),
                )
                if part
            )
            for b, cell in enumerate(row)
        ]
        for a, row in enumerate(matrix.cells)
    ]


def drop_with_ends(cell: TransferCell) -> str:
    """`drop ↓ 0.30 [0.25, 0.35]`, nothing where there is no drop."""
    return f"drop {drop_text(cell)} {ends(cell.drop)}".strip() if cell.drop else ""


def ends(interval: Interval | None) -> str:
    """`[0.08, 0.16]`, nothing where there is no interval."""
    return bracket(interval.low, interval.high, 2) if interval else ""


def markdown_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], escape: Callable[[str], str]
) -> list[str]:
    """The lines of a table and an empty one."""
    lines = [head, ["---"] * len(head), *rows]
    return [
        *(
            f"| {' | '.join(text if text == '---' else escape(text) for text in line)} |"
            for line in lines
        ),
        "",
    ]


# HTML


def html_cards(matrices: Sequence[TransferMatrix]) -> str:
    """A card a dataset; its styles are `STYLE` beside those of the page."""
    return "\n".join(html_card(group) for group in by_dataset(matrices))


def html_card(group: Sequence[TransferMatrix]) -> str:
    """Sentence, summary, a coloured table of each predictor, the floor's scores."""
    first = group[0]
    summary = html_table(
        summary_head(first),
        [[f"<td>{esc(text)}</td>" for text in row[1:]] for row in summary_rows(group)],
        [row[0] for row in summary_rows(group)],
        "glance",
    )
    tables = [
        f"<h3>{esc(matrix.predictor)}: explained, and the drop</h3>"
        + html_table(
            ["trained on \\ asked", *first.groups],
            [
                [html_cell(matrix, cell, a == b) for b, cell in enumerate(row)]
                for a, row in enumerate(matrix.cells)
            ],
            first.groups,
        )
        for matrix in group
    ]
    floors = html_table(
        ["trained on \\ asked", *first.groups],
        [[f"<td>{number(value)}</td>" for value in row] for row in first.floors],
        first.groups,
    )
    arrow = "↓" if first.direction == "lower" else "↑"
    return f"""<section class="card" data-dataset="{esc(first.dataset)}" data-task="{esc(first.task)}">
<h2>{esc(first.task)} between {first.noun}s<small>{esc(first.dataset)} (version {esc(first.dataset_version)}), \
split {esc(first.split)}</small></h2>
<p class="sentence">{esc(sentence_of(group))}</p>
<p class="soft">{esc(legend_of(first))}</p>
{summary}
{chr(10).join(tables)}
<details class="soft"><summary>{esc(first.floor)}, the floor: {esc(first.metric)} {arrow} itself</summary>{floors}</details>
<p class="soft">{esc(interval_line(first))}.</p>
</section>"""


def html_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    names: Sequence[str],
    style: str = "transfer",
) -> str:
    """A table whose cells are HTML already, in a box that scrolls."""
    heads = "".join(f'<th scope="col">{esc(text)}</th>' for text in head)
    lines = (
        f'<tr><th scope="row">{esc(name)}</th>{"".join(row)}</tr>'
        for name, row in zip(names, rows, strict=True)
    )
    table = (
        "<table"
        f' class="{style}"><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(head[0])}">{table}</div>'
    )


def html_cell(matrix: TransferMatrix, cell: TransferCell, own: bool) -> str:
    """One coloured cell: mark and number, the interval and the drop in small print."""
    if cell.explained is None:
        return f'<td class="missing{" own" if own else ""}">{esc(cell.missing)}</td>'
    share = cell.explained.value
    tint = f"rgba({GREEN if share > 0 else RED}, {min(0.45, 0.9 * abs(share)):.2f})"
    small = "".join(
        f'<span class="interval">{minus(text)}</span>'
        for text in (ends(cell.explained), drop_with_ends(cell))
        if text
    )
    kind = ' class="own"' if own else ""
    return (
        f'<td{kind} style="background: {tint}">{minus(share_text(matrix, cell, own))}{small}</td>'
    )


def minus(text: str) -> str:
    """A number with a true minus sign."""
    return esc(text.replace("-", "\u2212"))


def esc(text: object) -> str:
    """Text for HTML content and attributes."""
    return html.escape(str(text), quote=True)
