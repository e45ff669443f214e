"""Text for people: what was probably meant by an unknown name, and text that is safe to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], what: str = "known") -> str:
    """Say what was probably meant by an unknown name, and what there is.

    Parameters
    ----------
    name : str
        What is not among `known`.
    known : iterable of str
        What there is.
    what : str
        What to call those.

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> suggestion("hiden", ["hidden", "lr"])
    "did you mean 'hidden'? known: hidden, lr"
    >>> suggestion("x", [])
    'there are none'
    """
    from difflib import get_close_matches  # only errors need it; every command imports this module

    names = sorted(set(known))
    if not names:
        return "there are none"
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}{what}: {', '.join(names)}"


#: Unicode categories of what can't be seen: control, format, surrogate, private, unassigned, and
#: separators of lines and paragraphs.
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def visible(text: str, most: int = 2000, lines: bool = False) -> str:
    r"""Make a text safe to show that came from outside: from a plugin, a file or a server.

    Control and format characters, which move a terminal's cursor or hide what follows, become their
    escapes.

    Parameters
    ----------
    text : str
        Any text.
    most : int
        Characters that are shown; of a longer text the beginning.
    lines : bool
        Whether line ends and tabs stay as they are.

    Returns
    -------
    str
        Printable characters only.

    Examples
    --------
    >>> print(visible("a\x1b[31mb\u202ec\n"))
    a\x1b[31mb\u202ec\n
    """
    kept = "\n\t" if lines else ""
    whole = "".join(
        char if char in kept or unicodedata.category(char) not in HIDDEN else _escape(char)
        for char in text[: most + 1]
    )
    return whole if len(text) <= most else whole[: most - 3] + "..."


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()
