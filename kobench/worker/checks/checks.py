"""The contract as named checks on a few made-up cells: `kobench check`, our tests and a plugin
author's tests share them.

A plugin author's whole test file::

    from kobench.checks import ContractTests
    from my_package import MyPredictor

    class TestContract(ContractTests):
        make = MyPredictor
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any
from unittest import SkipTest

from kobench.api import answer_kinds
from kobench.cells import Cells
from kobench.errors import InvalidAnswerError
from kobench.worker.checks import behaviour, contract
from kobench.worker.checks.kit import Kit, NotApplicable, Wrong, example_cells
from kobench.worker.checks.result import CheckResult, place_of

__all__ = ["CHECKS", "CheckResult", "ContractTests", "assert_contract", "run_checks"]

#: Every check by its name, in the order in which they run.
CHECKS: dict[str, Callable[[Kit], str]] = {
    "fits": contract.fits,
    "answers-given": contract.answers_given,
    "shape": contract.shape,
    "numbers": contract.numbers,
    "finite": contract.finite,
    "non-negative": contract.non_negative,
    "rows-sum-to-one": contract.rows_sum_to_one,
    "removed-gene-is-zero": contract.removed_gene_is_zero,
    "order-zero": contract.order_zero,
    "impact-agrees": contract.impact_agrees,
    "impacts-vary": contract.impacts_vary,
    "repeatable": behaviour.repeatable,
    "same-seed": behaviour.same_seed,
    "permuted-events": behaviour.permuted_events,
    "permuted-genes": behaviour.permuted_genes,
    "one-cell": behaviour.one_cell,
    "one-gene": behaviour.one_gene,
    "two-genes": behaviour.two_genes,
    "sparse-and-dense": behaviour.sparse_and_dense,
    "unsupported-genes": behaviour.unsupported_genes,
    "input-unchanged": behaviour.input_unchanged,
    "global-random-state": behaviour.global_random_state,
}


def run_checks(
    make: Callable[[], Any],
    answers: Sequence[str],
    wants: str = "dense",
    seed: int = 0,
    cells: Cells | None = None,
    only: Collection[str] | None = None,
    order_matters: bool = False,
    max_order: int | None = None,
) -> Iterator[CheckResult]:
    """Run the named checks one after the other; at most five fits, each on 80 cells x 12 genes
    unless `cells` says otherwise.

    make : returns a new predictor. answers : the answer kinds it declares. wants, order_matters,
    max_order : see `PredictorSpec`. cells : training cells, dense, the last 6 of which are kept for
    questions. only : names of checks, None for all. Nothing that the predictor raises escapes. A
    check that had nothing to compare has failed; "skipped" is one that does not apply to these
    answer kinds.
    """
    kit = Kit(
        make,
        tuple(answers),
        wants,
        seed,
        example_cells(seed) if cells is None else cells,
        order_matters,
        max_order,
    )
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
        return CheckResult(
            name, "failed", f"{type(error).__name__}: {error}"[:500] + place_of(error)
        )
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
    order_matters: bool = False,
    max_order: int | None = None,
) -> None:
    """Raise AssertionError that lists every check that failed.

    `answers` is read off the predictor's methods when not given.

    >>> class Uniform:
    ...     def fit(self, cells, context): ...
    ...     def predict_expression(self, assemblages):
    ...         return assemblages / assemblages.sum(axis=1, keepdims=True)
    >>> assert_contract(Uniform)
    """
    unknown = set(only or ()) - set(CHECKS)
    if unknown:
        raise ValueError(
            f"there is no check {sorted(unknown)[0]!r}; the checks are {', '.join(CHECKS)}"
        )
    if answers is None:
        answers = answer_kinds(make if isinstance(make, type) else type(make()))
    results = run_checks(make, answers, wants, seed, cells, only, order_matters, max_order)
    failed = [result for result in results if result.status == "failed"]
    if failed:
        raise AssertionError(
            "the contract is broken:\n"
            + "\n".join(f"  {result.name}: {result.found}" for result in failed)
        )


class ContractTests:
    """Every check as a test of its own, for pytest: subclass it, set `make`, and what else the
    predictor's spec declares.

    make : the class, or a function that returns a new predictor. The others as for `run_checks`;
    `answers` is read off the methods where it is None. All tests share the fits, so they take no
    longer than `assert_contract`. What does not apply is a skipped test.
    """

    make: Callable[[], Any]
    answers: Sequence[str] | None = None
    wants: str = "dense"
    seed: int = 0
    cells: Cells | None = None
    order_matters: bool = False
    max_order: int | None = None
    _kit: Kit | None = None

    def _check(self, name: str) -> None:
        mine = type(self)
        if mine.__dict__.get("_kit") is None:  # not a parent's
            make: Any = mine.make  # not self.make, which would bind a function to this object
            answers = (
                answer_kinds(make if isinstance(make, type) else type(make()))
                if mine.answers is None
                else mine.answers
            )
            cells = example_cells(mine.seed) if mine.cells is None else mine.cells
            mine._kit = Kit(
                make,
                tuple(answers),
                mine.wants,
                mine.seed,
                cells,
                mine.order_matters,
                mine.max_order,
            )
        assert mine._kit is not None
        result = _run(name, CHECKS[name], mine._kit)
        if result.status == "skipped":
            raise SkipTest(
                result.found
            )  # pytest knows it, and needs not be there for `kobench check`
        assert result.status == "passed", f"{name}: {result.found}"


def _test_of(name: str) -> Callable[[ContractTests], None]:
    def test(self: ContractTests) -> None:
        self._check(name)

    test.__doc__ = CHECKS[name].__doc__
    return test


for _name in CHECKS:
    setattr(ContractTests, f"test_{_name.replace('-', '_')}", _test_of(_name))
