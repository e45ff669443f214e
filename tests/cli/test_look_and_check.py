"""`kobench list`, `info` and `check`: what they say and count."""

from __future__ import annotations

import json

from command import kobench
from tiny import PLUGIN


def test_check_counts_what_was_skipped_and_what_was_not_run():
    done = kobench("check", "raises-in-fit", "--plugin", PLUGIN, code=1)
    last = done.stdout.splitlines()[-1]
    passed, failed, skipped, not_run = (int(part.split()[0]) for part in last.split(", "))
    assert last == f"{passed} passed, {failed} failed, {skipped} skipped, {not_run} not run"
    assert passed + failed + skipped + not_run == len(done.stdout.splitlines()) - 1
    assert not_run == done.stdout.count("not run: ") > 5
    assert failed == done.stdout.count("FAIL") < 5
    assert "not run" not in kobench("check", "good", "--plugin", PLUGIN).stdout
    assert (
        "it took longer than 2 s"
        in kobench("check", "sleeps", "--timeout", 2, "--plugin", PLUGIN, code=1).stdout
    )


def test_metrics_of_one_name_are_told_apart():
    lines = [line.split() for line in kobench("list", "metrics").stdout.splitlines()]
    kinds = {"profile", "ranking", "interaction"}
    assert {tuple(words[:3]) for words in lines if words[0] == "spearman"} == {
        ("spearman", "of", kind) for kind in kinds
    }
    rows = json.loads(kobench("list", "metrics", "--json").stdout)["metrics"]
    assert {row["of"] for row in rows if row["name"] == "spearman"} == kinds


def test_info_says_what_is_derived_from_what():
    text = kobench("info", "good", "--plugin", PLUGIN).stdout
    assert "impact: from expression" in text
    assert "response: from expression" in text
    assert "strength: 1.0" in text
    (dataset,) = json.loads(kobench("info", "trem2-microglia", "--json").stdout)
    assert dataset["truth"] == "population"
    assert dataset["file"]["sha256"].startswith("0dec0a0a")
    kinds = {entry["kind"] for entry in json.loads(kobench("info", "spearman", "--json").stdout)}
    assert kinds == {"metrics"}


def test_prior_knowledge_is_listed_and_told(tmp_path):
    file = tmp_path / "declaring.py"
    file.write_text(
        "from kobench.api import PredictorSpec, hookimpl\n"
        "class Same:\n"
        "    def fit(self, cells, context): ...\n"
        "    def predict_expression(self, on): return on / on.sum(1, keepdims=True)\n"
        "@hookimpl\n"
        "def kobench_predictors():\n"
        "    yield PredictorSpec('silent', Same)\n"
        "    yield PredictorSpec('knowing', Same, prior='a list of genes', developed_on=('grn',))\n"
    )
    lines = kobench("list", "predictors", "--plugin", file).stdout.splitlines()
    said = {line.split()[0]: line.endswith("with prior knowledge") for line in lines}
    assert (said["knowing"], said["silent"]) == (True, False)
    rows = json.loads(kobench("list", "predictors", "--json", "--plugin", file).stdout)
    assert {row["name"]: row["prior"] for row in rows["predictors"]}["knowing"] == "a list of genes"
    knowing = kobench("info", "knowing", "--plugin", file).stdout
    assert "prior knowledge: a list of genes" in knowing
    assert "developed on: grn" in knowing
    silent = kobench("info", "silent", "--plugin", file).stdout
    assert "prior knowledge: none, as it declares" in silent
    assert "developed on" not in silent


def test_a_suite_has_a_page():
    assert "networks = 5" in kobench("info", "quick").stdout


def test_a_predictor_without_response_is_told_what_boards_will_say():
    assert "boards will say 'none'" in kobench("check", "good", "--plugin", PLUGIN).stdout
