"""`kobench list`, `info` and `check`: what they say and count."""

from __future__ import annotations

import json

import pytest
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


@pytest.mark.parametrize("text", ["grn:sigma", "grn:sigma=0.2", "grn:sigma=0.2,dropout=0.3"])
def test_info_explains_a_parameter(text):
    said = kobench("info", text).stdout
    assert "grn (dataset)" in said
    assert "sigma: 0.1  each cell's own relative noise on every weight" in said
    assert "[from 0 to 1]" in said
    assert ("dropout:" in said) == ("dropout" in text)
    assert "others: network, " in said
    (row,) = json.loads(kobench("info", text, "--json").stdout)
    assert row["parameters"]["sigma"].startswith("0.1  ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grn:sigm", "grn has no parameter 'sigm'; did you mean 'sigma'?"),
        ("grn:", "grn has no parameter ''"),
        ("nobody:x", "nothing is called 'nobody'"),
        ("own-share:x", "own-share has no parameter 'x'; there are none"),
    ],
)
def test_info_of_no_parameter_says_which_there_are(text, says):
    assert says in " ".join(kobench("info", text, code=2).stderr.split())


def test_an_unknown_parameter_says_how_one_is_declared(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from kobench.api import PredictorSpec, hookimpl\n"
        "class Mine:\n"
        "    def fit(self, cells, context): ...\n"
        "    def predict_expression(self, assemblages): return assemblages\n"
        "@hookimpl\n"
        "def kobench_predictors():\n"
        "    yield PredictorSpec('mine', Mine)\n"
    )
    words = ["run", "-d", "grn:genes=15", "-p", "mine:alpha=0.1", "--plugin", "mine.py"]
    said = " ".join(kobench(*words, cwd=tmp_path, code=2).stderr.split())
    assert "has no parameter 'alpha'" in said
    assert "params={'alpha': Param(0.1, 'what it does')}" in said
    assert "takes alpha in `__init__` of its class" in said
