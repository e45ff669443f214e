"""`kobench check`: a good predictor passes, a bad one fails the check it breaks, a dying one is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobench.checking import Setting, check_in_child
from kobench.limits import Limits
from kobench.plan import choose
from kobench.plugins import load_registry

PLUGIN = Path(__file__).with_name("predictors_for_tests.py")


@pytest.fixture(scope="module")
def check():
    registry = load_registry(plugin_files=[PLUGIN])
    return lambda name, **more: {result["name"]: result for result in check_in_child(choose(registry, "predictors", name), **more)}


def test_a_good_predictor_passes(check):
    results = check("good")
    assert {result["status"] for result in results.values()} <= {"passed", "skipped"}
    assert sum(result["status"] == "passed" for result in results.values()) >= 12


def test_the_broken_check_is_named(check):
    failed = {name for name, result in check("rubbish").items() if result["status"] == "failed"}
    assert "finite" in failed
    assert "no luck today" in check("raises-in-fit")["fits"]["found"]


@pytest.mark.parametrize(("name", "found"), [("kills-itself", "SIGKILL"), ("exits-at-once", "code 7")])
def test_a_predictor_that_ends_its_process_fails(check, name, found):
    assert found in check(name)["survives"]["found"]


def test_a_time_limit(check):
    assert "longer than 2 s" in check("sleeps", setting=Setting(limits=Limits(seconds=2.0)))["survives"]["found"]
