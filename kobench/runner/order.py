"""In which order a run shows cells: first what is asked by assemblage alone, of everybody.

What a trial leaves in the machine, such as which pages of a file are in memory, a later trial can
read. So none must have been shown the expression of cells that another is still to predict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from kobench.errors import BAD
from kobench.question import SETS
from kobench.results.parts import Record
from kobench.runner.answers import answerable
from kobench.runner.keys import Group, Trial
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.work import Place, Work, origins_of


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


#: Why a failure is not tried again.
TOO_LATE = "others have been shown these cells since it failed"


def too_late(
    trial: Trial, action: Action, record: Record | None, shown: Callable[[], frozenset[str]]
) -> bool:
    """Whether a trial that failed may not be asked by assemblage any more.

    In a run that is to hold, whoever fails in the first part could be told, when it is tried again,
    what others were shown in the second.

    Parameters
    ----------
    trial, action, record
        The trial, what was to be done for it, and its record.
    shown : callable
        Says of which datasets strangers have been shown the expression of cells, see `shown_in`.
    """
    if record is None or record.result.status not in BAD or action.kind not in ("fit", "ask"):
        return False
    answers = trial.predictor.entry.spec.answers
    blind = [name for name in action.asks if SETS[name].by_assemblage]
    return (
        trial.is_strangers
        and holds(trial.request)
        and any(answerable(name, answers) for name in blind)
        and (trial.dataset.entry.shown_name if trial.dataset.entry.spec.seeded else REAL) in shown()
    )


#: Stands for all real data: one file may have several names.
REAL = "real"


def shown_in(records: Iterable[Record]) -> frozenset[str]:
    """Names of the simulators of which a predictor has been shown the expression of cells, and
    `REAL` where it was that of real ones.
    """
    return frozenset(
        record.trial.dataset.name if record.trial.dataset.kind == "simulated" else REAL
        for record in records
        if record.role == "predictor"
        # what it was asked, as far as its record tells
        for name in [*record.result.answers, record.result.stage or ""]
        if name in SETS and not SETS[name].by_assemblage
    )


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
