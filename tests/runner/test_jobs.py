"""Which process of a run takes which trial, and that what one of them raises ends them all."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import PREDICTORS

from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.results.suite_seed import SuiteSeed
from kobench.runner.datasets import datasets_of
from kobench.runner.folder import Results
from kobench.runner.origins import origins_of
from kobench.runner.plan import make_plan
from kobench.runner.processes import JobEndedError, error_from, error_in_words
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.run import Run
from kobench.runner.work import Turns, Work, shares_of_processors

FIT = Action("fit")
HERE = Results(Path())


def work(*groups: tuple[int, int]) -> Work:
    """Groups of so many floors and so many predictors' trials, all to do."""
    made = [
        SimpleNamespace(basis=("floor",) * floors, trials=("trial",) * trials)
        for floors, trials in groups
    ]
    places = [
        (number, place)
        for number, (floors, trials) in enumerate(groups)
        for place in range(floors + trials)
    ]
    return Work(made, dict.fromkeys(places, FIT), HERE)


def test_one_alone_goes_through_the_groups_in_order():
    turns = Turns(work((2, 1), (0, 2), (1, 0)))
    assert list(iter(lambda: turns.next(0), None)) == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (2, 0),
    ]


def test_each_begins_a_group_of_its_own_and_stays_with_it():
    turns = Turns(work((1, 1), (1, 1), (1, 1)))
    assert [turns.next(hand) for hand in (0, 1, 1, 1, 0)] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 0),
        (0, 1),
    ]


def test_who_has_nothing_left_takes_trials_of_the_group_with_most():
    turns = Turns(work((1, 2), (1, 4)))
    assert [turns.next(hand) for hand in (0, 1, 2, 2)] == [
        (0, 0),
        (1, 0),
        (1, 4),
        (1, 1),
    ]  # it holds the data now, like anybody there


def test_the_last_trial_is_left_to_whom_only_a_floor_keeps():
    turns = Turns(work((2, 1)))
    assert [turns.next(0), turns.next(1)] == [(0, 0), (0, 2)]  # a floor is left, too
    turns = Turns(work((1, 1)))
    assert [turns.next(0), turns.next(1), turns.next(0)] == [(0, 0), None, (0, 1)]
    turns = Turns(work((0, 2)))
    assert [turns.next(0), turns.next(1)] == [(0, 0), (0, 1)]  # a fit may take long


def test_what_is_done_already_is_nobodys_turn():
    full = work((2, 2), (1, 1))
    todo = {place: FIT for place in full.todo if place not in [(0, 0), (0, 3), (1, 0), (1, 1)]}
    turns = Turns(Work(full.groups, todo, HERE))
    assert [turns.next(0) for _ in range(3)] == [(0, 1), (0, 2), None]
    assert Turns(Work([], {}, HERE)).next(0) is None


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=5),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_every_trial_is_somebodys_turn_once(groups, hands, random):
    """Whatever the order in which hands finish; one that was sent away asks again when another has
    finished.
    """
    run = work(*groups)
    turns, taken, busy = Turns(run), [], {}
    while True:
        for hand in range(hands):
            if hand not in busy and (place := turns.next(hand)) is not None:
                busy[hand] = place
                taken.append(place)
        if not busy:
            break
        del busy[random.choice(sorted(busy))]
    assert sorted(taken) == sorted(run.todo)


BROKEN = """
from kobench.api import DatasetSpec, Param, hookimpl

def load(seed):
    raise ValueError("no such cells")

@hookimpl
def kobench_datasets():
    yield DatasetSpec(
        "broken", load, seeded=True, params={"seed": Param(0)}, truth="counterfactual")
"""


def test_a_dataset_that_can_not_be_made_ends_the_run_in_its_sentence(tmp_path):
    """A seeded dataset is made when its turn comes, in the process whose turn it is."""
    (tmp_path / "broken.py").write_text(BROKEN)
    groups = make_plan(
        load_registry(plugin_files=[tmp_path / "broken.py"]),
        Request(["broken"], [], tasks=["profile"], networks=2),
    )
    with pytest.raises(UserError, match=r"broken.* can't be loaded: ValueError: no such cells"):
        Run(tmp_path / "out").run(groups, jobs=2)
    assert not list(read_records(tmp_path / "out"))


def test_an_error_keeps_the_place_it_came_from(tmp_path):
    (tmp_path / "answers").write_text("where the folder of answers should be")
    groups = make_plan(
        load_registry([PREDICTORS]),
        Request(["grn:genes=10,cells=40"], ["good"], tasks=["profile"], networks=2),
    )
    with pytest.raises(FileExistsError) as caught:
        Run(tmp_path).run(groups, jobs=2)
    assert "in write_atomically" in "".join(caught.value.__notes__)


class OddError(Exception):
    """It can't be made of one text alone."""

    def __init__(self, one, two):
        super().__init__(one, two)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (UserError("this"), UserError, "this"),
        (JobEndedError("that"), UserError, "that"),
        (KeyError("x"), KeyError, "'x'"),
        (OddError(1, 2), RuntimeError, "OddError: (1, 2)"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "no"), RuntimeError, "UnicodeDecodeError: "),
        (SystemExit(3), RuntimeError, "SystemExit: 3"),
    ],
)
def test_what_a_process_raised_comes_as_an_error_of_its_kind(error, kind, message):
    try:
        raise error
    except BaseException as raised:
        told = json.loads(json.dumps(error_in_words(raised)))
    found = error_from(**told)
    assert type(found) is kind
    assert message in str(found)
    assert getattr(found, "exit_code", 1) == getattr(error, "exit_code", 1)
    assert "raise error" in "".join(found.__notes__)


def test_trials_that_are_to_be_kept_apart_never_run_side_by_side():
    run = work((1, 2), (0, 2), (0, 1))
    one, other = frozenset(["cells of one"]), frozenset(["cells of another"])
    apart = {(0, 1): one, (0, 2): one, (1, 0): one, (1, 1): one | other, (2, 0): other}
    turns = Turns(run, apart)
    assert [turns.next(job) for job in (0, 1, 2)] == [(0, 0), (1, 0), (2, 0)]
    assert turns.next(0) is None  # all that is left has cells of what runs
    turns.done(2)
    assert turns.next(2) is None
    turns.done(1)
    assert turns.next(1) == (1, 1)
    assert [turns.next(0), turns.next(2)] == [None, None]
    turns.done(1)
    assert turns.next(0) == (0, 1)
    assert [turns.next(1), turns.next(0), turns.next(1)] == [None, (0, 2), None]


def test_strangers_on_the_same_cells_are_kept_apart_where_a_sandbox_is_required():
    registry = load_registry([PREDICTORS])
    for mode, expected in (("require", {"good"}), ("auto", set())):
        request = Request(
            ["grn:genes=10,cells=40"],
            ["good", "good:strength=2.0"],
            networks=2,
            sandbox=mode,
        )
        groups = make_plan(registry, request)
        every = {
            (number, place): FIT
            for number, group in enumerate(groups)
            for place in range(len(group.basis) + len(group.trials))
        }
        run = Work(groups, every, HERE)
        apart = run.apart()
        assert {run.trial(place).predictor.entry.spec.name for place in apart} == expected
        cells = {run.trial(place).dataset.selection: cells for place, cells in apart.items()}
        assert len(cells) == len(set(cells.values()))  # each network is its own


@pytest.mark.parametrize(("role", "strangers"), [("floor", True), ("line", False)])
def test_a_floor_of_a_stranger_is_kept_apart_as_predictors_are(role, strangers):
    """Anybody's task may name anybody's predictor as its floor. A line has no predictor."""
    request = Request(["grn:genes=10,cells=40"], ["good"], sandbox="require")
    (group,) = make_plan(load_registry([PREDICTORS]), request)
    (good,) = group.trials
    basis = (*group.basis, replace(good, role=role))
    group = replace(group, basis=basis)
    every = {(0, place): FIT for place in range(len(basis) + 1)}
    places = {(0, len(basis) - 1)} if strangers else set()
    assert set(Work([group], every, HERE).apart()) == {*places, (0, len(basis))}


@pytest.mark.parametrize(
    ("others", "common"),
    [
        ("grn:genes=10,cells=40,sigma=0.3", True),  # the same links and assemblages
        ("grn:genes=10,cells=40,dropout=0.5", True),
        ("grn:genes=12,cells=40", True),
        ("grn:genes=10,cells=40,knockout=silenced", True),
        ("planted:genes=10,cells=40", False),
    ],
)
@pytest.mark.parametrize("secret", [None, SuiteSeed("000102030405060708090a0b0c0d0e0f")])
def test_cells_of_one_origin_are_known_as_such(others, common, secret):
    request = Request(["grn:genes=10,cells=40", others], ["good"], suite_seed=secret)
    first, second = datasets_of(load_registry([PREDICTORS]), request)
    assert bool(origins_of(first) & origins_of(second)) == common


def test_real_cells_of_one_file_are_of_one_origin(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text("1,2,3\n4,5,6\n" if name == "one" else "1,2\n3,4\n")
    (tmp_path / "again.csv").write_bytes((tmp_path / "one.csv").read_bytes())
    registry = load_registry([PREDICTORS])
    texts = [f"table:path={tmp_path / name}.csv" for name in ("one", "again", "two")]
    cards = ["pbmc68k", "pbmc68k:genes=100", "pbmc68k:cell_type=Dendritic"]
    request = Request([*texts, f"{texts[0]},genes=1", *cards], ["good"])
    one, again, two, fewer, *blood = [origins_of(each) for each in datasets_of(registry, request)]
    assert one == again == fewer
    assert not one & two
    assert blood[0] == blood[1] == blood[2]
    assert not blood[0] & one


SAME = """
name = "{name}"
version = 1
summary = "cells"
loader = "table"
scale = "linear"
{more}
[file]
name = "{name}.csv"
sha256 = "{sha256}"
"""


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("pbmc68k", "pbmc68k-counts", True),
        ("pbmc", "pbmc68k", True),
        ("pbmc", "pbmc68k-counts", True),
        ("pbmc", "pbmc:genes=100", True),
        ("k562-crispri", "gasperini2019", True),
        ("mine", "pbmc68k", True),
        ("mine", "theirs", True),  # by way of another that says so
        ("away", "gone", True),  # both of one that is not here
        ("boxed", "packed", True),  # one content in two files
        ("mine", "away", False),
        ("boxed", "pbmc68k", False),
        ("k562-crispri", "pbmc68k", False),
    ],
)
def test_the_same_cells_by_several_names_are_of_one_origin(tmp_path, one, other, common):
    for name, more in (
        ("mine", 'same_cells = ["pbmc68k-counts"]'),
        ("theirs", 'same_cells = ["mine"]'),
        ("away", 'same_cells = ["nowhere"]'),
        ("gone", 'same_cells = ["nowhere"]'),
        ("boxed", ""),
        ("packed", ""),
    ):
        card = SAME.format(name=name, more=more, sha256=hashlib.sha256(name.encode()).hexdigest())
        if not more:
            card += f'content = "sha256:{"0" * 64}"\n'
        (tmp_path / f"{name}.toml").write_text(card)
    registry = load_registry([PREDICTORS], [tmp_path])
    request = Request([one, other], ["good"], sandbox="require")
    first, second = datasets_of(registry, request)
    assert bool(origins_of(first) & origins_of(second)) == common


@pytest.mark.parametrize("spelt", [str.lower, str.upper])
def test_a_card_and_the_path_of_its_file_are_of_one_origin(tmp_path, spelt):
    """A checksum is the same in capitals, as it is where the file is compared with it."""
    path = tmp_path / "one.csv"
    path.write_text("1,2,3\n4,5,6\n")
    request = Request([f"table:path={path}", "pbmc68k"], ["good"])
    by_path, card = datasets_of(load_registry([PREDICTORS]), request)
    assert not origins_of(by_path) & origins_of(card)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = card.entry.spec
    said = {**spec.card, "file": {**spec.card["file"], "sha256": spelt(digest)}}
    of_file = replace(card, entry=replace(card.entry, spec=replace(spec, card=said)))
    assert origins_of(by_path) & origins_of(of_file)
    assert origins_of(card) & origins_of(of_file)


def test_each_job_has_processors_of_its_own(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 3, 4, 6, 7}, raising=False)
    assert shares_of_processors(1) == [()]
    assert shares_of_processors(2) == [(1, 3), (4, 6, 7)]
    assert shares_of_processors(7) == [(1,), (3,), (4,), (6,), (7,), (1,), (3,)]
