"""`kobench check`: the contract of predictors, metrics and datasets as named checks."""

from kobench.worker.checks.checks import CHECKS, ContractTests, assert_contract, run_checks
from kobench.worker.checks.result import CheckResult

__all__ = ["CHECKS", "CheckResult", "ContractTests", "assert_contract", "run_checks"]
