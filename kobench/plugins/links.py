"""What a plugin must be able to import beside what is installed for its interpreter.

Nothing else of the user's is shown to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from kobench.environments.inside import claimed, distributions_here
from kobench.plugins.discovery import editable_among, shown_in_place
from kobench.plugins.sources import OWN
from kobench.sandbox.places import Interpreter, installed, this_interpreter


def importable(
    roots: Mapping[str, Path], interpreter: Interpreter | None, distribution: str
) -> dict[str, Path]:
    """Find what must be linked for a plugin, so that it can import it.

    Parameters
    ----------
    roots : mapping of str to Path
        The plugin's own packages and modules, or the single file, see `Source.roots`.
    interpreter : Interpreter or None
        What runs the plugin; None for kobench's own.
    distribution : str
        Its distribution; "" for a single file.

    Returns
    -------
    dict of str to Path
        Name of a folder or file -> where it really lies. These are the plugin's own packages, those
        of what its distribution needs, and kobench, as far as they are not installed where the
        interpreter looks: they may be installed in place (editable) or found elsewhere on the path.
    """
    found = dict(roots)
    if interpreter is None:
        found.update({path.name: path for path in in_place(distribution)})
        found[OWN] = Path(__file__).parents[1]
    read = (interpreter or this_interpreter()).read
    places = [place for folder in read for place in installed(folder)]
    return {
        name: root
        for name, root in found.items()
        if not any(root.is_relative_to(place) for place in places)
    }


@cache
def in_place(distribution: str) -> tuple[Path, ...]:
    """Find what of a distribution, and of those it needs, is installed in place (editable) here.

    Parameters
    ----------
    distribution : str
        Its name.

    Returns
    -------
    tuple of Path
        Packages and modules, without kobench's own.
    """
    everything = distributions_here()
    return tuple(
        shown_in_place(distribution, editable_among(everything, claimed(everything))).values()
    )
