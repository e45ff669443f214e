"""The built-in datasets, tasks, metrics and floors, registered by the same hooks as a stranger's
plugin.
"""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import DatasetSpec, MetricSpec, PredictorSpec, TaskSpec, hookimpl
from kobench.builtin.datasets.grn.spec import grn_spec, planted_spec
from kobench.builtin.specs.datasets import h5ad_spec, pbmc_spec, table_spec
from kobench.builtin.specs.interaction import (
    interaction_floor_specs,
    interaction_metric_specs,
    interaction_task_specs,
)
from kobench.builtin.specs.singles import floor_specs, metric_specs, task_specs
from kobench.builtin.specs.transfer import transfer_spec


@hookimpl
def kobench_datasets() -> Iterator[DatasetSpec]:
    """Simulated networks, and the loaders of real data that cards build on."""
    yield grn_spec()
    yield planted_spec()
    yield table_spec()
    yield h5ad_spec()
    yield pbmc_spec()


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """The floors: ordinary predictors, only trivial."""
    yield from floor_specs()
    yield from interaction_floor_specs()


@hookimpl
def kobench_metrics() -> Iterator[MetricSpec]:
    """The built-in metrics."""
    yield from metric_specs()
    yield from interaction_metric_specs()


@hookimpl
def kobench_tasks() -> Iterator[TaskSpec]:
    """The built-in tasks."""
    yield from task_specs()
    yield from interaction_task_specs()
    yield transfer_spec()
