"""The plugins installed in predictors' own environments, found without starting an interpreter as
long as nothing changed there.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

from kobench.environments.environment import Environment, complete
from kobench.environments.own import digest, renew
from kobench.environments.seen import seen
from kobench.errors import UserError
from kobench.plugins.discovery import Place, Problem, Source, files_of, is_importable, normalise
from kobench.sandbox.places import Interpreter

#: What stands in the place of a distribution where a problem is about a whole environment.
WHOLE = "environment"


def environment_sources() -> tuple[list[Source], list[Problem]]:
    """Every distribution with kobench plugins in every complete environment, and a problem for each
    environment that is broken.

    A kobench in an environment that is not this one is renewed first, which is said on standard
    error.
    """
    environments, broken = complete()
    problems = [
        Problem(f"{WHOLE} {name}", "", "environment", sentence, environment=name)
        for name, sentence in broken
    ]
    sources = []
    for environment in environments:
        try:
            if renew(environment):
                print(
                    f"environment {environment.name}: its copy of kobench was renewed",
                    file=sys.stderr,
                )
            sources.extend(_sources_in(environment))
        except UserError as error:
            problems.append(
                Problem(
                    f"{WHOLE} {environment.name}",
                    "",
                    "environment",
                    str(error),
                    environment=environment.name,
                )
            )
        except (KeyError, TypeError, ValueError, OSError) as error:
            message = (
                f"what is installed in {environment.prefix} can't be read ({type(error).__name__}:"
                f" {error}); make it again"
            )
            problems.append(
                Problem(
                    f"{WHOLE} {environment.name}",
                    "",
                    "environment",
                    message,
                    environment=environment.name,
                )
            )
    return sources, problems


def _sources_in(environment: Environment) -> list[Source]:
    found = seen(environment)
    interpreter = interpreter_of(environment)
    by_name = {normalise(each["name"]): each for each in found["installed"]}
    sources = []
    for each in found["installed"]:
        points = tuple((str(name), str(value)) for name, value in each["points"])
        if (
            not points
            or normalise(each["name"]) == "kobench"
            or not environment.holds(Path(each["metadata"]))
        ):
            continue
        in_place = {
            Path(path).name: Path(path)
            for name in each["needs"]
            for path in by_name[name]["places"]
        }
        in_place = {
            name: path
            for name, path in in_place.items()
            if is_importable(name) and environment.holds(path)
        }
        tops: dict[str, Any] = found["tops"]

        def place(
            top: str, tops: dict[str, Any] = tops, in_place: dict[str, Path] = in_place
        ) -> Place | None:
            if top in in_place:
                return str(in_place[top] / "__init__.py"), [str(in_place[top])]
            if f"{top}.py" in in_place:
                return str(in_place[f"{top}.py"]), []
            return (tops[top]["origin"], tops[top]["folders"]) if tops.get(top) else None

        roots, files = files_of(
            importlib.metadata.Distribution.at(Path(each["metadata"])), points, place
        )
        packages = {name: by_name[name]["version"] for name in each["needs"]}
        roots = {
            name: path for name, path in {**roots, **in_place}.items() if environment.holds(path)
        }
        files = {name: path for name, path in files.items() if environment.holds(path)}
        sources.append(
            Source(
                each["name"],
                each["version"],
                points,
                files,
                roots=roots,
                environment=environment.name,
                interpreter=interpreter,
                about=(str(environment.prefix), found["version"], digest()),
                packages=packages,
            )
        )
    return sources


def interpreter_of(environment: Environment) -> Interpreter:
    """An environment's interpreter and what it has to read: the environment, the installation that
    it was made from.
    """
    real = environment.python.resolve().parent
    places = dict.fromkeys([environment.prefix, environment.base])
    others = [] if any(real.is_relative_to(place) for place in places) else [real]
    return Interpreter(environment.python, (*places, *others), environment.name)
