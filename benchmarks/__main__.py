"""The command `python -m benchmarks`.

It measures the rows and the growth curves, prints them, and keeps them with `--write`.
"""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from benchmarks import growth as growing
from benchmarks import results, run, table

#: Where the last results are kept, and the table made from them.
KEPT = Path(__file__).parent / "results.json"
SHOWN = KEPT.with_name("RESULTS.md")


@click.command()
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Measure this row, or every row of this file; may be repeated.",
)
@click.option(
    "--curve",
    multiple=True,
    metavar="NAME",
    help="Measure this growth curve only; may be repeated.",
)
@click.option(
    "--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each row."
)
@click.option(
    "--growth/--no-growth",
    default=None,
    help="Measure the growth curves [default: unless --only is given].",
)
@click.option(
    "--write",
    is_flag=True,
    help="Merge the results into benchmarks/results.json and write benchmarks/RESULTS.md from it.",
)
@click.option("--list", "listed", is_flag=True, help="List the rows and curves, measure nothing.")
def main(
    only: tuple[str, ...],
    curve: tuple[str, ...],
    runs: int,
    growth: bool | None,
    write: bool,
    listed: bool,
) -> None:
    """Measure how fast kobench is: each row against its plain twin, each curve against the growth
    expected of it.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    known = run.known_rows()
    curves = {one.name: one for one in growing.known_curves()}
    if listed:
        for _, row in known:
            console.print(f"{row.name:<28} {escape(row.work)}", soft_wrap=True)
        for one in curves.values():
            console.print(
                f"{one.name:<28} {escape(one.piece)}: growth with {escape(one.axis)}",
                soft_wrap=True,
            )
        return
    try:
        rows = run.chosen(known, only) if only or not curve else []
        kept = results.read(KEPT)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if unknown := [name for name in curve if name not in curves]:
        raise click.UsageError(f"no curve is named {unknown[0]!r}; there are: {', '.join(curves)}")
    wanted = list(curve) or (list(curves) if growth or (growth is None and not only) else [])
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])

    order = [row.name for _, row in known], list(curves)
    measured = []
    for result in run.measure_rows(rows, runs, command):
        measured.append(result)
        console.print(
            f"[bold]{result.name}[/bold] {result.status} {table.short(result.median, result.unit)}",
            highlight=False,
        )
        kept = keep(kept.merged([result], {}, *order), write)
    grown = {}
    for name, found in growing.measure_curves([curves[name] for name in wanted], command):
        grown[name] = found
        console.print(
            f"[bold]{name}[/bold] {found['status']} {table.short(found.get('exponent', math.nan))}",
            highlight=False,
        )
        kept = keep(kept.merged([], {name: found}, *order), write)
    if not only and not curve:
        kept = keep(kept.without_others(*order), write)
    if measured:
        console.print(table.terminal(measured))
    for result in measured:
        for line in table.said(result):
            console.print(f"{result.name}: {line}", markup=False, highlight=False, soft_wrap=True)
    for line in growing.markdown(grown):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if "failed" in [
        *(result.status for result in measured),
        *(found["status"] for found in grown.values()),
    ]:
        raise SystemExit(1)


def keep(kept: results.Kept, write: bool) -> results.Kept:
    """Write what is kept, where it is to be written.

    It is written after each row, so that minutes of measuring are not lost to a later failure.
    """
    if write:
        results.write(KEPT, kept)
        SHOWN.write_text(table.markdown(kept))
    return kept


if __name__ == "__main__":
    main()
