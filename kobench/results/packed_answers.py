"""The file of answers that are published with a board.

`answers.zip` in a published folder has a file for each answer that `kobench.results.sample` keeps,
called by the sha256 that its record names, and `sample.json`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

from kobench.results.parts import Record
from kobench.results.sample import Sample, chosen_answers, hash_of_all, named_answers
from kobench.util.files import parse_json, write_atomically

#: The file, and the member that says what is in it.
FILE, SAMPLE = "answers.zip", "sample.json"

#: Bytes to which one answer may unpack, several times the largest of the published boards.
MOST_ANSWER = 256 << 20

#: Bytes of the largest `sample.json` that is read.
MOST_SAMPLE = 1 << 20

#: The date of every member, so that equal answers give equal bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def pack_answers(records: list[Record], answers: Path, packed: Path, most: int) -> Sample | None:
    """Write `answers.zip` of a folder that holds all answers; see `pack_found`.

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

    def find(key: str) -> bytes | None:
        path = answers / f"{key}.npz"
        return path.read_bytes() if path.is_file() else None

    if any(not (answers / f"{key}.npz").is_file() for _, _, key in named_answers(records)):
        return None
    return pack_found(records, find, packed, most)


def pack_found(
    records: list[Record],
    find: Callable[[str], bytes | None],
    packed: Path,
    most: int,
    before: Sample | None = None,
) -> Sample | None:
    """Write `answers.zip` of at most so many bytes, as many of each row as are there and fit.

    All of them where that fits, else 1, 2, ... of each row. Where one is too much, the question
    sets with the largest answers are left out. Where one answer of each row to a single set is too
    much, it is as many records as fit of all.

    Parameters
    ----------
    records : list of Record
        All records of the board.
    find : callable
        The file of some answers by their hash, None where it is not there.
    packed : Path
        The file to write.
    most : int
        Bytes that it may have.
    before : Sample or None
        What the board kept before rows came to it, of which some answers are not there any more.

    Returns
    -------
    Sample or None
        What was kept; None where there is nothing to keep.
    """
    size: dict[str, int] = {}
    lacking: set[str] = set()
    weight: dict[str, int] = defaultdict(int)
    for _, name, key in named_answers(records):
        if key not in size and key not in lacking:
            content = find(key)
            if content is None:
                lacking.add(key)
            else:
                size[key] = len(member(content))
        weight[name] += size.get(key, 0)
    whole, left_out = hash_of_all(records), dict[str, int]()
    together = before.together if before is not None and lacking else ()

    def fits(sample: Sample) -> bool:
        chosen = chosen_answers(records, sample)
        return not chosen & lacking and sum(size[key] for key in chosen) <= most

    def kept(number: int | None, names: Iterable[str]) -> Sample:
        return Sample(whole, number, tuple(sorted(names)), left_out, None, together)

    def kept_of_all(number: int) -> Sample:
        return replace(kept(None, sets), of_all=number)

    sets = sorted(weight, key=lambda name: weight[name])
    known = before is not None and before.of_all is not None
    for name in [
        one
        for one in sets
        if (before is not None and known and one not in before.sets)
        or (not known and chosen_answers(records, kept(1, [one])) & lacking)
    ]:
        sets.remove(name)
        left_out[name] = weight[name] + (before.left_out.get(name, 0) if before else 0)
    while sets:
        if fits(kept(None, sets)):
            return written(packed, find, records, kept(None, sets))
        number = 0
        while fits(kept(number + 1, sets)):
            number += 1
        if number:
            return written(packed, find, records, kept(number, sets))
        if len(sets) == 1:
            number = most_that_fit(lambda count: fits(kept_of_all(count)), len(size))
            if number:
                return written(packed, find, records, kept_of_all(number))
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


def written(
    packed: Path, find: Callable[[str], bytes | None], records: list[Record], sample: Sample
) -> Sample:
    """Write the file of a sample; same answers, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        facts = {key: value for key, value in asdict(sample).items() if key != "of_all" or value}
        said = json.dumps(facts, sort_keys=True, indent=1)
        archive.writestr(zipfile.ZipInfo(SAMPLE, DATE), said, zipfile.ZIP_DEFLATED)
        for key in sorted(chosen_answers(records, sample)):
            content = find(key) or b""
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
        together = found.get("together")
        sample = Sample(
            str(found["all_answers"]),
            None if of_row is None else int(of_row),
            tuple(map(str, found["sets"])),
            {str(name): int(size) for name, size in found["left_out"].items()},
            None if of_all is None else int(of_all),
            None if together is None else tuple(map(str, together)),
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
