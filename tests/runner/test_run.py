"""A run from selection to records: every predictor costs its own row only, and nothing reaches an
answer too early.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from places import PREDICTORS

from kobench.board.make import make_board
from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.runner.folder import locked
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.supervisor.limits import Limits

PLUGIN = PREDICTORS
TINY = "grn:genes=15,cells=60"


@pytest.fixture(scope="module")
def registry():
    return load_registry(plugin_files=[PLUGIN])


def run(folder, registry, predictors, datasets=(TINY,), staged=True, jobs=1, **more):
    bench = Run(Path(folder), staged=staged)
    outcome = bench.run(
        make_plan(registry, Request(list(datasets), list(predictors), **more)), jobs
    )
    rows = {record["trial"]["predictor"]["selection"]: record for record in outcome.records}
    return outcome, rows


def value(record, task, metric):
    return record["result"]["scores"][task]["metrics"][metric]["value"]


BAD = {
    "raises-in-fit": ("failed", "fit", "RuntimeError: no luck today"),
    "raises-in-predict": ("failed", "profile", "KeyError"),
    "exits": ("failed", "fit", "called sys.exit(3)"),
    "exits-at-once": ("failed", "profile", "exited with code 7"),
    "kills-itself": ("failed", "fit", "SIGKILL"),
    "rubbish": ("invalid", "profile", "finite"),
    "responder": ("unsupported", "plan", "response"),
}


def test_each_failure_costs_its_own_row_only(tmp_path, registry):
    tasks = ["profile", "keystone"]
    outcome, rows = run(tmp_path / "bad", registry, ["good", *BAD], tasks=tasks, jobs=2)
    for name, (status, stage, message) in BAD.items():
        result = rows[name]["result"]
        assert (result["status"], result["stage"]) == (status, stage), name
        assert message in result["message"], name
    assert "last words" in rows["kills-itself"]["result"]["traceback"]
    assert PREDICTORS.name in rows["raises-in-fit"]["result"]["traceback"]
    assert str(Path.home()) not in json.dumps(
        [rows[name].result.to_json() for name in ("raises-in-fit", "raises-in-predict")]
    )
    assert {record["trial"]["predictor"]["name"] for record in outcome.failed} == set(BAD) - {
        "responder"
    }
    _, alone = run(tmp_path / "alone", registry, ["good"], tasks=tasks)
    assert rows["good"]["result"] == alone["good"]["result"]
    assert rows["good"]["result"]["status"] == "ok"
    assert not (tmp_path / "bad" / ".work").exists()


def test_a_time_limit_ends_the_trial_and_raising_it_tries_again(tmp_path, registry):
    _, rows = run(tmp_path, registry, ["sleeps"], tasks=["profile"], limits=Limits(seconds=2.0))
    assert rows["sleeps"]["result"]["status"] == "timeout"
    outcome, _ = run(tmp_path, registry, ["sleeps"], tasks=["profile"], limits=Limits(seconds=2.0))
    assert set(outcome.actions) == {"nothing"}
    outcome, _ = run(tmp_path, registry, ["sleeps"], tasks=["profile"], limits=Limits(seconds=2.5))
    assert outcome.actions["fit"] == 1


def test_what_is_kept_of_earlier_stages_does_not_help_with_the_profile(tmp_path, registry):
    _, rows = run(tmp_path / "staged", registry, ["good", "keeper"])
    mean = value(rows["masked-mean"], "profile@2", "bray-curtis")
    assert value(rows["keeper"], "profile@2", "bray-curtis") >= mean - 1e-9
    _, open_rows = run(tmp_path / "open", registry, ["keeper"], staged=False)
    assert value(open_rows["keeper"], "profile@2", "bray-curtis") == pytest.approx(0, abs=1e-6)


def test_partial_support_is_scored_on_what_it_answers_beside_the_floors_there(tmp_path, registry):
    _, rows = run(tmp_path, registry, ["half", "good"])
    scores = rows["half"]["result"]["scores"]["knockout-impact@2"]
    assert 0 < scores["answered"] < scores["asked"]
    assert scores["coverage"] == scores["answered"] / scores["asked"]
    floors = scores["metrics"]["spearman-within-cell"]["floors"]
    assert set(floors) == set(scores["floors"])
    assert floors["own-share"]["value"] != value(
        rows["own-share"], "knockout-impact@2", "spearman-within-cell"
    )
    assert (
        rows["good"]["result"]["scores"]["knockout-impact@2"]["metrics"]["spearman-within-cell"][
            "floors"
        ]
        == {}
    )


def test_gene_scores_alone_are_scored_on_keystone_alone(tmp_path, registry):
    _, rows = run(tmp_path, registry, ["only-scores"])
    scores = rows["only-scores"]["result"]["scores"]
    assert scores["keystone@1"]["metrics"]["spearman"]["value"] is not None
    for task, metric in (
        ("profile@2", "bray-curtis"),
        ("knockout-impact@2", "spearman-within-cell"),
        ("knockout-profile@1", "explained-change"),
    ):
        assert scores[task]["metrics"][metric]["missing"] == "not answered"


def test_same_seed_same_bytes_whatever_the_jobs(tmp_path, registry):
    texts = []
    for name, jobs in (("one", 1), ("two", 3)):
        run(
            tmp_path / name,
            registry,
            ["good"],
            datasets=[TINY, TINY + ",absence=modules"],
            networks=2,
            jobs=jobs,
        )
        texts.append(
            [
                json.dumps({**record.to_json(), "run": None}, sort_keys=True)
                for record in read_records(tmp_path / name)
            ]
        )
    assert texts[0] == texts[1]
    assert len(texts[0]) == 4 * len(
        {
            (record["role"], record["trial"]["predictor"]["name"])
            for record in read_records(tmp_path / "one")
        }
    )


def test_training_and_asking_all_cells_scores_no_profile(tmp_path, registry):
    _, rows = run(tmp_path, registry, ["good"], split="all")
    knockouts = {
        "knockout-profile@1",
        "knockout-impact@2",
        "keystone@1",
        "response@2",
        "response-size@1",
        "double-knockout@2",
    }
    assert set(rows["good"]["result"]["scores"]) == {*knockouts, "triple-knockout@2"}
    with pytest.raises(UserError, match="split=all"):
        make_plan(registry, Request(["pbmc68k"], ["good"], split="all"))


def test_fit_seeds_and_networks_are_trials_of_their_own(tmp_path, registry):
    groups = make_plan(
        registry, Request([TINY], ["good", "good:strength=2"], networks=3, fit_seeds=2)
    )
    assert [group.dataset.selection for group in groups] == [
        f"grn:cells=60,genes=15{end}" for end in ("", ",seed=1", ",seed=2")
    ]
    assert {group.dataset.group for group in groups} == {"grn:cells=60,genes=15"}
    assert [(trial.predictor.selection, trial.fit_seed) for trial in groups[0].trials] == [
        ("good", 0),
        ("good", 1),
        ("good:strength=2.0", 0),
        ("good:strength=2.0", 1),
    ]


def test_two_runs_do_not_write_into_one_folder(tmp_path, registry):
    with locked(tmp_path), pytest.raises(UserError, match="another kobench run"):
        run(tmp_path, registry, [])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request([], ["good"]), "no dataset"),
        (Request(["grnn"], ["good"]), "did you mean 'grn'"),
        (Request([TINY], ["goood"]), "did you mean 'good'"),
        (Request(["grn:sigmaa=1"], ["good"]), "did you mean 'sigma'"),
        (Request(["grn:network=ring"], ["good"]), "er"),
        (Request([TINY], ["good"], tasks=["keystones"]), "did you mean 'keystone'"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(registry, request_, message):
    with pytest.raises(UserError, match=message):
        make_plan(registry, request_)


COPYCAT = """
from kobench.api import MetricSpec, PredictorSpec, hookimpl

class Uniform:
    def fit(self, cells, context): ...
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("uniform", Uniform)

@hookimpl
def kobench_metrics():
    yield MetricSpec("bray-curtis", always_best, of="profile", direction="lower", best=0.0)

def always_best(units): return 0.0
"""


def test_a_plugin_that_takes_the_names_of_built_ins_changes_nothing_but_its_own(tmp_path):
    (tmp_path / "copycat.py").write_text(COPYCAT)
    registry, said = load_registry(plugin_files=[tmp_path / "copycat.py"]), []
    theirs = ["file:copycat.py/bray-curtis"]
    _, rows = run(
        tmp_path / "out", registry, ["file:copycat.py/uniform"], tasks=["profile"], metrics=theirs
    )
    metrics = [
        record["result"]["scores"]["profile@2"]["metrics"]
        for record in rows.values()
        if record["result"]["scores"]
    ]
    assert all(found["file:copycat.py/bray-curtis"]["value"] == 0 for found in metrics)
    assert value(rows["masked-mean"], "profile@2", "bray-curtis") > 0.01
    brought = {
        record["trial"]["predictor"]["distribution"]: record["result"]["trusted_with_predictor"]
        for record in read_records(tmp_path / "out")
    }
    assert brought == {"kobench": [], "file:copycat.py": theirs}
    (group,) = make_plan(registry, Request([TINY], ["uniform"]), said.append)
    assert not group.trials  # it is kobench's floor, which runs anyway
    assert said == [
        "the predictor 'uniform' is that of kobench; a stranger's is file:copycat.py/uniform",
        f"metric {theirs[0]} of file:copycat.py is left out: it would run where the truth is; name"
        " it with --metric to have it",
    ]


def test_the_memory_of_a_worker_is_its_own(tmp_path, registry):
    held = np.ones(60_000_000)  # 480 MB in this process
    _, rows = run(tmp_path, registry, ["good"], tasks=["profile"])
    assert held.sum() > 0
    assert 10 < rows["good"]["run"]["peak_mb"] < 400


def test_a_floor_asked_for_by_name_is_scored_on_every_task(tmp_path, registry):
    _, rows = run(tmp_path / "listed", registry, ["good"])
    assert "knockout-profile@1" not in rows["presence-contrast"]["result"]["scores"]
    _, rows = run(tmp_path / "named", registry, ["presence-contrast"])
    assert rows["presence-contrast"]["role"] == "floor"
    assert value(rows["presence-contrast"], "knockout-profile@1", "explained-change") is not None


DECLARING = """
from kobench.api import PredictorSpec, hookimpl

class Uniform:
    def fit(self, cells, context): ...
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("silent", Uniform)
    yield PredictorSpec("knowing", Uniform, prior="a list of genes", developed_on=("grn", "other"),
        equation_of=("grn",))
"""


def test_a_record_carries_what_a_predictor_declares_and_nothing_where_it_declares_nothing(tmp_path):
    (tmp_path / "declaring.py").write_text(DECLARING)
    registry = load_registry(plugin_files=[tmp_path / "declaring.py"])
    _, rows = run(tmp_path / "out", registry, ["silent", "knowing"], tasks=["profile"])
    knowing, silent = (rows[name]["trial"]["predictor"] for name in ("knowing", "silent"))
    assert (knowing["prior"], knowing["developed_on"]) == ("a list of genes", ["grn", "other"])
    written = [json.loads(path.read_text()) for path in (tmp_path / "out/records").glob("*.json")]
    assert sum("prior" in one["trial"]["predictor"] for one in written) == 1
    assert knowing["equation_of"] == ["grn"]
    assert "developed_on" not in silent
    assert "equation_of" not in silent
    (section,) = make_board(read_records(tmp_path / "out")).sections
    assert [row.name for row in section.with_prior] == ["knowing ◆†‡"]
    assert [row.name for row in section.from_cells] == ["silent"]
