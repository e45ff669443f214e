"""`kobench compare`: two versions, parameter sets or methods, paired over what both were asked."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.folders import FOLDER
from kobench.cli.output import say
from kobench.errors import UserError
from kobench.util.text import one_line

if TYPE_CHECKING:
    from kobench.board.versus import Contest, Versus
    from kobench.cli.sides import Side
    from kobench.results.parts import Record

EXAMPLES = """
\b
Examples:
  kobench compare linear mlp --in kobench-results
  kobench compare mine additive@leaderboards/crispr
  kobench compare mine:alpha=0.1 mine:alpha=0.2 -d grn:genes=50 --networks 5
  kobench compare mine.py@HEAD~1 mine.py -d grn:genes=50 --networks 5
  kobench compare mine@3f2a1b mine
  kobench compare old-env/mine new-env/mine crispr
  kobench compare results-a results-b -p mine

\b
A and B are each a predictor (its newest results, or NAME@CODE of an older version), a predictor in
another results folder or a published board (NAME@FOLDER or NAME@https://...), a plugin file or one
at a git revision (FILE.py@REVISION), or a results folder. A suite and flags of `kobench run` (-d,
-t, --networks, --plugin, ...) run those first that name no folder; what is known is not run again.
"""

#: How many genes or perturbations are shown at each end.
SHOWN = 3


@click.command(
    "compare",
    epilog=EXAMPLES,
    context_settings={"ignore_unknown_options": True},
    options_metavar="[OPTIONS] [SUITE] [FLAGS OF RUN]",
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.argument("flags", nargs=-1, type=click.UNPROCESSED, metavar="")
@click.option(
    "-p",
    "--predictor",
    default="",
    metavar="NAME",
    help="The predictor, where A and B are folders or files that have several.",
)
@click.option(
    "--in",
    "folders",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    help=(
        "The results folder of sides that name none, and into which they are run.  [default:"
        " kobench-results]"
    ),
)
@click.option(
    "--units",
    type=click.IntRange(0),
    default=SHOWN,
    show_default=True,
    metavar="N",
    help="Genes or perturbations to show at each end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine to read.")
def compare_command(
    first: str,
    second: str,
    flags: tuple[str, ...],
    predictor: str,
    folders: tuple[Path, ...],
    units: int,
    as_json: bool,
) -> None:
    """Compare two versions, two parameter sets or two methods, task by task.

    The difference B - A is paired over networks, or over the perturbations or cells of one data
    set, as a board's ranks are; above 0 B is better, whatever the metric. Without a difference it
    says which one would have been seen.
    """
    from kobench.board.versus import as_json as plain
    from kobench.board.versus import versus
    from kobench.cli.sides import Side

    if len(folders) > 1:
        raise click.UsageError(
            "--in is one folder, for sides that name none; name another side's own as NAME@FOLDER,"
            f" such as {shlex.quote(f'{second}@{folders[-1]}')}"
        )
    folder = folders[0] if folders else FOLDER
    sides = [Side.parse(text, predictor) for text in (first, second)]
    a, b, basis = records_of_both(sides, folder, flags)
    if a == b:
        raise UserError(
            f"A ({first}) and B ({second}) are the same results; name two versions, parameter sets"
            " or methods"
        )
    found = versus(a, b, basis)
    if as_json:
        said = {"A": named(a), "B": named(b), **plain(found)}
        say(json.dumps(said, indent=1, allow_nan=False))
        return
    if not found.contests:
        raise UserError(nothing_shared(a, b))
    show(found, named(a), named(b), units)


def nothing_shared(a: list[Record], b: list[Record]) -> str:
    """That two sides were asked nothing alike, and what each was."""

    def asked(records: list[Record]) -> str:
        datasets = sorted({record.trial.dataset.selection for record in records})
        more = f" and {len(datasets) - SHOWN} more" if len(datasets) > SHOWN else ""
        tasks = sorted({label for record in records for label in record.result.scores})
        return f"{', '.join(tasks) or 'nothing'} on {', '.join(datasets[:SHOWN])}{more}"

    return (
        f"A and B share no task on the same cells: A was asked {asked(a)}; B {asked(b)}. `kobench"
        " run SUITE -p NAME --beside BOARD` asks a predictor what a published board asked"
    )


def records_of_both(
    sides: list[Side], folder: Path, flags: tuple[str, ...]
) -> tuple[list[Record], list[Record], list[Record]]:
    """The records of both sides, and floors and lines, run first where flags or files say so."""
    from kobench.cli.beside import folder_of
    from kobench.cli.sides import chosen, run_side

    if any(side.needs_run for side in sides) and not flags:
        raise UserError(
            "a plugin file has to be run: add a suite or a dataset, such as -d grn:genes=50"
            " --networks 5"
        )
    found: dict[int, list[Record]] = {}
    basis: list[Record] = []
    # an older revision first, so that the folder is left with the file as it is
    for place in sorted(range(len(sides)), key=lambda place: not sides[place].revision):
        side = sides[place]
        if side.folder:
            with folder_of(side.folder) as there:
                records, older = read(there)
        elif flags and not side.code:
            records, older = run_side(side, [*flags, "--out", str(folder)]), []
            # it has one predictor, whose record leaves out parameters that are as by default
            side = replace(side, name="")
        else:
            records, older = read(folder)
        found[place] = chosen(side, records, older, side.folder or str(folder))
        basis += records
    return found[0], found[1], distinct_basis(basis)


def read(folder: Path) -> tuple[list[Record], list[Record]]:
    """The records of a folder by the newest version of each row, and older ones.

    What can't be read is said. Whether records hold together `kobench verify` says.
    """
    from kobench.cli.folders import versions_of

    records, older, unreadable = versions_of(folder)
    if unreadable:
        say(unreadable, err=True)
    return records, older


def distinct_basis(records: list[Record]) -> list[Record]:
    """Floors and lines, each trial once: the one that was begun last."""
    from kobench.results.records import identity

    found: dict[str, Record] = {}
    for record in sorted(records, key=lambda one: one.run.started or ""):
        if record.role != "predictor":
            found[record.role + identity(record.trial)] = record
    return list(found.values())


def named(records: list[Record]) -> str:
    """What a side is, in a few words: its name, where it lives and its code."""
    from kobench.results.versions import code_of

    predictor = records[0].trial.predictor
    home = f"{predictor.environment}/" if predictor.environment else ""
    return f"{home}{predictor.selection} (code {code_of(predictor)})"


def show(found: Versus, first: str, second: str, units: int) -> None:
    """Print a comparison."""
    say(one_line(f"A: {first}"))
    say(one_line(f"B: {second}"))
    say("Difference B - A with its 95 % interval; above 0 B is better, whatever the metric.")
    place = ""
    for one in found.contests:
        here = f"{one.dataset}, split {one.split}" + (f", trained on {one.train}" * bool(one.train))
        if here != place:
            say()
            say(one_line(here), bold=True)
            place = here
        for line in lines_of(one, units):
            say(f"  {one_line(line)}")
    for remark in found.remarks:
        say(one_line(remark), err=True)


def lines_of(one: Contest, units: int) -> list[str]:
    """What is printed of one comparison."""
    from kobench.board.written import decimals_for, number, with_interval

    head = f"{one.task} by {one.metric}: "
    if one.difference is None:
        return [f"{head}{one.reason}"]
    gap = one.difference
    lines = [
        f"{head}A {number(one.first)}, B {number(one.second)}; B - A = {with_interval(gap)}:"
        f" {verdict(one)} (over {one.over})"
    ]
    worst = [unit for unit in one.units if unit.gain < 0][:units]
    best = [unit for unit in reversed(one.units) if unit.gain > 0][:units]
    for side, some in (("A", worst), ("B", best)):
        if some:
            decimals = decimals_for([unit.gain for unit in some])
            each = ", ".join(
                f"{unit.name} ({number(unit.first, decimals)} -> {number(unit.second, decimals)})"
                for unit in some
            )
            lines.append(f"  {side} is better by most on {each} ({some[0].what} of A -> of B)")
    return lines


def verdict(one: Contest) -> str:
    """What a comparison says, in words."""
    from kobench.board.written import sized

    if one.verdict == "better":
        return "B is better"
    if one.verdict == "worse":
        return "A is better"
    if one.reason:
        return one.reason
    if one.difference is not None and one.difference.low is None:
        return "no interval to judge by"
    gap = one.difference
    if gap is not None and (gap.above or gap.below):
        return "too small a difference to name"
    seen = f"; could have seen a difference of {sized(one.detectable)}" if one.detectable else ""
    return f"no difference seen{seen}"
