"""The name under which authors' tests import `MetricTests` and `DatasetTests`."""

from kobench.checks.testing import DatasetTests, MetricTests

__all__ = ["DatasetTests", "MetricTests"]
