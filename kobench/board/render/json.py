"""The board as JSON: the long rows, and the sections with their sentences and notes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kobench.board.board import Board
from kobench.board.numbers.calibrated import Calibrated
from kobench.board.numbers.rules import RULES
from kobench.board.render.long import long_rows, rounded
from kobench.board.row import Column
from kobench.board.table import Section

#: Version of this file's layout.
SCHEMA = 1


def render(board: Board) -> str:
    """One JSON object: schema, rules, seeds, answer, ran, sections, rows.

    There is no NaN: a number that does not exist is null.
    """
    content = {
        "schema": SCHEMA,
        "rules": RULES,
        "seeds": board.seeds,
        "answer": list(board.answer),
        "ran": list(board.remarks),
        "sections": [section_of(section) for section in board.sections],
    }
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    rows = rows_text(long_rows(board))
    return text.removesuffix("\n}") + f',\n "rows": {rows}\n}}\n'


def rows_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as `json.dumps` with indent=1 writes them at this depth.

    The rows are flat, so each can be written in one go, without an indent: with an indent Python's
    json does it value by value, which takes ten times as long.

    >>> print(rows_text([{"a": 1, "b": None}]))
    [
      {
       "a": 1,
       "b": null
      }
     ]
    """
    if not rows:
        return "[]"
    encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",\n   ", ": "))
    objects = ("  {\n   " + encoder.encode(row)[1:-1] + "\n  }" for row in rows)
    return "[\n" + ",\n".join(objects) + "\n ]"


def section_of(section: Section) -> dict[str, Any]:
    """What is said once a section."""
    return {
        "dataset": section.dataset,
        "dataset_version": section.dataset_version,
        "kind": section.kind,
        "split": section.split,
        "train": section.train or None,
        "task": section.task,
        "sentence": section.sentence,
        "intervals": section.label,
        "blocks": section.blocks,
        "unranked": section.unranked_reason or None,
        "facts": list(section.remarks),
        "said": list(section.task_notes),
        "notes": list(section.dataset_notes),
        "warnings": list(section.warnings),
        "metrics": [metric_of(column) for column in section.columns],
    }


def metric_of(column: Column) -> dict[str, Any]:
    """A metric of a section, its best floor and whether that leaves headroom."""
    gap = column.gap
    return {
        "metric": column.name,
        "version": column.version,
        "direction": column.direction,
        "best": column.best,
        "range": [column.low, column.high],
        "primary": column.primary,
        "floor": column.floor,
        "gap": [rounded(gap.value), rounded(gap.low), rounded(gap.high)] if gap else None,
        "smallest": rounded(column.smallest) if column.floor else None,
        "skill": column.reason or "printed",
        "calibration": calibration_of(column.calibrated),
    }


def calibration_of(found: Calibrated | None) -> dict[str, Any] | None:
    """What a metric tells apart on the dataset, None where the records do not say."""
    if found is None:
        return None
    apart = found.apart
    return {
        "duplicate": rounded(found.duplicate),
        "control": found.control,
        "known": rounded(found.known),
        "apart": [rounded(apart.value), rounded(apart.low), rounded(apart.high)],
        "tells": found.tells,
    }
