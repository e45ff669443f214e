"""What a run has to do, and which of its processes does what next."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.runner.folder import Results
from kobench.runner.keys import Group, Trial
from kobench.runner.origins import origins_of
from kobench.runner.resume import Action
from kobench.runner.trust import has_strangers

#: Which trial of a run: the number of its group, and its number in the group, floors and lines
#: first.
Place = tuple[int, int]


@dataclass(frozen=True)
class Work:
    """A run as each of its processes is told.

    Attributes
    ----------
    groups : sequence of Group
        The plan.
    todo : dict of Place to Action
        What is to be done, by the trial's place.
    results : Results
        Where the results go.
    """

    groups: Sequence[Group]
    todo: dict[Place, Action]
    results: Results

    def trial(self, place: Place) -> Trial:
        """The trial at a place."""
        group = self.groups[place[0]]
        return (*group.basis, *group.trials)[place[1]]

    @property
    def has_strangers(self) -> bool:
        """Whether code that is not kobench's own sees the truth in any trial that is to be done."""
        return any(has_strangers(self.trial(place)) for place in self.todo)

    def apart(self) -> dict[Place, frozenset[str]]:
        """Which trials must not run side by side: those with common cells, by place.

        They are the trials of strangers where a sandbox is required: side by side one can tell the
        other by what they share of the machine, and of the same cells each may know what is secret
        to the other.
        """
        return {
            place: origins_of(trial.dataset)
            for place in self.todo
            if (trial := self.trial(place)).request.sandbox == "require" and trial.is_strangers
        }

    def with_data(self, strangers: bool = False) -> list[Place]:
        """The first place of each real dataset, of kobench's own or else of strangers."""
        found: dict[str, Place] = {}
        for place in sorted(self.todo):
            dataset = self.groups[place[0]].dataset
            if not dataset.entry.spec.seeded and dataset.trusted != strangers:
                found.setdefault(dataset.selection, place)
        return list(found.values())


def shares_of_processors(jobs: int) -> list[tuple[int, ...]]:
    """On which processors the predictors of each of several jobs compute.

    Every job has its own, as many as each other; where there are fewer than jobs, some share one.
    One job alone has all, which is said by naming none, as on systems that can't tell.
    """
    if jobs <= 1 or not hasattr(os, "sched_getaffinity"):
        return [()] * max(jobs, 1)
    there = sorted(os.sched_getaffinity(0))
    if len(there) < jobs:
        return [(there[job % len(there)],) for job in range(jobs)]
    bounds = [len(there) * job // jobs for job in range(jobs + 1)]
    return [tuple(there[bounds[job] : bounds[job + 1]]) for job in range(jobs)]


class Turns:
    """Which trial comes next for which job, so that data is loaded seldom and no job waits long.

    A job goes on with the group whose data it holds. Then it takes a group that no job has begun,
    then a predictor's trial of another job's group, the last one first. The last trial of a group
    is left to the job that holds it, if only a floor or a line keeps that job from it.

    Parameters
    ----------
    work : Work
        What is to be done.
    apart : mapping of Place to frozenset of str
        See `Work.apart`: no two of these that have something in common are done at a time.
    """

    def __init__(self, work: Work, apart: Mapping[Place, frozenset[str]] | None = None) -> None:
        self.apart = apart or {}
        self.running: dict[int, Place] = {}
        self.left = [
            deque(place for place in sorted(work.todo) if place[0] == number)
            for number in range(len(work.groups))
        ]
        self.new = deque(number for number, places in enumerate(self.left) if places)
        self.floors = [len(group.basis) for group in work.groups]
        self.at: dict[int, Place] = {}

    def next(self, job: int) -> Place | None:
        """The place of a job's next trial; None where there is none to take, or not yet."""
        self.done(job)
        held = self.at.get(job)
        new = next((group for group in self.new if self._may_run(self.left[group][0])), None)
        if held is not None and self.left[held[0]] and self._may_run(self.left[held[0]][0]):
            place = self.left[held[0]].popleft()
        elif new is not None:
            self.new.remove(new)
            place = self.left[new].popleft()
        else:
            most = max(range(len(self.left)), key=self._to_share, default=None)
            if most is None or not self._to_share(most):
                return None
            place = self.left[most].pop()
        self.at[job] = self.running[job] = place
        return place

    def done(self, job: int) -> None:
        """A job is through with its trial."""
        self.running.pop(job, None)

    def _may_run(self, place: Place) -> bool:
        """Whether nothing runs from which a trial must be kept apart."""
        mine = self.apart.get(place, frozenset())
        return not any(mine & self.apart.get(other, frozenset()) for other in self.running.values())

    def _to_share(self, group: int) -> int:
        """How many trials of predictors a second job could take over."""
        trials = sum(number >= self.floors[group] for _, number in self.left[group])
        soon_free = any(
            number < self.floors[group] for at, number in self.at.values() if at == group
        )
        if not trials or not self._may_run(self.left[group][-1]):
            return 0
        return 0 if soon_free and len(self.left[group]) == 1 else trials
