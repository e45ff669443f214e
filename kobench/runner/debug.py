"""Predictors asked in this process, so that a debugger can look at where one raises.

There is no sandbox and no limit, and nothing is kept: no record, no answers, no scores. What they
are handed goes through the files of a worker, so that it is what a run hands them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kobench.api import Context
from kobench.errors import UserError
from kobench.plugins.entry import Entry
from kobench.runner.answers import Log, answerable, context_of
from kobench.runner.keys import Group, Trial
from kobench.runner.prepared import Prepared
from kobench.supervisor.guard import guard_answers
from kobench.util.resolve import resolve_reference
from kobench.worker.answers import ANSWER
from kobench.worker.failures import code_of
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.protocol import read_payload, write_payload
from kobench.worker.wire import read_cells, write_cells


@dataclass(frozen=True)
class Stopped:
    """Where a predictor raised.

    Attributes
    ----------
    trial : Trial
        In which trial.
    stage : str
        "import", "fit" or a question set.
    error : BaseException
        What was raised, with its traceback.
    own : str
        What the predictor's code is called, see `kobench.worker.failures.code_of`.
    """

    trial: Trial
    stage: str
    error: BaseException
    own: str


@dataclass
class Asked:
    """How much was asked: trials and question sets."""

    trials: int = 0
    questions: int = 0


def ask_here(groups: Iterable[Group], log: Log, asked: Asked) -> Stopped | None:
    """Fit and ask every predictor of a plan in this process, until one raises.

    Parameters
    ----------
    groups : iterable of Group
        The plan; its floors and lines are left out.
    log : callable
        Is told of progress: message, done, total.
    asked : Asked
        Is counted up.

    Returns
    -------
    Stopped or None
        Where one raised, None where none did.

    Raises
    ------
    UserError
        For a predictor that can't run here, before any is asked; and where there is none.
    """
    plan = [(group, trial) for group in groups for trial in group.trials]
    if not plan:
        raise UserError("there is no predictor to debug; name one with -p")
    for _, trial in plan:
        refuse_elsewhere(trial.predictor.entry)
    before: Prepared | None = None
    for group in dict.fromkeys(id(group) for group, _ in plan):
        trials = [trial for one, trial in plan if id(one) == group]
        prepared = Prepared(trials[0].dataset, trials[0].request, trials[0].split)
        if before is not None:
            prepared.take_over(before)
        for trial in trials:
            log(trial.label, 0, 0)
            if stopped := ask(trial, prepared, log, asked):
                return stopped
        before = prepared
    return None


def refuse_elsewhere(entry: Entry) -> None:
    """UserError for a predictor that this process can't run."""
    if entry.problem is not None:
        raise UserError(entry.problem.message)
    if entry.interpreter is not None:
        raise UserError(
            f"predictor {entry.full_name} lives in the environment {entry.environment!r}, with"
            " an interpreter of its own, and --debug asks predictors in kobench's; install it"
            " beside kobench for as long, or give its file with --plugin"
        )


def ask(trial: Trial, prepared: Prepared, log: Log, asked: Asked) -> Stopped | None:
    """Fit one predictor and ask it every question of its trial.

    Parameters
    ----------
    trial : Trial
        The trial.
    prepared : Prepared
        Its dataset and split.
    log : callable
        Is told of progress.
    asked : Asked
        Is counted up.
    """
    entry = trial.predictor.entry
    spec, own = entry.spec, code_of(entry.spec.make, entry.plugin_file)
    stage = "import"
    with TemporaryDirectory(prefix="kobench-") as place:
        work, scratch = Path(place), Path(place) / "scratch"
        scratch.mkdir()
        # made before anything is caught: what kobench itself raises is no fault of a predictor
        write_cells(work / "fit", prepared.training)
        questions = {name: prepared.question(name) for name in trial.asks}
        for name, question in questions.items():
            write_payload(work / name, question.payload())
        context = Context(**{**context_of(trial, prepared), "scratch": scratch, "report": log})
        try:
            make = resolve_reference(spec.make, entry.plugin_file)
            recipe = Recipe(
                make, dict(trial.predictor.params), spec.answers, spec.wants, spec.max_order
            )
            stage = "fit"
            fitted = fit_predictor(recipe, read_cells(work / "fit", spec.wants), context)
            for stage, question in questions.items():
                if question.asks_nothing or not answerable(stage, spec.answers):
                    continue
                arrays: Any = ANSWER[stage](fitted, read_payload(work / stage, spec.wants))
                guard_answers(stage, arrays, question, fitted.supported, spec.max_order)
                asked.questions += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # as in a worker: sys.exit() ends no debugger
            return Stopped(trial, stage, error, own)
    asked.trials += 1
    return None
