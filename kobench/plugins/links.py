"""What a plugin must be able to import beside what is installed for its interpreter; nothing else
of the user's is shown to it.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from kobench.plugins.discovery import OWN, is_importable, normalise
from kobench.sandbox.places import Interpreter, installed, this_interpreter


def importable(
    roots: Mapping[str, Path], interpreter: Interpreter | None, distribution: str
) -> dict[str, Path]:
    """Name of a folder or file -> where it really lies.

    These are the plugin's own packages, those of what its distribution needs, and kobench, where
    they are installed in place (editable) or found elsewhere on the path; or the single file. roots
    : see `Source.roots`. interpreter : None for kobench's own.
    """
    found = dict(roots)
    if interpreter is None:
        found.update(
            {path.name: path for path in in_place(distribution) if is_importable(path.name)}
        )
        found[OWN] = Path(__file__).parents[1]
    places = [
        place for read in (interpreter or this_interpreter()).read for place in installed(read)
    ]
    return {
        name: root
        for name, root in found.items()
        if not any(root.is_relative_to(place) for place in places)
    }


@cache
def in_place(distribution: str) -> tuple[Path, ...]:
    """Packages and modules of a distribution here that is installed in place (editable), and of
    those it needs that are, too.
    """
    from kobench.environments.inside import is_editable, needs_of, places_of

    found = {
        normalise(one.metadata["Name"]): one
        for one in importlib.metadata.distributions()
        if is_editable(one)
    }
    places: list[str] = []
    left = [normalise(distribution)]
    while left:
        one = found.pop(left.pop(), None)
        if one is not None and normalise(one.metadata["Name"]) != OWN:
            left.extend(needs_of(one))
            places += places_of(one)
    return tuple(map(Path, sorted(set(places))))
