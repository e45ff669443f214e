"""How the predictors of a board were run.

Which without a full sandbox, which could read more, which in an environment of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from kobench.board.numbers.series import row_key
from kobench.board.numbers.values import Key
from kobench.board.written import spoken
from kobench.results.parts import Record, RunSandbox
from kobench.sandbox.layers import open_in_words

#: What is said of trials from before there was a sandbox.
UNKNOWN = "made before kobench had a sandbox"

#: How the remark begins on who has an environment of its own, which is nothing to mind.
ENVIRONMENTS = "In environments of their own"

#: Kobench's own code needs none.
OWN = "kobench"


def open_in(record: Record) -> str:
    """What a stranger's predictor could reach in a trial, in words.

    "" where nothing was open, and where none ran.
    """
    ours = record.role == "floor" and record.trial.predictor.distribution == OWN
    if record.role == "line" or ours:
        return ""
    if record.run.sandbox is None:
        # a trial that never started a process has limits, and no sandbox
        return "" if "limits" in record.run else UNKNOWN
    return open_through(record.run.sandbox)


def open_through(sandbox: RunSandbox) -> str:
    """What a sandbox left open, in words; "" where nothing.

    >>> layers = {"mounts": True, "process-namespace": True, "seccomp-outside": True}
    >>> open_through(RunSandbox(mode="auto", layers=layers, readable=[]))
    "files (the kernel's log, keyrings and hints on files) and network open"
    """
    if sandbox.mode == "off":
        return "switched off: files, network and processes open"
    # until it had a name of its own, this namespace came with that of the processes
    before = {"ipc-namespace": sandbox.layers.get("process-namespace", "")}
    found = open_in_words({**before, **sandbox.layers})
    return f"{spoken(found)} open" if found else ""


def open_of(fits: Iterable[Record]) -> str:
    """The same over the trials of a row, each reason once."""
    return "; ".join(sorted({found for fit in fits if (found := open_in(fit))}))


def environment_of(fits: Iterable[Record]) -> str:
    """The environments in which the trials of a row ran: "genki, Python 3.9.18".

    "" for kobench's own.
    """
    found = {(one.name, one.python) for fit in fits if (one := fit.run.environment)}
    return "; ".join(f"{name}, Python {python}" for name, python in sorted(found))


def ran_of(records: Iterable[Record], names: Mapping[Key, str]) -> tuple[str, ...]:
    """Remarks on how rows were run; none where all is as it should be.

    Parameters
    ----------
    records : iterable of Record
        All records of the board.
    names : mapping of Key to str
        What rows are called.
    """
    rows: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        rows[names[row_key(record)]].append(record)
    without: dict[str, list[str]] = defaultdict(list)
    environments: dict[str, list[str]] = defaultdict(list)
    reading: dict[str, list[str]] = defaultdict(list)
    for name, fits in sorted(rows.items()):
        ran = [fit for fit in fits if fit.run.sandbox or open_in(fit)]
        reasons = [open_in(fit) for fit in ran]
        for reason in sorted(set(reasons) - {""}):
            count = reasons.count(reason)
            without[reason].append(
                name if count == len(ran) else f"{name} in {count} of {len(ran)} trials"
            )
        if where := environment_of(fits):
            environments[where].append(name)
        sandboxes = [fit.run.sandbox for fit in ran if fit.run.sandbox]
        for folder in sorted({folder for one in sandboxes for folder in one.readable}):
            reading[folder].append(name)
    said = (
        (
            "Not in a full sandbox, so nothing shows that they saw only what they were given",
            without,
        ),
        ("Could read more folders", reading),
        (ENVIRONMENTS, environments),
    )
    parts = {
        what: [f"{', '.join(who)} ({where})" for where, who in sorted(found.items())]
        for what, found in said
    }
    return tuple(f"{what}: {'; '.join(each)}." for what, each in parts.items() if each)
