"""A description is made outside every trial and handed to each: it has no room for data."""

from __future__ import annotations

import pytest

from kobench.api import Param, PredictorSpec
from kobench.plugins.conversation import Account
from kobench.plugins.sources import Source
from kobench.worker.describe.spec_json import spec_to_json
from kobench.worker.describe.validation import MOST_CHARACTERS, MOST_TOGETHER, faults


def spec(name="mine", **changes) -> PredictorSpec:
    return PredictorSpec(name, make="a:B", answers=("expression",), **{"summary": "x", **changes})


LONG = "x" * MOST_CHARACTERS


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"summary": LONG}, "summary"),
        ({"params": {"d": Param(LONG)}}, "parameter 'd'"),
        ({"params": {"d": Param([1.25] * 2_000)}}, "parameter 'd'"),
        ({"params": {"d": Param(1, help=LONG)}}, "parameter 'd'"),
        ({"params": {"d": Param("a", choices=("a", LONG))}}, "parameter 'd'"),
        ({"params": {"d": Param(int("9" * 4_000)), "e": Param(int("9" * 4_200))}}, "parameter 'e'"),
    ],
)
def test_one_that_is_too_long_is_named_with_what_is(changes, part) -> None:
    (fault,) = faults(spec(**changes), reference=False)
    assert f"{part} alone" in fault
    assert f"a predictor may have {MOST_CHARACTERS:,}" in fault


def test_short_ones_are_right() -> None:
    params = {f"p{i}": Param(i, help="how much of it there is") for i in range(30)}
    assert not list(faults(spec(summary="y" * 500, params=params), reference=False))


def test_many_of_one_distribution_are_too_long_together() -> None:
    account = Account(Source("many", "1", (("many", "many"),), files={}))
    account.start_at(0)
    most = MOST_TOGETHER // 7_000
    for number in range(most + 2):
        account.take({"spec": spec_to_json(spec(f"p{number}", summary="z" * 6_900))})
    assert len(account.specs) == most
    assert [problem.name for problem in account.problems] == [f"p{most}"]
    assert "all predictors of many have more than 65,536 characters" in account.problems[0].message
