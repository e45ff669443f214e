"""The checks of cards: that each says what `card_keys` allows, and leads out of no folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kobench.datasets.card_keys import FILE, TOP
from kobench.datasets.key_checks import check_keys
from kobench.datasets.recipes.names import RECIPES
from kobench.datasets.sources import Distribution, WebFile, read_sources
from kobench.errors import UserError
from kobench.specs import DatasetSpec, Param
from kobench.util.names import fault_of_folder, fault_of_name
from kobench.util.text import suggestion

#: Parameters that a selection may set where the card does not say which.
OPEN = ("genes", "cell_type")

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

#: The folder in the data folder where files lie that are not whole.
OWN = ".getting"

#: What no path has.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_card(card: Mapping[str, Any], where: str) -> None:
    """UserError for a key that is not known, is missing, or holds what it may not."""
    check_keys(card, TOP, where)


def check_file(card: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError where [file], or where it comes from, is wrong or missing."""
    file = card.get("file", {})
    if file:
        check_keys(file, FILE, f"{where}, [file]")
        check_place({"folder": "", **file}, where)
    check_sources(card, where)
    if file and not ("sources" in card or "sha256" in file or "content" in file):
        raise UserError(
            f"{where}, [file] lacks sha256 (64 hexadecimal digits: a file with another one is"
            " refused); add it"
        )
    if table := card.get("obs_file", {}):
        _check_obs_file(table, loader, where)
    if not file and "path" in loader.params:
        raise UserError(
            f"{where} has no [file], which loader {loader.name!r} needs; add it with name and"
            " sha256"
        )


def _check_obs_file(table: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError where [obs_file] is wrong, or its loader takes none."""
    check_keys(table, FILE, f"{where}, [obs_file]")
    check_place({"folder": "", **table}, where, "obs_file")
    if "sha256" not in table:
        raise UserError(f"{where}, [obs_file] lacks sha256 (64 hexadecimal digits); add it")
    if "obs" not in loader.params:
        raise UserError(
            f"{where} has [obs_file], which loader {loader.name!r} does not take; leave it out"
        )


def check_sources(card: Mapping[str, Any], where: str) -> None:
    """UserError where [[sources]], `recipe` and [file] are wrong, or do not go together."""
    sources, recipe, file = read_sources(card, where), card.get("recipe"), card.get("file", {})
    if recipe is not None and recipe not in RECIPES:
        raise UserError(
            f"{where}: recipe {recipe!r:.80} is not known; {suggestion(recipe, RECIPES, 'recipes')}"
        )
    if recipe is not None and not sources:
        raise UserError(f"{where} has a recipe but no [[sources]] for it; add them")
    if not sources:
        return
    if not file:
        raise UserError(f"{where} has [[sources]] but no [file] that comes of them; add it")
    for key in ("url", "package", "path"):
        if file.get(key):
            raise UserError(
                f"{where} has [[sources]] and, in [file], {key}: two places to get the file from;"
                " remove one of them"
            )
    if recipe is not None and "content" not in file:
        raise UserError(
            f"{where}, [file] lacks content: the file that a recipe makes is checked by it; add it"
            " (kobench.datasets.content.content_of_file gives it)"
        )
    if recipe is None and (len(sources) > 1 or len(sources[0].names) > 1):
        raise UserError(
            f"{where} has no recipe but several files in [[sources]]; without a recipe one source"
            " is the file itself, so name the recipe, or that one alone"
        )
    if recipe is None and isinstance(sources[0], Distribution) and not file.get("sha256"):
        raise UserError(
            f"{where}, [file] lacks sha256: the checksum in [[sources]] is the archive's; add it"
        )
    itself = sources[0].checksum if recipe is None and isinstance(sources[0], WebFile) else None
    if itself and itself.algorithm == "sha256" and file.get("sha256", itself.value) != itself.value:
        raise UserError(
            f"{where}: sha256 is {file['sha256']} in [file] and {itself.value} in [[sources]],"
            " though without a recipe both are of one file; correct one of them"
        )


def check_place(file: Mapping[str, Any], where: str, table: str = "file") -> None:
    """UserError where a table, [file] or another one, leads out of the folder it is meant for.

    A card may come from anyone. What it names is joined to the data folder, or to the folder of an
    installed package, and is downloaded there: no part of it may name another folder or a device.
    """
    faults = {
        "name": fault_of_name(file["name"]) or _fault_of_own(file["name"]),
        "folder": fault_of_folder(file.get("folder", "")) or _fault_of_hidden(file),
        "path": "has a control character in it" if CONTROL.search(file.get("path", "")) else "",
        "package": "is no name of a package",
    }
    if PACKAGE.fullmatch(file.get("package", "x")):
        del faults["package"]
    for key, fault in faults.items():
        if fault:
            raise UserError(
                f"{where}, [{table}]: {key} is {file[key]!r}, which {fault}; {EXPECTED[key]}"
            )


def _fault_of_own(name: str) -> str:
    """Why a file can't have a name in the data folder: kobench has that itself."""
    return "is a folder of kobench's own" if name.casefold() == OWN else ""


def _fault_of_hidden(file: Mapping[str, Any]) -> str:
    """Why a folder can't be one of the data folder, where kobench has one for files of its own."""
    parts = str(file.get("folder", "")).split("/")
    return "has a part that begins with a dot" if any(part[:1] == "." for part in parts) else ""


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
        if key in ("path", "scale", "normalise", "obs"):
            place = {"path": "[file]", "obs": "[obs_file]"}.get(key, "the top of the card")
            raise UserError(f"{where}: {key} does not belong into [parameters]; set it at {place}")
    if "kind" in card and card.get("parameters", {}).get("kind_key"):
        raise UserError(
            f"{where}: kind is {card['kind']!r}, and [parameters] has kind_key, a column that says"
            " that for each cell; leave one of them out"
        )


def check_parameter(key: str, value: Any, loader: DatasetSpec, where: str) -> None:
    """UserError where the loader does not take this parameter or this value."""
    if key not in loader.params:
        raise UserError(
            f"{where}: loader {loader.name!r} has no parameter {key!r};"
            f" {suggestion(key, loader.params, 'its parameters')}"
        )
    param: Param = loader.params[key]
    several = param.many and isinstance(value, list) and value
    for one in value if several else (value,):
        _check_one(key, one, param, where)


def _check_one(key: str, value: Any, param: Param, where: str) -> None:
    """UserError for a value of another type, not among the choices, or out of bounds."""
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
