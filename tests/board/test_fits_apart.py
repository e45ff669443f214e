"""A board says where one fit of a predictor is far better than another on the same cells."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kobench.board.sections.row_remarks import fits_apart

KEY = ("predictor", "mine")


def numbers(*slots, direction="lower", best=0.0):
    def scores(value):
        return SimpleNamespace(metrics={"error": SimpleNamespace(value=value)})

    return SimpleNamespace(
        primary=lambda: ["error"],
        example=lambda metric: SimpleNamespace(direction=direction, best=best),
        scores={KEY: {("block", str(i)): list(map(scores, one)) for i, one in enumerate(slots)}},
    )


@pytest.mark.parametrize(
    "slots",
    [
        [(0.23, 0.0001, 0.0001)],
        [(0.2, 0.19), (0.23, 0.0001)],
        [(0.23, 0.0)],
    ],
)
def test_a_later_fit_that_knows_is_told_of(slots):
    (remark,) = fits_apart(numbers(*slots), KEY)
    assert "its fits on the same cells are far apart by error (0.23, 0" in remark


@pytest.mark.parametrize(
    "slots",
    # other cells may be as much easier as they like; of one fit there is nothing to compare
    [[(0.23, 0.2, 0.25)], [(0.23,), (0.0001,)], [(None, 0.2)], [(0.0, 0.0)]],
)
def test_fits_that_differ_as_fits_do_are_not(slots):
    assert not list(fits_apart(numbers(*slots), KEY))


def test_correlations_are_not_errors():
    assert not list(fits_apart(numbers((0.9, 0.01), direction="higher", best=1.0), KEY))
