"""`kobench verify`: whether the rows of a board can be what they say."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.options import load, plugin_options, rescoring_options
from kobench.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kobench.results.parts import Record
    from kobench.results.versions import Spot
    from kobench.verify.finding import Finding
    from kobench.verify.rescored import Rescored

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
@rescoring_options
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
    from kobench.cli.folders import networks_of_suite, of_predictors, records_of
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
    findings = check_consistent(records, Known(registry), networks_of_suite(folder, registry))
    chosen = of_predictors(records, predictors)
    if not chosen:
        raise click.UsageError(f"no record of {' or '.join(predictors)} there", ctx)
    again: Rescored | None = None
    if rescore:
        published, lacking = published_of(folder, records) if store is None else (None, [])
        findings += lacking
        place, seed = AnswerStore(store or folder), find_seed(folder)
        source = Source(registry, place, seed, tasks, metrics, datasets, published)
        wrong = {id(finding.record) for finding in findings}
        again = score_again([one for one in chosen if id(one) not in wrong], source)
        findings += again.findings
    show_rows(chosen, findings, again, verbose)
    if remark:
        say(remark, err=True)
    ctx.exit(1 if findings or (again and again.open) or remark else 0)


def published_of(
    folder: Path, records: Sequence[Record]
) -> tuple[frozenset[str] | None, list[Finding]]:
    """The answers that a folder was to publish, None for all; and what is wrong with them."""
    from kobench.errors import UserError
    from kobench.results.packed_answers import chosen_answers, missing_of, read_sample
    from kobench.verify.finding import Finding

    try:
        sample = read_sample(folder)
    except ValueError as error:
        raise UserError(
            f"{error}; get it again, or name a results folder with --answers"
        ) from error
    if sample is None:
        return None, []
    wrong = [Finding(None, "answers", "", said) for said in missing_of(records, folder, sample)]
    return frozenset(chosen_answers(records, sample)), wrong


def show_rows(
    records: Sequence[Record],
    findings: Sequence[Finding],
    again: Rescored | None,
    verbose: bool,
) -> None:
    """Print a line for each row, with what is wrong with it, and then what is wrong with several.

    Parameters
    ----------
    records : sequence of Record
        The records.
    findings : sequence of Finding
        What is wrong.
    again : Rescored or None
        What came of scoring them again; None where that was not asked.
    verbose : bool
        Whether to show every finding.
    """
    from kobench.results.versions import spot_of

    rows: dict[Spot, list[Record]] = defaultdict(list)
    for record in records:
        rows[spot_of(record.role, record.trial)._replace(train="")].append(record)
    wrong, unknown = by_id(findings), by_id(again.open if again else ())
    counts: dict[str, int] = defaultdict(int)
    for spot, members in rows.items():
        bad = unique(reason for one in members for reason in wrong.get(id(one), ()))
        left = unique(reason for one in members for reason in unknown.get(id(one), ()))
        level = "wrong" if bad else "not re-scored" if left else level_of(members, again)
        counts[level] += 1
        first = members[0]
        name = first.trial.predictor.selection
        kind = "" if first.role == "predictor" else f" ({first.role})"
        mark = {"wrong": ("✗ ", "red"), "not re-scored": ("? ", "yellow")}.get(
            level, ("✓ ", "green")
        )
        where = f"{spot.dataset}, {spot.split}, {extent(members, again)}"
        say(f"{level}: {name}{kind} on {where}", mark=mark)
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


def level_of(members: Sequence[Record], again: Rescored | None) -> str:
    """The level that a row without findings has reached."""
    reached = again is not None and any(id(one) in again.checked for one in members)
    return "re-scored" if reached else "consistent"


def extent(members: Sequence[Record], again: Rescored | None) -> str:
    """How many records of a row were looked at, and which of its answers were not published."""
    number = f"{len(members)} record{'s' * (len(members) != 1)}"
    if again is None:
        return number
    out = [again.sampled_out.get(id(one), []) for one in members]
    if not any(out):
        return number
    done = sum(id(one) in again.checked for one in members)
    never = sorted(set.intersection(*map(set, out)))
    return f"{done} of {number}" + (
        f"; no answers to {', '.join(never)} published" if never else ""
    )


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
