"""The built-in datasets, tasks, metrics and floors, by the same hooks as a stranger's plugin."""

from kobench.builtin.plugin import (
    kobench_datasets,
    kobench_metrics,
    kobench_predictors,
    kobench_tasks,
)

__all__ = ["kobench_datasets", "kobench_metrics", "kobench_predictors", "kobench_tasks"]
