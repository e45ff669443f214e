"""What `kobench board diff` says: what changed by meaning, and by whom."""

from __future__ import annotations

import shutil

import pytest
from command import kobench
from factories import metric, networks, read, record, scores, told

from kobench.board.changes import Side, changes_of
from kobench.board.make import make_board
from kobench.board.render.changes import markdown_of, summary_of, text_of
from kobench.results.records import pack_records

FLOORS = [
    *networks("own-share", [0.30, 0.31, 0.29, 0.30], role="floor"),
    *networks("abundance", [0.10, 0.11, 0.09, 0.10], role="floor"),
    *networks("truth", [1.0] * 4, role="line"),
]
LINEAR, OTHER = [0.50, 0.61, 0.42, 0.53], [0.80, 0.82, 0.79, 0.83]


def side(*documents):
    records = told(read(documents))
    return Side(make_board(records), records)


def changes(old, new):
    return changes_of(old, new, lambda metric: 1e-8)


def parts(found):
    """The parts in which something changed."""
    return {name for name, lines in vars(found).items() if lines}


BEFORE = side(*FLOORS, *networks("linear", LINEAR))


def test_the_same_is_the_same():
    found = changes(BEFORE, side(*FLOORS, *networks("linear", LINEAR)))
    assert not found
    assert text_of(found) == "The same.\n"


def test_a_row_that_comes_moves_others_and_changes_none():
    found = changes(BEFORE, side(*FLOORS, *networks("linear", LINEAR), *networks("mlp", OTHER)))
    (added,) = found.added
    assert added == "mlp of kobench-baselines 0.1.0: 1 question, better in 1"
    assert found.moved == ["linear on grn:genes=100, knockout-impact: rank 1 -> 2"]
    assert parts(found) == {"added", "moved"}
    assert summary_of(found) == "Rows: 1 added, 0 removed, 0 changed; 1 moved by others."
    back = changes(side(*FLOORS, *networks("linear", LINEAR), *networks("mlp", OTHER)), BEFORE)
    assert back.removed == [added]
    assert back.moved == ["linear on grn:genes=100, knockout-impact: rank 2 -> 1"]


def test_a_row_whose_own_results_are_others_is_changed():
    found = changes(BEFORE, side(*FLOORS, *networks("linear", [0.2, 0.1, 0.15, 0.12])))
    assert found.changed == [
        "linear on grn:genes=100, knockout-impact: spearman 0.515 -> 0.143, better -> worse"
    ]
    assert parts(found) == {"changed"}


def test_another_best_floor_is_named_with_both_scores():
    strong = networks("abundance", [0.40, 0.41, 0.39, 0.40], role="floor")
    found = changes(BEFORE, side(*FLOORS[:4], *strong, *FLOORS[8:], *networks("linear", LINEAR)))
    assert found.floors == [
        "grn:genes=100, knockout-impact by spearman: own-share 0.300 -> abundance 0.400"
    ]
    assert any(one.startswith("abundance (floor) on") for one in found.changed)


def test_versions_are_named():
    def of(version, metrics):
        label = f"knockout-impact@{version}"
        names = {"own-share": 0.3, "abundance": 0.1, "linear": 0.5}
        return side(
            *(
                record(
                    name,
                    scores({"spearman": {**metric(value + seed / 100), "version": metrics}}, label),
                    role="predictor" if name == "linear" else "floor",
                    seed=seed,
                )
                for name, value in names.items()
                for seed in range(3)
            )
        )

    found = changes(of(1, 1), of(2, 3))
    assert "task knockout-impact: 1 -> 2" in found.versions
    assert "metric spearman of knockout-impact: 1 -> 3" in found.versions
    assert parts(found) <= {"versions", "changed"}


def test_a_question_that_comes_is_named():
    more = [
        *networks("own-share", [0.3] * 4, role="floor", dataset="grn:genes=7"),
        *networks("linear", LINEAR, dataset="grn:genes=7"),
    ]
    found = changes(BEFORE, side(*FLOORS, *networks("linear", LINEAR), *more))
    assert found.questions == ["added: grn:genes=7, knockout-impact"]
    assert parts(found) == {"questions"}
    some = side(*FLOORS, *more, *networks("linear", LINEAR), *networks("mlp", OTHER))
    fewer = side(*FLOORS, *more[:4], *networks("linear", LINEAR), *networks("mlp", OTHER))
    assert changes(some, fewer).changed == ["linear: no longer on grn:genes=7, knockout-impact"]


def test_what_was_run_again_changes_nothing():
    again = networks("linear", LINEAR, run={"fit_seconds": 99.0})
    found = changes(BEFORE, side(*FLOORS, *again))
    assert found.others == ["4 trials run again, with the same results"]
    assert summary_of(found) == "No number differs: 4 trials run again, with the same results."
    digits = [value + 1e-13 for value in LINEAR]
    found = changes(BEFORE, side(*FLOORS, *networks("linear", digits)))
    assert found.others == ["4 trials with last digits or answers that differ, and no score"]


def test_names_in_markdown_are_texts():
    bad = networks("a|b<i>", OTHER)
    found = changes(BEFORE, side(*FLOORS, *networks("linear", LINEAR), *bad))
    text = markdown_of(found, "x|y")
    assert text.startswith("## x\\|y\n\n**Rows: 1 added")
    assert "<i>" not in text
    assert "### Rows added" in text


def test_many_lines_are_counted():
    names = [networks(f"m{number}", OTHER) for number in range(25)]
    found = changes(
        BEFORE, side(*FLOORS, *networks("linear", LINEAR), *(r for n in names for r in n))
    )
    assert "  and 5 more" in text_of(found)
    assert "and 5 more" not in text_of(found, None)


@pytest.fixture
def packed(tmp_path):
    records = BEFORE.records
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        pack_records(records, tmp_path / name / "records.jsonl.gz")
        (tmp_path / name / "board.md").write_text("a board")
    return tmp_path


def test_the_command_says_what_differs_in_files_alone(packed):
    assert kobench("board", "diff", "old", "old", cwd=packed, code=None).stdout == "The same.\n"
    (packed / "new" / "board.md").write_text("the same board, nicer")
    done = kobench("board", "diff", "old", "new", cwd=packed, code=1)
    assert "No number differs: board.md: written otherwise, from the same records." in done.stdout
    shutil.rmtree(packed / "new")
    (packed / "new").mkdir()
    done = kobench("board", "diff", "old", "new", cwd=packed, code=2)
    assert "there are no records in new" in done.stderr
