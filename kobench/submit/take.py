"""Judges a submission that may be anyone's, and says what a board is with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kobench.errors import UserError
from kobench.results.answer_store import AnswerStore
from kobench.results.left_out import LeftOut
from kobench.results.packed_answers import FILE as ANSWERS
from kobench.results.packed_answers import read_sample
from kobench.results.parts import Record
from kobench.results.records import read_records
from kobench.results.sample import chosen_answers
from kobench.results.signatures import FOLDER as SIGNED
from kobench.results.signatures import MANIFEST, SIGNATURE
from kobench.results.versions import row_of
from kobench.runner.recorded import Source
from kobench.submit.faults import faults_of_files, off_board, standing, strangers
from kobench.submit.lacks import lacks, place_of, place_text, places_of
from kobench.submit.make import RECORDS
from kobench.submit.rows import findings_of, row_of_all, without
from kobench.submit.specification import FILE, LOCK, TEXT, Submission, digest_of, read_submission
from kobench.util.text import listed
from kobench.verify.known import Known
from kobench.verify.rescored import Rescored, rescore

#: What a submission may hold, beside a folder of signatures.
FILES = (RECORDS, ANSWERS, FILE, TEXT, LOCK)


@dataclass
class Judged:
    """What came of looking at a submission.

    Attributes
    ----------
    submission : Submission
        What it says.
    records : list of Record
        Its records.
    refused : list of str
        Why it is not taken, each in a sentence without a full stop; empty where it is.
    notes : list of str
        What whoever keeps the board should know.
    replaced : list of Record
        The records of the board whose place they take.
    rescored : Rescored or None
        What came of scoring its answers again; None where it came not so far.
    source : Source or None
        Where its answers, and what scores them, are; None likewise.
    """

    submission: Submission
    records: list[Record]
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    replaced: list[Record] = field(default_factory=list)
    rescored: Rescored | None = None
    source: Source | None = None


def read_folder(folder: Path) -> tuple[Submission, list[Record]]:
    """A submission and its records.

    Raises
    ------
    UserError
        Where it is none, holds other files, or has a record that can't be read.
    """
    signed = folder / SIGNED
    inside = sorted(signed.iterdir()) if signed.is_dir() and not signed.is_symlink() else []
    others = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
    others += [path.name for path in inside if path.suffix not in (MANIFEST, SIGNATURE)]
    others = [name for name in others if name != SIGNED or not signed.is_dir()]
    if others:
        raise UserError(
            f"{folder} holds {listed(others, 3)}; a submission has {', '.join(FILES)} and nothing"
            " else"
        )
    if links := [
        one for one in (*map(folder.joinpath, FILES), signed, *inside) if one.is_symlink()
    ]:
        raise UserError(f"{links[0]} is a link; a submission has files of its own")
    submission = read_submission(folder)
    left_out = LeftOut()
    records = list(read_records(folder, left_out))
    if left_out.count:
        raise UserError(f"{folder} can't be taken: {left_out.remark()}")
    if not records:
        raise UserError(f"there are no records in {folder / RECORDS}; write the submission anew")
    return submission, records


def judge(
    folder: Path,
    board: Sequence[Record],
    source: Source,
    known: Known,
    replacing: bool = False,
    rescoring: bool = True,
) -> Judged:
    """Look at a submission: by itself, beside the board, and scored again.

    Parameters
    ----------
    folder : Path
        Its folder.
    board : sequence of Record
        The records of the board.
    source : Source
        Where datasets, tasks and metrics are found; its answers are those of the submission.
    known : Known
        What kobench declares here.
    replacing : bool
        Whether a row of the board may be replaced.
    rescoring : bool
        Whether its answers are scored again, where nothing else is wrong.
    """
    submission, records = read_folder(folder)
    found = Judged(submission, records)
    found.refused += strangers(records, submission, known)
    found.refused += off_board(records, board)
    if found.refused:
        return found
    found.replaced = [one for one in board if row_of(one.role, one.trial) == row_of_all(records)]
    found.refused += lacks(records, board, datasets_of(records), failed=True)
    found.refused += standing(records, found.replaced, replacing)
    rest = without(board, found.replaced)
    found.refused += (f"inconsistent: {one}" for one in findings_of(records, rest, known))
    found.refused += faults_of_files(folder, submission, records)
    if rescoring and not found.refused:
        sample = read_sample(folder)
        published = None if sample is None else frozenset(chosen_answers(records, sample))
        own = replace(source, store=AnswerStore(folder), published=published)
        found.source, found.rescored = own, rescore(records, own)
        found.refused += unproved(records, found.rescored)
    if digest_of(board) != submission.board.digest:
        found.notes.append("the board has changed since this was compared with it")
    found.notes += worth_knowing(records, submission)
    return found


def datasets_of(records: Sequence[Record]) -> set[str]:
    """The datasets, without seeds, that records are on."""
    return {record.trial.dataset.group for record in records}


def unproved(records: Sequence[Record], found: Rescored) -> Iterator[str]:
    """What came out otherwise, or could not be scored again."""
    yield from (f"wrong: {one}" for one in found.findings)
    yield from (f"not re-scored: {one}" for one in found.open)
    left = {id(one) for one in records} & found.no_answers.keys()
    if found.findings or found.open:
        return
    yield from (f"not re-scored: {found.no_answers[number]}" for number in sorted(left)[:1])
    for place in places_of(records):
        there = [one for one in records if place_of(one) == place and one.result.scores]
        if there and not any(id(one) in found.checked for one in there):
            yield f"not re-scored: none of its answers on {place_text(place)} is published"


def worth_knowing(records: Sequence[Record], submission: Submission) -> Iterator[str]:
    """What is no reason to refuse."""
    if submission.source.changed:
        yield "its code had changes that no commit has"
    if any(record.run.seed_known for record in records):
        yield (
            "the secret seed of its networks was published before it was run; the board says so"
            " beside its rows"
        )
    failed = sum(record.result.status != "ok" for record in records)
    if failed:
        yield f"{failed} of its {len(records)} trials have no answer"
