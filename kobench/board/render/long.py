"""The board in long format: one row per dataset, split, task, predictor and metric.

CSV and JSON hold these rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kobench.board.board import Board
from kobench.board.render.text.section import problem_text
from kobench.board.row import Column, Row, Score
from kobench.board.table import Section, Units
from kobench.board.words import unmarked


def rounded(value: float | None) -> float | None:
    """Six significant digits: enough to read, few enough to be equal on every machine."""
    return None if value is None else float(f"{value:.6g}") + 0.0


def long_rows(board: Board) -> list[dict[str, Any]]:
    """Every number of the board, with the rows that have none.

    Parameters
    ----------
    board : Board
        The leaderboard.

    Returns
    -------
    list of dict
        Flat rows with the same keys; after a section's own rows those of its single units.
    """
    rows: list[dict[str, Any]] = []
    for section in board.sections:
        rows += section_rows(board, section)
        if section.units:
            rows += unit_rows(board, section, section.units)
    return rows


def section_rows(board: Board, section: Section) -> list[dict[str, Any]]:
    """Every row of a section by every metric; secondary metrics only where it has a score."""
    return [
        long_row(board, section, row, column)
        for row in section.rows
        for column in section.columns or (None,)
        if column is None or column.primary or column.name in row.scores
    ]


def unit_rows(board: Board, section: Section, units: Units) -> list[dict[str, Any]]:
    """A row for each unit and column.

    `unit` is the unit's name and `metric` the column; the role of what the truth says is "unit".
    """
    empty = dict.fromkeys(long_row(board, section, section.rows[0], None)) if section.rows else {}
    common = {**empty, **where(section)}
    roles = {row.name: row for row in section.rows}
    found = table_rows({**common, "role": "unit"}, units.names, units.facts)
    for name, columns in units.answers.items():
        row = roles[name]
        who = {
            "role": row.role,
            "predictor": unmarked(name),
            "distribution": row.distribution,
            "prior": row.prior or None,
        }
        found += table_rows({**common, **who}, units.names, columns)
    return found


def table_rows(
    common: dict[str, Any], names: Sequence[str], columns: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """A row for each column and unit, beside what they have in common."""
    return [
        {
            **common,
            "unit": unit,
            "metric": column,
            "primary": False,
            "value": rounded(value) if isinstance(value, float) else value,
        }
        for column, values in columns.items()
        for unit, value in zip(names, values, strict=True)
    ]


def where(section: Section) -> dict[str, Any]:
    """What tells a section from others."""
    return {
        "dataset": section.dataset,
        "dataset_version": section.dataset_version,
        "split": section.split,
        "train": section.train or None,
        "task": section.task,
    }


def long_row(board: Board, section: Section, row: Row, column: Column | None) -> dict[str, Any]:
    """One row of the long format, by one metric or, where a section has none, by none."""
    score = row.scores.get(column.name, Score()) if column else Score()
    difference = score.difference
    found: dict[str, Any] = {
        **where(section),
        "unit": None,
        "role": row.role,
        "predictor": unmarked(row.name),
        "distribution": row.distribution,
        "prior": row.prior or None,
        "version": " ".join(row.versions),
        "status": row.status,
        "metric": column.name if column else None,
        "metric_version": column.version if column else None,
        "primary": bool(column and column.primary),
        "direction": column.direction if column else None,
        "value": rounded(score.value),
        "low": rounded(score.low),
        "high": rounded(score.high),
        "missing": score.missing or None,
        "skill": rounded(score.skill),
        "skill_low": rounded(score.skill_low),
        "skill_high": rounded(score.skill_high),
        "skill_note": score.skill_reason or None,
        "coverage": rounded(row.coverage),
        "rank_low": row.rank[0] if row.rank else None,
        "rank_high": row.rank[1] if row.rank else None,
        "verdict": score.verdict or None,
        "few_networks": row.hollow,
        "permuted": rounded(score.permuted.mean) if score.permuted else None,
        "permuted_p": rounded(score.permuted.p) if score.permuted else None,
        "floor": score.floor,
        "difference": rounded(difference.value) if difference else None,
        "difference_low": rounded(difference.low) if difference else None,
        "difference_high": rounded(difference.high) if difference else None,
        "detectable_difference": rounded(score.detectable),
        "best_floor": bool(column and column.name in row.best_floor),
        "blocks_done": row.blocks_done,
        "blocks": section.blocks,
        "splits": row.splits,
        "sandbox": row.sandbox or None,
        "environment": row.environment or None,
        "reason": "; ".join([*map(problem_text, row.problems), *row.remarks]) or None,
    }
    if board.has_levels:
        known = row.verified
        found["verified"] = str(known) if known else None
        found["verified_by"] = known.by if known else None
        found["verified_on"] = known.on if known else None
    if board.cost:
        cost = row.cost
        found["fit_seconds"] = rounded(cost.fit_seconds) if cost else None
        found["predict_seconds"] = rounded(cost.predict_seconds) if cost else None
        found["peak_mb"] = rounded(cost.peak_mb) if cost else None
    return found
