"""One trial carried out: fit, ask and score as its action says, then one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kobench.errors import BAD, InvalidAnswerError, TrialFailed, UserError
from kobench.plugins.chosen import Task
from kobench.question import SETS, Answers
from kobench.results.about import TaskAbout
from kobench.results.answer_store import AnswerStore, hash_of_arrays
from kobench.results.parts import (
    Keys,
    Planned,
    PlannedSeeds,
    Record,
    Result,
    RunInfo,
    TaskScores,
)
from kobench.results.records import SCHEMA, read_record, record_path
from kobench.runner.about import about_of
from kobench.runner.answers import Answered, Log, answers_in_process, as_answers, get_answers
from kobench.runner.environment import here_and_now, in_its_environment
from kobench.runner.folder import WORK, Results
from kobench.runner.keys import Trial
from kobench.runner.prepared import Prepared
from kobench.runner.resume import Action
from kobench.runner.shown import written_before
from kobench.scoring.score import Scoring, score_task

#: Answers of floors that were made again, by place in the basis and by question set.
Made = dict[tuple[int, str], Answers]


@dataclass(frozen=True)
class Ending:
    """How a trial ended; see `kobench.results.parts.Result`."""

    status: str = "ok"
    stage: str | None = None
    message: str | None = None
    traceback: str | None = None


@dataclass
class Draft:
    """A record in the making.

    Attributes
    ----------
    action : Action
        What is done for it.
    keys : Keys
        Keys of fit, questions and scores, as the record will have them.
    run : dict
        Its run part.
    hashes : dict of str to str
        By question set the hash of the answers.
    scores : dict of str to TaskScores
        By task label what the record says of it.
    told : dict of str to TaskAbout
        By task label what readers are told of it; of tasks just scored, whether they rank.
    current : set of str
        Tasks whose scores in an earlier record are still true.
    at_hand : dict of str to Answers
        Answers that were just given, by question set.
    """

    action: Action
    keys: Keys
    run: dict[str, Any]
    hashes: dict[str, str] = field(default_factory=dict)
    scores: dict[str, TaskScores] = field(default_factory=dict)
    told: dict[str, TaskAbout] = field(default_factory=dict)
    current: set[str] = field(default_factory=set)
    at_hand: dict[str, Answers] = field(default_factory=dict)


def carry_out(
    trial: Trial,
    action: Action,
    prepared: Prepared,
    basis: tuple[Trial, ...],
    results: Results,
    log: Log,
) -> Record:
    """Do what the action says, and return the trial's record.

    What the predictor does wrong ends in the record's status. The record is written by who planned
    the trial: strangers' metrics may have run in this process.

    Parameters
    ----------
    trial : Trial
        What is carried out.
    action : Action
        What must be done for it.
    prepared : Prepared
        Its dataset and split.
    basis : tuple of Trial
        The floors and lines of its group.
    results : Results
        Where earlier results lie, and answers go.
    log : callable
        Is told of progress: message, done, total.

    Raises
    ------
    UserError
        For a dataset that can't be used, or where the results folder is another run's by now.
    """
    results.refuse_if_lost()
    draft = begin(trial, action, results)
    ending = Ending()
    try:
        if draft.action.kind != "score":
            ask(draft, trial, prepared, results, log)
        score(draft, trial, prepared, basis, results.store)
    except TrialFailed as ended:
        ending = Ending(ended.status, ended.stage, ended.message, ended.traceback)
        draft.run.update({**in_its_environment(ended.ran), "found": ended.found})
    except InvalidAnswerError as error:  # a task found what the guards can't know
        ending = Ending("invalid", "score", str(error))
    record = record_of(trial, prepared, draft, ending)
    results.refuse_if_lost()  # else what the loss has broken would be written as a failure
    return record


def begin(trial: Trial, action: Action, results: Results) -> Draft:
    """What an earlier record keeps of its answers and scores, where the action keeps any."""
    path = record_path(results.folder, trial.describe())
    old = read_record(path) if action.keep and path.exists() else None
    if old is None:
        return Draft(action, trial.keys, new_run(trial))
    hashes, before, now = dict(old.result.answers), old.keys, trial.keys
    action = with_lost_answers(trial, action, hashes, results.store)
    run = old.run.to_json() if action.kind == "score" else new_run(trial)
    if action.goes_on:
        run.update({name: getattr(old.run, name) for name in ("predict_seconds", "peak_mb")})
    return Draft(
        action,
        replace(
            now,
            questions={**before.questions, **now.questions},
            scores={**before.scores, **now.scores},
        ),
        run=run,
        hashes=hashes,
        scores=dict(old.result.scores),
        told=dict(old.about.tasks),
        current={
            label
            for label, key in now.scores.items()
            if before.scores.get(label) == key and label in old.result.scores
        },
    )


def new_run(trial: Trial) -> dict[str, Any]:
    """The run part of a record whose predictor is about to be fitted."""
    known: dict[str, Any] = {}
    if trial.dataset.secret and trial.request.seed_known:
        known["seed_known"] = True
    of = trial.predictor.entry.distribution, trial.predictor.selection
    if trial.role == "predictor" and of in trial.request.tuned:
        known["tuned_on"] = list(trial.request.tuned[of])
    known["planned"] = planned_with(trial).to_json()
    return {**here_and_now(), "limits": trial.request.limits.to_json(), **known}


def planned_with(trial: Trial) -> Planned:
    """What the run was asked for of the row of a trial."""
    networks, split = trial.dataset.planned, trial.split
    return Planned(
        networks=None if networks is None else PlannedSeeds(first=networks[0], count=networks[1]),
        splits=PlannedSeeds(first=trial.request.split_seed, count=split.of),
        fit_seeds=trial.request.fit_seeds if trial.role == "predictor" else 1,
    )


def with_lost_answers(
    trial: Trial, action: Action, hashes: dict[str, str], store: AnswerStore
) -> Action:
    """Stored answers that can't be read are as good as none: they are asked for again."""
    if action.kind != "score":
        return action
    lost = []
    for name in trial.asks:
        key = hashes.get(name, "")
        try:
            store.load(key)
        except UserError:
            store.discard(key)
            lost.append(name)
    return Action("ask", tuple(lost), "the stored answers can't be read") if lost else action


def ask(draft: Draft, trial: Trial, prepared: Prepared, results: Results, log: Log) -> None:
    """Fit and ask what the action names; the answers and their cost go into the draft.

    A question of which nothing is left to ask has no answers, and nobody is fitted for it alone.
    """
    asks = []
    for name in draft.action.asks:
        if trial.role == "predictor" and prepared.question(name).asks_nothing:
            draft.hashes[name] = results.store.save({})
            draft.at_hand[name] = as_answers({}, trial.predictor.entry.spec)
        else:
            asks.append(name)
    if not asks:
        return
    work = results.folder / WORK
    try:
        answered = get_answers(
            trial,
            prepared,
            asks,
            work,
            log,
            results.staged,
            results.hidden,
            results.processors,
            written_before(trial.dataset, results.folder),
        )
    except TrialFailed as ended:
        if results.staged:  # these are final: see `resume.answered_for_good`
            blind = {name: ended.given[name] for name in ended.given if SETS[name].by_assemblage}
            keep_answers(draft, trial, blind, results.store)
        raise
    keep_answers(draft, trial, answered.arrays, results.store)
    draft.run.update(with_cost(draft.run, cost_of(answered, trial)))
    draft.run.update(in_its_environment(answered.ran))


def keep_answers(
    draft: Draft, trial: Trial, arrays_of: Mapping[str, Mapping[str, Any]], store: AnswerStore
) -> None:
    """Store answers, by question set, and note them in the draft."""
    for name, arrays in arrays_of.items():
        given = {key: values for key, values in arrays.items() if values is not None}
        draft.hashes[name] = store.save(given) if kept(trial) else hash_of_arrays(given)
        draft.at_hand[name] = as_answers(given, trial.predictor.entry.spec)


def with_cost(run: Mapping[str, Any], cost: dict[str, Any]) -> dict[str, Any]:
    """The cost of a trial with that of its part before: answers add up, memory is the larger."""
    seconds = [each["predict_seconds"] for each in (run, cost) if each.get("predict_seconds")]
    memory = [each["peak_mb"] for each in (run, cost) if each.get("peak_mb")]
    more = {"predict_seconds": sum(seconds)} if seconds else {}
    return {**cost, **more, "peak_mb": max(memory, default=None)}


def score(
    draft: Draft, trial: Trial, prepared: Prepared, basis: tuple[Trial, ...], store: AnswerStore
) -> None:
    """Score every task that was answered anew, or whose scores are not current."""
    spec = trial.predictor.entry.spec
    stored: dict[str, Answers] = {}  # several tasks ask the same, and each file is read once
    made: Made = {}
    for task in trial.tasks:
        name, label = task.spec.asks, task.spec.label
        if name not in draft.hashes or (name not in draft.at_hand and label in draft.current):
            continue
        if name not in draft.at_hand and name not in stored:
            stored[name] = as_answers(store.load(draft.hashes[name]), spec)
        answers = draft.at_hand[name] if name in draft.at_hand else stored[name]
        scoring = Scoring(
            task,
            prepared.question(name),
            answers,
            floors=floors_of(task, basis, prepared, made) if covers_partly(answers) else {},
            draws=trial.draws,
            seed_of=prepared.digest,
            cells_of=cells_of(trial, prepared),
            showcase=trial.showcase,
            groups=prepared.groups(name),
            calibrate=trial.role == "floor" and spec.name in task.spec.floors[:1],
        )
        draft.scores[label], unranked = score_task(scoring)
        draft.told[label] = TaskAbout(unranked=unranked)


def cells_of(trial: Trial, prepared: Prepared) -> str:
    """What all splits of the same cells have in common: the network, or the real dataset.

    Of real data, draws of the cells (data seeds) are as little independent as splits, and so are
    those of a network that a simulator says is one.
    """
    chosen = trial.dataset
    if network := prepared.dataset.network:
        return f"{chosen.group}, network {network}"
    return chosen.selection if prepared.dataset.kind == "simulated" else chosen.group


def record_of(trial: Trial, prepared: Prepared, draft: Draft, ending: Ending) -> Record:
    """The record of a draft that ended so."""
    dataset = prepared.dataset
    return Record(
        schema=SCHEMA,
        role=trial.role,
        trial=trial.describe(dataset.kind, prepared.digest, dataset.notes),
        keys=draft.keys,
        result=Result(
            status=ending.status,
            stage=ending.stage,
            message=ending.message,
            traceback=ending.traceback,
            answers=draft.hashes,
            scores={} if ending.status in BAD else dict(sorted(draft.scores.items())),
        ),
        run=RunInfo.from_json(draft.run),
        about=about_of(trial, dataset, draft.told),
    )


def kept(trial: Trial) -> bool:
    """Whether answers are stored: those of lines and floors are quicker made again than read."""
    return trial.role == "predictor" or not (trial.role == "line" or trial.predictor.entry.trusted)


def covers_partly(answers: Answers) -> bool:
    """Whether a predictor left genes out, so that floors are scored on just what it answered."""
    return answers.max_order is not None or (
        answers.supported is not None and not answers.supported.all()
    )


def floors_of(
    task: Task, basis: tuple[Trial, ...], prepared: Prepared, made: Made
) -> dict[str, Answers]:
    """Answers of the task's built-in floors, made again; `made` keeps them for other tasks."""
    found, name = {}, task.spec.asks
    for place, trial in enumerate(basis):
        entry = trial.predictor.entry
        theirs = [mine.spec for mine in trial.tasks]
        if trial.role == "floor" and entry.trusted and task.spec in theirs:
            if (place, name) not in made:
                arrays = answers_in_process(trial, prepared, (name,)).arrays[name]
                made[place, name] = as_answers(arrays, entry.spec)
            found[entry.spec.name] = made[place, name]
    return found


def cost_of(answered: Answered, trial: Trial) -> dict[str, Any]:
    """Seconds and memory of a trial.

    Lines cost nothing to speak of, and floors in this process have no memory of their own.
    """
    line = trial.role == "line"
    return {
        "fit_seconds": None if line else answered.fit_seconds,
        "predict_seconds": None if line else answered.predict_seconds,
        "peak_mb": answered.peak_mb,
    }
