"""Scores that floors and lines owe: those of tasks that name them and of which they have none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kobench.results.parts import Record, TaskScores


def owed_by(records: Iterable[Record]) -> dict[int, dict[str, TaskScores]]:
    """The tasks that name a floor or line of which its record has no scores.

    Returns
    -------
    dict of int to dict of str to TaskScores
        `id` of the floor's or line's record -> task label -> the scores of another row there.
    """
    named: dict[tuple[Any, ...], dict[str, TaskScores]] = defaultdict(dict)
    records = list(records)
    for record in records:
        for label, scores in record.result.scores.items():
            for role, names in (("floor", scores.floors), ("line", scores.lines)):
                for name in names:
                    named[(*place_of(record), role, name)][label] = scores
    return {
        id(record): {label: lacking[label] for label in lacking.keys() - record.result.scores}
        for record in records
        if (lacking := named.get((*place_of(record), record.role, record.trial.predictor.name)))
    }


def place_of(record: Record) -> tuple[str, ...]:
    """The dataset and split of a record."""
    trial = record.trial
    split = (trial.split.name, str(trial.split.seed), trial.split.train or "")
    return (trial.dataset.selection, *split)
