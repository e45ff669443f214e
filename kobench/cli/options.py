"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kobench.plugins.registry import Registry

#: A function that click turns into a command.
F = TypeVar("F", bound=Callable[..., Any])

#: What plugins offer.
KINDS = ("datasets", "predictors", "metrics", "tasks")


class Seconds(click.FloatRange):
    """A time limit: above zero and finite; no limit is the option left out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(
                f"{value} is not a number of seconds; give a finite one above 0, or leave it out.",
                param,
                ctx,
            )
        return seconds


class SecondsOrNone(Seconds):
    """A time limit, or 0 for none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = click.FloatRange.convert(self, value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(
                f"{value} is not a number of seconds; give a finite one, 0 for no limit.",
                param,
                ctx,
            )
        return seconds


SECONDS = Seconds(0, min_open=True)


def limit_options(function: F) -> F:
    """Options that limit a trial.

    --timeout, --memory, --processes and --written: what it may use; --sandbox and --readable: what
    it may reach.
    """
    from kobench.sandbox import MODES
    from kobench.supervisor.limits import Limits

    number = click.IntRange(0)
    for option in (
        click.option(
            "--readable",
            multiple=True,
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False, resolve_path=True),
            help=(
                "A folder that predictors may read, too; may be repeated. The board names it, and"
                " a change of what is in it asks for a new fit."
            ),
        ),
        click.option(
            "--sandbox",
            type=click.Choice(MODES),
            default="auto",
            show_default=True,
            help=(
                "auto: predictors are shut in as far as this machine allows. require: they do not"
                " run where that is not enough. off: not at all, and the board says so."
            ),
        ),
        click.option(
            "--written",
            type=number,
            default=Limits.written_mb,
            show_default=True,
            metavar="MB",
            help="What a trial may write: answers, scratch files, output. 0: no limit.",
        ),
        click.option(
            "--processes",
            type=number,
            default=Limits.processes,
            show_default=True,
            metavar="N",
            help="Processes a trial may have at a time, with 16 threads for each. 0: no limit.",
        ),
        click.option(
            "--memory",
            type=number,
            default=None,
            show_default="3/4 of this machine's, divided by --jobs, at most 16384",
            metavar="MB",
            help="Memory of all processes of a trial together. 0: no limit.",
        ),
        click.option(
            "--timeout",
            type=SecondsOrNone(0),
            default=Limits.seconds,
            show_default=True,
            metavar="SECONDS",
            help="Time limit a trial. 0: none.",
        ),
    ):
        function = option(function)
    return function


def request_options(flags: dict[str, Any], jobs: int = 1) -> dict[str, Any]:
    """What the options of `limit_options` mean to a `kobench.runner.request.Request`.

    Parameters
    ----------
    flags : dict
        The values of these options, beside any others.
    jobs : int
        How many trials run at a time; they share the memory where the user gave no limit.

    Returns
    -------
    dict
        limits, sandbox, readable.
    """
    from kobench.supervisor.limits import Limits, default_memory_mb

    memory = default_memory_mb(jobs) if flags["memory"] is None else flags["memory"]
    limits = Limits(
        flags["timeout"] or None,
        memory or None,
        flags["processes"] or None,
        flags["written"] or None,
    )
    return {"limits": limits, "sandbox": flags["sandbox"], "readable": tuple(flags["readable"])}


def plugin_options(function: F) -> F:
    """--plugin FILE.py and --datasets DIR."""
    function = click.option(
        "--datasets",
        "dataset_folders",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="A folder of dataset cards of your own; may be repeated.",
    )(function)
    return click.option(
        "--plugin",
        "plugin_files",
        multiple=True,
        metavar="FILE.py",
        type=click.Path(exists=True, dir_okay=False),
        shell_complete=None,
        help="A single-file plugin; may be repeated.",
    )(function)


def strangers_options(function: F) -> F:
    """-d, -t and -m of what other packages bring, where answers are scored again."""
    function = click.option(
        "-m",
        "--metric",
        "metrics",
        multiple=True,
        help="A metric of another package that may be used.",
    )(function)
    function = click.option(
        "-t", "--task", "tasks", multiple=True, help="A task of another package that may be used."
    )(function)
    return click.option(
        "-d",
        "--dataset",
        "datasets",
        multiple=True,
        help="A dataset of another package, or one that reads a file of yours, that may be used.",
    )(function)


def rescoring_options(function: F) -> F:
    """The same, and -p: of commands that score answers again."""
    return click.option(
        "-p", "--predictor", "predictors", multiple=True, help="Only this one; may be repeated."
    )(strangers_options(function))


def json_option(function: F) -> F:
    """--json, for machines."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON for a machine to read."
    )(function)


def load(
    plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...], sandbox: str = "auto"
) -> Registry:
    """The registry with the user's own files; see `kobench.plugins.load.load_registry`."""
    from kobench.plugins.load import load_registry

    return load_registry(plugin_files, dataset_folders, sandbox=sandbox)


def complete_names(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Shell completion by the names of one kind, or of "any"."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        registry = load(
            tuple(ctx.params.get("plugin_files") or ()),
            tuple(ctx.params.get("dataset_folders") or ()),
        )
        kinds = KINDS if kind == "any" else (kind,)
        return sorted(
            name for one in kinds for name in getattr(registry, one) if name.startswith(incomplete)
        )

    return complete
