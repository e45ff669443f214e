"""`kobench score --replay`: score stored answers again, and say whether they give the records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.folders import of_predictors
from kobench.cli.options import load, plugin_options, rescoring_options
from kobench.cli.output import say

if TYPE_CHECKING:
    from kobench.results.parts import Record
    from kobench.runner.replay import Replayed

#: Differences of one record that are shown without -v.
SHOWN = 5

EXAMPLES = """
\b
Examples:
  kobench score --replay kobench-results
  kobench score --replay kobench-results/records/3f0c1c6e0c5f4a7d9b1e2a3c.json
  kobench score --replay kobench-results -p linear -v
"""


@click.command("score", epilog=EXAMPLES)
@click.option(
    "--replay",
    "paths",
    multiple=True,
    required=True,
    metavar="RECORD",
    type=click.Path(exists=True, path_type=Path),
    help="A record (results/records/NAME.json), or a results folder with all of its records;"
    " may be repeated.",
)
@rescoring_options
@click.option("-v", "--verbose", is_flag=True, help="Every difference and note.")
@plugin_options
@click.pass_context
def score_command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    predictors: tuple[str, ...],
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    metrics: tuple[str, ...],
    verbose: bool,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Score stored answers again, with the settings that each record carries.

    Nothing is fitted or written, and the predictors need not be installed. Each number must be that
    of the record within the tolerance of its metric (`kobench info METRIC`). What other packages
    bring runs only where it is named, and here: believe the outcome as far as you believe them.
    Exit code 1: something differs, or could not be scored again.
    """
    from kobench.results.answer_store import AnswerStore
    from kobench.results.suite_seed import find_seed
    from kobench.runner.recorded import Source
    from kobench.runner.replay import replay

    registry = load(plugin_files, dataset_folders)
    seen: list[Replayed] = []
    for path in paths:
        folder, records = records_at(path)
        chosen = of_predictors(records, predictors)
        source = Source(registry, AnswerStore(folder), find_seed(folder), tasks, metrics, datasets)
        for done in replay(chosen, source):
            show(done, verbose)
            seen.append(done)
    if not seen:
        raise click.UsageError(f"no record of {' or '.join(predictors)} there", ctx)
    differ = sum(bool(done.differing) for done in seen)
    partly = sum(bool(done.left_out) for done in seen)
    say(
        f"{len(seen)} record{'s' * (len(seen) != 1)} scored again: {differ} with differences,"
        f" {partly} of which something could not be scored."
    )
    ctx.exit(1 if differ or partly else 0)


def records_at(path: Path) -> tuple[Path, list[Record]]:
    """A results folder and the records that are meant: one of its own, or all of them.

    Raises
    ------
    UserError
        For a record that can't be read, and where there is none.
    """
    from kobench.errors import UserError
    from kobench.results.records import read_record, read_records

    if path.is_file():
        return path.resolve().parent.parent, [read_record(path)]
    records = list(read_records(path))
    if not records:
        raise UserError(f"there are no records in {path}; name a results folder, or a record in it")
    return path, records


def show(done: Replayed, verbose: bool) -> None:
    """Print what came of one record."""
    verdict = "as recorded" if done.labels else "not scored" if done.left_out else "no scores"
    verdict = "differs" if done.differing else verdict
    counted = f"{len(done.labels)} task{'s' * (len(done.labels) != 1)}, {done.numbers:,} numbers"
    say(f"{verdict}: {done.row} ({counted})")
    shown = done.differing if verbose else done.differing[:SHOWN]
    for label, difference in shown:
        say(f"  {label} {difference}")
    if hidden := len(done.differing) - len(shown):
        say(f"  and {hidden} more; -v shows them")
    for sentence in done.left_out:
        say(f"  not scored again: {sentence}")
    for sentence in done.notes if verbose or done.differing else ():
        say(f"  {sentence}")
