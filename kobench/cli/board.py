"""`kobench board`: the leaderboard from stored records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.options import show_board

if TYPE_CHECKING:
    from kobench.results.parts import Record

FORMATS = ("terminal", "markdown", "csv", "json", "latex", "html")

#: The format that a file's ending stands for.
ENDINGS = {
    ".md": "markdown",
    ".csv": "csv",
    ".json": "json",
    ".tex": "latex",
    ".html": "html",
    ".txt": "terminal",
}

EXAMPLES = """
\b
Examples:
  kobench board kobench-results
  kobench board kobench-results -o board.html
  kobench board kobench-results --no-cost --format markdown
  kobench board leaderboards/quick --check leaderboards/quick/board.csv
  kobench board kobench-results --pictures pictures
  kobench board kobench-results --pack leaderboards/mine
"""


@click.command("board", epilog=EXAMPLES)
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("kobench-results"),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=None,
    help="Default: by the ending of -o, else terminal.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write to a file.",
)
@click.option(
    "--no-cost", is_flag=True, help="Leave out seconds and memory: equal bytes for equal results."
)
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    help="Only this dataset (name, or name with parameters); may be repeated.",
)
@click.option("-t", "--task", "tasks", multiple=True, help="Only this task; may be repeated.")
@click.option(
    "-p",
    "--predictor",
    "predictors",
    multiple=True,
    help="Only this predictor, beside floors and lines; may be repeated.",
)
@click.option(
    "--check",
    "published",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Rebuild and compare with a published board; exit code 1 when it differs.",
)
@click.option(
    "--pack",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help=(
        "Write a folder to publish: every format, the records in one file, and pictures where"
        " matplotlib is there."
    ),
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write the board's pictures (SVG) into a folder; needs the extra `pictures`.",
)
@click.pass_context
def board_command(
    ctx: click.Context,
    folder: Path,
    form: str | None,
    output: Path | None,
    no_cost: bool,
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    predictors: tuple[str, ...],
    published: Path | None,
    pack: Path | None,
    pictures: Path | None,
) -> None:
    """Build the leaderboard of a results folder. Same records in, same bytes out."""
    from kobench.board.make import check_board, make_board
    from kobench.board.render.formats import render
    from kobench.errors import UserError
    from kobench.results.records import read_records
    from kobench.util.files import write_atomically

    if pack is not None and (datasets or tasks or predictors):
        raise click.UsageError(
            "--pack takes all records of a folder; leave out -d, -t and -p, or write one file"
            " with -o",
            ctx,
        )
    file = published or output
    form = form or (form_of(file) if file else "terminal")
    records = list(read_records(folder))
    if not records:
        inside = sorted(str(found.parent) for found in folder.glob("*/records"))
        hint = (
            f"did you mean {' or '.join(inside[:3])}?"
            if inside
            else "make some with `kobench run quick`, or name another folder"
        )
        raise UserError(f"there are no records in {folder}; {hint}")
    narrowed = {
        "datasets": recorded(datasets, "dataset", records) or None,
        "tasks": tasks or None,
        "predictors": recorded(predictors, "predictor", records) or None,
    }
    if published is not None:
        if check_board(records, published.read_bytes(), form, cost=not no_cost, **narrowed):
            drawn = (
                " Its pictures were not compared."
                if b"<!-- pictures -->" in published.read_bytes()
                else ""
            )
            click.echo(f"{published} agrees with the records in {folder}.{drawn}")
            return
        click.echo(
            f"{published} differs from what the records in {folder} give; rebuild it with `kobench"
            f" board {folder} -o {published}`",
            err=True,
        )
        ctx.exit(1)
    if pack is not None:
        pack_board(records, pack, cost=not no_cost)
        return
    board = make_board(records, cost=not no_cost, **narrowed)
    if pictures is not None:
        from kobench.board.pictures import draw_all, write_pictures

        paths = write_pictures(draw_all(board), pictures)
        click.echo(
            f"Wrote {len(paths)} pictures to {pictures}."
            if paths
            else "These records have nothing that a picture is drawn of."
        )
        if output is None:
            return
    if output is not None:
        write_atomically(output, render(board, form).encode())
        click.echo(f"Wrote {output} ({form}, {len(records)} records).")
    elif form == "terminal":
        show_board(board)
    else:
        click.echo(render(board, form), nl=False)


def pack_board(records: list[Record], folder: Path, cost: bool) -> None:
    """Write a folder to publish, and say what is in it."""
    from kobench.board.make import make_board
    from kobench.board.pictures import available, draw_all, write_pictures
    from kobench.board.render.formats import render
    from kobench.results.records import pack_records
    from kobench.util.files import write_atomically

    board = make_board(records, cost=cost)
    drawn = draw_all(board) if available() else []
    pack_records(records, folder / "records.jsonl.gz")
    write_pictures(drawn, folder / "pictures")
    for ending, name in ENDINGS.items():
        if name in ("html", "markdown"):
            write_atomically(
                folder / f"board{ending}", render(board, name, pictures=drawn).encode()
            )
        elif name == "csv":
            write_atomically(folder / f"board{ending}", render(board, name).encode())
    click.echo(
        f"Wrote {folder}: board.html, board.md, board.csv, records.jsonl.gz ({len(records)}"
        f" records) and {len(drawn)} pictures."
    )
    if not available():
        click.echo(
            "No pictures were drawn: they need matplotlib (pip install 'kobench[pictures]')."
        )


def form_of(file: Path) -> str:
    """The format that a file's ending stands for; raises UsageError for another ending."""
    if file.suffix.lower() not in ENDINGS:
        raise click.UsageError(
            f"{file.name!r} has no known ending; expected one of {', '.join(ENDINGS)}, or give"
            " --format"
        )
    return ENDINGS[file.suffix.lower()]


def recorded(texts: Sequence[str], what: str, records: list[Record]) -> list[str]:
    """Selections as the records write them: the order of keys, quotes and brackets make no other
    dataset or predictor.
    """
    from kobench.util.grammar import parse

    trials = [record.trial for record in records]
    named = [trial.dataset if what == "dataset" else trial.predictor for trial in trials]
    groups = {trial.dataset.group for trial in trials} if what == "dataset" else set()
    known = sorted(groups | {text for one in named for text in (one.name, one.selection)})
    found: list[str] = []
    for text in texts:
        asked = parse(text)
        equal = [
            other
            for other in known
            if (asked.name, asked.params) == (parse(other).name, parse(other).params)
        ]
        found += [text] if text in known else equal or [text]
    return found
