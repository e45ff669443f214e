"""The old name of `kobench.checks.testing`, kept for the tests of plugin authors."""

from kobench.checks.testing import DatasetTests, MetricTests

__all__ = ["DatasetTests", "MetricTests"]
