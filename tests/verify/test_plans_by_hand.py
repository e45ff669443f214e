"""What a run was asked for and has no record of, on records made by hand."""

from __future__ import annotations

import factories
import pytest

from kobench.board.sections.unfinished import trials_of
from kobench.results.planned import MOST, places_of, trials_planned
from kobench.verify.planned import check_planned, unbelievable


def made(network=0, split=0, fit=0, planned=None, secret=False, role="predictor", **more):
    """A record of one trial; `planned` is networks, splits (first, count) and fits."""
    document = factories.record(
        more.pop("predictor", "mlp"),
        0.5,
        role=role,
        seed=network,
        split=("holdout", split),
        fit_seed=fit,
        **more,
    )
    if secret:
        dataset = document["trial"]["dataset"]
        dataset["seed"], dataset["secret"] = None, {"commitment": "c" * 64, "index": network}
        dataset["selection"] = f"grn:{network}"
    if planned:
        networks, splits, fits = planned
        document["run"]["planned"] = {
            "networks": networks and dict(zip(("first", "count"), networks, strict=True)),
            "splits": dict(zip(("first", "count"), splits, strict=True)),
            "fit_seeds": fits,
        }
    (one,) = factories.read([document])
    return one


def said(records, of_suite=None):
    return [str(one) for one in check_planned(records, of_suite)]


WHOLE = [
    made(network, split, fit, planned=((0, 2), (3, 2), 2))
    for network in (0, 1)
    for split in (3, 4)
    for fit in (0, 1)
]


def test_a_whole_plan_lacks_nothing_and_each_of_its_trials_is_missed():
    assert said(WHOLE) == []
    for gone in WHOLE:
        trial = gone.trial
        rest = [one for one in WHOLE if one is not gone]
        assert said(rest) == [
            f"mlp on grn:genes=100, holdout: has no record of network {trial.dataset.seed}, split"
            f" seed {trial.split.seed}, fit seed {trial.fit_seed}, which its run was asked for"
        ]
        (finding,) = check_planned(rest)
        assert (finding.record, finding.task, finding.lacking) == (None, "", True)


def test_of_several_that_are_missing_the_first_is_named():
    (text,) = said(WHOLE[3:])
    assert "no record of network 0, split seed 3, fit seed 0, and 2 more, which" in text


def test_a_network_that_is_gone_for_everybody_is_named_once():
    first = [one for one in WHOLE if one.trial.dataset.seed == 0]
    assert said(first) == [
        "grn:genes=100: has networks 0, and the run was asked for 0 to 1: without a record is 1, so"
        " networks may have been chosen"
    ]
    # and what else is missing of a row
    network, row = said(first[1:])
    assert "without a record is 1" in network
    assert "no record of network 0, split seed 3, fit seed 0, which" in row


def test_rows_are_looked_at_each_by_itself():
    other = [made(network, predictor="gbm", planned=((0, 2), (0, 1), 1)) for network in (0, 1)]
    assert said([*WHOLE, *other]) == []
    (text,) = said([*WHOLE, other[1]])
    assert text.startswith("gbm on grn:genes=100, holdout: has no record of network 0")
    floor = made(0, predictor="gbm", role="floor", planned=((0, 2), (0, 1), 1))
    texts = said([*WHOLE, *other, floor])
    assert len(texts) == 1
    assert "no record of network 1" in texts[0]


def test_two_runs_of_a_row_are_both_owed():
    one = [made(0, planned=((0, 1), (0, 1), 1)), made(2, planned=((2, 2), (0, 1), 1))]
    (text,) = said(one)
    assert "has networks 0, 2, and the run was asked for 0, 2, 3: without a record is 3" in text


def test_the_group_that_was_trained_on_is_named():
    document = made(0, planned=((0, 1), (0, 2), 1)).to_json()
    document["trial"]["split"]["train"] = "rod"
    (text,) = said(factories.read([document]))
    assert text.startswith("mlp on grn:genes=100, holdout, trained on rod: has no record of")


def test_real_data_have_no_network():
    planned = (None, (0, 2), 1)
    (text,) = said([made(None, 0, planned=planned)])
    assert text.endswith("has no record of split seed 1, fit seed 0, which its run was asked for")
    assert said([made(None, split, planned=planned) for split in (0, 1)]) == []
    assert said([made(None)], {"grn:genes=100": 3}) == []


def test_a_suite_says_how_many_networks_there_are_where_records_do_not():
    records = [made(0), made(1)]
    assert said(records) == said(records, {}) == said(records, {"other": 3}) == []
    assert said(records, {"grn:genes=100": 2}) == []
    assert said(records, {"grn:genes=100": 3}) == [
        "grn:genes=100: has networks 0 to 1, and the suite of this name has 0 to 2: without a"
        " record is 2, so networks may have been chosen"
    ]
    # records that say it are believed
    planned = [made(number, planned=((0, 2), (0, 1), 1)) for number in (0, 1)]
    assert said(planned, {"grn:genes=100": 3}) == []


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [([0, 1, 2], False), ([3, 4], False), ([0, 2], True), ([0, 1, 3], True), ([5], False)],
)
def test_public_seeds_without_a_plan_have_no_gaps(numbers, gaps):
    texts = said([made(number) for number in numbers])
    assert len(texts) == gaps
    if gaps:
        assert "with gaps between them" in texts[0]
    # another dataset fills no gap
    assert len(said([*map(made, numbers), made(1, dataset="grn:genes=9")])) == gaps


@pytest.mark.parametrize(("numbers", "fine"), [([0, 1], True), ([0, 2], False), ([1, 2], False)])
def test_secret_networks_are_counted_from_the_first(numbers, fine):
    texts = said([made(number, secret=True) for number in numbers])
    assert bool(texts) != fine
    if not fine:
        assert texts[0].startswith("all rows: Networks may have been chosen")
        assert not texts[0].endswith(".")
    planned = [made(number, secret=True, planned=((0, 3), (0, 1), 1)) for number in (0, 1)]
    assert "without a record is 2" in said(planned)[0]


@pytest.mark.parametrize(
    ("planned", "own", "reason"),
    [
        (((0, 1), (0, 1), 1), (0, 0, 0), ""),
        (((3, 2), (5, 3), 4), (4, 7, 3), ""),
        (((3, 2), (5, 3), 4), (5, 7, 3), "2 networks from 3 on, and it is number 5"),
        (((3, 2), (5, 3), 4), (2, 7, 3), "2 networks from 3 on, and it is number 2"),
        (((3, 2), (5, 3), 4), (4, 8, 3), "3 splits from 5 on, and it is number 8"),
        (((3, 2), (5, 3), 4), (4, 7, 4), "4 fits from 0 on, and it is number 4"),
        ((None, (0, 1), 1), (None, 0, 0), ""),
        ((None, (0, 1), 1), (0, 0, 0), "no networks, and it is number 0"),
        (((0, 1), (0, 1), 1), (None, 0, 0), "1 networks from 0 on, and it is of none"),
        (((0, MOST), (0, 1), 1), (0, 0, 0), ""),
        (((0, MOST + 1), (0, 1), 1), (0, 0, 0), f"{MOST + 1} networks from 0 on, and it is"),
        (((0, 0), (0, 1), 1), (0, 0, 0), "0 networks from 0 on"),
        (((0, 1), (0, 0), 1), (0, 0, 0), "0 splits from 0 on"),
        (((0, 1), (0, 1), 0), (0, 0, 0), "0 fits from 0 on"),
    ],
)
def test_which_plans_can_be_those_of_a_record(planned, own, reason):
    record = made(*own, planned=planned)
    text = unbelievable(record)
    assert reason in text
    assert bool(text) == bool(reason)
    if reason:  # whatever else it says of the plan is not believed
        (finding,) = (one for one in check_planned([record]) if one.record is record)
        assert (finding.what, finding.reason) == ("mlp", text)
        assert len(list(check_planned([record]))) == 1
    assert unbelievable(made(*own)) == ""


def test_a_plan_of_more_trials_than_anybody_runs_is_not_counted_out():
    """Each number of it may be possible, and all of them together fill the memory."""
    record = made(planned=((0, MOST), (0, MOST), MOST))
    assert trials_planned(record) == MOST**3
    assert places_of(record) == set()
    assert trials_of([record]) == (1, 1)
    assert unbelievable(record) == f"its run was asked for {MOST**3:,} trials of its row"
    most = made(planned=((0, MOST), (0, 1), 1))
    assert unbelievable(most) == ""
    assert len(places_of(most)) == MOST
    assert unbelievable(made(planned=((0, MOST // 2 + 1), (0, 2), 1))) != ""
