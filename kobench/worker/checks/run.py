"""Runs named checks one after the other, whatever the tested object raises."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from kobench.errors import InvalidAnswerError
from kobench.worker.checks.result import CheckResult, NotApplicable, NotRun, Wrong, place_of


class UnderTest:
    """What the checks of one predictor, metric or data set share.

    Attributes
    ----------
    compared : int
        How many things the present check has looked at. A check that looked at nothing has failed.
    """

    compared: int = 0

    def why_nothing(self) -> str:
        """Why the present check had nothing to look at; "" where no more is known."""
        return ""


def run_named(
    checks: Mapping[str, Callable[[Any], str]],
    tested: UnderTest,
    only: Collection[str] | None = None,
) -> Iterator[CheckResult]:
    """Run named checks in their order.

    Parameters
    ----------
    checks : mapping of str to callable
        Each check by its name; see `run_check`.
    tested : UnderTest
        What they are run on.
    only : collection of str, optional
        Names of the checks to run; None for all.

    Yields
    ------
    CheckResult
        One result a check. Nothing that a check raises escapes.
    """
    for name, check in checks.items():
        if only is None or name in only:
            yield run_check(name, check, tested)


def run_check(name: str, check: Callable[[Any], str], tested: UnderTest) -> CheckResult:
    """Run one check.

    Parameters
    ----------
    name : str
        Name of the check.
    check : callable
        Takes `tested`, counts in `tested.compared` what it looks at, and returns what it found.
        It raises Wrong, NotApplicable or NotRun, or whatever the tested object raises.
    tested : UnderTest
        What the check is run on.

    Returns
    -------
    CheckResult
        "failed" where the check found something wrong, could not be run, met an exception, or had
        nothing to look at; "skipped" where it does not apply; else "passed".
    """
    tested.compared = 0
    try:
        found = check(tested)
        if not tested.compared:
            why = tested.why_nothing()
            nothing = f"nothing could be compared{': ' if why else ''}{why}"
            return CheckResult(name, "failed", nothing)
        return CheckResult(name, "passed", found)
    except NotApplicable as reason:
        return CheckResult(name, "skipped", str(reason))
    except (Wrong, InvalidAnswerError) as error:
        return CheckResult(name, "failed", str(error))
    except NotRun as reason:
        return CheckResult(name, "failed", f"not run: {reason}")
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}"[:500]
        return CheckResult(name, "failed", said + place_of(error))
