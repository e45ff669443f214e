"""The highest level: methods fitted again, here, and their answers beside those of the records."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kobench.errors import BAD, UserError
from kobench.plugins.chosen import Chosen, choose
from kobench.plugins.load import Entry, Registry
from kobench.results.answer_store import AnswerStore
from kobench.results.naming import row_of
from kobench.results.parts import Record
from kobench.results.versions import code_of
from kobench.runner.keys import Group, Trial
from kobench.runner.recorded import Source, dataset_of, request_of, split_of
from kobench.runner.replay import Replayed, usable
from kobench.runner.request import Split
from kobench.runner.run import Run
from kobench.supervisor.limits import Limits
from kobench.verify.finding import Finding

#: The most that a method may declare as its tolerance: with more, its answers say nothing.
MOST_TOLERANCE = 0.1

#: How far a score may be where answers agree, as a share of its range: ranks of answers that are
#: nearly equal change with their last digits.
OF_SCORES = 1e-3


@dataclass(frozen=True)
class Method:
    """Where methods to be fitted again come from.

    Attributes
    ----------
    registry : Registry
        What is installed, with the user's files and environments.
    environment, plugin_file : str
        The environment, or the file, that has them all; "" where records say where.
    limits : Limits
        What a trial may use.
    sandbox : str
        One of `kobench.sandbox.MODES`.
    """

    registry: Registry
    environment: str = ""
    plugin_file: str = ""
    limits: Limits = field(default_factory=Limits)
    sandbox: str = "auto"


@dataclass
class Rerun:
    """What came of fitting again.

    Attributes
    ----------
    findings : list of Finding
        Answers or scores that came out otherwise.
    open : list of Finding
        What could not be fitted again, and why.
    checked : set of int
        The `id` of each record whose answers came out as recorded.
    """

    findings: list[Finding] = field(default_factory=list)
    open: list[Finding] = field(default_factory=list)
    checked: set[int] = field(default_factory=set)


def rerun(
    records: Iterable[Record],
    source: Source,
    method: Method,
    folder: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> Rerun:
    """Fit the predictors of records again, ask them the same, and compare what they answer.

    Parameters
    ----------
    records : iterable of Record
        Those of predictors count.
    source : Source
        Where datasets, tasks and recorded answers are found.
    method : Method
        Where predictors are found.
    folder : Path
        An empty folder for what the trials leave.
    tell : callable
        Is told what a reader should know of the runs.
    """
    found = Rerun()
    groups: dict[tuple[str, Split], list[tuple[Record, Trial]]] = defaultdict(list)
    for record in records:
        if record.role != "predictor" or record.result.status in BAD:
            continue
        try:
            trial = trial_of(record, source, method)
        except UserError as error:
            found.open.append(Finding(record, row_of(record), "", str(error)))
            continue
        groups[trial.dataset.selection, trial.split].append((record, trial))
    pairs = [pair for members in groups.values() for pair in members]
    if not pairs:
        return found
    plan = [
        Group(members[0][1].dataset, members[0][1].split, (), tuple(trial for _, trial in members))
        for members in groups.values()
    ]
    outcome = Run(folder, sources=method.registry.sources, note=tell).run(plan)
    here = AnswerStore(folder)
    for (record, trial), made in zip(pairs, outcome.records, strict=True):
        named = bool(method.environment or method.plugin_file)
        other = "" if named else other_code(record, trial)
        judge(record, made, trial, source.store, here, found, other)
    return found


def trial_of(record: Record, source: Source, method: Method) -> Trial:
    """The trial of a record as it is done again; UserError where it can't be."""
    dataset = dataset_of(record, source)
    scores = usable(record.result.scores, source, Replayed(record, ""))
    if not scores:
        raise UserError("none of its tasks is here in the version of the record")
    if record.trial.predictor.readable:
        raise UserError("it read folders of its user (--readable), which no record holds")
    request = replace(request_of(record, dataset), sandbox=method.sandbox, limits=method.limits)
    return Trial(
        "predictor",
        dataset,
        predictor_of(record, method),
        tuple(task for task, _ in scores.values()),
        request,
        split_of(record),
        record.trial.fit_seed,
    )


def predictor_of(record: Record, method: Method) -> Chosen:
    """The predictor of a record, with its setting; UserError where it is not there."""
    info = record.trial.predictor
    name, _, params = info.selection.partition(":")
    bare = name.rpartition("/")[2]

    def fits(entry: Entry) -> bool:
        if method.environment:
            return entry.environment == method.environment
        if method.plugin_file:
            return entry.plugin_file == method.plugin_file
        return (entry.distribution, entry.environment or None) == (
            info.distribution,
            info.environment,
        )

    found = [entry for entry in method.registry.predictors.get(bare, ()) if fits(entry)]
    if not found:
        where = (
            f"environment {method.environment}"
            if method.environment
            else method.plugin_file or info.distribution
        )
        raise UserError(
            f"its method is not here ({where[:80]} brings no predictor {bare[:60]!r}); say with"
            " --from where it can be had"
        )
    text = f"{found[0].full_name}:{params}" if params else found[0].full_name
    return choose(method.registry, "predictors", text)


def judge(
    record: Record,
    made: Record,
    trial: Trial,
    recorded: AnswerStore,
    here: AnswerStore,
    found: Rerun,
    other: str = "",
) -> None:
    """Compare a record with the one that was just made, and write down in `found` what came of it.

    Installed code that is not that of the record may well answer otherwise: then nothing is known.

    Parameters
    ----------
    record, made : Record
        The record, and that of the trial here.
    trial : Trial
        What was done here.
    recorded, here : AnswerStore
        The answers of each.
    found : Rerun
        What is added to.
    other : str
        What to say of installed code that is not that of the record, "" for the same.
    """
    row, tolerance = row_of(record), trial.predictor.entry.spec.tolerance
    if not 0 <= tolerance <= MOST_TOLERANCE:
        reason = f"it declares tolerance {tolerance:g}, expected 0 to {MOST_TOLERANCE:g}"
        found.open.append(Finding(record, row, "", reason))
        return
    if made.result.status in BAD:
        message = " ".join((made.result.message or "").split())[:200]
        reason = f"fitted again, its trial ended as {made.result.status!r}: {message}"
        found.open.append(Finding(record, row, "", reason))
        return
    wrong: list[Finding] = []
    unknown: list[Finding] = []
    for name, key in record.result.answers.items():
        now = made.result.answers.get(name)
        if now == key:
            continue
        if now is None:
            if any(each.asks == name for each in record.result.scores.values()):
                reason = f"fitted again, it gave no answers to {name}"
                wrong.append(Finding(record, row, "", reason))
            continue
        if not recorded.has(key):
            reason = (
                f"its answers to {name} are not there, and those that it gives here have another"
                " hash, maybe by their last digits alone"
            )
            unknown.append(Finding(record, row, "", reason))
            continue
        if said := difference(recorded.load(key), here.load(now), tolerance):
            wrong.append(Finding(record, row, "", f"fitted again, its answers to {name} {said}"))
    if not wrong:
        wrong = [
            Finding(record, row, label, said)
            for label, said in other_scores(record, made, max(tolerance, OF_SCORES))
        ]
    if wrong and other:
        unknown.append(replace(wrong[0], reason=f"{wrong[0].reason}; {other}"))
        wrong = []
    if wrong and made.trial.dataset.digest != record.trial.dataset.digest:
        wrong[0] = replace(
            wrong[0], reason=f"{wrong[0].reason}; its dataset has other cells here, too"
        )
    found.findings += wrong
    found.open += unknown
    if not wrong and not unknown:
        found.checked.add(id(record))


def other_code(record: Record, trial: Trial) -> str:
    """What to say of code that is installed here and is not that of a record, "" where it is."""
    info, entry = record.trial.predictor, trial.predictor.entry
    home = (info.distribution, info.environment or "")
    if (entry.distribution, entry.environment) != home or trial.predictor.source == info.digest:
        return ""
    return (
        f"what is installed here is other code than that of the record (version {info.version},"
        f" code {code_of(info)}); say with --from where that can be had"
    )


def difference(before: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> str:
    """Where answers differ by more than a tolerance, "" where they don't.

    Numbers may differ by that share of the largest of their array; all else is to be equal.

    >>> difference({"a": np.array([1.0, 4.0])}, {"a": np.array([1.1, 4.0])}, 0.1)
    ''
    >>> difference({"a": np.array([1.0, 4.0])}, {"a": np.array([1.1, 4.0])}, 0.01)
    'differ: a by 0.025 of its largest, its tolerance is 0.01'
    """
    if set(before) != set(now):
        return f"are {', '.join(sorted(now))}, expected {', '.join(sorted(before))}"
    for name in sorted(before):
        one, two = np.asarray(before[name]), np.asarray(now[name])
        if one.shape != two.shape:
            return f"differ: {name} has shape {two.shape}, expected {one.shape}"
        if one.dtype.kind != "f" or two.dtype.kind != "f":
            if not np.array_equal(one, two):
                return f"differ: {name} is another"
            continue
        known = np.isfinite(one)
        if not np.array_equal(known, np.isfinite(two)):
            return f"differ: {name} has numbers in other places"
        if not known.any():
            continue
        largest = float(np.abs(one[known]).max())
        apart = float(np.abs(one[known] - two[known].astype(float)).max())
        if apart > tolerance * largest:
            share = apart / largest if largest else math.inf
            return f"differ: {name} by {share:.2g} of its largest, its tolerance is {tolerance:g}"
    return ""


def other_scores(record: Record, made: Record, share: float) -> Iterable[tuple[str, str]]:
    """Primary scores that differ by more than a share of their range, by the label of the task."""
    for label, scores in record.result.scores.items():
        here = made.result.scores.get(label)
        if here is None:
            continue
        for name in scores.primary:
            before, now = scores.metrics.get(name), here.metrics.get(name)
            if before is None or now is None or before.version != now.version:
                continue
            if before.value is None or now.value is None:
                if (before.value is None) != (now.value is None):
                    yield label, f"{name} is {shown(before.value)}, fitted again {shown(now.value)}"
                continue
            ends = before.low, before.high
            span = 1.0 if None in ends else float(ends[1]) - float(ends[0])  # type: ignore[arg-type]
            if abs(before.value - now.value) > share * (span if math.isfinite(span) else 1.0):
                yield label, f"{name} is {before.value:g}, fitted again {now.value:g}"


def shown(value: float | None) -> str:
    """A score, or that there is none."""
    return "none" if value is None else f"{value:g}"


def of_networks(records: Sequence[Record], numbers: Sequence[int]) -> list[Record]:
    """The records on these networks (their seeds, or numbers where seeds are secret), or all."""
    from kobench.results.planned import number_of

    return [one for one in records if not numbers or number_of(one) in (None, *numbers)]
