"""`kobench board diff`: what changed between two boards, by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.output import say, show_rendered

if TYPE_CHECKING:
    from kobench.board.changes import Side
    from kobench.results.parts import Record

EXAMPLES = """
\b
Examples:
  kobench board diff leaderboards/quick preview/quick
  kobench board diff leaderboards/quick preview/quick --format markdown
"""


@click.command("diff", epilog=EXAMPLES)
@click.argument("old", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "markdown"]),
    default="terminal",
    show_default=True,
    help="markdown: for a comment.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every line.")
@click.pass_context
def diff_command(ctx: click.Context, old: Path, new: Path, form: str, verbose: bool) -> None:
    """Say what changed from the board OLD to NEW: rows, scores, verdicts, ranks, floors, versions.

    Both are published folders or results folders. Exit code 0: nothing differs; 1: something does.
    """
    from kobench.board.changes import changes_of
    from kobench.board.render.changes import SHOWN, markdown_of, text_of
    from kobench.cli.folders import tolerance

    (before, said), (after, said_now) = side_of(old), side_of(new)
    remarks = [f"{folder}: {text}" for folder, text in ((old, said), (new, said_now)) if text]
    found = changes_of(before, after, tolerance())
    found.others += files_between(old, new, before.records, after.records)
    most = None if verbose else SHOWN
    if form == "markdown":
        show_rendered(markdown_of(found, new.resolve().name, most), file=True)
    else:
        say(text_of(found, most), nl=False)
    for remark in remarks:
        say(remark, err=True)
    ctx.exit(1 if found or remarks else 0)


def side_of(folder: Path) -> tuple[Side, str]:
    """The board of a folder with its records, and what of it can't be read or believed."""
    from kobench.board.changes import Side
    from kobench.board.explained import read_explained
    from kobench.board.make import make_board
    from kobench.cli.folders import all_of, consistent, evidence_for

    found = all_of(folder)
    evidence = evidence_for([folder], found.records)
    shown, said = consistent(found.records, folder, evidence)
    board = make_board(shown, explained=read_explained(folder), evidence=evidence)
    return Side(board, shown), " ".join(filter(None, (found.remark, said)))


def files_between(
    old: Path, new: Path, before: Sequence[Record], after: Sequence[Record]
) -> list[str]:
    """What differs of published files where no record does: how a board is written."""
    from kobench.results.packed_answers import FILE
    from kobench.submit.specification import digest_of

    if digest_of(before) != digest_of(after):
        return []
    names = sorted(
        path.name
        for path in old.iterdir()
        if path.is_file() and (new / path.name).is_file() and path.name != "records.jsonl.gz"
    )
    other = [name for name in names if (old / name).read_bytes() != (new / name).read_bytes()]
    said = ["other answers are published (answers.zip)"] if FILE in other else []
    drawn = [name for name in other if name != FILE]
    if drawn:
        said.append(f"{', '.join(drawn)}: written otherwise, from the same records")
    return said
