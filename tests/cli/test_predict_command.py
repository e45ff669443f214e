"""`kobench predict`: what it writes, what it leaves out; a failure writes nothing."""

from __future__ import annotations

import json

import numpy as np
import pandas
import pytest
from command import kobench
from tiny import PLUGIN, TINY

LIAR = """
import kobench.worker.derive, kobench.worker.responses
from kobench.api import Impacts, PredictorSpec, hookimpl
import numpy as np


class Liar:
    def fit(self, cells, context):
        # nothing in its own process stops it
        unchecked = lambda values, *_: values
        kobench.worker.derive.array_of = kobench.worker.responses.array_of = unchecked

    def predict_impact(self, cells, knockouts):
        return Impacts(np.full(len(knockouts), np.inf))

    def predict_response(self, cells, knockouts):
        return np.full((len(knockouts), cells.n_vars), np.inf)


class Short(Liar):
    def predict_impact(self, cells, knockouts):
        return Impacts(np.full(len(knockouts), -1.0))

    def predict_response(self, cells, knockouts):
        return np.zeros((len(knockouts), 1))


@hookimpl
def kobench_predictors():
    yield PredictorSpec("liar", Liar)
    yield PredictorSpec("short", Short)
"""


@pytest.mark.parametrize(
    ("name", "what", "message"),
    [
        ("liar", "impact", "ended as invalid in impacts: raw holds values that are not finite"),
        ("liar", "keystone", "ended as invalid in impacts: raw holds values that are not finite"),
        ("liar", "response", "holds values that are not finite"),
        ("short", "impact", "ended as invalid in impacts"),
        ("short", "response", "ended as invalid in response"),
        ("raises-in-fit", "profile", "no luck today"),
        ("kills-itself", "impact", "SIGKILL"),
        ("rubbish", "response", "ended as invalid"),
        ("sleeps", "profile", "ended as timeout"),
    ],
)
def test_predict_writes_nothing_when_the_predictor_fails(tmp_path, name, what, message):
    liar = tmp_path / "liar.py"
    liar.write_text(LIAR)
    limit = 3 if name == "sleeps" else 99
    done = kobench(
        "predict",
        TINY,
        "-p",
        name,
        "--what",
        what,
        "--plugin",
        PLUGIN,
        "--plugin",
        liar,
        "--timeout",
        limit,
        "-o",
        tmp_path / "x.csv",
        code=1,
    )
    assert message in done.stderr
    assert [
        path.name for path in tmp_path.iterdir() if path.suffix != ".py" and path.is_file()
    ] == []


def test_predict_counts_genes_that_are_not_supported(tmp_path):
    def predict(what, *more):
        return kobench(
            "predict",
            TINY,
            "-p",
            "half",
            "--what",
            what,
            "--plugin",
            PLUGIN,
            "-o",
            tmp_path / "x.csv",
            *more,
        ).stdout

    assert "6 genes left out: half does not support removing them." in predict("impact")
    impact = pandas.read_csv(tmp_path / "x.csv")
    assert set(impact["gene"]) == {f"G{number:03d}" for number in range(0, 12, 2)}
    assert not impact.isna().any().any()
    said = json.loads(predict("keystone", "--json"))
    assert (said["left_out"], said["rows"]) == (6, 6)
    assert "1 gene left out: half does not support removing it." in predict(
        "response", "--gene", "G001", "--gene", "G002"
    )
    assert "left out" not in predict("response", "--gene", "G002")
    assert "left out" not in predict("profile")


def test_predict_writes_what_was_asked_for(tmp_path):
    def predict(what, name, *more):
        return kobench(
            "predict",
            TINY,
            "-p",
            "good",
            "--what",
            what,
            "--plugin",
            PLUGIN,
            "-o",
            tmp_path / name,
            *more,
        ).stdout

    assert "Wrote" in predict("impact", "impact.csv.gz")
    impact = pandas.read_csv(tmp_path / "impact.csv.gz")
    assert list(impact.columns) == ["gene", "cell", "raw", "propagated"]
    assert impact["raw"].between(0, 1).all()
    assert np.allclose(impact["propagated"], 0, atol=1e-6)  # a masked mean never responds
    predict("keystone", "keystone.csv")
    keystone = pandas.read_csv(tmp_path / "keystone.csv")
    assert (keystone["score"].dropna().diff().dropna() <= 0).all()
    counts = impact.groupby("gene").size()
    assert keystone.set_index("gene")["cells"].to_dict() == counts.to_dict()
    mean = impact.groupby("gene")["propagated"].mean()
    assert np.allclose(
        keystone.set_index("gene")["score"], mean.reindex(keystone["gene"]), atol=1e-9
    )
    predict("profile", "profile.npz")
    with np.load(tmp_path / "profile.npz") as profile:
        assert len(profile.files) == 13
        assert np.allclose(
            sum(profile[name] for name in profile.files if name != "cell"), 1, atol=1e-5
        )
    said = json.loads(predict("response", "response.csv", "--gene", "G003", "--json"))
    assert said["rows"] == 1
    response = pandas.read_csv(tmp_path / "response.csv")
    assert response["removed"].tolist() == ["G003"]
    before = (tmp_path / "impact.csv.gz").read_bytes()
    predict("impact", "impact.csv.gz")
    assert (tmp_path / "impact.csv.gz").read_bytes() == before
