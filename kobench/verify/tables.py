"""Scores against the table of single units that stands beside them in a record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kobench.results.parts import Record, TaskScores
from kobench.verify.known import Known

#: Tables have six digits, so means of their values agree to this.
OF_MEANS = 1e-5

#: Ranks of values that are equal in six digits may differ.
OF_RANKS = 1e-3


def check_table(record: Record, scores: TaskScores, known: Known) -> Iterator[str]:
    """Why scores can't be of the units in their table; nothing where the record has none.

    Of `response` the metrics that are means over perturbations, of `response-size` and `keystone`
    Spearman's correlation. Others do not follow from their table alone.
    """
    if scores.table is None or known.task(scores.task) is None:
        return
    if scores.task == "response":
        yield from check_means(scores)
    elif scores.task == "response-size":
        yield from check_ranks(scores, "size")
    elif scores.task == "keystone" and known.ranks_by_impacts(record.trial.predictor.name):
        yield from check_ranks(scores, "true")


def check_means(scores: TaskScores) -> Iterator[str]:
    """Metrics of `response`: each is the mean of its column, over all perturbations."""
    assert scores.table is not None
    for name in ("pearson-delta", "pearson-delta-centred", "pearson-delta-centred-unit"):
        shown = f"{name}[all]" if f"{name}[all]" in scores.metrics else name
        metric, column = scores.metrics.get(shown), scores.table.get(name)
        if metric is None or metric.value is None or column is None:
            continue
        values = numbers(column)
        values = values[~np.isnan(values)]
        if len(values) == 0 or abs(values.mean() - metric.value) > OF_MEANS:
            yield (
                f"{shown} is {metric.value:g}, and the mean of its {len(values)} perturbations is"
                f" {values.mean() if len(values) else math.nan:g}"
            )


def check_ranks(scores: TaskScores, truth: str) -> Iterator[str]:
    """Spearman's correlation of two columns of a table."""
    assert scores.table is not None
    metric = scores.metrics.get("spearman")
    if metric is None or metric.value is None or "predicted" not in scores.table:
        return
    predicted, true = numbers(scores.table["predicted"]), numbers(scores.table[truth])
    there = ~(np.isnan(predicted) | np.isnan(true))
    from scipy.stats import rankdata

    ranks = rankdata(predicted[there]), rankdata(true[there])
    if there.sum() < 2 or min(np.ptp(each) for each in ranks) == 0:
        return
    value = float(np.corrcoef(*ranks)[0, 1])
    if abs(value - metric.value) > OF_RANKS:
        yield f"spearman is {metric.value:g}, and that of its table is {value:g}"


def numbers(
    column: Sequence[str | bool | int | float | None],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A column of a table as numbers, NaN for what is none."""
    return np.array([value if type(value) in (int, float) else math.nan for value in column], float)
