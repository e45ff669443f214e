"""The checks of predictors for a plugin author's own tests.

The whole test file of a predictor::

    from kobench.checks import ContractTests
    from my_package import MyPredictor

    class TestContract(ContractTests):
        make = MyPredictor
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from unittest import SkipTest

from kobench.api import answer_kinds
from kobench.cells import Cells
from kobench.worker.checks.catalogue import CHECKS, run_checks
from kobench.worker.checks.examples import example_cells
from kobench.worker.checks.run import UnderTest, run_check
from kobench.worker.checks.tested import PredictorUnderTest


def assert_contract(
    make: Callable[[], Any],
    answers: Sequence[str] | None = None,
    wants: str = "dense",
    seed: int = 0,
    cells: Cells | None = None,
    only: Collection[str] | None = None,
    order_matters: bool = False,
    max_order: int | None = None,
    prior: str = "",
) -> None:
    """Run the checks of predictors and raise an AssertionError that lists those that failed.

    Parameters
    ----------
    make : callable
        The class, or a function that returns a new predictor.
    answers : sequence of str, optional
        The answer kinds that it declares; read off its methods if None.
    wants, seed, cells, only, order_matters, max_order, prior
        See `run_checks`.

    Raises
    ------
    AssertionError
        If a check failed.
    ValueError
        If `only` names a check that does not exist.

    Examples
    --------
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
    answers = _answers_of(make) if answers is None else answers
    results = run_checks(make, answers, wants, seed, cells, only, order_matters, max_order, prior)
    failed = [result for result in results if result.status == "failed"]
    if failed:
        raise AssertionError(
            "the contract is broken:\n"
            + "\n".join(f"  {result.name}: {result.found}" for result in failed)
        )


class CheckTests:
    """Tests that share one tested object, which the first of them makes."""

    _tested: UnderTest | None = None

    def _make_tested(self) -> UnderTest:
        raise NotImplementedError

    def _check(self, name: str, check: Callable[[Any], str]) -> None:
        mine = type(self)
        if mine.__dict__.get("_tested") is None:  # that of a parent class is not this one's
            mine._tested = self._make_tested()
        assert mine._tested is not None
        result = run_check(name, check, mine._tested)
        if result.status == "skipped":
            raise SkipTest(result.found)  # pytest knows it, and need not be installed here
        assert result.status == "passed", f"{name}: {result.found}"


def add_tests(tests: type[CheckTests], checks: Mapping[str, Callable[[Any], str]]) -> None:
    """Give a class of tests one test method for each check, `test_` and its name.

    Parameters
    ----------
    tests : type
        A subclass of `CheckTests`.
    checks : mapping of str to callable
        Each check by its name.
    """
    for name, check in checks.items():
        setattr(tests, f"test_{name.replace('-', '_')}", _test_of(name, check))


def _test_of(name: str, check: Callable[[Any], str]) -> Callable[[CheckTests], None]:
    """A test method that runs one check."""

    def test(self: CheckTests) -> None:
        self._check(name, check)

    test.__doc__ = check.__doc__
    return test


class ContractTests(CheckTests):
    """Every check of predictors as a test of its own, for pytest.

    Subclass it and set `make`, and what else the predictor's spec declares. A check that does not
    apply is a skipped test. All tests share the fits, so they take no longer than
    `assert_contract`.

    Attributes
    ----------
    make : callable
        The class, or a function that returns a new predictor.
    answers : sequence of str, optional
        The answer kinds that it declares; read off its methods if None.
    wants, seed, cells, order_matters, max_order, prior
        See `run_checks`.
    """

    make: Callable[[], Any]
    answers: Sequence[str] | None = None
    wants: str = "dense"
    seed: int = 0
    cells: Cells | None = None
    order_matters: bool = False
    max_order: int | None = None
    prior: str = ""

    def _make_tested(self) -> PredictorUnderTest:
        mine = type(self)
        make: Any = mine.make  # not self.make, which would bind a function to this object
        return PredictorUnderTest(
            make,
            tuple(_answers_of(make) if mine.answers is None else mine.answers),
            mine.wants,
            mine.seed,
            example_cells(mine.seed) if mine.cells is None else mine.cells,
            mine.order_matters,
            mine.max_order,
            mine.prior,
        )


def _answers_of(make: Callable[[], Any]) -> tuple[str, ...]:
    """The answer kinds that the methods of a predictor give."""
    return tuple(answer_kinds(make if isinstance(make, type) else type(make())))


add_tests(ContractTests, CHECKS)
