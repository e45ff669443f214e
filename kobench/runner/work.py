"""What a run has to do, and which of its processes does what next."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kobench.runner.keys import Group, Trial
from kobench.runner.reach import Hidden
from kobench.runner.resume import Action
from kobench.runner.trust import has_strangers
from kobench.util.lock_file import Claim

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
    folder : Path
        The results folder.
    staged : bool
        See `kobench.runner.answers.get_answers`.
    hidden : Hidden
        What predictors must not read.
    claim : Claim or None
        The lock of the results folder.
    """

    groups: Sequence[Group]
    todo: dict[Place, Action]
    folder: Path
    staged: bool = True
    hidden: Hidden = field(default_factory=Hidden)
    claim: Claim | None = None

    def trial(self, place: Place) -> Trial:
        """The trial at a place."""
        group = self.groups[place[0]]
        return (*group.basis, *group.trials)[place[1]]

    @property
    def has_strangers(self) -> bool:
        """Whether code that is not kobench's own sees the truth in any trial that is to be done."""
        return any(has_strangers(self.trial(place)) for place in self.todo)

    def with_data(self, strangers: bool = False) -> list[Place]:
        """The first place of each real dataset, of kobench's own or else of strangers."""
        found: dict[str, Place] = {}
        for place in sorted(self.todo):
            dataset = self.groups[place[0]].dataset
            if not dataset.entry.spec.seeded and dataset.trusted != strangers:
                found.setdefault(dataset.selection, place)
        return list(found.values())


class Turns:
    """Which trial comes next for which job, so that data is loaded seldom and no job waits long.

    A job goes on with the group whose data it holds. Then it takes a group that no job has begun,
    then a predictor's trial of another job's group, the last one first. The last trial of a group
    is left to the job that holds it, if only a floor or a line keeps that job from it.
    """

    def __init__(self, work: Work) -> None:
        self.left = [
            deque(place for place in sorted(work.todo) if place[0] == number)
            for number in range(len(work.groups))
        ]
        self.new = deque(number for number, places in enumerate(self.left) if places)
        self.floors = [len(group.basis) for group in work.groups]
        self.at: dict[int, Place] = {}

    def next(self, job: int) -> Place | None:
        """The place of a job's next trial; None where there is none to take."""
        held = self.at.get(job)
        if held is not None and self.left[held[0]]:
            place = self.left[held[0]].popleft()
        elif self.new:
            place = self.left[self.new.popleft()].popleft()
        else:
            most = max(range(len(self.left)), key=self._to_share, default=None)
            if most is None or not self._to_share(most):
                return None
            place = self.left[most].pop()
        self.at[job] = place
        return place

    def _to_share(self, group: int) -> int:
        """How many trials of predictors a second job could take over."""
        trials = sum(number >= self.floors[group] for _, number in self.left[group])
        soon_free = any(
            number < self.floors[group] for at, number in self.at.values() if at == group
        )
        return 0 if soon_free and len(self.left[group]) == 1 else trials
