"""Trials, and the keys that decide whether a stored record still answers one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from kobench.api import CONTRACT
from kobench.plugins.chosen import Chosen, Task, version_of
from kobench.plugins.load import Entry
from kobench.question import SETS
from kobench.results.parts import (
    DatasetInfo,
    Keys,
    PredictorInfo,
    SecretSeed,
    SplitInfo,
    TrialInfo,
)
from kobench.runner.request import ENOUGH_NETWORKS, Request, Split, device_kind
from kobench.scoring import permutations
from kobench.specs import MetricSpec, TaskSpec
from kobench.util.files import hash_of

#: Bootstrap draws kept for a primary metric where blocks inside a dataset carry the interval.
DRAWS = 300


@dataclass(frozen=True)
class Trial:
    """One predictor, floor or line on one dataset and split, with the tasks it is scored on.

    Attributes
    ----------
    role : str
        "predictor", "floor" (a trivial predictor) or "line" (answers that the dataset gives).
    dataset, predictor : Chosen
        Which ones, with their parameters.
    tasks : tuple of Task
        What it is scored on.
    request : Request
        What the run asks for.
    split : Split
        Which cells train.
    fit_seed : int
        Seed given to the fit.
    readable : tuple of str
        Hash of the content of each folder that the predictor may read beside its own, in order.
    """

    role: Literal["predictor", "floor", "line"]
    dataset: Chosen
    predictor: Chosen
    tasks: tuple[Task, ...]
    request: Request
    split: Split = Split("holdout")  # noqa: RUF009 - it is frozen
    fit_seed: int = 0
    readable: tuple[str, ...] = ()

    @property
    def asks(self) -> tuple[str, ...]:
        """The question sets that it needs, in the order in which they are asked."""
        needed = {task.spec.asks for task in self.tasks}
        return tuple(name for name in SETS if name in needed)

    @property
    def is_strangers(self) -> bool:
        """Whether its answers come from code that is not kobench's own."""
        return self.role != "line" and not self.predictor.entry.trusted

    @property
    def label(self) -> str:
        """How a trial is named to a reader."""
        seed = (
            f" (fit seed {self.fit_seed})"
            if self.request.fit_seeds > 1 and self.role == "predictor"
            else ""
        )
        train = f", trained on {self.split.train}" if self.split.train else ""
        split = f", split seed {self.split.seed}" if self.split.of > 1 else ""
        return f"{self.predictor.selection} on {self.dataset.selection}{train}{split}{seed}"

    def describe(self, kind: str = "", digest: str = "", notes: Iterable[str] = ()) -> TrialInfo:
        """The `trial` part of its record.

        Parameters
        ----------
        kind, digest, notes :
            Of the loaded dataset; left out where it is not loaded. They are in no key, and not in
            the name of the record's file.
        """
        dataset, predictor, request = self.dataset, self.predictor, self.request
        seed = dataset.params.get("seed") if dataset.entry.spec.seeded else None
        secret, meant = dataset.secret, predictor.entry.spec.meaning
        return TrialInfo(
            dataset=DatasetInfo(
                name=dataset.entry.shown_name,
                selection=dataset.selection,
                version=version_of(dataset.entry),
                group=dataset.group,
                seed=seed if secret is None else None,
                secret=None
                if secret is None
                else SecretSeed(commitment=secret.commitment, index=secret.index),
                kind=kind,
                truth=dataset.entry.spec.truth,
                digest=digest,
                notes=list(notes),
            ),
            split=SplitInfo(
                name=self.split.name, seed=self.split.seed, train=self.split.train or None
            ),
            predictor=PredictorInfo(
                name=predictor.entry.shown_name,
                selection=predictor.selection,
                distribution=predictor.entry.distribution,
                version=version_of(predictor.entry),
                digest=predictor.source,
                environment=predictor.entry.environment or None,
                readable=list(self.readable) or None,
                response=None if meant == "profile-change" else meant,
                max_order=predictor.entry.spec.max_order,
                prior=predictor.entry.spec.prior or None,
                developed_on=list(predictor.entry.spec.developed_on) or None,
                equation_of=list(predictor.entry.spec.equation_of) or None,
            ),
            fit_seed=self.fit_seed,
            threads=request.threads,
            device=device_kind(request.device),
        )

    @property
    def keys(self) -> Keys:
        """Keys of fit, questions and scores. Nothing that only changes cost is in them."""
        source = self.dataset.source
        fit = fit_key(CONTRACT, source, self.role, self.describe())
        questions = {name: self._question_key(fit, name) for name in self.asks}
        scores = {
            task.spec.label: self._score_key(questions[task.spec.asks], task) for task in self.tasks
        }
        return Keys(fit=fit, questions=questions, scores=scores, contract=CONTRACT, source=source)

    def _question_key(self, fit: str, name: str) -> str:
        """The key of one question set, given that of the fit."""
        row, request = SETS[name], self.request
        key = {"fit": fit, "asks": name, "version": row.version, "row_limit": request.row_limit}
        if row.draws_events and request.events is not None:
            key["events"] = request.events
        return hash_of(key)

    def _score_key(self, question: str, task: Task) -> str:
        """The key of one task's scores, given that of its question set."""
        key = {
            "task": facts_of(task.entry),
            "metrics": [facts_of(metric) for metric in task.metrics],
            "draws": self.draws,
            "showcase": self.showcase,
            "question": question,
        }
        if task.spec.block == "perturbation":
            key["permutations"] = permutations.VERSION
        return hash_of(key)

    @property
    def draws(self) -> int:
        """How many bootstrap draws of the blocks inside the dataset primary metrics keep."""
        enough = self.dataset.entry.spec.seeded and self.request.networks >= ENOUGH_NETWORKS
        return 0 if enough else DRAWS

    @property
    def showcase(self) -> bool:
        """Whether the record keeps single units for pictures: of predictors, on one network.

        Of several splits the first alone.
        """
        first = self.dataset.first and self.split.seed == self.request.split_seed
        return self.role == "predictor" and self.fit_seed == 0 and first


@dataclass(frozen=True)
class Group:
    """All trials on one dataset and split.

    Attributes
    ----------
    dataset : Chosen
        The dataset.
    split : Split
        Which cells train.
    basis : tuple of Trial
        Floors and lines. They come first, because scores lean on them.
    trials : tuple of Trial
        The predictors'.
    """

    dataset: Chosen
    split: Split
    basis: tuple[Trial, ...]
    trials: tuple[Trial, ...]


def fit_key(contract: int, source: str, role: str, trial: TrialInfo) -> str:
    """The key of a fit, by what its record says of the trial.

    Parameters
    ----------
    contract : int
        Version of the contract.
    source : str
        Hash of what makes the dataset.
    role : str
        "predictor", "floor" or "line".
    trial : TrialInfo
        Of which what only describes is left out, and the seed that a published record reveals. The
        predictor's digest stands for what its spec declares.
    """
    description = trial.to_json()
    for part in ("kind", "digest", "notes"):
        del description["dataset"][part]
    if description["dataset"].get("secret") is not None:
        description["dataset"]["secret"].pop("seed", None)
    for part in ("response", "max_order", "prior", "developed_on", "equation_of"):
        description["predictor"].pop(part, None)
    return hash_of({"contract": contract, "source": source, "role": role, **description})


def facts_of(entry: Entry) -> dict[str, Any]:
    """What identifies a task or metric in a key; a stranger's also by the hash of its code."""
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
