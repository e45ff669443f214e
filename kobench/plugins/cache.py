"""Describes every source of plugins in a child process of its own, and remembers the answer until
the source changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kobench import __version__
from kobench.errors import UserError
from kobench.plugins.discovery import Problem, Source, normalise
from kobench.specs import PredictorSpec, Spec, kind_of
from kobench.worker.describe.spec_json import spec_from_json, spec_to_json

#: Seconds a distribution may take to be imported and described, unless KOBENCH_PLUGIN_SECONDS says
#: otherwise.
TIME_LIMIT = 10.0

#: The least that kobench itself is given, however busy the machine.
OWN_TIME_LIMIT = 120.0

#: The files of kobench that decide what a description says.
DESCRIBING = (
    "worker/describe/child.py",
    "worker/describe/hooks.py",
    "worker/describe/validation.py",
    "specs.py",
    "api.py",
)

#: Seconds for which a time-out is remembered, so that a plugin that hangs does not cost every
#: command its limit.
REMEMBER_TIMEOUT = 600.0


@dataclass(frozen=True)
class Description:
    """What a source offers: (entry point, spec) pairs, what is wrong with it, and its digest."""

    specs: tuple[tuple[str, Spec], ...]
    problems: tuple[Problem, ...]
    digest: str


def time_limit() -> float:
    """Seconds a distribution may take to be described."""
    text = os.environ.get("KOBENCH_PLUGIN_SECONDS", "")
    try:
        return float(text) if text else TIME_LIMIT
    except ValueError:
        raise UserError(
            f"KOBENCH_PLUGIN_SECONDS is {text!r}; expected a number of seconds"
        ) from None


def cache_folder() -> Path:
    """Where descriptions are remembered: under KOBENCH_CACHE, or else the user's cache folder."""
    if given := os.environ.get("KOBENCH_CACHE"):
        return Path(given) / "plugins"
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("kobench")) / "plugins"


def _key(source: Source) -> list[Any]:
    """All that a description depends on, as far as kobench can know."""
    own = [[name, os.stat(Path(__file__).parents[1] / name).st_mtime_ns] for name in DESCRIBING]
    points = [list(point) for point in source.points]
    package = [
        source.distribution,
        source.version,
        points,
        source.file,
        source.stamp(),
        list(source.about),
    ]
    return [
        *_where(source),
        __version__,
        own,
        *package,
    ]  # lists, not tuples: it is compared with what JSON gives back


def _where(source: Source) -> list[str]:
    """The interpreter that describes a source, and its version."""
    return (
        [sys.executable, sys.version]
        if source.interpreter is None
        else [str(source.interpreter.python), source.environment]
    )


def _cache_file(source: Source) -> Path:
    slot = hashlib.sha256(
        json.dumps([_where(source)[0], source.distribution, source.file]).encode()
    ).hexdigest()[:16]
    return cache_folder() / f"{slot}.json"


def remembered(source: Source, limit: float) -> Description | None:
    """What is remembered of a source and still true of it."""
    try:
        document = json.loads(_cache_file(source).read_bytes())
        if document["key"] != _key(source):
            return None
        if document["timeout"] is not None:
            when, before = document["timeout"]
            if limit > before or not 0 <= time.time() - when < REMEMBER_TIMEOUT:
                return None
        specs = tuple((point, spec_from_json(spec)) for point, spec in document["specs"])
        return Description(
            specs, tuple(Problem(**problem) for problem in document["problems"]), document["digest"]
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def remember(source: Source, key: list[Any], description: Description, limit: float) -> None:
    """Keep a description for the next command.

    One with a problem is not kept: its cause may lie outside the package, a missing dependency say,
    and is looked for again each time; only a time-out is kept for a while. A cache that can't be
    written costs time and nothing else.
    """
    from kobench.util.files import write_atomically

    timed_out = any(problem.kind == "timeout" for problem in description.problems)
    if any(problem.kind != "not-here" for problem in description.problems) and not timed_out:
        return
    document = {
        "key": key,
        "timeout": [time.time(), limit] if timed_out else None,
        "specs": [[point, spec_to_json(spec)] for point, spec in description.specs],
        "problems": [asdict(problem) for problem in description.problems],
        "digest": description.digest,
    }
    with contextlib.suppress(OSError):
        write_atomically(_cache_file(source), json.dumps(document).encode())


def describe_all(sources: Sequence[Source], fresh: bool = False) -> list[Description]:
    """A description of every source, remembered ones first, the others from children that run side
    by side.
    """
    limit = time_limit()
    found = (
        {}
        if fresh
        else {source.known_as: known for source in sources if (known := remembered(source, limit))}
    )
    missing = [source for source in sources if source.known_as not in found]
    if missing:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(len(missing), (os.cpu_count() or 1) + 1)) as pool:
            for source, description in zip(
                missing, pool.map(lambda each: describe_source(each, limit), missing), strict=True
            ):
                found[source.known_as] = description
    return [found[source.known_as] for source in sources]


def describe_source(source: Source, limit: float) -> Description:
    """Describe one source in child processes: one, and another for the entry points after one that
    ended it.
    """
    from kobench.plugins.child import ask_children

    if (
        normalise(source.distribution) == "kobench"
    ):  # its own code does not hang, and without it there is nothing
        limit = max(limit, OWN_TIME_LIMIT)
    key = _key(source)  # before it is read: an edit meanwhile makes it out of date
    digest = source.digest()
    specs, problems = ask_children(source, limit)
    if source.environment:
        specs, problems = predictors_only(source, specs, problems)
    description = Description(tuple(specs), tuple(problems), digest)
    remember(source, key, description, limit)
    return description


def predictors_only(
    source: Source, specs: Sequence[tuple[str, Spec]], problems: Sequence[Problem]
) -> tuple[list[tuple[str, Spec]], list[Problem]]:
    """What an environment may offer: predictors.

    Datasets, metrics and tasks run in kobench's own interpreter, so they become a problem.
    """
    found = [replace(problem, environment=source.environment) for problem in problems]
    others = [
        f"{kind_of(spec)[:-1]} {spec.name!r}"
        for _, spec in specs
        if not isinstance(spec, PredictorSpec)
    ]
    if others:
        message = (
            f"only predictors are taken from an environment, and {source.distribution} offers"
            f" {', '.join(others)} in environment {source.environment!r}; these run in kobench's"
            f" own interpreter, install {source.distribution} there to use them"
        )
        found.append(
            Problem(source.distribution, "", "not-here", message, environment=source.environment)
        )
    return [(point, spec) for point, spec in specs if isinstance(spec, PredictorSpec)], found
