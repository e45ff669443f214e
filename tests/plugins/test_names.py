"""Bare names, and so suites, mean kobench's own; what a stranger calls the same stands in full."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY
from pretend_plugins import Site, good, problems_of

from kobench.cli.run import run_command
from kobench.cli.suites import built_in, read_suite
from kobench.errors import UserError
from kobench.plugins.load import Entry, Registry, load_registry
from kobench.plugins.ours import LINES, OWNERS, PREDICTORS
from kobench.plugins.registry import make_registry
from kobench.results.revealed import seed_of
from kobench.results.suite_seed import SuiteSeed, written_seed
from kobench.runner.keys import Trial
from kobench.runner.plan import make_plan
from kobench.runner.request import Request

#: Offers one thing of each kind, all under names of kobench's own.
THIEF = """
from kobench.api import DatasetSpec, MetricSpec, Param, PredictorSpec, TaskSpec, hookimpl
class Mine:
    def fit(self, cells, context): ...
    def predict_expression(self, assemblages): ...
def load(seed): ...
def score(units): return 0.0
def units(view): ...
@hookimpl
def kobench_predictors():
    yield PredictorSpec("mlp", Mine)
    yield PredictorSpec("uniform", Mine, floor=True)
    yield PredictorSpec("truth", Mine)
@hookimpl
def kobench_datasets():
    yield DatasetSpec(
        "grn", load, params={"seed": Param(0)}, seeded=True, truth="counterfactual"
    )
    yield DatasetSpec("pbmc68k", load, params={"seed": Param(0)}, seeded=True)
@hookimpl
def kobench_metrics():
    yield MetricSpec("bray-curtis", score, of="profile", direction="lower", best=0.0)
    yield MetricSpec("centroid-accuracy", score, of="profile")
@hookimpl
def kobench_tasks():
    yield TaskSpec(
        "profile",
        units,
        of="profile",
        asks="profile",
        truth="wild-type",
        primary=("bray-curtis",),
        floors=("uniform", "NAME/uniform"),
        lines=("truth",),
    )
"""


def thief(site: Site, name: str = "thief-dist") -> Registry:
    module = name.replace("-", "_")
    site.install(name, {f"{module}.py": THIEF.replace("NAME", name)})
    return load_registry()


def trials(registry: Registry, said: list[str], **asked: Any) -> list[Trial]:
    request = Request(**{"datasets": ["grn"], "predictors": [], **asked})
    groups = make_plan(registry, request, said.append)
    return [trial for group in groups for trial in (*group.basis, *group.trials)]


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [
        ("predictors", "mlp", "kobench-baselines"),
        ("predictors", "uniform", "kobench"),
        ("datasets", "grn", "kobench"),
        ("datasets", "pbmc68k", "kobench"),
        ("metrics", "bray-curtis", "kobench"),
        ("metrics", "centroid-accuracy", "kobench"),
        ("tasks", "profile", "kobench"),
    ],
)
def test_a_bare_name_is_ours_and_a_strangers_is_said_in_full(
    site: Site, kind: str, name: str, owner: str
) -> None:
    registry = thief(site)
    if owner == "kobench-baselines" and not any(
        source.distribution == owner for source in registry.sources
    ):
        pytest.skip("kobench-baselines is not installed here")
    assert registry.find(kind, name).distribution == owner
    assert {entry.distribution for entry in registry.find_all(kind, name)} == {owner}
    theirs = registry.find(kind, f"thief-dist/{name}")
    assert theirs.distribution == "thief-dist"
    assert theirs.shown_name == f"thief-dist/{name}"
    said = f"the {kind[:-1]} {name!r} is that of {owner}; a stranger's is thief-dist/{name}"
    assert [one.message for one in problems_of(registry, "thief-dist")].count(said) == 1
    assert registry.shadowed(kind, name) == said
    assert not registry.shadowed(kind, f"thief-dist/{name}")


def test_two_strangers_are_ambiguous_among_themselves_alone(site: Site) -> None:
    thief(site)
    registry = thief(site, "other-dist")
    assert registry.find("datasets", "grn").trusted
    said: list[str] = []
    trials(registry, said)
    assert [one for one in said if "the dataset" in one] == [
        "the dataset 'grn' is that of kobench; a stranger's is other-dist/grn or thief-dist/grn"
    ]
    site.install("dist-a", {"module_a.py": JUDGE})
    site.install("dist-b", {"module_b.py": JUDGE})
    with pytest.raises(UserError, match="say dist-a/lenient or dist-b/lenient"):
        trials(load_registry(), [], metrics=["lenient"])  # not both of them
    planned = trials(load_registry(), [], metrics=["dist-b/lenient"])
    brought = [
        metric.distribution
        for trial in planned
        for task in trial.tasks
        for metric in task.metrics
        if metric.spec.name == "lenient"
    ]
    assert set(brought) == {"dist-b"}


JUDGE = """
from kobench.api import MetricSpec, hookimpl
def score(units): return 0.5
@hookimpl
def kobench_metrics():
    yield MetricSpec("lenient", score, of="profile")
"""


def test_every_suite_plans_what_it_planned_before(site: Site) -> None:
    quick = read_suite(built_in()["quick"], run_command)
    asked = {
        "datasets": [one for one in quick["datasets"] if one.startswith("grn")],
        "predictors": [one for one in quick["predictors"] if one in load_registry().predictors],
        "tasks": quick["tasks"],
    }
    before = trials(load_registry(), [], **asked)
    after = trials(thief(site), [], **asked)
    assert [trial.keys for trial in after] == [trial.keys for trial in before]


def test_results_of_a_stranger_never_stand_under_our_names(site: Site) -> None:
    """A dataset or task of theirs would else be shown in one table with ours."""
    registry = thief(site)
    said: list[str] = []
    both = ["grn", "thief-dist/grn"]
    planned = trials(
        registry,
        said,
        datasets=both,
        predictors=["thief-dist/mlp"],
        tasks=["profile", "thief-dist/profile"],
        metrics=["thief-dist/bray-curtis", "thief-dist/centroid-accuracy"],
    )
    described = [trial.describe() for trial in planned]
    assert {one.dataset.selection for one in described} == set(both)
    assert {(one.dataset.name, one.dataset.group) for one in described} == {
        (name, name) for name in both
    }
    tasks = {task.spec.label: task for trial in planned for task in trial.tasks}
    task = tasks["thief-dist/profile@1"]
    assert len(tasks) == 2
    assert {trial.predictor.selection for trial in planned if trial.role == "predictor"} == {
        "thief-dist/mlp"
    }
    # of a task of theirs, too, a bare name of a metric, floor or line is ours
    assert task.named_metrics["bray-curtis"].distribution == "kobench"
    assert task.named_metrics["thief-dist/bray-curtis"].distribution == "thief-dist"
    # even where ours measures other units: nobody takes theirs for it
    assert "centroid-accuracy" not in task.named_metrics
    assert task.named_metrics["thief-dist/centroid-accuracy"].distribution == "thief-dist"
    floors = {
        trial.predictor.entry.shown_name: trial.predictor.entry.distribution
        for trial in planned
        if trial.role == "floor"
    }
    assert floors["uniform"] == "kobench"
    assert floors["thief-dist/uniform"] == "thief-dist"
    assert "truth" in {trial.predictor.selection for trial in planned if trial.role == "line"}
    secret = trials(registry, [], datasets=both, suite_seed=SuiteSeed("0123456789abcdef" * 2))
    assert {one.describe().dataset.selection for one in secret} == {
        f"{name}:seed=secret-0" for name in both
    }
    # the seed that is revealed for a network is the one that it had
    for one in secret:
        of = one.describe().dataset
        assert seed_of(of, one.request.suite_seed) == written_seed(one.dataset.params["seed"])
    # who says a name in full knows whose it is
    assert [one.split(" is ")[0] for one in said] == ["the dataset 'grn'", "the task 'profile'"]


def test_a_name_of_ours_that_is_not_installed_is_nobody_elses() -> None:
    registry = load_registry()
    (spec,) = (entry.spec for entry in registry.predictors["uniform"])
    other = type(spec)(**{**vars(spec), "name": "genki", "floor": False})
    thief = Entry(other, "thief-dist", "1.0", "digest")
    alone = make_registry([thief], (), ())
    with pytest.raises(
        UserError,
        match=(
            "the predictor 'genki' is that of kobench-genki; a stranger's is thief-dist/genki;"
            " kobench-genki offers none here"
        ),
    ):
        alone.find("predictors", "genki")
    assert alone.find("predictors", "thief-dist/genki").shown_name == "thief-dist/genki"
    # another of the distributions named beside kobench is no owner of that name either
    impostor = Entry(other, "kobench-cipher", "1.0", "digest")
    ours = Entry(other, "Kobench.Genki", "1.0", "digest")
    both = make_registry([impostor, ours, thief], (), ())
    assert both.find("predictors", "genki").distribution == "Kobench.Genki"
    # and of what is kobench's own none is the owner by name
    floor = Entry(spec, "kobench", "1.0", "digest", trusted=True)
    for claimed in ("cards", "kobench-baselines", "file:kobench.py"):
        found = make_registry([Entry(spec, claimed, "2.0", "other"), floor], (), ())
        assert found.find("predictors", "uniform") == floor, claimed
    here = Entry(other, "kobench-genki", "1.0", "digest")
    inside = Entry(other, "kobench-genki", "1.0", "digest", environment="genki")
    assert make_registry([inside, here], (), ()).find("predictors", "genki").environment == ""
    assert make_registry([inside], (), ()).find("predictors", "genki").environment == "genki"


def test_a_predictor_called_as_a_line_stands_in_full() -> None:
    """A row `truth` on a board is the truth."""
    registry = load_registry()
    lines = {name for tasks in registry.tasks.values() for name in tasks[0].spec.lines}
    assert set(LINES) == lines
    (spec,) = (entry.spec for entry in registry.predictors["uniform"])
    for name in lines:
        liar = Entry(type(spec)(**{**vars(spec), "name": name}), "liar-dist", "1.0", "digest")
        alone = make_registry([liar], (), ())
        assert alone.find("predictors", f"liar-dist/{name}").shown_name == f"liar-dist/{name}"
        with pytest.raises(UserError, match=f"the predictor '{name}' is that of kobench"):
            alone.find("predictors", name)


def test_the_list_of_our_predictors_is_complete() -> None:
    found = {}
    for folder in sorted((REPOSITORY / "plugins").iterdir()):
        files = (*folder.glob("kobench_*/**/*.py"), *folder.glob("kobench_*.py"))
        found[folder.name] = {
            call.args[0].value
            for file in files
            for call in ast.walk(ast.parse(file.read_text()))
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "PredictorSpec"
            and isinstance(call.args[0], ast.Constant)
        }
    assert {owner: set(names) for owner, names in PREDICTORS.items()} == found
    suites = [read_suite(path, run_command) for path in built_in().values()]
    named = {name.partition(":")[0] for suite in suites for name in suite.get("predictors", ())}
    floors = set(load_registry().predictors) - set(OWNERS)
    assert named <= set(OWNERS) | floors


def test_a_card_with_a_name_of_ours_is_reached_in_full(site: Site, tmp_path: Path) -> None:
    card = 'name = "grn"\nversion = 1\nsummary = "mine"\nloader = "table"\nscale = "linear"\n'
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards/grn.toml").write_text(
        f"{card}truth = 'none'\n[file]\nname = 'mine.csv'\nsha256 = '{'0' * 64}'\n"
    )
    registry = load_registry((), [tmp_path / "cards"])
    if "grn" not in {name for name, entries in registry.datasets.items() if len(entries) > 1}:
        pytest.fail(json.dumps([one.message for one in registry.problems]))
    assert registry.find("datasets", "grn").distribution == "kobench"
    assert registry.find("datasets", "cards/grn").shown_name == "cards/grn"


def test_good_plugins_of_new_names_are_as_before(site: Site) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    entry = load_registry().find("predictors", "mine")
    assert (entry.shown_name, entry.shadowed) == ("mine", False)
