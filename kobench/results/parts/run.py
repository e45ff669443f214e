"""How a trial was run: the `run` part of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.results.typed import Part, older, optional


@dataclass(frozen=True, kw_only=True)
class RunLimits(Part):
    """What a trial might use at most; null for no limit.

    Attributes
    ----------
    seconds : float or None
        Wall-clock time, s.
    memory_mb : float or None
        Memory of all its processes, MB.
    processes : float or None
        Number of processes.
    written_mb : float or None
        Bytes written to files, MB.
    """

    seconds: float | None = older()
    memory_mb: float | None = older()
    processes: float | None = older()
    written_mb: float | None = older()


@dataclass(frozen=True, kw_only=True)
class RunSandbox(Part):
    """The sandbox in which a predictor's process ran.

    Attributes
    ----------
    mode : str
        "auto", "require" or "off".
    layers : mapping of str to bool or str
        Layer -> true, or why it was not there.
    readable : list of str
        More folders that the predictor could read.
    """

    mode: str
    layers: Mapping[str, bool | str]
    readable: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RunEnvironment(Part):
    """The environment in which a predictor's process ran.

    Attributes
    ----------
    name : str
        Its name.
    python : str
        Its version of Python.
    packages : mapping of str to str
        Version of each installed package.
    lock : str or None
        Sha256 of the lock file from which the same environment can be made again; older records
        lack it.
    """

    name: str
    python: str
    packages: Mapping[str, str]
    lock: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class PlannedSeeds(Part):
    """Seeds that follow each other.

    Attributes
    ----------
    first : int
        The first one.
    count : int
        How many there are.
    """

    first: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Planned(Part):
    """What the run of a trial was asked for beside it, so that what was dropped is missed.

    Attributes
    ----------
    networks : PlannedSeeds or None
        The seeds of the networks of its dataset, or their numbers where seeds are secret; null
        where the dataset has none.
    splits : PlannedSeeds
        The seeds of splits.
    fit_seeds : int
        How many fits of the row.
    """

    networks: PlannedSeeds | None
    splits: PlannedSeeds
    fit_seeds: int


@dataclass(frozen=True, kw_only=True)
class RunInfo(Part):
    """How a trial was run: all that may differ between two equal runs.

    Attributes
    ----------
    fit_seconds : float or None
        Wall-clock time of the fit, s.
    predict_seconds : float or None
        Wall-clock time of all answers, s.
    peak_mb : float or None
        Largest memory held, MB.
    timeout : float or None
        Time limit of older records, s; now `limits.seconds`.
    limits : RunLimits or None
        What the trial might use; older records lack it.
    found : str or None
        The sentence with what was measured, where a limit was passed.
    sandbox : RunSandbox or None
        The sandbox of its process; null where no process was started.
    output : str or None
        End of what it printed, null for nothing.
    environment : RunEnvironment or None
        Its environment, null for kobench's own interpreter.
    started : str or None
        When it started, ISO 8601, UTC.
    host : str or None
        Name of the machine.
    platform : str or None
        Operating system and kernel.
    python : str or None
        Version of Python in which the predictor ran.
    cpu_count : int or None
        Number of CPU cores of the machine.
    kobench : str or None
        Version of kobench.
    packages : mapping of str to str, or None
        Versions of the packages that were installed where the predictor ran.
    code_in_harness : list of str, or None
        Files of the predictor's distribution by which its code ran in kobench's own process, where
        no sandbox is.
    asked_late : list of str, or None
        Labels of tasks that were asked by assemblage after predictors had been shown the same cells
        in this results folder, in a run that is meant to hold against hostile predictors.
    seed_known : bool or None
        True where the secret seed of its network was known before the run; left out else.
    tuned_on : list of str, or None
        The networks and data on which `kobench tune` chose among settings of which this is one;
        left out for none.
    planned : Planned or None
        Which trials of its row the run was asked for; older records lack it.
    """

    fit_seconds: float | None = optional()
    predict_seconds: float | None = optional()
    peak_mb: float | None = optional()
    timeout: float | None = optional()
    limits: RunLimits | None = optional()
    found: str | None = optional()
    sandbox: RunSandbox | None = optional()
    output: str | None = optional()
    environment: RunEnvironment | None = optional()
    started: str | None = optional()
    host: str | None = optional()
    platform: str | None = optional()
    python: str | None = optional()
    cpu_count: int | None = optional()
    kobench: str | None = optional()
    packages: Mapping[str, str] | None = optional()
    code_in_harness: Sequence[str] | None = optional()
    asked_late: Sequence[str] | None = optional()
    seed_known: bool | None = optional()
    tuned_on: Sequence[str] | None = optional()
    planned: Planned | None = optional()
