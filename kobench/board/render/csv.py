"""The board as CSV, long format: one row per dataset, split, task, predictor and metric."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from kobench.board.board import Board
from kobench.board.render.long import long_rows
from kobench.util.spreadsheet import cell_text


def render(board: Board) -> str:
    """Comma-separated with a header and LF line ends.

    An empty field is a number that does not exist; true and false are words. A text that a
    spreadsheet would take for a formula begins with an apostrophe (`kobench.util.spreadsheet`).
    """
    rows = long_rows(board)
    names = list(rows[0]) if rows else ["dataset"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(fields(map(row.get, names)) for row in rows)
    return buffer.getvalue()


def fields(values: Iterable[Any]) -> list[Any]:
    """Values as CSV has them.

    >>> fields([True, False, 1, -0.5, None, "=1"])
    ['true', 'false', 1, -0.5, None, "'=1"]
    """
    return [
        cell_text(value)
        if isinstance(value, str)
        else "true"
        if value is True
        else "false"
        if value is False
        else value
        for value in values
    ]
