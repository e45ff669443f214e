"""In which parts a run asks, what its cells come from, and which job does what next, by hand."""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from kobench.datasets.right import expected_of
from kobench.runner.keys import Group
from kobench.runner.order import in_parts, is_asked, is_parted
from kobench.runner.origins import contents_of, origins_of
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.work import Turns, Work, shares_of_processors
from kobench.util.files import sha256_of

# what cells come from


def spec(card=None, seeded=False, same_cells=()):
    return SimpleNamespace(card=card or {}, seeded=seeded, same_cells=same_cells)


def dataset(name="d", card=None, seeded=False, same_cells=(), others=(), **params):
    entry = SimpleNamespace(spec=spec(card, seeded, same_cells), full_name=name, shown_name=name)
    return SimpleNamespace(
        entry=entry, params=params, secret=None, parts=(), same_cells=others, selection=name
    )


FILE = {"file": {"sha256": "AB", "content": "c"}, "name": "x"}


def test_what_stands_for_the_content_of_a_file():
    assert contents_of({}) == []
    assert contents_of(FILE) == ["ab", "content c"]
    assert contents_of({"file": {"content": "c"}}) == ["content c"]
    assert expected_of({"file": {"sha256": "", "content": ""}}) == {}


def test_a_simulated_network_is_known_by_its_number():
    assert origins_of(dataset("grn", seeded=True, seed=3)) == {"grn 3"}
    one = dataset("grn", seeded=True, seed=3, path="/x")
    one.secret = SimpleNamespace(index=2)
    assert origins_of(one) == {"grn secret-2"}


def test_real_data_are_known_by_their_name_their_file_and_what_they_share():
    assert origins_of(dataset("d")) == {"d"}
    assert origins_of(dataset("d", FILE)) == {"d", "ab", "content c"}
    assert origins_of(dataset("d", FILE, same_cells=("e",))) == {"d", "ab", "content c", "e"}
    other = SimpleNamespace(full_name="e", spec=spec({"file": {"sha256": "F"}}, same_cells=("g",)))
    assert origins_of(dataset("d", others=(other,))) == {"d", "e", "g", "f"}


def test_of_a_loader_its_file_counts_and_not_its_name(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("1,2")
    assert origins_of(dataset("table", path=str(path))) == {sha256_of(path)}
    assert origins_of(dataset("table", path=str(path), same_cells=("e",))) == {sha256_of(path), "e"}
    # of a card the file is that of the card, wherever it lies
    assert origins_of(dataset("d", FILE, path=str(path))) == {"d", "ab", "content c"}
    for none in ("", None, 3):
        assert origins_of(dataset("table", path=none)) == {"table"}


def test_joined_datasets_come_from_all_that_they_join():
    one = dataset("both")
    one.parts = (dataset("a"), dataset("grn", seeded=True, seed=1))
    assert origins_of(one) == {"a", "grn 1"}


# in two parts


def trial(data, *asks, strangers=True, answers=("expression", "knockout"), **request):
    tasks = tuple(SimpleNamespace(spec=SimpleNamespace(asks=name, label=name)) for name in asks)
    entry = SimpleNamespace(spec=SimpleNamespace(answers=answers))
    return Trialled(
        dataset=data,
        tasks=tasks,
        is_strangers=strangers,
        request=Request([], [], **{"sandbox": "require", **request}),
        predictor=SimpleNamespace(entry=entry),
    )


class Trialled(SimpleNamespace):
    """What `replace` takes for a trial."""


@pytest.fixture(autouse=True)
def replaced(monkeypatch):
    def change(one, **new):
        return (
            Trialled(**{**vars(one), **new}) if isinstance(one, Trialled) else replace(one, **new)
        )

    monkeypatch.setattr("kobench.runner.order.replace", change)


BOTH = ("profile", "singles")


def work(*trials, todo=None, staged=True, basis=()):
    """One group a trial, each to be fitted and asked all of its questions."""
    groups = [Group(one.dataset, None, tuple(basis), (one,)) for one in trials]
    every = {
        (number, len(basis)): Action("fit", tuple(task.spec.asks for task in one.tasks), keep=False)
        for number, one in enumerate(trials)
    }
    return Work(groups, {**every, **(todo or {})}, SimpleNamespace(staged=staged))


SAME = dataset("same")


def parts_of(found):
    """What is asked in each part, by place."""
    return [{place: (one.kind, one.asks) for place, one in part.todo.items()} for part in found]


def test_two_strangers_on_the_same_cells_are_asked_by_assemblage_first():
    whole = work(trial(SAME, *BOTH), trial(SAME, *BOTH))
    first, second = in_parts(whole)
    assert parts_of([first, second]) == [
        {(n, 0): ("fit", ("profile",)) for n in (0, 1)},
        {(n, 0): ("ask", ("singles",)) for n in (0, 1)},
    ]
    for action in second.todo.values():
        assert (action.keep, action.goes_on) == (True, True)
    for action in first.todo.values():
        assert (action.keep, action.goes_on) == (False, False)
    # a trial is scored in the first part on what it is asked there
    assert [len(first.trial(place).tasks) for place in first.todo] == [1, 1]
    assert first.trial((0, 0)).tasks[0].spec.asks == "profile"
    assert [len(second.trial(place).tasks) for place in second.todo] == [2, 2]
    assert second.groups == whole.groups


def test_who_is_alone_on_its_cells_is_asked_at_once():
    assert len(in_parts(work(trial(dataset("a"), *BOTH), trial(dataset("b"), *BOTH)))) == 1
    # cells in common make two of them not alone, though each has cells of its own too
    other = SimpleNamespace(full_name="a", spec=spec())
    shared = dataset("b", others=(other,))
    assert len(in_parts(work(trial(dataset("a"), *BOTH), trial(shared, *BOTH)))) == 2


def test_whoever_is_asked_nothing_but_assemblages_comes_first_with_all_of_it():
    whole = work(trial(dataset("a"), "profile"), trial(dataset("b"), *BOTH))
    assert parts_of(in_parts(whole)) == [
        {(0, 0): ("fit", ("profile",))},
        {(1, 0): ("fit", BOTH)},
    ]
    assert in_parts(whole)[0].todo[0, 0].keep is False
    alone = work(trial(dataset("a"), "profile"))
    assert in_parts(alone) == [alone]


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({}, 2),
        ({"sandbox": "auto"}, 1),
        ({"sandbox": "auto", "suite_seed": "s"}, 2),
        ({"strangers": False}, 1),
        ({"answers": ("knockout",)}, 1),  # can't answer by assemblage
    ],
)
def test_when_a_run_asks_in_two_parts(change, parts):
    whole = work(trial(SAME, *BOTH, **change), trial(SAME, *BOTH, **change))
    assert len(in_parts(whole)) == parts


def test_a_run_that_keeps_nothing_between_its_parts_has_one():
    trials = trial(SAME, *BOTH), trial(SAME, *BOTH)
    assert is_parted(work(*trials))
    assert not is_parted(work(*trials, staged=False))
    assert len(in_parts(work(*trials, staged=False))) == 1
    loose = trial(SAME, *BOTH, sandbox="auto")
    assert is_parted(work(loose, trials[0]))
    assert not is_parted(work(loose))


def test_what_is_only_scored_again_shows_nobody_anything():
    score = Action("score")
    whole = work(trial(SAME, *BOTH), trial(SAME, *BOTH), todo={(1, 0): score})
    assert [is_asked(whole, place) for place in ((0, 0), (1, 0))] == [True, False]
    assert in_parts(whole) == [whole]
    own = work(trial(SAME, *BOTH, strangers=False))
    assert not is_asked(own, (0, 0))


def test_kobenchs_own_are_done_in_the_second_part():
    own = trial(SAME, *BOTH, strangers=False)
    first, second = in_parts(work(trial(SAME, *BOTH), trial(SAME, *BOTH), own))
    assert set(first.todo) == {(0, 0), (1, 0)}
    assert parts_of([second])[0][2, 0] == ("fit", BOTH)
    assert second.todo[2, 0].goes_on is False


# what comes next


def test_who_must_not_run_side_by_side():
    grn = dataset("grn", seeded=True, seed=1)
    whole = work(
        trial(grn, *BOTH),
        trial(grn, *BOTH, strangers=False),
        trial(dataset("a"), *BOTH, sandbox="auto"),
    )
    assert whole.apart() == {(0, 0): {"grn 1"}}


def grouped(*sizes, floors=0):
    """Groups of so many trials, the first of each floors."""
    groups = [
        Group(None, None, tuple(range(min(floors, size))), tuple(range(max(size - floors, 0))))
        for size in sizes
    ]
    todo = {
        (number, place): Action("fit") for number, size in enumerate(sizes) for place in range(size)
    }
    return Work(groups, todo, None)


def test_a_job_goes_on_with_its_group_and_takes_a_new_one_before_it_shares():
    turns = Turns(grouped(2, 2))
    assert [turns.next(0), turns.next(1)] == [(0, 0), (1, 0)]
    assert turns.next(0) == (0, 1)
    assert turns.next(0) == (1, 1)  # of the other job's group the last one
    assert turns.next(1) is None
    assert turns.next(0) is None


def test_of_another_jobs_group_no_floor_is_taken():
    turns = Turns(grouped(4, floors=2))
    assert turns.next(0) == (0, 0)
    assert [turns.next(1), turns.next(2), turns.next(3)] == [(0, 3), (0, 2), None]
    assert turns.next(0) == (0, 1)


@pytest.mark.parametrize(("floors", "taken"), [(2, None), (1, (0, 2)), (0, (0, 2))])
def test_the_last_trial_is_left_to_whom_only_a_floor_keeps_from_it(floors, taken):
    turns = Turns(grouped(3, floors=floors))
    assert [turns.next(0), turns.next(0)] == [(0, 0), (0, 1)]
    assert turns.next(1) == taken
    assert turns.next(0) == (None if taken else (0, 2))


def test_the_group_with_the_most_predictors_left_is_shared():
    turns = Turns(grouped(2, 4))
    assert [turns.next(0), turns.next(1)] == [(0, 0), (1, 0)]
    assert turns.next(2) == (1, 3)
    assert turns.next(3) == (1, 2)
    assert turns.next(4) == (0, 1)
    assert turns.next(5) == (1, 1)
    assert turns.next(6) is None


def test_what_is_to_be_apart_waits_for_the_other():
    apart = {(0, 0): frozenset("a"), (1, 0): frozenset("ab"), (2, 0): frozenset("b")}
    turns = Turns(grouped(1, 1, 1), apart)
    assert turns.next(0) == (0, 0)
    assert turns.next(1) == (2, 0)  # the second has cells of the first
    assert turns.next(2) is None
    turns.done(0)
    assert turns.next(2) is None
    turns.done(1)
    assert turns.next(2) == (1, 0)
    assert Turns(grouped()).next(0) is None


@pytest.mark.parametrize(
    ("there", "jobs", "shares"),
    [
        (4, 1, [()]),
        (4, 0, [()]),
        (4, 2, [(0, 1), (2, 3)]),
        (5, 2, [(0, 1), (2, 3, 4)]),
        (4, 3, [(0,), (1,), (2, 3)]),
        (4, 4, [(0,), (1,), (2,), (3,)]),
        (2, 3, [(0,), (1,), (0,)]),
        (1, 2, [(0,), (0,)]),
    ],
)
def test_on_which_processors_jobs_compute(monkeypatch, there, jobs, shares):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(there)), raising=False)
    assert shares_of_processors(jobs) == shares
    monkeypatch.delattr(os, "sched_getaffinity")
    assert shares_of_processors(jobs) == [()] * max(jobs, 1)
