"""Remembers what plugins offer from one command to the next, until their code changes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.plugins.sources import Description, PluginProblem, Source
from kobench.worker.describe.spec_json import spec_from_json, spec_to_json

#: The files of kobench that decide what a description says, as patterns below its folder.
DESCRIBING = (
    "worker/describe/*.py",
    "plugins/hidden.py",
    "sandbox/*.py",
    "util/*.py",
    "api.py",
    "hookspecs.py",
    "specs.py",
)

#: Seconds for which a time-out is remembered, so that a plugin that hangs does not cost every
#: command its limit.
REMEMBER_TIMEOUT = 600.0


def cache_folder() -> Path:
    """Where descriptions are remembered: under KOBENCH_CACHE, or else the user's cache folder."""
    if given := os.environ.get("KOBENCH_CACHE"):
        return Path(given) / "plugins"
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("kobench")) / "plugins"


def key_of(source: Source, hidden: Sequence[str] = ()) -> list[Any]:
    """All that a description depends on, as far as kobench can know.

    Parameters
    ----------
    source : Source
        What is described.
    hidden : sequence of str
        What it would read if that were not hidden. A description made before it was may hold what
        was read, so it counts no longer.

    Returns
    -------
    list
        Plain JSON values: it is compared with what JSON gives back, so there are no tuples in it.
    """
    return [
        *_interpreter_of(source),
        __version__,
        _own_times(),
        source.distribution,
        source.version,
        [list(point) for point in source.points],
        source.file,
        source.stamp(),
        list(source.about),
        list(hidden),
    ]


@functools.cache
def _own_times() -> list[list[Any]]:
    """When the files of kobench that decide what a description says were changed."""
    package = Path(__file__).parents[1]
    files = sorted(file for pattern in DESCRIBING for file in package.glob(pattern))
    return [[file.relative_to(package).as_posix(), file.stat().st_mtime_ns] for file in files]


def _interpreter_of(source: Source) -> list[str]:
    """The interpreter that describes a source, and its version or environment."""
    if source.interpreter is None:
        return [sys.executable, sys.version]
    return [str(source.interpreter.python), source.environment]


def _cache_file(source: Source) -> Path:
    """Where the description of a source is kept: one file for each interpreter and distribution."""
    which = [_interpreter_of(source)[0], source.distribution, source.file]
    slot = hashlib.sha256(json.dumps(which).encode()).hexdigest()[:16]
    return cache_folder() / f"{slot}.json"


def digest_of(source: Source) -> str:
    """`Source.digest`, with a memory of its files' hashes beside what is remembered of it."""
    return source.digest(_cache_file(source).with_suffix(".hashes.json"))


def remembered(source: Source, limit: float, hidden: Sequence[str] = ()) -> Description | None:
    """Look up what is remembered of a source and still true of it.

    Parameters
    ----------
    source : Source
        What is to be described.
    limit : float
        Seconds it may take; a time-out that is remembered counts up to the limit it had.
    hidden : sequence of str
        See `key_of`.

    Returns
    -------
    Description or None
        None where it must be described anew, for instance because the cache is damaged.
    """
    try:
        document = json.loads(_cache_file(source).read_bytes())
        if document["key"] != key_of(source, hidden):
            return None
        if document["timeout"] is not None:
            when, before = document["timeout"]
            if limit > before or not 0 <= time.time() - when < REMEMBER_TIMEOUT:
                return None
        specs = tuple((point, spec_from_json(spec)) for point, spec in document["specs"])
        problems = tuple(PluginProblem(**problem) for problem in document["problems"])
        return Description(specs, problems, digest_of(source))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def remember(source: Source, key: list[Any], description: Description, limit: float) -> None:
    """Keep a description for the next command.

    Parameters
    ----------
    source : Source
        What was described.
    key : list
        `key_of` it before it was read, so that an edit meanwhile makes the description out of date.
    description : Description
        What it offers. One with a problem is not kept: the cause may lie outside the package, a
        missing dependency say, and is looked for again each time. Only a time-out is kept for a
        while, and that something is not taken from an environment.
    limit : float
        Seconds that it had.

    Notes
    -----
    A cache that can't be written costs time and nothing else.
    """
    from kobench.util.files import write_atomically

    kinds = {problem.kind for problem in description.problems}
    timed_out = "timeout" in kinds
    if kinds - {"not-here"} and not timed_out:
        return
    document = {
        "key": key,
        "timeout": [time.time(), limit] if timed_out else None,
        "specs": [[point, spec_to_json(spec)] for point, spec in description.specs],
        "problems": [asdict(problem) for problem in description.problems],
    }
    with contextlib.suppress(OSError):
        write_atomically(_cache_file(source), json.dumps(document).encode())
