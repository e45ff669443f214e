"""Says why a name means nothing: what was probably meant, and what plugin may be to blame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kobench.plugins.entry import Entry
from kobench.plugins.sources import HARMLESS, PluginProblem, Source, normalise
from kobench.util.text import suggestion


def why_missing(
    kind: str,
    name: str,
    entries: Mapping[str, Sequence[Entry]],
    problems: Sequence[PluginProblem],
) -> str:
    """Say why there is nothing of a name.

    Parameters
    ----------
    kind : str
        "predictors", "datasets", "metrics" or "tasks".
    name : str
        What was asked for.
    entries : mapping of str to sequence of Entry
        What there is of that kind, by name.
    problems : sequence of PluginProblem
        What could not be loaded.

    Returns
    -------
    str
        One message.
    """
    likely, others = f"there is no {kind[:-1]} {name!r}", suggestion(name, entries, kind)
    # a broken plugin may be what was meant: by the name of the spec, of the distribution, or of
    # the file that was named
    meant = [
        problem
        for problem in problems
        if problem.name == name
        or normalise(problem.distribution) == normalise(name)
        or problem.distribution.startswith("file:")
        or (problem.kind == "card" and kind == "datasets" and name in problem.message)
    ]
    if meant:
        reasons = "; ".join(f"{problem.distribution}: {problem.message}" for problem in meant)
        return f"{likely}. Not loaded: {reasons}. Otherwise: {others}"
    sentence = f"{likely}; {others}. One in a file of your own needs --plugin FILE.py"
    broken = sorted({problem.distribution for problem in problems if problem.kind != "duplicate"})
    if not broken:
        return sentence
    return (
        f"{sentence}. Plugins with problems: {', '.join(broken)} (`kobench list plugins` says why)"
    )


def why_missing_from(
    distribution: str,
    kind: str,
    name: str,
    entries: Mapping[str, Sequence[Entry]],
    problems: Sequence[PluginProblem],
    sources: Sequence[Source],
) -> str:
    """Say why a distribution, or an environment, does not offer a name.

    Parameters
    ----------
    distribution : str
        The name of the distribution or environment.
    kind, name, entries, problems
        As for `why_missing`.
    sources : sequence of Source
        What was looked at.

    Returns
    -------
    str
        One message.
    """
    what, wanted = kind[:-1], normalise(distribution)
    broken = [
        problem.message
        for problem in problems
        if wanted in (normalise(problem.distribution), problem.environment)
    ]
    if broken:
        return f"{what} {name!r} of {distribution} can't be used: {'; '.join(broken)}"
    offered = [
        other for other, listed in entries.items() if any(entry.is_of(wanted) for entry in listed)
    ]
    is_known = any(
        wanted in (normalise(source.distribution), source.environment) for source in sources
    )
    if offered or is_known:
        return f"{distribution} has no {what} {name!r}; {suggestion(name, offered, f'its {kind}')}"
    known = {
        entry.environment or entry.distribution for listed in entries.values() for entry in listed
    }
    others = suggestion(distribution, known, f"those with {kind}")
    return (
        f"no distribution or environment {distribution!r} with kobench plugins is installed;"
        f" {others}"
    )


def to_blame(
    distribution: str, name: str, problems: Sequence[PluginProblem]
) -> Iterator[PluginProblem]:
    """Find the problems that may be why a predictor is not there, the likeliest first.

    Parameters
    ----------
    distribution : str
        The distribution or environment that was named, "" where none was.
    name : str
        The predictor's name; without a distribution it may also be the name of a broken
        distribution or entry point, or any name where one single plugin file is broken.
    problems : sequence of PluginProblem
        What could not be loaded.

    Yields
    ------
    PluginProblem
        Not the harmless ones, and none that is about another predictor.
    """
    grave = [
        problem
        for problem in problems
        if problem.kind not in HARMLESS and problem.name in ("", name)
    ]
    for problem in grave:
        theirs = normalise(problem.distribution)
        if distribution:
            is_meant = normalise(distribution) in (theirs, problem.environment)
        else:
            is_meant = name in (problem.name, theirs, problem.entry_point)
        if is_meant:
            yield problem
    files = {
        problem.distribution: problem
        for problem in grave
        if problem.distribution.startswith("file:")
    }
    if not distribution and len(files) == 1:
        yield from files.values()
