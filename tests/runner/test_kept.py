"""A good result is not lost where the same trial has none any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from command import kobench
from factories import read, record, write_record

from kobench.plugins.load import load_registry
from kobench.results.records import read_record, read_records
from kobench.results.suite_seed import SuiteSeed
from kobench.results.versions import older_files, read_older
from kobench.runner.kept import Kept
from kobench.runner.late import set_aside_in
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.resume import Policy
from kobench.runner.run import Outcome, Run

#: Fails in its fit, or in its second question, as it is told by its code or by a file.
METHOD = """
import os
from kobench.api import Impacts, PredictorSpec, hookimpl
import numpy as np

class Mine:
    def fit(self, cells, context):
        if {fails} == "fit":
            raise RuntimeError("no longer")
    def predict_expression(self, assemblages):
        shares = np.asarray(assemblages, float)
        return shares / shares.sum(1, keepdims=True)
    def predict_impact(self, cells, knockouts):
        if {fails} == "impact":
            raise RuntimeError("no longer")
        return Impacts(np.ones(len(knockouts)), np.ones(len(knockouts)))

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)
"""

REQUEST = Request(
    ["grn:genes=15,cells=60"], ["mine"], tasks=["profile", "knockout-impact"], sandbox="off"
)
SECRET = SuiteSeed("000102030405060708090a0b0c0d0e0f")


def run(
    folder: Path, fails: str = "", policy: Policy = Policy.RESUME, same=False, **changes
) -> Outcome:
    """Run it; `same` leaves the code as it is, which is told by a file whether to fail."""
    plugin, told = folder / "mine.py", folder / "told"
    told.write_text(fails)
    told_by = f"open({str(told)!r}).read()" if same else repr(fails)
    plugin.write_text(METHOD.format(fails=told_by))
    registry = load_registry(plugin_files=[plugin])
    return Run(folder / "out", policy).run(make_plan(registry, replace(REQUEST, **changes)))


def mine(folder: Path):
    (record,) = (one for one in read_records(folder / "out") if one.role == "predictor")
    return record


def aside(folder: Path) -> list[Path]:
    return sorted((folder / "out" / "records").glob("*.aside-*"))


@pytest.mark.parametrize("fails", ["fit", "impact"])
@pytest.mark.parametrize("secret", [None, SECRET], ids=["at once", "in two parts"])
def test_code_that_fails_now_does_not_take_the_place_of_a_good_result(tmp_path, fails, secret):
    fits = 2 if secret else 1  # so that the trials are done in two parts
    first = run(tmp_path, suite_seed=secret, fit_seeds=fits)
    assert first.kept == []
    good = {one.trial.fit_seed: one for one in first.records if one.role == "predictor"}
    then = run(tmp_path, fails, suite_seed=secret, fit_seeds=fits)
    assert {one.result.status for one in then.failed} == {"failed"}
    kept = [record for _, record in read_older(tmp_path / "out")]
    assert {one.trial.fit_seed: one for one in kept} == good
    assert len(then.kept) == fits
    for sentence in then.kept:
        assert "mine on grn:cells=60,genes=15" in sentence
        assert f"code {kept[0].trial.predictor.digest[:12]}" in sentence
    again = run(tmp_path, fails, suite_seed=secret, fit_seeds=fits)
    assert again.kept == []  # what failed is no good result
    assert len(older_files(tmp_path / "out")) == fits
    back = run(tmp_path, suite_seed=secret, fit_seeds=fits)  # as the sentence says
    assert set(back.actions) == {"nothing"}
    assert back.failed == []
    assert aside(tmp_path) == []


def test_so_it_is_for_what_is_done_anew_and_for_a_task_that_is_added(tmp_path):
    for folder in (one := tmp_path / "anew", other := tmp_path / "added"):
        folder.mkdir()
    assert run(one, same=True).kept == []
    (sentence,) = run(one, "fit", Policy.FRESH, same=True).kept
    assert str(aside(one)[0]) in sentence
    assert run(other, "impact", tasks=["profile"]).kept == []
    assert len(run(other, "impact").kept) == len(aside(other)) == 1
    assert mine(other).result.status == "failed"


@pytest.mark.parametrize("policy", list(Policy))
def test_a_good_result_replaces_a_good_one_and_leaves_nothing(tmp_path, policy):
    run(tmp_path, suite_seed=SECRET, fit_seeds=2)
    again = run(tmp_path, "never", policy, suite_seed=SECRET, fit_seeds=2)
    assert again.actions["fit"] >= 2
    assert (again.failed, again.kept, aside(tmp_path)) == ([], [], [])


def test_what_is_kept_stays_until_all_that_was_asked_is_good_again(tmp_path):
    """Neither a good first part nor a second failure takes its place."""
    place, other = (0, 0), (0, 1)
    good = read([record("mlp", 0.5)])[0]
    path = write_record(tmp_path, good)
    kept = Kept(tmp_path, {place: good})
    kept.before(place, "ok", is_last=True)
    kept.before(other, "failed", is_last=True)  # had no good one
    assert kept.aside == {}
    assert path.is_file()
    for number, (status, is_last) in enumerate([("ok", False), ("failed", True), ("ok", False)]):
        kept.before(place, status, is_last)
        write_record(tmp_path, record("mlp", fit_seed=0, run={"peak_mb": number}))
        kept.after(place, status, is_last)
        assert read_record(kept.aside[place]) == good
        assert len(list(path.parent.iterdir())) == 2
    (sentence,) = kept.sentences()
    assert str(kept.aside[place]) in sentence
    kept.before(place, "ok", is_last=True)
    kept.after(place, "ok", is_last=True)
    assert list(path.parent.iterdir()) == [path]
    assert kept.sentences() == []


def test_what_was_shown_before_is_remembered_by_what_is_kept(tmp_path):
    run(tmp_path)
    run(tmp_path, "fit")
    assert "singles" not in mine(tmp_path).result.answers
    (record,) = set_aside_in(tmp_path / "out")
    assert "singles" in record.result.answers
    (tmp_path / "out" / "records" / "x.json.aside-1").write_text("damaged")
    assert len(list(set_aside_in(tmp_path / "out"))) == 1


def test_the_command_says_where_it_is(tmp_path):
    words = ["run", "-d", "grn:genes=15,cells=60", "-p", "mine", "-t", "profile", "--plugin"]
    words += ["mine.py", "--sandbox", "off", "--out", "out"]
    (tmp_path / "mine.py").write_text(METHOD.format(fails=repr("")))
    assert kobench(*words, cwd=tmp_path).returncode == 0
    (tmp_path / "mine.py").write_text(METHOD.format(fails=repr("fit")))
    done = kobench(*words, cwd=tmp_path, code=1)
    assert done.returncode == 1
    assert "it had a good result before" in " ".join(done.stderr.split())
    assert older_files(tmp_path / "out")[0].parent.name in done.stderr
    assert "Older version kept" in " ".join(done.stderr.split())
