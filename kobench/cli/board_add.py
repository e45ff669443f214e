"""`kobench board add`: takes a submission in, once it is consistent and re-scored."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.options import load, plugin_options, strangers_options
from kobench.cli.output import say
from kobench.cli.proof import today, valid_day
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.results.evidence import Evidence, Place
    from kobench.results.parts import Record
    from kobench.submit.take import Judged

EXAMPLES = """
\b
Examples:
  kobench board add leaderboards/quick submission-theirs --check
  kobench board add leaderboards/quick submission-theirs
  kobench board add leaderboards/quick submission-theirs -o preview/quick
"""


@click.command("add", epilog=EXAMPLES)
@click.argument("board", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("submission", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    metavar="FOLDER",
    help="Write the board with it there, and leave BOARD as it is.",
)
@click.option("--replace", is_flag=True, help="Where the board has the method, replace its row.")
@click.option("--check", "only_check", is_flag=True, help="Say what comes of it, write nothing.")
@click.option(
    "--answers-mb",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Size of the board's answers, those of the submission among them.",
)
@click.option(
    "--by",
    default="",
    metavar="NAME",
    help="Keep it as evidence that NAME scored the rows again; the board then says so.",
)
@click.option(
    "--date",
    "on",
    default="",
    metavar="YYYY-MM-DD",
    callback=valid_day,
    help="On which day, with --by; today by default.",
)
@click.option("--no-cost", is_flag=True, help="The board's files leave out seconds and memory.")
@click.option("-v", "--verbose", is_flag=True, help="Every reason.")
@strangers_options
@plugin_options
@click.pass_context
def add_command(
    ctx: click.Context,
    board: Path,
    submission: Path,
    output: Path | None,
    replace: bool,
    only_check: bool,
    answers_mb: int,
    by: str,
    on: str,
    no_cost: bool,
    verbose: bool,
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    metrics: tuple[str, ...],
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Take the rows of SUBMISSION into the published folder BOARD, and make its files anew.

    They are taken once they are consistent with themselves and with the board, and once their
    answers, scored here, give what they say. Else the reasons are printed, nothing is changed, and
    the exit code is 1.
    """
    from kobench.cli.judged import judged_beside, say_judged

    if output is not None and output.exists() and output.resolve() != board.resolve():
        raise UserError(f"{output} is there already; name another folder with -o")
    registry = load(plugin_files, dataset_folders)
    strangers = (tasks, metrics, datasets)
    judged, records = judged_beside(submission, board, registry, strangers, replace)
    if not say_judged(judged, board, verbose):
        ctx.exit(1)
    if only_check:
        say("Nothing was written: --check.")
        return
    found = evidence(judged, by, on or today()) if by else {}
    write_board(board, submission, records, judged, output, answers_mb << 20, not no_cost, found)


def evidence(judged: Judged, by: str, on: str) -> dict[Place, Evidence]:
    """What is kept of having scored the rows of a submission again."""
    from kobench.util.text import one_line
    from kobench.verify.outcome import evidence_of, outcomes

    return evidence_of(outcomes(judged.records, [], judged.rescored), one_line(by), on)


def write_board(
    board: Path,
    submission: Path,
    records: Sequence[Record],
    judged: Judged,
    output: Path | None,
    most: int,
    cost: bool,
    looked: Mapping[Place, Evidence],
) -> None:
    """Write the board with the new rows: aside first, so that a failure changes nothing."""
    from kobench.cli.folders import consistent, evidence_for
    from kobench.cli.published import TAKEN, kept_text, pack_board
    from kobench.results.packed_answers import FILE, MOST_ANSWER, pack_found, read_member
    from kobench.results.signatures import add_signed
    from kobench.submit.answers import sample_before
    from kobench.submit.rows import without
    from kobench.submit.specification import kept_name
    from kobench.util.files import umask, write_atomically

    kept = without(records, judged.replaced)
    every = [*kept, *judged.records]
    known = {**evidence_for([board], every), **looked}
    shown, said = consistent(every, board, known)
    before = sample_before(board, records, judged.replaced)

    def find(key: str) -> bytes | None:
        packed = (folder / FILE for folder in (board, submission))
        contents = (read_member(path, f"{key}.npz", MOST_ANSWER) for path in packed)
        return next((one for one in contents if one is not None), None)

    def keep(packed: list[Record], folder: Path) -> str:
        sample = pack_found(packed, find, folder / FILE, most, before)
        if sample is None and before is not None:
            raise UserError(
                f"no answers of every row fit into {most >> 20} MB; give the board more with"
                " --answers-mb"
            )
        return kept_text(sample, folder, most)

    place = output or board
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        aside.chmod(0o777 & ~umask())
        pack_board(
            board,
            every,
            aside,
            cost,
            shown=shown,
            left_out=said,
            evidence=known,
            keep=keep,
            place=place,
        )
        add_signed(submission, aside, judged.records)
        name = kept_name(judged.submission)
        write_atomically(aside / TAKEN / name, judged.submission.text().encode())
        moved_into(aside, place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    instead = f" in place of {len(judged.replaced)} records" if judged.replaced else ""
    say(f"Took {judged.submission.method.selection} into {place}{instead}.")


def moved_into(aside: Path, place: Path) -> None:
    """Move a finished folder to its place; what else lies there stays."""
    if not place.exists():
        aside.rename(place)
        return
    from kobench.results.evidence import FILE as VERIFIED
    from kobench.results.packed_answers import FILE as ANSWERS

    moved = {path.name for path in aside.iterdir()}
    for path in sorted(aside.iterdir()):
        target = place / path.name
        if path.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        os.replace(path, target)
    for name in (ANSWERS, VERIFIED):  # of the records that were there
        if name not in moved:
            (place / name).unlink(missing_ok=True)
