"""Whose code sees the truth in a trial: decided from the plan, before any of it is loaded.

What a stranger's dataset, task or metric says of itself afterwards counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kobench.errors import UserError
from kobench.plugins.load import Entry
from kobench.plugins.sources import normalise
from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.runner.keys import Trial
from kobench.runner.origins import origins_of


class NotItsRecordError(UserError):
    """A process of the run gave a record that is not the trial's."""

    exit_code = 1


def seeing(trial: Trial) -> Iterator[Entry]:
    """What sees the truth in a trial: its dataset or those it joins, its tasks and metrics."""
    yield from (part.entry for part in trial.dataset.each)
    for task in trial.tasks:
        yield task.entry
        yield from task.metrics


def has_strangers(trial: Trial) -> bool:
    """Whether code that is not kobench's own sees the truth in a trial."""
    return not all(entry.trusted for entry in seeing(trial))


def trusted_with_predictor(trial: Trial) -> list[str]:
    """What sees the truth in a trial and comes from the distribution that competes.

    Its board says so.
    """
    if trial.role != "predictor":
        return []
    theirs = normalise(trial.predictor.entry.distribution)
    brought = {
        entry.shown_name
        for entry in seeing(trial)
        if normalise(entry.distribution) == theirs and not entry.trusted
    }
    return sorted(brought)


def vouched(
    record: Record,
    trial: Trial,
    brought: Sequence[str],
    here: Sequence[str] = (),
    late: Sequence[str] = (),
) -> Record:
    """A trial's record with what was decided before it was carried out.

    Parameters
    ----------
    record : Record
        From a process in which strangers' code may have run.
    trial : Trial
        The trial that was to be carried out.
    brought : sequence of str
        `trusted_with_predictor` of it.
    here : sequence of str
        `kobench.plugins.in_harness.code_here` of its predictor.
    late : sequence of str
        `kobench.runner.order.asked_late` of it.

    Raises
    ------
    NotItsRecordError
        Where the record is that of another trial: it would replace that one's.
    """
    if (record.role, identity(record.trial)) != (trial.role, identity(trial.describe())):
        raise NotItsRecordError(
            f"the process that carried out {trial.label} gave the record of another trial; a"
            " dataset, task or metric that was named has changed kobench there"
        )
    result = replace(record.result, trusted_with_predictor=list(brought))
    run = replace(record.run, code_in_harness=list(here) or None, asked_late=list(late) or None)
    origins = sorted(origins_of(trial.dataset)) if trial.role == "predictor" else None
    about = replace(record.about, dataset=replace(record.about.dataset, origins=origins))
    return replace(record, result=result, run=run, about=about)
