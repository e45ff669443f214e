"""The tail of an error about an unknown name: what was probably meant, and what there is."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], what: str = "known") -> str:
    """ "did you mean ...? known: ..." for a name that is not among `known`.

    >>> suggestion("hiden", ["hidden", "lr"])
    "did you mean 'hidden'? known: hidden, lr"
    >>> suggestion("x", [])
    'there are none'
    """
    from difflib import (
        get_close_matches,
    )  # only errors need it, and every command imports this module

    names = sorted(set(known))
    if not names:
        return "there are none"
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}{what}: {', '.join(names)}"
