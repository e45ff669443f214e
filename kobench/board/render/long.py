"""The board in long format, one row per dataset, split, task, predictor and metric: what CSV and JSON hold."""

from __future__ import annotations

from typing import Any

from kobench.board.render.text import problem_text
from kobench.board.table import Board, Column, Row, Score, Section


def rounded(value: float | None) -> float | None:
    """Six significant digits: enough to read, few enough to be equal on every machine."""
    return None if value is None else float(f"{value:.6g}") + 0.0


def long_rows(board: Board) -> list[dict[str, Any]]:
    """Every number of the board, with the rows that have none."""
    return [
        long_row(board, section, row, column)
        for section in board.sections
        for row in section.rows
        for column in section.columns or (None,)
        if column is None or column.primary or column.name in row.scores
    ]


def long_row(board: Board, section: Section, row: Row, column: Column | None) -> dict[str, Any]:
    """One row of the long format."""
    score = row.scores.get(column.name, Score()) if column else Score()
    difference = score.difference
    found: dict[str, Any] = {
        "dataset": section.dataset,
        "dataset_version": section.dataset_version,
        "split": section.split,
        "task": section.task,
        "role": row.role,
        "predictor": row.name,
        "distribution": row.distribution,
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
        "skill_note": score.skill_note or None,
        "coverage": rounded(row.coverage),
        "rank_low": row.rank[0] if row.rank else None,
        "rank_high": row.rank[1] if row.rank else None,
        "verdict": score.verdict or None,
        "few_networks": row.hollow,
        "floor": score.floor,
        "difference": rounded(difference.value) if difference else None,
        "difference_low": rounded(difference.low) if difference else None,
        "difference_high": rounded(difference.high) if difference else None,
        "best_floor": bool(column and column.name in row.best_floor),
        "blocks_done": row.blocks_done,
        "blocks": section.blocks,
        "reason": "; ".join([*map(problem_text, row.problems), *row.remarks]) or None,
    }
    if board.cost:
        cost = row.cost
        found["fit_seconds"] = rounded(cost.fit_seconds) if cost else None
        found["predict_seconds"] = rounded(cost.predict_seconds) if cost else None
        found["peak_mb"] = rounded(cost.peak_mb) if cost else None
    return found
