"""How a board came to be: by which kobench, when, on how many machines, and by which command."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from kobench.board.words import base
from kobench.results.parts import Record, TrialInfo

#: What joins the selections of datasets that were joined as one.
JOINED = " + "

#: Splits that a run makes where it is asked for none, and how often it halves the cells of real
#: data, and of simulated ones.
AUTO, HALVES = frozenset({"holdout", "halves"}), {"real": 8, "simulated": 1}


@dataclass(frozen=True)
class Made:
    """How a board came to be, as its records say.

    Attributes
    ----------
    versions : tuple of str
        The versions of kobench.
    first, last : str
        The days of its first and last trial, "2026-11-29"; "" where the board shows nothing that
        differs between equal runs.
    hosts : int
        On how many machines; 0 likewise.
    records : int
        How many records.
    command : tuple of str
        The options of a `kobench run` that makes such records, each with its value.
    secret : bool
        Whether the command needs the secret seed that was revealed with the records.
    environments : tuple of str
        Environments that the command needs.
    """

    versions: tuple[str, ...]
    first: str
    last: str
    hosts: int
    records: int
    command: tuple[str, ...]
    secret: bool
    environments: tuple[str, ...]


def made_of(records: Sequence[Record], cost: bool) -> Made:
    """How a board of these records came to be.

    Parameters
    ----------
    records : sequence of Record
        Its records.
    cost : bool
        Whether the board shows what may differ between two equal runs.
    """
    days = sorted(record.run.started[:10] for record in records if record.run.started)
    hosts = {host for record in records if (host := record.run.host)}
    names = {record.run.environment.name for record in records if record.run.environment}
    secret = [one for record in records if (one := record.trial.dataset.secret)]
    return Made(
        versions=tuple(sorted({version for record in records if (version := record.run.kobench)})),
        first=days[0] if cost and days else "",
        last=days[-1] if cost and days else "",
        hosts=len(hosts) if cost else 0,
        records=len(records),
        command=command_of(records),
        secret=any(one.seed is not None for one in secret),
        environments=tuple(sorted(names)),
    )


def command_of(records: Sequence[Record]) -> tuple[str, ...]:
    """The options of a `kobench run` that plans these trials, each with its value.

    Limits, plugins in files and folders to read are not in records, and not in the command.
    """
    trials = [record.trial for record in records]
    groups = [part for trial in trials for part in trial.dataset.group.split(JOINED)]
    predictors = [trial.predictor.selection for trial in predicted(records)]
    tasks = [base(label) for record in records for label in record.result.scores]
    named = [("-d", groups), ("-p", predictors), ("-t", tasks)]
    found = [f"{flag} {shlex.quote(one)}" for flag, every in named for one in sorted({*every})]
    secret = [one for trial in trials if (one := trial.dataset.secret)]
    if any(one.seed is None for one in secret):
        found.append("--secret")
    return (*found, *numbers_of(records))


def predicted(records: Sequence[Record]) -> list[TrialInfo]:
    """The trials of predictors."""
    return [record.trial for record in records if record.role == "predictor"]


def numbers_of(records: Sequence[Record]) -> list[str]:
    """The options of a command that say how many and how, where they differ from the default."""
    trials = [record.trial for record in records]
    networks: dict[tuple[str, str], set[str]] = defaultdict(set)
    halvings: dict[tuple[str, str], set[int]] = defaultdict(set)
    for trial in trials:
        dataset, split = trial.dataset, trial.split
        networks[dataset.group, dataset.kind].add(dataset.selection)
        if split.name == "halves":
            halvings[dataset.selection, dataset.kind].add(split.seed)
    counts = {
        "--networks": max(map(len, networks.values()), default=1),
        "--fit-seeds": len({trial.fit_seed for trial in predicted(records)}) or 1,
        "--split-seed": min((trial.split.seed for trial in trials), default=0),
        "--threads": max((trial.threads for trial in trials), default=1),
    }
    usual = {"--networks": 1, "--fit-seeds": 1, "--split-seed": 0, "--threads": 1}
    found = [f"{flag} {count}" for flag, count in counts.items() if count != usual[flag]]
    found += [f"--split {one}" for one in sorted({trial.split.name for trial in trials} - AUTO)]
    splits = {len(seeds) for (_, kind), seeds in halvings.items() if len(seeds) != HALVES[kind]}
    found += [f"--splits {max(splits)}"] if splits else []
    entries = [scores for record in records for scores in record.result.scores.values()]
    drawn = {one.events.asked for one in entries if one.events is not None}
    return [*found, *([f"--events {max(drawn):g}"] if drawn else [])]
