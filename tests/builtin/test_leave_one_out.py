"""What a perturbation moves the others by, and intervals that hold it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from response_units import random_units, units_of

from kobench.builtin.metrics.response import (
    centroid_accuracy,
    pearson_delta,
    pearson_delta_centred,
    pearson_delta_centred_unit,
)
from kobench.scoring.bootstrap import draws, take
from tests.studies.false_verdicts import verdicts

CENTRED = {"plain": pearson_delta_centred, "unit": pearson_delta_centred_unit}


def of_rows(units, rows):
    return dataclasses.replace(take(units, "perturbation", units.perturbations[rows]))


@pytest.mark.parametrize("name", CENTRED)
def test_they_are_those_of_the_jackknife(name):
    rng = np.random.default_rng(0)
    for k in (6, 9):
        true, predicted = rng.normal(size=(2, k, 30)) * rng.gamma(1.0, 1.0, (k, 1))
        units = units_of(predicted + true, true)
        found = CENTRED[name](units)
        left = [
            CENTRED[name](of_rows(units, np.delete(np.arange(k), row))).value for row in range(k)
        ]
        jackknifed = k * found.value - (k - 1) * np.array(left)
        np.testing.assert_allclose(
            found.sums + found.moves - found.value, jackknifed - jackknifed.mean(), atol=1e-9
        )


@pytest.mark.parametrize("name", CENTRED)
def test_they_add_up_to_0_and_are_in_the_draws(name):
    units = random_units(2, k=12, g=40, targets=3)
    found = CENTRED[name](units)
    assert found.moves.sum() == pytest.approx(0, abs=1e-12)
    assert np.abs(found.moves).max() > 1e-3
    plain = dataclasses.replace(found, moves=None)
    assert plain.value == found.value
    one, other = (
        draws(CENTRED[name], units, "perturbation", 300, 0, value=parts) for parts in (found, plain)
    )
    assert one.std() != pytest.approx(other.std(), rel=1e-3)
    for score in (pearson_delta, centroid_accuracy):
        assert score(units).moves is None


@pytest.mark.parametrize("name", CENTRED)
def test_two_answers_that_are_as_good_are_told_apart_as_seldom_as_said(name):
    """Seven perturbations, each known more or less well, by each answer its own: 2.5 % a side.

    By values that leave out what a perturbation moves the others by, twice or three times as often.
    """
    with_moves, without = verdicts(CENTRED[name], 7, 500)
    assert with_moves.sum() < 0.09  # 0.05 is meant; three standard errors are 0.03
    assert without.sum() > with_moves.sum() + 0.02
