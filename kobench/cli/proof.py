"""`kobench verify`: whether the rows of a board can be what they say."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import load, plugin_options
from kobench.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kobench.results.parts import Record
    from kobench.verify.finding import Finding

#: Findings of one row that are shown without -v.
SHOWN = 4

EXAMPLES = """
\b
Examples:
  kobench verify leaderboards/quick
  kobench verify kobench-results --rescore
  kobench verify leaderboards/crispr --rescore -p cipher
"""


@click.command("verify", epilog=EXAMPLES)
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("kobench-results"),
)
@click.option(
    "--rescore", is_flag=True, help="Score the stored answers again, and make the floors anew."
)
@click.option(
    "--answers",
    "store",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="The results folder that holds the answers; else FOLDER itself.",
)
@click.option(
    "-p", "--predictor", "predictors", multiple=True, help="Only this one; may be repeated."
)
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    help="A dataset of another package, or one that reads a file of yours, that may be used.",
)
@click.option(
    "-t", "--task", "tasks", multiple=True, help="A task of another package that may be used."
)
@click.option(
    "-m", "--metric", "metrics", multiple=True, help="A metric of another package that may be used."
)
@click.option("-v", "--verbose", is_flag=True, help="Every finding.")
@plugin_options
@click.pass_context
def verify_command(
    ctx: click.Context,
    folder: Path,
    rescore: bool,
    store: Path | None,
    predictors: tuple[str, ...],
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    metrics: tuple[str, ...],
    verbose: bool,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Say of each row of a board whether it can be true, and how far that was looked at.

    Without options: do its records contradict themselves, or each other (consistent). --rescore:
    do the stored answers give these scores, against the truth made or loaded here (re-scored).
    Answers that were looked up or worked out with the truth at hand pass both. Exit code 1: a row
    is not what it says, or could not be looked at as far as was asked.
    """
    from kobench.cli.folders import records_of
    from kobench.results.answer_store import AnswerStore
    from kobench.results.suite_seed import find_seed
    from kobench.results.versions import newest
    from kobench.runner.recorded import Source
    from kobench.verify.consistent import check_consistent
    from kobench.verify.known import Known
    from kobench.verify.rescored import rescore as score_again

    registry = load(plugin_files, dataset_folders)
    records, remark = records_of(folder)
    if not (folder / "records.jsonl.gz").is_file():
        records, _ = newest(records)  # the others are kept there, and no board shows them
    findings = check_consistent(records, Known(registry))
    opened: list[Finding] = []
    checked: set[int] = set()
    chosen = [one for one in records if not predictors or is_named(one, predictors)]
    if not chosen:
        raise click.UsageError(f"no record of {' or '.join(predictors)} there", ctx)
    if rescore:
        place = AnswerStore(store or folder)
        source = Source(registry, place, find_seed(folder), tasks, metrics, datasets)
        wrong = {id(finding.record) for finding in findings}
        again = score_again([one for one in chosen if id(one) not in wrong], source)
        findings, opened, checked = [*findings, *again.findings], again.open, again.checked
    show_rows(chosen, findings, opened, checked if rescore else None, verbose)
    if remark:
        say(remark, err=True)
    ctx.exit(1 if findings or opened or remark else 0)


def is_named(record: Record, names: Sequence[str]) -> bool:
    """Whether a record is of one of these predictors."""
    predictor = record.trial.predictor
    return bool({predictor.name, predictor.selection} & set(names))


def show_rows(
    records: Sequence[Record],
    findings: Sequence[Finding],
    opened: Sequence[Finding],
    checked: set[int] | None,
    verbose: bool,
) -> None:
    """Print a line for each row, with what is wrong with it, and then what is wrong with several.

    Parameters
    ----------
    records : sequence of Record
        The records.
    findings, opened : sequence of Finding
        What is wrong, and what could not be looked at.
    checked : set of int, or None
        The `id` of each record that came out as recorded; None where nothing was scored again.
    verbose : bool
        Whether to show every finding.
    """
    from kobench.errors import BAD

    rows: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in records:
        trial = record.trial
        rows[record.role, trial.dataset.group, trial.split.name, trial.predictor.selection].append(
            record
        )
    wrong, unknown = by_id(findings), by_id(opened)
    counts: dict[str, int] = defaultdict(int)
    for (role, group, split, name), members in rows.items():
        bad = unique(reason for one in members for reason in wrong.get(id(one), ()))
        left = unique(reason for one in members for reason in unknown.get(id(one), ()))
        scored = [one for one in members if one.result.status not in BAD]
        level = "consistent"
        if bad:
            level = "wrong"
        elif left:
            level = "not re-scored"
        elif checked is not None and scored:
            level = "re-scored"
        counts[level] += 1
        kind = "" if role == "predictor" else f" ({role})"
        number = f"{len(members)} record{'s' * (len(members) != 1)}"
        mark = {"wrong": ("✗ ", "red"), "not re-scored": ("? ", "yellow")}.get(
            level, ("✓ ", "green")
        )
        say(f"{level}: {name}{kind} on {group}, {split}, {number}", mark=mark)
        shown = [*bad, *left] if verbose else [*bad, *left][:SHOWN]
        for sentence in shown:
            say(f"    {sentence}")
        if hidden := len(bad) + len(left) - len(shown):
            say(f"    and {hidden} more; -v shows them")
    for finding in findings:
        if finding.record is None:
            say(f"{finding}", mark=("✗ ", "red"))
    together = sum(finding.record is None for finding in findings)
    said = ", ".join(f"{number} {level}" for level, number in counts.items())
    also = f"; {together} thing{'s' * (together != 1)} of several rows" if together else ""
    say(f"{len(rows)} rows: {said}{also}.")


def by_id(findings: Iterable[Finding]) -> dict[int, list[str]]:
    """What is said of each record, by its `id`."""
    found: dict[int, list[str]] = defaultdict(list)
    for finding in findings:
        if finding.record is not None:
            found[id(finding.record)].append(str(finding))
    return found


def unique(sentences: Iterable[str]) -> list[str]:
    """Each sentence once, in their order."""
    return list(dict.fromkeys(sentences))
