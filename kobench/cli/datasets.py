"""`kobench datasets`: the group of its commands, and which files are there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.add import add_command
from kobench.cli.audit import audit_command
from kobench.cli.get import get_command
from kobench.cli.options import json_option, load, plugin_options
from kobench.cli.output import say
from kobench.cli.verify import verify_command

if TYPE_CHECKING:
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench datasets get hipsc-ko
  kobench datasets add mine.h5ad --name mine --perturbation-key gene --control WT
  kobench datasets audit hipsc-ko -o report.html
  kobench datasets files
"""


@click.group("datasets", epilog=EXAMPLES)
def datasets_command() -> None:
    """Get datasets, add one of your own, audit one, or see where files are looked for."""


datasets_command.add_command(add_command)
datasets_command.add_command(audit_command)
datasets_command.add_command(get_command)
datasets_command.add_command(verify_command)


@datasets_command.command(
    "files", epilog="\b\nExamples:\n  kobench datasets files\n  kobench datasets files --json"
)
@json_option
@plugin_options
def files_command(
    as_json: bool, plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...]
) -> None:
    """Show which dataset files are there, and where the others are looked for."""
    rows = file_rows(load(plugin_files, dataset_folders))
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    missing = [row for row in rows if not row["opened"] and not row["found"]]
    for row in (row for row in rows if row not in missing):
        say(str(row["dataset"]), bold=True)
        say(f"  {row['found'] or row['problem']}")
    if missing:
        say(f"{len(missing)} that nobody has opened yet are not here: kobench list datasets")


def file_rows(registry: Registry) -> list[dict[str, Any]]:
    """Every dataset with a file: where that was found, or what is missing."""
    from kobench.datasets.fetch import find_whole
    from kobench.datasets.opened import is_opened
    from kobench.errors import UserError

    rows: list[dict[str, Any]] = []
    for entries in registry.datasets.values():
        for entry in (entry for entry in entries if "file" in entry.spec.card):
            found, problem = None, None
            try:
                found = str(find_whole(entry.spec.card))
            except UserError as error:
                problem = str(error)
            about = {"dataset": entry.shown_name, "opened": is_opened(entry.spec.card)}
            rows.append({**about, "found": found, "problem": problem})
    return rows
