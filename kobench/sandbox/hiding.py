"""What must not be read though it lies in what may be read: which places show it, and which not.

Of two places of which one lies in the other the inner one counts: what is hidden in a readable
folder is hidden, and what may be read in a hidden folder may be read. Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence


def lies_in(place: str, folder: str) -> bool:
    """Whether a place is a folder or lies in it; both are real paths.

    Examples
    --------
    >>> lies_in("/data/truth.csv", "/data"), lies_in("/data-2", "/data")
    (True, False)
    """
    return place == folder or place.startswith(folder.rstrip("/") + "/")


def in_order(read: Iterable[str], hidden: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The places that change what can be seen, outer ones before those in them.

    Parameters
    ----------
    read, hidden : iterable of str
        Real paths. One that is among both is hidden.

    Yields
    ------
    (str, bool)
        A place, and whether it is shown. A readable place in a readable one is left out, and so is
        a hidden one that nothing shows.

    Examples
    --------
    >>> list(in_order(["/lib", "/lib/a", "/lib/data/mine"], ["/lib/data", "/home/me"]))
    [('/lib', True), ('/lib/data', False), ('/lib/data/mine', True)]
    """
    wanted = {**dict.fromkeys(read, True), **dict.fromkeys(hidden, False)}
    done: dict[str, bool] = {}
    for place in sorted(wanted, key=lambda path: path.count("/")):
        above = max((outer for outer in done if lies_in(place, outer)), key=len, default=None)
        if (above is not None and done[above]) != wanted[place]:
            done[place] = wanted[place]
            yield place, wanted[place]


def around(read: Sequence[str], hidden: Sequence[str]) -> tuple[list[str], list[str]]:
    """Readable places, taken apart where something in them is hidden.

    It is for rules that can only allow, and allow a folder with all that is in it.

    Parameters
    ----------
    read : sequence of str
        What may be read.
    hidden : sequence of str
        Real paths of what may not.

    Returns
    -------
    whole : list of str
        What may be read with all that is in it.
    parted : list of str
        Folders with something hidden in them. Their own names may be listed; what of them may be
        read is in `whole`.

    Notes
    -----
    A link in a folder that is taken apart is left out: it may lead to what is hidden. What it leads
    to is allowed where that is readable itself.
    """
    whole: list[str] = []
    parted: list[str] = []
    for place in read:
        real = os.path.realpath(place)
        inside = [one for one in hidden if lies_in(one, real)]
        if inside:
            _take_apart(real, inside, whole, parted)
        else:
            whole.append(place)
    return whole, parted


def _take_apart(place: str, hidden: Sequence[str], whole: list[str], parted: list[str]) -> None:
    """Sort what is in a place, where any of these hidden ones lies, into the two lists."""
    if place in hidden:
        return
    parted.append(place)
    try:
        entries = [entry for entry in os.scandir(place) if not entry.is_symlink()]
    except OSError:
        return
    for entry in entries:
        if inside := [one for one in hidden if lies_in(one, entry.path)]:
            _take_apart(entry.path, inside, whole, parted)
        else:
            whole.append(entry.path)
