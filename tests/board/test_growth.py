"""Accuracy beside cost where datasets differ in size alone."""

from __future__ import annotations

import pytest
from factories import make_board, record

from kobench.board.growth import exponent
from kobench.board.render.formats import render


def records(sizes=(100, 500, 2000), parameter="genes", seconds=lambda size: size / 100):
    made = []
    for size in sizes:
        dataset = (
            "grn"
            if (parameter, size) in (("genes", 100), ("cells", 500))
            else f"grn:{parameter}={size}"
        )
        for seed in (0, 1, 2):
            run = {
                "fit_seconds": seconds(size),
                "predict_seconds": seconds(size),
                "peak_mb": 100.0 + size,
            }
            made.append(
                record(
                    "fast", 0.5 + size / 10_000 + seed / 100, dataset=dataset, seed=seed, run=run
                )
            )
            made.append(
                record("own-share", 0.2 + seed / 100, role="floor", dataset=dataset, seed=seed)
            )
    return made


def test_sizes_stand_in_order_with_scores_cost_and_exponent():
    (growth,) = make_board(records()).growths
    assert (growth.dataset, growth.size, growth.sizes, growth.metric) == (
        "grn",
        "genes",
        (100, 500, 2000),
        "spearman",
    )
    assert growth.predictors == ("fast",)
    assert [cell.score.value for cell in growth.cells[0]] == pytest.approx([0.52, 0.56, 0.71])
    assert [cell.seconds for cell in growth.cells[0]] == [2.0, 10.0, 40.0]
    assert [cell.cost.peak_mb for cell in growth.cells[0]] == [200, 600, 2100]
    assert [name for name, _ in growth.floors] == ["own-share"] * 3
    assert growth.exponents == pytest.approx([1.0])


def test_numbers_of_cells_are_sizes_too():
    (growth,) = make_board(records((500, 1000, 8000), "cells")).growths
    assert (growth.size, growth.sizes) == ("cells", (500, 1000, 8000))


def test_0_which_means_all_that_a_file_has_is_no_size():
    assert make_board(records((0, 500, 1000), seconds=lambda size: 2 + size / 100)).growths == ()
    (growth,) = make_board(records((0, 100, 500, 2000))).growths
    assert growth.sizes == (100, 500, 2000)


def test_no_growth_without_cost_or_with_two_sizes():
    assert make_board(records(), cost=False).growths == ()
    assert make_board(records((100, 500))).growths == ()


def test_other_parameters_keep_datasets_apart():
    mixed = [*records((100, 500)), record("fast", 0.5, dataset="grn:genes=2000,sigma=0.3")]
    assert make_board(mixed).growths == ()


def test_sections_stand_in_the_order_of_their_sizes():
    board = make_board(records((100, 500, 2000, 10000)))
    assert [section.dataset for section in board.sections] == [
        "grn",
        "grn:genes=500",
        "grn:genes=2000",
        "grn:genes=10000",
    ]


def test_short_times_give_no_exponent():
    assert make_board(records(seconds=lambda size: 0.001)).growths[0].exponents == (None,)
    assert exponent([1, 2, 3], [None, 1.0, 2.0]) is None
    assert exponent([1, 2, 3], [0.07, 0.1, 0.13]) is None, "start-up"
    assert exponent([10, 100, 1000], [1.0, 10.0, 100.0]) == pytest.approx(1.0)
    assert exponent([10, 100, 1000], [100.0, 10.0, 1.0]) == pytest.approx(-1.0)


def test_every_rendering_shows_it():
    board = make_board(records())
    title = "Accuracy and cost by number of genes"
    for form in ("terminal", "markdown", "html"):
        text = render(board, form)
        assert title in text
    markdown = render(board, "markdown")
    assert "| 2,000 | ▲ 0.710 · 20 + 20 s · 2,100 MB | own-share 0.210 |" in markdown
    assert "| seconds grow as | genes^1.0 |  |" in markdown.replace("\\^", "^")


def test_a_predictor_that_failed_at_a_size_has_a_dash():
    failed = [
        (
            {**one, "result": {**one["result"], "status": "timeout", "scores": {}}}
            if one["role"] == "predictor" and "genes=2000" in one["trial"]["dataset"]["group"]
            else one
        )
        for one in records((100, 500, 1000, 2000))
    ]
    (growth,) = make_board(failed).growths
    assert growth.cells[0][-1].score is None or growth.cells[0][-1].score.value is None
    assert "| 2,000 | - · " in render(make_board(failed), "markdown") or "| 2,000 | - |" in render(
        make_board(failed), "markdown"
    )


@pytest.mark.parametrize("differs", [{"name": "all"}, {"train": "rod"}])
def test_sizes_under_another_split_or_training_group_are_no_growth(differs):
    documents = records((100, 500, 2000))
    for one in documents:
        if "genes=2000" in one["trial"]["dataset"]["group"]:
            one["trial"]["split"] |= differs
    assert make_board(documents).growths == ()
    for one in documents:
        one["trial"]["split"] |= differs
    (growth,) = make_board(documents).growths
    assert growth.sizes == (100, 500, 2000)
