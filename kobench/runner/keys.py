"""Trials, and the keys that decide whether a stored record still answers one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from kobench.plugins.chosen import Chosen, Task, version_of
from kobench.plugins.load import Entry
from kobench.question import SETS
from kobench.runner.request import ENOUGH_NETWORKS, Request, Split, device_kind
from kobench.specs import MetricSpec, TaskSpec
from kobench.util.files import hash_of

#: Bootstrap draws kept for a primary metric where blocks inside a dataset carry the interval.
DRAWS = 300


@dataclass(frozen=True)
class Trial:
    """One predictor, floor or line on one dataset and split, with the tasks it is scored on."""

    role: Literal["predictor", "floor", "line"]
    dataset: Chosen
    predictor: Chosen
    tasks: tuple[Task, ...]
    request: Request
    split: Split = Split("holdout")  # noqa: RUF009 - it is frozen
    fit_seed: int = 0

    @property
    def asks(self) -> tuple[str, ...]:
        """The question sets it needs, the profile first: it is answered before any expression is
        seen.
        """
        needed = {task.spec.asks for task in self.tasks}
        return tuple(name for name in SETS if name in needed)

    @property
    def label(self) -> str:
        """How a trial is named to a reader."""
        seed = (
            f" (fit seed {self.fit_seed})"
            if self.request.fit_seeds > 1 and self.role == "predictor"
            else ""
        )
        train = f", trained on {self.split.train}" if self.split.train else ""
        return f"{self.predictor.selection} on {self.dataset.selection}{train}{seed}"

    def describe(self, kind: str, digest: str, notes: Iterable[str]) -> dict[str, Any]:
        """The `trial` part of its record; kind, digest and notes come from the loaded dataset."""
        dataset, predictor, request = self.dataset, self.predictor, self.request
        return {
            "dataset": {
                **self.named(dataset),
                "group": dataset.group,
                "seed": dataset.params.get("seed") if dataset.entry.spec.seeded else None,
                "kind": kind,
                "truth": dataset.entry.spec.truth,
                "digest": digest,
                "notes": list(notes),
            },
            "split": {
                "name": self.split.name,
                "seed": request.split_seed,
                **({"train": self.split.train} if self.split.train else {}),
            },
            "predictor": {
                **self.named(predictor),
                "distribution": predictor.entry.distribution,
                "digest": predictor.source,
                **(
                    {"environment": predictor.entry.environment}
                    if predictor.entry.environment
                    else {}
                ),
            },
            "fit_seed": self.fit_seed,
            "threads": request.threads,
            "device": device_kind(request.device),
        }

    @staticmethod
    def named(chosen: Chosen) -> dict[str, Any]:
        """Name, canonical selection and version of a dataset or predictor."""
        return {
            "name": chosen.entry.spec.name,
            "selection": chosen.selection,
            "version": version_of(chosen.entry),
        }

    @property
    def keys(self) -> dict[str, Any]:
        """Keys of fit, questions and scores. Nothing that only changes cost is in them."""
        from kobench.api import CONTRACT

        description = self.describe("", "", ())
        for part in ("kind", "digest", "notes"):
            del description["dataset"][part]
        fit = hash_of(
            {"contract": CONTRACT, "source": self.dataset.source, "role": self.role, **description}
        )
        limits = {"row_limit": self.request.row_limit}
        sampled = (
            limits if self.request.events is None else {**limits, "events": self.request.events}
        )
        questions = {
            asks: hash_of(
                {
                    "fit": fit,
                    "asks": asks,
                    "version": SETS[asks].version,
                    **(sampled if SETS[asks].draws_events else limits),
                }
            )
            for asks in self.asks
        }
        scores = {
            task.spec.label: hash_of(
                {
                    "task": facts_of(task.entry),
                    "metrics": [facts_of(metric) for metric in task.metrics],
                    "draws": self.draws,
                    "showcase": self.showcase,
                    "question": questions[task.spec.asks],
                }
            )
            for task in self.tasks
        }
        return {"fit": fit, "questions": questions, "scores": scores}

    @property
    def draws(self) -> int:
        """How many bootstrap draws of the blocks inside the dataset are kept for primary
        metrics.
        """
        enough = self.dataset.entry.spec.seeded and self.request.networks >= ENOUGH_NETWORKS
        return 0 if enough else DRAWS

    @property
    def showcase(self) -> bool:
        """Whether single units are written into the record for pictures and tables: of predictors
        on the first network.
        """
        return self.role == "predictor" and self.fit_seed == 0 and self.dataset.first


@dataclass(frozen=True)
class Group:
    """All trials on one dataset and split; floors and lines come first, because scores lean on
    them.
    """

    dataset: Chosen
    split: Split
    basis: tuple[Trial, ...]
    trials: tuple[Trial, ...]


def facts_of(entry: Entry) -> dict[str, Any]:
    """What identifies a task or metric in a key: its own version and, for a stranger's, the code's
    hash.
    """
    spec: TaskSpec | MetricSpec = entry.spec
    return {
        "name": spec.name,
        "version": spec.version,
        "distribution": entry.distribution,
        "digest": "" if entry.trusted else entry.digest,
    }


def identity_of(predictor: Chosen) -> tuple[str, str, str]:
    """What tells two choices of a predictor apart."""
    return predictor.entry.distribution, predictor.selection, predictor.entry.environment
