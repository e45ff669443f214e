"""Settings compared, and what boards say of a setting that was chosen by what it is ranked on."""

from __future__ import annotations

import pytest
from factories import make_board, networks, read, record

from kobench.board.sections.tuned import TUNED_HERE
from kobench.board.tuned import compare_settings

FLOORS = networks("own-share", [0.3, 0.31, 0.29], role="floor", floors=["own-share"])
TRUTH = networks("truth", [1.0] * 3, role="line")


def setting(name, values, **more):
    return networks(f"mine:a={name}", values, floors=["own-share"], **more)


def test_settings_are_ordered_by_skill_and_compared_in_pairs():
    tuned = compare_settings(
        read(
            [
                *setting(1, [0.5, 0.6, 0.4]),
                *setting(2, [0.56, 0.65, 0.45]),
                *setting(3, [0.3, 0.4, 0.2]),
                *setting(4, [0.5, 0.6])[:2],
                *FLOORS,
                *TRUTH,
            ]
        )
    )
    assert [one.selection for one in tuned.tried] == [
        "mine:a=2",
        "mine:a=1",
        "mine:a=3",
        "mine:a=4",
    ]
    assert tuned.winner.selection == "mine:a=2"
    assert tuned.tried[1].behind.above  # paired over networks it is seen
    assert tuned.tried[2].behind.above
    assert tuned.level == []
    assert tuned.tried[0].parts[0].score.value == pytest.approx(0.5533, abs=1e-4)
    assert tuned.tried[3].gain is None
    assert tuned.tried[3].problem == "no score on all of it"


def test_what_is_not_told_apart_is_level_and_failures_come_last():
    failed = [
        record("mine:a=9", status="failed", stage="fit", message="no", seed=seed)
        for seed in range(3)
    ]
    tuned = compare_settings(
        read([*setting(1, [0.5, 0.6, 0.4]), *setting(2, [0.6, 0.5, 0.45]), *failed, *FLOORS])
    )
    assert tuned.winner.selection == "mine:a=2"
    assert tuned.level == ["mine:a=1"]
    assert (tuned.tried[-1].selection, tuned.tried[-1].problem) == ("mine:a=9", "failed")


def test_the_spread_over_fits_is_of_fits_of_the_same_network():
    fits = [
        one
        for seed, shift in ((0, -0.01), (1, 0.01))
        for one in setting(1, [0.5 + shift, 0.6 + shift, 0.4 + shift], fit_seed=seed)
    ]
    tuned = compare_settings(read([*fits, *setting(2, [0.1, 0.1, 0.1]), *FLOORS]))
    assert tuned.tried[0].spread == pytest.approx(0.02 / 2**0.5)
    assert tuned.tried[1].spread is None


def row_of(board, name):
    (found,) = (one for one in board.sections[0].rows if one.name == name)
    return found


def test_a_row_that_was_tuned_on_its_own_networks_is_no_evidence():
    here = "grn:genes=100,seed=1"
    tuned = setting(1, [0.5, 0.6, 0.4], run={"tuned_on": [here]})
    other = setting(2, [0.5, 0.6, 0.4], run={"tuned_on": ["grn:genes=100,seed=99"]})
    real = setting(3, [0.5, 0.6, 0.4], run={"tuned_on": ["hipsc-ko, training cells"]})
    board = make_board([*tuned, *other, *real, *setting(4, [0.5, 0.6, 0.4]), *FLOORS])
    assert TUNED_HERE in row_of(board, "mine:a=1 †").remarks
    assert "its setting was tuned on 1 other networks" in row_of(board, "mine:a=2").remarks
    assert "its setting was tuned on hipsc-ko, training cells" in row_of(board, "mine:a=3").remarks
    assert not any("tuned" in one for one in row_of(board, "mine:a=4").remarks)
    (warning,) = (one for one in board.remarks if one.startswith("Tuned on"))
    assert warning.endswith("so no evidence: mine:a=1 †.")
