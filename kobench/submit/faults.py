"""What is wrong with a submission before any of its answers is opened."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from kobench.results.merge import slot_of
from kobench.results.packed_answers import FILE as ANSWERS
from kobench.results.packed_answers import SAMPLE, missing_of, read_sample
from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.results.sample import named_answers
from kobench.results.versions import code_of, row_of
from kobench.submit.lacks import asked, place_of, place_text
from kobench.submit.make import MOST_LOCK
from kobench.submit.names import name_faults
from kobench.submit.rows import with_same
from kobench.submit.specification import FILE, LOCK, Submission, digest_of
from kobench.util.bounded import read_bounded, size_text
from kobench.util.text import listed
from kobench.verify.known import Known

#: Bytes of its answers, packed and unpacked.
MOST_PACKED, MOST_UNPACKED = 256 << 20, 4 << 30


def strangers(records: Sequence[Record], submission: Submission, known: Known) -> Iterator[str]:
    """Records that are of nobody's method, of several, or of another than it says."""
    rows = sorted({row_of(record.role, record.trial) for record in records})
    if len(rows) > 1 or rows[0][0] != "predictor":
        named = listed([f"{' '.join(row[1:])} ({row[0]})" for row in rows], 4)
        yield f"it has records of {len(rows)} rows, expected those of one predictor: {named}"
        return
    seen: set[str] = set()
    for record in records:
        what = identity(record.trial)
        if what in seen:
            trial = record.trial
            yield (
                f"it has two records of one trial ({trial.dataset.selection}, split seed"
                f" {trial.split.seed}, fit seed {trial.fit_seed})"
            )
        seen.add(what)
    method = submission.method
    for record in records:
        predictor = record.trial.predictor
        for name in ("name", "selection", "distribution", "version", "digest", "environment"):
            mine, said = getattr(predictor, name), getattr(method, name)
            if mine != said:
                yield f"{FILE} says that its {name} is {said!s:.60}, its records {mine!s:.60}"
                return
    yield from name_faults(records[0].trial.predictor, known)


def off_board(records: Sequence[Record], board: Sequence[Record]) -> Iterator[str]:
    """Records on cells, splits or tasks that the board does not have."""
    wanted = asked(board)
    slots = {slot_of(record) for record in board}
    for record in records:
        if slot_of(record) not in slots:
            trial = record.trial
            yield (
                f"it has results on {trial.dataset.selection}, {trial.split.name} (split seed"
                f" {trial.split.seed}), which the board does not have"
            )
            return
        if more := sorted(set(record.result.scores) - set(wanted[slot_of(record)])):
            yield f"it has scores of {more[0][:60]}, which the board does not have there"
            return


def standing(
    records: Sequence[Record], replaced: Sequence[Record], replacing: bool
) -> Iterator[str]:
    """Why rows can't stand beside those that the board has of this method."""
    if not replaced:
        return
    mine, theirs = records[0].trial.predictor, replaced[0].trial.predictor
    if not replacing and digest_of(with_same(records)) == digest_of(with_same(replaced)):
        yield f"the board has {mine.selection} already, with these very results"
    elif not replacing:
        yield (
            f"the board has {mine.selection} already: this replaces version {theirs.version} (code"
            f" {code_of(theirs)}) by version {mine.version} (code {code_of(mine)}); say --replace"
            " where that is meant"
        )
    lost = sorted({place_of(one) for one in replaced} - {place_of(one) for one in records})
    for place in lost:
        yield f"the board has {mine.selection} on {place_text(place)}, too; this lacks it"


def faults_of_files(
    folder: Path, submission: Submission, records: Sequence[Record]
) -> Iterator[str]:
    """What is wrong with its answers and its lock file, before any of them is opened."""
    path, named = folder / ANSWERS, {key for _, _, key in named_answers(records)}
    if submission.lock is not None:
        try:
            content = read_bounded(folder / LOCK, MOST_LOCK)
        except (OSError, ValueError) as error:
            yield f"{LOCK} can't be read ({error})"
        else:
            if hashlib.sha256(content).hexdigest() != submission.lock:
                yield f"{LOCK} is another than the one that {FILE} names"
    if not path.is_file():
        if named:
            yield f"it has no {ANSWERS}, so nobody can score its answers again"
        return
    if path.stat().st_size > MOST_PACKED:
        yield f"{ANSWERS} has more than {size_text(MOST_PACKED)}"
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        sample = read_sample(folder)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        yield f"{ANSWERS} can't be read ({error})"
        return
    if sample is None:
        yield f"{ANSWERS} has no {SAMPLE}"
        return
    expected = {SAMPLE, *(f"{key}.npz" for key in named)}
    if others := sorted({one.filename for one in members} - expected):
        yield f"{ANSWERS} has {others[0][:80]!r}, which no record names ({len(others)} such files)"
    if len(members) > len({one.filename for one in members}):
        yield f"{ANSWERS} has a file twice"
    if sum(one.file_size for one in members) > MOST_UNPACKED:
        yield f"{ANSWERS} unpacks to more than {size_text(MOST_UNPACKED)}"
    yield from missing_of(records, folder, sample)
