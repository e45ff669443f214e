"""Primary metrics that are over some of the units only, or rank in some networks only."""

from __future__ import annotations

import math

import numpy as np
import pytest
from factories import metric, record, scores
from sections import FLOOR, only, row

PRIMARY = ("pearson-delta-centred", "pearson-delta-centred-unit")


def drawn(name, value, over=None, role="predictor"):
    """A record on one real dataset of 15 perturbations."""
    draws = value + np.random.default_rng(3).normal(0, 0.1, 400)
    cell = {**metric(value, draws=draws.tolist()), **({} if over is None else {"over": over})}
    return record(
        name,
        scores({"spearman": cell}, block="perturbation", blocks=15),
        role=role,
        seed=None,
        kind="real",
        dataset="screen",
    )


@pytest.mark.parametrize(("over", "t"), [(None, 2.1448), (5, 2.7764)])
def test_intervals_go_by_the_units_that_a_metric_is_over(over, t):
    made = drawn("mlp", 0.5, over)
    spread = np.random.default_rng(3).normal(0, 0.1, 400).std(ddof=1)
    n = over or 15
    found = row(only([made, drawn("own-share", 0.5, over, "floor")]), "mlp").scores["spearman"]
    assert found.high - found.value == pytest.approx(t * math.sqrt(n / (n - 1)) * spread, rel=1e-3)


def two(name, values, role="predictor", second=(0, 1, 2, 3, 4)):
    """Records on five networks; the second metric ranks in some of them."""
    made = []
    for seed, value in enumerate(values):
        cells = {PRIMARY[0]: value, f"{PRIMARY[0]}[all]": value}
        cells[PRIMARY[1]] = (
            metric(value / 2) if seed in second else metric(None, missing="4 in which 5 genes")
        )
        primary = PRIMARY if seed in second else PRIMARY[:1]
        made.append(record(name, scores(cells, primary=primary), role=role, seed=seed))
    return made


@pytest.mark.parametrize("second", [(0, 1, 2, 3, 4), (1, 3, 4)])
def test_a_metric_that_ranks_in_some_networks_ranks_over_these(second):
    high = [value + 0.3 for value in FLOOR]
    section = only(two("mlp", high, second=second) + two("own-share", FLOOR, "floor", second))
    assert [column.name for column in section.primary] == list(PRIMARY)
    found = row(section, "mlp").scores[PRIMARY[1]]
    assert found.value == pytest.approx(np.mean([high[seed] / 2 for seed in second]))
    assert found.verdict == "better"
    assert row(section, "mlp").scores[PRIMARY[0]].value == pytest.approx(np.mean(high))
    assert section.sentence.startswith(
        "mlp is better than the best floor, own-share, by both metrics"
    )


def test_metrics_that_stand_in_for_another_are_not_joined():
    high = [value + 0.3 for value in FLOOR]
    records = [
        record(
            name,
            scores({"a[all]": value, "a": value}, primary=("a[all]",) if seed == 0 else ("a",)),
            role=role,
            seed=seed,
        )
        for name, role, values in (("mlp", "predictor", high), ("own-share", "floor", FLOOR))
        for seed, value in enumerate(values)
    ]
    assert [column.name for column in only(records).primary] == ["a[all]"]


def test_a_note_whose_numbers_differ_between_splits_says_so():
    def noted(numbers):
        return [
            record(
                name,
                scores({"spearman": 0.5}, notes=[f"{number} of 15 respond"]),
                role=role,
                seed=None,
                kind="real",
                dataset="screen",
                split=("halves", split),
            )
            for name, role in (("mlp", "predictor"), ("own-share", "floor"))
            for split, number in enumerate(numbers)
        ]

    def said(numbers):
        return list(only(noted(numbers)).task_notes)

    assert said([5, 10, 8]) == ["5 of 15 respond (first of 3 splits; their numbers differ)"]
    assert said([5, 5]) == ["5 of 15 respond"]
