"""Describes every source of plugins: from the cache, or in child processes of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from kobench.errors import UserError
from kobench.plugins.cache import digest_of, key_of, remember, remembered
from kobench.plugins.hidden import HiddenFromPlugins
from kobench.plugins.sources import Description, PluginProblem, Source
from kobench.specs import PredictorSpec, Spec, kind_of
from kobench.util.text import visible

#: Seconds a distribution may take to be imported and described, unless KOBENCH_PLUGIN_SECONDS says
#: otherwise.
TIME_LIMIT = 10.0

#: The least that kobench itself is given, however busy the machine: its own code does not hang, and
#: without it there is nothing.
OWN_TIME_LIMIT = 120.0


def time_limit() -> float:
    """Seconds a distribution may take to be described.

    Raises
    ------
    UserError
        Where KOBENCH_PLUGIN_SECONDS is not a number.
    """
    text = os.environ.get("KOBENCH_PLUGIN_SECONDS", "")
    try:
        return float(text) if text else TIME_LIMIT
    except ValueError:
        raise UserError(
            f"KOBENCH_PLUGIN_SECONDS is {text!r}; expected a number of seconds"
        ) from None


def describe_all(
    sources: Sequence[Source],
    fresh: bool = False,
    folders: Sequence[str | os.PathLike[str]] = (),
) -> list[Description]:
    """Describe every source, those that are not remembered side by side.

    Parameters
    ----------
    sources : sequence of Source
        What offers plugins.
    fresh : bool
        Whether to describe everything anew.
    folders : sequence of path
        Folders of dataset cards beside the usual ones: no plugin may read their files.

    Returns
    -------
    list of Description
        One for each source, in their order.

    Raises
    ------
    UserError
        Where the time limit can't be read.
    """
    limit = time_limit()
    hidden = HiddenFromPlugins(folders)
    found: dict[str, Description] = {}
    if not fresh:
        for source in sources:
            if (known := remembered(source, limit, hidden.shown_to(source))) is not None:
                found[source.known_as] = known
    missing = [source for source in sources if source.known_as not in found]
    if missing:
        warn_if_open(missing)
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(len(missing), (os.cpu_count() or 1) + 1)) as pool:
            described = pool.map(lambda source: describe_source(source, limit, hidden), missing)
            for source, description in zip(missing, described, strict=True):
                found[source.known_as] = description
    return [found[source.known_as] for source in sources]


def warn_if_open(sources: Sequence[Source]) -> None:
    """Say on standard error where strangers' modules are imported and the sandbox does not close.

    Parameters
    ----------
    sources : sequence of Source
        What is about to be described.
    """
    from kobench.sandbox.finding import layers_here
    from kobench.sandbox.layers import open_in_words

    strangers = sorted(source.known_as for source in sources if not source.is_own)
    if strangers and (left := open_in_words(layers_here())):
        many = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
        print(
            f"Warning: the modules of {visible(', '.join(strangers[:3]))}{many} are imported to see"
            f" what they offer, and this machine leaves {' and '.join(left)} open to them; `kobench"
            " doctor` says why",
            file=sys.stderr,
        )


def describe_source(
    source: Source, limit: float, hidden: HiddenFromPlugins | None = None
) -> Description:
    """Describe one source in child processes, and remember it.

    Parameters
    ----------
    source : Source
        What is to be described.
    limit : float
        Seconds for each child.
    hidden : HiddenFromPlugins, optional
        What it must not read.

    Returns
    -------
    Description
        What it offers; of an environment's source only the predictors.
    """
    # what starts processes is imported where it is needed: most commands find all in the cache
    from kobench.plugins.conversation import ask_children

    if source.is_own:
        limit = max(limit, OWN_TIME_LIMIT)
    hidden = hidden or HiddenFromPlugins()
    key = key_of(source, hidden.shown_to(source))
    digest = digest_of(source)
    specs, problems = ask_children(source, limit, hidden.of(source))
    if source.environment:
        specs, problems = predictors_only(source, specs, problems)
    description = Description(tuple(specs), tuple(problems), digest)
    remember(source, key, description, limit)
    return description


def predictors_only(
    source: Source, specs: Sequence[tuple[str, Spec]], problems: Sequence[PluginProblem]
) -> tuple[list[tuple[str, Spec]], list[PluginProblem]]:
    """Leave what an environment may offer: predictors.

    Parameters
    ----------
    source : Source
        A distribution in an environment.
    specs : sequence of (str, Spec)
        Entry points and specs.
    problems : sequence of PluginProblem
        What is wrong with it.

    Returns
    -------
    specs : list of (str, Spec)
        Those of predictors.
    problems : list of PluginProblem
        The given ones with the environment's name, and one more where there were specs of other
        kinds, because these run in kobench's own interpreter.
    """
    kept: list[tuple[str, Spec]] = [
        (point, spec) for point, spec in specs if isinstance(spec, PredictorSpec)
    ]
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
            PluginProblem(
                source.distribution, "", "not-here", message, environment=source.environment
            )
        )
    return kept, found
