"""The settings of a sweep: combinations, lists that are values, and draws from a seed."""

from __future__ import annotations

import pytest

from kobench.errors import UserError
from kobench.util.sweeps import settings_of


def test_every_combination_comes_once():
    found = settings_of({"a": [1, 2, 1], "b": [3, 4], "c": 5}, {}, None, 0)
    assert [tuple(one.values()) for one in found] == [(1, 3, 5), (1, 4, 5), (2, 3, 5), (2, 4, 5)]


def test_a_list_is_one_value_of_a_parameter_that_is_a_list():
    assert settings_of({"layers": [10, 5]}, {"layers": (8,)}, None, 0) == [{"layers": [10, 5]}]
    several = settings_of({"layers": [[10], [10, 5]]}, {"layers": (8,)}, None, 0)
    assert several == [{"layers": [10]}, {"layers": [10, 5]}]


def test_draws_follow_from_their_seed():
    axes = {"alpha": "log:0.001..1", "depth": "2..9", "kind": ["a", "b"]}
    defaults = {"alpha": 0.1, "depth": 3, "kind": "a"}
    one, again, other = (settings_of(axes, defaults, 8, seed) for seed in (0, 0, 1))
    assert one == again != other
    assert len(one) == 8
    assert all(0.001 <= each["alpha"] <= 1 for each in one)
    assert {type(each["depth"]) for each in one} == {int}
    assert min(each["alpha"] for each in one) < 0.1  # half of the draws by the logarithm


def test_draws_of_lists_are_without_repeats():
    found = settings_of({"a": [1, 2, 3], "b": [1, 2]}, {}, 5, 0)
    assert len(found) == len({tuple(one.values()) for one in found}) == 5
    assert len(settings_of({"a": [1, 2]}, {}, 10, 0)) == 2  # there are no more


@pytest.mark.parametrize(
    ("params", "draws", "said"),
    [
        ({"a": "1..2"}, None, "add --draws"),
        ({"a": "2..1"}, 3, "no range"),
        ({"a": "log:0..1"}, 3, "above 0"),
        ({"a": []}, None, "empty list"),
        ({"a": list(range(100)), "b": list(range(100))}, None, "10,000 settings"),
    ],
)
def test_what_is_no_sweep_is_said(params, draws, said):
    with pytest.raises(UserError, match=said):
        settings_of(params, {"a": 1.0}, draws, 0)
