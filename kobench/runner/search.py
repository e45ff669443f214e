"""Looks through what predictors may read for copies of datasets and for results of other runs."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from kobench.results.packed_answers import FILE as ANSWERS
from kobench.results.signatures import FOLDER as SIGNATURES
from kobench.results.suite_seed import SEED, SIZE, SuiteSeed
from kobench.results.versions import FILE, OLDER
from kobench.runner.copies import Originals
from kobench.sandbox.hiding import lies_in
from kobench.util.bounded import read_bounded

#: Folders of a results folder, and how the files in them are named.
RESULTS = {
    "records": re.compile(r"[0-9a-f]{24}\.json"),
    "answers": re.compile(r"[0-9a-f]{64}\.npz"),
    OLDER: FILE,
}

#: Files of a board that was packed for publishing: where one is, all that lies beside it is hidden.
PUBLISHED = ("records.jsonl.gz", ANSWERS, "board.json.gz")

#: How names of files end that are code: a predictor may need it, and it is no data.
CODE = (".py", ".pyi", ".pyc", ".so", ".pyd", ".dylib", ".dll")

#: Digits that may be a secret seed, and bytes of a file in which they are looked for.
DIGITS, MOST_SAYING = re.compile(rb"(?<![0-9a-f])[0-9a-f]{%d}(?![0-9a-f])" % (2 * SIZE)), 1 << 22


def search(
    files: Sequence[Path],
    installed: Sequence[str],
    given: Sequence[str],
    promised: Collection[str] = (),
) -> list[Path]:
    """Copies of files, and results of runs, in what predictors may read.

    Parameters
    ----------
    files : sequence of Path
        The files of datasets.
    installed : sequence of str
        Real paths of what belongs to interpreters and to the system. A copy is found there under
        any name that ends as the original's. Without files nothing is looked for there.
    given : sequence of str
        Real paths of what the user or a plugin brought. A copy is found there under any name.
    promised : collection of str
        Commitments to the run's own secret seeds, which are found there under any name, too.

    Returns
    -------
    list of Path
        Copies of the files, packed or not, and hard links; published boards, secret seeds, and
        folders with records or answers.
    """
    originals = Originals(files)
    found: set[str] = set()
    for places, endings in ((given, ("",)), (installed if files else (), originals.endings)):
        for path in walk(places, endings, originals.inodes):
            if os.path.basename(path) in PUBLISHED:
                found.update(board_at(os.path.dirname(path), places, places is given))
            elif is_result(path) or originals.has_copy(path) or is_seed(path, promised):
                found.add(path)
    return [Path(path) for path in sorted(found)]


def walk(places: Sequence[str], endings: tuple[str, ...], inodes: set[int]) -> Iterator[str]:
    """Files whose name has one of these endings or that may be a second name, and those of boards.

    Folders named as those in a results folder are given themselves, too. No link is followed.
    """
    tops = [
        place
        for place in places
        if not any(lies_in(place, other) and place != other for other in places)
    ]
    waiting = list(dict.fromkeys(tops))
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                        if entry.name in RESULTS:
                            yield entry.path
                    elif (
                        entry.name.endswith(endings)
                        or entry.name in (*PUBLISHED, SEED)
                        or (inodes and entry.inode() in inodes)
                    ) and entry.is_file(follow_symlinks=False):
                        yield entry.path
        except NotADirectoryError:
            yield folder
        except OSError:
            continue


def board_at(folder: str, tops: Collection[str], given: bool) -> list[str]:
    """What is hidden of a folder with a published board, so that no name need be known.

    Parameters
    ----------
    folder : str
        The folder.
    tops : collection of str
        Real paths of what may be read.
    given : bool
        Whether the user or a plugin brought it.

    Returns
    -------
    list of str
        The folder. Where it is itself what may be read, holds code or belongs to an interpreter,
        all files directly in it that are no code, and signatures.
    """
    try:
        with os.scandir(folder) as entries:
            files = [entry.path for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return [folder]
    others = [path for path in files if not path.endswith(CODE)]
    if given and folder not in tops and others == files:
        return [folder]
    return [*others, os.path.join(folder, SIGNATURES)]


def is_result(path: str) -> bool:
    """Whether this is a secret seed, or a folder with records or answers of a run."""
    name = os.path.basename(path)
    if name not in RESULTS:
        return name == SEED
    try:
        # those of older versions lie in a folder for each
        inside = (
            [os.path.join(path, each) for each in os.listdir(path)] if name == OLDER else [path]
        )
        return any(
            RESULTS[name].fullmatch(each)
            for folder in inside
            if os.path.isdir(folder)
            for each in os.listdir(folder)
        )
    except OSError:
        return False


def is_seed(path: str, promised: Collection[str]) -> bool:
    """Whether a file of a few MB says a seed that was committed to, as boards do at the end."""
    try:
        if not promised or os.stat(path).st_size > MOST_SAYING:
            return False
        text = read_bounded(Path(path), MOST_SAYING).lower()
    except (OSError, ValueError):
        return False
    return any(SuiteSeed(one.decode()).commitment in promised for one in set(DIGITS.findall(text)))
