"""`kobench env`: environments for predictors whose packages do not fit beside each other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import SECONDS, json_option
from kobench.cli.output import safe, say

if TYPE_CHECKING:
    from kobench.environments.environment import Environment
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench env create genki --from ./plugins/kobench-genki
  kobench env create old --from my-plugin==1.2 --python 3.9 --constraint pins.txt
  kobench env create genki-again --from genki.lock.txt
  kobench env list
  kobench env check genki
  kobench env remove genki
"""


@click.group("env", epilog=EXAMPLES)
def env_command() -> None:
    """Make, list, check and remove environments that predictors have to themselves."""


@env_command.command(
    "create",
    epilog=(
        "\b\nExamples:\n  kobench env create genki --from ./plugins/kobench-genki\n"
        "  kobench env create old --from my-plugin --from 'numpy<2' --python 3.10"
    ),
)
@click.argument("name")
@click.option(
    "--from",
    "specs",
    multiple=True,
    metavar="SPEC",
    help=(
        "A package, a folder, a wheel, an address, '-e FOLDER' or a requirements file; may be"
        " repeated. Or a lock file of an environment, which makes the same again."
    ),
)
@click.option(
    "--python",
    metavar="PATH|VERSION",
    help="The interpreter it is made from. Default: kobench's own.",
)
@click.option(
    "--constraint",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Versions that pip has to keep to.",
)
@click.option(
    "--requirements",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A requirements file for pip; may be repeated.",
)
@click.option(
    "--installer",
    type=click.Choice(["auto", "uv", "pip"]),
    default="auto",
    show_default=True,
    help="auto: uv, which is much faster, where it is here and knows all of pip's settings.",
)
@click.option("--replace", is_flag=True, help="Take the place of an environment of this name.")
@click.option("--keep", is_flag=True, help="Keep it even if nothing in it is a kobench plugin.")
def create_command(
    name: str,
    specs: tuple[str, ...],
    python: str | None,
    constraint: Path | None,
    requirements: tuple[Path, ...],
    installer: str,
    replace: bool,
    keep: bool,
) -> None:
    """Make the environment NAME and install SPEC there, beside a copy of what kobench needs there
    (numpy alone).
    """
    from kobench.environments.create import create
    from kobench.plugins.load import load_registry

    environment = create(
        name,
        specs,
        python,
        constraint,
        requirements,
        replace,
        keep,
        say=lambda text: say(f"{text} ...", err=True),
        installer=installer,
    )
    registry = load_registry()
    here = sorted(entry.full_name for entry in registry.predictors_in(name))
    numpy = environment.about["installed"].get("numpy", "none")
    say(
        f"Environment {name}: Python {environment.about['python']['version']}, numpy {numpy}, in"
        f" {environment.folder}."
    )
    say(f"Its predictors: {', '.join(here) or 'none'}.")
    say(f"Its lock file, from which --from makes it again: {environment.folder / 'lock.txt'}.")
    for problem in registry.problems_in(name):
        say(f"Problem: {problem.distribution}: {problem.message}", err=True)
    if here:
        say(f"Try `kobench env check {name}` and `kobench run -d grn --networks 1 -p {here[0]}`.")


@env_command.command("list", epilog="\b\nExamples:\n  kobench env list\n  kobench env list --json")
@json_option
def list_command(as_json: bool) -> None:
    """List environments: Python, numpy, predictors, size, and what they were made from."""
    from kobench.environments.environment import complete
    from kobench.plugins.load import load_registry

    environments, broken = complete()
    rows = []
    if environments:
        registry = load_registry()
        rows = [environment_row(environment, registry) for environment in environments]
    rows += [{"name": name, "problems": [sentence]} for name, sentence in broken]
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    for row in sorted(rows, key=lambda each: str(each["name"])):
        show_environment(row)
    if not rows:
        say("No environments; `kobench env create NAME --from SPEC` makes one.")


def environment_row(environment: Environment, registry: Registry) -> dict[str, Any]:
    """An environment as plain values, with its predictors."""
    from kobench.environments.size import megabytes

    about = environment.about
    return {
        "name": environment.name,
        "python": about["python"]["version"],
        "numpy": about["installed"].get("numpy"),
        "predictors": sorted(entry.spec.name for entry in registry.predictors_in(environment.name)),
        "megabytes": megabytes(environment.folder),
        "from": about["from"],
        "made": about["made"],
        "installer": about.get("installer", "pip"),
        "lock": about.get("lock"),
        "folder": str(environment.folder),
        "problems": [problem.message for problem in registry.problems_in(environment.name)],
    }


def show_environment(row: dict[str, Any]) -> None:
    """Print an environment; of a broken one only what is wrong."""
    say(str(row["name"]), bold=True)
    if "python" in row:
        origin = ", ".join(row["from"])
        size = f"{row['megabytes']:,} MB"
        say(f"  Python {row['python']}, numpy {row['numpy']}, {size}, from {origin}")
        say(f"  predictors: {', '.join(row['predictors']) or 'none'}")
    for sentence in row["problems"]:
        say(f"  problem: {sentence}")


@env_command.command("remove", epilog="\b\nExamples:\n  kobench env remove genki --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_command(name: str, yes: bool) -> None:
    """Remove the environment NAME and all that is installed in it."""
    from kobench.environments.create import remove
    from kobench.environments.folder import environments_folder

    if not yes and (environments_folder() / name).is_dir():
        click.confirm(safe(f"Remove {environments_folder() / name}?"), abort=True)
    remove(name)
    say(f"Removed environment {name}.")


@env_command.command(
    "check", epilog="\b\nExamples:\n  kobench env check genki\n  kobench env check genki --json"
)
@click.argument("name")
@click.option(
    "--timeout",
    type=SECONDS,
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Time limit of each predictor's checks.",
)
@json_option
@click.pass_context
def check_command(ctx: click.Context, name: str, timeout: float, as_json: bool) -> None:
    """Check the environment NAME and, in it, the contract of each of its predictors; exit code 1
    when anything fails.
    """
    from kobench.checks.environments import check_environment
    from kobench.checks.predictors import Setting
    from kobench.cli.check import MARKS, outcome_of
    from kobench.environments.environment import read
    from kobench.supervisor.limits import Limits

    results = []
    for result in check_environment(read(name), Setting(Limits(seconds=timeout))):
        results.append(result)
        if not as_json:
            mark, colour = MARKS[outcome_of(result)]
            about = f"{result['predictor']} " if "predictor" in result else ""
            say(f"  {about}{result['name']}: {result['found']}", mark=(mark, colour))
    if as_json:
        say(json.dumps(results, indent=1))
    sys.stdout.flush()
    ctx.exit(1 if any(result["status"] == "failed" for result in results) else 0)
