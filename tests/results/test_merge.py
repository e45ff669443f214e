"""Folders taken together: of the same cells and definitions, each trial once, clashes named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import metric, networks, read, record, scores

from kobench.results.merge import Merged, merge

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


def test_remarks_name_the_first_six_and_count_the_others():
    merged = Merged()
    assert merged.remarks() == []
    merged.clashes = [f"clash {number}" for number in range(6)]
    merged.left_out = [f"row {number}" for number in range(6)]
    clashes, left_out = merged.remarks()
    assert clashes.endswith("clash 4; clash 5. The first of two is shown.")
    assert left_out == "Not taken: row 0; row 1; row 2; row 3; row 4; row 5."
    merged.clashes += ["clash 6"]
    merged.left_out += ["row 6", "row 7"]
    clashes, left_out = merged.remarks()
    assert "clash 5; and 1 more. The first" in clashes
    assert "clash 6" not in clashes
    assert left_out.endswith("row 5; and 2 more.")


def test_of_three_folders_the_first_that_has_a_row_gives_it_and_each_is_named():
    """What a second folder brought is compared with the third, under the second one's name."""
    one, two, three = (
        read([record("a", 0.5)]),
        read([record("b", 0.6)]),
        read([record("b", 0.7), record("c", 0.8)]),
    )
    merged = merge([("1", one), ("2", two), ("3", three)], lambda _: USUAL)
    values = {
        each.trial.predictor.name: each.result.scores["knockout-impact@1"].metrics["spearman"].value
        for each in merged.records
    }
    assert values == {"a": 0.5, "b": 0.6, "c": 0.8}
    assert merged.clashes == [
        "b on grn:genes=100,seed=0, knockout-impact@1 by spearman: 0.6 in 2, 0.7 in 3"
    ]


def test_the_same_name_as_floor_and_as_predictor_are_two_rows():
    merged = taken([record("mlp", 0.5)], [record("mlp", 0.6, role="floor")])
    assert [one.role for one in merged.records] == ["predictor", "floor"]
    assert merged.clashes == []


@pytest.mark.parametrize(
    ("changes", "taken_too"),
    [
        ({"seed": 1}, True),  # another network is no other cells
        ({"name": "all"}, True),
        ({"train": "rod"}, True),
        ({}, False),
    ],
)
def test_cells_are_compared_on_one_split_of_one_dataset(changes, taken_too):
    there = [record("b", 0.5)]
    there[0]["trial"]["dataset"]["digest"] = "of other cells"
    there[0]["trial"]["split"].update(changes)
    merged = taken([record("a", 0.5)], there)
    assert len(merged.records) == 1 + taken_too
    assert bool(merged.left_out) != taken_too
    within = taken([record("a", 0.5)], there, within=True)
    assert len(within.records) == 1
    assert len(within.left_out) == 1


@pytest.mark.parametrize("what", ["asked", "answered"])
def test_twins_that_were_asked_or_answered_otherwise_clash(what):
    def of(number):
        return [record("a", 0.5, **{"asked": 1000, "answered": 1000, what: number})]

    assert taken(of(990), of(990)).clashes == []
    (clash,) = taken(of(990), of(991)).clashes
    assert clash == (
        f"a on grn:genes=100,seed=0, knockout-impact@1 by {what}: 990 in mine, 991 in theirs"
    )


def test_twins_are_compared_on_what_both_have_by_one_version_of_a_metric():
    def of(metrics, version=1):
        whole = {name: {**metric(value), "version": version} for name, value in metrics.items()}
        return [record("a", scores(whole, primary=list(metrics)[:1]))]

    assert taken(of({"spearman": 0.5, "one": 0.1}), of({"spearman": 0.5, "two": 0.2})).clashes == []
    assert taken(of({"spearman": 0.5}), of({"spearman": 0.6}, 2)).clashes == []
    (clash,) = taken(of({"spearman[x]": 0.5}), of({"spearman[x]": 0.6})).clashes
    assert "by spearman[x]: 0.5" in clash
    # the tolerance is that of the metric, whatever stands behind its name
    assert len(taken(of({"count[x]": 3.0}), of({"count[x]": 3.0 + 1e-12})).clashes) == 1
    # and at least the digits that are kept of a value
    close = (of({"spearman": 0.5}), of({"spearman": 0.5 * (1 + 5e-12)}))
    mine, theirs = map(read, close)
    assert merge([("1", mine), ("2", theirs)], lambda _: 1e-12).clashes == []


def test_of_one_fit_each_keeps_its_own_and_gains_what_it_lacks():
    both = scores({"spearman": metric(0.5)}) | scores({"spearman": metric(0.7)}, "keystone@3")
    own, there = record("a", 0.5), record("a", both)
    for one, where in ((own, "mine"), (there, "theirs")):
        one["keys"]["questions"] = {"singles": where, f"only {where}": where}
        one["keys"]["scores"] = {"knockout-impact@1": where, f"only {where}": where}
        one["result"]["answers"] = {"singles": where, f"only {where}": where}
        one["about"] = {"tasks": {"both": {"help": where}, where: {"help": where}}}
    (one,) = taken([own], [there]).records
    for found in (one.keys.questions, one.result.answers):
        assert found == {"singles": "mine", "only mine": "mine", "only theirs": "theirs"}
    assert one.keys.scores == {
        "knockout-impact@1": "mine",
        "only mine": "mine",
        "only theirs": "theirs",
    }
    assert list(one.result.scores) == ["keystone@3", "knockout-impact@1"]
    (within,) = taken([own], [there], within=True).records
    assert set(within.result.scores) == {"knockout-impact@1"}
    # a task that was taken so counts for those who come after
    later = record("a", scores({"spearman": metric(0.1)}, "keystone@3"))
    merged = merge(
        [("1", read([own])), ("2", read([there])), ("3", read([later]))], lambda _: USUAL
    )
    assert len(merged.clashes) == 1
    assert "keystone@3 by spearman: 0.7 in 1, 0.1 in 3" in merged.clashes[0]


def test_a_metric_of_another_version_costs_its_task_alone():
    there = record("b", scores({"spearman": metric(0.5), "pearson": metric(0.4)}))
    there["result"]["scores"] |= scores({"spearman": metric(0.5)}, "keystone@3")
    there["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"]["version"] = 2
    merged = taken([record("a", 0.5)], [there])
    assert set(merged.records[1].result.scores) == {"keystone@3"}
    # the version of a metric of a task that the first folder lacks is that of who came first
    third = record("c", scores({"spearman": metric(0.5)}, "keystone@3"))
    third["result"]["scores"]["keystone@3"]["metrics"]["spearman"]["version"] = 2
    more = merge(
        [("1", read([record("a", 0.5)])), ("2", read([there])), ("3", read([third]))],
        lambda _: USUAL,
    )
    assert more.records[2].result.scores == {}
    assert len(more.left_out) == 2


def test_a_row_that_only_others_have_is_of_one_version_too():
    two, three = record("b", 0.5, seed=0), record("b", 0.5, seed=1)
    three["trial"]["predictor"]["digest"] = "c" * 64
    own = read(networks("a", [0.5, 0.5]))
    merged = merge([("1", own), ("2", read([two])), ("3", read([three]))], lambda _: USUAL)
    assert len(merged.records) == 3
    assert merged.left_out == [
        "b on grn:genes=100: 3 has it of another version (code cccccccccccc)"
    ]


def test_a_row_of_the_first_folder_is_none_of_another_machine():
    """Though a network of it comes from there."""
    own = read([record("a", 0.5, run={"host": "mine"})])
    more = read([record("a", 0.5, seed=1, run={"host": "other"})])
    merged = merge([("1", own), ("2", more)], lambda _: USUAL)
    assert len(merged.records) == 2
    assert merged.elsewhere == set()
