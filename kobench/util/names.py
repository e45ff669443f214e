"""Texts that become parts of paths: names from a card or a record must stay in their folder."""

from __future__ import annotations

import re

#: Characters that no part of a path may have, on any system.
FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]')

#: Names of devices on Windows, with any ending.
DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE | re.DOTALL)

#: Bytes that a name may have; file systems take 255, and what is downloaded has a longer one.
LONGEST = 200


def fault_of_name(text: str) -> str:
    """Why a text can't be the name of one file or folder, "" where it can.

    Parameters
    ----------
    text : str
        The text.

    Examples
    --------
    >>> fault_of_name("screen_v1.h5ad"), fault_of_name("../x")
    ('', "has '/' in it")
    """
    if not text:
        return "is empty"
    if text.strip(".") == "":
        return "stands for another folder"
    if found := FORBIDDEN.search(text):
        return f"has {found[0]!r} in it"
    if text[-1] in ". " or text[0] == " ":
        return "begins or ends with a space, or ends with a dot"
    if DEVICES.fullmatch(text):
        return "is the name of a device on Windows"
    if len(text.encode()) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    return ""


def fault_of_folder(text: str) -> str:
    """Why a text can't be a folder inside another one, "" where it can; "" is that folder itself.

    Parameters
    ----------
    text : str
        Names joined by `/`.

    Examples
    --------
    >>> fault_of_folder("a/b"), fault_of_folder(""), fault_of_folder("a/../..")
    ('', '', "has the part '..', which stands for another folder")
    >>> fault_of_folder("/etc")
    "has the part '', which is empty"
    """
    for part in text.split("/") if text else ():
        if fault := fault_of_name(part):
            return f"has the part {part!r}, which {fault}"
    return ""
