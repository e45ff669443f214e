"""One run: every trial of the plan that its record does not answer yet, several at a time, each costing its own row only."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from kobench import __version__
from kobench.answering import Answered, answers_in_process, as_answers, get_answers
from kobench.errors import InvalidAnswerError, UserError
from kobench.plan import Action, Group, Task, Trial, decide
from kobench.prepare import Prepared
from kobench.process import TrialFailed
from kobench.records import SCHEMA, Record, read_record, record_path, write_record
from kobench.score import score_task
from kobench.store import AnswerStore, hash_of_arrays
from kobench.truth import Answers

#: Packages whose versions are written down with every result.
PACKAGES = ("kobench", "numpy", "scipy", "pandas", "anndata", "torch", "scikit-learn", "xgboost")


class Watcher(Protocol):
    """Who is told how a run goes; called from several threads."""

    def planned(self, total: int) -> None: ...
    def started(self, trial: Trial) -> None: ...
    def logged(self, trial: Trial, message: str, done: int, total: int) -> None: ...
    def finished(self, trial: Trial, action: Action, record: Record) -> None: ...


class Silent:
    """A watcher that says nothing."""

    def planned(self, total: int) -> None: ...
    def started(self, trial: Trial) -> None: ...
    def logged(self, trial: Trial, message: str, done: int, total: int) -> None: ...
    def finished(self, trial: Trial, action: Action, record: Record) -> None: ...


@dataclass
class Outcome:
    """What a run did: counts of actions and the records that are not ok."""

    records: list[Record] = field(default_factory=list)
    actions: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> list[Record]:
        """Records of predictors and floors that ended early. A line that a dataset does not offer is no failure."""
        bad = ("failed", "invalid", "timeout", "out-of-memory")
        return [record for record in self.records if record["result"]["status"] in bad]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a results folder for one run; leftovers of a killed one are cleared away first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / ".lock", "w")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UserError(f"results can't be written to {folder} ({error.strerror}); name another folder with --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"another kobench run is writing to {folder}; wait for it, or name another folder with --out") from error
        shutil.rmtree(folder / "work", ignore_errors=True)
        for leftover in [*folder.glob("records/.*.tmp"), *folder.glob("answers/.*.tmp")]:
            leftover.unlink(missing_ok=True)
        try:
            yield
        finally:
            shutil.rmtree(folder / "work", ignore_errors=True)


@dataclass
class Bench:
    """A results folder with its stored answers, running trials into it."""

    folder: Path
    fresh: bool = False
    watcher: Watcher = field(default_factory=Silent)
    staged: bool = True

    def __post_init__(self) -> None:
        self.store = AnswerStore(self.folder)
        self.stop = threading.Event()

    def run(self, groups: list[Group], jobs: int = 1) -> Outcome:
        """Do what the plan asks for; raises UserError before any fit when a dataset can't be used."""
        with locked(self.folder):
            self.stored = self.store.keys()
            outcome = Outcome()
            todo = {id(trial): self._decide(trial) for group in groups for trial in (*group.basis, *group.trials)}
            prepared = {
                id(group): Prepared(group.dataset, group.trials[0].request if group.trials else group.basis[0].request) for group in groups
            }
            self._check_data(groups, todo, prepared)
            self.watcher.planned(sum(action.kind != "nothing" for action in todo.values()))
            with ThreadPoolExecutor(jobs) as pool:
                try:
                    self._run_all(groups, todo, prepared, pool, jobs, outcome)
                except BaseException:
                    self.stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
            return outcome

    def _decide(self, trial: Trial) -> Action:
        path = record_path(self.folder, trial.describe("", "", ()))
        return decide(trial, read_record(path) if path.exists() else None, self.stored, self.fresh)

    def _check_data(self, groups: list[Group], todo: dict[int, Action], prepared: dict[int, Prepared]) -> None:
        """Load what is real once before any fitting starts, so that a bad file ends the run in one sentence."""
        seen = set()
        for group in groups:
            busy = any(todo[id(trial)].kind != "nothing" for trial in (*group.basis, *group.trials))
            if busy and not group.dataset.entry.spec.seeded and group.dataset.selection not in seen:
                seen.add(group.dataset.selection)
                _ = prepared[id(group)].rows
                prepared[id(group)].release()

    def _run_all(self, groups: list[Group], todo: dict[int, Action], prepared: dict[int, Prepared], pool: ThreadPoolExecutor,
                 jobs: int, outcome: Outcome) -> None:  # fmt: skip
        """Keep `jobs` pieces of work going: a group's floors and lines as one piece, then each of its predictors' trials."""
        waiting = iter(groups)
        ready: list[tuple[Group, Trial]] = []
        left = {id(group): len(group.trials) for group in groups}
        going: dict[Future[list[tuple[Action, Record]]], tuple[Group, Trial | None]] = {}
        while True:
            while len(going) < jobs:
                if ready:
                    group, trial = ready.pop(0)
                    going[pool.submit(self._run_some, (trial,), group.basis, todo, prepared[id(group)])] = (group, trial)
                elif (following := next(waiting, None)) is not None:
                    going[pool.submit(self._run_some, following.basis, following.basis, todo, prepared[id(following)])] = (following, None)
                else:
                    break
            if not going:
                return
            done, _ = wait(going, return_when=FIRST_COMPLETED)
            for future in done:
                group, trial_done = going.pop(future)
                for action, record in future.result():
                    outcome.actions[action.kind] = outcome.actions.get(action.kind, 0) + 1
                    outcome.records.append(record)
                if trial_done is None:
                    ready.extend((group, trial) for trial in group.trials)
                else:
                    left[id(group)] -= 1
                if left[id(group)] == 0:
                    prepared[id(group)].release()

    def _run_some(
        self, trials: tuple[Trial, ...], basis: tuple[Trial, ...], todo: dict[int, Action], prepared: Prepared
    ) -> list[tuple[Action, Record]]:
        done = []
        for trial in trials:
            if self.stop.is_set():
                break
            action = todo[id(trial)]
            if action.kind == "nothing":
                done.append((action, read_record(record_path(self.folder, trial.describe("", "", ())))))
                continue
            self.watcher.started(trial)
            record = self.run_trial(trial, action, prepared, basis)
            self.watcher.finished(trial, action, record)
            done.append((action, record))
        return done

    def _with_lost_answers(self, trial: Trial, action: Action, hashes: dict[str, str]) -> Action:
        """Stored answers that can't be read are as good as none: they are asked for again."""
        if action.kind != "score":
            return action
        lost = []
        for asks in dict.fromkeys(task.spec.asks for task in trial.tasks):
            try:
                self.store.load(hashes[asks])
            except UserError:
                self.store.path(hashes[asks]).unlink(missing_ok=True)
                lost.append(asks)
        return Action("ask", tuple(lost), "the stored answers can't be read") if lost else action

    def run_trial(self, trial: Trial, action: Action, prepared: Prepared, basis: tuple[Trial, ...] = ()) -> Record:
        """Fit, ask and score as the action says, write the record and return it."""
        dataset = prepared.dataset
        path = record_path(self.folder, trial.describe("", "", ()))
        old = read_record(path) if action.keep and path.exists() else None
        result: dict[str, Any] = {"status": "ok", "stage": None, "message": None, "traceback": None}
        hashes: dict[str, str] = dict(old["result"]["answers"]) if old else {}
        scores: dict[str, Any] = dict(old["result"]["scores"]) if old else {}
        keys = trial.keys
        if old:
            keys["questions"] = {**old["keys"]["questions"], **keys["questions"]}
            keys["scores"] = {**old["keys"]["scores"], **keys["scores"]}
        action = self._with_lost_answers(trial, action, hashes)
        cost = old["run"] if old and action.kind == "score" else {**environment(), "timeout": trial.request.timeout}
        at_hand: dict[str, Answers] = {}
        try:
            if action.kind != "score":
                log = lambda message, done, total: self.watcher.logged(trial, message, done, total)  # noqa: E731
                answered = get_answers(trial, prepared, action.asks, self.folder / "work", log, self.staged, self.stop.is_set)
                for asks, arrays in answered.arrays.items():
                    given = {name: values for name, values in arrays.items() if values is not None}
                    hashes[asks] = self.store.save(given) if kept(trial) else hash_of_arrays(given)
                    at_hand[asks] = as_answers(given)
                cost.update(cost_of(answered, trial))
            for task in trial.tasks:
                asks, label = task.spec.asks, task.spec.label
                up_to_date = old is not None and asks not in at_hand and old["keys"]["scores"].get(label) == keys["scores"][label]
                if asks in hashes and not up_to_date:
                    answers = at_hand[asks] if asks in at_hand else as_answers(self.store.load(hashes[asks]))
                    floors = floors_of(task, basis, prepared) if covers_partly(answers) else {}
                    scores[label] = score_task(task, prepared.question(asks), answers, trial.draws, prepared.digest, floors)
        except TrialFailed as ended:
            result = {"status": ended.status, "stage": ended.stage, "message": ended.message, "traceback": ended.traceback}
        except InvalidAnswerError as error:  # a task found what the guards can't know
            result = {"status": "invalid", "stage": "score", "message": str(error), "traceback": None}
        record: Record = {
            "schema": SCHEMA,
            "role": trial.role,
            "trial": trial.describe(dataset.kind, prepared.digest, dataset.notes),
            "keys": keys,
            "result": {
                **result,
                "answers": hashes,
                "scores": dict(sorted(scores.items())),
                "trusted_with_predictor": trusted_with_predictor(trial),
            },
            "run": cost,
        }
        write_record(self.folder, record)
        return record


def kept(trial: Trial) -> bool:
    """Whether answers are stored: those of lines and built-in floors are quicker made again than read."""
    return trial.role == "predictor" or not (trial.role == "line" or trial.predictor.entry.trusted)


def covers_partly(answers: Answers) -> bool:
    """Whether a predictor left genes out, so that floors must be scored on just the units it answered."""
    return answers.supported is not None and not answers.supported.all()


def floors_of(task: Task, basis: tuple[Trial, ...], prepared: Prepared) -> dict[str, Answers]:
    """Answers of the task's built-in floors, made again."""
    found = {}
    for trial in basis:
        if trial.role == "floor" and trial.predictor.entry.trusted and task.spec in [mine.spec for mine in trial.tasks]:
            asks = task.spec.asks
            found[trial.predictor.entry.spec.name] = as_answers(answers_in_process(trial, prepared, (asks,)).arrays[asks])
    return found


def trusted_with_predictor(trial: Trial) -> list[str]:
    """What sees the truth in this trial and comes from the distribution that competes: its board says so."""
    theirs = trial.predictor.entry.distribution
    entries = [trial.dataset.entry, *(task.entry for task in trial.tasks), *(metric for task in trial.tasks for metric in task.metrics)]
    brought = {entry.spec.name for entry in entries if entry.distribution == theirs and not entry.trusted}
    return sorted(brought) if trial.role == "predictor" else []


def cost_of(answered: Answered, trial: Trial) -> dict[str, Any]:
    """Seconds and memory of a trial; lines and floors in this process have no memory of their own to speak of."""
    return {
        "fit_seconds": None if trial.role == "line" else answered.fit_seconds,
        "predict_seconds": None if trial.role == "line" else answered.predict_seconds,
        "peak_mb": answered.peak_mb,
    }


def environment() -> dict[str, Any]:
    """Where and with what a result was made; never part of a key."""
    packages = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[name] = metadata.version(name)
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu_count": os.cpu_count(),
        "kobench": __version__,
        "packages": packages,
        "fit_seconds": None,
        "predict_seconds": None,
        "peak_mb": None,
    }
