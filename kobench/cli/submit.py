"""`kobench submit`: one folder with the rows of one method, for whoever keeps a board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.cli.options import load, plugin_options
from kobench.cli.output import say
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.cli.beside import Beside
    from kobench.plugins.entry import Entry
    from kobench.plugins.registry import Registry
    from kobench.results.parts import Record
    from kobench.submit.source import Found

EXAMPLES = """
\b
Examples:
  kobench submit leaderboards/quick -p my-method --licence MIT
  kobench submit boards/ours -p mine --in results -o submissions/mine
"""


@click.command("submit", epilog=EXAMPLES)
@click.argument("board", metavar="BOARD")
@click.option("-p", "--predictor", required=True, help="The method: a name, or a selection.")
@click.option(
    "--in",
    "results",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("kobench-results"),
    show_default=True,
    help="The results folder of its run beside that board.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    metavar="FOLDER",
    help="The folder to write; by default submission-METHOD.",
)
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    help="Only this dataset of the board; may be repeated. Without it: all of them.",
)
@click.option("--licence", default="", help="Its licence; by default what its package declares.")
@click.option("--reference", default="", help="Where it is published; by default as it declares.")
@click.option(
    "--source",
    default="",
    metavar="ADDRESS[@COMMIT]",
    help="Where its code can be had; by default git, or its package, is asked.",
)
@click.option("--suite", default="", help="The suite of the board; by default the one of its name.")
@click.option("--uncommitted", is_flag=True, help="Although its code has changes of no commit.")
@click.option("--failed", is_flag=True, help="Although trials of it failed.")
@click.option(
    "--answers-mb",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Size of the answers: all of them, or a sample that the hash of all chooses.",
)
@plugin_options
def submit_command(
    board: str,
    predictor: str,
    results: Path,
    output: Path | None,
    datasets: tuple[str, ...],
    licence: str,
    reference: str,
    source: str,
    suite: str,
    uncommitted: bool,
    failed: bool,
    answers_mb: int,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Write a folder with the rows of one method, to be taken in by whoever keeps BOARD.

    BOARD is a published folder, or its address. The method was run beside it (`kobench run SUITE -p
    METHOD --beside BOARD`). What its rows lack is named, and then nothing is written.
    """
    from kobench.board.explained import read_explained
    from kobench.board.make import make_board
    from kobench.board.site.places import slug
    from kobench.cli.beside import read_beside
    from kobench.submit.lacks import lacks
    from kobench.submit.make import lock_text, submission_of, write_submission
    from kobench.submit.specification import BoardInfo, digest_of
    from kobench.submit.text import text_of

    beside = read_beside(board)
    own = own_records(results, predictor, beside, datasets)
    first = own[0].trial.predictor
    registry = load(plugin_files, dataset_folders)
    entry = entry_of(registry, own)
    missing = list(lacks(own, beside.records, datasets, failed))
    missing += contradictions(registry, own, beside)
    found = source_found(entry, own, source, uncommitted)
    missing += found.missing
    lock, wrong = lock_text(own, first.distribution)
    missing += [wrong] if wrong else []
    if entry is not None:
        from kobench.submit.source import licence_of

        licence = licence or licence_of(entry)
        reference = reference or entry.spec.reference
    if not licence:
        missing.append(
            'a licence: declare one in pyproject.toml, license = "...", or say --licence NAME'
        )
    if missing or found.source is None:
        say(f"{first.selection} can't be submitted to {board} yet. It lacks:", err=True)
        for sentence in missing:
            say(f"  - {sentence}", err=True)
        raise click.exceptions.Exit(1)
    about = BoardInfo(
        name=Path(board).resolve().name if Path(board).is_dir() else board,
        suite=suite or suite_of(board) or None,
        digest=digest_of(beside.published),
        records=len(beside.published),
    )
    named = about.name if Path(board).is_absolute() else board
    submission = submission_of(own, found.source, licence, reference, about, lock, named)
    merged = beside.with_own(own)
    shown = make_board(
        merged.records,
        predictors=[first.selection],
        explained={**beside.explained, **read_explained(results)},
    )
    folder = output or Path(f"submission-{slug(first.selection)}")
    text = text_of(submission, shown)
    sample = write_submission(
        folder, own, results / "answers", submission, text, lock, answers_mb << 20
    )
    kept = "all answers" if sample is None or sample.of_row is None else "a sample of its answers"
    say(f"Wrote {folder}: {len(own)} records and {kept}. Look at {folder / 'README.md'}.")
    for note in found.notes:
        say(f"Note: {note}", err=True)
    if submission.seed_known:
        say(
            "Note: the secret seed of the board's networks was known before these runs; the board"
            " will say so beside the rows.",
            err=True,
        )
    say(f"Whoever keeps the board takes it in with: kobench board add BOARD {folder}")


def own_records(
    results: Path, predictor: str, beside: Beside, datasets: Sequence[str]
) -> list[Record]:
    """The records of a method on cells and splits of a board, with the board's tasks alone.

    Raises
    ------
    UserError
        Where there are none, and where they are of several rows.
    """
    from kobench.cli.folders import of_predictors, versions_of
    from kobench.submit.lacks import of_board
    from kobench.submit.make import one_row
    from kobench.submit.rows import with_tasks_of

    records, _, remark = versions_of(results)
    if remark:
        say(remark, err=True)
    named = [one for one in of_predictors(records, [predictor]) if one.role == "predictor"]
    if not named:
        there = sorted({one.trial.predictor.selection for one in records if one.role != "line"})
        raise UserError(
            f"there is no result of {predictor} in {results}; it has {', '.join(there[:12])}"
        )
    own = of_board(named, beside.records)
    if datasets:
        own = [one for one in own if set(datasets) & names_of(one)]
    if not own:
        raise UserError(
            f"{results} has no result of {predictor} on cells of {beside.name}; run it there:"
            f" kobench run ... -p {predictor} --beside {beside.name}"
        )
    one_row(own, predictor)
    return with_tasks_of(own, beside.records)


def names_of(record: Record) -> set[str]:
    """By what the dataset of a record may be named."""
    dataset = record.trial.dataset
    return {dataset.name, dataset.group, dataset.selection}


def entry_of(registry: Registry, own: Sequence[Record]) -> Entry | None:
    """The method as it is installed here; None where it is not."""
    predictor = own[0].trial.predictor
    home = predictor.environment or predictor.distribution
    name = predictor.name.rpartition("/")[2]
    try:
        return registry.find("predictors", f"{home}/{name}")
    except UserError:
        return None


def source_found(
    entry: Entry | None, own: Sequence[Record], source: str, uncommitted: bool
) -> Found:
    """Where the code of the records can be had."""
    from kobench.submit.source import Found, given, source_of

    predictor = own[0].trial.predictor
    if entry is None:
        if source:
            return Found(given(source))
        where = predictor.distribution.removeprefix("file:")
        hint = f"name its file with --plugin {where}" if where.endswith(".py") else "install it"
        return Found(missing=[f"its source: {predictor.name} is not here; {hint}, or say --source"])
    found = source_of(entry, source, uncommitted)
    if entry.digest != predictor.digest:
        found.missing.append(
            f"results of its present code: {predictor.name} was changed since (code"
            f" {predictor.digest[:12]} then, {entry.digest[:12]} now); run it again"
        )
    return found


def contradictions(registry: Registry, own: Sequence[Record], beside: Beside) -> list[str]:
    """What `kobench verify` would say of the records, beside those of the board."""
    from kobench.submit.rows import findings_of
    from kobench.verify.known import Known

    return [str(one) for one in findings_of(own, beside.records, Known(registry))]


def suite_of(board: str) -> str:
    """The suite that a board's name, or the folder that it lies in, says; "" for none."""
    from kobench.cli.suites import built_in

    folder = Path(board)
    name = folder.resolve().name if folder.is_dir() else board.rstrip("/").rpartition("/")[2]
    beside = folder.parent.parent / "suites" / f"{name}.toml"
    if folder.is_dir() and beside.is_file():
        return f"suites/{name}.toml"
    return name if name in built_in() else ""
