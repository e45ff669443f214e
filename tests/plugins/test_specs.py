"""Specs as JSON and back, references and what they resolve to, and what is said about a spec that
is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobench.specs import (
    ANSWERS,
    KINDS,
    DatasetSpec,
    MetricSpec,
    Param,
    PredictorSpec,
    Spec,
    TaskSpec,
    kind_of,
)
from kobench.util.plugin_files import load_file
from kobench.util.resolve import resolve_reference
from kobench.util.values import same
from kobench.worker.describe.references import find_module, missing_part
from kobench.worker.describe.spec_json import spec_from_json, spec_to_json
from kobench.worker.describe.validation import faults

text = st.text(max_size=10)
names = st.lists(text, max_size=3).map(tuple)
number = st.floats(allow_nan=False) | st.integers()
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
params = st.dictionaries(
    text,
    st.builds(
        Param,
        default=plain,
        help=text,
        choices=st.none() | st.lists(plain, max_size=3).map(tuple),
        low=st.none() | number,
        high=st.none() | number,
    ),
    max_size=3,
)
specs = st.one_of(
    st.builds(
        PredictorSpec,
        name=text,
        make=text,
        answers=st.lists(st.sampled_from(ANSWERS)).map(tuple),
        params=params,
        version=st.integers(1),
        wants=st.sampled_from(["dense", "sparse", "anndata"]),
        max_order=st.none() | st.integers(1),
        floor=st.booleans(),
        prior=text,
        developed_on=names,
        equation_of=names,
    ),
    st.builds(
        DatasetSpec,
        name=text,
        load=text,
        params=params,
        seeded=st.booleans(),
        card=st.dictionaries(text, plain, max_size=3),
        same_cells=names,
    ),
    st.builds(
        MetricSpec,
        name=text,
        score=text,
        of=st.just("profile"),
        best=number,
        low=number,
        high=number,
        tasks=st.none() | names,
    ),
    st.builds(
        TaskSpec,
        name=text,
        units=text,
        of=st.just("impact"),
        asks=st.just("singles"),
        truth=st.just("wild-type"),
        primary=names,
        floors=names,
        lines=names,
    ),
)


@given(specs)
def test_specs_survive_json(spec: Spec) -> None:
    document = json.loads(json.dumps(spec_to_json(spec), allow_nan=False))
    again = spec_from_json(document)
    assert again == spec
    assert type(again) is type(spec)
    assert document["kind"] == kind_of(spec)
    assert same(spec_to_json(again), spec_to_json(spec))


def test_open_ranges_and_tuples_survive_json() -> None:
    spec = MetricSpec("m", "a:b", of="profile", low=float("-inf"), tasks=("profile",))
    document = spec_to_json(spec)
    assert document["low"] == "-inf"
    assert document["tasks"] == ["profile"]
    assert spec_from_json(document) == spec
    # a default that is a word like an infinity stays a word
    word = PredictorSpec("p", "a:b", params={"x": Param("inf", choices=("inf", "1"))})
    assert spec_from_json(json.loads(json.dumps(spec_to_json(word)))) == word
    needy = PredictorSpec("p", "a:b", params={"x": Param(1, only_with=("kind", "deep"))})
    assert spec_from_json(json.loads(json.dumps(spec_to_json(needy)))) == needy


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "what"},
        {"kind": "tasks"},
        {"kind": "predictors", "name": "x", "make": "a:b", "colour": 1},
    ],
)
def test_what_is_no_spec_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        spec_from_json(document)


# --- what is wrong with a spec ---


class Mine:
    def __init__(self, width: int = 3) -> None:
        self.width = width

    def fit(self, cells: Any, context: Any) -> None: ...

    def predict_expression(self, assemblages: Any) -> Any: ...


class NoFit:
    def predict_expression(self, assemblages: Any) -> Any: ...


class NoAnswer:
    def fit(self, cells: Any, context: Any) -> None: ...


def load(path: str = "") -> None: ...


def load_seeded(seed: int) -> None: ...


def predictor(**changes: Any) -> PredictorSpec:
    return PredictorSpec(**{"name": "mine", "make": Mine, "answers": ("expression",), **changes})


def dataset(**changes: Any) -> DatasetSpec:
    return DatasetSpec(**{"name": "toy", "load": load, **changes})


def metric(**changes: Any) -> MetricSpec:
    return MetricSpec(**{"name": "m", "score": load, "of": "profile", **changes})


def task(**changes: Any) -> TaskSpec:
    values = {
        "name": "t",
        "units": load,
        "of": "ranking",
        "asks": "singles",
        "truth": "counterfactual",
        "primary": ("m",),
        "floors": ("f",),
    }
    return TaskSpec(**{**values, **changes})


@pytest.mark.parametrize(
    "spec",
    [
        predictor(),
        predictor(answers=["expression"]),
        predictor(params={"width": Param(3, low=1, high=5)}),
        predictor(params={"width": Param(None)}),
        predictor(make="json.decoder:JSONDecoder"),
        dataset(params={"path": Param("")}),
        dataset(
            load=load_seeded, seeded=True, params={"seed": Param(0)}, card={"a": [1, {"b": None}]}
        ),
        metric(low=float("-inf"), best=1),
        metric(tasks=("profile",)),
        task(primary=("a", "b")),
    ],
)
def test_sound_specs_have_no_fault(spec: Spec) -> None:
    assert list(faults(spec)) == []


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (predictor(name="Mine"), "name is 'Mine'; expected lower-case letters"),
        (predictor(name="my method"), "name is 'my method'"),
        (predictor(name="a@2"), "name is 'a@2'"),
        (predictor(name=3), "name is 3"),
        (predictor(version="1"), "version is '1'; expected a whole number"),
        (predictor(version=True), "version is True"),
        (predictor(version=0), "version is 0; expected 1 or more"),
        (predictor(summary=None), "summary is None; expected text"),
        (predictor(answers="expression"), "answers is 'expression'; expected a tuple"),
        (predictor(answers=("expresion",)), "answers has 'expresion'; did you mean 'expression'?"),
        (
            predictor(answers=("impact",)),
            "answers has 'impact' but Mine has no method predict_impact",
        ),
        (predictor(make=NoFit), "make is NoFit, which has no method fit"),
        (
            predictor(make=NoAnswer, answers=()),
            "make is NoAnswer, which answers nothing; expected at least one of predict_expression",
        ),
        (
            predictor(make="json:loads", answers=()),
            "answers is empty and can be read off make only where make is a class",
        ),
        (predictor(wants="dens"), "wants is 'dens'; expected one of 'dense', 'sparse', 'anndata'"),
        (predictor(response="big"), "response is 'big'"),
        (predictor(max_order=0), "max_order is 0; expected 1 or more, or None"),
        (predictor(max_order=1.5), "max_order is 1.5; expected a whole number or None"),
        (predictor(floor="yes"), "floor is 'yes'; expected True or False"),
        (predictor(make=7), "make is 7; expected a class, a function or text"),
        (predictor(make="json"), "make is 'json', but that is not of the form module:attribute"),
        (predictor(make="json:"), "that is not of the form module:attribute"),
        (predictor(make=":Mine"), "that names no module"),
        (predictor(make="no_such_package.part:Mine"), "there is no module 'no_such_package.part'"),
        (predictor(make="json.no_such_part:Mine"), "there is no module 'json.no_such_part'"),
        (predictor(make="json:lods"), "json has no 'lods'; did you mean 'loads'?"),
        (predictor(make=lambda: Mine()), "expected a class or function defined at the top level"),
        (
            predictor(params={"depth": Param(3)}),
            "make can't be called as Mine(depth=...): got an unexpected keyword argument 'depth'",
        ),
        (
            predictor(params={"width": 3}),
            "params is {'width': 3}; expected a mapping from text to Param",
        ),
        (predictor(params=[("width", 3)]), "params is [('width', 3)]"),
        (predictor(params={"my-width": Param(3)}), "parameter 'my-width': not a key"),
        (
            predictor(params={"width": Param({1, 2})}),
            "parameter 'width': default is {1, 2}; expected text",
        ),
        (predictor(params={"width": Param(float("nan"))}), "parameter 'width': default is nan"),
        (
            predictor(params={"width": Param(object)}),
            "parameter 'width': default is <class 'object'>",
        ),
        (
            predictor(params={"width": Param(3, choices=(1, 2))}),
            "parameter 'width': default 3 is not among its choices (1, 2)",
        ),
        (
            predictor(params={"width": Param(1, choices=(True,))}),
            "default 1 is not among its choices (True,)",
        ),
        (
            predictor(params={"width": Param(3, choices="abc")}),
            "choices is 'abc'; expected a tuple",
        ),
        (predictor(params={"width": Param(3, low=4)}), "default 3 is under its low 4"),
        (
            predictor(params={"width": Param(3, only_with=("deep",))}),
            "parameter 'width': only_with is ('deep',); expected (parameter, value), or None",
        ),
        (
            predictor(params={"width": Param(3, says=3)}),
            "parameter 'width': says is 3; expected text, or None",
        ),
        (predictor(params={"width": Param(3, high=2)}), "default 3 is over its high 2"),
        (predictor(params={"width": Param(3, low="1")}), "low is '1'; expected a number or None"),
        (
            dataset(truth="some"),
            "truth is 'some'; expected one of 'counterfactual', 'population', 'none'",
        ),
        (dataset(seeded=True), "seeded is True but params has no 'seed'"),
        (
            dataset(load=load_seeded, seeded=True, params={"seed": Param("0")}),
            "seeded is True but params has no 'seed' with a whole number",
        ),
        (dataset(card={"when": object()}), "card has values that are not text"),
        (metric(of="profiles"), "of is 'profiles'; expected one of"),
        (metric(low=1.0, high=0.0), "low is 1.0 and high 0.0; expected low < high"),
        (metric(best=2.0), "best is 2.0; expected it in the range from 0.0 to 1.0"),
        (metric(low=float("nan")), "low is nan; expected a number"),
        (metric(tasks="profile"), "tasks is 'profile'; expected a tuple"),
        (task(primary=()), "primary names 0 metrics; expected one, or two"),
        (task(primary=("a", "b", "c")), "primary names 3 metrics"),
        (task(demand=float("inf")), "demand is inf; expected a finite number"),
        (task(block="gen"), "block is 'gen'; expected one of 'cell', 'gene'"),
    ],
)
def test_each_fault_is_named(spec: Spec, part: str) -> None:
    found = list(faults(spec))
    assert any(part in fault for fault in found), found
    assert len(found) == 1, found


# --- references ---


def test_a_reference_is_looked_for_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lazy_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model.py").write_text(
        "raise RuntimeError('imported')\nfrom x import Z as Y\nX: int = 1\nclass Model: ...\nif"
        " X:\n    def f(): ...\n"
    )
    (package / "open.py").write_text("from x import *")
    (package / "lazy.py").write_text("def __getattr__(name): ...")
    (package / "odd.py").write_text("def (")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("Model", "Y", "X", "f", "Model.inner"):
        assert missing_part(f"lazy_package.model:{name}") is None, name
    assert (
        missing_part("lazy_package.model:Modle")
        == "lazy_package.model has no 'Modle'; did you mean 'Model'? it has: Model, X, Y, f"
    )
    assert missing_part("lazy_package.part:Model") == "there is no module 'lazy_package.part'"
    for module in ("open", "lazy", "odd"):  # what they have can't be known without running them
        assert missing_part(f"lazy_package.{module}:anything") is None
    assert find_module("lazy_package.model.deeper") is None
    assert "lazy_package" not in sys.modules


def test_resolving_names_what_is_missing(tmp_path: Path) -> None:
    assert resolve_reference("json.decoder:JSONDecoder.decode").__name__ == "decode"
    with pytest.raises(ImportError, match="no_such_module"):
        resolve_reference("no_such_module:x")
    with pytest.raises(AttributeError, match="json has no 'lods'"):
        resolve_reference("json:lods")
    for reference in ("json", "json:", ":x", ""):
        with pytest.raises(ImportError, match="names nothing; expected module:attribute"):
            resolve_reference(reference)


def test_a_file_is_loaded_once_and_under_a_name_of_its_own(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "json.py").write_text(
            f"from dataclasses import dataclass\n@dataclass\nclass Mine:\n    x: str = {folder!r}\n"
        )
    first, second = (
        resolve_reference(":Mine", tmp_path / folder / "json.py") for folder in ("a", "b")
    )
    assert (first().x, second().x) == ("a", "b")
    assert resolve_reference(":Mine", str(tmp_path / "a" / "json.py")) is first
    assert resolve_reference("json:loads", tmp_path / "a" / "json.py") is json.loads
    assert load_file(tmp_path / "a" / "json.py").__name__.startswith(
        "kobench.util.plugin_files.json_"
    )
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "gone.py")


def test_a_file_that_fails_is_not_half_loaded(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text("x = 1\nraise RuntimeError('late')\n")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="late"):
            load_file(file)
    assert not any(".bad_" in name for name in sys.modules)


def test_every_kind_has_a_hook() -> None:
    from kobench import hookspecs

    assert {f"kobench_{kind}" for kind in KINDS} == {
        name for name in vars(hookspecs) if name.startswith("kobench_")
    }
