"""The four hooks by which a plugin offers predictors, datasets, metrics and tasks.

A hook is a function with one of these names, marked with `kobench.api.hookimpl`. It takes no
argument and yields frozen records (specs), or returns a list of them. It imports nothing heavy:
that is for `make`, `load` or `fit` to do.

A distribution names the module that has its hooks in the entry-point group ``kobench``::

    [project.entry-points.kobench]
    my-package = "my_package.plugin"

A single file needs no packaging: ``kobench list --plugin FILE.py``. Each example below is such a
file.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from kobench.specs import DatasetSpec, MetricSpec, PredictorSpec, TaskSpec

hookspec = pluggy.HookspecMarker("kobench")


@hookspec
def kobench_predictors() -> Iterable[PredictorSpec]:
    """Offer predictors.

    Examples
    --------
    ::

        from kobench.api import Param, PredictorSpec, hookimpl, normalise_rows

        class Shrunk:
            def __init__(self, weight=0.5):
                self.weight = weight

            def fit(self, cells, context):
                mean = cells.profiles().mean(axis=0)
                self.shares = self.weight * mean + (1 - self.weight) / len(mean)

            def predict_expression(self, assemblages):
                return normalise_rows(assemblages * self.shares)

        @hookimpl
        def kobench_predictors():
            yield PredictorSpec(
                "shrunk",
                Shrunk,
                summary="mean profile, drawn towards equal shares",
                params={"weight": Param(0.5, "how much the mean counts", low=0.0, high=1.0)},
            )
    """
    return ()


@hookspec
def kobench_datasets() -> Iterable[DatasetSpec]:
    """Offer datasets.

    Examples
    --------
    ::

        import numpy as np

        from kobench.api import Cells, Dataset, DatasetSpec, hookimpl

        def load():
            counts = np.random.default_rng(0).poisson(2.0, (100, 20)).astype(np.float32)
            genes = np.array([f"gene{number}" for number in range(20)])
            return Dataset(Cells(counts, genes), scale="linear", kind="simulated")

        @hookimpl
        def kobench_datasets():
            yield DatasetSpec("toy-counts", load, summary="100 cells of 20 unrelated genes")
    """
    return ()


@hookspec
def kobench_metrics() -> Iterable[MetricSpec]:
    """Offer metrics.

    Examples
    --------
    ::

        import numpy as np

        from kobench.api import MetricSpec, hookimpl

        def largest_error(units):
            return float(np.abs(units.predicted - units.true).max(axis=1).mean())

        @hookimpl
        def kobench_metrics():
            yield MetricSpec(
                "largest-error",
                largest_error,
                of="profile",
                direction="lower",
                best=0.0,
                summary="mean over rows of the largest error of a share",
            )
    """
    return ()


@hookspec
def kobench_tasks() -> Iterable[TaskSpec]:
    """Offer tasks.

    Examples
    --------
    ::

        from kobench.api import ProfileUnits, TaskSpec, TaskUnits, hookimpl

        def first_half(view):
            question, answer = view.question, view.answers.profile
            asked = len(question.rows) // 2
            if answer is None:
                return TaskUnits({}, asked, answered=0)
            units = ProfileUnits(
                predicted=answer[:asked],
                true=question.true[:asked],
                present=question.assemblages[:asked],
                cells=question.rows[:asked],
            )
            return TaskUnits({"": units}, asked, answered=asked)

        @hookimpl
        def kobench_tasks():
            yield TaskSpec(
                "first-half",
                first_half,
                of="profile",
                asks="profile",
                truth="wild-type",
                primary=("bray-curtis",),
                floors=("uniform", "masked-mean"),
                summary="profiles of the first half of the held-out cells",
            )
    """
    return ()
