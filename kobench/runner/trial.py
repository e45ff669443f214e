"""One trial carried out: fit, ask and score as its action says, then one record."""

from __future__ import annotations

import contextlib
import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.errors import InvalidAnswerError, TrialFailed, UserError
from kobench.plugins.chosen import Task
from kobench.question import Answers
from kobench.results.answers import AnswerStore, hash_of_arrays
from kobench.results.records import SCHEMA, Record, read_record, record_path, write_record
from kobench.runner.answers import Answered, Log, answers_in_process, as_answers, get_answers
from kobench.runner.keys import Trial
from kobench.runner.prepared import Prepared
from kobench.runner.resume import Action
from kobench.scoring.score import score_task

#: Packages whose versions are written down with every result.
PACKAGES = ("kobench", "numpy", "scipy", "pandas", "anndata", "torch", "scikit-learn", "xgboost")

#: The folder of a results folder in which trials have theirs while they run.
WORK = ".work"


def carry_out(
    trial: Trial,
    action: Action,
    prepared: Prepared,
    basis: tuple[Trial, ...],
    folder: Path,
    store: AnswerStore,
    log: Log,
    staged: bool = True,
) -> Record:
    """Do what the action says, write the trial's record into the results folder and return it.

    basis : the floors and lines of the trial's group. staged : see `kobench.runner.answers.get_answers`.
    What the predictor does wrong ends in the record's status; raises UserError for a dataset that
    can't be used.
    """
    path = record_path(folder, trial.describe("", "", ()))
    old = read_record(path) if action.keep and path.exists() else None
    keys = trial.keys
    hashes: dict[str, str] = {}
    scores: dict[str, Any] = {}
    if old:
        hashes, scores = dict(old["result"]["answers"]), dict(old["result"]["scores"])
        current = {
            label
            for label, key in keys["scores"].items()
            if old["keys"]["scores"].get(label) == key
        }
        keys["questions"] = {**old["keys"]["questions"], **keys["questions"]}
        keys["scores"] = {**old["keys"]["scores"], **keys["scores"]}
    else:
        current = set()
    action = with_lost_answers(trial, action, hashes, store)
    cost = (
        old["run"]
        if old and action.kind == "score"
        else {**environment(), "limits": trial.request.limits.to_json()}
    )
    result: dict[str, Any] = {"status": "ok", "stage": None, "message": None, "traceback": None}
    at_hand: dict[str, Answers] = {}
    try:
        if action.kind != "score":
            answered = get_answers(trial, prepared, action.asks, folder / WORK, log, staged)
            for asks, arrays in answered.arrays.items():
                given = {name: values for name, values in arrays.items() if values is not None}
                hashes[asks] = store.save(given) if kept(trial) else hash_of_arrays(given)
                at_hand[asks] = as_answers(given, trial.predictor.entry.spec)
            cost.update(cost_of(answered, trial))
            cost.update(where_it_ran(answered.ran))
        for task in trial.tasks:
            asks, label = task.spec.asks, task.spec.label
            if asks in hashes and (asks in at_hand or label not in current):
                answers = (
                    at_hand[asks]
                    if asks in at_hand
                    else as_answers(store.load(hashes[asks]), trial.predictor.entry.spec)
                )
                floors = floors_of(task, basis, prepared) if covers_partly(answers) else {}
                scores[label] = score_task(
                    task,
                    prepared.question(asks),
                    answers,
                    trial.draws,
                    prepared.digest,
                    floors,
                    trial.showcase,
                )
    except TrialFailed as ended:
        result = {
            "status": ended.status,
            "stage": ended.stage,
            "message": ended.message,
            "traceback": ended.traceback,
        }
        cost.update({**where_it_ran(ended.ran), "found": ended.found})
    except InvalidAnswerError as error:  # a task found what the guards can't know
        result = {"status": "invalid", "stage": "score", "message": str(error), "traceback": None}
    record: Record = {
        "schema": SCHEMA,
        "role": trial.role,
        "trial": trial.describe(prepared.dataset.kind, prepared.digest, prepared.dataset.notes),
        "keys": keys,
        "result": {
            **result,
            "answers": hashes,
            "scores": dict(sorted(scores.items())),
            "trusted_with_predictor": trusted_with_predictor(trial),
        },
        "run": cost,
    }
    write_record(folder, record)
    return record


def with_lost_answers(
    trial: Trial, action: Action, hashes: dict[str, str], store: AnswerStore
) -> Action:
    """Stored answers that can't be read are as good as none: they are asked for again."""
    if action.kind != "score":
        return action
    lost = []
    for asks in dict.fromkeys(task.spec.asks for task in trial.tasks):
        try:
            store.load(hashes[asks])
        except UserError:
            store.discard(hashes[asks])
            lost.append(asks)
    return Action("ask", tuple(lost), "the stored answers can't be read") if lost else action


def kept(trial: Trial) -> bool:
    """Whether answers are stored: those of lines and built-in floors are quicker made again than
    read.
    """
    return trial.role == "predictor" or not (trial.role == "line" or trial.predictor.entry.trusted)


def covers_partly(answers: Answers) -> bool:
    """Whether a predictor left genes out, so that floors must be scored on just the units it
    answered.
    """
    return answers.max_order is not None or (
        answers.supported is not None and not answers.supported.all()
    )


def floors_of(task: Task, basis: tuple[Trial, ...], prepared: Prepared) -> dict[str, Answers]:
    """Answers of the task's built-in floors, made again."""
    found = {}
    for trial in basis:
        if (
            trial.role == "floor"
            and trial.predictor.entry.trusted
            and task.spec in [mine.spec for mine in trial.tasks]
        ):
            asks = task.spec.asks
            found[trial.predictor.entry.spec.name] = as_answers(
                answers_in_process(trial, prepared, (asks,)).arrays[asks],
                trial.predictor.entry.spec,
            )
    return found


def trusted_with_predictor(trial: Trial) -> list[str]:
    """What sees the truth in this trial and comes from the distribution that competes: its board
    says so.
    """
    theirs = trial.predictor.entry.distribution
    entries = [
        trial.dataset.entry,
        *(task.entry for task in trial.tasks),
        *(metric for task in trial.tasks for metric in task.metrics),
    ]
    brought = {
        entry.spec.name for entry in entries if entry.distribution == theirs and not entry.trusted
    }
    return sorted(brought) if trial.role == "predictor" else []


def cost_of(answered: Answered, trial: Trial) -> dict[str, Any]:
    """Seconds and memory of a trial; lines and floors in this process have no memory of their own
    to speak of.
    """
    return {
        "fit_seconds": None if trial.role == "line" else answered.fit_seconds,
        "predict_seconds": None if trial.role == "line" else answered.predict_seconds,
        "peak_mb": answered.peak_mb,
    }


def where_it_ran(ran: dict[str, Any]) -> dict[str, Any]:
    """What the record's `run` part says of a trial's process; one in an environment has that one's
    Python and packages.
    """
    if not ran.get("environment"):
        return ran
    return {
        **ran,
        "python": ran["environment"]["python"],
        "packages": dict(ran["environment"]["packages"]),
    }


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that are installed; their metadata is parsed once a process."""
    packages = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[name] = metadata.version(name)
    return packages


def environment() -> dict[str, Any]:
    """Where and with what a result was made; never part of a key."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu_count": os.cpu_count(),
        "kobench": __version__,
        "packages": dict(versions()),
        "fit_seconds": None,
        "predict_seconds": None,
        "peak_mb": None,
    }
