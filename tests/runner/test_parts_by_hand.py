"""What a run decides before and after its trials: part by part, by hand."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import factories
import pytest

from kobench.errors import UserError
from kobench.results.naming import row_of
from kobench.results.parts import Record
from kobench.results.suite_seed import SuiteSeed
from kobench.runner import rebuilt, recorded
from kobench.runner.copies import Originals, contents_of, is_same
from kobench.runner.datasets import datasets_of, join
from kobench.runner.environment import in_its_environment
from kobench.runner.folder import LostError, Results, clear, locked
from kobench.runner.keys import Group
from kobench.runner.late import (
    Shown,
    asked_blind,
    asked_late,
    look_for_late,
    said_of_late,
    shown_in,
    too_late,
)
from kobench.runner.order import holds, with_trials
from kobench.runner.plan import split_of
from kobench.runner.progress import Plain
from kobench.runner.reach import Hidden, Read, refuse_shown, within
from kobench.runner.rebuilt import rebuild
from kobench.runner.recorded import request_of
from kobench.runner.replay import only, order_of
from kobench.runner.request import ENOUGH_NETWORKS, Request, device_kind
from kobench.runner.resume import Action, limits_of, passed_a_limit
from kobench.runner.search import board_at, is_result, walk
from kobench.runner.shown import REAL, Showing, parse, written_in
from kobench.runner.tasks import fits
from kobench.runner.trust import has_strangers, trusted_with_predictor
from kobench.runner.work import Work


def read(document) -> Record:
    (one,) = factories.read([document])
    return one


# splits


@pytest.mark.parametrize(
    ("asks", "truth", "of_dataset", "asked", "split"),
    [
        ("transfer", "any", "none", "cell-type", "cell-type"),
        ("transfer", "any", "none", "auto", None),
        ("singles", "counterfactual", "counterfactual", "dataset", None),
        ("response", "any", "population", "auto", "halves"),
        ("response", "population", "population", "auto", "halves"),
        ("response", "population", "population", "all", None),
        ("response", "population", "counterfactual", "auto", None),
        ("response", "any", "counterfactual", "auto", "holdout"),
        ("response", "any", "counterfactual", "all", "all"),
        ("response", "any", "none", "auto", None),
        ("singles", "counterfactual", "counterfactual", "holdout", "holdout"),
        ("singles", "counterfactual", "population", "auto", None),
        ("profile", "wild-type", "none", "auto", "holdout"),
        ("profile", "wild-type", "population", "auto", "holdout"),
        ("profile", "wild-type", "none", "all", None),
    ],
)
def test_the_split_of_a_task_on_a_dataset(asks, truth, of_dataset, asked, split):
    task = SimpleNamespace(asks=asks, truth=truth)
    dataset = SimpleNamespace(entry=SimpleNamespace(spec=SimpleNamespace(truth=of_dataset)))
    assert split_of(task, dataset, Request([], [], split=asked)) == split


def test_a_run_holds_where_a_sandbox_is_required_or_seeds_are_secret():
    assert not holds(Request([], []))
    assert not holds(Request([], [], sandbox="off"))
    assert holds(Request([], [], sandbox="require"))
    assert holds(Request([], [], suite_seed=SuiteSeed("0" * 32)))


def test_metrics_score_the_tasks_of_their_units_that_they_name():
    task = SimpleNamespace(of="impact", name="t")
    for of, tasks, scores in (
        ("impact", None, True),
        ("profile", None, False),
        ("impact", ("t", "u"), True),
        ("impact", ("u",), False),
        ("impact", (), False),
        ("profile", ("t",), False),
    ):
        assert fits(SimpleNamespace(of=of, tasks=tasks), task) == scores


def test_trials_are_replaced_at_their_places():
    group = Group(None, None, ("f0", "f1"), ("p0", "p1"))
    found = with_trials(2, group, {(2, 1): "F", (2, 3): "P", (1, 0): "other", (2, 9): "none"})
    assert (found.basis, found.trials) == (("f0", "F"), ("p0", "P"))


def part(name, seeded=False, secret=None, selection=None):
    spec = SimpleNamespace(seeded=seeded, truth="population", version="1")
    entry = SimpleNamespace(spec=spec, version="")
    return SimpleNamespace(
        entry=entry,
        params={name: 1},
        selection=selection or name,
        group=f"{name}*",
        source="s",
        secret=secret,
        planned=(0, 3) if seeded else None,
    )


def test_joined_datasets_are_of_the_first_simulator_among_them(monkeypatch):
    monkeypatch.setattr(
        "kobench.runner.datasets.replace",
        lambda one, **new: SimpleNamespace(**{**vars(one), **new}),
    )
    real, grn = part("a"), part("b", True, "hidden")
    both = join([real, grn], True)
    assert (both.params, both.secret, both.entry.spec.truth) == ({"b": 1}, "hidden", "none")
    assert (both.selection, both.group, both.first) == ("a + b", "a* + b*", True)
    assert both.parts == (real, grn)
    assert (both.planned, join([real, part("c")], False).planned) == ((0, 3), None)
    assert join([real, part("c")], False).params == {"a": 1}
    assert join([grn, real], False).source != both.source
    seeds = {"x": [part("x", True, None, f"x{i}") for i in range(3)], "y": [part("y")]}
    monkeypatch.setattr("kobench.runner.datasets.seeds_of", lambda _, text, request: seeds[text])
    found = datasets_of(None, Request(["x", "y", "x"], [], split="dataset"))
    assert [(one.selection, one.first) for one in found] == [
        ("x0 + y", True),
        ("x1 + y", False),
        ("x2 + y", False),
    ]
    plain = datasets_of(None, Request(["x", "y", "x"], []))
    assert [one.selection for one in plain] == ["x0", "x1", "x2", "y"]
    with pytest.raises(UserError, match="two datasets or more"):
        datasets_of(None, Request(["x", "x"], [], split="dataset"))


# what came late


def stranger(asks, *tasks, answers=("knockout", "rows"), holds=True, strangers=True, seeded=True):
    spec = SimpleNamespace(answers=answers)
    named = [SimpleNamespace(spec=SimpleNamespace(label=label, asks=one)) for label, one in tasks]
    dataset = SimpleNamespace(
        entry=SimpleNamespace(shown_name="grn", spec=SimpleNamespace(seeded=seeded))
    )
    return SimpleNamespace(
        is_strangers=strangers,
        dataset=dataset,
        tasks=named,
        request=Request([], [], sandbox="require" if holds else "auto"),
        predictor=SimpleNamespace(entry=SimpleNamespace(spec=spec)),
    )


TASKS = (("profile@1", "profile"), ("impact@1", "singles"))


@pytest.fixture
def blind(monkeypatch):
    """Profiles are asked by assemblage, and whoever answers `rows` can answer them."""
    monkeypatch.setattr("kobench.runner.late.answerable", lambda name, answers: "rows" in answers)
    monkeypatch.setattr(
        "kobench.runner.late.SETS",
        {
            "profile": SimpleNamespace(by_assemblage=True),
            "singles": SimpleNamespace(by_assemblage=False),
        },
    )


ASK = Action("ask", ("profile", "singles"))


def test_tasks_by_assemblage_of_strangers_in_a_run_that_holds(blind):
    assert asked_blind(stranger((), *TASKS), ASK) == ("profile@1",)
    assert asked_blind(stranger((), *TASKS), replace(ASK, kind="fit")) == ("profile@1",)
    for trial, action in (
        (stranger((), *TASKS), replace(ASK, kind="score")),
        (stranger((), *TASKS), replace(ASK, asks=("singles",))),
        (stranger((), *TASKS, holds=False), ASK),
        (stranger((), *TASKS, strangers=False), ASK),
        (stranger((), *TASKS, answers=("knockout",)), ASK),
        (stranger((), TASKS[1]), ASK),
    ):
        assert asked_blind(trial, action) == ()


def test_a_failure_is_too_late_once_its_cells_were_shown(blind):
    trial = stranger((), *TASKS)
    failed, fine = (
        SimpleNamespace(result=SimpleNamespace(status=status)) for status in ("failed", "ok")
    )

    def shown(*names):
        return lambda: Shown(frozenset(names), frozenset(), frozenset())

    assert too_late(trial, ASK, failed, shown("grn"))
    assert not too_late(trial, ASK, failed, shown("other"))
    assert not too_late(trial, ASK, fine, shown("grn"))
    assert not too_late(trial, ASK, None, shown("grn"))
    assert not too_late(trial, replace(ASK, kind="nothing"), failed, shown("grn"))
    real = stranger((), *TASKS, seeded=False)
    assert too_late(real, ASK, failed, shown(REAL))
    assert not too_late(real, ASK, failed, shown("grn"))


def test_what_is_asked_late_is_known_by_origin_or_by_the_name_in_older_records(blind, monkeypatch):
    monkeypatch.setattr("kobench.runner.late.origins_of", lambda _: frozenset({"grn 1", "file"}))
    trial = stranger((), *TASKS)

    def late(names=(), origins=(), older=()):
        return asked_late(trial, ASK, lambda: Shown(*map(frozenset, (names, origins, older))))

    assert late(origins=["file"]) == late(older=["grn"]) == ("profile@1",)
    assert late(names=["grn"]) == late(origins=["grn 2"]) == late(older=["real"]) == ()

    def never():
        raise AssertionError("nobody needs to know what was shown")

    assert asked_late(stranger((), *TASKS, holds=False), ASK, never) == ()


@pytest.mark.parametrize("kept", [True, False])
def test_what_came_late_stays_so_where_its_answers_are_kept(blind, tmp_path, kept):
    """Done wholly anew in a run that need not hold, nothing of it came late."""
    record = SimpleNamespace(
        run=SimpleNamespace(asked_late=["profile@1"]), result=SimpleNamespace(status="ok")
    )
    decided = {(0, 0): (replace(ASK, keep=kept), record), (0, 1): (ASK, None)}
    trials = dict.fromkeys(decided, stranger((), *TASKS, holds=False))
    said: list[str] = []
    found = look_for_late(decided, trials, tmp_path, said.append)
    assert found == ({(0, 0): ("profile@1",)} if kept else {})
    assert said == []


def test_how_many_come_late_and_what_helps():
    simulated, real = stranger((), *TASKS), stranger((), *TASKS, seeded=False)
    one = said_of_late([simulated], Path("out"))
    assert one.startswith("1 trial is ")
    assert "secret seeds" in one
    assert "machine" not in one
    assert said_of_late([simulated] * 2, Path("out")).startswith("2 trials are ")
    both = said_of_late([real, simulated, simulated], Path("out"))
    assert both.startswith("3 trials are ")
    assert both.index("secret seeds") < both.index("machine's new start")
    assert "secret" not in said_of_late([real], Path("out"))


def test_what_was_shown_is_gathered_from_notes_and_records():
    notes = [Showing("grn", ("grn 2", "grn 1")), Showing("old", None), Showing("grn", ("grn 3",))]
    found = shown_in([], notes)
    assert found == Shown(
        frozenset({"grn", "old"}), frozenset({"grn 1", "grn 2", "grn 3"}), frozenset({"old"})
    )


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"3",
        b"{",
        b"\xff",
        b'{"name": "a"}',
        b'{"origins": null}',
        b'{"name": 3, "origins": null}',
        b'{"name": "a", "origins": "b"}',
        b'{"name": "a", "origins": ["b", 3]}',
    ],
)
def test_what_is_no_note_of_what_was_shown(content):
    with pytest.raises(ValueError, match=r"."):
        parse(content)


def test_notes_of_what_was_shown_are_written_once_and_read_again(tmp_path):
    folder = tmp_path / "shown"
    one, other = Showing("grn", ("grn 1", "grn 2")), Showing("old", None)
    for showing in (one, other, one):
        showing.write(tmp_path)
    (folder / "mine.json").write_text("{")  # the user's own
    assert set(written_in(tmp_path)) == {one, other}
    files = sorted(folder.glob("*.json"))
    assert len(files) == 3
    before = [path.stat().st_mtime_ns for path in files]
    one.write(tmp_path)
    assert [path.stat().st_mtime_ns for path in files] == before
    (folder / f"{'a' * 24}.json").write_text("{")
    with pytest.raises(UserError, match=r"a{24}[.]json can't be read"):
        list(written_in(tmp_path))


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, None),
        ({"answers": {"singles": "h"}}, "real"),
        ({"answers": {"profile": "h"}}, None),
        ({"stage": "singles", "status": "failed"}, "real"),
        ({"stage": "fit", "status": "failed"}, None),
        ({"role": "floor", "answers": {"singles": "h"}}, None),
        ({"kind": "simulated", "answers": {"singles": "h"}}, "grn"),
        ({"late": ["profile@1"]}, "real"),
    ],
)
def test_what_a_record_says_that_its_predictor_was_shown(changes, shown):
    document = factories.record(
        "p",
        None,
        role=changes.get("role", "predictor"),
        kind=changes.get("kind", "real"),
        status=changes.get("status", "ok"),
        stage=changes.get("stage"),
    )
    document["result"]["answers"] = changes.get("answers", {})
    if "late" in changes:
        document["run"]["asked_late"] = changes["late"]
    found = Showing.of_record(read(document))
    assert (found and found.name) == shown
    assert found is None or found.origins is None


# resuming


@pytest.mark.parametrize(
    ("status", "found", "passed"),
    [
        ("timeout", None, True),
        ("out-of-memory", None, False),
        ("out-of-memory", "its processes held much", True),
        ("failed", "x", False),
        ("ok", None, False),
    ],
)
def test_which_failures_passed_a_limit(status, found, passed):
    run = {} if found is None else {"found": found}
    document = factories.record("p", None, status=status, run=run)
    assert passed_a_limit(read(document)) == passed


def test_older_records_have_the_limit_of_time_alone():
    assert limits_of(read(factories.record("p", 0.5, run={"timeout": 7.0}))) == {"seconds": 7.0}
    every = {"seconds": 1.0, "memory_mb": 2, "processes": 3, "written_mb": 4}
    assert limits_of(read(factories.record("p", 0.5, run={"limits": every}))) == every


# records scored again


def test_a_record_is_named_by_what_is_not_usual():
    def said(split=("holdout", 0), train=None, **more):
        document = factories.record("mlp", 0.5, split=split, **more)
        if train:
            document["trial"]["split"]["train"] = train
        return row_of(read(document))

    assert said() == "mlp on grn:genes=100,seed=0, holdout"
    assert said(("all", 2)).endswith(", all, split seed 2")
    assert said(fit_seed=3).endswith(", holdout, fit seed 3")
    assert said(("all", 1), "A", fit_seed=2).endswith(
        ", all, trained on A, split seed 1, fit seed 2"
    )


def test_records_on_one_dataset_and_split_come_together():
    made = [
        read(factories.record(name, 0.5, seed=seed, split=split, role=role))
        for name, seed, split, role in (
            ("b", 1, ("all", 0), "predictor"),
            ("a", 0, ("holdout", 1), "predictor"),
            ("a", 0, ("holdout", 0), "predictor"),
            ("z", 0, ("holdout", 0), "floor"),
            ("b", 0, ("all", 0), "predictor"),
        )
    ]
    found = [
        (one.trial.dataset.seed, *one.trial.split.to_json().values(), one.trial.predictor.name)
        for one in sorted(made, key=order_of)
    ]
    assert [one[0] for one in found] == [0, 0, 0, 0, 1]
    assert [one[-1] for one in found] == ["b", "z", "a", "a", "b"]


def test_only_the_metrics_of_a_record_are_compared():
    label = factories.TASK
    now, before = (
        read(factories.record("a", factories.scores(cells))).result.scores[label]
        for cells in ({"x": 0.1, "y": 0.2}, {"y": 0.3, "z": 0.4})
    )
    found = only(now, before)
    assert {name: one.value for name, one in found.metrics.items()} == {"y": 0.2}


@pytest.mark.parametrize(
    ("more", "draws", "networks"),
    [
        ({}, [], ENOUGH_NETWORKS),
        ({}, [0.1, 0.2], 1),
        ({"blocks_digest": "x"}, [], 1),
    ],
)
def test_a_record_with_draws_is_of_one_network(more, draws, networks):
    cells = {"a": factories.metric(0.5), "b": factories.metric(0.5, draws=draws)}
    document = factories.record("a", factories.scores(cells, **more), split=("all", 3))
    document["trial"]["threads"] = 4
    found = request_of(read(document), SimpleNamespace(selection="s"))
    assert (found.networks, found.events, found.split_seed) == (networks, None, 3)
    assert (found.threads, found.device, tuple(found.datasets)) == (4, "cpu", ("s",))


def test_as_many_events_are_asked_as_any_task_was():
    cells = factories.scores({"a": 0.5}, events={"asked": 20, "of": 90})
    cells |= factories.scores({"a": 0.5}, "other@1", events={"asked": 30, "of": 90})
    found = request_of(read(factories.record("a", cells)), SimpleNamespace(selection="s"))
    assert found.events == 30


def test_seeds_in_selections_are_found_where_they_are_seeds():
    def numbers(text):
        return recorded.SECRET.findall(text)

    assert numbers("grn:genes=5,seed=secret-12") == numbers("grn:seed=secret-12") == ["12"]
    assert numbers("grn:seed=secret-3,sigma=1") == ["3"]
    for text in (
        "grn:seed=secret-3x",
        "grn:xseed=secret-3",
        "grn:seed=secret-1234567890",
        "secret-3",
    ):
        assert numbers(text) == []


def simulated(selection, digest, secret=True):
    document = factories.record("p", 0.5)
    document["trial"]["dataset"] |= {"selection": selection, "digest": digest}
    if secret:
        document["trial"]["dataset"] |= {"seed": None, "secret": {"commitment": "c", "index": 0}}
    return read(document)


def test_secret_networks_are_simulated_again_once_each(monkeypatch):
    asked = []

    def digest_of(registry, dataset, seed, names):
        asked.append(dataset.selection)
        if dataset.selection == "c":
            raise UserError("it is not here")
        return "same"

    monkeypatch.setattr(rebuilt, "digest_of", digest_of)
    records = [
        simulated("b", "other"),
        simulated("a", "same"),
        simulated("a", "same"),
        simulated("c", "x"),
        simulated("public", "same", secret=False),
    ]
    found = rebuild(None, records, SuiteSeed("0" * 32))
    assert asked == ["a", "b", "c"]
    assert (found.same, len(found.others), found.left_out) == (1, 1, ["c: it is not here"])
    assert "b: its cells have the sha256 other" in found.others[0]


# who sees the truth


def judged(role="predictor", distribution="Their.Plug", *judges):
    entries = [
        SimpleNamespace(distribution=of, shown_name=name, trusted=trusted)
        for name, of, trusted in judges
    ]
    dataset, task, *metrics = entries
    return SimpleNamespace(
        role=role,
        dataset=SimpleNamespace(each=[SimpleNamespace(entry=dataset)]),
        tasks=[SimpleNamespace(entry=task, metrics=metrics)],
        predictor=SimpleNamespace(entry=SimpleNamespace(distribution=distribution)),
    )


def test_what_a_predictors_own_distribution_brings_is_named():
    theirs = [("z", "their-plug", False), ("t", "their_plug", False), ("m", "other", False)]
    assert trusted_with_predictor(judged("predictor", "Their.Plug", *theirs)) == ["t", "z"]
    assert trusted_with_predictor(judged("floor", "Their.Plug", *theirs)) == []
    assert trusted_with_predictor(judged("predictor", "other", *theirs)) == ["m"]
    own = [("d", "kobench", True), ("t", "kobench", True), ("m", "kobench", True)]
    assert trusted_with_predictor(judged("predictor", "kobench", *own)) == []
    assert not has_strangers(judged("predictor", "x", *own))
    for place in range(3):
        one = [*own]
        one[place] = ("d", "x", False)
        assert has_strangers(judged("predictor", "x", *one))


# looking for copies


def test_what_a_file_holds_by_its_first_bytes(tmp_path):
    def packers(content):
        (tmp_path / "a").write_bytes(content)
        return [packer for packer, _ in contents_of(str(tmp_path / "a"))]

    content = b"x" * 5000
    assert packers(b"") == []
    assert packers(b"abc") == [""]
    assert packers(gzip.compress(content)) == ["", "gzip"]
    assert packers(bz2.compress(content)) == ["", "bz2"]
    assert packers(lzma.compress(content)) == ["", "lzma"]
    # nothing in it, or nothing that can be unpacked
    assert packers(gzip.compress(b"")) == packers(b"\x1f\x8b" + content) == [""]
    assert packers(b"BZh" + content) == packers(b"\xfd7zXZ\0" + content) == [""]
    assert list(contents_of(str(tmp_path))) == list(contents_of(str(tmp_path / "gone"))) == []
    firsts = {first for _, first in contents_of(str(tmp_path / "a"))}
    (tmp_path / "a").write_bytes((b"\xfd7zXZ\0" + content)[:4096])
    assert {first for _, first in contents_of(str(tmp_path / "a"))} == firsts
    (tmp_path / "a").write_bytes((b"\xfd7zXZ\0" + content)[:4095])
    assert {first for _, first in contents_of(str(tmp_path / "a"))} != firsts


def test_contents_are_the_same_to_the_last_byte(tmp_path):
    content = os.urandom(200_000)
    (tmp_path / "a").write_bytes(content)

    def same(other, its=""):
        (tmp_path / "b").write_bytes(other)
        ways = [("a", "", "b", its), ("b", its, "a", "")]
        found = {is_same(str(tmp_path / c), d, str(tmp_path / e), f) for c, d, e, f in ways}
        assert len(found) == 1
        return found.pop()

    assert same(content)
    assert same(gzip.compress(content), "gzip")
    members = gzip.compress(content[:70_000]) + gzip.compress(content[70_000:]) + gzip.compress(b"")
    assert same(members, "gzip")
    for other in (content[:-1], content + b"0", content[:-1] + bytes([content[-1] ^ 1])):
        assert not same(other)
        assert not same(gzip.compress(other), "gzip")
    assert not same(gzip.compress(content)[:-9], "gzip")
    assert not is_same(str(tmp_path / "a"), "", str(tmp_path / "gone"), "")


def test_results_are_known_by_the_names_of_what_is_in_them(tmp_path):
    for folder, name, known in (
        ("records", f"{'a' * 24}.json", True),
        ("records", "else.json", False),
        ("answers", f"{'a' * 64}.npz", True),
        ("answers", f"{'a' * 24}.json", False),
        ("other", f"{'a' * 24}.json", False),
        ("records", f"{'a' * 24}.json.bak", False),
    ):
        place = tmp_path / f"{folder}-{name[:3]}-{name[-3:]}" / folder
        place.mkdir(parents=True)
        (place / name).touch()
        assert is_result(str(place)) == known
    assert is_result("any/secret-seed.txt")
    assert not is_result("any/records.jsonl.gz")  # that is a board's, see below
    assert not is_result(str(tmp_path / "records"))


def test_what_is_hidden_where_a_board_lies(tmp_path):
    (tmp_path / "b" / "pictures").mkdir(parents=True)
    for name in ("answers.zip", "what-is-written-next", "pictures/a.svg"):
        (tmp_path / "b" / name).touch()
    board = str(tmp_path / "b")
    files = {f"{board}/{name}" for name in ("answers.zip", "what-is-written-next", "signatures")}
    assert board_at(board, [str(tmp_path)], given=True) == [board]
    assert set(board_at(board, [board], given=True)) == files
    assert set(board_at(board, [str(tmp_path)], given=False)) == files
    (tmp_path / "b" / "mine.py").touch()
    assert set(board_at(board, [str(tmp_path)], given=True)) == files
    assert board_at(f"{board}/gone", [board], given=True) == [f"{board}/gone"]


def test_copies_are_found_packed_or_not_and_by_a_second_name(tmp_path):
    content = os.urandom(5000)
    (tmp_path / "data").mkdir()
    original = tmp_path / "data" / "cells.h5ad"
    original.write_bytes(content)
    (tmp_path / "data" / "packed.csv.gz").write_bytes(gzip.compress(b"y" * 3000))
    found = Originals([original, tmp_path / "data" / "packed.csv.gz", tmp_path / "gone"])
    packed = ("", ".bgz", ".bz2", ".gz", ".xz")
    assert found.endings == tuple(end + each for end in (".csv", ".h5ad") for each in packed)
    assert found.inodes == set()
    for name, written, copy in (
        ("same", content, True),
        ("cells.gz", gzip.compress(content), True),
        ("other", os.urandom(5000), False),
        ("plain", b"y" * 3000, True),
        ("cells", gzip.compress(content), True),
        ("empty", b"", False),
    ):
        (tmp_path / name).write_bytes(written)
        assert found.has_copy(str(tmp_path / name)) == copy, name
    assert not found.has_copy(str(tmp_path / "nowhere"))
    for name in ("data/bad.csv.gz", "bad.gz"):  # neither can be unpacked
        (tmp_path / name).write_bytes(b"\x1f\x8b" + name[-6:].encode().ljust(16))
    assert not Originals([tmp_path / "data" / "bad.csv.gz"]).has_copy(str(tmp_path / "bad.gz"))
    assert not Originals([]).has_copy(str(original))
    os.link(original, tmp_path / "link.txt")
    linked = Originals([original])
    assert linked.inodes == {original.stat().st_ino}
    (tmp_path / "records").mkdir()
    (tmp_path / "records.jsonl.gz").touch()
    (tmp_path / "to.h5ad").symlink_to(original)
    walked = set(walk([str(tmp_path), str(tmp_path / "data")], (".h5ad",), linked.inodes))
    for name in ("answers.zip", "board.json.gz", "board.csv"):
        (tmp_path / name).touch()
    walked |= set(walk([str(tmp_path)], (".h5ad",), linked.inodes))
    names = ("data/cells.h5ad", "link.txt", "records", "records.jsonl.gz", "answers.zip")
    names = (*names, "board.json.gz")
    assert walked == {str(tmp_path / name) for name in names}
    assert set(walk([str(original)], (".none",), set())) == {str(original)}


# what is out of reach


def test_what_is_hidden_lies_where_predictors_read(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    reads = [Read(str(tmp_path / "in"), "why")]
    places = [tmp_path / "link" / "deep", tmp_path / "in" / "deep", tmp_path / "inside", tmp_path]
    assert within(places, reads) == (tmp_path / "in" / "deep",)
    hidden = Hidden((Path("/all"),), {("a", ""): (Path("/of-a"),), ("b", "e"): (Path("/of-b"),)})
    own = SimpleNamespace(home=("a", ""), caches=(Path("/cache"),))
    assert hidden.of(own) == (Path("/all"), Path("/of-b"), Path("/cache"))


def test_what_must_be_read_can_not_be_hidden(tmp_path):
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)

    def refused(files, folders, read):
        try:
            refuse_shown(files, folders, [Read(str(read), "why")])
        except UserError as error:
            return "a dataset is made of" if "is made of" in str(error) else "kobench keeps"
        return None

    assert refused([folder], [], folder) == "a dataset is made of"
    assert refused([], [folder], folder) == "kobench keeps"
    assert refused([folder], [], folder / "deep") == "a dataset is made of"
    assert refused([], [folder], folder / "deep") is None
    assert refused([folder], [folder], tmp_path) is None


# the rest


def test_a_device_is_what_was_asked_or_what_is_there(monkeypatch):
    assert [device_kind(one) for one in ("cpu", "cuda")] == ["cpu", "cuda"]
    for there, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(os.path, "exists", lambda _, there=there: there)
        assert device_kind("auto") == kind


def test_a_trial_in_an_environment_has_the_packages_of_that_one():
    here = {"python": "3.11", "packages": {"numpy": "2"}, "environment": None}
    assert in_its_environment(here) == here
    there = {**here, "environment": {"python": "3.9", "packages": {"numpy": "1"}}}
    found = in_its_environment(there)
    assert (found["python"], found["packages"]) == ("3.9", {"numpy": "1"})


def test_a_log_counts_every_trial_and_shows_predictors_and_failures(capsys):
    def done(watcher, role, status):
        record = read(factories.record("p", None, status=status, message="why"))
        watcher.finished(SimpleNamespace(role=role, label=f"{role} {status}"), None, record)

    plain = Plain()
    plain.planned(4)
    for role, status in (
        ("floor", "ok"),
        ("line", "unsupported"),
        ("floor", "failed"),
        ("predictor", "ok"),
    ):
        done(plain, role, status)
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "kobench: 4 trials to do"
    assert [line.partition(",")[0] for line in lines] == ["[3/4", "[4/4"]
    assert ["floor failed" in lines[0], "predictor ok" in lines[1]] == [True, True]
    Plain().planned(0)
    assert capsys.readouterr().err == "kobench: everything is up to date\n"


# folders


def test_only_what_a_killed_run_left_is_cleared_away(tmp_path):
    left = (
        ".work/trial-abcd1234/x",
        f"records/.{'a' * 24}.json.12-3.tmp",
        f"answers/.{'a' * 64}.npz.1-2.tmp",
        f"shown/.{'b' * 24}.json.1-2.tmp",
    )
    kept = (
        ".work/mine/x",
        ".work/trial-ABCD1234/x",
        ".work/trial-abcd12345/x",
        f"records/{'a' * 24}.json",
        "records/.mine.json.1-2.tmp",
        f"records/.{'a' * 24}.json.1.tmp",
        f"answers/.{'a' * 24}.json.1-2.tmp",
        ".a.tmp",
    )
    for name in (*left, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".work" / "trial-link1234").symlink_to(tmp_path / "records")
    (tmp_path / ".work" / "trial-file1234").touch()
    clear(tmp_path)
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {*kept, ".work/trial-file1234"}
    assert (tmp_path / ".work" / "trial-link1234").is_symlink()
    empty = tmp_path / "new"
    (empty / ".work" / "trial-abcd1234").mkdir(parents=True)
    clear(empty)
    assert not (empty / ".work").exists()


@pytest.mark.parametrize("name", [".work", "shown"])
def test_a_run_needs_its_own_folders(tmp_path, name):
    with locked(tmp_path):
        pass
    (tmp_path / name).symlink_to(tmp_path)
    with pytest.raises(UserError, match="is a link"), locked(tmp_path):
        pass
    (tmp_path / name).unlink()
    (tmp_path / name).touch()
    with pytest.raises(UserError, match="is a file"), locked(tmp_path):
        pass
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with locked(tmp_path) as held:
        results = Results(tmp_path, claim=held.claim)
        results.refuse_if_lost()
        (tmp_path / ".kobench-lock").unlink()
        with pytest.raises(LostError) as lost:
            results.refuse_if_lost()
        assert lost.value.exit_code == 1
    Results(tmp_path).refuse_if_lost()


# what there is to do


def planned(selection, seeded=False, trusted=True, sandbox="require", stranger=True):
    dataset = SimpleNamespace(
        selection=selection,
        trusted=trusted,
        entry=SimpleNamespace(spec=SimpleNamespace(seeded=seeded)),
    )
    trials = [
        SimpleNamespace(
            dataset=dataset, request=Request([], [], sandbox=sandbox), is_strangers=stranger
        )
        for _ in range(3)
    ]
    return Group(dataset, None, tuple(trials[:1]), tuple(trials[1:]))


def test_real_datasets_are_looked_at_once_each():
    groups = [planned("a"), planned("a"), planned("grn", seeded=True), planned("x", trusted=False)]
    todo = {(number, 1): None for number in (3, 2, 1, 0)} | {(0, 2): None}
    work = Work(groups, todo, None)
    assert (work.with_data(), work.with_data(strangers=True)) == ([(0, 1)], [(3, 1)])
    assert work.trial((0, 0)) is groups[0].basis[0]
    assert work.trial((0, 2)) is groups[0].trials[1]


def test_strangers_on_the_same_cells_are_apart_where_a_sandbox_is_required(monkeypatch):
    monkeypatch.setattr("kobench.runner.work.origins_of", lambda dataset: dataset.selection)
    groups = [planned("a"), planned("b", sandbox="auto"), planned("c", stranger=False)]
    todo = {(number, 1): None for number in range(3)}
    assert Work(groups, todo, None).apart() == {(0, 1): "a"}
