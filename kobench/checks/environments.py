"""`kobench env check`: checks an environment, and each of its predictors in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kobench.api import CONTRACT
from kobench.checks.predictors import Result, Setting, check_predictor
from kobench.environments.environment import Environment
from kobench.environments.lock import LOCK, lock_of, read_lock
from kobench.environments.own import digest, digest_of
from kobench.environments.seen import ask_inside
from kobench.errors import TrialFailed, UserError
from kobench.plugins.chosen import choose
from kobench.plugins.environments import interpreter_of
from kobench.plugins.hidden import kept_from
from kobench.plugins.load import load_registry
from kobench.plugins.sources import HARMLESS
from kobench.sandbox.once import Ran
from kobench.supervisor.held import run_held
from kobench.util.text import visible
from kobench.worker.protocol import PROTOCOL

#: Seconds that one program run in an environment may take.
SECONDS = 120.0

#: The oldest numpy on which a worker runs.
OLDEST_NUMPY = (1, 21)

#: Run in an environment: prints the contract and protocol of its kobench, and where that is.
SAYS = """import json, numpy
import kobench.api, kobench.worker.main, kobench.worker.protocol
versions = [kobench.api.CONTRACT, kobench.worker.protocol.PROTOCOL, numpy.__version__]
print(json.dumps([*versions, kobench.__file__]))"""


def check_environment(environment: Environment, setting: Setting | None = None) -> Iterator[Result]:
    """Check an environment and the predictors in it.

    Parameters
    ----------
    environment : Environment
        What is checked.
    setting : Setting, optional
        How the processes that check its predictors are started.

    Yields
    ------
    dict
        One {"name", "status", "found"} a check, in their order, with "predictor" where it is about
        one. Without an interpreter there are no further checks; of the predictors, those that are
        listed are checked.
    """
    try:
        inside = ask_inside(
            environment.behind,
            environment.name,
            environment.prefix,
            environment.site,
            environment.in_place,
        )
        why = _run(environment, ["-I", "-S", "-c", "pass"]).why
    except UserError as error:
        yield _result("interpreter", False, str(error))
        return
    python = f"{inside['implementation']} {inside['version']} at {environment.python}"
    yield _result("interpreter", not why, f"{python}: {why}" if why else python)
    if why:
        return
    yield kobench_there(environment)
    yield from speaks(environment)
    yield pip_check(environment)
    yield as_locked(environment, inside)
    yield from _plugins_and_predictors(environment, setting)


def _plugins_and_predictors(environment: Environment, setting: Setting | None) -> Iterator[Result]:
    """Whether its plugins can be listed, then the checks of each predictor among them."""
    registry = load_registry(fresh=True)
    problems = registry.problems_in(environment.name)
    entries = registry.predictors_in(environment.name)
    usable = bool(entries) and all(problem.kind in HARMLESS for problem in problems)
    names = ", ".join(entry.spec.name for entry in entries) or "none"
    found = [f"predictors: {names}", *(problem.message for problem in problems)]
    yield _result("plugins", usable, "; ".join(found))
    for entry in entries:
        try:
            results = check_predictor(choose(registry, "predictors", entry.full_name), setting)
        except (UserError, TrialFailed) as error:
            results = [_result("starts", False, str(error))]
        yield from ({**result, "predictor": entry.spec.name} for result in results)


def kobench_there(environment: Environment) -> Result:
    """Whether the files of kobench in an environment are this kobench's."""
    there = {
        str(path.relative_to(environment.site)): path
        for path in (environment.site / "kobench").rglob("*.py")
        if path.is_file()
    }
    if digest_of(there) == digest():
        return _result("kobench", True, "its copy is this kobench")
    changed = environment.site / "kobench"
    return _result("kobench", False, f"{changed} was changed; make it again")


def speaks(environment: Environment) -> Iterator[Result]:
    """Whether a worker in an environment speaks this kobench's contract, protocol and numpy."""
    ran = _run(environment, ["-I", "-c", SAYS])
    try:
        contract, protocol, numpy, place = json.loads(ran.output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        why = ran.why or "they print something else"
        yield _result("worker", False, f"its modules can't be imported there: {why}")
        return
    same = (contract, protocol) == (CONTRACT, PROTOCOL)
    same = same and str(place).startswith(str(environment.site))
    found = f"contract {contract}, protocol {protocol}, in {place}"
    if not same:
        found += f"; expected contract {CONTRACT}, protocol {PROTOCOL}, in {environment.site}"
    yield _result("worker", same, visible(found))
    new = tuple(int(part) for part in re.findall(r"\d+", str(numpy))[:2]) >= OLDEST_NUMPY
    found = f"numpy {numpy}" + ("" if new else "; expected 1.21 or newer")
    yield _result("numpy", new, visible(found))


def pip_check(environment: Environment) -> Result:
    """Whether all that the packages of an environment need is there, in versions that fit."""
    ran = _run(environment, ["-I", "-m", "pip", "check", "--disable-pip-version-check"])
    found = "; ".join(ran.output.strip().splitlines()[:5]) or ran.why
    return _result("packages", ran.code == 0, visible(found))


def as_locked(environment: Environment, inside: Mapping[str, Any]) -> Result:
    """Whether what is installed is what the lock file says; installing more later is no fault."""
    file = environment.folder / LOCK
    if "lock" not in environment.about:
        found = "it was made before environments had lock files; --replace writes one"
        return {"name": "lock", "status": "skipped", "found": found}
    try:
        lock = read_lock(file)
    except UserError as error:
        return _result("lock", False, str(error))
    if lock.digest != environment.about["lock"]:
        return _result("lock", False, f"{file} was changed; make the environment again")
    changed = sorted(set(lock.lines) ^ set(lock_of(inside, {}).lines))
    if changed:
        found = f"since it was made, these have come or gone: {visible(', '.join(changed), 300)}"
        return {"name": "lock", "status": "skipped", "found": found}
    return _result("lock", True, f"{len(lock.lines)} distributions, as {file} says")


def _run(environment: Environment, arguments: Sequence[str]) -> Ran:
    """Run an environment's interpreter, from which is hidden what is hidden from all plugins."""
    interpreter = interpreter_of(environment)
    return run_held(interpreter, arguments, (), SECONDS, hidden=kept_from(interpreter))


def _result(name: str, passed: bool, found: str) -> Result:
    """One check's {"name", "status", "found"}."""
    return {"name": name, "status": "passed" if passed else "failed", "found": found}
