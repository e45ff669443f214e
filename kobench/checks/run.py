"""Runs named checks of datasets and metrics, one after the other, whatever they raise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kobench.worker.checks.kit import NotApplicable, Wrong
from kobench.worker.checks.result import CheckResult


@dataclass
class Bench:
    """What checks share. compared : what the present check has looked at; a check that looked at
    nothing has failed.
    """

    compared: int = field(default=0, kw_only=True)


class NotRun(Exception):  # noqa: N818 - a finding
    """Why a check could not run at all."""


def run_named(
    checks: Mapping[str, Callable[[Any], str]], bench: Bench, only: Collection[str] | None = None
) -> Iterator[CheckResult]:
    """The results of the named checks, in their order; nothing that is raised escapes."""
    for name, check in checks.items():
        if only is None or name in only:
            yield run_one(name, check, bench)


def run_one(name: str, check: Callable[[Any], str], bench: Bench) -> CheckResult:
    """The result of one check."""
    bench.compared = 0
    try:
        found = check(bench)
    except NotApplicable as reason:
        return CheckResult(name, "skipped", str(reason))
    except Wrong as error:
        return CheckResult(name, "failed", str(error))
    except NotRun as reason:
        return CheckResult(name, "failed", f"not run: {reason}")
    except (Exception, SystemExit) as error:
        return CheckResult(name, "failed", f"{type(error).__name__}: {error}"[:500])
    if not bench.compared:
        return CheckResult(name, "failed", "nothing could be compared")
    return CheckResult(name, "passed", found)
