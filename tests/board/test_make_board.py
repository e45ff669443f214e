"""A board is a function of its records: order, filters, twins, and what is said of a run."""

from __future__ import annotations

import random as random_module

import pytest
from factories import TASK, check_board, make_board, networks, record
from sections import FLOOR, floors, only, row, score, with_draws

from kobench.board.render.formats import FORMATS, render
from kobench.errors import UserError


def everything():
    """Records with a bit of all: two datasets, fits, failures, draws."""
    records = []
    for dataset in ("grn:absence=random,genes=100", "grn:absence=modules,genes=100"):
        records += networks(
            "mlp", [0.6, 0.62, 0.58, 0.61, 0.66], dataset=dataset, notes=["a note", "another"]
        )
        records += networks(
            "linear", [0.61, 0.6, 0.6, 0.62, 0.6], dataset=dataset, notes=["a note"]
        )
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
        records += networks("random", [0.01, 0.0, -0.01, 0.02, 0.0], role="floor", dataset=dataset)
        records += networks("truth", [1.0] * 5, role="line", dataset=dataset)
        records.append(record("mlp", 0.59, fit_seed=1, dataset=dataset))
        records.append(record("boom", status="failed", stage="fit", message="x", dataset=dataset))
    return [
        *records,
        with_draws("mlp", 0.55),
        with_draws("own-share", 0.5, "floor"),
        with_draws("random", 0.0, "floor"),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_same_records_in_any_order_give_the_same_bytes(format):
    records = everything()
    expected = render(make_board(records), format)
    for seed in range(3):
        shuffled = list(records)
        random_module.Random(seed).shuffle(shuffled)
        assert render(make_board(shuffled), format) == expected
        assert check_board(shuffled, expected.encode(), format)
    assert not check_board(records[1:], expected.encode(), format)


@pytest.mark.parametrize("format", FORMATS)
def test_without_cost_nothing_of_a_run_enters(format):
    records, other = everything(), everything()
    for i, one in enumerate(other):
        one["run"] = {
            "fit_seconds": 100.0 + i,
            "predict_seconds": 7.0,
            "peak_mb": None,
            "host": f"h{i}",
        }
    assert render(make_board(records, cost=False), format) == render(
        make_board(other, cost=False), format
    )
    assert render(make_board(records), format) != render(make_board(other), format)
    assert check_board(
        other, render(make_board(records, cost=False), format).encode(), format, cost=False
    )


def test_seconds_are_means_and_memory_the_largest():
    records = floors() + [
        record(
            "mlp",
            0.6,
            seed=seed,
            run={"fit_seconds": 1.0 + seed, "predict_seconds": 0.5, "peak_mb": 100.0 * seed},
        )
        for seed in range(5)
    ]
    cost = row(only(records), "mlp").cost
    assert (cost.fit_seconds, cost.predict_seconds, cost.peak_mb) == (3.0, 0.5, 400.0)
    assert row(only(records, cost=False), "mlp").cost is None


def test_a_trial_stored_twice_counts_once_and_a_contradiction_is_an_error():
    records = floors() + networks("mlp", [0.5, 0.6, 0.7, 0.8, 0.9])
    again = record("mlp", 0.5, run={"fit_seconds": 99.0})
    assert score(only([*records, again]), "mlp").value == pytest.approx(0.7)
    with pytest.raises(
        UserError,
        match=r"two records of the same trial \(mlp on grn:genes=100,seed=0, fit seed 0\)",
    ):
        make_board([*records, record("mlp", 0.1)])


def test_no_records_say_what_to_run():
    with pytest.raises(UserError, match=r"no records to make a board from.*kobench run"):
        make_board([])


def test_filters_keep_what_is_named_and_refuse_what_is_not_there():
    records = everything()
    board = make_board(records, datasets=["pbmc"])
    assert [section.dataset for section in board.sections] == ["pbmc"]
    assert len(make_board(records, datasets=["grn"]).sections) == 2
    linear = make_board(
        records,
        predictors=["linear"],
        datasets=["grn:absence=random,genes=100"],
        tasks=["knockout-impact"],
    )
    assert [row.name for row in linear.sections[0].ranked] == ["linear"]
    assert [row.name for row in linear.sections[0].floors] == ["own-share", "random"]
    assert make_board(records, tasks=[TASK]).sections == make_board(records).sections
    with pytest.raises(
        UserError, match="no record has the predictor 'linaer'; did you mean 'linear'"
    ):
        make_board(records, predictors=["linaer"])
    with pytest.raises(UserError, match="no record has the task 'profile'"):
        make_board(records, tasks=["profile"])


def test_rows_with_one_selection_are_told_apart_by_what_differs():
    cuda = networks("mlp", [0.65] * 5)
    for one in cuda:
        one["trial"]["device"] = "cuda"
    stranger = networks("linear", [0.5] * 5, distribution="their-package")
    section = only(
        floors() + networks("mlp", [0.6] * 5) + cuda + stranger + networks("linear", [0.55] * 5)
    )
    assert {row.name for row in section.ranked} == {
        "mlp (device=cpu)",
        "mlp (device=cuda)",
        "kobench-baselines/linear",
        "their-package/linear",
    }


def test_matrix_of_several_datasets():
    board = make_board(everything())
    (matrix,) = board.matrices
    assert [section.short for section in matrix.datasets] == [
        "grn absence=modules",
        "grn absence=random",
        "pbmc",
    ]
    assert matrix.predictors == ("mlp", "linear", "boom")
    assert matrix.cells[2][0].status == "failed"
    assert matrix.cells[2][2] is None
    assert not make_board(everything(), datasets=["pbmc"]).matrices


def test_notes_once_and_what_was_asked():
    section = make_board(everything(), datasets=["grn:absence=random,genes=100"]).sections[0]
    assert section.dataset_notes == ("a note", "another")
    assert section.remarks[0] == "5,000 events asked"
    left = [
        record("mlp", 0.6, seed=seed, left_out={"gene in under 10 cells": 3}, sampled=400)
        for seed in range(5)
    ]
    facts = only(floors() + left).remarks
    assert facts == (
        "5,000 events asked",
        "full rows of 2,000 sampled events compared",
        "left out for everybody: 15 (gene in under 10 cells)",
    )


def test_other_data_under_the_same_name_is_a_warning():
    records = floors() + networks("mlp", [0.6] * 5)
    records[-1]["trial"]["dataset"]["digest"] = "other"
    assert "not all made from the same data" in only(records).warnings[0]


def test_trusted_with_a_predictor_is_marked():
    records = floors() + [record("mlp", 0.6, seed=seed) for seed in range(5)]
    for one in records[-5:]:
        one["result"]["trusted_with_predictor"] = ["my-metric"]
    for cost in (True, False):
        assert row(only(records, cost=cost), "mlp").remarks == (
            "its distribution also brings what sees the truth here: my-metric",
        )


def test_a_line_that_a_dataset_does_not_offer_is_not_shown():
    records = [
        *floors(),
        record("replicate", role="line", status="unsupported", stage="line", message="not offered"),
    ]
    assert "replicate" not in [one.name for one in only(records).rows]
