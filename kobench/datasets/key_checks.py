"""The checks of one table of a card: which keys it may have, and what each may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kobench.datasets.card_keys import ASKED, Key
from kobench.errors import UserError
from kobench.util.text import suggestion, visible

#: Characters of a wrong value that a message shows.
MOST_SHOWN = 100


def check_keys(table: Mapping[str, Any], keys: Iterable[Key], where: str) -> None:
    """UserError where a table of a card has what it may not, or lacks what it must have.

    Parameters
    ----------
    table : mapping
        A card, or a table in it.
    keys : iterable of Key
        What it may have.
    where : str
        What a message starts with: the card, and the table in it.
    """
    known = {key.name: key for key in keys}
    for name, value in table.items():
        if name not in known:
            raise UserError(f"{where} has the unknown key {name!r}; {suggestion(name, known)}")
        if fault := fault_of(known[name], value):
            raise UserError(f"{where}: {name} is {visible(repr(value), MOST_SHOWN)}; {fault}")
    missing = [key for key in known.values() if key.required and key.name not in table]
    if missing:
        them = "it" if len(missing) == 1 else "them"
        listed = ", ".join(f"{key.name} ({key.says})" for key in missing)
        raise UserError(f"{where} lacks {listed}; add {them}")


def fault_of(key: Key, value: Any) -> str:
    """What a card should say in place of a value, "" where the value is right.

    >>> from kobench.datasets.card_keys import TOP
    >>> fault_of(TOP[1], "3").partition(":")[0]
    'give a whole number'
    >>> fault_of(TOP[1], 3)
    ''
    """
    if not key.takes(value):
        return f"give {ASKED[key.holds]}: {key.says}"
    if key.choices and value not in key.choices:
        return f"choose one of {', '.join(key.choices)}: {key.says}"
    if not key.matches(value):
        return f"give {key.says}"
    if key.low is not None and value < key.low:
        return f"give {key.low} or more: {key.says}"
    return ""
