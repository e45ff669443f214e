"""What a record says of its dataset and tasks for readers of a board."""

from __future__ import annotations

from collections.abc import Mapping

from kobench.dataset import Dataset
from kobench.datasets.edges import edges_digest, edges_of
from kobench.datasets.groups import labels_of_groups
from kobench.plugins.chosen import Chosen
from kobench.results.about import (
    About,
    DatasetAbout,
    GroupsAbout,
    NetworkAbout,
    ParamAbout,
    TaskAbout,
)
from kobench.runner.keys import Trial
from kobench.util.values import same


def about_of(trial: Trial, dataset: Dataset, told: Mapping[str, TaskAbout]) -> About:
    """What readers are told of a trial's dataset and tasks.

    Parameters
    ----------
    trial : Trial
        The trial.
    dataset : Dataset
        Its dataset.
    told : mapping of str to TaskAbout
        By task label what is known of tasks that were scored, earlier or just now.
    """
    tasks = dict(told)
    for spec in (task.spec for task in trial.tasks):
        known = told.get(spec.label, TaskAbout())
        tasks[spec.label] = TaskAbout(
            says=spec.says,
            demand=float(spec.demand),
            of_knockouts=spec.of_knockouts,
            unranked=known.unranked,
        )
    labels = labels_of_groups(dataset)
    about = DatasetAbout(
        near_null=dataset.near_null,
        params=params_of(trial.dataset),
        groups=None
        if labels is None
        else GroupsAbout(column=dataset.group_key or "", count=len(set(labels.tolist()))),
        replicate_key=dataset.replicate_key,
        network=network_of(trial, dataset),
    )
    return About(dataset=about, tasks=dict(sorted(tasks.items())))


def network_of(trial: Trial, dataset: Dataset) -> NetworkAbout | None:
    """What tells a simulated network from others; None where its seed is known to do so."""
    ours = trial.dataset.entry.trusted and not dataset.network
    if dataset.kind != "simulated" or ours:
        return None
    n_genes = dataset.cells.n_vars
    edges = edges_of(dataset.truth, n_genes)
    return NetworkAbout(
        name=dataset.network, edges=None if edges is None else edges_digest(edges, n_genes)
    )


def params_of(chosen: Chosen) -> list[ParamAbout]:
    """The parameters that mean something in a dataset, in the order of its spec; not the seed."""
    spec, params = chosen.entry.spec, chosen.params
    found = []
    for name, param in spec.params.items():
        needed = param.only_with
        idle = needed is not None and not same(params.get(needed[0]), needed[1])
        if name in params and not idle and not (spec.seeded and name == "seed"):
            found.append(
                ParamAbout(
                    name=name,
                    value=params[name],
                    says=param.help if param.says is None else param.says,
                )
            )
    return found
