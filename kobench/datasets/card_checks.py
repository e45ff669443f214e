"""The checks of cards: that each says what `card_keys` allows, and leads out of no folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kobench.datasets.card_keys import ASKED, FILE, TOP, Key
from kobench.errors import UserError
from kobench.specs import DatasetSpec, Param
from kobench.util.names import fault_of_folder, fault_of_name
from kobench.util.text import suggestion, visible

#: Parameters that a selection may set where the card does not say which.
OPEN = ("genes", "cell_type")

#: Characters of a wrong value that a message shows.
MOST_SHOWN = 100

#: What the places in the table [file] must be.
EXPECTED = {
    "name": "give the name of a file, without a folder",
    "folder": "give a folder inside the data folder, as 'a' or 'a/b'",
    "path": "give the path of a file",
    "package": "give the name by which the package is imported, without a dot",
}

#: A package whose place can be found without importing it: importlib would import the parents of
#: one with a dot.
PACKAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: What no path has.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_card(card: Mapping[str, Any], where: str) -> None:
    """UserError for a key that is not known, is missing, or holds what it may not."""
    check_keys(card, TOP, where)


def check_file(file: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError where the table [file] is wrong, or missing though the loader reads a file."""
    if file:
        check_keys(file, FILE, f"{where}, [file]")
        check_place({"folder": "", **file}, where)
    elif "path" in loader.params:
        raise UserError(
            f"{where} has no [file], which loader {loader.name!r} needs; add it with name and"
            " sha256"
        )


def check_place(file: Mapping[str, Any], where: str) -> None:
    """UserError where the table [file] could lead out of the folder that it is meant for.

    A card may come from anyone. What it names is joined to the data folder, or to the folder of an
    installed package, and is downloaded there: no part of it may name another folder or a device.
    """
    faults = {
        "name": fault_of_name(file["name"]),
        "folder": fault_of_folder(file.get("folder", "")),
        "path": "has a control character in it" if CONTROL.search(file.get("path", "")) else "",
        "package": "is no name of a package",
    }
    if PACKAGE.fullmatch(file.get("package", "x")):
        del faults["package"]
    for key, fault in faults.items():
        if fault:
            raise UserError(
                f"{where}, [file]: {key} is {file[key]!r}, which {fault}; {EXPECTED[key]}"
            )


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


def check_values(card: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError for values outside what a key may say, and for keys that are set in two places."""
    if fault := fault_of_name(card["name"]):
        raise UserError(f"{where}: name is {card['name']!r}, which {fault}; rename it")
    if "normalise" in card and "normalise" not in loader.params:
        raise UserError(
            f"{where}: normalise is given, which loader {loader.name!r} does not take; leave it out"
        )
    for key in card.get("open", ()):
        if key not in loader.params:
            raise UserError(
                f"{where}: open has {key!r}, which loader {loader.name!r} lacks;"
                f" {suggestion(key, loader.params, 'its parameters')}"
            )
    for key in card.get("parameters", {}):
        if key in ("path", "scale", "normalise"):
            place = "[file]" if key == "path" else "the top of the card"
            raise UserError(f"{where}: {key} does not belong into [parameters]; set it at {place}")


def check_parameter(key: str, value: Any, loader: DatasetSpec, where: str) -> None:
    """UserError where the loader does not take this parameter or this value."""
    if key not in loader.params:
        raise UserError(
            f"{where}: loader {loader.name!r} has no parameter {key!r};"
            f" {suggestion(key, loader.params, 'its parameters')}"
        )
    param: Param = loader.params[key]
    if param.default is not None and type(value) is not type(param.default):
        raise UserError(
            f"{where}: parameter {key} is {value!r}; it must be of type"
            f" {type(param.default).__name__}"
        )
    if param.choices is not None and value not in param.choices:
        raise UserError(
            f"{where}: parameter {key} is {value!r}; choose one of"
            f" {', '.join(map(str, param.choices))}"
        )
    too_low = param.low is not None and value < param.low
    too_high = param.high is not None and value > param.high
    if too_low or too_high:
        raise UserError(
            f"{where}: parameter {key} is {value!r}; it must lie between {param.low} and"
            f" {param.high}"
        )
