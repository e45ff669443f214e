"""The checks of metrics and data sets as tests of their authors: subclass, say which one it is, and
each check is a test for pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest import SkipTest

from kobench.checks.datasets.checks import DATASET_CHECKS, DatasetBench
from kobench.checks.metrics.bench import MetricBench
from kobench.checks.metrics.checks import METRIC_CHECKS
from kobench.checks.run import Bench, run_one
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.specs import MetricSpec
from kobench.units import Units
from kobench.util.resolve import resolve_reference


class _Tests:
    """Tests that share one bench, made by the first of them."""

    _bench: Bench | None = None

    def _make(self) -> Bench:
        raise NotImplementedError

    def _check(self, name: str, check: Callable[[Any], str]) -> None:
        mine = type(self)
        if mine.__dict__.get("_bench") is None:  # not a parent's
            mine._bench = self._make()
        assert mine._bench is not None
        result = run_one(name, check, mine._bench)
        if result.status == "skipped":
            raise SkipTest(result.found)
        assert result.status == "passed", f"{name}: {result.found}"


class MetricTests(_Tests):
    """Every check of metrics as a test of its own.

    spec : the metric's. examples : units of its kind beside the made-up ones, for a metric that
    needs others.
    """

    spec: MetricSpec
    examples: Sequence[Units] = ()

    def _make(self) -> Bench:
        score = (
            resolve_reference(self.spec.score)
            if isinstance(self.spec.score, str)
            else self.spec.score
        )
        return MetricBench(spec=self.spec, score=score, examples=self.examples)


class DatasetTests(_Tests):
    """Every check of data sets as a test of its own.

    name : as on the command line, `name:key=value,...`; choose a small one, it is loaded five
    times. plugin_files : single files that offer it where it is not installed. dataset_folders :
    folders with its card.
    """

    name: str
    plugin_files: Sequence[str] = ()
    dataset_folders: Sequence[str] = ()

    def _make(self) -> Bench:
        registry = load_registry(self.plugin_files, self.dataset_folders)
        return DatasetBench(
            registry,
            choose(registry, "datasets", self.name),
            self.plugin_files,
            self.dataset_folders,
        )


def _test_of(name: str, check: Callable[[Any], str]) -> Callable[[_Tests], None]:
    def test(self: _Tests) -> None:
        self._check(name, check)

    test.__doc__ = check.__doc__
    return test


def _add(tests: type[_Tests], checks: Mapping[str, Callable[[Any], str]]) -> None:
    for name, check in checks.items():
        setattr(tests, f"test_{name.replace('-', '_')}", _test_of(name, check))


_add(MetricTests, METRIC_CHECKS)
_add(DatasetTests, DATASET_CHECKS)
