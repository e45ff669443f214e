"""Answers that are published with a board: all of them, or a sample that nobody could pick.

`answers.zip` in a published folder has a file for each kept answer, called by the sha256 that its
record names, and `sample.json`. Where not all are kept, it is so many of each row: those whose hash
with the hash of all answers of the board is lowest. Where there are more rows than answers that
fit, it is so many records of all. Whoever changes any answer changes the sample.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.results.versions import spot_of
from kobench.util.files import parse_json, write_atomically

#: The file, and the member that says what is in it.
FILE, SAMPLE = "answers.zip", "sample.json"

#: Bytes to which one answer may unpack, several times the largest of the published boards.
MOST_ANSWER = 256 << 20

#: Bytes of the largest `sample.json` that is read.
MOST_SAMPLE = 1 << 20

#: The date of every member, so that equal answers give equal bytes.
DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Sample:
    """Which answers are published.

    Attributes
    ----------
    all_answers : str
        Sha256 over the hashes of all answers of predictors.
    of_row : int or None
        How many records of each row have theirs kept; None for all.
    sets : tuple of str
        The question sets whose answers are kept.
    left_out : mapping of str to int
        Question set whose answers are too large -> how many bytes all of them have.
    of_all : int or None
        How many records have theirs kept, whatever their rows, where not even one of each row
        fits; None for no such limit.
    """

    all_answers: str
    of_row: int | None
    sets: tuple[str, ...]
    left_out: Mapping[str, int]
    of_all: int | None = None


def named_answers(records: Iterable[Record]) -> list[tuple[Record, str, str]]:
    """Record, question set and hash of every answer of predictors, in the order of the hashes.

    Floors and lines are made anew, so theirs are not kept.
    """
    found = [
        (record, name, key)
        for record in records
        if record.role == "predictor"
        for name, key in record.result.answers.items()
    ]
    return sorted(found, key=lambda one: (one[2], one[1], identity(one[0].trial)))


def hash_of_all(records: Iterable[Record]) -> str:
    """Sha256 over the hashes of all answers, whose they are and to what."""
    digest = hashlib.sha256()
    for record, name, key in named_answers(records):
        digest.update(f"{identity(record.trial)}|{name}|{key}\n".encode())
    return digest.hexdigest()


def chosen_answers(records: Iterable[Record], sample: Sample) -> set[str]:
    """The hashes of the answers that are in a sample.

    Parameters
    ----------
    records : iterable of Record
        All records of the board.
    sample : Sample
        How many of a row, and of which question sets; its hash decides which.
    """
    rows: dict[tuple[object, str], list[tuple[str, str]]] = defaultdict(list)
    for record, name, key in named_answers(records):
        if name in sample.sets:
            lot = hashlib.sha256(f"{sample.all_answers}|{identity(record.trial)}".encode())
            row = spot_of(record.role, record.trial)._replace(train="")
            rows[row, name].append((lot.hexdigest(), key))
    if sample.of_all is not None:
        lots = {lot for of_row in rows.values() for lot, _ in of_row}
        drawn = set(sorted(lots)[: sample.of_all])
        return {key for of_row in rows.values() for lot, key in of_row if lot in drawn}
    return {key for lots in rows.values() for _, key in sorted(lots)[: sample.of_row]}


def pack_answers(records: list[Record], answers: Path, packed: Path, most: int) -> Sample | None:
    """Write `answers.zip` of at most so many bytes, as many of each row as fit.

    All of them where that fits, else 1, 2, ... of each row. Where one is too much, the question
    sets with the largest answers are left out. Where one answer of each row to a single set is too
    much, it is as many records as fit of all.

    Parameters
    ----------
    records : list of Record
        All records of the board.
    answers : Path
        The folder with the stored answers.
    packed : Path
        The file to write.
    most : int
        Bytes that it may have.

    Returns
    -------
    Sample or None
        What was kept; None where there is nothing to keep, or answers are missing.
    """
    named = named_answers(records)
    if not named or any(not (answers / f"{key}.npz").is_file() for _, _, key in named):
        return None
    size: dict[str, int] = {}
    weight: dict[str, int] = defaultdict(int)
    for _, name, key in named:
        if key not in size:
            size[key] = len(member((answers / f"{key}.npz").read_bytes()))
        weight[name] += size[key]
    whole, left_out = hash_of_all(records), dict[str, int]()
    sets = sorted(weight, key=lambda name: weight[name])

    def fits(sample: Sample) -> bool:
        return sum(size[key] for key in chosen_answers(records, sample)) <= most

    def fits_so_many(sample: Sample, number: int) -> bool:
        return fits(replace(sample, of_all=number))

    while sets:
        kept = tuple(sorted(sets))
        if fits(every := Sample(whole, None, kept, left_out)):
            return written(packed, answers, records, every)
        number = 0
        while fits(Sample(whole, number + 1, kept, left_out)):
            number += 1
        if number:
            return written(packed, answers, records, Sample(whole, number, kept, left_out))
        if len(sets) == 1:
            number = most_that_fit(partial(fits_so_many, every), len(named))
            if number:
                return written(packed, answers, records, replace(every, of_all=number))
        left_out = {**left_out, sets[-1]: weight[sets.pop()]}
    return None


def most_that_fit(fits: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` that fits, where all smaller ones do; 0 where none does.

    >>> most_that_fit(lambda n: n <= 5, 9), most_that_fit(lambda n: False, 9)
    (5, 0)
    """
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def member(content: bytes) -> bytes:
    """What a file is in a zip of its own: how many bytes it adds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("x", DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def written(packed: Path, answers: Path, records: list[Record], sample: Sample) -> Sample:
    """Write the file of a sample; same answers, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        facts = {key: value for key, value in asdict(sample).items() if key != "of_all" or value}
        said = json.dumps(facts, sort_keys=True, indent=1)
        archive.writestr(zipfile.ZipInfo(SAMPLE, DATE), said, zipfile.ZIP_DEFLATED)
        for key in sorted(chosen_answers(records, sample)):
            content = (answers / f"{key}.npz").read_bytes()
            archive.writestr(zipfile.ZipInfo(f"{key}.npz", DATE), content, zipfile.ZIP_DEFLATED)
    write_atomically(packed, buffer.getbuffer())
    return sample


def read_sample(folder: Path) -> Sample | None:
    """What the packed answers of a folder are a sample of; None where there are none.

    Raises
    ------
    ValueError
        Where it can't be read.
    """
    content = read_member(folder / FILE, SAMPLE, MOST_SAMPLE)
    if content is None:
        return None
    found = parse_json(content.decode())
    try:
        of_row, of_all = found["of_row"], found.get("of_all")
        sample = Sample(
            str(found["all_answers"]),
            None if of_row is None else int(of_row),
            tuple(map(str, found["sets"])),
            {str(name): int(size) for name, size in found["left_out"].items()},
            None if of_all is None else int(of_all),
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{SAMPLE} in it lacks a part ({error})") from error
    return sample


def read_member(packed: Path, name: str, most: int) -> bytes | None:
    """A member of a zip file that may be anyone's; None where there is no file, or no such member.

    Raises
    ------
    ValueError
        For what is no zip, and for a member of more than so many bytes.
    """
    if not packed.is_file():
        return None
    try:
        with zipfile.ZipFile(packed) as archive:
            try:
                info = archive.getinfo(name)
            except KeyError:
                return None
            with archive.open(info) as file:
                content = file.read(most + 1)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"{packed} can't be read ({error})") from error
    if len(content) > most:
        raise ValueError(f"{name[:80]} in {packed} has more than {most:,} bytes")
    return content


@lru_cache(maxsize=8)
def _names(packed: Path, changed: float) -> frozenset[str]:
    with zipfile.ZipFile(packed) as archive:
        return frozenset(archive.namelist())


def names_in(packed: Path) -> frozenset[str]:
    """The names of all members of a zip file; none where it is not there, or can't be read."""
    try:
        return _names(packed, packed.stat().st_mtime)
    except (OSError, zipfile.BadZipFile):
        return frozenset()


def missing_of(records: Iterable[Record], folder: Path, sample: Sample) -> Iterator[str]:
    """A sentence on each thing that packed answers lack, or say otherwise than the records.

    Parameters
    ----------
    records : iterable of Record
        All records of the board.
    folder : Path
        The published folder.
    sample : Sample
        What its packed answers are said to be.
    """
    every = list(records)
    if (here := hash_of_all(every)) != sample.all_answers:
        yield (
            f"{FILE} is of other records: it names {sample.all_answers[:16]} as the hash of all"
            f" answers, the records give {here[:16]}"
        )
        return
    there = {Path(name).stem for name in names_in(folder / FILE)}
    lacking = sorted(chosen_answers(every, sample) - there)
    if lacking:
        yield f"{FILE} lacks {len(lacking)} answers that the hash of all chose ({lacking[0][:16]})"
    if sample.of_row is not None and sample.of_row < 1:
        yield f"{FILE} keeps {sample.of_row} records of a row, expected 1 or more"
    if sample.of_all is not None and sample.of_all < 1:
        yield f"{FILE} keeps {sample.of_all} records of all, expected 1 or more"
