"""Many small simulated networks, every predictor scored on each, for the studies of intervals.

The values are those that a board shows, by kobench's own simulator, questions, derivations, tasks
and metrics, at a size that takes under a second a network. A **row** is a predictor or floor, a
**column** is a metric of a task.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import Answers, Cells, Context, Parts, Profiles, Singles, TaskView
from kobench.builtin.datasets.grn import load
from kobench.builtin.floors.impact import AbsCorrelation, OwnShare, Random
from kobench.builtin.floors.knockout import NoEffect, PresenceContrast
from kobench.builtin.floors.profile import MaskedMean, MaskedMeanDepth
from kobench.builtin.metrics import impact, profile, ranking
from kobench.builtin.tasks import singles as tasks
from kobench.builtin.tasks.profile import profile as profile_task
from kobench.cells import BoolArray, FloatArray
from kobench.datasets.split import split
from kobench.truth.build import Material, build
from kobench.truth.singles import ask_singles
from kobench.worker.derive import Asker

#: column -> (task, metric, how good the truth is, whether higher is better, floors that count)
COLUMNS: dict[str, tuple[Any, Any, float, float, tuple[str, ...]]] = {
    "profile bray-curtis": (
        profile_task,
        profile.bray_curtis,
        0.0,
        -1.0,
        ("masked-mean", "masked-mean-depth"),
    ),
    "knockout-profile explained-change": (
        tasks.knockout_profile,
        profile.explained_change,
        1.0,
        1.0,
        (),
    ),
    "knockout-impact within cell": (
        tasks.knockout_impact,
        impact.spearman_within_cell,
        1.0,
        1.0,
        ("own-share", "presence-contrast", "abs-correlation", "random"),
    ),
    "keystone spearman": (
        tasks.keystone,
        ranking.spearman,
        1.0,
        1.0,
        ("own-share", "presence-contrast", "abs-correlation", "random"),
    ),
}

#: The small networks of the studies.
SIZE: Mapping[str, Any] = {"genes": 40, "cells": 150, "absence": "modules", "sigma": 0.1}


class HiddenUnits:
    """Ridge regression of profiles on random rectified units of the assemblage.

    It is a small network whose first layer is drawn by the fit seed.
    """

    answers = ("expression",)

    def __init__(self, units: int = 60, penalty: float = 1.0) -> None:
        self.units, self.penalty = units, penalty

    def fit(self, cells: Cells, context: Context) -> None:
        """Draw the first layer, and fit the second to cells (n, G)."""
        on, shares = cells.assemblages(), cells.profiles()
        rng = np.random.default_rng(context.seed)
        self.first = rng.normal(0, on.shape[1] ** -0.5, (on.shape[1], self.units))
        self.offset = rng.normal(0, 0.5, self.units)
        H = self._hidden(on)
        self.second = np.linalg.solve(H.T @ H + self.penalty * np.eye(H.shape[1]), H.T @ shares)

    def _hidden(self, on: BoolArray) -> FloatArray:
        return np.hstack([np.maximum(on @ self.first + self.offset, 0), np.ones((len(on), 1))])

    def predict_expression(self, assemblages: BoolArray) -> FloatArray:
        """Profiles (n, G) of assemblages (n, G)."""
        rows = np.where(assemblages, np.maximum(self._hidden(assemblages) @ self.second, 1e-6), 0.0)
        rows = np.where(rows.sum(axis=1, keepdims=True) > 0, rows, 1.0)
        return rows / rows.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Network:
    """One simulated network with its questions and training cells."""

    seed: int
    params: Mapping[str, Any]

    @cached_property
    def dataset(self) -> Any:
        """The simulated data set."""
        return load(**self.params, seed=self.seed)

    @cached_property
    def rows(self) -> tuple[Any, Any]:
        """Rows of the training cells and of the asked cells."""
        return split(self.dataset.cells.n_obs)

    @cached_property
    def profiles(self) -> Profiles:
        """The question of the asked cells' profiles."""
        return build("profile", Material(self.dataset, *self.rows))

    @cached_property
    def singles(self) -> Singles:
        """The question of their single knockouts."""
        return ask_singles(self.dataset, self.rows[1])

    def training(self, drawn_with: int | None = None) -> Cells:
        """The training cells; with a seed, as many drawn from them with replacement."""
        rows = self.rows[0]
        if drawn_with is not None:
            rows = np.random.default_rng([self.seed, drawn_with, 7]).choice(rows, len(rows))
        return self.dataset.cells[rows]

    def answers(
        self, predictor: Any, kinds: tuple[str, ...], training: Cells, seed: int = 0
    ) -> dict[str, Answers]:
        """A predictor's answers to both questions, as far as it has any."""
        predictor.fit(training, Context(seed=seed, threads=1, device="cpu"))
        asker = Asker(predictor, kinds)
        singles, everything = self.singles, np.ones(self.dataset.cells.n_vars, bool)
        found = asker.singles(singles.cells, singles.events, singles.sample, everything)
        answers = {"singles": Answers(**vars(found), supported=everything)}
        if "expression" in kinds:
            answers["profile"] = Answers(profile=asker.expression(self.profiles.assemblages))
        return answers

    def score(self, answers: Mapping[str, Answers], column: str) -> float:
        """One value of the board; NaN where these answers have none."""
        task, metric, *_ = COLUMNS[column]
        asks = "profile" if column.startswith("profile") else "singles"
        if asks not in answers:
            return float("nan")
        units = task(
            TaskView(self.profiles if asks == "profile" else self.singles, answers[asks])
        ).variants.get("")
        if units is None:
            return float("nan")
        value = metric(units)
        return float(value.value if isinstance(value, Parts) else value)


def small_mlp() -> Any:
    """The network of kobench-baselines, small.

    Its fits differ in all that a fit seed decides.
    """
    from kobench_baselines.mlp import MLP

    return MLP(hidden=16, steps=150, decay=0.1, refit=False)


def linear(penalty: float | None = None) -> Any:
    """`linear` of kobench-baselines."""
    from kobench_baselines.linear import Linear

    return Linear(penalty=penalty)


def rows_of(network: Network, mlp: bool = True) -> dict[str, dict[str, Answers]]:
    """Row -> answers. Rows that end in `#0`, `#1` differ in the fit seed alone."""
    whole, expression = network.training(), ("expression",)
    rows = {
        "own-share": network.answers(OwnShare(), ("impact",), whole),
        "presence-contrast": network.answers(PresenceContrast(), ("knockout",), whole),
        "abs-correlation": network.answers(AbsCorrelation(), ("impact", "genes"), whole),
        "random": network.answers(Random(), ("impact", "genes"), whole),
        "no-effect": network.answers(NoEffect(), ("knockout",), whole),
        "masked-mean": network.answers(MaskedMean(), expression, whole),
        "masked-mean-depth": network.answers(MaskedMeanDepth(), expression, whole),
        "linear": network.answers(linear(), expression, whole),
    }
    for seed in (0, 1):
        rows[f"resampled#{seed}"] = network.answers(linear(1.0), expression, network.training(seed))
        rows[f"hidden#{seed}"] = network.answers(HiddenUnits(), expression, whole, seed)
        if mlp:
            rows[f"mlp#{seed}"] = network.answers(small_mlp(), expression, whole, seed)
    return rows


def make_pool(networks: int, first: int = 0, mlp: bool = True) -> dict[str, dict[str, FloatArray]]:
    """Score every row on some networks.

    Parameters
    ----------
    networks : int
        Number of networks.
    first : int
        Seed of the first one.
    mlp : bool
        Whether the small network takes part.

    Returns
    -------
    dict
        column -> row -> (networks,) values. A network without a value for some row is left out for
        all.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for seed in range(first, first + networks):
        network = Network(seed, SIZE)
        for row, answers in rows_of(network, mlp).items():
            for column in COLUMNS:
                found.setdefault(column, {}).setdefault(row, []).append(
                    network.score(answers, column)
                )
        if (seed + 1) % 50 == 0:
            print(f"{seed + 1 - first} of {networks} networks", flush=True)
    pool: dict[str, dict[str, FloatArray]] = {}
    for column, rows in found.items():
        arrays = {row: np.array(values) for row, values in rows.items()}
        arrays = {row: values for row, values in arrays.items() if np.isfinite(values).mean() > 0.9}
        whole = np.isfinite(list(arrays.values())).all(axis=0)
        pool[column] = {row: values[whole] for row, values in arrays.items()}
    return pool


def add_pool_options(parser: argparse.ArgumentParser) -> None:
    """Give a study's command the options that say where the pool is and how it is made."""
    parser.add_argument(
        "--pool",
        type=Path,
        default=Path("interval-pool.npz"),
        help="where the pool is kept; made where it is missing",
    )
    parser.add_argument(
        "--networks", type=int, default=400, help="networks of the pool, where it is made"
    )


def read_pool(path: Path, networks: int, mlp: bool = True) -> dict[str, dict[str, FloatArray]]:
    """The pool kept in a .npz file, made first where there is none."""
    if not path.exists():
        pool = make_pool(networks, mlp=mlp)
        np.savez(
            path,
            **{
                f"{column}|{row}": values
                for column, rows in pool.items()
                for row, values in rows.items()
            },
        )
    pool = {}
    with np.load(path) as file:
        for name in file.files:
            column, row = name.split("|")
            pool.setdefault(column, {})[row] = file[name]
    return pool
