"""Numbers as records keep them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kobench.scoring.digits import (
    DRAW_DIGITS,
    PERMUTED_DIGITS,
    VALUE_DIGITS,
    drawn_digits,
    finite,
    plain,
    rounded,
)


def test_how_many_digits_are_kept():
    third = 1 / 3
    assert rounded(third, VALUE_DIGITS) == 0.333333333333
    assert rounded(third, DRAW_DIGITS) == drawn_digits(third) == 0.333333
    assert rounded(third, PERMUTED_DIGITS) == 0.3333
    assert rounded(-123456.789, 4) == -123500.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_none(value):
    assert drawn_digits(value) is None
    assert finite(value) is None
    assert plain(value) is None
    assert plain(np.float32(value)) is None


def test_other_values_of_a_table_are_as_json_has_them():
    assert drawn_digits(None) is None
    assert (finite(0.25), drawn_digits(0.25)) == (0.25, 0.25)
    values = [plain(each) for each in (np.int64(3), np.float32(0.1), np.bool_(True), "a", 7, 0.1)]
    assert values == [3, 0.1, True, "a", 7, 0.1]
    assert [type(each) for each in values] == [int, float, bool, str, int, float]
