"""Metrics that can't tell controls apart on a dataset are greyed there, by what floors' records
say.

Records without it grey nothing.
"""

from __future__ import annotations

import csv
import io
import json

import pytest
from factories import make_board, metric, record, scores
from sections import FLOOR, five, flat, only, row, score

from kobench.board.numbers.calibrated import CANNOT_TELL
from kobench.board.render import render


def calibration(apart, low, high, control="mean", duplicate=0.6):
    found = {"duplicate": duplicate, "control": control, "known": duplicate - apart}
    return {"calibration": {**found, "apart": apart, "low": low, "high": high}}


#: Half of the cells is no better than the mean change; and it is.
BLIND = calibration(0.01, -0.05, 0.07)
SOUND = calibration(0.4, 0.3, 0.5)


def real(name, value, role="predictor", split=0, more=None, second=None):
    """A record of real cells by one metric or two."""
    cells = {"spearman": {**metric(value), **(more or {})}}
    if second is not None:
        cells["other"] = {**metric(value / 2), **second}
    return record(
        name,
        scores(cells, primary=tuple(cells)),
        role=role,
        seed=None,
        kind="real",
        dataset="screen",
        split=("halves", split),
    )


def sections_of(more, second=None):
    return only(
        [
            real("own-share", 0.4, "floor", more=more, second=second),
            real("mlp", 0.5, second={} if second is not None else None),
            real("linear", 0.7, second={} if second is not None else None),
        ]
    )


def test_without_a_word_of_it_nothing_is_greyed():
    section = sections_of({})
    assert section.primary[0].calibrated is None
    assert not section.unranked_reason
    assert "greyed" not in flat(" ".join(section.remarks))


def test_a_metric_that_tells_is_not_greyed():
    section = sections_of(SOUND)
    (column,) = section.primary
    assert column.calibrated.tells
    assert not column.greyed
    assert [one.name for one in section.ranked] == ["linear", "mlp"]


@pytest.mark.parametrize("low", [-0.05, 0.0])
def test_where_the_only_metric_cannot_tell_nobody_is_ranked(low):
    section = sections_of(calibration(0.01, low, 0.07))
    assert section.primary == ()
    assert section.ranked == ()
    assert "spearman can't tell the other half of the cells" in section.unranked_reason
    assert score(section, "mlp").value == 0.5
    assert score(section, "mlp").verdict == ""
    assert score(section, "mlp").skill_reason == CANNOT_TELL


def test_an_interval_that_nobody_has_greys_nothing():
    assert (
        not only([real("own-share", 0.4, "floor", more=calibration(0.01, None, None))])
        .columns[0]
        .greyed
    )


def test_the_other_metric_ranks_where_the_first_cannot_tell():
    section = sections_of(BLIND, second=SOUND)
    assert [column.name for column in section.primary] == ["other"]
    assert [one.name for one in section.ranked] == ["linear", "mlp"]
    assert section.sentence
    assert score(section, "linear", "spearman").verdict == ""
    assert score(section, "linear", "spearman").skill is None
    (said,) = [remark for remark in section.remarks if remark.startswith("greyed")]
    assert "spearman (half of the cells 0.600, the mean change of all 0.590" in said
    assert "other (" not in said


def test_by_a_metric_that_cannot_tell_there_is_no_verdict_however_sure_a_difference_is():
    def drawn(value):
        return {"draws": [value - 0.01, value + 0.01] * 50}

    section = only(
        [
            real(
                "own-share", 0.4, "floor", more={**BLIND, **drawn(0.4)}, second=SOUND | drawn(0.2)
            ),
            real("linear", 0.7, more=drawn(0.7), second=drawn(0.35)),
        ]
    )
    # by both it lies 0.15 or more above the floor in every draw
    assert score(section, "linear", "other").verdict == "better"
    assert score(section, "linear", "other").detectable is not None
    greyed = score(section, "linear", "spearman")
    assert greyed.difference.low > 0
    assert (greyed.verdict, greyed.detectable) == ("", None)


def test_every_format_greys_it_and_says_why():
    board = make_board(
        [
            real("own-share", 0.4, "floor", more=BLIND, second=SOUND),
            real("mlp", 0.5, second={}),
        ]
    )
    for format in ("terminal", "markdown"):  # LaTeX has the metrics that rank alone
        assert "(0.500)" in render(board, format), format
        assert "(0.250" not in render(board, format), format
    page = render(board, "html")
    assert '["(0.500)\\t[0.500, 0.500]\\tm"]' in page or '"(0.500)\\t\\tm"' in page
    for format in ("terminal", "markdown", "html"):
        assert "greyed, in brackets" in flat(render(board, format)), format
    lines = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    notes = {line["metric"]: line["skill_note"] for line in lines if line["predictor"] == "mlp"}
    assert notes["spearman"] == CANNOT_TELL
    assert notes["other"] != CANNOT_TELL
    metrics = json.loads(render(board, "json"))["sections"][0]["metrics"]
    told = {one["metric"]: one["calibration"] for one in metrics}
    assert told["spearman"] == {
        "duplicate": 0.6,
        "control": "mean",
        "known": 0.59,
        "apart": [0.01, -0.05, 0.07],
        "tells": False,
    }
    assert told["other"]["tells"]


def test_over_splits_the_ends_are_averaged_by_hand():
    lows = (-0.1, 0.2, 0.2)
    section = only(
        [
            real("own-share", 0.4, "floor", split, calibration(0.3, low, 0.5))
            for split, low in enumerate(lows)
        ]
    )
    apart = section.columns[0].calibrated.apart
    assert (apart.value, apart.high) == pytest.approx((0.3, 0.5))
    assert apart.low == pytest.approx(0.1)
    assert section.columns[0].calibrated.tells


@pytest.mark.parametrize(
    ("values", "greyed"), [((0.1, 0.2, 0.1, 0.2, 0.1), False), ((0.3, -0.3, 0.2, -0.2, 0.1), True)]
)
def test_over_networks_it_is_their_mean_that_must_be_above(values, greyed):
    records = five("mlp", [0.6] * 5)
    for seed, value in enumerate(values):
        # what one network alone says of itself does not count
        more = calibration(value, value - 1, value + 1)
        records += [
            one for i, one in enumerate(five("own-share", FLOOR, "floor", more=more)) if i == seed
        ]
    section = only(records)
    assert section.columns[0].greyed == greyed
    assert bool(section.unranked_reason) == greyed


def test_a_near_null_control_keeps_its_verdicts_as_a_good_score_is_suspect_there():
    records = [real("own-share", 0.4, "floor", more=BLIND), real("mlp", 0.5)]
    for one in records:
        one["trial"]["dataset"]["notes"] = ["near-null: hardly any effect"]
    section = only(records)
    (column,) = section.primary
    assert not column.calibrated.tells
    assert not column.greyed
    assert not section.unranked_reason
    assert row(section, "mlp").rank is not None


def test_what_a_predictor_scores_greys_nothing_and_saves_nothing():
    for value in (0.0, 0.99):
        section = only(
            [real("own-share", 0.4, "floor", more=BLIND), real("mlp", value)],
        )
        assert section.columns[0].greyed
        assert row(section, "mlp").rank is None
