"""`kobench env check`: whether an environment can be used, and the contract's checks of each of its
predictors, run there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kobench.api import CONTRACT
from kobench.checks.process import Result, Setting, check_in_child
from kobench.environments.environment import Environment
from kobench.environments.own import digest, digest_of
from kobench.environments.seen import ask_inside
from kobench.errors import TrialFailed, UserError
from kobench.plugins.chosen import choose
from kobench.plugins.environments import interpreter_of
from kobench.plugins.load import load_registry
from kobench.plugins.sources import HARMLESS
from kobench.sandbox.once import run_once
from kobench.util.text import visible
from kobench.worker.protocol import PROTOCOL

#: Seconds that one look into an environment may take.
SECONDS = 120.0

#: The oldest numpy on which a worker runs.
OLDEST_NUMPY = (1, 21)

SAYS = """import json, kobench.worker.main, kobench.api, kobench.worker.protocol, numpy
print(json.dumps([kobench.api.CONTRACT, kobench.worker.protocol.PROTOCOL, numpy.__version__, kobench.__file__]))"""


def check_environment(environment: Environment, setting: Setting | None = None) -> Iterator[Result]:
    """One {name, status, found} for each check, in their order, with `predictor` where it is about
    one.

    What comes after a check that failed and on which it rests is not made up: the checks of
    predictors are run as far as they are listed.
    """
    try:
        inside = ask_inside(
            environment.python,
            environment.name,
            environment.site,
            environment.base,
            environment.in_place,
        )
    except UserError as error:
        yield _result("interpreter", False, str(error))
        return
    yield _result(
        "interpreter",
        True,
        f"{inside['implementation']} {inside['version']} at {environment.python}",
    )
    yield kobench_there(environment)
    yield from speaks(environment)
    yield pip_check(environment)
    registry = load_registry(fresh=True)
    problems = [problem for problem in registry.problems if problem.environment == environment.name]
    entries = [
        entry
        for listed in registry.predictors.values()
        for entry in listed
        if entry.environment == environment.name
    ]
    said = [
        f"predictors: {', '.join(entry.spec.name for entry in entries) or 'none'}",
        *(problem.message for problem in problems),
    ]
    yield _result(
        "plugins",
        bool(entries) and all(problem.kind in HARMLESS for problem in problems),
        "; ".join(said),
    )
    for entry in entries:
        try:
            results = check_in_child(choose(registry, "predictors", entry.full_name), setting)
        except (UserError, TrialFailed) as error:
            results = [_result("starts", False, str(error))]
        yield from ({**result, "predictor": entry.spec.name} for result in results)


def kobench_there(environment: Environment) -> Result:
    """Whether the files of kobench in an environment are this one's."""
    there = {
        str(path.relative_to(environment.site)): path
        for path in (environment.site / "kobench").rglob("*.py")
        if path.is_file()
    }
    same = digest_of(there) == digest()
    return _result(
        "kobench",
        same,
        (
            "its copy is this kobench"
            if same
            else f"{environment.site / 'kobench'} was changed; make it again"
        ),
    )


def speaks(environment: Environment) -> Iterator[Result]:
    """What the worker's modules say of themselves when that interpreter imports them: contract,
    protocol and numpy.
    """
    ran = run_once(interpreter_of(environment), ["-I", "-c", SAYS], seconds=SECONDS)
    try:
        contract, protocol, numpy, place = json.loads(ran.output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        yield _result(
            "worker",
            False,
            f"its modules can't be imported there: {ran.why or 'they print something else'}",
        )
        return
    same = (contract, protocol) == (CONTRACT, PROTOCOL) and str(place).startswith(
        str(environment.site)
    )
    expected = (
        ""
        if same
        else f"; expected contract {CONTRACT}, protocol {PROTOCOL}, in {environment.site}"
    )
    yield _result(
        "worker", same, visible(f"contract {contract}, protocol {protocol}, in {place}{expected}")
    )
    new = tuple(int(part) for part in re.findall(r"\d+", str(numpy))[:2]) >= OLDEST_NUMPY
    yield _result(
        "numpy", new, visible(f"numpy {numpy}" + ("" if new else "; expected 1.21 or newer"))
    )


def pip_check(environment: Environment) -> Result:
    """Whether all that its packages need is there, in versions that fit."""
    ran = run_once(
        interpreter_of(environment),
        ["-I", "-m", "pip", "check", "--disable-pip-version-check"],
        seconds=SECONDS,
    )
    return _result(
        "packages",
        ran.code == 0,
        visible("; ".join(ran.output.strip().splitlines()[:5]) or ran.why),
    )


def _result(name: str, passed: bool, found: str) -> Result:
    return {"name": name, "status": "passed" if passed else "failed", "found": found}
