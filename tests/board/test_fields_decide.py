"""The board decides from what records say in fields, not from the words of notes, and tasks of
other distributions are told like built-in ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factories import make_board, metric, networks, read, record, scores

from kobench.board.render.formats import render
from kobench.results.about import About, DatasetAbout, ParamAbout, TaskAbout
from kobench.results.parts import Record
from kobench.results.records import pack_records, read_records
from kobench.results.upgrades import WORDS

MINE = "mine@2"


def told(records: list[Record], dataset: DatasetAbout | None = None, **task: Any) -> list[Record]:
    """The records as a run of this version writes them, with what it tells of dataset and task."""
    about = About(dataset=dataset or DatasetAbout(), tasks={MINE: TaskAbout(**task)})
    return [replace(one, schema=2, about=about) for one in records]


def both(notes: tuple[str, ...] = (), **more: Any) -> list[Record]:
    """A predictor and a floor on five networks, by a task that is not built in."""
    entries = {
        "mlp": ("predictor", [0.6, 0.7, 0.65, 0.62, 0.66]),
        "own-share": ("floor", [0.40, 0.42, 0.38, 0.41, 0.39]),
    }
    return read(
        record(
            name,
            scores({"spearman": metric(value)}, MINE, notes=list(notes)),
            role=role,
            seed=seed,
            **more,
        )
        for name, (role, values) in entries.items()
        for seed, value in enumerate(values)
    )


@pytest.mark.parametrize(
    "note", ["genes without a change are kept not ranked", "hubs: no rank is lost by them"]
)
def test_the_words_of_a_note_leave_nobody_unranked(note):
    (section,) = make_board(told(both((note,)))).sections
    assert [row.name for row in section.ranked] == ["mlp"]
    assert note in " ".join(section.task_notes)


def test_a_task_says_in_a_field_why_nobody_is_ranked():
    why = "one gene alone can't be ordered"
    (section,) = make_board(told(both(("a note",)), unranked=why)).sections
    assert (section.unranked_reason, section.ranked, section.task_notes) == (why, (), ("a note",))
    assert section.sentence.startswith("One gene alone can't be ordered.")


def test_a_reason_that_is_a_note_too_is_told_once():
    why = "too few genes"
    (section,) = make_board(told(both((why, "a note")), unranked=why)).sections
    assert (section.unranked_reason, section.task_notes) == (why, ("a note",))


def test_a_note_of_a_dataset_makes_no_control_and_its_field_does():
    noted = both(notes=())
    assert not make_board(told(noted)).sections[0].control
    control = DatasetAbout(near_null="they change nothing but themselves")
    (section,) = make_board(told(noted, control)).sections
    assert section.control
    assert section.title.endswith(" (near-null control)")
    (section,) = make_board(told(noted, control, of_knockouts=False)).sections
    assert (bool(section.near_null), section.control) == (True, False)


def test_a_task_of_another_distribution_is_told_in_its_own_words_and_place():
    impact = read(networks("mlp", [0.6] * 5) + networks("own-share", [0.4] * 5, role="floor"))
    mine = [
        replace(one, trial=replace(one.trial, fit_seed=1))
        for one in told(both(), says="Which genes\nmatter to me", demand=1000.0)
    ]
    board = make_board([*impact, *mine])
    assert [section.task for section in board.sections] == [MINE, "knockout-impact@1"]
    assert board.answer[0].startswith("Which genes matter to me (mine): mlp ")
    assert "Which genes matter to me" in render(board, "markdown")


@pytest.mark.parametrize("form", ["html", "markdown", "terminal", "latex"])
def test_the_words_of_a_task_can_not_write_into_a_board(form):
    evil = "<script>alert(1)</script>|\x1b[31m"
    text = render(make_board(told(both(), says=evil)), form)
    assert "<script>alert" not in text or form in ("terminal", "latex")
    assert "\x1b[31m" not in text


def test_parameters_are_told_in_the_words_of_their_dataset():
    def of(noise: float) -> list[Record]:
        params = [
            ParamAbout(name="noise", value=noise, says="how loud it is"),
            ParamAbout(name="sigma", value=1.0),
        ]
        return told(both(dataset=f"mine:noise={noise}"), DatasetAbout(params=params))

    records = [one for i in range(41) for one in of(float(i % 4) + i / 100)]
    (matrix,) = make_board(records).matrices
    assert matrix.datasets[0].params == {"noise": 0.0, "sigma": 1.0}
    assert matrix.params_say(["noise", "sigma"]) == "noise: how loud it is"
    assert matrix.params_say(["sigma"]) != WORDS["sigma"]


def test_upgraded_records_give_the_same_board_when_they_are_packed_and_read_again(tmp_path):
    records = read(networks("mlp", [0.6] * 5) + networks("own-share", [0.4] * 5, role="floor"))
    pack_records(records, tmp_path / "records.jsonl.gz")
    again = list(read_records(tmp_path))
    assert {one.schema for one in again} == {2}
    for form in ("markdown", "json", "csv"):
        assert render(make_board(again), form) == render(make_board(records), form)
