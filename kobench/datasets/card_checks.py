"""What a card may say: its keys with their types, and the checks of their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kobench.errors import UserError
from kobench.specs import PERTURBATIONS, DatasetSpec, Param
from kobench.util.names import fault_of_folder, fault_of_name
from kobench.util.text import suggestion

#: Keys of a card with their types.
KEYS: dict[str, type] = {
    "name": str,
    "version": int,
    "summary": str,
    "loader": str,
    "scale": str,
    "normalise": str,
    "truth": str,
    "kind": str,
    "confounded": bool,
    "near_null": bool,
    "open": list,
    "organism": str,
    "licence": str,
    "source": str,
    "conversion": str,
    "reference": str,
    "where": str,
    "notes": list,
    "parameters": dict,
    "file": dict,
    "facts": dict,
}

#: Keys of the table [file] with their types.
FILE_KEYS: dict[str, type] = {
    "name": str,
    "sha256": str,
    "bytes": int,
    "folder": str,
    "path": str,
    "url": str,
    "package": str,
}

#: Keys that a card must have.
REQUIRED = ("name", "version", "summary", "loader", "scale")
#: Parameters that a selection may set where the card does not say which.
OPEN = ("genes", "cell_type")

#: Working scales that a card may declare.
SCALES = ("counts", "log1p", "log1p-cp10k", "linear")

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

#: How a dataset may be called.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_card(card: Mapping[str, Any], where: str) -> None:
    """UserError for a key that is not known, is missing, or has a value of another type."""
    _check_keys(card, KEYS, where, REQUIRED)


def check_file(file: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError where the table [file] is wrong, or missing though the loader reads a file."""
    if file:
        _check_keys(file, FILE_KEYS, f"{where}, [file]", ("name", "sha256"))
        if not re.fullmatch(r"[0-9a-fA-F]{64}", file["sha256"]):
            raise UserError(
                f"{where}, [file]: sha256 is {file['sha256']!r}; give 64 hexadecimal digits"
            )
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
    if file.get("bytes", 0) < 0:
        raise UserError(f"{where}, [file]: bytes is {file['bytes']}; give the size of the file")


def _check_keys(
    table: Mapping[str, Any], known: Mapping[str, type], where: str, required: Iterable[str]
) -> None:
    """UserError for a key that is not known, is missing, or has a value of another type."""
    for key, value in table.items():
        if key not in known:
            raise UserError(f"{where} has the unknown key {key!r}; {suggestion(key, known)}")
        if type(value) is not known[key]:
            raise UserError(
                f"{where}: {key} is {value!r}; it must be of type {known[key].__name__}"
            )
    missing = [key for key in required if key not in table]
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise UserError(f"{where} lacks {', '.join(missing)}; add {them}")


def check_values(card: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError for values outside what a key may say, and for keys that are set in two places."""
    if not NAME.fullmatch(card["name"]) or fault_of_name(card["name"]):
        raise UserError(
            f"{where}: name {card['name']!r} must be of lower-case letters, digits and single"
            " dashes; rename it"
        )
    for key, choices in (
        ("scale", SCALES),
        ("truth", ("population", "none")),
        ("kind", PERTURBATIONS),
    ):
        if card.get(key, choices[0]) not in choices:
            raise UserError(f"{where}: {key} is {card[key]!r}; choose one of {', '.join(choices)}")
    for key in ("notes", "open"):
        if not all(isinstance(entry, str) for entry in card.get(key, ())):
            raise UserError(f"{where}: {key} must be a list of texts")
    for key, value in card.get("facts", {}).items():
        if not isinstance(value, str | int | float):
            raise UserError(f"{where}, [facts]: {key} is {value!r}; give a text or a number")
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
