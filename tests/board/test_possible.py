"""Rows above what is possible: marked, named first, and not ranked until somebody says why."""

from __future__ import annotations

import numpy as np
import pytest
from factories import TASK, make_board, metric, record, scores
from sections import only, row, score

from kobench.board.explained import read_explained
from kobench.board.render.formats import render
from kobench.errors import UserError

FORMATS = ("terminal", "markdown", "csv", "json", "latex", "html")

#: The ceilings of five networks.
TOP = [0.60, 0.70, 0.65, 0.55, 0.75]


def measured(name, values, role="predictor", tops=TOP):
    """Networks with a truth that has noise."""
    found = []
    for seed, (value, top) in enumerate(zip(values, tops, strict=True)):
        cell = metric(value)
        cell["ceiling"] = {"value": top, "draws": []}
        found.append(record(name, scores({"spearman": cell}), role=role, seed=seed))
    return found


def floor():
    return measured("own-share", [0.1, 0.12, 0.11, 0.1, 0.13], "floor")


def profiles(name, error, role="predictor", kind="simulated", asks="profile", by="bray-curtis"):
    """The errors of five networks, or of one data set with draws."""
    found = []
    for seed in range(5 if kind == "simulated" else 1):
        cell = metric(error * (1 + 0.02 * seed), direction="lower", best=0.0, low=0.0, high=1.0)
        if kind == "real":
            draws = error * (1 + np.random.default_rng(3).normal(0, 0.05, 300))
            cell["draws"] = draws.tolist()
        made = scores(
            {by: cell},
            primary=(by,),
            kind="profile",
            asks=asks,
            block="cell",
            blocks=100,
            floors=["masked-mean"],
        )
        more = {"seed": seed} if kind == "simulated" else {"seed": None, "dataset": "pbmc"}
        found.append(record(name, made, role=role, kind=kind, **more))
    return found


def test_a_score_above_the_ceiling_is_not_ranked():
    leak = [top + 0.1 + 0.004 * (i % 2) for i, top in enumerate(TOP)]
    section = only(floor() + measured("leak", leak) + measured("mlp", [x - 0.2 for x in TOP]))
    found = row(section, "leak")
    assert (found.status, found.rank, found.suspect) == ("above what is possible", None, True)
    assert found.beyond == "spearman 0.752, where an answer without error would have 0.650"
    assert [one.name for one in section.ranked] == ["mlp"]
    assert row(section, "mlp").rank == (1, 1)  # what is not possible takes no place
    assert "Not ranked: leak (above what is possible)." in section.sentence


def test_a_score_above_the_ceiling_by_chance_is_ranked():
    # 0.1 above in mean, but t(4) at 99.9 % is 8.61: 8.61 * sd / sqrt(5) must be over 0.1
    luck = [top + 0.1 + step for top, step in zip(TOP, (-0.05, 0.05, -0.03, 0.03, 0), strict=True)]
    over = np.array(luck) - TOP
    assert 0 < over.mean() < 8.610 * over.std(ddof=1) / np.sqrt(5)
    section = only(floor() + measured("luck", luck))
    assert (row(section, "luck").beyond, row(section, "luck").rank) == ("", (1, 1))
    assert score(section, "luck").skill > 1


def test_a_score_above_the_ceiling_by_any_metric_that_ranks_is_not_ranked():
    """By the first one, 0.3 of 1, there is nothing to see."""

    def by_two(name, first, second, role="predictor"):
        found = []
        for seed, top in enumerate(TOP):
            cell = metric(second[seed])
            cell["ceiling"] = {"value": top, "draws": []}
            both = {"spearman": metric(first), "overlap": cell}
            made = scores(both, primary=("spearman", "overlap"))
            found.append(record(name, made, role=role, seed=seed))
        return found

    floors = by_two("own-share", 0.1, [0.1] * 5, "floor")
    leak = by_two("leak", 0.3, [top + 0.1 + 0.004 * (i % 2) for i, top in enumerate(TOP)])
    section = only(floors + leak + by_two("mlp", 0.4, [top - 0.2 for top in TOP]))
    assert row(section, "leak").beyond.startswith("overlap 0.752, where an answer without error")
    assert row(section, "leak").rank is None
    assert [one.name for one in section.ranked] == ["mlp"]


def test_floors_and_lines_are_never_suspect():
    section = only(
        measured("own-share", [x + 0.1 for x in TOP], "floor")
        + measured("truth", [x + 0.2 for x in TOP], "line")
        + measured("mlp", [0.2] * 5)
    )
    assert not [one for one in section.rows if one.beyond]


@pytest.mark.parametrize(("error", "suspect"), [(0.018, True), (0.0215, False), (0.03, False)])
def test_the_noise_of_a_cell_that_is_not_shown_can_not_be_known(error, suspect):
    # two simulations of a cell differ by 0.04; an answer's error is 0.02 or more, whoever gives it
    lines = profiles("replicate", 0.04, "line")
    section = only(profiles("masked-mean", 0.12, "floor") + lines + profiles("mlp", error))
    assert row(section, "mlp").suspect == suspect
    if suspect:
        assert "stays under 0.021, half of what two simulations" in row(section, "mlp").beyond


def test_where_the_cell_is_shown_its_noise_may_be_known():
    lines = profiles("replicate", 0.04, "line", asks="knockout-profile")
    near = profiles("steady-state", 0.005, asks="knockout-profile")
    floors = profiles("masked-mean", 0.12, "floor", asks="knockout-profile")
    assert not row(only(floors + lines + near), "steady-state ‡").beyond


@pytest.mark.parametrize("asks", ["profile", "knockout-profile"])
def test_the_truth_itself_is_no_answer(asks):
    lines = profiles("replicate", 0.04, "line", asks=asks, by="error")
    floors = profiles("masked-mean", 0.12, "floor", asks=asks, by="error")
    section = only(floors + lines + profiles("oracle", 1e-6, asks=asks, by="error"))
    assert "the answer is the truth" in row(section, "oracle").beyond
    without = only(floors + profiles("oracle", 1e-6, asks=asks, by="error"))
    assert not row(without, "oracle").beyond  # of a simulation without noise it may be


@pytest.mark.parametrize(("share", "suspect"), [(0.9e-3, True), (1.1e-3, False), (5e-3, False)])
def test_an_answer_is_the_truth_up_to_a_thousandth_of_the_best_floors_error(share, suspect):
    """The largest difference of any block counts, beside the smallest error of the floor."""
    floors = profiles("masked-mean", 0.12, "floor", kind="real")
    assert (
        row(only(floors + profiles("near", 0.12 * share, kind="real")), "near").suspect == suspect
    )


@pytest.mark.parametrize(
    ("errors", "replicates", "suspect"),
    [
        ([1e-6] * 5, [0.04] * 5, True),
        # by much on one network, where the four others are equal
        ([1e-6] * 4 + [0.01], [0.04] * 5, False),
        # a thousandth of the smallest error of a replicate, 1e-7, is less than 1e-6
        ([1e-6] * 5, [0.04] * 4 + [1e-4], False),
    ],
)
def test_an_answer_must_be_the_truth_on_every_network(errors, replicates, suspect):
    def five(name, values, role):
        found = profiles(name, 1.0, role, by="error")
        for one, value in zip(found, values, strict=True):
            one["result"]["scores"][TASK]["metrics"]["error"]["value"] = value
        return found

    section = only(
        five("masked-mean", [0.12] * 5, "floor")
        + five("replicate", replicates, "line")
        + five("oracle", errors, "predictor")
    )
    assert score(section, "oracle", "error").value == pytest.approx(np.mean(errors))
    assert row(section, "oracle").suspect == suspect


def test_nobody_knows_real_cells_but_from_the_file():
    floors = profiles("masked-mean", 0.12, "floor", kind="real")
    section = only(
        floors + profiles("reader", 0.0, kind="real") + profiles("mlp", 0.1, kind="real")
    )
    assert row(section, "reader").suspect
    assert [one.name for one in section.ranked] == ["mlp"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_suspect_row_is_named_in_the_first_lines(format):
    leak = measured("leak", [top + 0.1 for top in TOP])
    board = make_board(floor() + leak)
    assert board.answer[0].startswith(
        "Above what is possible, so not ranked until somebody says why: leak (knockout-impact on"
    )
    text = " ".join(render(board, format).split())
    assert "above what is possible" in text.lower()
    if format in ("terminal", "markdown", "html"):
        assert "‼" in text
    if format in ("markdown", "html"):  # a terminal's last lines are seen first
        assert text.index("Above what is possible") < text.index("own-share")


def test_a_suspect_row_beats_nobody():
    board = make_board(floor() + measured("leak", [top + 0.1 for top in TOP]))
    assert not [line for line in board.answer if "leak (skill" in line or "leak beats" in line]


def test_somebody_says_why(tmp_path):
    (tmp_path / "explained.toml").write_text('leak = "it was given\\nthe truth, to show it"\n')
    explained = read_explained(tmp_path)
    records = floor() + measured("leak", [top + 0.1 for top in TOP])
    (section,) = make_board(records, explained=explained).sections
    found = row(section, "leak")
    assert (found.rank, found.suspect) == ((1, 1), False)
    assert found.remarks[0].endswith("explained: it was given the truth, to show it")
    assert "until somebody says why" not in " ".join(make_board(records).answer[1:])


@pytest.mark.parametrize("text", ["leak = 3", "leak = ' '", "leak = [", "leak"])
def test_an_explanation_is_a_sentence(tmp_path, text):
    (tmp_path / "explained.toml").write_text(text)
    with pytest.raises(UserError, match=r"explained\.toml"):
        read_explained(tmp_path)
    assert read_explained(tmp_path / "nowhere") == {}
