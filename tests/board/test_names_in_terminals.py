"""In a terminal of any width, rank, mark and name of every row are whole; columns give way."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from factories import make_board, metric, networks, permuted, record, scores
from places import REPOSITORY
from published import FOLDERS, published
from rich.console import Console

from kobench.board.make import make_board as board_of
from kobench.board.render.terminal import fit
from kobench.board.render.terminal.document import render
from kobench.board.render.terminal.matrix import print_matrix
from kobench.board.render.terminal.rows import SHOWN_BY, place_text
from kobench.board.render.text.letters import letter
from kobench.board.render.text.marks import row_mark
from kobench.board.render.text.section import scored_without_rank
from kobench.board.render.text.transfer import title_of
from kobench.board.render.text.values import COSTS, KNOWS_HEAD, arrow, has_permuted, secondary
from kobench.cli.board import board_command
from kobench.results.records import read_records

WIDTHS = (80, 100, 120, 160)
RULE = re.compile(r"[┄─ ]+")


def rows_of(section):
    """The rows of a section's table in their order."""
    parts = (
        section.ranked,
        section.unrankable,
        section.floors,
        section.lines,
        scored_without_rank(section),
    )
    return [row for part in parts for row in part]


def tables_of(board, text):
    """The table of each section: the section, its head, a line a row, and what stands below."""
    lines = text.splitlines()
    sections = [section for section in board.sections if section.leading]
    starts = [i for i, line in enumerate(lines) if re.match(r"rank +predictor\b", line)]
    assert len(starts) == len(sections) > 0
    for section, start, end in zip(sections, starts, [*starts[1:], len(lines)], strict=True):
        rows, below = [], start + 1
        while len(rows) < len(rows_of(section)):
            if not RULE.fullmatch(lines[below]):
                rows.append(lines[below])
            below += 1
        yield section, lines[start], rows, " ".join(lines[below:end])


def check_rows(section, head, lines):
    """Rank, mark and name of every row are whole, in a line of its own."""
    for row, line in zip(rows_of(section), lines, strict=True):
        start = [place_text(section, row), row_mark(section, row), row.name]
        start = [text for text in start if text]
        assert re.split(r" {2,}", line)[: len(start)] == start, line
    assert not any("…" in line for line in (head, *lines))


def check_columns(board, section, head, below):
    """The score is shown, and so is every other column, or it is named as not shown."""
    said = below.partition("not shown at this width: ")[2].partition(f" ({SHOWN_BY})")[0]
    hidden = [
        one
        for one in columns_said(board, section)
        if re.search(rf"(^|, ){re.escape(one)}(?! by|[^ ,])", said)
    ]
    # a head may have several lines: its last one is in this line
    shown = re.split(r" {2,}", head.split("predictor", 1)[1].strip())
    assert shown[0].endswith(section.leading[0].name.split("-")[-1][-5:] + shown[0][-2:])
    assert len(shown) + len(hidden) == 1 + len(columns_said(board, section)), (hidden, head)


def check_other_tables(board, text):
    """The names of groups, predictors and floors are whole where no section is."""
    for matrix in board.transfers:
        part = text.partition(f"\n{title_of(matrix)}\n")[2]
        for i, name in enumerate(matrix.groups):
            assert re.search(rf"(?m)^ ?{letter(i)}  {re.escape(name)}$", part)
        assert re.search(rf"(?m)^{re.escape(matrix.predictor)} {{2,}}", part)
    for growth in board.growths:
        part = text.partition(f"{growth.task} on ")[2]
        for name in (*growth.predictors, *(name for name, _ in growth.floors)):
            assert re.search(rf"(?m)  {re.escape(name)}(\s|$)", part)
    assert "…" not in text


def columns_said(board, section):
    """What all columns but the first metric are called where they are not shown."""
    first, *others = section.leading
    said = ["skill", "cover", *(arrow(column) for column in (*others, *secondary(section, 3)))]
    said += [f"skill by {column.name}" for column in others]
    said += [KNOWS_HEAD] if has_permuted(section, first) else []
    said += [f"{KNOWS_HEAD} by {column.name}" for column in others if has_permuted(section, column)]
    said += ["verified"] if any(row.verified for row in rows_of(section)) else []
    return [*said, *(COSTS if board.cost else ())]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_row_of_every_published_board_is_whole_and_every_column_is_told(folder):
    board = published(folder)
    for width in WIDTHS:
        text = render(board, width=width)
        assert max(map(len, text.splitlines())) <= width
        for section, head, lines, below in tables_of(board, text):
            check_rows(section, head, lines)
            check_columns(board, section, head, below)
        check_other_tables(board, text)
        for matrix in board.matrices:
            glance = text.partition(f"At a glance: {matrix.task}, split {matrix.split}")[2]
            for name in matrix.predictors:
                assert re.search(rf"(^|\s){re.escape(name)}\s", glance), (width, name)


def test_names_are_whole_in_a_pipe():
    folder = str(REPOSITORY / "leaderboards" / "crispr")
    result = CliRunner().invoke(board_command, [folder, "-t", "response"])
    assert result.exit_code == 0
    board = board_of(list(read_records(Path(folder))), tasks=("response",))
    for section, head, lines, below in tables_of(board, result.output):
        check_rows(section, head, lines)
        check_columns(board, section, head, below)


LONG = "predictor-with-a-name-of-sixty-six-characters:and=its,many=options"


def by_two_metrics(name, first, second, role="predictor"):
    """Five networks by two primary metrics."""
    return [
        record(
            name,
            scores(
                {"spearman": first + 0.01 * seed, "kendall": second - 0.01 * seed},
                primary=("spearman", "kendall"),
            ),
            role=role,
            seed=seed,
        )
        for seed in range(5)
    ]


def two_primaries(name="mlp"):
    """A board by two primary metrics, with costs."""
    return make_board(
        by_two_metrics(name, 0.6, 0.5)
        + by_two_metrics("linear", 0.5, 0.4)
        + by_two_metrics("own-share", 0.4, 0.1, "floor")
    )


def heads_at(board, width):
    """The heads of the columns behind the name."""
    lines = render(board, width=width).splitlines()
    head = next(line for line in lines if re.match(r"rank +predictor", line))
    return re.split(r" {2,}", head.split("predictor", 1)[1].strip())


def test_columns_leave_in_the_order_of_what_they_are_worth():
    seen = []
    board = two_primaries()
    for width in range(160, 30, -1):
        heads = heads_at(board, width)
        if not seen or heads != seen[-1]:
            seen.append(heads)
    costs = ["fit s", "pred s", "MB"]
    assert seen == [
        ["spearman ↑", "skill", "cover", "kendall ↑", "skill", *costs],
        ["spearman ↑", "skill", "kendall ↑", "skill", *costs],
        ["spearman ↑", "skill", "kendall ↑", *costs],
        ["spearman ↑", "skill", "kendall ↑", "fit s", "pred s"],
        ["spearman ↑", "skill", "kendall ↑", "fit s"],
        ["spearman ↑", "skill", "kendall ↑"],
        ["spearman ↑", "skill"],
        ["spearman ↑"],
        [""],
    ]


def test_whether_it_knows_the_gene_stays_longer_than_what_it_costs():
    def with_permuted(name, value, role="predictor"):
        cell = {**metric(value), "permuted": permuted(0.1, 0.001)}
        return [record(name, scores({"spearman": cell}), role=role, seed=seed) for seed in range(5)]

    board = make_board(with_permuted("mlp", 0.6) + networks("random", [0.1] * 5, "floor"))
    heads = [heads_at(board, width) for width in range(160, 40, -1)]
    assert KNOWS_HEAD in heads[0]
    # its head is broken over lines where it is one word
    without_costs = [one for one in heads if len(one) == 3]
    assert {one[-1] for one in without_costs} == {"gene?"}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_name_is_whole_before_any_column(width):
    text = render(two_primaries(LONG), width=width)
    line = next(line for line in text.splitlines() if re.match(rf"1 .* {re.escape(LONG)}", line))
    assert ("0.62" in line) == (width > 80)
    said = " ".join(text.partition("not shown at this width: ")[2].splitlines())
    assert said.startswith("spearman ↑, skill, cover") == (width == 80)


def test_a_name_longer_than_the_table_wraps_beside_the_score():
    board = two_primaries("x" * 100)
    text = render(board, width=80)
    assert heads_at(board, 80)[0] == "spearman ↑"
    table = text[text.index("\nrank ") : text.index("\nfloor* ")]
    assert re.sub(r"[^x]", "", table) == "x" * 100
    assert max(map(len, text.splitlines())) <= 80


def test_a_long_reason_stands_below_the_table():
    why = "this answer says which genes are affected, not in which direction"
    silent = [
        record("silent", scores({"spearman": metric(None, missing=why), "auprc": 0.5}), seed=seed)
        for seed in range(5)
    ]
    board = make_board(silent + networks("mlp", [0.5] * 5) + networks("random", [0.1] * 5, "floor"))
    text = render(board, width=200)
    table, _, below = text[text.index("\nrank ") :].partition("\n(a) ")
    assert re.search(r"silent +\(a\) +\(a\) ", table)
    assert why not in table
    assert below.startswith(why)


def test_many_datasets_are_summed_up_beside_whole_names():
    names = [f"a-predictor-of-many-words-{i}" for i in range(12)]
    records = []
    for i in range(48):
        dataset = f"grn:degree={3 + i // 8},sigma={0.05 * (1 + i % 8):.2f}"
        records += networks("own-share", [0.4, 0.41], role="floor", dataset=dataset)
        for name in names:
            records += networks(name, [0.5, 0.51], dataset=dataset)
    (matrix,) = make_board(records).matrices
    console = Console(file=io.StringIO(), width=80, _environ={})
    print_matrix(matrix, {}, console)
    text = console.file.getvalue()
    assert all(re.search(rf" {name}(\s|$)", text) for name in names)
    assert max(map(len, text.splitlines())) <= 80


def test_every_form_of_a_column_is_measured_once(monkeypatch):
    made = []

    def counted(shown, form, rows):
        made.append((shown.title, shown.said, form))
        return column_of(shown, form, rows)

    column_of = fit.column_of
    monkeypatch.setattr(fit, "column_of", counted)
    render(two_primaries(), width=80)
    assert len(made) == len(set(made)) > 8
