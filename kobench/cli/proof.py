"""`kobench verify`: whether the rows of a board can be what they say."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import load, plugin_options, rescoring_options
from kobench.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kobench.results.parts import Record
    from kobench.verify.finding import Finding
    from kobench.verify.outcome import Outcome
    from kobench.verify.rerun import Rerun
    from kobench.verify.rescored import Rescored
    from kobench.verify.signed import Signatures

#: Findings of one row that are shown without -v.
SHOWN = 4


def valid_day(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A day as it is kept; UsageError for anything else."""
    from datetime import date

    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day; expected one as 2026-11-30") from None


def today() -> str:
    """The present day, UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()


EXAMPLES = """
\b
Examples:
  kobench verify leaderboards/quick
  kobench verify kobench-results --rescore
  kobench verify leaderboards/crispr --rescore -p cipher
  kobench verify leaderboards/quick --rerun -p linear --network 0
  kobench verify leaderboards/quick --rescore -o leaderboards/quick/verified.json --by Ann
  kobench verify submission-mine --beside leaderboards/quick --rescore
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
    "--rerun",
    is_flag=True,
    help=(
        "Fit the predictors again, in the sandbox, and compare their answers; --rescore is part of"
        " it."
    ),
)
@click.option(
    "--from",
    "code",
    default=None,
    metavar="SOURCE",
    help=(
        "With --rerun: where the method can be had, ADDRESS@COMMIT[#FOLDER] of a git repository, a"
        " folder, a wheel or a plugin file. Without it what a submission says, else what is"
        " installed."
    ),
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    type=int,
    metavar="N",
    help="With --rerun: only the network of this seed or number; may be repeated.",
)
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "require", "off"]),
    default="auto",
    show_default=True,
    help="With --rerun: as for `kobench run`.",
)
@click.option(
    "--answers",
    "store",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="The results folder that holds the answers; else FOLDER itself.",
)
@click.option(
    "--beside",
    "board",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="The published board that a submission is for.",
)
@rescoring_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help=(
        "Keep what was found, for boards to show: FOLDER/verified.json. It counts for just these"
        " records, and goes into --pack with them."
    ),
)
@click.option(
    "--signers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Say who signed each row; FILE has keys as ALLOWED SIGNERS in ssh-keygen(1) says.",
)
@click.option("--by", default="", metavar="NAME", help="Who looked, with -o.")
@click.option(
    "--date",
    "on",
    default="",
    metavar="YYYY-MM-DD",
    callback=valid_day,
    help="On which day, with -o; today by default.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every finding.")
@plugin_options
@click.pass_context
def verify_command(
    ctx: click.Context,
    folder: Path,
    rescore: bool,
    rerun: bool,
    code: str | None,
    networks: tuple[int, ...],
    sandbox: str,
    store: Path | None,
    board: Path | None,
    predictors: tuple[str, ...],
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    metrics: tuple[str, ...],
    output: Path | None,
    signers: Path | None,
    by: str,
    on: str,
    verbose: bool,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Say of each row of a board whether it can be true, and how far that was looked at.

    Without options: do its records contradict themselves, or each other (consistent). --rescore:
    do the stored answers give these scores, against the truth made or loaded here (re-scored).
    --rerun: does the method, fitted again, give these answers (re-run); those that were looked up
    or worked out with the truth at hand pass all but this. Exit code 1: a row is not what it says,
    or could not be looked at as far as was asked.
    """
    from kobench.cli.folders import networks_of_suite, of_predictors, records_of
    from kobench.cli.judged import looked_at
    from kobench.cli.rerun import run_again
    from kobench.results.answer_store import AnswerStore
    from kobench.results.suite_seed import find_seed
    from kobench.results.versions import newest
    from kobench.runner.recorded import Source
    from kobench.submit.specification import is_submission
    from kobench.verify.consistent import check_consistent
    from kobench.verify.known import Known
    from kobench.verify.outcome import outcomes
    from kobench.verify.rescored import rescore as score_again
    from kobench.verify.signed import check_signatures

    if output is not None and not ((rescore or rerun) and by):
        raise click.UsageError(
            "-o keeps what --rescore or --rerun found, and under the name of --by; give both", ctx
        )
    if not rerun and (code is not None or networks):
        raise click.UsageError("--from and --network go with --rerun", ctx)
    registry = load(plugin_files, dataset_folders)
    fit_again = partial(
        run_again,
        folder=folder,
        code=code,
        networks=networks,
        files=plugin_files,
        cards=dataset_folders,
        sandbox=sandbox,
    )
    if board is not None:
        if output is not None or not is_submission(folder):
            raise click.UsageError(
                "--beside is for a submission, and goes without -o; `kobench board add --by NAME`"
                " keeps who looked at it",
                ctx,
            )
        strangers, fit = (tasks, metrics, datasets), fit_again if rerun else None
        proved = looked_at(
            folder, board, registry, strangers, rescore or rerun, fit, signers, verbose
        )
        ctx.exit(0 if proved else 1)
    records, remark = records_of(folder)
    if is_submission(folder) and all(record.role == "predictor" for record in records):
        raise click.UsageError(
            f"{folder} is a submission, which has no floors of its own; name the board that it is"
            " for with --beside BOARD",
            ctx,
        )
    if not (folder / "records.jsonl.gz").is_file():
        records, _ = newest(records)  # the others are kept there, and no board shows them
    findings = check_consistent(records, Known(registry), networks_of_suite(folder, registry))
    chosen = of_predictors(records, predictors)
    if not chosen:
        raise click.UsageError(f"no record of {' or '.join(predictors)} there", ctx)
    again: Rescored | None = None
    fitted: Rerun | None = None
    if rescore or rerun:
        published, lacking = published_of(folder, records) if store is None else (None, [])
        findings += lacking
        place, seed = AnswerStore(store or folder), find_seed(folder)
        source = Source(registry, place, seed, tasks, metrics, datasets, published)
        wrong = {id(finding.record) for finding in findings}
        again = score_again([one for one in chosen if id(one) not in wrong], source)
        findings += again.findings
        if rerun:
            wrong = {id(finding.record) for finding in findings}
            honest = [one for one in chosen if id(one) not in wrong]
            fitted = fit_again(honest, source)
            findings += fitted.findings
    signed = None
    if signers is not None:
        signed = check_signatures(folder, chosen, signers)
        findings += signed.findings
    found = outcomes(chosen, findings, again, fitted)
    show_rows(found, findings, verbose, signed)
    if output is not None:
        keep_evidence(output, found, records, by, on or today())
    if remark:
        say(remark, err=True)
    unknown = (again and again.open) or (fitted and fitted.open)
    ctx.exit(1 if findings or unknown or remark else 0)


def published_of(
    folder: Path, records: Sequence[Record]
) -> tuple[frozenset[str] | None, list[Finding]]:
    """The answers that a folder was to publish, None for all; and what is wrong with them."""
    from kobench.errors import UserError
    from kobench.results.packed_answers import missing_of, read_sample
    from kobench.results.sample import chosen_answers
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


def keep_evidence(
    path: Path, found: Sequence[Outcome], records: Sequence[Record], by: str, on: str
) -> None:
    """Write what came of each row into a file, beside what it holds of other rows."""
    from kobench.results.evidence import FILE, fitting, joined, read_evidence, write_evidence
    from kobench.util.text import one_line
    from kobench.verify.outcome import evidence_of

    if path.name != FILE:
        raise click.UsageError(f"-o is the file {FILE} beside the records, not {path.name}")
    now = evidence_of(found, one_line(by), on)
    before = fitting(read_evidence(path.parent), records)
    write_evidence(path, joined(before.values(), now))
    lapsed = f", beside what it held of {len(before)}" if before else ""
    say(f"Wrote {path}: {len(now)} rows{lapsed}.")


def show_rows(
    found: Sequence[Outcome],
    findings: Sequence[Finding],
    verbose: bool,
    signed: Signatures | None = None,
) -> None:
    """Print a line for each row, with what is wrong with it, and then what is wrong with several.

    Parameters
    ----------
    found : sequence of Outcome
        The rows.
    findings : sequence of Finding
        What is wrong.
    verbose : bool
        Whether to show every finding.
    signed : Signatures or None
        Who signed the rows; None where that was not asked.
    """
    from kobench.errors import WRONG
    from kobench.verify.outcome import NOT_RERUN, NOT_RESCORED, PARTLY

    unknown = (NOT_RESCORED, NOT_RERUN, PARTLY)
    marks = {WRONG: ("✗ ", "red")} | dict.fromkeys(unknown, ("? ", "yellow"))
    counts: dict[str, int] = defaultdict(int)
    for one in sorted(found, key=in_order):
        counts[one.word] += 1
        first = one.records[0]
        kind = "" if first.role == "predictor" else f" ({first.role})"
        name = f"{first.trial.predictor.selection}{kind}"
        where = f"{one.place.dataset}, {one.place.split}, {extent(one)}"
        if signed is not None:
            where += f", {signed.words(one.place, len(one.records))}"
        say(f"{one.word}: {name} on {where}", mark=marks.get(one.word, ("✓ ", "green")))
        every = [*one.wrong, *one.open]
        shown = every if verbose else every[:SHOWN]
        for sentence in shown:
            say(f"    {sentence}")
        if hidden := len(every) - len(shown):
            say(f"    and {hidden} more; -v shows them")
    for finding in findings:
        if finding.record is None:
            say(f"{finding}", mark=("✗ ", "red"))
    together = sum(finding.record is None for finding in findings)
    said = ", ".join(f"{number} {level}" for level, number in counts.items())
    also = f"; {together} thing{'s' * (together != 1)} of several rows" if together else ""
    say(f"{len(found)} rows: {said}{also}.")


def in_order(one: Outcome) -> tuple[Any, ...]:
    """Sorts rows by dataset and split; in each predictors, floors and lines by name."""
    role = ("predictor", "floor", "line").index(one.records[0].role)
    return one.place.dataset, one.place.version, one.place.split, role, one.place.row


def extent(one: Outcome) -> str:
    """How many records of a row were looked at, and which of its tasks on none of them."""
    number = f"{len(one.records)} record{'s' * (len(one.records) != 1)}"
    never = f"; not its scores of {', '.join(one.without)}" if one.without else ""
    return f"{one.checked} of {number}{never}" if one.sampled or never else number
