"""What a run was asked for: datasets, predictors, tasks, splits, limits."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kobench.results.suite_seed import SuiteSeed
from kobench.supervisor.limits import Limits
from kobench.truth.build import ROW_LIMIT

#: From this many independent networks on, intervals are made of the networks' values alone and need
#: no draws inside each of them.
ENOUGH_NETWORKS = 2

#: How cells are parted into those trained on and those asked. auto: each task's own, "halves" where
#: other cells are the truth.
SPLITS = ("auto", "holdout", "all", "cell-type", "dataset")

#: In so many splits the wild-type cells of real data are halved where knockouts are measured: half
#: of them is the reference of the truth, so one split is one draw of it.
MEASURED_SPLITS = 8

#: The splits in which a model is trained on one group of cells and asked about all of them.
BETWEEN_GROUPS = ("cell-type", "dataset")


@dataclass(frozen=True)
class Request:
    """What one run asks for; the keys of a suite file and the flags of `kobench run`.

    None of `limits`, `sandbox` and `jobs` decides an answer, so none is in a key. Of `readable` the
    content is, wherever it lies.

    Attributes
    ----------
    datasets, predictors : sequence of str
        Selections, such as "grn:sigma=0.3".
    tasks : sequence of str or None
        Names; None for every task that can be scored.
    metrics : sequence of str
        Names of metrics of other packages and files, see `kobench.runner.tasks.find_tasks`.
    networks : int
        Data seeds for each seeded dataset.
    fit_seeds : int
        Fits of each predictor.
    split : str
        One of `SPLITS`.
    split_seed : int
        Seed of the split, of several the first one.
    splits : int or None
        How often the wild-type cells are split where knockouts are measured; None for
        `MEASURED_SPLITS` of real data, and for one of a simulator, which has networks.
    threads : int
        Threads of a trial.
    device : str
        "auto", "cpu" or "cuda".
    row_limit : int
        See `kobench.truth.build.ROW_LIMIT`.
    events : int or None
        The most single knockouts of a dataset that are asked, drawn at random; None for all.
    limits : Limits
        What each trial may use.
    sandbox : str
        One of `kobench.sandbox.MODES`.
    readable : tuple of str
        Folders that predictors may read, too.
    suite_seed : SuiteSeed or None
        The secret seed from which those of all networks follow; None for public seeds, 0, 1, 2, ...
    seed_known : bool
        Whether others may have known that seed before the run; it decides no answer.
    tuned : mapping of (str, str) to tuple of str
        By distribution and selection what a setting was tuned on; it decides no answer.
    jobs : int
        How many trials run at a time: each may fill its share of the disk.
    """

    datasets: Sequence[str]
    predictors: Sequence[str]
    tasks: Sequence[str] | None = None
    metrics: Sequence[str] = ()
    networks: int = 1
    fit_seeds: int = 1
    split: str = "auto"
    split_seed: int = 0
    splits: int | None = None
    threads: int = 1
    device: str = "auto"
    row_limit: int = ROW_LIMIT
    events: int | None = None
    limits: Limits = field(default_factory=Limits)
    sandbox: str = "auto"
    readable: tuple[str, ...] = ()
    suite_seed: SuiteSeed | None = None
    seed_known: bool = False
    tuned: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    jobs: int = 1


@dataclass(frozen=True)
class Split:
    """Which cells a trial trains on.

    Attributes
    ----------
    name : str
        "holdout" trains on 80 % and asks the rest. "halves" keeps the other half back as the
        reference of a measured truth. "all" trains on and asks every cell. "cell-type" and
        "dataset" train on the group `train` alone.
    train : str
        The group of cells that is trained on; "" for none.
    seed : int
        Its seed.
    of : int
        How many splits of that name the run has; it decides no answer.
    """

    name: str
    train: str = ""
    seed: int = 0
    of: int = field(default=1, compare=False)


def device_kind(setting: str) -> str:
    """ "cpu" or "cuda": what `auto` means on this machine, found without importing torch."""
    return ("cuda" if os.path.exists("/dev/nvidiactl") else "cpu") if setting == "auto" else setting
