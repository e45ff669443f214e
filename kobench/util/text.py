"""Text for people: what was probably meant by an unknown name, and text that is safe to show."""

from __future__ import annotations

import unicodedata
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


def visible(text: str, most: int = 2000, lines: bool = False) -> str:
    r"""Text that neither moves a terminal's cursor nor hides anything: control and format
    characters as their escapes, line ends kept if asked for; of a longer text the beginning.

    >>> print(visible("a\x1b[31mb\u202ec\n"))
    a\x1b[31mb\u202ec\n
    """
    kept = "\n\t" if lines else ""
    shown = (
        (
            char
            if char in kept
            or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
            else char.encode("unicode_escape", "surrogatepass").decode()
        )
        for char in text[: most + 1]
    )
    whole = "".join(shown)
    return whole if len(text) <= most else whole[: most - 3] + "..."
