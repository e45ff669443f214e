"""Scores of records made again from the answers that were stored, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kobench.errors import BAD, InvalidAnswerError, TrialFailed, UserError
from kobench.plugins.chosen import Task
from kobench.question import SETS
from kobench.results.agreement import Difference, compare
from kobench.results.answer_store import AnswerStore, hash_of_arrays
from kobench.results.naming import row_of
from kobench.results.parts import DatasetInfo, Record, TaskScores
from kobench.runner.answers import answers_in_process, answers_of_line, as_answers
from kobench.runner.keys import Trial
from kobench.runner.owed import owed_by, place_of
from kobench.runner.plan import make_group
from kobench.runner.prepared import Prepared
from kobench.runner.recorded import Source, dataset_of, predictor_of, request_of, split_of
from kobench.runner.request import Request
from kobench.runner.resume import Action
from kobench.runner.tasks import find_tasks
from kobench.runner.trial import Draft, kept, score
from kobench.supervisor.guard import guard_answers


@dataclass
class Replayed:
    """What came of scoring one record's answers again.

    Attributes
    ----------
    record : Record
        The record.
    row : str
        Whose answers, and on what.
    labels : list of str
        The tasks that were scored again.
    numbers : int
        How many numbers were compared.
    differing : list of tuple of (str, Difference)
        Task label, and where its scores differ.
    left_out : list of str
        A sentence for each thing that could not be scored again.
    notes : list of str
        What a reader may want to know of it, and is no difference.
    sampled_out : list of str
        The question sets whose answers were not published, though others of the row were.
    no_answers : str
        Why there are no answers of which to make the scores, "" where there are.
    """

    record: Record
    row: str
    labels: list[str] = field(default_factory=list)
    numbers: int = 0
    differing: list[tuple[str, Difference]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sampled_out: list[str] = field(default_factory=list)
    no_answers: str = ""


class NoAnswersError(UserError):
    """The answers of a record are not there, or are none: nobody can score them again."""


def replay(records: Iterable[Record], source: Source) -> Iterator[Replayed]:
    """Score the stored answers of records again, with the settings that each carries.

    Nothing is fitted and no predictor needs to be installed. Floors and lines have no stored
    answers: they are made again. Records on one dataset come one after another, which is then
    loaded once.

    Parameters
    ----------
    records : iterable of Record
        The records.
    source : Source
        Where datasets, tasks, metrics and answers are found.

    Yields
    ------
    Replayed
        One a record.
    """
    ready: dict[tuple[Any, ...], Prepared] = {}
    in_order = sorted(records, key=order_of)
    owed = owed_by(in_order)
    for record in in_order:
        result = record.result
        found = Replayed(record, row_of(record))
        if result.status in BAD and record.role == "predictor":
            found.notes.append(f"its trial ended as {result.status!r}, so it has no scores")
        else:
            try:
                again(record, source, ready, found, owed.get(id(record), {}))
            except (InvalidAnswerError, TrialFailed, UserError) as error:
                found.left_out.append(str(error))
                if isinstance(error, NoAnswersError):
                    found.no_answers = "its answers are not there"
                elif not isinstance(error, UserError):
                    found.no_answers = str(error)
            except (ValueError, TypeError, KeyError, IndexError) as error:  # it may be anyone's
                found.left_out.append(f"it is no record of a run ({type(error).__name__}: {error})")
        yield found


def order_of(record: Record) -> tuple[str, ...]:
    """Records on one dataset and split come together."""
    return (*place_of(record), record.role, record.trial.predictor.selection)


def again(
    record: Record,
    source: Source,
    ready: dict[tuple[Any, ...], Prepared],
    found: Replayed,
    owed: Mapping[str, TaskScores],
) -> None:
    """Score one record again, and write down in `found` what came of it.

    `owed` are tasks of which a floor or line has no scores here (see `owed_by`): that it gives some
    when it is made again is a difference.

    Raises
    ------
    UserError
        Where its dataset or answers are not here.
    InvalidAnswerError, TrialFailed
        Where its answers are not what the contract allows.
    """
    dataset = dataset_of(record, source)
    scores = usable(record.result.scores, source, found)
    # of a version that is not here nothing can be owed
    silent = usable(owed, source, Replayed(record, found.row))
    if not scores and not silent:
        return
    tasks = tuple(task for task, _ in (*scores.values(), *silent.values()))
    request, split = request_of(record, dataset), split_of(record)
    trial = Trial(
        record.role,  # type: ignore[arg-type]  # a record's role is checked when it is read
        dataset,
        predictor_of(record, source.registry, tasks[0].entry),
        tasks,
        request,
        split,
        record.trial.fit_seed,
    )
    if record.role == "predictor" and not trial.predictor.source:
        found.notes.append("its predictor is not here, so its record alone says what answers mean")
    if source.published is not None and kept(trial):
        keys = record.result.answers
        found.sampled_out += [name for name in trial.asks if keys.get(name) not in source.published]
    if set(found.sampled_out) >= set(trial.asks):
        return
    prepared = prepared_of(trial, ready)
    found.differing += [("dataset", one) for one in other_dataset(record.trial.dataset, prepared)]
    draft = Draft(Action("score", reason="replay"), record.keys, {})
    for name in trial.asks:
        recorded = record.result.answers.get(name, "")
        if name in found.sampled_out or (not recorded and kept(trial)):
            continue
        try:
            arrays = arrays_of(trial, name, recorded, prepared, source.store)
        except TrialFailed:
            if recorded:
                raise
            continue  # neither then nor now
        if not recorded and name not in {task.spec.asks for task, _ in silent.values()}:
            continue
        if recorded and hash_of_arrays(arrays) != recorded:
            found.notes.append(f"its answers to {name} were made again and are not those recorded")
        draft.hashes[name] = recorded
        draft.at_hand[name] = as_answers(arrays, trial.predictor.entry.spec)
    basis = make_group(source.registry, dataset, tasks, [], request, split).basis
    score(draft, trial, prepared, basis, source.store)
    for label in silent:
        made = draft.scores.get(label)
        if made is not None and any(metric.value is not None for metric in made.metrics.values()):
            found.labels.append(label)
            told = f"{record.result.status}, without scores", "ok, with scores"
            found.differing.append((label, Difference("status", *told, 0.0)))
    for label, (task, recorded_scores) in scores.items():
        if task.spec.asks in found.sampled_out:
            continue
        if label not in draft.scores:
            found.left_out.append(f"{label}: the record names no answers to it")
            continue
        here = draft.scores[label]
        # where nobody is ranked the metrics that rank elsewhere have no value under their names
        for name in set(here.primary) & set(here.metrics) - set(recorded_scores.metrics):
            where = f"metrics.{name}"
            found.differing.append((label, Difference(where, None, "a primary metric", 0.0)))
        now = only(draft.scores[label], recorded_scores)
        tolerances = {
            name: task.named_metrics[name.partition("[")[0]].spec.tolerance
            for name in recorded_scores.metrics
        }
        agreement = compare(recorded_scores, now, tolerances)
        found.labels.append(label)
        found.numbers += agreement.numbers
        found.differing += [(label, difference) for difference in agreement.differing]


def usable(
    scores: Mapping[str, TaskScores], source: Source, found: Replayed
) -> dict[str, tuple[Task, TaskScores]]:
    """The tasks of a record that are here in its version, each with the scores to compare.

    Metrics that are not here in the version of the record are taken out of the scores. Both is
    said in `found`.
    """
    usable = {}
    for label, recorded in scores.items():
        try:
            task = task_of(recorded.task, source)
        except UserError as error:
            found.left_out.append(f"{label}: {error}")
            continue
        if task.spec.version != recorded.version:
            found.left_out.append(
                f"{label}: the task has version {task.spec.version} here; scores of two versions"
                " are not comparable"
            )
            continue
        metrics = {}
        for shown, entry in recorded.metrics.items():
            here = task.named_metrics.get(shown.partition("[")[0])
            if here is None:
                found.left_out.append(f"{label}: the metric {shown} is not here")
            elif here.spec.version != entry.version:
                found.left_out.append(
                    f"{label}: the metric {shown} has version {here.spec.version} here,"
                    f" {entry.version} in the record"
                )
            else:
                metrics[shown] = entry
        usable[label] = task, replace(recorded, metrics=metrics)
    return usable


def task_of(name: str, source: Source) -> Task:
    """A task by its name, with its metrics; UserError where it is not here or not allowed."""
    entry = source.registry.find("tasks", name)
    if not entry.trusted and not {name, entry.full_name} & set(source.tasks):
        raise UserError(
            f"{name} is a task of {entry.distribution}, and would see the truth; name it with"
            f" -t {name} to have it"
        )
    request = Request((), (), tasks=[name], metrics=source.metrics)
    (task,) = find_tasks(source.registry, request, lambda message: None)
    return task


def prepared_of(trial: Trial, ready: dict[tuple[Any, ...], Prepared]) -> Prepared:
    """The dataset and split of a trial; those of the trial before where they are the same."""
    secret = trial.dataset.secret
    key = (
        trial.dataset.selection,
        trial.dataset.first,
        secret and secret.commitment,
        trial.split,
        trial.request.events,
    )
    if key not in ready:
        ready.clear()
        ready[key] = Prepared(trial.dataset, trial.request, trial.split)
    return ready[key]


def arrays_of(
    trial: Trial, name: str, key: str, prepared: Prepared, store: AnswerStore
) -> dict[str, Any]:
    """The answers of a trial to one question set: the stored ones, or made again.

    Stored ones may be anybody's, so they are looked at as if a predictor had just given them.
    """
    if not kept(trial):
        make = answers_of_line if trial.role == "line" else answers_in_process
        made = make(trial, prepared, (name,)).arrays.get(name, {})
        return {array: values for array, values in made.items() if values is not None}
    if not store.has(key):
        raise NoAnswersError(f"its answers are not stored ({store.path(key)} is not there)")
    question = prepared.question(name)
    try:
        arrays = store.load(key)
    except UserError as error:
        raise NoAnswersError(str(error)) from error
    if not arrays and question.asks_nothing:
        return arrays
    supported = arrays.get("supported")
    genes = prepared.dataset.cells.n_vars
    if supported is None or supported.dtype != bool or supported.shape != (genes,):
        raise TrialFailed("invalid", name, f"its answers hold no {genes} booleans 'supported'")
    known = {*SETS[name].arrays, "supported"}
    if others := sorted(set(arrays) - known):
        raise TrialFailed("invalid", name, f"its answers hold {others[0][:40]!r}, which is none")
    guard_answers(name, arrays, question, supported, trial.predictor.entry.spec.max_order)
    return arrays


def other_dataset(recorded: DatasetInfo, prepared: Prepared) -> list[Difference]:
    """Where a record says of its dataset what is not so here.

    Cells that were simulated on another machine may differ in their last digits, and so have
    another digest; nothing here can tell that from other data.
    """
    chosen, kind = prepared.chosen, prepared.dataset.kind
    seed = chosen.params.get("seed") if chosen.entry.spec.seeded and not chosen.secret else None
    here = {
        "selection": chosen.selection,
        "group": chosen.group,
        "name": chosen.entry.shown_name,
        "kind": kind,
        "digest": prepared.digest,
        **({} if chosen.parts else {"seed": seed}),
    }
    return [
        Difference(key, getattr(recorded, key), value, 0.0)
        for key, value in here.items()
        if getattr(recorded, key) != value
    ]


def only(now: TaskScores, recorded: TaskScores) -> TaskScores:
    """Scores with the metrics of the recorded ones alone.

    Those that rank nobody have the range that was declared then: it is no score, and was widened
    for some without a new version.
    """
    metrics = {}
    for name, then in recorded.metrics.items():
        if name not in now.metrics:
            continue
        ranks = name in recorded.primary
        metric = now.metrics[name]
        metrics[name] = metric if ranks else replace(metric, low=then.low, high=then.high)
    return replace(now, metrics=metrics)
