"""`kobench predict`: many batches give what one gives, and sampled knockouts show their error."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from kobench.errors import PredictorFailedError, UserError
from kobench.plugins.load import load_registry
from kobench.predict.predict import predict
from kobench.predict.table_file import TableFile
from kobench.runner.request import Request
from kobench.truth import events

TINY = "grn:cells=30,genes=20,degree=2.0"

PLUGIN = '''
import numpy as np
from kobench.api import Impacts, PredictorSpec, hookimpl


class Shares:
    """Expression: shares by column number."""

    def fit(self, cells, context): pass

    def predict_expression(self, assemblages):
        values = assemblages * (1.0 + np.arange(assemblages.shape[1]))
        total = values.sum(axis=1, keepdims=True)
        return np.divide(values, total, out=np.zeros(values.shape), where=total > 0)


class Scores(Shares):
    def score_genes(self, cells, genes):
        return cells.X[:, genes].sum(axis=0).astype(float)


class Sized:
    """Impacts that differ from cell to cell, so that a sample has an error."""

    def fit(self, cells, context): pass

    def predict_impact(self, cells, knockouts):
        return Impacts(propagated=cells.X.sum(axis=1)[knockouts.cells] + knockouts.genes[:, 0])

    def supports(self, names): return names != "G003"


class Fickle:
    """Gives propagated impacts in its first answer only."""

    calls = 0

    def fit(self, cells, context): pass

    def predict_impact(self, cells, knockouts):
        self.calls += 1
        ones = np.ones(len(knockouts))
        return Impacts(raw=ones, propagated=ones if self.calls == 1 else None)


@hookimpl
def kobench_predictors():
    made = (("shares", Shares), ("scores", Scores), ("sized", Sized), ("fickle", Fickle))
    return [PredictorSpec(name, make=make) for name, make in made]
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugin") / "some.py"
    file.write_text(PLUGIN)
    return load_registry(plugin_files=[file])


def ask(registry, tmp_path, predictor, what, name="x.csv", **request):
    done = predict(
        registry,
        TINY,
        predictor,
        what,
        tmp_path / name,
        request=Request([TINY], [predictor], **request),
    )
    return done, (
        pd.read_csv(tmp_path / name) if not name.endswith("npz") else np.load(tmp_path / name)
    )


@pytest.mark.parametrize("what", ["impact", "keystone", "profile", "response"])
@pytest.mark.parametrize("predictor", ["shares", "scores"])
def test_batches_of_cells_give_the_same_file(registry, tmp_path, monkeypatch, predictor, what):
    whole, _ = ask(registry, tmp_path, predictor, what, "whole.csv")
    monkeypatch.setattr(events, "ENTRIES_A_BLOCK", 70)  # three cells at a time
    parts, _ = ask(registry, tmp_path, predictor, what, "parts.csv")
    assert {key: whole[key] for key in ("events", "rows", "cells")} == {
        key: parts[key] for key in ("events", "rows", "cells")
    }
    one, other = pd.read_csv(tmp_path / "whole.csv"), pd.read_csv(tmp_path / "parts.csv")
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_keystones_are_the_means_of_the_impacts(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(events, "ENTRIES_A_BLOCK", 70)
    _, impacts = ask(registry, tmp_path, "sized", "impact")
    done, keystones = ask(registry, tmp_path, "sized", "keystone")
    expected = impacts.groupby("gene")["propagated"].agg(["mean", "count"])
    found = keystones.set_index("gene")
    pd.testing.assert_series_equal(
        found["cells"].sort_index(), expected["count"], check_names=False
    )
    enough = expected["count"] >= 10
    np.testing.assert_allclose(
        found["score"].sort_index()[enough], expected["mean"][enough], rtol=1e-12
    )
    assert found["score"].sort_index()[~enough].isna().all()
    assert "G003" not in found.index
    assert done["left_out"] == 1
    assert "standard_error" not in found


def test_a_sample_of_the_knockouts_shows_the_error_of_its_means(registry, tmp_path):
    _, every = ask(registry, tmp_path, "sized", "impact")
    done, drawn = ask(registry, tmp_path, "sized", "keystone", events=240)
    drawn = drawn.set_index("gene")
    assert done["events"] == drawn["asked"].sum() <= 240
    _, asked = ask(registry, tmp_path, "sized", "impact", events=240)
    assert len(asked) == done["events"]
    for gene, values in asked.groupby("gene")["propagated"]:
        n, of = len(values), int((every["gene"] == gene).sum())
        assert (drawn.loc[gene, "asked"], drawn.loc[gene, "cells"]) == (n, of)
        if n >= 10:
            assert drawn.loc[gene, "score"] == pytest.approx(values.mean(), rel=1e-12)
            expected = 0.0 if n == of else values.std(ddof=1) / np.sqrt(n) * np.sqrt(1 - n / of)
            assert drawn.loc[gene, "standard_error"] == pytest.approx(expected, rel=1e-9, abs=1e-15)
    # the error that is shown is the error that is made: over the genes, as many standard errors off
    # as a normal number is
    truth = every.groupby("gene")["propagated"].mean()
    sampled = drawn[(drawn["asked"] < drawn["cells"]) & (drawn["asked"] >= 10)]
    off = (sampled["score"] - truth[sampled.index]) / sampled["standard_error"]
    assert 0.4 < np.sqrt((off**2).mean()) < 2.0


def test_own_scores_are_asked_with_all_cells(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(events, "ENTRIES_A_BLOCK", 70)
    _, found = ask(registry, tmp_path, "scores", "keystone")
    assert found["score"].dropna().is_monotonic_decreasing
    assert list(found.columns) == ["gene", "score", "cells"]


def test_files_of_all_kinds_hold_the_same(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(events, "ENTRIES_A_BLOCK", 70)
    _, plain = ask(registry, tmp_path, "shares", "impact", "x.csv")
    _, zipped = ask(registry, tmp_path, "shares", "impact", "x.csv.gz")
    _, arrays = ask(registry, tmp_path, "shares", "impact", "x.npz")
    pd.testing.assert_frame_equal(plain, zipped)
    np.testing.assert_array_equal(arrays["gene"], plain["gene"])
    np.testing.assert_allclose(arrays["propagated"], plain["propagated"], rtol=1e-15)
    first = (tmp_path / "x.csv.gz").read_bytes()
    ask(registry, tmp_path, "shares", "impact", "x.csv.gz")
    assert (tmp_path / "x.csv.gz").read_bytes() == first
    assert gzip.decompress(first) == (tmp_path / "x.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.csv.gz", "x.npz"]


def test_a_sample_is_refused_where_nothing_is_drawn(registry, tmp_path):
    with pytest.raises(
        UserError, match="--events 100 draws knockouts for --what impact and keystone"
    ):
        ask(registry, tmp_path, "shares", "profile", events=100)


def test_other_impacts_for_other_cells_are_refused(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(events, "ENTRIES_A_BLOCK", 70)
    with pytest.raises(
        PredictorFailedError,
        match="predict_impact gave raw for some cells, propagated and raw for those before",
    ):
        ask(registry, tmp_path, "fickle", "impact")
    assert list(tmp_path.iterdir()) == []


def test_too_few_knockouts_for_any_score_are_refused_before_they_are_asked(registry, tmp_path):
    with pytest.raises(
        UserError,
        match=(
            r"--events 100 are \d knockouts of each of 19 genes; a keystone score needs 10: give"
            r" \d+ or more"
        ),
    ):
        ask(registry, tmp_path, "sized", "keystone", events=100)
    assert list(tmp_path.iterdir()) == []
    done, _ = ask(registry, tmp_path, "sized", "impact", events=100)
    assert 0 < done["events"] <= 100


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    with TableFile(tmp_path / "link.csv") as file:
        file.add({"a": [1]})
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "there.csv").read_text() == "a\n1\n"


def test_a_table_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "x.csv").write_text("old")

    def fail():
        with TableFile(tmp_path / "x.csv") as file:
            file.add({"a": [1]})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "x.csv").read_text() == "old"
    with TableFile(tmp_path / "x.csv") as file:
        file.add({"a": [1], "b": ["u"]})
        file.add({"a": [2], "b": ["v,w"]})
    assert (tmp_path / "x.csv").read_text() == 'a,b\n1,u\n2,"v,w"\n'
    assert file.rows == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_names_of_genes_are_no_formulas_and_hide_nothing(tmp_path):
    names = np.array(["=1+1", "-0.5", "A\x1b[2J\u202e", "@x", "GENE-1"])
    with TableFile(tmp_path / "x.csv") as file:
        for _ in range(2):
            file.add({"gene": names, "score": np.arange(5) - 2.5, "=cmd": np.arange(5)})
    found = pd.read_csv(tmp_path / "x.csv")
    assert list(found.columns) == ["gene", "score", "'=cmd"]
    assert list(found["gene"])[:5] == ["'=1+1", "-0.5", "A\\x1b[2J\\u202e", "'@x", "GENE-1"]
    assert list(found["score"])[5:] == [-2.5, -1.5, -0.5, 0.5, 1.5]
    with TableFile(tmp_path / "x.npz") as file:
        file.add({"gene": names})
    assert list(np.load(tmp_path / "x.npz")["gene"]) == list(names)
