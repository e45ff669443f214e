"""What a run was asked for: datasets, predictors, tasks, splits, limits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from kobench.supervisor.limits import Limits
from kobench.truth.singles import ROW_LIMIT

#: From so many independent networks on, intervals are made of the networks' values alone and need
#: no draws inside each of them.
ENOUGH_NETWORKS = 2


#: How cells are parted into those trained on and those asked. auto: each task's own, "halves" where
#: other cells are the truth.
SPLITS = ("auto", "holdout", "all", "cell-type", "dataset")


@dataclass(frozen=True)
class Request:
    """What one run asks for; the keys of a suite file and the flags of `kobench run`.

    networks : data seeds for each seeded dataset. fit_seeds : fits of each predictor. split : see
    `SPLITS`. tasks : names, None for every applicable one. metrics : names of metrics of other
    packages, see `may_see_truth`. events : at most so many single knockouts a dataset, drawn at
    random, None for all of them. limits : what each trial may use. sandbox : see
    `kobench.sandbox.MODES`. readable : folders that predictors may read, too. None of these decides
    an answer, so none is in a key.
    """

    datasets: Sequence[str]
    predictors: Sequence[str]
    tasks: Sequence[str] | None = None
    metrics: Sequence[str] = ()
    networks: int = 1
    fit_seeds: int = 1
    split: str = "auto"
    split_seed: int = 0
    threads: int = 1
    device: str = "auto"
    row_limit: int = ROW_LIMIT
    events: int | None = None
    limits: Limits = field(default_factory=Limits)
    sandbox: str = "auto"
    readable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """Which cells a trial trains on: "holdout" 80 % (the rest is asked), "halves" (the other half
    is the reference of a measured truth), "all", or for "cell-type" and "dataset" those of the
    group `train` alone.
    """

    name: str
    train: str = ""


def device_kind(setting: str) -> str:
    """ "cpu" or "cuda": what `auto` means on this machine, found without importing torch."""
    return ("cuda" if os.path.exists("/dev/nvidiactl") else "cpu") if setting == "auto" else setting
