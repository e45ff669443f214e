"""What a card can say, for readers and their editors: JSON Schema, Markdown, and a card's text."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from kobench.datasets.card_keys import FILE, TOP, Key
from kobench.datasets.source_keys import KINDS, SOURCE
from kobench.specs import DatasetSpec, Param

#: Heading of a part of a card -> its keys.
TABLES: Mapping[str, tuple[Key, ...]] = {"": TOP, "[file]": FILE, "[[sources]]": SOURCE}

#: What each kind of value is in JSON Schema.
SCHEMAS: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "whole number": {"type": "integer"},
    "true or false": {"type": "boolean"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "table": {"type": "object"},
    "facts": {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    },
    "tables": {"type": "array", "items": {"type": "object"}},
}

#: Without sources a file is checked by what [file] says.
CHECKED = {
    "if": {"required": ["file"], "not": {"required": ["sources"]}},
    "then": {
        "properties": {"file": {"anyOf": [{"required": ["sha256"]}, {"required": ["content"]}]}}
    },
}

#: The same of the default of a loader's parameter.
OF_DEFAULT: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
}

#: Parameters of a loader that a card gives at another place.
ELSEWHERE = ("path", "scale", "normalise", "obs")


def json_schema(loaders: Mapping[str, DatasetSpec]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a card.

    Parameters
    ----------
    loaders : mapping of str to DatasetSpec
        The datasets that cards may build on, by name: each adds what [parameters] may have.
    """
    top = object_of(TOP)
    for table in ("file", "obs_file"):
        top["properties"][table] |= object_of(FILE)
    top["properties"]["sources"]["items"] = sources_of()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kobench card",
        "description": "A dataset of kobench: what docs/datasets.md says of cards.",
        **top,
        "allOf": [
            {
                "if": {"properties": {"loader": {"const": name}}, "required": ["loader"]},
                "then": {"properties": {"parameters": parameters_of(loader)}},
            }
            for name, loader in loaders.items()
        ]
        + [CHECKED],
    }


def sources_of() -> dict[str, Any]:
    """The schema of a table [[sources]]: what each kind must have."""
    kinds = [
        {"if": {"required": [kind]}, "then": {"required": list(needed)}}
        for kind, (needed, _) in KINDS.items()
    ]
    return {**object_of(SOURCE), "allOf": kinds}


def object_of(keys: Collection[Key]) -> dict[str, Any]:
    """The schema of a table with these keys and no others."""
    return {
        "type": "object",
        "properties": {key.name: value_of(key) for key in keys},
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
    }


def value_of(key: Key) -> dict[str, Any]:
    """The schema of what a key holds."""
    more: dict[str, Any] = {"enum": list(key.choices)} if key.choices else {}
    if key.pattern:
        more["pattern"] = f"^({key.pattern})$"
    if key.low is not None:
        more["minimum"] = key.low
    return {"description": sentence(key), **SCHEMAS[key.holds], **more}


def parameters_of(loader: DatasetSpec) -> dict[str, Any]:
    """The schema of [parameters] for a loader."""
    params = {name: param for name, param in loader.params.items() if name not in ELSEWHERE}
    return {
        "type": "object",
        "properties": {name: parameter_of(param) for name, param in params.items()},
        "additionalProperties": False,
    }


def parameter_of(param: Param) -> dict[str, Any]:
    """The schema of one parameter of a loader."""
    more: dict[str, Any] = {"description": param.help} if param.help else {}
    if param.default is not None:
        more["type"] = OF_DEFAULT[type(param.default)]
    bounds = {"enum": param.choices, "minimum": param.low, "maximum": param.high}
    one = {**more, **{key: value for key, value in bounds.items() if value is not None}}
    if not param.many:
        return one
    says = {"description": one.pop("description")} if param.help else {}
    return {**says, "anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def sentence(key: Key) -> str:
    """What a key means, and what holds without it."""
    return f"{key.says}; when not given: {key.otherwise}" if key.otherwise else key.says


def tables() -> str:
    """Markdown: for each part of a card the table of its keys."""
    out: list[str] = []
    for heading, keys in TABLES.items():
        if heading:
            out += ["", f"In `{heading}`:", ""]
        out += ["| key | holds | what it means |", "|---|---|---|"]
        out += [
            f"| `{key.name}`{' *' if key.required else ''} | {held(key)} | {sentence(key)} |"
            for key in keys
        ]
    return "\n".join(out)


def held(key: Key) -> str:
    """What a key holds, for a table of Markdown; its choices by name."""
    return ", ".join(f"`{choice}`" for choice in key.choices) or key.holds


def unsaid(said: Collection[str]) -> str:
    """The keys at the top that a card does not say, a line of TOML for each, behind a `#`.

    Parameters
    ----------
    said : collection of str
        Keys that the card has.
    """
    return "".join(
        f"# {key.name} = {key.example}  # {sentence(key)}\n"
        for key in TOP
        if key.name not in said and key.example
    )


def example(name: str) -> str:
    """A whole card of an AnnData file, with every key that it could have.

    Parameters
    ----------
    name : str
        Name of the dataset.
    """
    given = {
        "name": name,
        "version": 1,
        "summary": "one line for lists",
        "loader": "h5ad",
        "scale": "counts",
        "truth": "population",
    }
    file = {key.name: key.example for key in FILE if key.name not in ("name", "sha256")}
    return "".join(
        [
            *(f"{key} = {json.dumps(value)}\n" for key, value in given.items()),
            unsaid(given),
            '\n[parameters]\nperturbation_key = "perturbation"\ncontrol = "control"\n',
            f'\n[file]\nname = "{name}.h5ad"\nsha256 = "{"0" * 64}"  # `sha256sum FILE`\n',
            *(f"# {key} = {value}\n" for key, value in file.items()),
        ]
    )
