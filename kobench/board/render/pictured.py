"""Pictures within a written board: they stand between two marks.

So the rest of it can be compared with the records without drawing them.
"""

from __future__ import annotations

import re

OPEN, CLOSE = "\n<!-- pictures -->", "<!-- /pictures -->"


def enclosed(pictures: str) -> str:
    """Pictures between their marks, nothing where there are none.

    >>> enclosed("<svg/>"), enclosed("")
    ('\\n<!-- pictures --><svg/><!-- /pictures -->', '')
    """
    return f"{OPEN}{pictures}{CLOSE}" if pictures else ""


def without_pictures(text: str) -> str:
    """A written board as it is without its pictures.

    >>> without_pictures("a" + enclosed("<svg/>") + "b")
    'ab'
    """
    return re.sub(f"{re.escape(OPEN)}.*?{re.escape(CLOSE)}", "", text, flags=re.S)
