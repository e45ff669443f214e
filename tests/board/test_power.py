"""Beside every verdict: the smallest difference from the floor that would have been seen."""

from __future__ import annotations

import csv
import io
from math import inf, sqrt

import numpy as np
import pytest
from factories import make_board, metric, networks, record, scores
from scipy import stats
from sections import floors, only, row

from kobench.audit.statistics import smallest_seen
from kobench.board.answer import unseen_text
from kobench.board.contests import Contest
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.board.numbers.power import detectable, errors_needed, power_at
from kobench.board.render import render

#: Five networks on which `level` is 0.012 above the floor in the mean, with an SD of 0.05.
LEVEL = [0.48, 0.40, 0.40, 0.41, 0.37]


def power_by_scipy(centre, degrees):
    """The same by scipy's distributions: the two-sided t test of a mean."""
    reach = stats.t.ppf(0.975, degrees)
    return stats.nct.sf(reach, degrees, centre) + stats.nct.cdf(-reach, degrees, centre)


@pytest.mark.parametrize("degrees", [1, 2.5, 4, 14, 22, 49, 400])
def test_the_power_of_what_is_needed_is_four_in_five(degrees):
    needed = errors_needed(degrees)
    assert power_by_scipy(needed, degrees) == pytest.approx(0.8, abs=1e-6)
    assert power_at(needed, degrees) == pytest.approx(0.8, abs=1e-6)
    first_order = stats.t.ppf(0.975, degrees) + stats.t.ppf(0.8, degrees)
    assert needed == pytest.approx(first_order, rel=0.2 if degrees < 3 else 0.012)


def test_numbers_of_the_books():
    """Cohen (1988): 0.5 SD needs 34 pairs; with a known error it is 1.96 + 0.84 errors."""
    assert errors_needed(33) / sqrt(34) == pytest.approx(0.495, abs=0.001)
    assert errors_needed(inf) == pytest.approx(1.959964 + 0.841621, abs=1e-4)
    assert errors_needed(1) == pytest.approx(16.33, abs=0.01)


@pytest.mark.parametrize("units", [2, 5, 15, 47])
def test_the_audit_says_the_same(units):
    """It knows the spread over units; a board knows the error of the mean."""
    spread = 0.3
    values = stats.norm.ppf((np.arange(units) + 0.5) / units)
    values = Series(spread * values / values.std(ddof=1))
    assert detectable(values) == pytest.approx(smallest_seen(spread, units))


def test_worked_by_hand():
    """SD 0.1 over five blocks: an error of 0.0447, of which 3.761 are needed."""
    values = np.array([0.1, -0.1, 0.1, -0.1, 0.0])
    error = sqrt(np.sum(values**2) / 4 / 5)
    assert error == pytest.approx(0.0447, abs=1e-4)
    assert detectable(Series(values)) == pytest.approx(3.761 * error, rel=1e-3)
    # from draws inside one block: their SD, by n - 1 degrees
    drawn = Series(np.zeros(1), np.array([[0.05, -0.05] * 50]), 16.0)
    error = np.std(drawn.draws, ddof=1) * sqrt(16 / 15)
    assert detectable(drawn) == pytest.approx(errors_needed(15) * error)
    assert detectable(Series(np.zeros(1))) is None


def test_what_is_too_small_to_name_is_not_seen_either():
    """It must be seen at that size or more, which a difference of just that size is every other
    time.
    """
    tight = Series(np.array([1e-4, -1e-4, 1e-4, -1e-4, 0.0]))
    error = sqrt(np.var(tight.values, ddof=1) / 5)
    assert detectable(tight, 0.01) == pytest.approx(0.01 + stats.t.ppf(0.8, 4) * error)


def test_the_difference_is_seen_in_four_boards_of_five():
    """Drawn: it fails by more than 3 % with 1 % of a standard error in 1,600 boards."""
    rng = np.random.default_rng(5)
    for blocks in (3, 15):
        shift = errors_needed(blocks - 1) / sqrt(blocks)
        boards = rng.standard_normal((1600, blocks)) + shift
        seen = np.mean([mean_interval(Series(one)).above for one in boards])
        assert seen == pytest.approx(0.8, abs=0.03)


# boards


def test_a_row_that_is_level_says_what_would_have_been_seen():
    section = only([*networks("level", LEVEL), *floors()])
    found = row(section, "level").scores["spearman"]
    differences = np.array(LEVEL) - [0.40, 0.42, 0.38, 0.41, 0.39]
    expected = errors_needed(4) * differences.std(ddof=1) / sqrt(5)
    assert found.verdict == "same"
    assert found.detectable == found.unseen == pytest.approx(expected)
    assert expected == pytest.approx(3.761 * sqrt(0.00688 / 4 / 5), rel=1e-3)
    said = "Not told apart from it: level (a difference of 0.070 would have been seen)."
    assert said in section.sentence
    board = make_board([*networks("level", LEVEL), *floors()])
    assert any("where a gain of 0.070 would have been seen" in line for line in board.answer)
    html = render(board, "html")
    assert "no difference from the best floor seen; one of 0.070 would have been" in html
    (one, *_) = [
        one
        for one in csv.DictReader(io.StringIO(render(board, "csv")))
        if one["predictor"] == "level"
    ]
    assert float(one["detectable_difference"]) == pytest.approx(expected, rel=1e-5)
    assert '"detectable_difference": 0.0697' in render(board, "json")


def test_who_has_a_verdict_has_the_number_and_no_such_words():
    better = [value + 0.2 for value in LEVEL]
    section = only([*networks("better", better), *floors()])
    found = row(section, "better").scores["spearman"]
    assert found.verdict == "better"
    assert found.detectable is not None
    assert found.unseen is None
    assert "would have been" not in section.sentence


def test_a_sure_difference_that_is_too_small_to_name_is_no_lack_of_power():
    tiny = [value + 1e-5 for value in [0.40, 0.42, 0.38, 0.41, 0.39]]
    section = only([*networks("tiny", tiny), *floors()])
    assert row(section, "tiny").scores["spearman"].verdict == "same"
    assert "Not told apart from it by enough to name: tiny." in section.sentence


def test_without_an_interval_nothing_is_said():
    cell = metric(0.4)
    rows = [
        record(name, scores({"spearman": cell}), role=role, seed=None, kind="real", dataset="pbmc")
        for name, role in (("alone", "predictor"), ("own-share", "floor"))
    ]
    found = row(only(rows), "alone").scores["spearman"]
    assert (found.verdict, found.detectable) == ("", None)


def test_who_has_prior_knowledge_is_no_witness_for_the_others():
    """What would have been seen is said of the rows that are compared."""
    contest = Contest(
        "t", {"a": False, "b": False}, unseen={"a": 0.1, "b": 0.5}, prior=frozenset({"b"})
    )
    assert unseen_text(contest.among(False)) == " (where a gain of 0.10 would have been seen)"
    assert unseen_text(contest.among(True)) == " (where a gain of 0.50 would have been seen)"
    assert unseen_text(contest) == " (where a gain of 0.10 to 0.50 would have been seen)"
