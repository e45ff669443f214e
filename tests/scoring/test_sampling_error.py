"""Scores of randomly drawn knockouts: near those of all of them, by about the error that is
said.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kobench.board.make import make_board
from kobench.plugins.load import load_registry
from kobench.question import Answers, Singles
from kobench.results.records import read_records
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.scoring.sampling_error import REDRAWS, sampling_error
from kobench.truth import events
from kobench.truth import singles as questions

GRN = "grn:cells=100,genes=30"
TASKS = ("knockout-impact", "keystone", "knockout-profile")


@pytest.fixture(scope="module")
def registry():
    return load_registry()


def scores(folder, registry, **more):
    groups = make_plan(registry, Request([GRN], ["linear"], TASKS, **more))
    Run(folder).run([replace(group, basis=()) for group in groups])  # no floor is looked at
    (found,) = [
        record.result.to_json()["scores"]
        for record in read_records(folder)
        if record.trial.predictor.name == "linear"
    ]
    return found


def make_question(values, genes, available=None, sample=()):
    n = len(values)
    from kobench.cells import Cells, Knockouts

    cells = Cells(np.ones((n, 4)), np.array(list("abcd")))
    knockouts = Knockouts(np.array(genes, np.int32)[:, None], np.arange(n, dtype=np.int32))
    rows = np.arange(len(sample) * 4.0).reshape(-1, 4)
    return Singles(
        cells,
        knockouts,
        np.array(sample, int),
        np.ones((n, 4)),
        values,
        values,
        rows,
        rows,
        available=available,
    )


def test_the_error_of_a_mean_is_the_textbook_one():
    rng = np.random.default_rng(0)
    values, n, of = rng.normal(size=400), 400, 1000
    question = make_question(values, np.zeros(n, int), of)
    assert question.asked_share("impact") == 0.4
    errors = [
        sampling_error(lambda q, a: float(q.raw.mean()), question, Answers(), 0.4, seed)
        for seed in range(40)
    ]
    assert np.mean(errors) == pytest.approx(values.std() / np.sqrt(n) * np.sqrt(0.6), rel=0.06)
    assert sampling_error(lambda q, a: float("nan"), question, Answers(), 0.4, 0) is None
    assert REDRAWS >= 10


def test_rows_go_with_their_events():
    question = make_question(np.arange(5.0), [0, 1, 1, 2, 2], sample=(1, 3))
    answers = Answers(raw=np.arange(5.0) * 10, rows=np.array([[1.0] * 4, [3.0] * 4]))
    rows = np.array([0, 1, 1, 4, 3])
    again, theirs = question.take(answers, rows)
    np.testing.assert_array_equal(again.sample, [1, 2, 4])
    np.testing.assert_array_equal(again.knockout, question.knockout[[0, 0, 1]])
    np.testing.assert_array_equal(theirs.rows[:, 0], [1, 1, 3])
    np.testing.assert_array_equal(theirs.raw, rows * 10)
    np.testing.assert_array_equal(again.events.genes[:, 0], question.events.genes[rows, 0])
    assert theirs.propagated is None
    assert question.asked_share("profile") == 2 / 5
    assert question.asked_share("impact") == 1


def test_a_run_asks_a_sample_and_says_so(tmp_path, registry):
    every = scores(tmp_path / "all", registry)
    drawn = scores(tmp_path / "some", registry, events=300)
    for label, task in drawn.items():
        assert task["events"] == {"asked": 300, "of": every["knockout-impact@2"]["asked"]}, label
        assert "events" not in every[label]
        assert all("sampling_error" not in metric for metric in every[label]["metrics"].values())
        for name in task["primary"]:
            assert task["metrics"][name]["sampling_error"] >= 0
    assert drawn["knockout-impact@2"]["asked"] == 300


def test_the_error_of_the_draw_is_the_one_that_is_made(tmp_path, registry, monkeypatch):
    """Over 16 draws, scores differ about as much as their errors say.

    Within cells the error is too large: a cell's few events repeat.
    """
    made, said = {}, {}
    for seed in range(16):
        monkeypatch.setattr(
            questions,
            "sample_singles",
            lambda cells, most, _, seed=seed: events.sample_singles(cells, most, seed),
        )
        found = scores(tmp_path / f"some{seed}", registry, events=300)
        for task, metric in (
            ("knockout-impact@2", "spearman-within-cell"),
            ("keystone@1", "spearman"),
            ("knockout-profile@1", "explained-change"),
        ):
            made.setdefault(task, []).append(found[task]["metrics"][metric]["value"])
            said.setdefault(task, []).append(found[task]["metrics"][metric]["sampling_error"])
    ratio = {task: np.mean(said[task]) / np.std(made[task], ddof=1) for task in made}
    assert 0.6 < ratio["knockout-profile@1"] < 1.7
    assert 0.6 < ratio["keystone@1"] < 1.7
    assert 0.7 < ratio["knockout-impact@2"] < 3.0


def test_rows_that_were_asked_other_knockouts_are_left_out(tmp_path, registry):
    """A board never ranks scores of one draw against floors of another."""
    Run(tmp_path).run(make_plan(registry, Request([GRN], ["linear"], TASKS, events=200)))
    Run(tmp_path).run(make_plan(registry, Request([GRN], ["knn"], TASKS)))
    board = make_board(read_records(tmp_path))
    for section in board.sections:
        assert [row.name for row in section.rows if row.role == "predictor"] == ["knn"]
        assert any(
            "asked of them than of the floors: linear" in warning for warning in section.warnings
        )
        assert not any("drawn at random" in fact for fact in section.remarks)
    Run(tmp_path).run(make_plan(registry, Request([GRN], ["linear", "knn"], TASKS)))
    for section in make_board(read_records(tmp_path)).sections:
        assert sorted(row.name for row in section.rows if row.role == "predictor") == [
            "knn",
            "linear",
        ]


def test_all_events_asked_for_by_number_are_all_events(tmp_path, registry):
    every, drawn = (
        scores(tmp_path / "all", registry),
        scores(tmp_path / "some", registry, events=10**6),
    )
    for label in every:
        assert "events" not in drawn[label]
        assert every[label]["metrics"] == drawn[label]["metrics"]


def test_an_error_needs_ten_draws_with_a_score_of_twenty():
    question = make_question(np.arange(6.0), [0, 1, 1, 2, 2, 3])
    answers = Answers(raw=np.arange(6.0))

    def found(known, share=0.36):
        scores = iter([1.0, 3.0] * (known // 2) + [1.0] * (known % 2) + [np.nan] * (20 - known))
        return sampling_error(lambda *_: next(scores), question, answers, share, 0)

    assert found(9) is None
    # ten of 1 and 3 by turns: a variance of 10 / 9, and 64 % of the events are not asked
    assert found(10) == pytest.approx(np.sqrt(10 / 9) * 0.8)
    assert found(20) == pytest.approx(np.sqrt(20 / 19) * 0.8)
    assert found(20, share=1.0) == 0.0


def test_events_are_drawn_among_all_of_them_and_by_the_seed():
    question = make_question(np.arange(6.0), [0, 1, 1, 2, 2, 3])
    seen = []

    def score(question, answers):
        seen.append(answers.raw.astype(int).tolist())
        return float(answers.raw.mean())

    answers = Answers(raw=np.arange(6.0))
    first = sampling_error(score, question, answers, 0.5, 1)
    assert len(seen) == 20
    assert all(len(rows) == 6 and rows == sorted(rows) for rows in seen)
    assert {row for rows in seen for row in rows} == set(range(6))
    assert sampling_error(score, question, answers, 0.5, 1) == first
    assert sampling_error(score, question, answers, 0.5, 2) != first
