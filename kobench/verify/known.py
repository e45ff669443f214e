"""What kobench knows here of tasks, metrics and predictors that records name."""

from __future__ import annotations

from dataclasses import dataclass, field

from kobench.errors import UserError
from kobench.plugins.chosen import Task
from kobench.plugins.load import Registry
from kobench.runner.request import Request
from kobench.runner.tasks import find_tasks
from kobench.specs import MetricSpec


@dataclass
class Known:
    """Kobench's own tasks, metrics and predictors, as they are declared here.

    Strangers' are not among them: what these declare is their own word.

    Attributes
    ----------
    registry : Registry
        Everything that is installed.
    """

    registry: Registry
    _tasks: dict[str, Task | None] = field(default_factory=dict)
    _metrics: dict[tuple[str, str], MetricSpec | None] = field(default_factory=dict)
    _brought: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def task(self, name: str) -> Task | None:
        """A task of kobench's own with its metrics, None for another."""
        if name not in self._tasks:
            self._tasks[name] = self._found(name)
        return self._tasks[name]

    def _found(self, name: str) -> Task | None:
        try:
            if not self.registry.find("tasks", name).trusted:
                return None
            (task,) = find_tasks(self.registry, Request((), (), tasks=[name]), lambda _: None)
        except UserError:
            return None
        return task

    def metric(self, task: str, shown: str) -> MetricSpec | None:
        """A metric of kobench's own by the task that it scores and its shown name, else None."""
        key = task, shown
        if key not in self._metrics:
            self._metrics[key] = self._metric(task, shown)
        return self._metrics[key]

    def _metric(self, task: str, shown: str) -> MetricSpec | None:
        found = self.task(task)
        entry = None if found is None else found.named_metrics.get(shown.partition("[")[0])
        return None if entry is None else entry.spec

    def names_of(self, distribution: str, version: str) -> frozenset[str]:
        """The predictors that a distribution brings, where it is installed here in that version.

        Empty where it is not.
        """
        key = (distribution, version.partition("/")[0])
        if key not in self._brought:
            entries = [entry for found in self.registry.predictors.values() for entry in found]
            self._brought[key] = frozenset(
                entry.spec.name for entry in entries if (entry.distribution, entry.version) == key
            )
        return self._brought[key]

    def ranks_by_impacts(self, predictor: str) -> bool:
        """Whether a predictor of kobench's own gives no ranking of genes beside its impacts."""
        try:
            entry = self.registry.find("predictors", predictor)
        except UserError:
            return False
        return entry.trusted and "genes" not in entry.spec.answers
