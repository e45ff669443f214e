"""`kobench run`: fit, ask, score, print the leaderboard."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.failures import failures
from kobench.cli.options import complete_names, limit_options, plugin_options
from kobench.cli.output import say, show_rendered
from kobench.cli.request import fulfilled, secret_asked
from kobench.cli.screen import lines_of, show_board, show_summary, whole_options
from kobench.cli.signing import sign_run, signing_key
from kobench.cli.suites import (
    built_in,
    find_suite,
    published_as_secret,
    read_suite,
    with_suite,
)
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.results.parts import Record
    from kobench.runner.keys import Group

EXAMPLES = """
\b
Examples:
  kobench run quick -p mlp -p linear
  kobench run -d grn:network=sf,sigma=0.05 -d pbmc68k -p linear --networks 10 --jobs 2
  kobench run -d grn --plugin my.py -p my-predictor
  kobench run my-suite.toml --out results --fresh
  kobench run crispr --plugin my.py -p my-predictor --beside leaderboards/crispr

\b
SUITE is a built-in suite ({suites}) or a TOML file whose keys are the flags.
Everything finished is kept in --out: the same command goes on where it was stopped,
and fits only what is new or has changed.
""".format(suites=", ".join(built_in()))


def complete_suites(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Built-in suites for the shell."""
    return [name for name in built_in() if name.startswith(incomplete)]


@click.command("run", epilog=EXAMPLES)
@click.argument("suite", required=False, shell_complete=complete_suites)
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME[:KEY=VALUE,...]",
    shell_complete=complete_names("datasets"),
    help="A dataset; may be repeated.",
)
@click.option(
    "-p",
    "--predictor",
    "predictors",
    multiple=True,
    metavar="NAME[:KEY=VALUE,...]",
    shell_complete=complete_names("predictors"),
    help="A predictor; may be repeated. Floors run by themselves.",
)
@click.option(
    "-t",
    "--task",
    "tasks",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_names("tasks"),
    help=(
        "A task; may be repeated. Without it: every task of kobench's own that the dataset has a"
        " truth for."
    ),
)
@click.option(
    "-m",
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_names("metrics"),
    help=(
        "A metric of another package or of a --plugin file, which then runs where the truth is; may"
        " be repeated. kobench's own count by themselves."
    ),
)
@click.option(
    "--networks",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Simulated networks (data seeds) a dataset.",
)
@click.option(
    "--fit-seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Fits of each predictor.",
)
@click.option(
    "--events",
    type=click.IntRange(100),
    default=None,
    metavar="N",
    help=(
        "Ask at most N single knockouts a dataset, drawn at random; the board shows the error of"
        " that."
    ),
)
@click.option(
    "--split",
    type=click.Choice(["auto", "holdout", "all", "cell-type", "dataset"]),
    default="auto",
    show_default=True,
    help=(
        "auto: train on 80 % of the cells and ask the rest; measured knockouts: train on half, the"
        " rest is their reference. holdout: the first of these only. all: train on and ask all, no"
        " profile task. cell-type, dataset: train on each cell type or dataset, ask the others."
    ),
)
@click.option(
    "--split-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the split."
)
@click.option(
    "--splits",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help=(
        "Halve the wild-type cells N times where knockouts are measured, and average the scores; N"
        " seeds from --split-seed on. Without it 8 for real data, and 1 for simulated networks."
    ),
)
@click.option(
    "--secret",
    is_flag=True,
    help=(
        "Draw the seeds of simulated networks so that nobody can guess them. The sha256 of the"
        " secret is in --out from the start; `kobench board --pack` publishes the secret."
    ),
)
@click.option(
    "--secret-seed",
    metavar="DIGITS",
    default=None,
    help="Run on the networks of this secret seed, which a published board reveals.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help=(
        "Trials at a time. With predictors of strangers 1 is the safe way: side by side they can"
        " tell something of each other."
    ),
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads a trial; part of what decides an answer.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where predictors may compute.",
)
@limit_options
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("kobench-results"),
    show_default=True,
    help="Folder of the results.",
)
@click.option(
    "--beside",
    metavar="BOARD",
    default=None,
    help=(
        "Show the predictors of -p in this published board (a folder, or its address on the web):"
        " its rows are taken from its records, and only yours are fitted."
    ),
)
@click.option(
    "--sign",
    metavar="KEY",
    default=None,
    help=(
        "Sign the results with this SSH key (a file, or `git` for the one by which git signs);"
        " without it KOBENCH_SIGNING_KEY names one. `kobench verify --signers` checks it."
    ),
)
@click.option("--fresh", is_flag=True, help="Do everything anew, whatever is stored.")
@click.option(
    "--debug",
    is_flag=True,
    help=(
        "Ask predictors in this process, without a sandbox, and stop in pdb where one raises."
        " Nothing is kept."
    ),
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the leaderboard as JSON instead of a table."
)
@whole_options
@plugin_options
@click.pass_context
def run_command(ctx: click.Context, /, suite: str | None, **flags: Any) -> None:
    """Fit predictors, ask them, score them and print the leaderboard."""
    debugging = flags.pop("debug")
    asked = {text.partition(":")[0] for text in flags["predictors"]} | {*flags["predictors"]}
    if suite is not None:
        flags = with_suite(ctx, read_suite(find_suite(suite), run_command), flags)
        if flags.pop("debug", False):
            raise UserError(
                f"suite {suite} sets debug, which takes predictors out of the sandbox; say --debug"
                " on the command line where you want that"
            )
    if ctx.get_parameter_source("sign") is click.core.ParameterSource.DEFAULT and flags["sign"]:
        raise UserError(
            f"suite {suite} names a key to sign with; say --sign on the command line, where only"
            " you do"
        )
    notes: list[str] = []  # said at the end: a mistake ends in its own sentence alone
    beside = None
    if flags["beside"] is not None:
        from kobench.cli.beside import flags_beside, read_beside

        beside = read_beside(flags["beside"])
        flags = flags_beside(ctx, flags, beside)
    if published_as_secret(suite) and not secret_asked(flags):
        notes.append(
            "network seeds are public in this run; the published board has secret ones (--secret,"
            " --secret-seed)"
        )
    if not flags["datasets"]:
        raise click.UsageError(
            f"nothing to do: name a suite ({', '.join(built_in())}) or a dataset with -d; `kobench"
            " list` shows them"
        )
    if debugging:
        from kobench.cli.debug import debug

        if flags["sandbox"] == "require" and given(ctx, "sandbox"):
            raise click.UsageError("--debug has no sandbox; leave --sandbox require out", ctx)
        ctx.exit(debug(flags, notes))
    from kobench.board.explained import read_explained
    from kobench.board.make import make_board
    from kobench.results.merge import Merged
    from kobench.results.versions import read_older

    key = signing_key(flags["sign"])
    groups, outcome = fulfilled(flags, notes)
    if key is not None:
        sign_run(Path(flags["out"]), outcome.records, key)
    for note in notes:
        say(f"Note: {note}", err=True)
    tasks = scored_tasks(groups, outcome.records) if flags["tasks"] else None
    explained = read_explained(Path(flags["out"]))
    older = [record for _, record in read_older(Path(flags["out"]))]
    merged = Merged(outcome.records)
    if beside is not None:
        merged = beside.with_own(outcome.records)
        explained = {**beside.explained, **explained}
    board = make_board(
        merged.records,
        tasks=tasks,
        explained=explained,
        older=older,
        elsewhere=merged.elsewhere,
        more=merged.remarks(),
    )
    whole = flags["verbose"] or flags["units"]
    folder = shlex.quote(str(flags["out"]))
    published = flags["beside"] if beside is not None and Path(flags["beside"]).is_dir() else ""
    more = f"kobench board {folder}{published and f' {shlex.quote(published)}'} -v"
    below = failures(outcome.failed, outcome.records, whole, more)
    below += outcome.kept
    if not whole and not flags["as_json"]:  # which a summary counts, and does not show
        said = merged.remarks()
        below += [one for one in board.remarks if one in said or one.startswith(URGENT)]
    below += [beside.remark] if beside is not None and beside.remark else []
    remark = outcome.set_aside.remark(
        f"They lie beside the new ones in {flags['out']}/records, with .aside- in their names, and"
        " their trials were done anew."
    )
    below += [remark] if remark else []
    name = outcome.failed[0].trial.predictor.selection if outcome.failed else ""
    why = f" `kobench show {shlex.quote(name)} {folder}` says why it failed." if name else ""
    rest = f"`{more}` prints the whole board (-t NAME one task, -o board.html a page).{why}"
    if flags["as_json"]:
        from kobench.board.render import render

        show_rendered(render(board, "json"), file=True)
    elif whole:
        show_board(board, units=flags["units"])
    else:
        reserved = sum(map(lines_of, (rest, *below)))
        show_summary(board, more="-v", reserved=reserved, named=asked)
    if not flags["as_json"]:
        say(rest)
    for sentence in below:
        say(sentence, err=True)
    ctx.exit(1 if outcome.failed or remark else 0)


#: How remarks begin that the end of a run shows: what is not there any more, what is no evidence.
URGENT = ("Older version kept", "Tuned on")


def given(ctx: click.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def scored_tasks(groups: list[Group], records: list[Record]) -> list[str]:
    """Labels of the planned tasks that any of these records has scores for.

    The records may hold scores of earlier runs, too.
    """
    planned = {
        task.spec.label
        for group in groups
        for trial in (*group.basis, *group.trials)
        for task in trial.tasks
    }
    return sorted(planned & {label for record in records for label in record.result.scores})
