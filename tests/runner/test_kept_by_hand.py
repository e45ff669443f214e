"""What is kept of good results, and what comes too late, case by case: nothing is run here."""

from __future__ import annotations

from types import SimpleNamespace

import factories
import pytest

from kobench.results.records import read_record, record_path, write_record
from kobench.results.versions import older_path
from kobench.runner import late
from kobench.runner.kept import Kept
from kobench.runner.late import TOO_LATE, look_for_late, set_aside_in
from kobench.runner.order import holds
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.shown import REAL, Showing, keep_shown, name_of, written_before, written_in


def made(seed=0, answers=None, **more):
    document = factories.record("mlp", None if more.get("status") else 0.5, seed=seed, **more)
    document["trial"]["predictor"]["digest"] = "0123456789abcdef"
    document["result"]["answers"] = answers or {}
    return factories.read([document])[0]


PLACE = (0, 0)


@pytest.mark.parametrize(
    ("status", "is_last", "moves"),
    [
        ("ok", True, False),  # takes its place
        ("ok", False, True),  # a failure may follow
        ("failed", True, True),
        ("failed", False, True),
        ("timeout", True, True),
        ("unsupported", True, True),
    ],
)
def test_a_good_record_makes_way_for_what_may_be_worse(tmp_path, status, is_last, moves):
    good = made()
    path = write_record(tmp_path, good)
    kept = Kept(tmp_path, {PLACE: good})
    kept.before(PLACE, status, is_last)
    assert path.exists() != moves
    assert set(kept.aside) == ({PLACE} if moves else set())
    if moves:
        assert read_record(kept.aside[PLACE]) == good
        assert kept.aside[PLACE].name == f"{path.name}.aside-1"


def test_only_one_is_kept_of_a_trial_and_of_nothing_none(tmp_path):
    good = made()
    path = write_record(tmp_path, good)
    kept = Kept(tmp_path, {PLACE: good})
    kept.before((0, 1), "failed", True)  # it had no good one
    assert path.exists()
    kept.before(PLACE, "failed", True)
    first = kept.aside[PLACE]
    write_record(tmp_path, made(status="failed", stage="fit"))
    kept.before(PLACE, "failed", True)
    assert kept.aside == {PLACE: first}
    assert path.exists()
    moved = Kept(tmp_path, {(0, 2): made(seed=5)})
    moved.before((0, 2), "failed", True)  # somebody has moved it
    assert moved.aside == {}
    assert moved.sentences() == []


@pytest.mark.parametrize(
    ("status", "is_last", "stays"),
    [("ok", True, False), ("ok", False, True), ("failed", True, True), ("unsupported", True, True)],
)
def test_what_is_kept_goes_when_all_is_good_again(tmp_path, status, is_last, stays):
    good = made()
    write_record(tmp_path, good)
    kept = Kept(tmp_path, {PLACE: good})
    kept.before(PLACE, "failed", True)
    path = kept.aside[PLACE]
    kept.after((0, 1), "ok", True)
    assert path.exists()
    kept.after(PLACE, status, is_last)
    assert path.exists() == stays
    assert bool(kept.aside) == stays
    if not stays:
        return
    path.unlink()  # by hand
    kept.after(PLACE, "ok", True)
    assert kept.aside == {}


def test_what_is_kept_is_said_with_how_it_comes_back(tmp_path):
    good = made()
    path = write_record(tmp_path, good)
    kept = Kept(tmp_path, {PLACE: good})
    kept.before(PLACE, "failed", True)
    (said,) = kept.sentences()
    assert said == (
        "mlp on grn:genes=100,seed=0: it had a good result before (version 0.1.0, code"
        f" 0123456789ab), which is not on the board any more; its record is kept as {path}.aside-1."
        f" To have it back, put that code back and rename the file {path.name}"
    )


# what is set aside is remembered


def test_records_that_others_took_the_place_of_are_read_again(tmp_path):
    one, two, three = (made(seed=seed) for seed in (0, 1, 2))
    path = write_record(tmp_path, one)
    path.rename(path.with_name(f"{path.name}.aside-1"))
    write_record(tmp_path, two)
    old = older_path(tmp_path, three)
    old.parent.mkdir(parents=True)
    write_record(tmp_path, three).rename(old)
    (tmp_path / "records" / "damaged.json.aside-1").write_text("{")
    assert [record.trial.dataset.seed for record in set_aside_in(tmp_path)] == [0, 2]
    assert record_path(tmp_path, two.trial).exists()


def test_what_records_know_to_have_been_shown_is_written_down(tmp_path):
    keep_shown(tmp_path, [made(), made(status="failed", stage="fit")])
    assert list(written_in(tmp_path)) == []
    shown = {"singles": "a" * 64}
    keep_shown(tmp_path, [made(answers=shown), made(seed=1, answers=shown), made()])
    keep_shown(tmp_path, [made(kind="measured", answers=shown)])
    assert set(written_in(tmp_path)) == {Showing("grn", None), Showing(REAL, None)}


def dataset(seeded=True):
    spec = SimpleNamespace(seeded=seeded, card={}, same_cells=())
    entry = SimpleNamespace(spec=spec, shown_name="grn", full_name="grn")
    return SimpleNamespace(entry=entry, params={"seed": 4}, secret=None, parts=(), same_cells=())


def test_it_is_written_down_before_a_question_with_expression_alone(tmp_path):
    asks = written_before(dataset(), tmp_path)
    for name in ("profile", "transfer"):
        asks(name)
    assert list(written_in(tmp_path)) == []
    for _ in range(2):
        asks("singles")
    assert list(written_in(tmp_path)) == [Showing("grn", ("grn 4",))]
    assert (name_of(dataset()), name_of(dataset(False))) == ("grn", REAL)
    assert Showing.of_dataset(dataset(False)) == Showing(REAL, ("grn",))


# what comes too late


def trial(asks=("profile", "singles"), **request):
    tasks = [SimpleNamespace(spec=SimpleNamespace(label=f"{name}@1", asks=name)) for name in asks]
    spec = SimpleNamespace(answers=("expression", "knockout"))
    return SimpleNamespace(
        is_strangers=True,
        dataset=dataset(),
        tasks=tasks,
        request=Request([], [], **{"sandbox": "require", **request}),
        predictor=SimpleNamespace(entry=SimpleNamespace(spec=spec)),
    )


def record(status="failed", asked_late=None):
    return SimpleNamespace(
        result=SimpleNamespace(status=status), run=SimpleNamespace(asked_late=asked_late)
    )


ASK = Action("ask", ("profile", "singles"))
FIT = Action("fit", ("profile", "singles"), keep=False)


def looked(tmp_path, decided, trials=None):
    said: list[str] = []
    trials = trials or dict.fromkeys(decided, trial())
    return look_for_late(decided, trials, tmp_path, said.append), said


def test_before_anything_was_shown_nothing_is_late(tmp_path):
    decided = {(0, 0): (FIT, None), (0, 1): (FIT, record()), (0, 2): (ASK, record("ok"))}
    before = dict(decided)
    found, said = looked(tmp_path, decided)
    assert (found, said, decided) == ({(0, 2): ()}, [], before)


@pytest.mark.parametrize("many", [1, 2])
def test_failures_stand_once_others_were_shown_these_cells(tmp_path, many):
    Showing("grn", ("grn 9",)).write(tmp_path)
    failed = {(0, number): (FIT, record()) for number in range(many)}
    decided = {**failed, (1, 0): (FIT, None), (1, 1): (FIT, record("ok"))}
    found, said = looked(tmp_path, decided)
    for place, (_, old) in failed.items():
        assert decided[place] == (Action("nothing", reason=TOO_LATE), old)
    assert decided[1, 0] == (FIT, None)  # of another network: in time
    start = "1 trial that failed is" if many == 1 else "2 that failed are"
    assert said[0].startswith(f"{start} not tried again, because {TOO_LATE}")
    assert len(said) == 1
    assert found == {place: () for place in failed}


def test_what_is_asked_after_the_very_cells_were_shown_is_marked(tmp_path):
    Showing("grn", ("grn 4",)).write(tmp_path)
    decided = {
        (0, 0): (FIT, None),
        (0, 1): (ASK, record("ok", ["older@1"])),
        (0, 2): (Action("score"), record("ok", ["older@1"])),
        (0, 3): (FIT, record("ok", ["older@1"])),
        (0, 4): (Action("ask", ("singles",)), record("ok")),
    }
    found, said = looked(tmp_path, decided)
    assert found == {
        (0, 0): ("profile@1",),
        (0, 1): ("older@1", "profile@1"),
        (0, 2): ("older@1",),
        (0, 3): ("profile@1",),
        (0, 4): (),
    }
    assert len(said) == 1
    assert said[0].startswith("3 trials are asked by assemblage after predictors were shown")


def test_a_run_that_need_not_hold_has_nothing_late(tmp_path):
    Showing("grn", ("grn 4",)).write(tmp_path)
    loose = trial(sandbox="auto")
    assert not holds(loose.request)
    decided = {(0, 0): (FIT, None), (0, 1): (FIT, record())}
    found, said = looked(tmp_path, decided, dict.fromkeys(decided, loose))
    assert (found, said) == ({}, [])
    assert decided[0, 1][0] is FIT


def test_records_in_the_folder_and_those_set_aside_tell_what_was_shown(tmp_path, monkeypatch):
    path = write_record(tmp_path, made(answers={"singles": "a" * 64}))
    for _ in range(2):
        decided = {(0, 0): (FIT, None)}
        assert looked(tmp_path, decided)[0] == {(0, 0): ("profile@1",)}
        if path.exists():
            path.rename(path.with_name(f"{path.name}.aside-1"))
    assert late.TOO_LATE == TOO_LATE
