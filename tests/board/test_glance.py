"""The first lines of a board: the answer, and the datasets at a glance."""

from __future__ import annotations

import json

import pytest
from factories import make_board, metric, networks, record, scores
from sections import FLOOR, IMPACT, only, row

from kobench.board.glance import FEW, MANY, groups_of, layout_of, tally
from kobench.board.render.formats import render
from kobench.board.render.markdown.elements import escape
from kobench.board.render.text.matrix import glance_text


def many(count, wins):
    """So many datasets; mlp is above the floor on the first few, level with it on the others."""
    records = []
    for i in range(count):
        dataset = f"grn:degree={3 + i // 8},sigma={0.05 * (1 + i % 8):.2f}"
        value = 0.7 if i < wins else 0.4
        records += networks("mlp", [value + x - 0.4 for x in FLOOR], dataset=dataset)
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
    return make_board(records)


def test_few_datasets_stand_side_by_side_more_below_each_other():
    for count, layout in (
        (FEW, "across"),
        (FEW + 1, "down"),
        (MANY, "down"),
        (MANY + 8, "grouped"),
    ):
        (matrix,) = many(count, 2).matrices
        assert layout_of(matrix) == layout
    text = render(many(FEW + 1, 2), "markdown")
    assert "| dataset | mlp | best floor |" in text
    assert "| grn degree=3 sigma=0.05 | ▲ 0.50 | own-share |" in text
    assert '<span class="cell soft">own-share</span>' in render(many(FEW + 1, 2), "html")


def test_many_datasets_are_summed_up_by_what_tells_them_apart():
    board = many(48, 8)
    (matrix,) = board.matrices
    groups = dict(groups_of(matrix))
    assert list(groups)[:4] == ["all 48 datasets", "degree=3", "degree=4", "degree=5"]
    assert len(groups) == 1 + 6 + 8
    assert [len(groups[name]) for name in ("all 48 datasets", "degree=3", "sigma=0.05")] == [
        48,
        8,
        6,
    ]
    found = tally(matrix, 0, groups["degree=3"])
    assert (found.better, found.same, found.worse, found.skill) == (8, 0, 0, pytest.approx(0.5))
    assert tally(matrix, 0, groups["sigma=0.4"]).better == 1
    assert "| degree=3 | ▲ 8 of 8; mean skill 0.50 |" in render(board, "markdown")
    assert "| all 48 datasets | ▲ 8, ≈ 40 of 48; mean skill 0.08 |" in render(board, "markdown")
    for format in ("terminal", "html"):
        assert "▲ 8, ≈ 40 of 48; mean skill" in render(board, format)
    assert board.answer == (
        (f"{IMPACT}mlp beats the best floor on 8 of 48 simulated datasets (mean skill 0.08)."),
    )


def test_a_row_without_a_rank_counts_in_no_tally():
    records = []
    for place, done in enumerate((5, 4, 5)):
        dataset = f"grn:degree={3 + place}"
        records += networks("mlp", [x + 0.3 for x in FLOOR[:done]], dataset=dataset)
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
    (matrix,) = make_board(records).matrices
    (cells,) = matrix.cells
    assert [one.rank for one in cells] == [(1, 1), None, (1, 1)]
    left_out = cells[1].scores["spearman"]
    assert left_out.verdict == "better"
    assert left_out.skill > 0
    found = tally(matrix, 0, [0, 1, 2])
    assert (found.better, found.same, found.worse, found.rest, found.skills) == (2, 0, 0, 1, 2)
    found = tally(matrix, 0, [1])
    assert (found.better, found.rest, found.skill, found.skills) == (0, 1, None, 0)


def test_the_answer_stands_right_below_the_title():
    records = (
        networks("mlp", [0.7] * 5)
        + networks("linear", [0.3] * 5)
        + networks("own-share", FLOOR, role="floor")
    )
    for name, value, role in (
        ("mlp", 0.2, "predictor"),
        ("linear", 0.3, "predictor"),
        ("own-share", 0.4, "floor"),
    ):
        records += [
            record(name, scores({"spearman": value}, task="keystone@1"), role=role, seed=seed)
            for seed in range(5)
        ]
    merged = {}
    for one in records:
        trial = json.dumps(one["trial"], sort_keys=True) + one["role"]
        merged.setdefault(trial, one)["result"]["scores"].update(one["result"]["scores"])
    board = make_board(merged.values())
    assert board.answer == (
        ("Which genes matter most when removed (keystone): nobody beats the best floor on grn."),
        f"{IMPACT}mlp (skill 0.50) beats the best floor on grn.",
    )
    lines = [line for line in render(board, "markdown").splitlines() if line]
    assert lines[0] == "# kobench leaderboard: keystone and knockout-impact on grn"
    place = next(i for i, line in enumerate(lines) if line.startswith("**▲"))
    assert lines[3] == (
        "Asked: which genes matter most when removed (keystone); how much a knockout changes each"
        " cell (knockout-impact)."
    )
    assert [line.split(" | ")[0] for line in lines[4:place]] == [
        "| predictor",
        "| ---",
        "| mlp",
        "| linear",
    ]
    assert [*lines[1:3], *lines[place : place + 3]] == [
        f"**{escape(board.headline)}**",
        (
            "Can a method predict what removing a gene does, from unperturbed cells alone? All data"
            " here are simulated (grn). Its network seeds are public (0 to 4): anyone can compute"
            " the truth."
        ),
        ("**▲ better than the best floor, ≈ not told apart from it, ▼ worse, · no verdict**"),
        (
            "- **Which genes matter most when removed (keystone):** nobody beats the best floor on"
            " grn."
        ),
        f"- **{IMPACT.strip()}** mlp (skill 0.50) beats the best floor on grn.",
    ]
    assert render(board, "terminal", width=240).splitlines()[-4:] == [
        *board.answer,
        "",
        board.headline,
    ]
    page = render(board, "html")
    assert (
        page.index("</h1>")
        < page.index("better than the best floor<")
        < page.index("(keystone):</b> nobody")
        < page.index("Each predictor")
    )
    assert json.loads(render(board, "json"))["answer"] == list(board.answer)


def test_nobody_better_is_said():
    board = make_board(networks("mlp", [0.3] * 5) + networks("own-share", FLOOR, role="floor"))
    assert board.answer == (f"{IMPACT}nobody beats the best floor on grn.",)


def test_a_question_is_won_by_all_of_its_metrics():
    def both(name, a, b, role="predictor"):
        return [
            record(
                name,
                scores({"a": a, "b": b}, primary=("a", "b")),
                role=role,
                seed=seed,
                dataset=dataset,
            )
            for seed in range(5)
            for dataset in ("grn:genes=50", "grn:genes=60")
        ]

    board = make_board(
        both("all", 0.7, 0.7) + both("half", 0.7, 0.1) + both("own-share", 0.4, 0.4, "floor")
    )
    assert board.answer == (
        (
            f"{IMPACT}all (skill 0.50) beats the best floor on grn genes=50 by both"
            " metrics; all (skill 0.50) beats the best floor on grn genes=60 by both"
            " metrics."
        ),
    )


@pytest.mark.parametrize("value", [0.3, 0.7])
def test_a_near_null_control_is_set_apart_and_comes_last(value):
    note = "near-null: hardly any effect beyond the target"
    records = networks("mlp", [value] * 5, dataset="a") + networks(
        "own-share", FLOOR, role="floor", dataset="a"
    )
    for one in records:
        one["trial"]["dataset"]["notes"] = [note]
    board = make_board(
        [
            *records,
            *networks("mlp", [0.3] * 5, dataset="b"),
            *networks("own-share", FLOOR, role="floor", dataset="b"),
        ]
    )
    assert [section.title for section in board.sections] == ["b", "a (near-null control)"]
    who = "nobody" if value < 0.4 else "mlp, which makes it suspect"
    assert board.answer == (
        f"{IMPACT}nobody beats the best floor on b. On the near-null control a: {who}.",
    )
    assert [
        section.sentence.startswith("Near-null control: hardly anything changes here")
        for section in board.sections
    ] == [False, True]
    assert "| skill | b | a (near-null control) |" in render(board, "markdown")


def test_tasks_in_words_the_most_demanding_first():
    labels = ["profile@1", "mine@2", "keystone@1", "response-size@1", "response@1"]
    entries = [scores({"spearman": metric(0.5)}, label) for label in labels]
    board = make_board([record("mlp", {name: one[name] for one in entries for name in one})])
    assert [section.task for section in board.sections] == [
        "response@1",
        "response-size@1",
        "keystone@1",
        "profile@1",
        "mine@2",
    ]
    assert board.sections[-1].words == "mine@2"
    assert board.sections[2].words == "Which genes matter most when removed"


def test_no_number_stands_with_a_verdict_that_says_no_better():
    records = [
        *networks("level", [0.3, 0.5, 0.35, 0.45, 0.4]),
        *networks("good", [0.7] * 5),
        *networks("own-share", [0.4] * 5, role="floor"),
    ]
    section = only(records)
    assert glance_text(section, row(section, "level")) == "≈"
    assert glance_text(section, row(section, "good")) == "▲ 0.50"
