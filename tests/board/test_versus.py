"""Two predictors compared: paired as boards do, of the same cells and questions alone."""

from __future__ import annotations

import numpy as np
import pytest
from factories import genes_table, metric, networks, read, record, scores

from kobench.board.numbers.intervals import Series, mean_interval
from kobench.board.numbers.power import detectable
from kobench.board.versus import versus

FLOORS = networks("own-share", [0.3, 0.31, 0.29, 0.3], role="floor", floors=["own-share"])
TRUTH = networks("truth", [1.0] * 4, role="line")
ONE, OTHER = [0.5, 0.6, 0.4, 0.5], [0.55, 0.66, 0.44, 0.55]


def contest(first, second, basis=(*FLOORS, *TRUTH), **kinds):
    found = versus(read(first), read(second), read(basis))
    assert found.remarks == kinds.get("remarks", [])
    (one,) = found.contests
    return one


@pytest.mark.parametrize("basis", [(), (*FLOORS, *TRUTH)], ids=["alone", "with floors"])
def test_the_difference_is_paired_over_networks(basis):
    a = networks("mlp", ONE, floors=["own-share"])
    b = networks("linear", OTHER, floors=["own-share"])
    one = contest(a, b, basis)
    gaps = Series(np.array(OTHER) - np.array(ONE))
    want = mean_interval(gaps)
    assert one.difference.value == pytest.approx(want.value)
    assert one.difference.low == pytest.approx(want.low)
    assert one.difference.high == pytest.approx(want.high)
    assert (one.verdict, one.over) == ("better", "4 networks")
    back = contest(b, a, basis)
    assert back.difference.value == pytest.approx(-want.value)
    assert back.verdict == "worse"


def test_without_a_difference_it_says_which_would_have_been_seen():
    other = [0.52, 0.55, 0.43, 0.5]
    one = contest(
        networks("mlp", ONE, floors=["own-share"]), networks("x", other, floors=["own-share"])
    )
    assert one.verdict == "same"
    assert one.detectable == pytest.approx(detectable(Series(np.array(other) - np.array(ONE))))


def test_of_a_metric_where_lower_is_better_the_lower_score_is():
    def of(name, values):
        return [
            record(
                name,
                scores({"mse": metric(value, direction="lower", best=0.0)}, primary=["mse"]),
                seed=seed,
            )
            for seed, value in enumerate(values)
        ]

    one = contest(of("a", ONE), of("b", OTHER), ())
    assert one.difference.value == pytest.approx(-np.mean(np.array(OTHER) - np.array(ONE)))
    assert (one.first, one.second, one.verdict) == (
        pytest.approx(0.5),
        pytest.approx(0.55),
        "worse",
    )


def test_inside_one_dataset_it_is_paired_over_the_same_draws():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.2, 200)  # what perturbations are drawn moves both alike
    a, b = (
        [
            record(
                name,
                scores({"spearman": metric(mean, draws=(mean + shared).tolist())}),
                kind="real",
                seed=None,
                dataset="real",
            )
        ]
        for name, mean in (("a", 0.2), ("b", 0.3))
    )
    one = contest(a, b, ())
    assert one.verdict == "better"
    assert one.difference.high - one.difference.low < 1e-6


def test_networks_of_other_cells_and_of_one_side_alone_are_left_out():
    a, b = networks("a", ONE), networks("b", OTHER[:3])
    b[0]["trial"]["dataset"]["digest"] = "of other cells"
    found = versus(read(a), read(b), [])
    assert found.contests[0].over == "2 networks"
    assert found.contests[0].difference.value == pytest.approx(0.05)
    text = " ".join(found.remarks)
    assert "1 networks or splits that one of the two has alone" in text
    assert "in 1 networks or splits the two were given other cells" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"asked": 900}, "(asked)"), ({"left_out": {"no cells": 3}}, "(left out)")],
)
def test_other_questions_are_not_compared(changes, said):
    found = versus(read(networks("a", ONE)), read(networks("b", OTHER, **changes)), [])
    assert found.contests == []
    assert said in found.remarks[0]


def test_other_versions_of_a_task_and_metric_are_not_compared():
    newer = networks("b", OTHER, task="knockout-impact@2")
    found = versus(read(networks("a", ONE)), read(newer), [])
    assert found.contests == []
    assert "other versions of knockout-impact" in found.remarks[0]
    newer = networks("b", OTHER)
    for one in newer:
        one["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"]["version"] = 2
    found = versus(read(networks("a", ONE)), read(newer), [])
    assert found.contests == []
    assert "version of spearman" in found.remarks[0]


def test_single_genes_are_listed_by_what_each_gained():
    def of(name, predicted):
        table = genes_table({gene: (0.5, value) for gene, value in predicted.items()})
        return [record(name, scores({"spearman": metric(0.5)}, table=table))]

    one = contest(
        of("a", {"G1": 0.5, "G2": 0.1, "G3": 0.4}), of("b", {"G1": 0.9, "G2": 0.5, "G3": 0.4}), ()
    )
    assert [(unit.name, unit.what, round(unit.gain, 9)) for unit in one.units] == [
        ("G1", "error", -0.4),
        ("G3", "error", 0.0),
        ("G2", "error", 0.4),
    ]


def test_what_one_was_not_asked_is_named():
    both = scores({"spearman": metric(0.5)}) | scores({"spearman": metric(0.5)}, "keystone@3")
    found = versus(read([record("a", both)]), read(networks("b", OTHER[:1])), [])
    assert [one.task for one in found.contests] == ["knockout-impact@1"]
    assert "only A has scores of keystone" in found.remarks[0]
