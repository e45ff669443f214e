"""`kobench board`: the leaderboard from stored records."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.folders import all_of, consistent, evidence_for, own_folder
from kobench.cli.into import agrees_into, has_marks, write_into
from kobench.cli.output import say, show_rendered
from kobench.cli.published import pack_board, say_versions, seeds_follow
from kobench.cli.screen import lines_of, show_board, show_summary, whole_options
from kobench.cli.words import WithWords
from kobench.errors import UserError
from kobench.util.bounded import read_bounded

if TYPE_CHECKING:
    from kobench.board.board import Board
    from kobench.results.parts import Record

#: As in `kobench.board.render`, which would bring numpy in here.
FORMATS = ("terminal", "markdown", "csv", "json", "latex", "html")

#: The LaTeX of one table alone.
SUMMARY = "latex, one table"

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
  kobench board kobench-results -v
  kobench board kobench-results -t response
  kobench board kobench-results -o board.html
  kobench board kobench-results --no-cost --format markdown
  kobench board leaderboards/quick --check leaderboards/quick/board.csv
  kobench board leaderboards/quick --check-seeds
  kobench board kobench-results --pictures pictures
  kobench board kobench-results --summary -t keystone -o table.tex
  kobench board kobench-results --older -p mine
  kobench board kobench-results leaderboards/crispr
  kobench board kobench-results --pack leaderboards/mine
  kobench board leaderboards/mine --into README.md
  kobench board add leaderboards/mine submission-theirs
  kobench board diff leaderboards/quick preview/quick
"""

#: What is said below the first screen.
WHOLE = "-v prints the whole board, -t NAME one task, -o board.html writes a page."


#: Commands that begin with `kobench board`; a folder called so is `./add`.
WORDS = {
    "add": ("kobench.cli.board_add", "Take the rows of a submission in, once they are proved."),
    "diff": ("kobench.cli.board_diff", "Say what changed between two boards, by meaning."),
}


@click.command("board", cls=WithWords, words=WORDS, epilog=EXAMPLES)
@click.argument(
    "folders",
    metavar="[FOLDER]...",
    nargs=-1,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
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
    "--older",
    "with_older",
    is_flag=True,
    help="Show kept results of older versions of predictors, too, as rows of their own.",
)
@click.option(
    "--check",
    "published",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Rebuild and compare with a published board; exit code 1 when it differs.",
)
@click.option(
    "--check-seeds",
    is_flag=True,
    help=(
        "Check that the revealed seed is the one that was committed to, that the seed of every"
        " network follows from it (--check does so, too), and that its network, simulated again,"
        " has the recorded cells; exit code 1 when not."
    ),
)
@click.option(
    "--pack",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help=(
        "Write a folder to publish: every format, the records in one file, and pictures where"
        " matplotlib is there. Each method is published by its newest version."
    ),
)
@click.option(
    "--answers-mb",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    help=(
        "Size of the answers that --pack writes, so that anybody can score them again: all of"
        " them, or a sample of each row that the hash of all chooses."
    ),
)
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help=(
        "Write the table of the board into a Markdown file, between <!-- leaderboard --> and"
        " <!-- /leaderboard -->; --check FILE says whether it is still true."
    ),
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write the board's pictures (SVG) into a folder; needs the extra `pictures`.",
)
@whole_options
@click.option(
    "--picture-format",
    type=click.Choice(["svg", "pdf"]),
    default="svg",
    show_default=True,
    help="What --pictures writes; pdf for LaTeX.",
)
@click.option(
    "--summary",
    is_flag=True,
    help=(
        "With LaTeX: one table for a paper, predictors x datasets of a task (-t), as wide as the"
        " text, with booktabs."
    ),
)
@click.pass_context
def board_command(
    ctx: click.Context,
    folders: tuple[Path, ...],
    form: str | None,
    output: Path | None,
    no_cost: bool,
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    predictors: tuple[str, ...],
    with_older: bool,
    published: Path | None,
    check_seeds: bool,
    pack: Path | None,
    answers_mb: int,
    into: Path | None,
    pictures: Path | None,
    picture_format: str,
    summary: bool,
    verbose: bool,
    units: bool,
) -> None:
    """Print the leaderboard of results folders or published boards, or write it to a file.

    Of one it is one screen: the verdict and a table. -v, -t and -d print the tables of every
    dataset and task. Same records in, same bytes out. Of several folders the first one's record of
    a trial counts; where they disagree the board says so. Without FOLDER: kobench-results.
    """
    from kobench.board.make import make_board
    from kobench.board.sections.older import as_rows

    if pack is not None and (datasets or tasks or predictors):
        raise click.UsageError(
            "--pack takes all records of a folder; leave out -d, -t and -p, or write one file"
            " with -o",
            ctx,
        )
    folder, *others = folders or (own_folder(ctx),)
    if others and (pack is not None or into is not None or published is not None or check_seeds):
        raise click.UsageError(
            "--pack, --into, --check and --check-seeds take one folder; of several, -o writes the"
            " board",
            ctx,
        )
    file = published or output
    whole = bool(verbose or units or datasets or tasks or form)
    form = form or (form_of(file) if file else "latex" if summary else "terminal")
    if summary and form != "latex":
        raise click.UsageError(
            f"--summary is a table of LaTeX, and {form} was asked for; write it with -o NAME.tex",
            ctx,
        )
    if pack is not None and with_older:
        raise click.UsageError(
            "--pack publishes one version of a method; leave out --older, or pack a folder with the"
            " other one",
            ctx,
        )
    found = all_of(folder, others)
    records, older, remark = found.records, found.older, found.remark
    evidence = evidence_for([folder, *others], records)
    shown, said = consistent(records, None if others else folder, evidence)
    if with_older:  # which are checked before they are named by their code
        rows = as_rows(consistent(older)[0], records)
        records, shown, older = [*records, *rows], [*shown, *rows], []
    ending = 1 if remark or said else 0
    left_out = " ".join(filter(None, (remark, said)))
    chosen: dict[str, Any] = {
        "cost": not no_cost,
        "datasets": recorded(datasets, "dataset", records) or None,
        "tasks": tasks or None,
        "predictors": recorded(predictors, "predictor", records) or None,
        "explained": found.explained,
        "older": older,
        "elsewhere": found.elsewhere,
        "more": found.more,
        "evidence": evidence,
    }
    if published is not None and has_marks(published, folder):
        board = make_board(shown, **chosen, left_out=left_out)
        ending = ending if agrees_into(published, folder, board) else 1
    elif into is not None:
        write_into(into, folder, make_board(shown, **chosen, left_out=left_out))
    elif published is not None:
        agreeing = agrees(shown, published, form, folder, {**chosen, "left_out": left_out})
        ending = ending if seeds_follow(records, folder) and agreeing else 1
    elif check_seeds:
        ending = ending if seeds_follow(records, folder, True, datasets) else 1
    elif pack is not None:
        # of what could be read alone: the records beside it are to give the same board again
        pack_board(
            folder,
            records,
            pack,
            cost=not no_cost,
            shown=shown,
            left_out=said,
            answers=answers_mb << 20,
            evidence=evidence,
        )
        say_versions(records, older)
    else:
        board = make_board(shown, **chosen, left_out=left_out)
        if pictures is not None:
            draw_board(board, pictures, picture_format)
        if pictures is None or output is not None:
            write_board(board, SUMMARY if summary else form, output, len(records), whole, units)
    for sentence in filter(None, (remark, said)):
        say(sentence, err=True)
    ctx.exit(ending)


#: Bytes of a published board that is compared, many times the largest.
MOST_BOARD = 256 << 20


def agrees(
    records: list[Record], published: Path, form: str, folder: Path, chosen: dict[str, Any]
) -> bool:
    """Whether a published board is what the records give; prints which."""
    from kobench.board.make import check_board

    try:
        text = read_bounded(published, MOST_BOARD)
    except (OSError, ValueError) as error:
        raise UserError(f"{published} can't be compared ({error}); name a board's file") from error
    if check_board(records, text, form, **chosen):
        drawn = " Its pictures were not compared." if b"<!-- pictures -->" in text else ""
        say(f"{published} agrees with the records in {folder}.{drawn}")
        return True
    say(
        f"{published} differs from what the records in {folder} give; rebuild it with `kobench"
        f" board {shlex.quote(str(folder))} -o {shlex.quote(str(published))}`",
        err=True,
    )
    return False


def draw_board(board: Board, folder: Path, form: str) -> None:
    """Write the pictures of a board into a folder, and say how many."""
    from kobench.board.pictures import draw_all, write_pdfs, write_pictures

    paths = write_pictures(draw_all(board), folder) if form == "svg" else write_pdfs(board, folder)
    if paths:
        say(f"Wrote {len(paths)} pictures to {folder}.")
    else:
        say("These records have nothing that a picture is drawn of.")


def write_board(
    board: Board, form: str, output: Path | None, count: int, whole: bool, units: bool
) -> None:
    """Write a board to a file, or print it.

    Parameters
    ----------
    board : Board
        The board.
    form : str
        Its format, or `SUMMARY`.
    output : Path or None
        The file.
    count : int
        How many records it is of.
    whole : bool
        Whether to print all of it, and not its first screen.
    units : bool
        Whether to print its single units.
    """
    from kobench.board.render import render
    from kobench.board.render.latex_summary import render_summary
    from kobench.util.files import write_atomically

    if output is not None:
        text = render_summary(board) if form == SUMMARY else render(board, form)
        write_atomically(output, text.encode())
        say(f"Wrote {output} ({form}, {count} records).")
    elif form == "terminal" and whole:
        show_board(board, units)
    elif form == "terminal":
        show_summary(board, more="-v", reserved=lines_of(WHOLE))
        say(WHOLE)
    else:
        text = render_summary(board) if form == SUMMARY else render(board, form)
        show_rendered(text, file=True)


def form_of(file: Path) -> str:
    """The format that a file's ending stands for; UsageError for another ending."""
    if file.suffix.lower() not in ENDINGS:
        raise click.UsageError(
            f"{file.name!r} has no known ending; expected one of {', '.join(ENDINGS)}, or give"
            " --format"
        )
    return ENDINGS[file.suffix.lower()]


def recorded(texts: Sequence[str], what: str, records: list[Record]) -> list[str]:
    """Selections as the records write them.

    The order of keys, quotes and brackets make no other dataset or predictor.

    Parameters
    ----------
    texts : sequence of str
        Names or selections as they were typed.
    what : str
        "dataset" or "predictor".
    records : list of Record
        The records.

    Returns
    -------
    list of str
        For each text the equal ones of the records; itself where there is none.
    """
    from kobench.util.grammar import parse

    def read(text: str) -> tuple[str, Any] | None:
        """A selection of a record; None for what no command could have written."""
        try:
            return (found := parse(text)).name, found.params
        except UserError:
            return None

    trials = [record.trial for record in records]
    named = [trial.dataset if what == "dataset" else trial.predictor for trial in trials]
    groups = {trial.dataset.group for trial in trials} if what == "dataset" else set()
    known = sorted(groups | {text for one in named for text in (one.name, one.selection)})
    found: list[str] = []
    for text in texts:
        asked = parse(text)
        equal = [other for other in known if read(other) == (asked.name, asked.params)]
        found += [text] if text in known else equal or [text]
    return found
