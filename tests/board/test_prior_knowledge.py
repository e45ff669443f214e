"""Predictors with prior knowledge are marked, stand apart and are ranked among their like alone."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from factories import TASK, make_board, metric, networks, read, record, scores

from kobench.board.render.formats import FORMATS, render
from kobench.board.words import PRIOR
from kobench.results.parts import Record

#: What the forged predictor says that it knows.
KNOWS = "a list of essential genes"

FLOOR = [0.40, 0.42, 0.38, 0.41, 0.39]


def declaring(records: list[dict[str, Any]], prior: str = KNOWS) -> list[dict[str, Any]]:
    """The same records of a predictor that declares prior knowledge."""
    for one in records:
        one["trial"]["predictor"]["prior"] = prior
    return records


def cells_only(**more: Any) -> list[dict[str, Any]]:
    """Two predictors that know the cells alone, and a floor."""
    return [
        *networks("good", [0.60, 0.70, 0.65, 0.62, 0.66], **more),
        *networks("poor", [0.50, 0.52, 0.47, 0.52, 0.48], **more),
        *networks("own-share", FLOOR, role="floor", **more),
    ]


def strong(**more: Any) -> list[dict[str, Any]]:
    """A predictor that is better than both, and declares nothing."""
    return networks("strong", [0.90, 0.93, 0.91, 0.92, 0.94], distribution="theirs", **more)


def weak(**more: Any) -> list[dict[str, Any]]:
    """One that is worse than all."""
    return networks("weak", [0.45, 0.46, 0.43, 0.45, 0.44], distribution="theirs", **more)


def mixed(**more: Any) -> list[dict[str, Any]]:
    return [*cells_only(**more), *declaring([*strong(**more), *weak(**more)])]


def test_without_a_declaration_it_is_ranked_first_of_all():
    (section,) = make_board([*cells_only(), *strong()]).sections
    assert [(row.name, row.rank) for row in section.ranked] == [
        ("strong", (1, 1)),
        ("good", (2, 2)),
        ("poor", (3, 3)),
    ]
    assert section.sentence.startswith("strong is better than the best floor")


def test_ranks_are_among_each_kind():
    (section,) = make_board(mixed()).sections
    assert [(row.name, row.rank) for row in section.ranked] == [
        ("good", (1, 1)),
        ("poor", (2, 2)),
        ("strong ◆", (1, 1)),
        ("weak ◆", (2, 2)),
    ]
    assert [row.name for row in section.from_cells] == ["good", "poor"]
    assert [row.name for row in section.with_prior] == ["strong ◆", "weak ◆"]


def test_rows_of_two_kinds_are_never_level_with_each_other():
    twin = declaring(networks("twin", [0.60, 0.70, 0.65, 0.62, 0.66]))
    (section,) = make_board([*cells_only(), *twin]).sections
    assert {row.name: (row.rank, row.level_with) for row in section.ranked} == {
        "good": ((1, 1), ()),
        "poor": ((2, 2), ()),
        "twin ◆": ((1, 1), ()),
    }


def test_who_knows_more_changes_nothing_of_the_others():
    """Rank, skill, verdict and all that is said of them but the legend."""
    (alone,), (beside,) = make_board(cells_only()).sections, make_board(mixed()).sections
    assert beside.from_cells == alone.ranked
    assert beside.floors == alone.floors
    assert beside.sentence.startswith(alone.sentence)


def test_the_first_lines_name_the_best_of_each_kind():
    board = make_board(mixed())
    (section,) = board.sections
    assert section.sentence.startswith("good is better than the best floor, own-share, by 0.246")
    apart = section.sentence.partition("With prior knowledge, ranked apart: ")[2]
    assert apart.startswith("strong ◆ is better than the best floor, own-share, by 0.52")
    (line,) = board.answer
    first, _, second = line.partition(" With prior knowledge (◆): ")
    assert "good (" in first
    assert "◆" not in first
    assert second.startswith("strong ◆ (")
    assert "good" not in second


def test_a_board_of_theirs_alone_has_no_other_first():
    (line,) = make_board([*declaring(strong()), *networks("own-share", FLOOR, role="floor")]).answer
    assert ": with prior knowledge (◆): strong ◆ (" in line


@pytest.mark.parametrize("silent", [0, 2])
def test_a_record_that_leaves_it_out_takes_no_row_out_of_its_group(silent):
    records = declaring(strong())
    del records[silent]["trial"]["predictor"]["prior"]
    (section,) = make_board([*cells_only(), *records]).sections
    assert [row.name for row in section.with_prior] == ["strong ◆"]


def test_nor_does_a_choice_of_datasets():
    """The records of the shown dataset are silent, those of another one declare it."""
    elsewhere = [*declaring(strong(dataset="grn:genes=50")), *cells_only(dataset="grn:genes=50")]
    board = make_board([*cells_only(), *strong(), *elsewhere], datasets=["grn:genes=100"])
    (section,) = board.sections
    assert [row.name for row in section.with_prior] == ["strong ◆"]


def test_at_a_glance_they_stand_last_and_are_said_to():
    board = make_board([*mixed(), *mixed(dataset="grn:genes=50")])
    (matrix,) = board.matrices
    assert matrix.predictors == ("good", "poor", "strong ◆", "weak ◆")
    said = "Those with prior knowledge (◆) stand last, and are not compared with the others."
    assert said in render(board, "markdown")
    both = make_board([*cells_only(), *cells_only(dataset="grn:genes=50")])
    assert said not in render(both, "markdown")


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"csv", "json", "latex"}))
def test_every_format_marks_them_and_says_what_the_mark_means(format):
    marked, plain = (render(make_board(records), format) for records in (mixed(), cells_only()))
    assert "strong ◆" in marked
    assert "◆ prior knowledge: as its maker declares" in " ".join(marked.split())
    assert "can't be found in answers" in " ".join(marked.split()).replace("&#39;", "'")
    assert f"prior knowledge, as declared: {KNOWS}" in " ".join(marked.split())
    assert PRIOR not in plain


@pytest.mark.parametrize(("format", "head"), [("markdown", "*with prior"), ("html", ">with prior")])
def test_their_part_of_a_table_has_a_title(format, head):
    text = render(make_board(mixed()), format)
    title = text.index(f"{head} knowledge, ranked among themselves")
    rows = [text.rindex(name) for name in ("| good |", "| poor |")] if format == "markdown" else []
    assert all(place < title for place in rows)
    assert title < text.rindex("strong ◆")


def test_latex_marks_them_with_what_its_fonts_have():
    text = render(make_board(mixed()), "latex")
    assert "strong $\\diamond$" in text
    assert "with prior knowledge, ranked among themselves" in text


def test_csv_and_json_have_plain_names_and_a_column():
    rows = list(csv.DictReader(io.StringIO(render(make_board(mixed()), "csv"))))
    assert {row["predictor"]: row["prior"] for row in rows if row["role"] == "predictor"} == {
        "good": "",
        "poor": "",
        "strong": KNOWS,
        "weak": KNOWS,
    }
    document = json.loads(render(make_board(mixed()), "json"))
    assert {row["predictor"]: row["prior"] for row in document["rows"]}["strong"] == KNOWS


def test_one_that_is_not_ranked_is_marked_too():
    failed = declaring(
        [record("broken", role="predictor", status="failed", stage="fit", message="no")]
    )
    (section,) = make_board([*cells_only(), *failed]).sections
    assert "broken ◆" in [row.name for row in section.unranked]


def test_an_explanation_is_found_by_the_plain_name():
    """A score above what is possible is explained in a file that names rows without the mark."""
    beyond = declaring(networks("oracle", [1.2] * 5))
    for one in beyond:
        one["result"]["scores"] = scores({"spearman": metric(1.0, low=-1.0)}, TASK)
    for said in ("oracle", "oracle ◆"):
        (section,) = make_board([*cells_only(), *beyond], explained={said: "it knew"}).sections
        assert [row.name for row in section.with_prior] == ["oracle ◆"]


def test_what_a_method_was_developed_on_is_said_there_alone():
    records: list[Record] = []
    for one in read([*cells_only(), *cells_only(dataset="planted")]):
        trial = one.trial
        if trial.predictor.name == "good":
            developed = replace(trial.predictor, developed_on=["planted"], absent=())
            one = replace(one, trial=replace(trial, predictor=developed))
        records.append(one)
    said = {
        section.dataset_name: [row.name for row in section.ranked if row.remarks]
        for section in make_board(records).sections
    }
    assert said == {"grn": [], "planted": ["good †"]}
    text = render(make_board(records), "markdown")
    assert text.count("good †: developed on planted, so its scores here are no evidence") == 1


def test_records_from_before_declare_nothing():
    (one,) = read(cells_only()[:1])
    assert one.trial.predictor.prior is None
    assert one.trial.predictor.developed_on is None
    assert "prior" not in one.to_json()["trial"]["predictor"]
