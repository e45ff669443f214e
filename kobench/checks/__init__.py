"""The contract as named checks on a few made-up cells: `kobench check`, our tests and a plugin author's tests share them.

A plugin author's whole test file::

    import pytest
    from kobench.checks import CHECKS, assert_contract
    from my_package import MyPredictor

    @pytest.mark.parametrize("check", CHECKS)
    def test_contract(check):
        assert_contract(MyPredictor, only=[check])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kobench.api import answer_kinds
from kobench.cells import Cells
from kobench.checks.contract import CHECKS
from kobench.checks.kit import Kit, NotApplicable, Wrong, example_cells
from kobench.errors import InvalidAnswerError

__all__ = ["CHECKS", "CheckResult", "assert_contract", "run_checks"]


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check. found : what was measured, what is wrong, or why it does not apply."""

    name: str
    status: Literal["passed", "failed", "skipped"]
    found: str


def run_checks(
    make: Callable[[], Any],
    answers: Sequence[str],
    wants: str = "dense",
    seed: int = 0,
    cells: Cells | None = None,
    only: Collection[str] | None = None,
) -> Iterator[CheckResult]:
    """Run the named checks one after the other; at most two fits, each on 80 cells x 12 genes unless `cells` says otherwise.

    make : returns a new predictor. answers : the answer kinds it declares. wants : see `PredictorSpec.wants`. cells : training cells,
    dense, the last 6 of which are kept for questions. only : names of checks, None for all. Nothing that the predictor raises
    escapes. A check that had nothing to compare has failed; "skipped" is one that does not apply to these answer kinds.
    """
    kit = Kit(make, tuple(answers), wants, seed, example_cells(seed) if cells is None else cells)
    for name, check in CHECKS.items():
        if only is None or name in only:
            yield _run(name, check, kit)


def _run(name: str, check: Callable[[Kit], str], kit: Kit) -> CheckResult:
    kit.compared = 0
    try:
        found = check(kit)
    except NotApplicable as reason:
        return CheckResult(name, "skipped", str(reason))
    except (Wrong, InvalidAnswerError) as error:
        return CheckResult(name, "failed", str(error))
    except (Exception, SystemExit) as error:
        if name != "fits" and error is kit.failure:
            return CheckResult(name, "failed", "not run: there is no fitted predictor")
        return CheckResult(name, "failed", f"{type(error).__name__}: {error}"[:500])
    if not kit.compared:
        return CheckResult(name, "failed", f"nothing could be compared: {kit.why_nothing()}")
    return CheckResult(name, "passed", found)


def assert_contract(
    make: Callable[[], Any],
    answers: Sequence[str] | None = None,
    wants: str = "dense",
    seed: int = 0,
    cells: Cells | None = None,
    only: Collection[str] | None = None,
) -> None:
    """Raise AssertionError that lists every check that failed. `answers` is read off the predictor's methods when not given.

    >>> class Uniform:
    ...     def fit(self, cells, context): ...
    ...     def predict_expression(self, assemblages):
    ...         return assemblages / assemblages.sum(axis=1, keepdims=True)
    >>> assert_contract(Uniform)
    """
    unknown = set(only or ()) - set(CHECKS)
    if unknown:
        raise ValueError(f"there is no check {sorted(unknown)[0]!r}; the checks are {', '.join(CHECKS)}")
    if answers is None:
        answers = answer_kinds(make if isinstance(make, type) else type(make()))
    failed = [result for result in run_checks(make, answers, wants, seed, cells, only) if result.status == "failed"]
    if failed:
        raise AssertionError("the contract is broken:\n" + "\n".join(f"  {result.name}: {result.found}" for result in failed))
