"""`kobench check`: the contract as named checks."""

from __future__ import annotations

import json
import sys

import click

from kobench.cli.options import complete_names, json_option, load, plugin_options

EXAMPLES = """
\b
Examples:
  kobench check linear
  kobench check --plugin my.py my-predictor
  kobench check mlp:preset=paper --json
"""


@click.command("check", epilog=EXAMPLES)
@click.argument("name", metavar="NAME[:KEY=VALUE,...]", shell_complete=complete_names("predictors"))
@json_option
@plugin_options
@click.pass_context
def check_command(ctx: click.Context, name: str, as_json: bool, plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...]) -> None:
    """Run the contract's named checks on the predictor NAME, in a process of its own; exit code 1 when one fails."""
    from kobench.checking import check_in_child
    from kobench.plan import choose

    registry = load(plugin_files, dataset_folders)
    results = check_in_child(choose(registry, "predictors", name))
    failed = [result for result in results if result["status"] == "failed"]
    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        marks = {"passed": ("ok  ", "green"), "failed": ("FAIL", "red"), "skipped": ("skip", "yellow")}
        for result in results:
            mark, colour = marks[result["status"]]
            click.echo(f"{click.style(mark, fg=colour)}  {result['name']}: {result['found']}")
        passed = sum(result["status"] == "passed" for result in results)
        click.echo(f"{passed} passed, {len(failed)} failed")
    sys.stdout.flush()
    ctx.exit(1 if failed else 0)
