"""Text for terminals that can't show all characters: marks and rules as letters of ASCII."""

from __future__ import annotations

import unicodedata

#: One character for each, so that columns stay where they are: solid marks are capitals.
SIGNS = str.maketrans(
    {
        **{"▲": "A", "△": "a", "▼": "V", "▽": "v", "≈": "~", "·": ".", "‼": "!", "◆": "*"},
        **{"†": "+", "‡": "#"},
        **{"─": "-", "┄": "-", "━": "-", "↑": "^", "↓": "_", "…": ".", "–": "-", "−": "-"},
        **{"×": "x", "±": "~", "≥": ">", "≤": "<", "σ": "s", "γ": "g", "²": "2", "µ": "u"},
    }
)


def in_encoding(text: str, encoding: str) -> str:
    """A text as a stream of that encoding can take it; whatever can be written stays as it is.

    Parameters
    ----------
    text : str
        Any text.
    encoding : str
        The name of an encoding; of one that Python does not know, ASCII.

    Returns
    -------
    str
        Other signs for marks, letters without their accents, and escapes for the rest.

    Examples
    --------
    >>> in_encoding("▲ 0.5 ≈ é", "ascii"), in_encoding("▲ é", "latin-1"), in_encoding("▲", "utf-8")
    ('A 0.5 ~ e', 'A é', '▲')
    """
    try:
        text.encode(encoding)
        return text
    except LookupError:
        encoding = "ascii"
    except UnicodeEncodeError:
        pass
    return "".join(char if char.isascii() else _as_known(char, encoding) for char in text)


def _as_known(char: str, encoding: str) -> str:
    """One character as an encoding has it."""
    plain = unicodedata.normalize("NFKD", char)
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    for one in (char, char.translate(SIGNS), bare):
        try:
            one.encode(encoding)
            return one
        except UnicodeEncodeError:
            continue
    return char.encode("ascii", "backslashreplace").decode()
