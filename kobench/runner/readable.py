"""What lies in the folders of `--readable`: it decides answers, so it is part of their keys."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from kobench.errors import UserError
from kobench.plugins.cache import cache_folder
from kobench.plugins.hidden import own_folders
from kobench.runner.request import Request
from kobench.sandbox.hiding import lies_in
from kobench.sandbox.places import libraries_elsewhere
from kobench.util.hashes import Hashes, files_below, hash_of_all, without_caches


def contents_of(folders: Sequence[str]) -> tuple[str, ...]:
    """A hash of the content of each folder, in an order that does not depend on theirs.

    Parameters
    ----------
    folders : sequence of str
        Names of folders.

    Returns
    -------
    tuple of str
        The same for the same names and contents of files, wherever the folders lie. What kobench
        keeps in them for itself is left out: it changes with every run, and no predictor sees it.
        So is what looks compiled, see `caches_in`.

    Notes
    -----
    Every file counts, however many and large they are. They are read once, and again when their
    size or times have changed.
    """
    return tuple(sorted(map(content_of, dict.fromkeys(folders))))


def content_of(folder: str) -> str:
    """A hash of the names and contents of all files in a folder."""
    own = [os.path.realpath(place) for place in own_folders()]
    real = os.path.realpath(folder)
    files = {
        name: path
        for name, path in without_caches(files_below(Path(real), empty=True))[0].items()
        if not any(lies_in(str(path), place) for place in own)
    }
    slot = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
    memory = Hashes(cache_folder() / f"readable-{slot}.hashes.json")
    return hash_of_all(files, memory, folder, modes=True)


def caches_in(folder: str) -> list[Path]:
    """The folders of what looks compiled in a folder: it counts in no key, so it is hidden."""
    return sorted(without_caches(files_below(Path(os.path.realpath(folder))))[1])


def refuse_libraries(request: Request) -> None:
    """Raise UserError where predictors could read libraries that are in no key.

    Parameters
    ----------
    request : Request
        What the run asks for; nothing is refused unless it requires a sandbox.
    """
    if request.sandbox == "require" and (found := libraries_elsewhere(request.readable)):
        raise UserError(
            f"--sandbox require: LD_LIBRARY_PATH names {', '.join(found[:3])}, where predictors"
            " could read what decides their answers and is in no key; unset it, or name the folder"
            f" with --readable {shlex.quote(found[0])}"
        )
