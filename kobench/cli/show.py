"""`kobench show`: what became of one trial, why, and the line that asks the same again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from kobench.cli.options import json_option
from kobench.cli.output import say

EXAMPLES = """
\b
Examples:
  kobench show linear
  kobench show linear -d grn -t keystone
  kobench show additive leaderboards/crispr -d hipsc-ko -t response --split-seed 0
  kobench show 3f0c1c6e kobench-results -v
"""


@click.command("show", epilog=EXAMPLES)
@click.argument("trial")
@click.argument(
    "folder", type=click.Path(exists=True, path_type=Path), default=Path("kobench-results")
)
@click.option("-d", "--dataset", default="", metavar="NAME[:KEY=VALUE,...]", help="On this one.")
@click.option("-t", "--task", default="", metavar="NAME", help="This task alone.")
@click.option("--split-seed", type=click.IntRange(0), default=None, help="Of this split.")
@click.option("--fit-seed", type=click.IntRange(0), default=None, help="Of this fit.")
@click.option("-v", "--verbose", is_flag=True, help="Everything, however long.")
@json_option
def show_command(
    trial: str,
    folder: Path,
    dataset: str,
    task: str,
    split_seed: int | None,
    fit_seed: int | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Show how TRIAL ended: status, traceback, what it printed, limits, sandbox, versions, scores
    of single perturbations and genes, worst first, and the line that repeats just that question.

    TRIAL is the name of a row or the beginning of a record's name; FOLDER a results folder, a
    published board or one record. Where several trials fit, they are listed.
    """
    from kobench.show.facts import facts
    from kobench.show.find import Asked, matching, records_in
    from kobench.show.text import listed, show

    records, remark = records_in(folder)
    found = matching(records, Asked(trial, dataset, task, split_seed, fit_seed))
    home = folder.parent.parent if folder.is_file() else folder
    if as_json:
        say(json.dumps([facts(record, home, task, records) for record in found], indent=1))
    else:
        width = max(80, shutil.get_terminal_size((100, 24)).columns)
        if len(found) == 1:
            lines = show(facts(found[0], home, task, records), width, verbose)
        else:
            lines = [
                f"{len(found)} trials fit. One of them: name its record in place of {trial!r}, or"
                " narrow with -d, -t, --split-seed.",
                *listed(found, task, width, verbose),
            ]
        for line in lines:
            say(line)
    if remark:
        say(remark, err=True)
