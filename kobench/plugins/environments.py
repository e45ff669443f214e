"""Finds the plugins that are installed in predictors' own environments.

No interpreter is started as long as nothing changed there.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kobench.environments.environment import Environment, complete
from kobench.environments.own import digest, renew
from kobench.environments.seen import seen
from kobench.errors import UserError
from kobench.plugins.discovery import NAME, Place, check_name, files_of, is_importable
from kobench.plugins.sources import OWN, PluginProblem, Source, normalise
from kobench.sandbox.places import Interpreter
from kobench.util.text import visible

#: What stands in the place of a distribution where a problem is about a whole environment.
WHOLE = "environment"

#: Packages of which a record has the version, and how long a name or version may be.
MOST_PACKAGES, LONGEST = 1000, 200


def environment_sources() -> tuple[list[Source], list[PluginProblem]]:
    """Find every distribution with kobench plugins in every complete environment.

    A kobench in an environment that is not this one is renewed first, which is said on standard
    error.

    Returns
    -------
    sources : list of Source
        Environment by environment.
    problems : list of PluginProblem
        One for each environment that is broken.
    """
    environments, broken = complete()
    problems = [_problem(name, sentence) for name, sentence in broken]
    sources = []
    for environment in environments:
        try:
            if renew(environment):
                print(
                    f"environment {visible(environment.name)}: its copy of kobench was renewed",
                    file=sys.stderr,
                )
            sources.extend(_sources_in(environment))
        except UserError as error:
            problems.append(_problem(environment.name, str(error)))
        except Exception as error:  # whatever is in it, it costs itself alone
            message = (
                f"what is installed in {environment.prefix} can't be read ({type(error).__name__}:"
                f" {error}); make it again"
            )
            problems.append(_problem(environment.name, message))
    return sources, problems


def _problem(name: str, message: str) -> PluginProblem:
    """A problem of a whole environment."""
    shown = visible(message, lines=True)
    return PluginProblem(f"{WHOLE} {name}", "", "environment", shown, environment=name)


def _sources_in(environment: Environment) -> list[Source]:
    """The distributions with plugins of one environment."""
    found = seen(environment)
    by_name = {normalise(each["name"]): each for each in found["installed"]}
    interpreter = interpreter_of(environment)
    sources = []
    for each in found["installed"]:
        metadata = Path(each["metadata"])
        points = tuple((visible(str(name)), str(value)) for name, value in each["points"])
        if not points or normalise(each["name"]) == OWN or not environment.holds(metadata):
            continue
        check_name(each["name"])
        in_place = _in_place(environment, [by_name[name] for name in each["needs"]])
        content = files_of(
            importlib.metadata.Distribution.at(metadata),
            points,
            _places(in_place, found["tops"]),
            in_place,
        )
        sources.append(
            Source(
                visible(each["name"]),
                visible(each["version"] or ""),
                points,
                files=_held(environment, content.files),
                roots=_held(environment, {**content.roots, **in_place}),
                environment=environment.name,
                interpreter=interpreter,
                about=(str(environment.prefix), found["version"], digest()),
                packages=_versions([by_name[name] for name in each["needs"]]),
                caches=content.caches,
            )
        )
    return sources


def _versions(needed: list[dict[str, Any]]) -> dict[str, str]:
    """The versions of what a distribution needs, by normalised name.

    A trial is told the names, so they are no more than names, and not too many.
    """
    names = [each for each in needed if NAME.fullmatch(each["name"])][:MOST_PACKAGES]
    return {
        normalise(each["name"]): visible(str(each["version"] or ""))[:LONGEST]
        for each in names
        if len(each["name"]) <= LONGEST
    }


def _in_place(environment: Environment, needed: list[dict[str, Any]]) -> dict[str, Path]:
    """Packages and modules, among the distributions needed, that are installed in place."""
    paths = [Path(path) for each in needed for path in each["places"]]
    return _held(environment, {path.name: path for path in paths if is_importable(path.name)})


def _held(environment: Environment, places: Mapping[str, Path]) -> dict[str, Path]:
    """Those places that lie in the environment, or in a folder installed in place."""
    return {name: path for name, path in places.items() if environment.holds(path)}


def _places(in_place: Mapping[str, Path], tops: Mapping[str, Any]) -> Callable[[str], Place | None]:
    """A function that says where a top-level package or module of an environment lies.

    tops : what the environment's interpreter said of those that are not installed in place.
    """

    def place(top: str) -> Place | None:
        if top in in_place:
            return str(in_place[top] / "__init__.py"), [str(in_place[top])]
        if f"{top}.py" in in_place:
            return str(in_place[f"{top}.py"]), []
        return (tops[top]["origin"], tops[top]["folders"]) if tops.get(top) else None

    return place


def interpreter_of(environment: Environment) -> Interpreter:
    """Return an environment's interpreter and the places that it has to read.

    These are the environment and the Python installation that it was made from.
    """
    real = environment.python.resolve().parent
    places = dict.fromkeys([environment.prefix, environment.base])
    others = [] if any(real.is_relative_to(place) for place in places) else [real]
    return Interpreter(environment.python, (*places, *others), environment.name)
