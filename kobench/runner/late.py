"""What comes after cells were shown: failures that are tried again, and what is added to a run.

What a trial leaves in the machine, such as which pages of a file are in memory, a later trial can
read. `kobench.runner.order` sees to it inside one run; here is what earlier runs into the same
folder have shown, which `kobench.runner.shown` has written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from kobench.errors import BAD
from kobench.question import SETS
from kobench.results.left_out import LeftOut, UnreadableError
from kobench.results.parts import Record
from kobench.results.records import read_record, read_records
from kobench.results.versions import older_files
from kobench.runner.answers import answerable
from kobench.runner.keys import Trial
from kobench.runner.order import holds
from kobench.runner.origins import origins_of
from kobench.runner.resume import Action
from kobench.runner.shown import Showing, name_of, written_in
from kobench.runner.work import Place

#: Why a failure is not tried again.
TOO_LATE = "others have been shown these cells since it failed"


class Shown(NamedTuple):
    """Of which datasets predictors have been shown the expression of cells.

    Attributes
    ----------
    names : frozenset of str
        Names of simulators, and `REAL` where it was that of real cells.
    origins : frozenset of str
        What those cells come from, see `kobench.runner.origins.origins_of`.
    of_older : frozenset of str
        The names of those whose records don't say what their cells come from.
    """

    names: frozenset[str]
    origins: frozenset[str]
    of_older: frozenset[str]


def too_late(
    trial: Trial, action: Action, record: Record | None, shown: Callable[[], Shown]
) -> bool:
    """Whether a trial that failed may not be asked by assemblage any more.

    In a run that is to hold, whoever fails in the first part could be told, when it is tried again,
    what others were shown in the second.

    Parameters
    ----------
    trial, action, record
        The trial, what was to be done for it, and its record.
    shown : callable
        Says what predictors have been shown in the results folder, see `shown_in`.
    """
    if record is None or record.result.status not in BAD:
        return False
    return bool(asked_blind(trial, action)) and name_of(trial.dataset) in shown().names


def asked_late(trial: Trial, action: Action, shown: Callable[[], Shown]) -> tuple[str, ...]:
    """The tasks that are to be asked by assemblage of cells that predictors have been shown before.

    That is so for tasks and predictors that are added to a finished run, changed code, and all that
    is done anew. Their answers may come from what others left, so their rows say when they came.

    Parameters
    ----------
    trial, action
        The trial, and what is to be done for it.
    shown : callable
        Says what predictors have been shown in the results folder, see `shown_in`.

    Returns
    -------
    tuple of str
        Labels of tasks; none in a run that is not meant to hold against hostile predictors.
    """
    labels = asked_blind(trial, action)
    if not labels:
        return ()
    dataset, before = trial.dataset, shown()
    known = origins_of(dataset) & before.origins or name_of(dataset) in before.of_older
    return labels if known else ()


def asked_blind(trial: Trial, action: Action) -> tuple[str, ...]:
    """The tasks that a stranger is to be asked by assemblage in a run that is meant to hold."""
    if not trial.is_strangers or not holds(trial.request) or action.kind not in ("fit", "ask"):
        return ()
    answers = trial.predictor.entry.spec.answers
    asked = {name for name in action.asks if SETS[name].by_assemblage and answerable(name, answers)}
    return tuple(task.spec.label for task in trial.tasks if task.spec.asks in asked)


def shown_in(records: Iterable[Record], written: Iterable[Showing] = ()) -> Shown:
    """What predictors have been shown the expression of.

    Parameters
    ----------
    records : iterable of Record
        All of a results folder. Older folders have nothing else that tells.
    written : iterable of Showing
        What was written down in the folder before it was shown.
    """
    names: set[str] = set()
    origins: set[str] = set()
    of_older: set[str] = set()
    for showing in {*written, *map(Showing.of_record, records)}:
        if showing is None:
            continue
        names.add(showing.name)
        if showing.origins is None:
            of_older.add(showing.name)
        else:
            origins.update(showing.origins)
    return Shown(frozenset(names), frozenset(origins), frozenset(of_older))


def set_aside_in(folder: Path) -> Iterator[Record]:
    """The records of a results folder that others have taken the place of, and were kept."""
    for path in (*sorted((folder / "records").glob("*.json.aside-*")), *older_files(folder)):
        with suppress(UnreadableError):
            yield read_record(path)


def look_for_late(
    decided: dict[Place, tuple[Action, Record | None]],
    trials: Mapping[Place, Trial],
    folder: Path,
    note: Callable[[str], None],
) -> dict[Place, tuple[str, ...]]:
    """Decide that failures stand which can't be tried again fairly, and find what comes late.

    Parameters
    ----------
    decided : dict
        What was to be done for each trial, and its record; changed in place.
    trials : mapping of Place to Trial
        All trials of the run.
    folder : Path
        The results folder.
    note : callable
        Is told of both, in a sentence.

    Returns
    -------
    dict of Place to tuple of str
        The tasks of each trial that are asked by assemblage after its cells were shown, or were
        before, and their answers are kept.
    """
    shown = cache(
        lambda: shown_in(
            [*read_records(folder, LeftOut()), *set_aside_in(folder)], written_in(folder)
        )
    )
    failed = [
        place
        for place, (action, record) in decided.items()
        if too_late(trials[place], action, record, shown)
    ]
    for place in failed:
        decided[place] = Action("nothing", reason=TOO_LATE), decided[place][1]
    if failed:
        many = "1 trial that failed is" if len(failed) == 1 else f"{len(failed)} that failed are"
        note(
            f"{many} not tried again, because {TOO_LATE} and might have left what they saw;"
            " run into a new folder, with new secret seeds, to try again"
        )
    late: dict[Place, tuple[str, ...]] = {}
    for place, (action, _) in decided.items():
        if labels := asked_late(trials[place], action, shown):
            late[place] = labels
    if late:
        note(said_of_late([trials[place] for place in late], folder))
    for place, (action, record) in decided.items():
        if action.keep and record is not None:
            before = record.run.asked_late or ()
            late[place] = tuple(sorted({*late.get(place, ()), *before}))
    return late


def said_of_late(trials: Sequence[Trial], folder: Path) -> str:
    """What to say of trials that are asked by assemblage after cells were shown."""
    many = "1 trial is" if len(trials) == 1 else f"{len(trials)} trials are"
    remedies = {True: "with new secret seeds", False: "on real cells after the machine's new start"}
    kinds = {trial.dataset.entry.spec.seeded for trial in trials}
    how = " and ".join(remedies[kind] for kind in sorted(kinds, reverse=True))
    return (
        f"{many} asked by assemblage after predictors were shown the expression of the same cells"
        f" in {folder}: such answers may come from what others left, and the board says so; run all"
        f" of it into a new folder (--out), {how}, for rows without that remark"
    )
