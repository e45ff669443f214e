"""The one line that repeats the question of a record, to copy into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from kobench.board.words import base
from kobench.errors import LIMIT_OF
from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.results.suite_seed import SEED
from kobench.runner.recorded import JOINED, SECRET
from kobench.runner.request import device_kind
from kobench.show.find import SHOWN, tasks_of
from kobench.supervisor.limits import FLAGS, Limits

#: How a distribution is called that is one file.
FILE = "file:"

#: The splits that a run takes by itself where these tasks are asked.
BY_TASK = ("holdout", "halves")


def again(record: Record, folder: Path, task: str = "") -> str:
    """The command that asks the same predictor the same, with the same seeds.

    Parameters
    ----------
    record : Record
        Whose question.
    folder : Path
        Where the record lies: a secret seed is read from there.
    task : str
        Name or label of the one task to ask; "" for all that the record was asked.
    """
    trial = record.trial
    words = ["kobench", "run"]
    for selection in trial.dataset.selection.split(JOINED):
        words += ["-d", SECRET.sub(r"\1", selection)]
    if record.role == "predictor":  # floors and lines come by themselves
        words += ["-p", chosen_as(record)]
        words += plugin_file(record)
    for label in tasks_of(record, task):
        words += ["-t", base(label)]
    if trial.split.name not in BY_TASK:
        words += ["--split", trial.split.name]
    if trial.split.seed:
        words += ["--split-seed", str(trial.split.seed)]
    if trial.split.name == "halves":
        words += ["--splits", "1"]
    if trial.fit_seed:
        words += ["--fit-seeds", str(trial.fit_seed + 1)]
    events = {each.events.asked for each in record.result.scores.values() if each.events}
    if events:
        words += ["--events", str(max(events))]
    if trial.threads != 1:
        words += ["--threads", str(trial.threads)]
    if trial.device != device_kind("auto"):
        words += ["--device", trial.device]
    words += limits(record)
    line = shlex.join(words)
    if SECRET.search(trial.dataset.selection):
        line += f' --secret-seed "$(cat {shlex.quote(str(folder / SEED))})"'
    return f"{line} --fresh --out {shlex.quote(out_of(record))}"


def out_of(record: Record) -> str:
    """The folder of the results: one of its own, as none takes both secret and public seeds."""
    return f"kobench-again/{identity(record.trial)[:SHOWN]}"


def chosen_as(record: Record) -> str:
    """What `-p` is given: the selection, of an environment's predictor with its name."""
    predictor = record.trial.predictor
    prefix = f"{predictor.environment}/" if predictor.environment else ""
    return f"{prefix}{predictor.selection}"


def plugin_file(record: Record) -> list[str]:
    """`--plugin FILE.py` for a predictor of a single file, whose folder no record names."""
    distribution = record.trial.predictor.distribution
    return ["--plugin", distribution[len(FILE) :]] if distribution.startswith(FILE) else []


def limits(record: Record) -> list[str]:
    """The flags of limits that are not those of every run, and of the one that was passed.

    The limit of memory depends on the machine, so it is named where it was passed alone.
    """
    given = record.run.limits
    words: list[str] = []
    passed = LIMIT_OF.get(record.result.status)
    usual = {name: getattr(Limits, name, None) for name in FLAGS}
    for name, flag in FLAGS.items() if given is not None else ():
        value = getattr(given, name)
        if name == passed or (name != "memory_mb" and value != usual[name]):
            words += [flag, f"{value:g}" if value is not None else "0"]
    sandbox = record.run.sandbox
    if sandbox is not None:
        if sandbox.mode != "auto":
            words += ["--sandbox", sandbox.mode]
        for place in sandbox.readable:
            words += ["--readable", place]
    return words


def unsure(record: Record) -> list[str]:
    """What a record does not say, so that the line may need a hand, in sentences."""
    found = []
    for name in plugin_file(record)[1:]:
        if not Path(name).is_file():
            found.append(f"say where {name} lies: records name no folders")
    split = record.trial.split
    if split.train:
        found.append("it trains on every group of cells, not on this one alone")
    if record.trial.fit_seed:
        found.append(f"it fits with the seeds 0 to {record.trial.fit_seed}")
    return found
