"""Folders to publish: how `kobench board` writes them, and checks the seeds that they reveal."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.output import say

if TYPE_CHECKING:
    from kobench.board.board import Board
    from kobench.board.figures import Drawn
    from kobench.results.evidence import Evidence, Place
    from kobench.results.parts import Record
    from kobench.results.sample import Sample
    from kobench.results.suite_seed import SuiteSeed

#: The folder with what submissions said that a board took in.
TAKEN = "submissions"

#: So many rows with older versions are named one by one.
NAMED = 3

#: What the page of a packed board offers to download, beside its pictures.
BESIDE = ("board.csv", "board.json.gz", "board.md", "board.tex", "records.jsonl.gz")


def pack_board(
    source: Path,
    records: list[Record],
    folder: Path,
    cost: bool,
    shown: list[Record] | None = None,
    left_out: str = "",
    answers: int = 0,
    evidence: Mapping[Place, Evidence] | None = None,
    keep: Callable[[list[Record], Path], str] | None = None,
    place: Path | None = None,
) -> None:
    """Write the folder to publish of a results folder, and say what is in it.

    A secret seed is revealed in it.

    Parameters
    ----------
    source, folder : Path
        The results folder, and the one to write.
    records : list of Record
        Its records, which are packed.
    cost : bool
        Whether boards say what rows cost.
    shown : list of Record, or None
        The records as boards show them; None: as they are.
    left_out : str
        What boards say first of records that are not shown.
    answers : int
        Bytes that the packed answers may have.
    evidence : mapping of Place to Evidence, or None
        What is known of rows, which is kept with them.
    keep : callable or None
        What packs them, given the records and the folder, and says what was kept; None to take them
        from the results folder.
    place : Path or None
        Where the folder is moved to once it is whole; None where it stays.
    """
    from kobench.board.explained import FILE, read_explained
    from kobench.board.make import make_board
    from kobench.board.pictures import available, draw_all, write_pictures
    from kobench.board.render import render
    from kobench.results.evidence import FILE as VERIFIED
    from kobench.results.evidence import write_evidence
    from kobench.results.records import pack_records
    from kobench.results.revealed import with_seeds
    from kobench.results.signatures import keep_signed
    from kobench.results.suite_seed import SEED, keep_seed
    from kobench.util.files import write_atomically

    seed = revealed_seed(records, source)
    shown = records if shown is None else shown
    if seed is not None:  # as whoever reads the folder has them, so that its board is the same
        records, shown = with_seeds(records, seed), with_seeds(shown, seed)
        keep_seed(folder, seed, 0o644)
    board = make_board(
        shown, cost=cost, explained=read_explained(source), left_out=left_out, evidence=evidence
    )
    drawn = draw_all(board) if available() else []
    pack_records(records, folder / "records.jsonl.gz")
    write_evidence(folder / VERIFIED, (evidence or {}).values())
    if signed := keep_signed(source, folder, records):
        say(f"{signed} signature{'s' * (signed != 1)} of its records went with it.")
    say(keep(records, folder) if keep else keep_answers(source, records, folder, answers))
    write_pictures(drawn, folder / "pictures")
    beside = [*BESIDE, *([SEED] if seed is not None else [])]
    contents = {
        "board.html": render(board, "html", pictures=drawn, files=beside).encode(),
        **texts_of(board, drawn),
    }
    for name, content in contents.items():
        write_atomically(folder / name, content)
    if (source / FILE).is_file():
        write_atomically(folder / FILE, (source / FILE).read_bytes())
    for path in sorted((source / TAKEN).glob("*.json")):
        write_atomically(folder / TAKEN / path.name, path.read_bytes())
    say(
        f"Wrote {place or folder}: {', '.join(contents)}, records.jsonl.gz ({len(records)} records)"
        f" and {len(drawn)} pictures."
    )
    if seed is not None:
        say(f"The secret seed of its networks is revealed in {(place or folder) / SEED}.")
    if not available():
        say("No pictures were drawn: they need matplotlib (pip install 'kobench[pictures]').")


def texts_of(board: Board, pictures: list[Drawn]) -> dict[str, bytes]:
    """The files of a packed board that hold the same as its page: name -> content."""
    from kobench.board.render import render

    return {
        "board.md": render(board, "markdown", pictures=pictures).encode(),
        "board.csv": render(board, "csv").encode(),
        # a text of many equal words, a hundredth as long when compressed
        "board.json.gz": gzip.compress(render(board, "json").encode(), mtime=0),
        "board.tex": render(board, "latex").encode(),
    }


def offer_files(
    board: Board, pictures: list[Drawn], records: list[Record], source: Path, folder: Path
) -> list[str]:
    """Write what the page of a board on a site offers to download; returns the names.

    A secret seed is among them where the records reveal it already.
    """
    from kobench.results.records import pack_records
    from kobench.results.suite_seed import SEED
    from kobench.util.files import write_atomically

    contents = texts_of(board, pictures)
    secret = [one for record in records if (one := record.trial.dataset.secret)]
    if any(one.seed for one in secret) and (source / SEED).is_file():
        contents[SEED] = (source / SEED).read_bytes()
    for name, content in contents.items():
        write_atomically(folder / name, content)
    pack_records(records, folder / "records.jsonl.gz")
    return sorted([*contents, "records.jsonl.gz"])


def say_versions(records: list[Record], older: list[Record]) -> None:
    """Say of each method that has results of several versions which one was published."""
    from kobench.results.versions import code_of, spot_of
    from kobench.util.text import one_line

    codes = {
        spot_of(record.role, record.trial): code_of(record.trial.predictor) for record in records
    }
    said = {
        f"{spot.row[1]} on {spot.dataset} is published by its newest version (code"
        f" {codes[spot]}), and not by an older one (code {code_of(record.trial.predictor)})."
        if (spot := spot_of(record.role, record.trial)) in codes
        else f"{spot.row[1]} on {spot.dataset} is not published: it is of an older version (code"
        f" {code_of(record.trial.predictor)}) alone."
        for record in older
    }
    sentences = sorted(said)
    for sentence in sentences[:NAMED]:
        say(one_line(sentence))
    if len(sentences) > NAMED:
        say(f"So it is with {len(sentences) - NAMED} more; `kobench versions` lists all.")


def keep_answers(source: Path, records: list[Record], folder: Path, most: int) -> str:
    """Pack the answers of a folder beside its records, and a sentence on what was kept."""
    from kobench.results.packed_answers import FILE, pack_answers
    from kobench.util.files import write_atomically

    if (source / FILE).is_file() and not (source / "answers").is_dir():
        content = (source / FILE).read_bytes()
        write_atomically(folder / FILE, content)
        return f"{FILE} was taken over from {source}."
    (folder / FILE).unlink(missing_ok=True)
    sample = pack_answers(records, source / "answers", folder / FILE, most) if most else None
    return kept_text(sample, folder, most)


def kept_text(sample: Sample | None, folder: Path, most: int) -> str:
    """A sentence on which answers were packed into a folder.

    Parameters
    ----------
    sample : Sample or None
        Which; None for none.
    folder : Path
        The folder.
    most : int
        Bytes that they might have.
    """
    from kobench.results.packed_answers import FILE

    if sample is None:
        return (
            "No answers were packed, so nobody can score them again without the results folder"
            f" (--answers-mb is {most >> 20})."
        )
    kept = "all answers" if sample.of_row is None else f"{sample.of_row} of each row's answers"
    if sample.of_all is not None:
        kept = f"the answers of {sample.of_all} records of all rows together"
    without = f", none to {', '.join(sample.left_out)}" if sample.left_out else ""
    return f"{FILE} has {kept}{without} ({(folder / FILE).stat().st_size / 1e6:.1f} MB)."


def revealed_seed(records: list[Record], folder: Path) -> SuiteSeed | None:
    """The secret seed of a folder whose records need one; UserError where it is not there."""
    from kobench.errors import UserError
    from kobench.results.suite_seed import SEED, find_seed

    secret = next((found for one in records if (found := one.trial.dataset.secret)), None)
    if secret is None:
        return None
    seed = find_seed(folder)
    if seed is None:
        raise UserError(
            f"the networks in {folder} come from a secret seed, and {folder / SEED} is not there;"
            f" put the seed with the commitment sha256={secret.commitment} back"
        )
    return seed


def seeds_follow(
    records: list[Record], folder: Path, asked: bool = False, named: Collection[str] = ()
) -> bool:
    """Whether what records say of secret seeds follows from the one in the folder; prints which.

    Parameters
    ----------
    records : list of Record
        The records.
    folder : Path
        The folder that they lie in.
    asked : bool
        Whether to say so where no seed was secret, too, and to simulate the networks again.
    named : collection of str
        Simulators of other packages that may run.
    """
    from kobench.results.revealed import chosen_networks, unfounded
    from kobench.util.text import one_line

    seed = revealed_seed(records, folder)
    if seed is None:
        if asked:
            say(f"No seed in {folder} was secret.")
        return True
    wrong = unfounded(records, seed)
    for sentence in wrong:
        say(one_line(sentence), err=True)
    if not wrong:
        datasets = [record.trial.dataset for record in records]
        networks = {dataset.selection for dataset in datasets if dataset.secret is not None}
        say(
            f"The revealed seed has the sha256 that was committed to, {seed.commitment}; the"
            f" seeds of its networks ({len(networks)}) follow from it."
        )
    chosen = chosen_networks(records)
    for sentence in chosen:
        say(one_line(sentence), err=True)
    return not wrong and (not asked or networks_follow(records, seed, named)) and not chosen


def networks_follow(records: list[Record], seed: SuiteSeed, named: Collection[str]) -> bool:
    """Whether the networks simulated again have the cells that records say; prints which."""
    from kobench.cli.options import load
    from kobench.runner.rebuilt import rebuild
    from kobench.util.text import one_line

    found = rebuild(load((), ()), records, seed, named)
    for sentence in found.others:
        say(one_line(sentence), err=True)
    for sentence in found.left_out:
        say(one_line(f"Not simulated again: {sentence}"), err=True)
    say(
        "Networks that, simulated again, have the cells of their records:"
        f" {found.same} of {found.same + len(found.others) + len(found.left_out)}."
    )
    return not found.others
