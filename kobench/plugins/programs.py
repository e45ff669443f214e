"""Programs that installers make of entry points, told from others by their text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path

from kobench.util.bounded import read_bounded

#: Entry points of which installers make programs, which begin with the place of an interpreter.
PROGRAMS = ("console_scripts", "gui_scripts")

#: Where programs lie, from a folder of packages.
PLACE = re.compile(r"(?:\.\./)+bin/([^/]+)")

#: Bytes that such a program may have.
MOST = 4096

#: How a program begins: with its interpreter, which a shell finds where the path is long.
HEAD = re.compile(
    r"#!/bin/sh\n'{3}exec' (?P<q>'?)(?P<long>/[^'\n\0]*)(?P=q) \"\$0\" \"\$@\"\n' '{3}\n"
    r"|#!(?P<short>/[^\s\0]*)\n"
)

#: What follows, as pip (three versions), conda and uv write it.
_PLAIN = """# -*- coding: utf-8 -*-
import re
import sys
from {module} import {name}
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit({call}())
"""
TAILS = (
    _PLAIN,
    _PLAIN.replace(".pyw|", ".pyw?|"),
    _PLAIN.replace("import re\n", "").replace(
        r"re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])", "sys.argv[0].removesuffix('.exe')"
    ),
    """# -*- coding: utf-8 -*-
import sys
from {module} import {name}
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({call}())
""",
)


def is_program(name: str, folder: Path, points: Iterable[EntryPoint]) -> bool:
    """Whether a file is what an installer made of an entry point, to the letter.

    Anything else could hold weights: in the order of words, in blanks, in ways to write a path.

    Parameters
    ----------
    name : str
        Its path from the folder of packages.
    folder : Path
        That folder.
    points : iterable of EntryPoint
        The entry points of its distribution.
    """
    found = PLACE.fullmatch(name)
    point = found and next(
        (one for one in points if one.name == found[1] and one.group in PROGRAMS), None
    )
    if not point:
        return False
    try:
        text = read_bounded(folder / name, MOST).decode()
        said = {"module": point.module, "name": point.attr.partition(".")[0], "call": point.attr}
    except (OSError, ValueError, AttributeError):  # an entry point need not have the form of one
        return False
    head = HEAD.match(text)
    python = (head["short"] or head["long"]) if head else ""
    if head is None or os.path.normpath(python) != python or not os.path.isfile(python):
        return False
    return text[head.end() :] in [tail.format(**said) for tail in TAILS]
