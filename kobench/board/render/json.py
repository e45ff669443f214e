"""The board as JSON: the long rows, and the sections with their sentences and notes."""

from __future__ import annotations

import json
from typing import Any

from kobench.board.render.long import long_rows, rounded
from kobench.board.table import Board, Column, Section

#: Version of this file's layout.
SCHEMA = 1


def render(board: Board) -> str:
    """One JSON object: schema, sections, rows; no NaN, a number that does not exist is null."""
    sections = [section_of(section) for section in board.sections]
    content = {
        "schema": SCHEMA,
        "answer": list(board.answer),
        "ran": list(board.ran),
        "sections": sections,
        "rows": long_rows(board),
    }
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


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
        "unranked": section.unranked_why or None,
        "facts": list(section.facts),
        "said": list(section.said),
        "notes": list(section.notes),
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
        "skill": column.note or "printed",
    }
