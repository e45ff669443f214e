"""In which order a run shows cells: first what is asked by assemblage alone, of everybody.

What a trial leaves in the machine, such as which pages of a file are in memory, a later trial can
read. So none must have been shown the expression of cells that another is still to predict.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from kobench.question import SETS
from kobench.runner.answers import answerable
from kobench.runner.keys import Group, Trial
from kobench.runner.origins import origins_of
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.work import Place, Work


def holds(request: Request) -> bool:
    """Whether a run is meant to hold against hostile predictors: it requires a sandbox, or has
    secret seeds.
    """
    return request.sandbox == "require" or request.suite_seed is not None


def is_parted(work: Work) -> bool:
    """Whether a run asks in two parts: where it is meant to hold against hostile predictors.

    The second part fits again, which costs time.
    """
    return work.results.staged and any(holds(work.trial(place).request) for place in work.todo)


def in_parts(work: Work) -> list[Work]:
    """The parts in which the work is done, one after the other.

    Parameters
    ----------
    work : Work
        What is to be done.

    Returns
    -------
    list of Work
        One, or two: in the first every predictor of a stranger is asked what it is asked by
        assemblage alone, in the second all the rest. A trial that is in both is fitted in both.
    """
    if not is_parted(work):
        return [work]
    theirs = [place for place in work.todo if is_asked(work, place)]
    origins = {place: origins_of(work.trial(place).dataset) for place in theirs}
    on = Counter(name for names in origins.values() for name in names)
    first: dict[Place, Action] = {}
    later = dict(work.todo)
    trials: dict[Place, Trial] = {}
    for place in theirs:
        trial, action = work.trial(place), work.todo[place]
        answers = trial.predictor.entry.spec.answers
        blind = tuple(name for name in action.asks if SETS[name].by_assemblage)
        rest = tuple(name for name in action.asks if not SETS[name].by_assemblage)
        if not any(answerable(name, answers) for name in blind):
            continue
        if not rest:
            first[place] = later.pop(place)
        elif max(on[name] for name in origins[place]) > 1:
            tasks = tuple(task for task in trial.tasks if task.spec.asks in blind)
            trials[place] = replace(trial, tasks=tasks)
            first[place] = replace(action, asks=blind)
            later[place] = replace(action, kind="ask", asks=rest, keep=True, goes_on=True)
    if not first or not later:
        return [work]
    groups = [with_trials(number, group, trials) for number, group in enumerate(work.groups)]
    return [replace(work, groups=groups, todo=first), replace(work, todo=later)]


def is_asked(work: Work, place: Place) -> bool:
    """Whether a stranger's predictor is asked something at a place."""
    return work.todo[place].kind != "score" and work.trial(place).is_strangers


def with_trials(number: int, group: Group, trials: dict[Place, Trial]) -> Group:
    """A group with other trials at some of its places."""
    every = [
        trials.get((number, place), trial)
        for place, trial in enumerate((*group.basis, *group.trials))
    ]
    floors = len(group.basis)
    return replace(group, basis=tuple(every[:floors]), trials=tuple(every[floors:]))
