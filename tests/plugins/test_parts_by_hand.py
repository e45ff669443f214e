"""Parameters, names, keys and what counts of a distribution: part by part, by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from kobench.api import DatasetSpec, MetricSpec, PredictorSpec
from kobench.errors import UserError
from kobench.plugins import cache, chosen
from kobench.plugins.chosen import Chosen, Task, own_hash, source_of, version_of
from kobench.plugins.description import Description
from kobench.plugins.discovery import check_name, is_content, is_importable
from kobench.plugins.entry import Entry
from kobench.plugins.ours import is_owners, owner_of, told_apart
from kobench.plugins.parameters import canonical, complete
from kobench.plugins.sources import PluginProblem, Source
from kobench.specs import Param
from kobench.util.files import sha256_of
from kobench.util.grammar import parse

# parameters


def completed(text, **params):
    return complete(parse(text), params, "predictor")


def test_every_parameter_has_a_value_of_the_type_of_its_default():
    params = {
        "a": Param(0.5),
        "b": Param(3),
        "c": Param((1, 2)),
        "d": Param(None),
        "e": Param(True),
    }
    assert completed("p", **params) == {"a": 0.5, "b": 3, "c": [1, 2], "d": None, "e": True}
    found = completed("p:a=2,b=4,d=x,e=false", **params)
    assert found == {"a": 2.0, "b": 4, "c": [1, 2], "d": "x", "e": False}
    assert [type(found[key]) for key in "abe"] == [float, int, bool]


@pytest.mark.parametrize(
    ("text", "param", "why"),
    [
        ("p:a=true", Param(1), "expected a whole number"),
        ("p:a=true", Param(1.0), "expected a number"),
        ("p:a=1.5", Param(1), "expected a whole number"),
        ("p:a=1", Param(True), "expected true or false"),
        ("p:a=1", Param("x"), 'expected text, so quote it: "1"'),
        ("p:a=x", Param(1), "expected a whole number$"),
        ("p:a=0", Param(1, low=1), "expected at least 1"),
        ("p:a=3", Param(1, high=2), "expected at most 2"),
        ("p:a=c", Param("a", choices=("a", "b")), "expected one of a, b"),
        ("p:b=1", Param(1), "has no parameter 'b'"),
        ("p:a=[]", Param(1, many=True), "is an empty list"),
        ("p:a=[1,2]", Param(1), "expected a whole number"),
        ("p:a=[1,5]", Param(1, many=True, high=4), "expected at most 4"),
    ],
)
def test_what_is_no_value_of_a_parameter_is_refused(text, param, why):
    with pytest.raises(UserError, match=why):
        completed(text, a=param)


@pytest.mark.parametrize(
    ("text", "param", "value"),
    [
        ("p:a=1", Param(1, low=1, high=1), 1),
        ("p:a=b", Param("a", choices=("a", "b")), "b"),
        ("p:a=[2,1,2]", Param(1, many=True), [2, 1]),
        ("p:a=[2,2]", Param(1, many=True), 2),
        ("p:a=[1,2]", Param(1.0, many=True), [1.0, 2.0]),
    ],
)
def test_values_at_the_ends_and_several_values_are_taken(text, param, value):
    assert completed(text, a=param) == {"a": value}


def test_the_text_of_a_selection_has_what_differs_from_the_defaults_in_order():
    params = {"b": Param(1.0), "a": Param("x"), "c": Param((1, 2)), "d": Param(True)}
    values = {"b": 1.0, "a": "x", "c": [1, 2], "d": True}
    assert canonical("n", values, params) == "n"
    assert canonical("n", {**values, "b": 2.0, "a": "y", "c": [2, 1]}, params) == (
        "n:a=y,b=2.0,c=[2, 1]"
    )
    assert canonical("n", {**values, "d": 1}, params) == "n:d=1"  # 1 is not true


# names


def entry(name="mlp", distribution="theirs", trusted=False, kind=PredictorSpec, **more):
    spec = PredictorSpec(name, make="a:b") if kind is PredictorSpec else kind
    return Entry(spec, distribution, more.pop("version", "1.2"), "d" * 64, trusted=trusted, **more)


def test_an_entry_is_called_by_where_it_comes_from():
    there = entry(distribution="My.Plug", environment="old")
    assert (there.full_name, there.home) == ("old/mlp", ("my-plug", "old"))
    assert there.origin == "My.Plug in environment old"
    here = entry(distribution="My.Plug")
    assert (here.full_name, here.shown_name, here.origin) == ("My.Plug/mlp", "mlp", "My.Plug")
    assert replace(here, shadowed=True).shown_name == "My.Plug/mlp"
    assert [there.is_of(name) for name in ("my_plug", "old", "other")] == [True, True, False]
    assert not here.is_of("old")
    assert (version_of(here), version_of(replace(here, version=""))) == ("1.2/1", "1")


def test_who_owns_a_name():
    own, theirs = entry(distribution="kobench", trusted=True), entry()
    cards = entry("x", "cards", trusted=True)
    assert owner_of("predictors", "mlp", [theirs]) == "kobench-baselines"
    assert owner_of("predictors", "mlp", [theirs, own]) == "kobench"
    assert owner_of("datasets", "mlp", [theirs]) == ""
    assert owner_of("predictors", "truth", []) == "kobench"
    assert owner_of("predictors", "x", [cards, theirs]) == "cards"
    assert owner_of("predictors", "x", [theirs]) == ""
    assert is_owners(theirs, "")
    assert is_owners(entry(distribution="Kobench_Baselines"), "kobench-baselines")
    assert not is_owners(theirs, "kobench-baselines")
    assert is_owners(own, "kobench")
    assert not is_owners(entry(distribution="kobench"), "kobench")
    assert not is_owners(cards, "kobench")
    told = told_apart([theirs, entry(distribution="kobench-baselines")])
    assert [one.shadowed for one in told] == [True, False]
    assert told_apart([]) == []


@pytest.mark.parametrize("name", ["a", "A-b_c.d", "1", "a1"])
def test_names_that_packages_may_have(name):
    check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a b", "a/b", "\u0430", "cards", "Cards", "a\n"])
def test_names_that_no_package_may_have(name):
    with pytest.raises(ValueError, match="its Name is"):
        check_name(name)


# tasks


def test_metrics_of_one_name_are_told_apart():
    def scores(name, distribution, trusted=False):
        spec = MetricSpec(name, "a:b", of="impact", direction="higher", best=1.0)
        return Entry(spec, distribution, "1", "d", trusted=trusted)

    metrics = (scores("m", "other"), scores("m", "theirs"), scores("m", "kobench", True))
    of_task = Entry(SimpleNamespace(), "theirs", "1", "d")
    named = Task(of_task, metrics).named_metrics
    assert {name: one.distribution for name, one in named.items()} == {
        "m": "kobench",
        "theirs/m": "theirs",
        "other/m": "other",
    }
    named = Task(of_task, metrics[:2]).named_metrics
    assert {name: one.distribution for name, one in named.items()} == {
        "m": "theirs",
        "other/m": "other",
    }


# sources


def test_what_a_choice_rests_on(tmp_path):
    file = tmp_path / "data"
    file.write_text("x")
    floor = entry(distribution="kobench", trusted=True)
    floor = replace(floor, spec=PredictorSpec("f", make="kobench.builtin.floors.calling:x"))
    assert source_of("predictors", floor, {}) == own_hash("kobench.builtin.floors.calling:x")
    assert source_of("predictors", entry(), {"path": str(file)}) == "d" * 64

    def dataset(trusted=False, **card):
        spec = SimpleNamespace(card=card)
        return Entry(spec, "theirs", "1", "e" * 64, trusted=trusted)

    assert source_of("datasets", dataset(trusted=True), {"path": str(file)}) == sha256_of(file)
    by_strangers = source_of("datasets", dataset(), {"path": str(file)})
    assert by_strangers not in (sha256_of(file), "e" * 64)
    assert source_of("datasets", dataset(), {"path": ""}) == "e" * 64
    assert source_of("datasets", dataset(), {"path": 3}) == "e" * 64
    assert source_of("datasets", dataset(trusted=True), {}) == ""
    assert source_of("datasets", dataset(digest="card"), {}) == "card"
    assert source_of("datasets", dataset(trusted=True, digest="card"), {}) == "card"


def test_a_floor_is_known_by_the_code_of_its_folder():
    one, same = (own_hash(f"kobench.builtin.floors.{name}:x") for name in ("calling", "impact"))
    assert one == same != own_hash("kobench.builtin.metrics.ranks:x")
    assert own_hash("kobench.builtin.floors:x") == one
    with pytest.raises(ValueError, match="names no code of kobench"):
        own_hash("kobench.no_such_folder.x:y")


def test_what_is_joined_is_trusted_where_each_part_is():
    def choice(trusted, *parts):
        return Chosen(entry(trusted=trusted), {}, "s", "g", parts=parts)

    own, theirs = choice(True), choice(False)
    assert (own.trusted, theirs.trusted, own.each) == (True, False, (own,))
    assert choice(False, own, own).trusted
    assert not choice(True, own, theirs).trusted


def test_datasets_of_the_same_cells_are_followed_to_their_end():
    def dataset(name, *same):
        return Entry(DatasetSpec(name, "a:b", same_cells=same), "theirs", "1", "d")

    there = {
        one.spec.name: one
        for one in (dataset("a", "b", "gone"), dataset("b", "c"), dataset("c", "a"))
    }

    def find(kind, name, prefer):
        assert (kind, prefer) == ("datasets", "theirs")
        if name not in there:
            raise UserError("no such")
        return there[name]

    found = chosen._same_cells(SimpleNamespace(find=find), there["a"])
    assert sorted(one.spec.name for one in found) == ["a", "b", "c"]
    assert chosen._same_cells(SimpleNamespace(find=find), dataset("x")) == ()


# files of a distribution


@pytest.mark.parametrize(
    ("name", "plain", "in_place"),
    [
        ("mine/weights.npz", True, True),
        ("m-1.dist-info/RECORD", False, False),
        ("other-1.dist-info/RECORD", True, True),
        ("m-1.dist-info/sub/RECORD", True, True),
        ("m-1.egg-info/INSTALLER", True, True),
        ("m-1.dist-info/METADATA", True, True),
        ("m-1.dist-info/LICENSE", True, True),
        ("mine/RECORD", True, True),
        ("__editable__m.py", True, False),
        ("_editable_impl_m.pth", True, False),
        ("_editable_impl_m.npz", True, False),
        ("_editable_impl_m/w.txt", True, True),
        ("_editable_impl_m/w.py", True, True),
        ("m.pth", True, False),
        ("mine/m.pth", True, True),
        ("../../bin/run", True, True),
        ("../share/bin/run", True, True),
    ],
)
def test_files_that_are_the_same_wherever_they_are_installed(name, plain, in_place):
    assert is_content(name, "m-1.dist-info") == plain
    assert is_content(name, "m-1.dist-info", editable=True) == in_place


def test_names_that_can_be_imported():
    names = ("numpy", "a_b.py", "a-b", "1a", "a.b", ".py", "a.pyc", "a.py.py")
    assert [name for name in names if is_importable(name)] == ["numpy", "a_b.py"]


# what is remembered of plugins


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBENCH_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "plug.py"
    file.write_text("x = 1\n")
    only = {"plug.py": file}
    return Source(
        "file:plug.py", "", (("plug", "plug.py"),), files=only, file=str(file), roots=only
    )


def problem(kind):
    return PluginProblem("file:plug.py", "plug", kind, "why")


def keep(source, *problems, limit=10.0):
    cache.remember(source, cache.key_of(source), Description((), problems, "digest"), limit)


def test_a_description_with_a_problem_is_not_kept_but_for_two_kinds(source):
    assert cache.remembered(source, 10.0) is None
    keep(source, problem("import"))
    assert cache.remembered(source, 10.0) is None
    keep(source, problem("not-here"), problem("import"))
    assert cache.remembered(source, 10.0) is None
    keep(source, problem("not-here"))
    assert [one.kind for one in cache.remembered(source, 10.0).problems] == ["not-here"]
    keep(source)
    assert cache.remembered(source, 10.0).problems == ()
    assert cache.remembered(source, 10.0).digest == cache.digest_of(source)
    assert cache.remembered(source, 10.0, ["/hidden"]) is None


def test_a_time_out_counts_for_a_while_and_up_to_the_limit_that_it_had(source, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(cache.time, "time", lambda: now[0])
    keep(source, problem("timeout"), problem("import"))
    assert cache.remembered(source, 10.0) is not None
    assert cache.remembered(source, 9.0) is not None
    assert cache.remembered(source, 10.1) is None
    for later, counts in ((599.9, True), (600.0, False), (-0.1, False)):
        now[0] = 1000.0 + later
        assert (cache.remembered(source, 10.0) is not None) == counts


def test_everything_that_a_description_depends_on_is_in_its_key(source, tmp_path, monkeypatch):
    python = SimpleNamespace(python=tmp_path / "python")
    keys = [
        cache.key_of(one)
        for one in (
            source,
            replace(source, distribution="x"),
            replace(source, version="2"),
            replace(source, points=(("other", "plug.py"),)),
            replace(source, file="else"),
            replace(source, about=("y",)),
            replace(source, interpreter=python, environment="a"),
            replace(source, interpreter=python, environment="b"),
        )
    ]
    keys.append(cache.key_of(source, ["/h"]))
    monkeypatch.setattr(cache, "_own_times", lambda: [["x", 1]])
    keys.append(cache.key_of(source))
    monkeypatch.undo()
    monkeypatch.setattr(cache, "__version__", "0")
    keys.append(cache.key_of(source))
    Path(source.file).write_text("x = 22\n")
    keys.append(cache.key_of(source))
    texts = [json.dumps(key) for key in keys]
    assert len(set(texts)) == len(texts)
    assert all(json.loads(text) == key for text, key in zip(texts, keys, strict=True))
