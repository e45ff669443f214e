"""Pictures from made-up records: what is drawn is what the records hold, in the same bytes."""

from __future__ import annotations

import random
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from factories import (
    check_board,
    genes_table,
    make_board,
    metric,
    networks,
    points,
    read,
    record,
    scores,
    told,
    write_record,
)

from kobench.board.pictures.draw import draw_all, write_pictures
from kobench.board.pictures.plan import plan
from kobench.board.pictures.standing import bars, draw_standings, shown_rows
from kobench.board.pictures.style import styles_of
from kobench.board.render.formats import render
from kobench.board.row import Score
from kobench.builtin.datasets.grn.spec import PARAMS
from kobench.cli.board import board_command
from kobench.errors import UserError
from kobench.results.upgrades import DEFAULTS, parameters_of

pytest.importorskip("matplotlib")

FLOOR = [0.40, 0.42, 0.38, 0.41, 0.39]


def command(*arguments):
    """Run `kobench board` in this process; the exit code."""
    return (
        board_command.main(
            [str(one) for one in arguments], prog_name="kobench board", standalone_mode=False
        )
        or 0
    )


def figure_of(board, start):
    """The drawn figure of the only picture whose name starts so."""
    (picture,) = [one for one in plan(board) if one.name.startswith(start)]
    return picture.figure()


def lines(axis, label):
    """(x, y) of every line with that label."""
    return [
        (list(line.get_xdata()), list(line.get_ydata()))
        for line in axis.get_lines()
        if line.get_label() == label
    ]


def standing_records():
    """Records of a and b that can't be told apart, and of c that is level with the floor.

    c is below both; the other floor, abundance, is far below all.
    """
    records = networks("a", [0.70, 0.60, 0.80, 0.70, 0.75]) + networks(
        "b", [0.60, 0.75, 0.65, 0.80, 0.62]
    )
    records += networks("c", [0.45, 0.36, 0.43, 0.37, 0.42])
    return (
        records
        + networks("own-share", FLOOR, role="floor")
        + networks("abundance", [-0.9] * 5, role="floor")
    )


def test_standing_draws_every_row_at_its_skill_and_joins_what_is_level():
    board = make_board(standing_records())
    (section,) = board.sections
    (axis,) = figure_of(board, "standing").axes
    rows = shown_rows(section)
    assert [row.name for row in rows] == ["a", "b", "c", "own-share", "abundance"]
    assert [text.get_text() for text in axis.get_yticklabels()] == [
        "a",
        "b",
        "c",
        "own-share (best floor)",
        "abundance (floor)",
    ]
    for place, row in enumerate(rows[:3]):
        ((x, y),) = lines(axis, row.name)
        assert (x, y) == ([pytest.approx(row.scores["spearman"].skill)], [place])
    assert lines(axis, "abundance") == []  # off the axis, and said in words at its edge
    assert [text.get_text() for text in axis.texts] == [
        f"{rows[4].scores['spearman'].skill:.2f}: off the axis"
    ]
    assert bars(rows, section.primary[0]) == [[0, 1], [2, 3]]
    assert [y for _, y in lines(axis, "_bar")] == [[0, 1], [2, 3]]
    assert len(lines(axis, "_interval")) == 3  # a, b, c; the floor's is a point
    assert (
        axis.get_title(loc="left") == "grn genes=100 (5 networks)"
        or axis.get_title(loc="left") == "grn (5 networks)"
    )
    assert axis.get_xlabel() == "skill by spearman\n(0: best floor, 1: truth)"


def test_where_less_is_better_the_better_end_is_still_on_the_right():
    def error(name, value, role="predictor"):
        made = metric(value, direction="lower", best=0.0, low=0.0, high=None)
        return [
            record(name, scores({"rmse": made}, primary=("rmse",)), role=role, seed=seed)
            for seed in range(5)
        ]

    # the gap of 0.05 is under a tenth, so the axis has scores
    board = make_board(error("good", 0.02) + error("own-share", 0.05, "floor"))
    (axis,) = figure_of(board, "standing").axes
    left, right = axis.get_xlim()
    assert left > right
    assert axis.get_xlabel() == "score: rmse\n(lower is better)"
    (cost,) = figure_of(board, "cost").axes
    assert cost.yaxis_inverted()


def test_a_predictor_without_a_value_is_named_under_the_panel():
    board = make_board([*standing_records(), *networks("flat", [None] * 5)])
    (axis,) = figure_of(board, "standing").axes
    assert "flat" not in [text.get_text() for text in axis.get_yticklabels()]
    assert "not drawn: flat" in axis.get_xlabel()
    assert (
        "not drawn"
        not in figure_of(make_board(standing_records()), "standing").axes[0].get_xlabel()
    )


def test_a_floor_whose_interval_leaves_the_panel_ends_in_a_pointer():
    (section,) = make_board(standing_records()).sections
    score = Score(value=0.4, skill=0.1, skill_low=-9.0, skill_high=0.2)
    rows = tuple(
        replace(row, scores={"spearman": score}) if row.name == "abundance" else row
        for row in section.rows
    )
    (axis,) = draw_standings(
        section.task, [replace(section, rows=rows)], styles_of(["a", "b", "c"])
    ).axes
    assert [x for x, _ in lines(axis, "_cut")] == [[axis.get_xlim()[0]]]
    (before,) = draw_standings(section.task, [section], styles_of(["a", "b", "c"])).axes
    assert lines(before, "_cut") == []


def pictured(name, value, true, predicted, seed=0, **more):
    entry = scores({"spearman": value}, points=points(true, predicted, "impact"), **more)
    return record(name, entry, seed=seed)


def test_scatter_has_a_panel_a_predictor_and_a_dot_a_unit():
    true, first, second = [0.1, 0.2, 0.3], [0.12, 0.19, 0.35], [0.5, 0.1, 0.0]
    records = [
        pictured("mlp", 0.7, true, first),
        pictured("linear", 0.5, true, second),
        *networks("own-share", FLOOR, role="floor"),
    ]
    records += networks("mlp", [0.7] * 5)[1:] + networks("linear", [0.5] * 5)[1:]
    board = make_board(records)
    figure = figure_of(board, "predicted")
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "mlp\nspearman 0.700",
        "linear\nspearman 0.500",
    ]
    assert lines(figure.axes[0], "mlp") == [(true, first)]
    assert lines(figure.axes[1], "linear") == [(true, second)]
    assert all(
        axis.get_xlabel().replace("\n", " ") == "true propagated impact (Bray- Curtis)"
        for axis in figure.axes
    )
    assert (
        figure.get_suptitle()
        == "knockout-impact@1 on grn: network seed 0, one of 5; 3 values drawn"
    )


def test_rankings_are_drawn_as_ranks_and_panels_share_their_axes():
    entry = scores(
        {"spearman": 0.5},
        task="response-size@1",
        points=points([0.9, 1e-5, 1e-4], [3.0, 3.0, 1.0], "ranking"),
    )
    board = make_board(
        [
            record("mlp", entry),
            record("own-share", scores({"spearman": 0.4}, task="response-size@1"), role="floor"),
        ]
    )
    (axis,) = figure_of(board, "predicted").axes
    assert lines(axis, "mlp") == [([3.0, 1.0, 2.0], [2.5, 2.5, 1.0])]
    assert axis.get_xlabel() == "true size of the response (rank)"


def test_small_values_have_short_ticks():
    records = [
        pictured("mlp", 0.7, [-0.008, 0.0, 0.007], [0.001, 0.0, 0.002]),
        *networks("mlp", [0.7] * 5)[1:],
    ]
    board = make_board(records + networks("own-share", FLOOR, role="floor"))
    (axis,) = figure_of(board, "predicted").axes
    assert axis.get_xlabel() == "true propagated impact (Bray-\nCurtis)\n/ 0.001"
    assert axis.get_ylabel() == "predicted (own axis)\n/ 0.001"
    assert axis.xaxis.get_major_formatter()(0.005, 0) == "5"
    low, high = axis.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in axis.get_xticks()) <= 4


def noisy(sigma, degree, dropout, value, network="er", seeds=3):
    dataset = f"grn:degree={degree},dropout={dropout},network={network},sigma={sigma}"
    return [
        record(
            "mlp",
            scores(
                {
                    "bray-curtis": 0.1,
                    "spearman-pooled": None if value is None else value + 0.01 * (seed - 1),
                },
                task="profile@1",
                primary=("bray-curtis",),
            ),
            dataset=dataset,
            seed=seed,
        )
        for seed in range(seeds)
    ]


def test_noise_has_a_panel_for_each_network_and_dropout_and_a_line_for_each_degree():
    records = []
    for sigma, value in ((0.05, 0.94), (0.3, 0.88)):
        for degree in (3, 7):
            for network in ("er", "sf"):
                records += noisy(sigma, degree, 0, value + 0.001 * degree, network)
                records += noisy(
                    sigma, degree, 0.7, None if network == "sf" else value - 0.1, network
                )
    figure = figure_of(make_board(records), "noise-mlp")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == [
        f"{kind}, dropout {share}"
        for share in ("0", "0.7")
        for kind in ("scale-free, γ = 2.5", "Erdős-Rényi")
    ]
    found = {
        (title, bar.get_label()): bar.lines[0].get_xydata().round(6).tolist()
        for title, axis in zip(titles, figure.axes, strict=True)
        for bar in axis.containers
    }
    assert found["Erdős-Rényi, dropout 0", "degree 7"] == [[0.05, 0.947], [0.3, 0.887]]
    assert found["Erdős-Rényi, dropout 0.7", "degree 3"] == [[0.05, 0.84], [0.3, 0.78]]
    assert [
        key for key in found if key[0] == "scale-free, γ = 2.5, dropout 0.7"
    ] == []  # no value: nothing is drawn
    assert len(found) == 6
    assert "(mean of 3 networks, 95 % intervals)" in figure.get_suptitle().replace("\n", " ")
    assert figure.axes[-1].get_xlabel() == "noise σ (share of a weight)"


def test_the_best_floor_is_grey_behind_the_curves():
    def floors(sigma, name, value):
        found = noisy(sigma, 3, 0, value)
        for one in found:
            (
                one["role"],
                one["trial"]["predictor"]["name"],
                one["trial"]["predictor"]["selection"],
            ) = (
                "floor",
                name,
                name,
            )
        return found

    records = (
        noisy(0.05, 3, 0, 0.9)
        + noisy(0.3, 3, 0, 0.8)
        + floors(0.05, "own-share", 0.6)
        + floors(0.3, "own-share", 0.5)
    )
    records += floors(0.05, "abundance", 0.4) + floors(0.3, "abundance", 0.55)
    figure = figure_of(make_board(records), "noise-mlp")
    assert lines(figure.axes[0], "_floor, degree 3") == [
        ([0.05, 0.3], [pytest.approx(0.6), pytest.approx(0.55)])
    ]
    assert "best floor in grey" in figure.get_suptitle().replace("\n", " ")


def test_one_noise_level_has_no_curve():
    assert [
        one.name
        for one in plan(make_board(noisy(0.05, 3, 0, 0.9) + noisy(0.05, 7, 0, 0.9)))
        if one.name.startswith("noise")
    ] == []


def test_the_defaults_of_grn_are_the_generators():
    assert all(PARAMS[key].default == value for key, value in DEFAULTS.items())
    assert parameters_of("grn:network=sf,dropout=0.3")["sigma"] == PARAMS["sigma"].default


def test_genes_by_their_true_impact_with_intervals_and_predictions():
    table = genes_table({"A": (0.1, 0.3), "B": (0.4, 0.35), "C": (0.2, 0.1)})
    entry = scores({"spearman": 0.5}, task="keystone@1", table=table)
    board = make_board(
        [
            record("mlp", entry),
            record("own-share", scores({"spearman": 0.4}, task="keystone@1"), role="floor"),
        ]
    )
    (axis,) = figure_of(board, "genes").axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ["B", "C", "A"]
    assert lines(axis, "true") == [([0, 1, 2], [0.4, 0.2, 0.1])]
    assert lines(axis, "mlp") == [([0, 1, 2], [0.35, 0.1, 0.3])]
    ends = [(pytest.approx(value - 0.05), pytest.approx(value + 0.05)) for value in (0.4, 0.2, 0.1)]
    assert lines(axis, "_interval") == [([x, x], list(pair)) for x, pair in enumerate(ends)]


def test_cost_is_seconds_of_fitting_and_answering():
    records = standing_records()
    (axis,) = figure_of(make_board(records), "cost").axes
    assert [x for x, _ in lines(axis, "a")] == [[1.75]]  # 1.5 to fit, 0.25 to answer
    assert axis.get_xscale() == "log"
    assert axis.get_xlabel() == "seconds to fit and answer"
    assert [
        one.name for one in plan(make_board(records, cost=False)) if one.name.startswith("cost")
    ] == []


def everything():
    """Records that give a picture of every kind."""
    records = standing_records() + noisy(0.05, 3, 0, 0.9) + noisy(0.3, 3, 0, 0.8)
    entry = scores(
        {"spearman": 0.7},
        points=points([0.1, 0.2], [0.2, 0.3], "impact"),
        table=genes_table({"A": (0.1, 0.3), "B": (0.4, 0.3)}),
    )
    records[0] = record("a", entry)
    return records


def test_the_same_records_give_the_same_bytes():
    records = everything()
    expected = [(one.name, one.svg) for one in draw_all(make_board(records))]
    assert {name.partition("-")[0] for name, _ in expected} == {
        "standing",
        "predicted",
        "genes",
        "cost",
        "noise",
    }
    assert len({name for name, _ in expected}) == len(expected)
    random.Random(0).shuffle(records)
    assert [(one.name, one.svg) for one in draw_all(make_board(records))] == expected
    import matplotlib

    with matplotlib.rc_context(
        {"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": "other"}
    ):  # a reader's own settings don't matter
        assert [(one.name, one.svg) for one in draw_all(make_board(records))] == expected


def test_an_svg_loads_nothing_and_shares_no_id_with_another():
    drawn = draw_all(make_board(everything()))
    seen = set()
    for one in drawn:
        assert not re.search(
            r"https?:(?!//www\.w3\.org/2000/svg)|<script|<metadata|\d{4}-\d\d-\d\d", one.svg
        )
        found = re.findall(r' id="([^"]+)"', one.svg)
        assert len(found) == len(set(found))
        assert not seen & set(found)
        seen |= set(found)
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', one.svg)) == set(found)


def test_records_without_points_tables_or_seconds_have_the_pictures_that_are_left():
    records = standing_records()
    for one in records:
        one["run"] = {"fit_seconds": None, "predict_seconds": None, "peak_mb": None}
    assert [one.name for one in plan(make_board(records))] == ["standing-knockout-impact-1-holdout"]
    assert plan(make_board([record("mlp", status="failed", stage="fit", message="x")])) == []


class Nested(HTMLParser):
    """Checks that tags nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.figures = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.figures += tag == "figure"
        if tag not in ("meta", "input", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_boards_hold_their_pictures_and_are_checked_without_them():
    records = everything()
    board = make_board(records)
    drawn = draw_all(board)
    page, text = render(board, "html", pictures=drawn), render(board, "markdown", pictures=drawn)
    parsed = Nested(page)
    assert (parsed.open, parsed.figures) == ([], len(drawn))
    assert re.findall(r"\]\(pictures/(.*?)\.svg\)", text) == [one.name for one in drawn]
    shown = re.findall(r'<img src="pictures/(.*?)\.svg"', page)
    assert sorted(shown) == sorted(one.name for one in drawn)
    for written, format in ((page, "html"), (text, "markdown")):
        assert check_board(records, written.encode(), format)
        assert not check_board(records, written.replace("0.7", "0.8").encode(), format)
        assert not check_board(records[5:], written.encode(), format)


@pytest.fixture
def believed(monkeypatch):
    """Made-up records are shown as they are: no run could have left them (`kobench verify`)."""
    monkeypatch.setattr("kobench.cli.board.consistent", lambda records, *_: (records, ""))


def test_the_command_writes_them_and_packs_them(tmp_path, capsys, believed):
    for one in told(read(standing_records())):
        write_record(tmp_path / "results", one)
    assert command(tmp_path / "results", "--pictures", tmp_path / "drawn") == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "cost-knockout-impact-1-holdout.svg",
        "standing-knockout-impact-1-holdout.svg",
    ]
    assert "Wrote 2 pictures" in capsys.readouterr().out
    assert command(tmp_path / "results", "--pack", tmp_path / "packed") == 0
    assert {path.name for path in (tmp_path / "packed").rglob("*.svg")} == {
        path.name for path in (tmp_path / "drawn").iterdir()
    }
    page = tmp_path / "packed" / "board.html"
    assert command(tmp_path / "packed", "--check", page) == 0
    assert "pictures were not compared" in capsys.readouterr().out


def test_without_matplotlib_the_extra_is_named_and_a_pack_has_no_pictures(
    tmp_path, capsys, monkeypatch, believed
):
    for one in standing_records():
        write_record(tmp_path / "results", one)
    monkeypatch.setattr("kobench.board.pictures.figure.find_spec", lambda name: None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UserError, match=r"kobench\[pictures\]"):
        draw_all(make_board(standing_records()))
    with pytest.raises(UserError, match="pictures need matplotlib"):
        command(tmp_path / "results", "--pictures", tmp_path / "drawn")
    assert not (tmp_path / "drawn").exists()
    assert command(tmp_path / "results", "--pack", tmp_path / "packed") == 0
    assert (
        '<i class="bar"' in (tmp_path / "packed" / "board.html").read_text()
    )  # the bars of the tables
    assert "<figure" not in (tmp_path / "packed" / "board.html").read_text()
    assert "pictures" not in [path.name for path in (tmp_path / "packed").iterdir()]
    assert "they need matplotlib" in capsys.readouterr().out
    assert not [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]


def test_planning_needs_no_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert len(plan(make_board(everything()))) == 7


def test_pictures_are_written_by_their_names(tmp_path):
    drawn = draw_all(make_board(standing_records()))
    paths = write_pictures(drawn, tmp_path)
    assert [path.read_text() for path in paths] == [one.svg for one in drawn]
