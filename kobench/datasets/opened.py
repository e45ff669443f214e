"""Cards of files that nobody has opened: what is said of them, and how one is marked as opened.

Such a card is made from what others publish: an address, a checksum, the names of columns. Whoever
opens the file finds out whether that is right. `kobench datasets verify` does, and writes what it
found into the card, or into a copy in the user's own folder where the card can't be written. Of a
copy only that it was opened, and the facts, are believed: which file is the right one, and how it
is read, is said by the card that it is a copy of.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.util.bounded import read_toml
from kobench.util.files import write_atomically

#: What a reader of the card, or of scores, is told.
NOT_OPENED = (
    "nobody has opened this file yet: what its card says of it is what its publishers say, and may"
    " be wrong"
)

#: What a verified copy may say other than the card that it is a copy of.
FOUND = ("opened", "facts")


def is_opened(card: Mapping[str, Any]) -> bool:
    """Whether somebody has opened the file of a card."""
    return card.get("opened", True) is True


def is_copy(copy: Path, original: Path) -> bool:
    """Whether a card is a verified copy of one whose file nobody had opened.

    Parameters
    ----------
    copy, original : Path
        The two cards, both of which can be read. A copy says the same of all that decides the cells
        and of all that is said of them; only facts and the digest of the content are its own.
    """
    said, first = read_toml(copy), read_toml(original)
    return not is_opened(first) and is_opened(said) and _rest(said) == _rest(first)


def _rest(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card without what somebody finds who opens its file."""
    rest = {key: value for key, value in card.items() if key not in FOUND}
    if isinstance(file := card.get("file"), Mapping):
        rest["file"] = {key: value for key, value in file.items() if key != "content"}
    return rest


def write_opened(
    card: Path, facts: Mapping[str, Any], content: str, copies: Path, in_place: bool
) -> Path:
    """Mark a card as opened, with what was found.

    Parameters
    ----------
    card : Path
        The card.
    facts : mapping
        Numbers that were found in its file; the card's other facts stay.
    content : str
        The digest of the file's content; "" for none.
    copies : Path
        Where a copy is written if the card itself is not.
    in_place : bool
        Whether the card itself may be changed.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    UserError
        Where neither can be written, or another card lies where the copy would.
    """
    before = read_toml(card)
    after = _opened(before, facts, content)
    text = _edited(card.read_text(encoding="utf-8"), before, after)
    target = card if in_place and os.access(card, os.W_OK) else copies / card.name
    if target != card and target.exists() and _rest(read_toml(target)) != _rest(before):
        raise UserError(
            f"{target} is another card than {card}, so what was found is written nowhere; move it"
            " away or rename its dataset, and verify again"
        )
    try:
        write_atomically(target, text.encode())
    except OSError as error:
        raise UserError(
            f"what was found can't be written to {target} ({error.strerror}); make room there, or"
            " set XDG_CONFIG_HOME to a folder of yours"
        ) from error
    return target


def _opened(card: Mapping[str, Any], facts: Mapping[str, Any], content: str) -> dict[str, Any]:
    """What the card says once it is marked."""
    after = {**card, "opened": True, "facts": {**card.get("facts", {}), **facts}}
    if content:
        after["file"] = {**card["file"], "content": content}
    return after


def _edited(text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The text of a card with what is new in it, and all else as it is, comments too."""
    import tomli_w

    lines = text.rstrip("\n").split("\n")
    new = [
        ("", f"opened = {str(after['opened']).lower()}"),
        ("file", tomli_w.dumps({"content": after.get("file", {}).get("content", "")}).strip()),
    ]
    new = [entry for entry in new if not entry[1].endswith('""')]
    new += [("facts", tomli_w.dumps({key: after["facts"][key]}).strip()) for key in after["facts"]]
    for table, line in new:
        lines = _with_line(lines, table, line)
    edited = "\n".join(lines) + "\n"
    try:
        right = tomllib.loads(edited) == after
    except tomllib.TOMLDecodeError:
        right = False
    # a card that is written in another way than ours keeps what it says, if not its comments
    return edited if right else tomli_w.dumps(dict(after))


def _with_line(lines: list[str], table: str, line: str) -> list[str]:
    """Lines of a card with one more in a table, in the place of the one that has its key."""
    heads = [number for number, text in enumerate(lines) if re.match(r"\s*\[", text)]
    first = 0
    if table:
        found = [number for number in heads if lines[number].strip() == f"[{table}]"]
        if not found:
            return [*lines, "", f"[{table}]", line]
        first = found[0] + 1
    last = next((number for number in heads if number >= first), len(lines))
    key = line.partition(" = ")[0]
    for number in range(first, last):
        if lines[number].partition("=")[0].strip() == key:
            return [*lines[:number], line, *lines[number + 1 :]]
    while last > first and not lines[last - 1].strip():
        last -= 1
    return [*lines[:last], line, *lines[last:]]
