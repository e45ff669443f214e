"""The four hooks.

A distribution offers them through the entry-point group `kobench`; a single file through
`--plugin`.

[project.entry-points.kobench]
my-package = "my_package.plugin"
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from kobench.specs import DatasetSpec, MetricSpec, PredictorSpec, TaskSpec

hookspec = pluggy.HookspecMarker("kobench")


class Hooks:
    """Every hook takes no argument and yields frozen records.

    Import heavy packages inside `make` or `fit`, not here.
    """

    @hookspec
    def kobench_datasets(self) -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
        """Datasets::

        @hookimpl
        def kobench_datasets():
            yield DatasetSpec("toy", "my_package.toy:load", summary="ten cells, three genes")
        """

    @hookspec
    def kobench_predictors(self) -> Iterable[PredictorSpec]:  # type: ignore[empty-body]
        """Predictors::

        @hookimpl
        def kobench_predictors():
            yield PredictorSpec("mine", MyPredictor, summary="what it does in one line")
        """

    @hookspec
    def kobench_metrics(self) -> Iterable[MetricSpec]:  # type: ignore[empty-body]
        """Metrics::

        @hookimpl
        def kobench_metrics():
            yield MetricSpec("median-error", "my_package.metrics:median_error", of="profile",
            direction="lower", best=0.0)
        """

    @hookspec
    def kobench_tasks(self) -> Iterable[TaskSpec]:  # type: ignore[empty-body]
        """Tasks::

        @hookimpl
        def kobench_tasks():
            yield TaskSpec("loudest-gene", "my_package.tasks:units", of="ranking", asks="singles",
                           truth="counterfactual", primary=("spearman",), floors=("abundance",))
        """
