"""Folders taken together: of the same cells and definitions, each trial once, clashes named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import metric, networks, read, record, scores

from kobench.results.merge import merge

EXACT, USUAL = 0.0, 1e-8
TOLERANCES = {"spearman": USUAL, "count": EXACT}


def taken(own, other, **options):
    return merge(
        [("mine", read(own)), ("theirs", read(other))],
        lambda name: TOLERANCES.get(name, USUAL),
        **options,
    )


def rows(merged):
    return sorted(
        (one.trial.predictor.selection, one.trial.dataset.selection) for one in merged.records
    )


def test_rows_of_the_same_cells_stand_together():
    merged = taken(networks("mine", [0.5, 0.6]), networks("theirs", [0.4, 0.5]))
    assert len(merged.records) == 4
    assert (merged.clashes, merged.left_out) == ([], [])


@pytest.mark.parametrize(
    ("name", "here", "there", "clash"),
    [
        ("spearman", 0.5, 0.5 * (1 + 5e-9), False),  # as far as the metric allows
        ("spearman", 0.5, 0.5 * (1 + 5e-8), True),
        ("count", 3.0, 3.0 + 1e-12, True),  # exactly
        ("count", 3.0, 3.0, False),
        ("spearman", 0.5, None, True),
    ],
)
def test_twins_are_compared_within_the_tolerance_of_the_metric(name, here, there, clash):
    def of(value):
        return [record("floor", scores({name: metric(value)}, primary=[name]), role="floor")]

    merged = taken(of(here), of(there))
    (kept,) = merged.records
    assert kept.result.scores["knockout-impact@1"].metrics[name].value == here
    assert len(merged.clashes) == clash
    if clash:
        assert f"floor on grn:genes=100,seed=0, knockout-impact@1 by {name}" in merged.clashes[0]
        assert f"{here} in mine, {there} in theirs" in merged.clashes[0]
        assert "The first of two is shown" in " ".join(merged.remarks())


def test_the_same_method_with_another_end_is_a_clash():
    merged = taken([record("a", 0.5)], [record("a", status="failed", stage="fit", message="no")])
    assert merged.clashes == ["a on grn:genes=100,seed=0: ok in mine, failed in theirs"]
    assert merged.records[0].result.status == "ok"


def test_other_cells_are_not_taken():
    other = networks("b", [0.4, 0.5])
    other[1]["trial"]["dataset"]["digest"] = "of other cells"
    merged = taken(networks("a", [0.5, 0.6]), other)
    assert ("b", "grn:genes=100,seed=1") not in rows(merged)
    assert ("b", "grn:genes=100,seed=0") in rows(merged)
    assert merged.left_out == ["grn:genes=100,seed=1: theirs has other cells of it"]


def test_one_row_is_never_of_two_versions():
    other = networks("a", [0.4, 0.5])[1:]
    other[0]["trial"]["predictor"]["digest"] = "b" * 64
    merged = taken(networks("a", [0.5]), other)
    assert rows(merged) == [("a", "grn:genes=100,seed=0")]
    assert "of another version (code bbbbbbbbbbbb)" in merged.left_out[0]


def test_scores_by_another_version_of_a_metric_are_not_taken():
    other = [record("b", 0.5)]
    other[0]["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"]["version"] = 2
    merged = taken([record("a", 0.5)], other)
    assert merged.left_out == ["knockout-impact@1 of theirs: spearman is of another version there"]
    assert merged.records[1].result.scores == {}


def test_tasks_of_one_fit_come_together_and_those_of_another_do_not():
    other = [record("a", scores({"spearman": metric(0.5)}, "keystone@3"))]
    (one,) = taken([record("a", 0.5)], other).records
    assert set(one.result.scores) == {"knockout-impact@1", "keystone@3"}
    other[0]["keys"]["fit"] = "another"
    (one,) = taken([record("a", 0.5)], other).records
    assert set(one.result.scores) == {"knockout-impact@1"}


def test_within_a_run_only_its_networks_and_tasks_count():
    both = scores({"spearman": metric(0.5)}) | scores({"spearman": metric(0.5)}, "keystone@3")
    other = [record("b", both), *networks("b", [0.4, 0.5])[1:]]
    merged = taken([record("a", 0.5)], other, within=True)
    assert rows(merged) == [("a", "grn:genes=100,seed=0"), ("b", "grn:genes=100,seed=0")]
    assert set(merged.records[1].result.scores) == {"knockout-impact@1"}
    assert merged.left_out == ["grn:genes=100: networks or splits that only theirs has"]


def test_rows_of_other_machines_are_known():
    own, there, here = (
        read([record(name, 0.5, run={"host": host})])
        for name, host in (("a", "mine"), ("b", "other"), ("c", "mine"))
    )
    merged = merge([("1", own), ("2", [*there, *here])], lambda _: USUAL)
    assert {row[1] for row in merged.elsewhere} == {"b"}
    twin = [replace(own[0], run=there[0].run)]
    assert merge([("1", own), ("2", twin)], lambda _: USUAL).elsewhere == set()
