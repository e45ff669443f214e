"""The checks of metrics and data sets for their authors' own tests.

Subclass the tests, say what is tested, and each check is a test for pytest. Those of predictors
are `kobench.checks.ContractTests`, which needs numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from kobench.checks.datasets.catalogue import DATASET_CHECKS
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.checks.metrics.catalogue import METRIC_CHECKS
from kobench.checks.metrics.tested import MetricUnderTest
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.specs import MetricSpec
from kobench.units import Units
from kobench.util.resolve import resolve_reference
from kobench.worker.checks.testing import CheckTests, add_tests

__all__ = ["DatasetTests", "MetricTests"]


class MetricTests(CheckTests):
    """Every check of metrics as a test of its own.

    Attributes
    ----------
    spec : MetricSpec
        The metric.
    examples : sequence of Units
        Units of its kind beside the made-up ones, for a metric that can't be computed for those.
    """

    spec: MetricSpec
    examples: Sequence[Units] = ()

    def _make_tested(self) -> MetricUnderTest:
        score = self.spec.score
        if isinstance(score, str):
            score = resolve_reference(score)
        return MetricUnderTest(spec=self.spec, score=score, examples=self.examples)


class DatasetTests(CheckTests):
    """Every check of data sets as a test of its own.

    Attributes
    ----------
    name : str
        As on the command line, `name:key=value,...`. Choose a small one, as it is loaded five
        times.
    plugin_files : sequence of str
        Single files that offer it, where it is not installed.
    dataset_folders : sequence of str
        Folders with its card.
    """

    name: str
    plugin_files: Sequence[str] = ()
    dataset_folders: Sequence[str] = ()

    def _make_tested(self) -> DatasetUnderTest:
        registry = load_registry(self.plugin_files, self.dataset_folders)
        chosen = choose(registry, "datasets", self.name)
        return DatasetUnderTest(registry, chosen, self.plugin_files, self.dataset_folders)


add_tests(MetricTests, METRIC_CHECKS)
add_tests(DatasetTests, DATASET_CHECKS)
