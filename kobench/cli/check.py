"""`kobench check`: the contract of a predictor, metric or dataset as named checks."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import (
    SECONDS,
    F,
    complete_names,
    json_option,
    limit_options,
    load,
    plugin_options,
    request_options,
)
from kobench.cli.output import say
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.plugins.entry import Entry
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench check linear
  kobench check --plugin my.py my-predictor
  kobench check mlp:preset=paper --json
  kobench check grn:genes=30,cells=100
  kobench check spearman --of ranking
  kobench check pearson-delta -d planted:perturbations=12,perturbed_cells=100
  kobench check --plugin my.py my-metric --kind metric
"""

#: What can be checked, by what `--kind` calls it.
CHECKED = {"predictor": "predictors", "dataset": "datasets", "metric": "metrics"}

MARKS = {
    "passed": ("ok  ", "green"),
    "failed": ("FAIL", "red"),
    "skipped": ("skip", "yellow"),
    "not run": ("-   ", "yellow"),
}

#: Seconds for all checks together, where nobody says.
TIME_LIMIT = 600.0


def outcome_of(result: dict[str, Any]) -> str:
    """A check's status, "not run" where it failed only because it could not run."""
    return "not run" if result["found"].startswith("not run:") else str(result["status"])


def limits_of_checks(function: F) -> F:
    """The options that limit trials, with another default and help of --timeout."""
    function = limit_options(function)
    for option in getattr(function, "__click_params__", []):
        if option.name == "timeout":
            option.type, option.default, option.help = (
                SECONDS,
                TIME_LIMIT,
                "Time limit for all checks together.",
            )
    return function


@click.command("check", epilog=EXAMPLES)
@click.argument("name", metavar="NAME[:KEY=VALUE,...]", shell_complete=complete_names("any"))
@click.option(
    "--kind",
    type=click.Choice(list(CHECKED)),
    help=(
        "What NAME is, where it is the name of several. A metric or dataset that is not kobench's"
        " own is checked without a sandbox, and only where this says what it is."
    ),
)
@click.option(
    "--of",
    metavar="UNITS",
    help="The kind of units that a metric measures, where several are called NAME.",
)
@click.option(
    "--dataset",
    "-d",
    metavar="DATASET",
    help=(
        "For a metric of responses: what it tells apart on this data set, in place of the checks."
        " DATASET[all] takes all perturbations, not the detectable ones alone."
    ),
)
@limits_of_checks
@json_option
@plugin_options
@click.pass_context
def check_command(
    ctx: click.Context,
    /,
    name: str,
    kind: str | None,
    of: str | None,
    dataset: str | None,
    as_json: bool,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
    **flags: Any,
) -> None:
    """Run the named checks of the predictor, dataset or metric NAME, in a process of its own; exit
    code 1 when one fails.
    """
    registry = load(plugin_files, dataset_folders, flags["sandbox"])
    found = kind_of(registry, name, kind)
    if dataset is not None and found != "metrics":
        raise UserError(f"-d {dataset}: {name} is a {found[:-1]}; -d is for metrics of responses")
    if found == "predictors":
        from kobench.checks.predictors import Setting, check_predictor
        from kobench.plugins.chosen import choose

        results = check_predictor(
            choose(registry, "predictors", name),
            Setting(**request_options(flags), cards=dataset_folders),
        )
    else:
        from kobench.checks.trusted import check_trusted
        from kobench.util.grammar import parse

        # says at once which kinds of units there are
        entry = registry.find(found, parse(name).full_name, of=of if found == "metrics" else None)
        refuse_unasked(entry, found, kind, flags["sandbox"])
        results = check_trusted(
            found, name, of, plugin_files, dataset_folders, flags["timeout"], dataset
        )
    if as_json:
        say(json.dumps(results, indent=1))
    else:
        show(results)
    sys.stdout.flush()
    ctx.exit(1 if any(result["status"] == "failed" for result in results) else 0)


def refuse_unasked(entry: Entry, found: str, kind: str | None, sandbox: str) -> None:
    """Refuse to run a stranger's metric or dataset where nobody said that it is one.

    Its plugin says so, and nothing shuts it in: it sees the truth.

    Parameters
    ----------
    entry : Entry
        What is to be checked.
    found : str
        "metrics" or "datasets".
    kind : str or None
        What the user says that it is.
    sandbox : str
        One of `kobench.sandbox.MODES`.

    Raises
    ------
    UserError
        Nobody said so, or a sandbox is required.
    """
    if entry.trusted:
        return
    word = found[:-1]
    what = f"{entry.full_name} is a {word}, says {entry.distribution}"
    if sandbox == "require":
        raise UserError(
            f"--sandbox require: {what}; a {word} is checked without a sandbox and with your"
            " rights, since it sees the truth. Leave --sandbox require out if you trust its code"
        )
    if kind is None:
        raise UserError(
            f"{what}; a {word} is checked without a sandbox and with your rights, since it sees the"
            f" truth. Say --kind {word} if you trust its code"
        )


def kind_of(registry: Registry, name: str, kind: str | None) -> str:
    """What a name is: "predictors", "datasets" or "metrics".

    Parameters
    ----------
    registry : Registry
        What is installed.
    name : str
        A name, perhaps with parameters.
    kind : str or None
        What it is, where somebody said.

    Returns
    -------
    str
        The kind, as the registry calls it.

    Raises
    ------
    UserError
        Where it is none of them, or several.
    """
    from kobench.cli.info import matches
    from kobench.util.grammar import parse

    if kind is not None:
        return CHECKED[kind]
    full_name = parse(name).full_name
    try:
        kinds = list(dict.fromkeys(found for found, _ in matches(registry, full_name)))
    except UserError:
        # says why, where a plugin of that name can't be loaded, else what could be meant
        registry.find("predictors", full_name)
        kinds = ["predictors"]
    checked = [word for word, found in CHECKED.items() if found in kinds]
    if not checked:
        raise UserError(
            f"{full_name} is a {kinds[0][:-1]}, of which there are no checks; name a predictor, a"
            " dataset or a metric"
        )
    if len(checked) > 1:
        raise UserError(
            f"{full_name} is the name of a {' and a '.join(checked)}; say"
            f" {' or '.join(f'--kind {word}' for word in checked)}"
        )
    return CHECKED[checked[0]]


def show(results: list[dict[str, Any]]) -> None:
    """Print one line for each check, and how many came out how."""
    outcomes = [outcome_of(result) for result in results]
    for result, outcome in zip(results, outcomes, strict=True):
        mark, colour = MARKS[outcome]
        say(f"  {result['name']}: {result['found']}", mark=(mark, colour))
    counts = {outcome: outcomes.count(outcome) for outcome in MARKS}
    say(
        ", ".join(
            f"{count} {outcome}"
            for outcome, count in counts.items()
            if count or outcome != "not run"
        )
    )
