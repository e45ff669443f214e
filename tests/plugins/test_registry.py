"""What a name means, and what is said where it means nothing or too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pretend_plugins import HEAD, Site, good, problems_of

from kobench.errors import UserError
from kobench.plugins.load import Entry, load_registry, resolve
from kobench.runner.plan import make_plan
from kobench.runner.request import Request


def test_a_name_that_two_distributions_offer_must_be_said_in_full(site: Site) -> None:
    site.install("dist-a", {"module_a.py": good("Mine")})
    site.install("dist-b", {"module_b.py": good("Mine")})
    registry = load_registry()
    assert [entry.distribution for entry in registry.predictors["mine"]] == ["dist-a", "dist-b"]
    with pytest.raises(
        UserError, match="'mine' is offered by dist-a and dist-b; say dist-a/mine or dist-b/mine"
    ):
        registry.find("predictors", "mine")
    assert registry.find("predictors", "dist-b/mine").spec.make == "module_b:Mine"
    assert registry.find("predictors", "mine", prefer="dist-a").distribution == "dist-a"
    (problem,) = problems_of(registry, "dist-b")
    assert problem.kind == "duplicate"
    assert "offered by dist-a and dist-b" in problem.message


def test_a_name_that_one_distribution_offers_twice_counts_once(site: Site) -> None:
    again = good("Mine") + '    yield PredictorSpec("mine", Mine, summary="again")\n'
    site.install("twice-dist", {"twice.py": again})
    site.install(
        "points-dist",
        {"p0.py": good("Other"), "p1.py": good("Other")},
        points={"a": "p0", "b": "p1"},
    )
    registry = load_registry()
    assert registry.find("predictors", "mine").spec.summary == "a good one"
    (problem,) = problems_of(registry, "twice-dist")
    assert "yielded two predictors called 'mine'; the first is kept" in problem.message
    (problem,) = problems_of(registry, "points-dist")
    assert "offered twice, by the entry points 'a' and 'b'" in problem.message
    assert registry.find("predictors", "other").spec.make == "p0:Other"


def test_metrics_of_one_name_may_measure_different_units(site: Site) -> None:
    text = HEAD + "def f(u): ...\n@hookimpl\ndef kobench_metrics():\n"
    text += (
        "    yield MetricSpec('odd', f, of='profile')\n    yield MetricSpec('odd', f,"
        " of='ranking')\n"
    )
    site.install("metric-dist", {"metric_one.py": text})
    registry = load_registry()
    assert not problems_of(registry, "metric-dist")
    assert registry.find("metrics", "odd", of="ranking").spec.of == "ranking"
    with pytest.raises(UserError, match="say of which, 'profile' or 'ranking'"):
        registry.find("metrics", "odd")


def test_unknown_names_are_answered_with_what_there_is(site: Site) -> None:
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    with pytest.raises(
        UserError,
        match=r"no predictor 'mien'; did you mean 'mine'\? predictors: abs-correlation, .* more",
    ):
        registry.find("predictors", "mien")
    with pytest.raises(
        UserError, match=r"no distribution or environment 'god-dist'.*did you mean 'good-dist'"
    ):
        registry.find("predictors", "god-dist/mine")
    with pytest.raises(UserError, match="good-dist has no predictor 'mien'; did you mean 'mine'"):
        registry.find("predictors", "good-dist/mien")
    with pytest.raises(UserError, match="no dataset 'mine'"):
        registry.find("datasets", "mine")


def test_a_predictor_whose_plugin_can_not_be_loaded_is_found_with_the_reason(
    site: Site, tmp_path: Path
) -> None:
    site.install(
        "broken-dist", {"broken_one.py": "import nothing_like_this"}, {"broken-point": "broken_one"}
    )
    site.install("good-dist", {"good_one.py": good("Mine")})
    registry = load_registry()
    for text in ("broken-dist", "broken-point", "broken-dist/anything", "Broken.Dist/anything"):
        entry = registry.find_despite(text)
        assert entry.problem is not None
        assert entry.problem.kind == "import"
        assert "No module named 'nothing_like_this'" in entry.problem.message
        assert (entry.distribution, entry.version, entry.spec.name) == (
            "broken-dist",
            "1.0",
            text.rpartition("/")[2],
        )
        assert len(entry.digest) == 64
        with pytest.raises(UserError):
            registry.find("predictors", text)
    assert registry.find_despite("mine").problem is None
    for unknown in ("mien", "good-dist/mien", "nowhere/mine"):
        with pytest.raises(UserError):
            registry.find_despite(unknown)
    file = tmp_path / "single.py"
    file.write_text("raise RuntimeError('boom')")
    broken = load_registry([file]).find_despite("whatever")
    assert broken.problem is not None
    assert (broken.distribution, broken.problem.message) == (
        "file:single.py",
        "importing single.py raised RuntimeError: boom",
    )
    other = tmp_path / "other.py"
    other.write_text("raise RuntimeError('bang')")
    with pytest.raises(UserError):  # which of the two was meant is not known
        load_registry([file, other]).find_despite("whatever")


def test_a_predictor_that_is_refused_is_found_by_its_name_and_not_by_another(site: Site) -> None:
    text = (
        f"{HEAD}@hookimpl\ndef kobench_predictors():\n    yield PredictorSpec('refused',"
        " 'good_two:Nothing')\n"
    )
    site.install("half-dist", {"half_one.py": text})
    registry = load_registry()
    refused = registry.find_despite("refused").problem
    assert refused is not None
    assert refused.kind == "spec"
    for other in ("half-dist/other", "other"):
        with pytest.raises(UserError):
            registry.find_despite(other)


JUDGE = """
from kobench.api import MetricSpec, TaskSpec, hookimpl
def score(units): return 0.5
def units(view): return None
@hookimpl
def kobench_metrics():
    yield MetricSpec("lenient", score, of="profile")
@hookimpl
def kobench_tasks():
    yield TaskSpec(
        "mine-only",
        units,
        of="profile",
        asks="profile",
        truth="wild-type",
        primary=("lenient",),
        floors=("uniform",),
    )
"""


@pytest.mark.parametrize("as_file", [False, True])
def test_judges_of_others_see_the_truth_only_when_named(
    site: Site, tmp_path: Path, as_file: bool
) -> None:
    """A metric or task runs in kobench's own processes; being installed, or in a file beside a
    predictor, is no reason to run it there.
    """
    if as_file:
        (tmp_path / "judge.py").write_text(JUDGE)
        registry, home = load_registry([tmp_path / "judge.py"]), "file:judge.py"
    else:
        site.install("judge-dist", {"judge_one.py": JUDGE})
        registry, home = load_registry(), "judge-dist"

    def planned(**more: Any) -> tuple[dict[str, set[str]], list[str]]:
        said: list[str] = []
        groups = make_plan(registry, Request(["grn"], [], **more), said.append)
        tasks = [task for group in groups for trial in group.basis for task in trial.tasks]
        return {
            task.spec.name: {metric.spec.name for metric in task.metrics} for task in tasks
        }, said

    tasks, said = planned()
    assert "lenient" not in tasks["profile"]
    assert "mine-only" not in tasks
    assert any(
        f"metric lenient of {home} is left out" in sentence and "--metric" in sentence
        for sentence in said
    )
    assert any(
        f"task mine-only of {home} is left out" in sentence and "-t" in sentence
        for sentence in said
    )
    tasks, said = planned(metrics=("lenient",))
    assert "lenient" in tasks["profile"]
    assert not any("metric lenient" in sentence for sentence in said)
    assert "mine-only" not in tasks
    with pytest.raises(UserError, match="the truth is, too; name it with --metric lenient"):
        planned(tasks=["mine-only"])
    assert "lenient" in planned(tasks=["mine-only"], metrics=["lenient"])[0]["mine-only"]
    with pytest.raises(UserError, match="there is no metric 'lenientt'; did you mean 'lenient'"):
        planned(metrics=("lenientt",))


def test_a_code_that_vanished_is_a_user_error(site: Site, tmp_path: Path) -> None:
    entry = Entry(load_registry().find("tasks", "profile").spec, "kobench", "1", "")
    broken = type(entry.spec)(**{**vars(entry.spec), "units": "kobench.gone:units"})
    with pytest.raises(
        UserError, match=r"task kobench/profile can't be loaded from 'kobench\.gone:units'"
    ):
        resolve(Entry(broken, "kobench", "1", ""))
