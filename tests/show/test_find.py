"""A trial is found by the name of its row, its record, and what narrows them."""

from __future__ import annotations

import pytest
from factories import read, record

from kobench.errors import UserError
from kobench.results.records import identity
from kobench.show.find import Asked, keeping_units, matching

RECORDS = read(
    [
        record("mlp", 0.5, dataset="grn", seed=10),
        record("mlp", 0.5, dataset="grn", seed=9),
        record("mlp:alpha=1,layers=2", 0.5, dataset="pbmc", seed=None, split=("halves", 1)),
        record("mlp", dataset="pbmc", seed=None, status="failed", stage="fit", message="broken"),
        record("other", 0.5, dataset="pbmc", seed=None, distribution="file:mine.py", fit_seed=1),
    ]
)


def found(*asked: object, **more: object) -> list[tuple[str, str]]:
    """(predictor, dataset) of each record that fits, in order."""
    return [
        (each.trial.predictor.selection, each.trial.dataset.selection)
        for each in matching(RECORDS, Asked(*asked, **more))  # type: ignore[arg-type]
    ]


def test_a_rows_name_is_enough_and_failures_come_first_then_networks_by_number() -> None:
    assert found("mlp") == [("mlp", "pbmc"), ("mlp", "grn:seed=9"), ("mlp", "grn:seed=10")]
    assert found("other") == [("other", "pbmc")]
    assert found("kobench-baselines/mlp") == [
        ("mlp", "pbmc"),
        ("mlp", "grn:seed=9"),
        ("mlp", "grn:seed=10"),
        ("mlp:alpha=1,layers=2", "pbmc"),
    ]


@pytest.mark.parametrize(
    "text", ["mlp:layers=2,alpha=1", "mlp[alpha=1,layers=2]", "mlp:alpha=1,layers=2 ◆"]
)
def test_a_selection_is_known_in_any_form(text: str) -> None:
    assert found(text) == [("mlp:alpha=1,layers=2", "pbmc")]


def test_a_records_name_is_enough_or_its_beginning() -> None:
    name = identity(RECORDS[2].trial)
    assert found(name) == found(name[:8]) == [("mlp:alpha=1,layers=2", "pbmc")]
    with pytest.raises(UserError, match="no record is of"):
        found(name[:3])


def test_dataset_task_and_seeds_narrow() -> None:
    assert found("mlp", "grn") == [("mlp", "grn:seed=9"), ("mlp", "grn:seed=10")]
    assert found("mlp", "grn:seed=9") == [("mlp", "grn:seed=9")]
    assert found("mlp:alpha=1,layers=2", split_seed=1)
    assert found("other", fit_seed=1)
    assert len(found("mlp", "grn", "knockout-impact")) == 2
    assert len(found("mlp", "grn", "knockout-impact@1")) == 2
    for wrong in (
        {"dataset": "retina"},
        {"task": "nothing"},
        {"split_seed": 7},
        {"fit_seed": 7},
    ):
        with pytest.raises(UserError, match=r"there are those on grn:seed=10, holdout 0; grn"):
            found("mlp", **wrong)


def test_what_is_not_there_is_said_with_what_is() -> None:
    with pytest.raises(UserError, match=r"no record is of 'mlpp'; did you mean 'mlp'\? rows: mlp"):
        found("mlpp")


def test_the_record_that_keeps_single_units_is_named() -> None:
    table = {"gene": ["A"], "true": [1.0], "predicted": [1.0]}
    plain, kept = read([record("mlp", 0.5, seed=1), record("mlp", 0.5, seed=0, table=table)])
    (other,) = read([record("linear", 0.5, seed=0, table=table)])
    assert keeping_units([other, plain, kept], plain, "") == identity(kept.trial)[:8]
    assert keeping_units([other, plain], plain, "") == ""
