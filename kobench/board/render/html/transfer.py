"""Transfer matrices as cards of the page, with coloured tables."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.board.render.html.elements import esc, minus, simple_table, text_cells
from kobench.board.render.text.transfer import (
    by_dataset,
    drop_with_ends,
    ends,
    floor_title,
    interval_line,
    legend_of,
    sentence_of,
    share_text,
    summary_head,
    summary_rows,
)
from kobench.board.transfer import TransferCell, TransferMatrix
from kobench.board.written import number

#: Colours of cells (red, green, blue): what is explained, and what is worse than the floor.
GREEN, RED = "28, 124, 77", "176, 57, 47"


def transfer_cards(matrices: Sequence[TransferMatrix]) -> str:
    """A card a dataset; its styles are in `transfer.css`."""
    return "\n".join(map(transfer_card, by_dataset(matrices)))


def transfer_card(group: Sequence[TransferMatrix]) -> str:
    """Sentence, summary, a coloured table of each predictor, the floor's scores."""
    first = group[0]
    rows = summary_rows(group)
    names = [row[0] for row in rows]
    summary = simple_table(
        summary_head(first), [text_cells(row[1:]) for row in rows], names, "glance"
    )
    tables = [
        f"<h3>{esc(matrix.predictor)}: explained, and the drop</h3>"
        + groups_table(
            matrix,
            [
                [pair_cell(matrix, cell, a == b) for b, cell in enumerate(row)]
                for a, row in enumerate(matrix.cells)
            ],
        )
        for matrix in group
    ]
    floors = groups_table(
        first, [[f"<td>{number(value)}</td>" for value in row] for row in first.floors]
    )
    return f"""\
<section class="card" data-dataset="{esc(first.dataset)}" data-task="{esc(first.task)}">
<h2>{esc(first.task)} between {first.noun}s<small>{esc(first.dataset)} \
(version {esc(first.dataset_version)}), split {esc(first.split)}</small></h2>
<p class="sentence">{esc(sentence_of(group))}</p>
<p class="soft">{esc(legend_of(first))}</p>
{summary}
{chr(10).join(tables)}
<details class="soft"><summary>{esc(floor_title(first))}</summary>{floors}</details>
<p class="soft">{esc(interval_line(first))}.</p>
</section>"""


def groups_table(matrix: TransferMatrix, cells: Sequence[Sequence[str]]) -> str:
    """A table of groups trained on and groups asked."""
    heads = ["trained on \\ asked", *matrix.groups]
    return simple_table(heads, cells, matrix.groups, "transfer")


def pair_cell(matrix: TransferMatrix, cell: TransferCell, own: bool) -> str:
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
    text = minus(share_text(matrix, cell, own)) + small
    kind = ' class="own"' if own else ""
    return f'<td{kind} style="background: {tint}">{text}</td>'
