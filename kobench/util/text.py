"""Text for people: what was probably meant by an unknown name, and text that is safe to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence


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
    return f"{meant}{what}: {listed(names)}"


#: How many names an error spells out.
MOST_NAMES = 12


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Names with commas between them, of many the first ones and how many more there are.

    >>> listed(["a", "b"]), listed("abcde", 3), listed([])
    ('a, b', 'a, b, c and 2 more', 'none')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}" or "none"


#: Unicode categories of what can't be seen: control, format, surrogate, private, unassigned, and
#: separators of lines and paragraphs. Among the format characters are all that turn the direction
#: of writing round, and most of no width.
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

#: Other characters without a shape of their own: fillers, joiners and selectors of variants.
SHAPELESS = frozenset(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0)
).union(range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def visible(text: str, most: int | None = 2000, lines: bool = False) -> str:
    r"""Make a text safe to show that came from outside: from a plugin, a file or a server.

    Control and format characters, which move a terminal's cursor or hide what follows, become their
    escapes.

    Parameters
    ----------
    text : str
        Any text.
    most : int or None
        Characters that are shown; of a longer text the beginning. None for all.
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
    head = text if most is None else text[: most + 1]
    hidden = {ord(char): escape_of(char) for char in hidden_in(head) if char not in kept}
    whole = head.translate(hidden) if hidden else head
    return whole if most is None or len(text) <= most else whole[: most - 3] + "..."


def hidden_in(text: str) -> list[str]:
    """The characters of a text that can't be seen, each once, in a fixed order.

    >>> hidden_in("a b")
    []
    """
    if text.isprintable() and text.isascii():
        return []
    return sorted(
        char for char in set(text) if unicodedata.category(char) in HIDDEN or ord(char) in SHAPELESS
    )


def one_line(text: str) -> str:
    r"""A text on one line, all of it visible: line ends and tabs become spaces.

    >>> one_line("a\n b\x1b")
    'a b\\x1b'
    """
    if text.isprintable() and text.isascii():
        return text
    return visible(re.sub(r" *[\t\r\n]+ *", " ", text.strip("\t\r\n")), None)


def shortened(text: str, letters: int) -> str:
    """The beginning of a text that is longer than so many letters, with `…`.

    >>> shortened("abcdef", 4), shortened("abcd", 4)
    ('abc…', 'abcd')
    """
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def escape_of(char: str) -> str:
    """A character as Python writes it in a string."""
    return char.encode("unicode_escape", "surrogatepass").decode()


def by_reason(found: Mapping[str, str], most: int = 8) -> list[str]:
    """`reason: A, B and 3 more` for each reason, in alphabetical order.

    Parameters
    ----------
    found : mapping of str to str
        Name -> reason.
    most : int
        So many names of a reason are spelt out.

    >>> by_reason({"A": "too few cells", "B": "not measured", "C": "too few cells"}, 1)
    ['not measured: B', 'too few cells: A and 1 more']
    """
    names: dict[str, list[str]] = {}
    for name, why in found.items():
        names.setdefault(why, []).append(name)
    return [
        f"{why}: {', '.join(each[:most])}"
        + (f" and {len(each) - most} more" if len(each) > most else "")
        for why, each in sorted(names.items())
    ]
