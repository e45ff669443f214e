"""`kobench check`: the contract as named checks."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from kobench.cli.options import SECONDS, complete_names, json_option, load, plugin_options

EXAMPLES = """
\b
Examples:
  kobench check linear
  kobench check --plugin my.py my-predictor
  kobench check mlp:preset=paper --json
"""


MARKS = {"passed": ("ok  ", "green"), "failed": ("FAIL", "red"), "skipped": ("skip", "yellow"), "not run": ("-   ", "yellow")}


def outcome_of(result: dict[str, Any]) -> str:
    """A check's status; one that failed only because there is no fitted predictor was not run."""
    return "not run" if result["found"].startswith("not run:") else str(result["status"])


@click.command("check", epilog=EXAMPLES)
@click.argument("name", metavar="NAME[:KEY=VALUE,...]", shell_complete=complete_names("predictors"))
@click.option("--timeout", type=SECONDS, default=600.0, show_default=True, metavar="SECONDS", help="Time limit for all checks together.")
@json_option
@plugin_options
@click.pass_context
def check_command(ctx: click.Context, name: str, timeout: float, as_json: bool, plugin_files: tuple[str, ...],
                  dataset_folders: tuple[str, ...]) -> None:  # fmt: skip
    """Run the contract's named checks on the predictor NAME, in a process of its own; exit code 1 when one fails."""
    from kobench.checking import Setting, check_in_child
    from kobench.limits import Limits
    from kobench.plan import choose

    registry = load(plugin_files, dataset_folders)
    results = check_in_child(choose(registry, "predictors", name), Setting(Limits(seconds=timeout)))
    failed = [result for result in results if result["status"] == "failed"]
    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        outcomes = [outcome_of(result) for result in results]
        for result, outcome in zip(results, outcomes, strict=True):
            mark, colour = MARKS[outcome]
            click.echo(f"{click.style(mark, fg=colour)}  {result['name']}: {result['found']}")
        counts = {outcome: outcomes.count(outcome) for outcome in MARKS}
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count or outcome != "not run"))
    sys.stdout.flush()
    ctx.exit(1 if failed else 0)
