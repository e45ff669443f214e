"""Upgrades of records from one format to the next, each taking and returning a record.

What older kobench versions knew by name and not by field, the words of built-in tasks and the
phrases of their notes, is known here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from kobench.errors import UserError
from kobench.results.about import About, DatasetAbout, ParamAbout, TaskAbout
from kobench.results.parts import PredictorInfo, Record, TaskScores
from kobench.util.grammar import parse

#: What the tasks of schema 1 asked, the most demanding first, and whether that was of knockouts.
TASKS = {
    "response": ("How each gene's mean changes after a knockout", True),
    "response-size": ("Which knockouts change the cells most", True),
    "keystone": ("Which genes matter most when removed", True),
    "knockout-impact": ("How much a knockout changes each cell", True),
    "knockout-profile": ("Expression of each cell after a knockout", True),
    "double-knockout": ("What two genes removed together do beyond the sum", True),
    "triple-knockout": ("What three genes removed together do beyond the sum", True),
    "transfer": ("Expression of cells of other types than trained on", False),
    "profile": ("Expression of held-out wild-type cells", False),
}

#: How the note of a dataset began whose knockouts have hardly any effect.
NEAR_NULL = "near-null:"

#: A task's note that held one of these said that the truth gives no ranking.
NO_RANK = ("no rank", "not ranked")

#: Parameters of `grn` whose default a selection left out.
DEFAULTS: Mapping[str, Any] = {
    "network": "er",
    "gamma": 2.5,
    "degree": 3.0,
    "sigma": 0.1,
    "dropout": 0.0,
    "absence": "random",
    "knockout": "zero",
    "genes": 100,
    "cells": 500,
}

#: What parameters of simulated networks mean.
WORDS = {
    "network": (
        "er: every gene regulates as often as another, sf: few hubs, out-degrees follow a power law"
    ),
    "gamma": "exponent of that power law",
    "degree": "mean number of regulators of a gene",
    "sigma": "each cell's own relative noise on every weight",
    "dropout": "chance of an entry below its gene's median to be read as 0",
}


def with_about(record: Record) -> Record:
    """From 1 to 2: what readers of a board are told stands in `about`."""
    dataset = dataset_about(record.trial.dataset.group, tuple(record.trial.dataset.notes))
    tasks = {label: task_about(label, scores) for label, scores in record.result.scores.items()}
    about = About(dataset=dataset, tasks=tasks)
    return replace(record, schema=2, about=about, absent=())


@cache
def dataset_about(group: str, notes: tuple[str, ...]) -> DatasetAbout:
    """What schema 1 says of a dataset, by its selection without the seed and its notes."""
    return DatasetAbout(
        near_null=next((note for note in notes if note.startswith(NEAR_NULL)), ""),
        params=[
            ParamAbout(name=name, value=value, says=WORDS.get(name, ""))
            for name, value in parameters_of(group).items()
        ],
    )


def parameters_of(selection: str) -> dict[str, Any]:
    """The parameters that a selection names, with the defaults of `grn`.

    >>> parameters_of("grn:network=sf,sigma=0.3")["gamma"]
    2.5
    >>> "gamma" in parameters_of("grn:sigma=0.3")  # without meaning in networks of the other kind
    False
    """
    try:
        found = parse(selection)
    except UserError:
        return {}
    if found.name != "grn":
        return dict(found.params)
    params = {**DEFAULTS, **found.params}
    if params["network"] != "sf":
        del params["gamma"]
    return params


def task_about(label: str, scores: TaskScores) -> TaskAbout:
    """What schema 1 says of a task, by its name and its notes."""
    unranked = (note for note in scores.notes if any(said in note.casefold() for said in NO_RANK))
    return replace(known_task(label.partition("@")[0]), unranked=next(unranked, ""))


@cache
def known_task(name: str) -> TaskAbout:
    """What is known of a task of schema 1 by its name; nothing of other distributions' tasks."""
    if name not in TASKS:
        return TaskAbout()
    says, of_knockouts = TASKS[name]
    demand = 10.0 * (len(TASKS) - list(TASKS).index(name))
    return TaskAbout(says=says, demand=demand, of_knockouts=of_knockouts)


#: Predictors that are given the equation of simulated datasets, of which records from before this
#: could be declared say nothing: distribution and name -> these datasets.
EQUATIONS = {("kobench-baselines", "steady-state"): ("grn", "planted")}


def equation_of(predictor: PredictorInfo) -> tuple[str, ...]:
    """The simulated datasets whose equation a predictor is given, as its record or we know."""
    known = EQUATIONS.get((predictor.distribution, predictor.name), ())
    return tuple(predictor.equation_of or known)


#: Upgrade from each schema number to the next.
UPGRADES: dict[int, Callable[[Record], Record]] = {1: with_about}
