"""Programs that installers make of entry points, told from others by what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path

from kobench.util.bounded import read_bounded

#: Entry points of which installers make programs, which begin with the place of an interpreter.
PROGRAMS = ("console_scripts", "gui_scripts")

#: Where programs lie, from a folder of packages.
PLACE = re.compile(r"(?:\.\./)+(?:bin|Scripts)/([^/]+)")

#: Bytes that such a program may have.
MOST = 2048

#: How it begins: with the interpreter, or with a shell that starts one with a long path.
START = re.compile(r"#!(?:/bin/sh\n'''exec' )?\"?(/[^\n\"]*?)\"?(?: \"\$0\" \"\$@\"\n' ''')?\n")

#: The words of a program: texts, names, numbers and signs.
WORD = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"|(\w+|==|[^\w\s])")

#: What pip, uv and others write in it, beside the names of what is called.
WRITTEN = r"""
import re
import sys
from . import ,
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
    sys.argv[0] = re.sub(r'(-script\.pyw?|\.exe)?$', '', sys.argv[0])
    if sys.argv[0].endswith('.exe'): sys.argv[0] = sys.argv[0][:-4]
    elif sys.argv[0].endswith("-script.pyw"): sys.argv[0] = sys.argv[0][:-11]
    sys.argv[0] = sys.argv[0].removesuffix(".exe")
    sys.exit()
"""


def words_of(text: str) -> set[str]:
    """The words of a program, without quotes."""
    return {"".join(word) for word in WORD.findall(text)}


def is_program(name: str, folder: Path, points: Iterable[EntryPoint]) -> bool:
    """Whether a file is what an installer made of an entry point, and nothing more.

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
    point = found and next((one for one in points if one.name == found[1]), None)
    if not point or point.group not in PROGRAMS:
        return False
    try:
        text = read_bounded(folder / name, MOST).decode()
    except (OSError, ValueError):
        return False
    start = START.match(text)
    if start is None or not Path(start[1]).exists():
        return False
    rest = text[start.end() :].replace("# -*- coding: utf-8 -*-\n", "", 1)
    own = set(re.findall(r"\w+", point.value))
    return words_of(rest) <= words_of(WRITTEN) | own
