"""Single perturbations and genes come worst first, by numbers worked out by hand."""

from __future__ import annotations

import pytest
from factories import metric, read, record, scores

from kobench.results.parts import TaskScores
from kobench.show.units import PLACES, places, places_apart, worst_first


def task(table: dict[str, list[object]] | None, direction: str = "higher") -> TaskScores:
    """A task with that table, whose primary metric is `fit`."""
    given = scores({"fit": metric(0.5, direction=direction)}, primary=("fit",), table=table)
    (found,) = read([record("mine", given)])[0].result.scores.values()
    return found


@pytest.mark.parametrize(
    ("direction", "order"), [("higher", ["C", "A", "B", "D"]), ("lower", ["B", "A", "C", "D"])]
)
def test_the_worst_by_the_primary_metric_is_first_and_none_last(
    direction: str, order: list[str]
) -> None:
    table = {
        "perturbation": ["A", "B", "C", "D"],
        "cells": [9, 8, 7, 6],
        "fit": [0.1, 0.2, -0.3, None],
    }
    found = worst_first(task(table, direction))
    assert found is not None
    assert (found.what, found.by) == ("perturbation", "fit")
    assert found.columns == ["perturbation", "fit", "cells"]
    assert [row[0] for row in found.rows] == order
    assert found.rows[-1] == ["D", None, 6]


def test_where_no_metric_judges_a_row_its_place_does() -> None:
    table = {"gene": ["A", "B", "C"], "true": [3.0, 2.0, 1.0], "predicted": [0.1, 0.2, 0.3]}
    found = worst_first(task(table))
    assert found is not None
    assert found.by == PLACES
    assert [(row[0], row[1]) for row in found.rows] == [("A", 2.0), ("C", 2.0), ("B", 0.0)]
    assert found.columns == ["gene", PLACES, "true", "predicted"]


def test_what_cannot_be_judged_has_no_order() -> None:
    assert worst_first(task(None)) is None
    assert worst_first(task({"gene": ["A"], "cells": [3]})) is None
    assert worst_first(task({"cells": [3]})) is None


def test_ties_share_a_place_and_unanswered_rows_have_none() -> None:
    assert places([2.0, 2.0, 1.0, 5.0]) == [2.5, 2.5, 1.0, 4.0]
    assert places_apart([1.0, 2.0, 3.0], [7.0, None, 7.0]) == [0.5, None, 0.5]
    assert places_apart([True, 2.0], [1.0, 2.0]) == [None, 0.0]
