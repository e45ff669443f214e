"""The checks of predictors, metrics and data sets; this face needs numpy alone, Python 3.9.

The checks of predictors are in `kobench.worker.checks` and run in a worker. Those of metrics and
data sets are in this package and run in the harness; `kobench.checks.testing` has their tests.
"""

from kobench.worker.checks.catalogue import CHECKS, run_checks
from kobench.worker.checks.result import CheckResult
from kobench.worker.checks.testing import ContractTests, assert_contract

__all__ = ["CHECKS", "CheckResult", "ContractTests", "assert_contract", "run_checks"]
