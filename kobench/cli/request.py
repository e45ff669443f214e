"""What the flags of `kobench run` ask for, and the run that does it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import load, request_options
from kobench.cli.output import say
from kobench.cli.tell import tell_splits, tell_unopened
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.plugins.registry import Registry
    from kobench.results.suite_seed import SuiteSeed
    from kobench.runner.keys import Group
    from kobench.runner.request import Request
    from kobench.runner.run import Outcome

#: The flags that a request takes as they are.
REQUESTED = (
    "datasets",
    "predictors",
    "metrics",
    "networks",
    "fit_seeds",
    "split",
    "split_seed",
    "splits",
    "threads",
    "device",
    "events",
    "jobs",
)


def planned(flags: dict[str, Any], notes: list[str]) -> list[Group]:
    """The plan of what the flags ask for, of which nothing is run; see `fulfilled`."""
    registry = load(flags["plugin_files"], flags["dataset_folders"], flags["sandbox"])
    return _plan(registry, flags, notes)[0]


def fulfilled(flags: dict[str, Any], notes: list[str]) -> tuple[list[Group], Outcome]:
    """Plan and run what the flags ask for.

    Parameters
    ----------
    flags : dict
        The values of the command's options.
    notes : list of str
        What a reader should know of the plan is added here.

    Returns
    -------
    groups : list of Group
        The plan.
    outcome : Outcome
        Its records.

    Raises
    ------
    click.Abort
        When interrupted.
    """
    registry = load(flags["plugin_files"], flags["dataset_folders"], flags["sandbox"])
    try:
        return _run(registry, flags, notes)
    except UserError as error:
        if more := others_that_are_here(registry, flags["datasets"], str(error)):
            raise UserError(f"{error}; {more}") from error
        raise


def others_that_are_here(registry: Registry, asked: Sequence[str], error: str) -> str:
    """What works where the file of one of several datasets is missing; "" where nothing does.

    Parameters
    ----------
    registry : Registry
        What is installed.
    asked : sequence of str
        Selections of datasets.
    error : str
        Why they can't be run.
    """
    from kobench.datasets.fetch import is_here

    names = {selection: selection.partition(":")[0] for selection in asked}
    if not any(f"dataset {name!r} needs the file" in error for name in names.values()):
        return ""
    here = [
        selection
        for selection, name in names.items()
        if name in registry.datasets and is_here(registry.datasets[name][0].spec.card)
    ]
    if not here or len(here) == len(names):
        return ""
    flags = " ".join(f"-d {shlex.quote(selection)}" for selection in here)
    return f"what is here works without it: `kobench run {flags} ...` (with -p and other flags)"


def _plan(
    registry: Registry, flags: dict[str, Any], notes: list[str]
) -> tuple[list[Group], Request]:
    """The plan of what the flags ask for, of what is installed."""
    from kobench.runner.plan import make_plan
    from kobench.runner.request import Request

    notes += too_much_memory(flags["jobs"], flags["memory"])
    request = Request(
        **{key: flags[key] for key in REQUESTED},
        **request_options(flags, flags["jobs"]),
        tasks=flags["tasks"] or None,
        suite_seed=suite_seed_of(flags),
        seed_known=seed_known(flags),
        tuned=tuned_settings(flags["plugin_files"]),
    )
    groups = make_plan(registry, request, notes.append)
    tell_unopened([part.entry for group in groups for part in group.dataset.each])
    tell_splits(groups)
    return groups, request


def _run(
    registry: Registry, flags: dict[str, Any], notes: list[str]
) -> tuple[list[Group], Outcome]:
    """What the flags ask for, of what is installed."""
    from kobench.runner.progress import make_watcher
    from kobench.runner.resume import Policy
    from kobench.runner.run import Run

    groups, request = _plan(registry, flags, notes)
    if request.suite_seed is not None:
        say(
            f"Networks come from a secret seed; commitment: sha256={request.suite_seed.commitment}",
            err=True,
        )
    policy = Policy.FRESH if flags["fresh"] else Policy.RESUME
    try:
        with make_watcher() as watcher:
            run = Run(
                flags["out"],
                policy,
                watcher,
                cards=flags["dataset_folders"],
                sources=registry.sources,
                note=notes.append,
            )
            return groups, run.run(groups, flags["jobs"])
    except KeyboardInterrupt:
        raise click.Abort(
            "Stopped; what was finished is kept, the same command goes on from there."
        ) from None


def secret_asked(flags: dict[str, Any]) -> bool:
    """Whether the seeds of networks are to follow from a secret one."""
    return bool(flags["secret"] or flags["secret_seed"] is not None)


def suite_seed_of(flags: dict[str, Any]) -> SuiteSeed | None:
    """The secret seed of a run: the one that was given, else that of the folder, else a new one."""
    from kobench.results.suite_seed import SuiteSeed, find_seed

    if flags["secret_seed"] is not None:
        return SuiteSeed.parse(flags["secret_seed"])
    return (find_seed(flags["out"]) or SuiteSeed.draw()) if flags["secret"] else None


def seed_known(flags: dict[str, Any]) -> bool:
    """Whether the secret seed of a run may have been known before it, as a published one is.

    A folder remembers that it was given its seed, whatever later flags say.
    """
    from kobench.results.suite_seed import KNOWN

    return flags["secret_seed"] is not None or (flags["out"] / KNOWN).is_file()


def tuned_settings(plugin_files: Sequence[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """By distribution and selection what `kobench tune` says that settings were chosen on.

    It is written beside plugin files, of which each speaks of its own plugin alone, and in the
    present folder.
    """
    from kobench.results.tuned import read_tuned, tuned_path, used_by

    return used_by(
        sweep
        for plugin in (None, *plugin_files)
        for sweep in read_tuned(tuned_path(plugin))
        if plugin is None or sweep["distribution"] == f"file:{Path(plugin).name}"
    )


def too_much_memory(jobs: int, memory_mb: int | None) -> list[str]:
    """A sentence where all trials together may take more memory than there is; else none.

    Parameters
    ----------
    jobs : int
        Trials at a time.
    memory_mb : int or None
        The limit of memory that the user gave; the default limit is a share of what there is.
    """
    from kobench.util.machine import available_mb

    if memory_mb is None or jobs * memory_mb <= available_mb():
        return []
    return [
        f"{jobs} trials at a time may take {memory_mb:,} MB each (--memory), together"
        f" {jobs * memory_mb:,} MB, and there are {available_mb():,} MB; fewer --jobs or a lower"
        " --memory keep the system from ending what it likes"
    ]
