"""What the renderings look like: whole, escaped and wide enough; what is missing is no number."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from factories import make_board, metric, networks, record, scores
from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from kobench.board.render.formats import FORMATS, render
from kobench.board.render.terminal.tables import TextColumn, table_of, width_of
from kobench.board.render.text.marks import HOLLOW_LEGEND
from kobench.board.render.text.matrix import glance_text
from kobench.cli import board as board_command
from kobench.errors import UserError

NASTY = 'a|b<script>alert("1")</script>_x%&$#{y}~^\\[bold]*`'
FLOORS = ("own-share", "abundance", "random")


def two_metrics(name, first, second, role="predictor", **more):
    """Five networks by two co-primary metrics and two secondary ones."""
    return [
        record(
            name,
            scores(
                {
                    "spearman-within-cell": first + 0.01 * seed,
                    "spearman-within-gene": second - 0.01 * seed,
                    "spearman-within-cell[raw]": 0.9,
                    "mae": metric(0.00123, direction="lower", best=0.0, low=0.0, high=1.0),
                },
                primary=("spearman-within-cell", "spearman-within-gene"),
            ),
            role=role,
            seed=seed,
            **more,
        )
        for seed in range(5)
    ]


@pytest.fixture
def board():
    records = (
        two_metrics("mlp", 0.6, 0.5)
        + two_metrics(NASTY, 0.5, 0.4, notes=[f"note {NASTY}"])
        + two_metrics("own-share", 0.4, 0.1, "floor")
    )
    records += two_metrics("random", 0.0, 0.0, "floor") + two_metrics(
        "gene-oracle", 0.8, 0.3, "line"
    )
    records.append(
        record(
            "crash",
            status="failed",
            stage="fit",
            message=f"broke {NASTY}",
            traceback=f"Traceback\n{NASTY}\n",
        )
    )
    records += networks("other", [0.6] * 5, dataset="grn:genes=500") + networks(
        "own-share", [0.4] * 5, "floor", dataset="grn:genes=500"
    )
    return make_board(records)


class Page(HTMLParser):
    """Collects tags and text, and checks that tags nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.attributes = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def test_html_is_whole_escaped_and_loads_nothing(board):
    text = render(board, "html")
    page = Page(text)
    assert page.open == []
    assert re.findall(r"<script[^>]*>", text) == [
        *('<script type="application/json" id="m-s1">', "<script>")
    ]
    assert any(NASTY in one for one in page.texts)
    assert ("data-predictor", NASTY) in page.attributes
    assert not re.search(r"https?:|(?<!\n)//[a-z]|@import|url\(", text)
    assert {name for name, _ in page.attributes} & {"src", "onclick", "onload"} == set()
    styles = {value for name, value in page.attributes if name == "style"}
    assert styles
    assert all(re.fullmatch(r"(--[lvhf]:\d+;?)+", style) for style in styles)
    links = [value for name, value in page.attributes if name == "href"]
    assert links
    anchors = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert set(links) <= anchors


def test_html_cells_match_their_heads(board):
    page = render(board, "html")
    tables = re.findall(r'<table class="scores">(.*?)</table>', page, re.S)
    assert len(tables) == 2
    for table in tables:
        heads = len(re.findall(r"<th scope=\"col\"", table))
        rows = re.findall(r"<tr data-predictor.*?</tr>", table, re.S)
        assert rows
        for row in rows:
            wide = sum(int(span) - 1 for span in re.findall(r'colspan="(\d+)"', row))
            assert row.count("<td") + row.count("<th") + wide == heads
        assert f'colspan="{heads}"' in table  # the titles of its parts
    (data,) = re.findall(r'<script type="application/json" id="m-s1">(.*?)</script>', page)
    titles, *lines = json.loads(data)
    assert [title[0] for title in titles] == [
        "skill, spearman-within-gene",
        "above best floor, spearman-within-gene",
        "mae ↓",
        "spearman-within-cell[raw] ↑",
    ]
    assert len(lines) == len(re.findall("<tr data-predictor", tables[0]))
    assert {len(line) for line in lines} == {len(titles)}


def test_csv_is_long_and_an_empty_field_is_no_number(board):
    rows = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    found = [
        row for row in rows if row["predictor"] == NASTY and row["metric"] == "spearman-within-cell"
    ]
    assert len(found) == 1
    assert float(found[0]["value"]) == pytest.approx(0.52)
    assert found[0]["rank_low"] == found[0]["rank_high"] == "2"
    assert {row["role"] for row in rows} == {"predictor", "floor", "line"}
    crash = [row for row in rows if row["predictor"] == "crash"]
    assert {(row["status"], row["value"], row["skill"], row["rank_low"]) for row in crash} == {
        ("failed", "", "", "")
    }
    assert all("broke" in row["reason"] for row in crash)
    best = {
        (row["dataset"], row["metric"], row["predictor"])
        for row in rows
        if row["best_floor"] == "true"
    }
    assert ("grn:genes=100", "spearman-within-gene", "own-share") in best


def test_json_holds_the_same_rows_and_the_sentences(board):
    content = json.loads(render(board, "json"))
    assert len(content["rows"]) == len(list(csv.DictReader(io.StringIO(render(board, "csv")))))
    assert content["sections"][0]["sentence"].startswith(
        "mlp is better than the best floor, own-share, by both metrics (0.200 [0.200, 0.200] in the"
    )
    assert content["sections"][0]["metrics"][0]["floor"] == "own-share"
    assert "fit_seconds" in content["rows"][0]


def unescaped_pipes(line):
    return len(re.findall(r"(?<!\\)\|", line))


def test_markdown_tables_have_as_many_cells_as_heads(board):
    text = render(board, "markdown")
    heads = 0
    for line, after in zip(text.splitlines(), [*text.splitlines()[1:], ""], strict=True):
        if after.startswith("| ---"):
            heads = unescaped_pipes(line)
        if line.startswith("|"):
            assert unescaped_pipes(line) == heads, line
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_latex_has_no_bare_specials(board):
    text = render(board, "latex")
    named = [line for line in text.splitlines() if "alert" in line]
    assert named
    for line in named:
        assert not re.search(r"(?<!\\)[%_#]", line), line
        assert "<" not in line
        assert "|" not in line
    bodies = re.findall(r"\\begin\{tabular\}\{(@.*?)@\{\}\}(.*?)\\end\{tabular\}", text, re.S)
    assert len(bodies) >= 2
    assert len(bodies) == text.count(r"\begin{tabular}")
    for columns, body in bodies:
        rows = [
            line for line in body.splitlines() if line.endswith(r"\\") and "multicolumn" not in line
        ]
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {columns.count("p{")}
    without = text.replace(r"\{", "").replace(r"\}", "")
    assert without.count("{") == without.count("}")


@pytest.mark.parametrize("width", [80, 100, 140, 220])
def test_terminal_fits_its_width_and_says_what_it_left_out(board, width):
    text = render(board, "terminal", width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    # the value of mlp survives every width; its interval gives way to a name of 55 characters
    assert ("0.620 [0.600, 0.640]" in text) == (width > 100)
    assert "0.620" in text
    assert ("not shown at this width" in text) == (width < 220)
    assert "not ranked: crash" in text
    assert "\x1b" in render(board, "terminal", width=width, color=True)


def test_nothing_missing_is_shown_as_a_number():
    none = [
        record("const", scores({"spearman": metric(None, missing="none")}), seed=seed)
        for seed in range(5)
    ]
    silent = [
        record("silent", scores({"spearman": metric(None, missing="not answered")}), seed=seed)
        for seed in range(5)
    ]
    liar = [
        record("liar", seed=seed, status="invalid", stage="profile", message="row sums to 2")
        for seed in range(5)
    ]
    floor = networks("own-share", [0.9] * 5, "floor") + networks("random", [0.1] * 5, "floor")
    board = make_board(none + silent + liar + floor + networks("mlp", [0.95] * 5))
    for format in FORMATS:
        text = render(board, format)
        for word in (
            "none" if format in ("csv", "json") else "constant",
            "not answered",
            "invalid",
            "no headroom",
        ):
            assert word in text, (format, word)
    rows = {row["predictor"]: row for row in json.loads(render(board, "json"))["rows"]}
    assert [rows[name]["value"] for name in ("const", "silent", "liar")] == [None] * 3
    assert [rows[name]["missing"] for name in ("const", "silent", "liar")] == [
        "none",
        "not answered",
        "invalid",
    ]


def test_floors_and_lines_stand_apart_and_the_best_floor_is_marked(board):
    lines = render(board, "terminal", width=140).splitlines()
    section = lines[
        next(i for i, line in enumerate(lines) if line.startswith(" knockout-impact@1   A")) :
    ]
    table = section[next(i for i, line in enumerate(section) if line.startswith("rank")) + 2 :]
    starts = [line.split()[0][:6] for line in table if line][:8]
    rule = "┄" * 6
    assert starts == ["1", "2", rule, "floor*", "floor", rule, "line", "not"]
    assert "(best floor)" in render(board, "markdown")


def few_and_many():
    """A board with one section on one network, whose genes were drawn again, and one on five."""
    records = []
    for name, role, value in (
        ("up", "predictor", 0.7),
        ("level", "predictor", 0.4),
        ("down", "predictor", 0.1),
        ("own-share", "floor", 0.4),
    ):
        cell = metric(value, draws=[value - 0.02, value - 0.01, value + 0.01, value + 0.02])
        records += [record(name, scores({"spearman": cell}), role=role)]
        records += networks(name, [value] * 5, role=role, dataset="grn:genes=500")
    return make_board(records)


@pytest.mark.parametrize(
    ("format", "row", "marks"),
    [
        ("terminal", "{mark} {name} ", "▲▼△▽"),
        ("markdown", "| {mark} | {name} |", "▲▼△▽"),
        ("html", ">{mark}</span> {name}<", "▲▼△▽"),
        (
            "latex",
            "& {name} & {mark} &",
            ("$+$", "$-$", r"$\bigtriangleup$", r"$\bigtriangledown$"),
        ),
    ],
)
def test_few_networks_have_hollow_marks(format, row, marks, board):
    text = " ".join(render(few_and_many(), format).split())
    for name, mark in zip(("up", "down", "up", "down"), marks, strict=True):
        # filled on five networks, hollow on one; LaTeX has names above each part of the columns
        count = text.count(row.format(name=name, mark=mark))
        assert count == 1 or (format == "latex" and count > 1)
    assert HOLLOW_LEGEND in text
    many = render(board, format)
    assert [one for one in (*marks[2:], "hollow:") if one in many] == []


def test_html_hollow_cells_are_outlined_and_say_how_far_they_reach():
    text = render(few_and_many(), "html")
    page = Page(text)
    says = f"better than the best floor on this network ({HOLLOW_LEGEND})"
    assert ("title", says) in page.attributes
    assert any(
        name == "title" and value.startswith(f"spearman: {says}; skill [")
        for name, value in page.attributes
    )
    assert (
        "title",
        "better than the best floor",
    ) in page.attributes  # on five networks
    assert ("class", "cell better hollow") in page.attributes
    assert ("class", "mark worse hollow") in page.attributes
    assert ("class", "cell better ") not in page.attributes
    assert re.search(r"\.hollow \{ background: none; box-shadow: inset", text)
    assert text.index(".hollow {") > text.index(".worse {")  # the outline must win over the fill


def test_csv_and_json_say_which_verdicts_rest_on_few_networks():
    rows = list(csv.DictReader(io.StringIO(render(few_and_many(), "csv"))))
    found = {
        (row["predictor"], row["blocks"]): (row["verdict"], row["few_networks"]) for row in rows
    }
    assert (found["up", "1"], found["up", "5"]) == (("better", "true"), ("better", "false"))


@pytest.mark.parametrize("format", ["terminal", "markdown", "html"])
def test_the_matrix_has_one_mark_for_all_primary_metrics(format):
    records = []
    for seeds in (100, 50):
        dataset = f"grn:genes={seeds}"
        records += two_metrics("mlp", 0.6, 0.1, dataset=dataset) + two_metrics(
            "low", 0.3, 0.5, dataset=dataset
        )
        records += two_metrics("own-share", 0.4, 0.1, "floor", dataset=dataset)
    text = " ".join(render(make_board(records), format).split())
    # both are better by one metric and not by the other, so neither has a mark or a number
    (matrix,) = make_board(records).matrices
    rows = zip(matrix.datasets, matrix.cells[0], strict=True)
    texts = [glance_text(section, row) for section, row in rows]
    assert texts == ["mixed", "mixed"]
    assert "▲≈" not in text
    assert "▼▲" not in text
    assert (
        "Skill by spearman-within-cell; marks by spearman-within-cell and spearman-within-gene"
        " together" in text
    )
    assert "mixed: better than the best floor by one metric" in text or format == "html"
    if format == "html":
        assert (
            "spearman-within-cell: better than the best floor; spearman-within-gene:"
            " no difference from the best floor seen; one of" in text
        )


def test_the_matrix_reads_each_dataset_by_its_own_primary_metric():
    other = (
        scores({"pearson": 0.7}, primary=("pearson",)),
        scores({"pearson": 0.4}, primary=("pearson",)),
    )
    records = networks("mlp", [0.6] * 5) + networks("own-share", [0.4] * 5, "floor")
    records += [record("mlp", other[0], dataset="grn:genes=500", seed=seed) for seed in range(5)]
    records += [
        record("own-share", other[1], role="floor", dataset="grn:genes=500", seed=seed)
        for seed in range(5)
    ]
    text = render(make_board(records), "markdown")
    assert "Skill by spearman; elsewhere skill by pearson" in text
    assert "| mlp | ▲ 0.33 | ▲ 0.50 |" in text


@pytest.mark.parametrize("format", FORMATS)
def test_doing_nothing_stands_among_the_floors(format):
    records = []
    for dataset in ("grn:genes=100", "grn:genes=500"):
        for name, role, value in (("mlp", "predictor", -4.8), ("no-effect", "floor", -6.4)):
            made = scores(
                {"change": metric(value, low=None, nothing=0.0)},
                primary=("change",),
                floors=("no-effect",),
            )
            records += [
                record(name, made, role=role, dataset=dataset, seed=seed) for seed in range(5)
            ]
    text = render(make_board(records), format)
    expected = {
        "terminal": [
            "floor*     doing nothing  0.000",
            "best floor       doing nothing  doing nothing",
            "▼  mlp",
        ],
        "markdown": [
            "**doing nothing** (best floor) | 0.000 | 0.00 |",
            "*best floor* | *doing nothing* | *doing nothing*",
        ],
        "csv": ["floor,doing nothing,kobench"],
        "json": ['"floor": "doing nothing"'],
        "latex": [r"\textbf{doing nothing} (best)"],
        "html": [
            '<th scope="row">doing nothing <span class="tag">best floor</span></th>',
            '<tr><th scope="row">best floor</th><td',
        ],
    }
    assert [one for one in expected[format] if one not in text] == []
    if format != "csv":
        assert "doing nothing (0): it has -6.400" in " ".join(text.split())


def test_a_message_cannot_steer_the_terminal():
    text = render(
        make_board(
            [record("mlp", status="failed", stage="fit", message="one\ntwo \x1b[31mred\x07")]
        ),
        "terminal",
    )
    assert r"one two \x1b[31mred\x07" in text


def test_small_values_keep_their_digits(board):
    (column,) = [column for column in board.sections[0].columns if column.name == "mae"]
    assert column.decimals == 5
    assert "0.00123" in render(board, "markdown")


def test_unknown_format_is_an_error(board):
    with pytest.raises(UserError, match="unknown board format 'pdf'"):
        render(board, "pdf")


def test_the_command_offers_every_format():
    assert board_command.FORMATS == FORMATS
    assert set(board_command.ENDINGS.values()) == set(FORMATS)


@pytest.mark.parametrize("width", [40, 80, 100, 1000])
def test_a_terminal_table_is_as_wide_as_rich_measures_it(width):
    columns = [
        TextColumn("rank", [Text("1"), Text("floor*")], least=6),
        TextColumn("", [Text("▲"), Text("")], least=1),
        TextColumn("name", [Text("x" * 50), Text("二つ")], wraps=True, least=12, most=32),
        TextColumn("spearman-\nwithin-\ncell ↑", [Text("0.5 [0.4, 0.6]"), Text("-")]),
        TextColumn("s", [Text(""), Text("12")], justify="right"),
    ]
    console = Console(width=width, file=io.StringIO(), _environ={})
    for count in range(1, len(columns) + 1):
        table = table_of(columns[:count], room=0)  # too little room for a width to be told to rich
        options = console.options.update(width=1000)
        measured = Measurement.get(console, options, table).maximum
        assert width_of(columns[:count]) == measured
    with console.capture() as free:
        console.print(table_of(columns, room=0, parts={1}))
    with console.capture() as told:
        console.print(table_of(columns, room=width, parts={1}))
    assert free.get() == told.get()


def test_names_are_no_markup_on_a_terminal():
    run = {"fit_seconds": 1.0, "predict_seconds": 1.0, "peak_mb": 100.0}
    records = [
        record(name, 0.5, role=role, dataset=dataset, seed=seed, run=run)
        for dataset in ("grn", "grn:genes=500", "grn:genes=2000")
        for seed in (0, 1)
        for name, role in (("[bold]a_b[/x]", "predictor"), ("own-share", "floor"))
    ]
    board = make_board(records)
    assert board.growths
    text = render(board, "terminal", width=200)
    assert any("genes" in line and "[bold]a_b[/x]" in line for line in text.splitlines())
    assert "| genes | \\[bold\\]a\\_b\\[/x\\] | best floor |" in render(board, "markdown")
