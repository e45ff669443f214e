"""The hooks of the built-in datasets, tasks, metrics and floors, as any plugin has them."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import DatasetSpec, MetricSpec, PredictorSpec, TaskSpec, hookimpl
from kobench.builtin.specs.datasets import dataset_specs
from kobench.builtin.specs.floors import floor_specs
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs


@hookimpl
def kobench_datasets() -> Iterator[DatasetSpec]:
    """Simulated networks, and the loaders of real data that cards build on."""
    return dataset_specs()


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """The floors: ordinary predictors, only trivial."""
    return floor_specs()


@hookimpl
def kobench_metrics() -> Iterator[MetricSpec]:
    """The built-in metrics."""
    return metric_specs()


@hookimpl
def kobench_tasks() -> Iterator[TaskSpec]:
    """The built-in tasks."""
    return task_specs()
