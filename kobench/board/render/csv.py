"""The board as CSV, long format: one row per dataset, split, task, predictor and metric."""

from __future__ import annotations

import csv
import io

from kobench.board.render.long import long_rows
from kobench.board.table import Board


def render(board: Board) -> str:
    """Comma-separated with a header and LF line ends; an empty field is a number that does not
    exist, true and false are words.
    """
    rows = long_rows(board)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]) if rows else ["dataset"], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                key: str(value).lower() if isinstance(value, bool) else value
                for key, value in row.items()
            }
        )
    return buffer.getvalue()
