"""`kobench datasets audit`: what a reviewer asks before believing a board on a data set."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kobench.cli.options import complete_names, json_option, load, plugin_options
from kobench.cli.output import say

EXAMPLES = """
\b
Examples:
  kobench datasets audit hipsc-ko
  kobench datasets audit hipsc-ko -o report.html
  kobench datasets audit planted:genes=40,perturbations=12,batches=2 --json
"""


@click.command("audit", epilog=EXAMPLES)
@click.argument("name", shell_complete=complete_names("datasets"))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write the report: .html, .md (its pictures into a folder beside it) or .json.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all draws.")
@json_option
@plugin_options
def audit_command(
    name: str,
    output: Path | None,
    seed: int,
    as_json: bool,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Say of dataset NAME what a reviewer asks before believing a board on it.

    Power, near-null, confounding, leakage, knockdown, effects, agreement, depth and presence, each
    with a sentence that says what to do. The same seed gives the same bytes.
    """
    from kobench.audit.audit import audit
    from kobench.audit.render import terminal
    from kobench.audit.written import ENDINGS, write
    from kobench.plugins.chosen import choose
    from kobench.runner.load import load as load_dataset

    if output is not None and output.suffix.lower() not in ENDINGS:
        raise click.UsageError(
            f"{output} ends in {output.suffix or 'nothing'}; choose one of {', '.join(ENDINGS)}"
        )
    registry = load(plugin_files, dataset_folders)
    chosen = choose(registry, "datasets", name)
    report = audit(load_dataset(chosen), chosen.selection, registry, seed)
    if output is not None:
        for path in write(report, output):
            say(f"Wrote {path}.", err=as_json)
    if as_json:
        say(json.dumps(report.to_json(), indent=1))
    elif output is None:
        say(terminal(report), nl=False)
