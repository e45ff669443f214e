"""The table of a card's keys, and what is made of it: JSON Schema, pages and texts of cards."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from kobench.cli.new import write
from kobench.datasets.card_keys import FILE, TOP
from kobench.datasets.card_schema import TABLES, example, json_schema, tables, unsaid
from kobench.datasets.cards import builtin_loaders, read_card
from kobench.errors import UserError

SCHEMA = json_schema(builtin_loaders())
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
CARD = """
name = "mine"
version = 1
summary = "cells"
loader = "h5ad"
scale = "counts"
{top}
[parameters]
{parameter}
[file]
name = "mine.h5ad"
sha256 = "{sha256}"
{file}
"""

SOURCE = "name = 'mine.h5ad'\nurls = ['https://example.org/a']"


def faults(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """Where a value is not as a schema says, by the words of JSON Schema that SCHEMA uses."""
    known = {"description", "title", "$schema", "type", "enum", "pattern", "minimum", "maximum"}
    known |= {"properties", "required", "additionalProperties", "items", "allOf", "if", "then"}
    known |= {"not", "anyOf", "minItems"}
    assert set(schema) <= known | {"const"}
    types = schema.get("type", list(TYPES))
    names = [types] if isinstance(types, str) else types
    if not any(
        isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in names
    ):
        yield where
        return
    if "enum" in schema and value not in schema["enum"]:
        yield where
    if "const" in schema and value != schema["const"]:
        yield where
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield where
    if "minimum" in schema and value < schema["minimum"]:
        yield where
    if "maximum" in schema and value > schema["maximum"]:
        yield where
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        yield where
    for entry in value if isinstance(value, list) else ():
        yield from faults(entry, schema.get("items", {}), where)
    if isinstance(value, dict):
        yield from (f"{where}.{key}" for key in schema.get("required", ()) if key not in value)
        for key, entry in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            yield from (
                [f"{where}.{key}"]
                if inner is False
                else faults(entry, inner or {}, f"{where}.{key}")
            )
    if "not" in schema and not list(faults(value, schema["not"], where)):
        yield where
    if "anyOf" in schema and all(list(faults(value, each, where)) for each in schema["anyOf"]):
        yield where
    for each in schema.get("allOf", ()):
        if "if" not in each or not list(faults(value, each["if"], where)):
            yield from faults(value, each.get("then", {}), where)


@pytest.mark.parametrize("path", sorted((REPOSITORY / "datasets").rglob("*.toml")), ids=str)
def test_shipped_cards_are_as_the_schema_says(path: Path) -> None:
    assert list(faults(tomllib.loads(path.read_text()), SCHEMA)) == []


@pytest.mark.parametrize(
    ("top", "parameter", "file", "fault"),
    [
        ("opened = false", "", f"content = 'sha256:{'0' * 64}'", ""),
        ("opened = 'no'", "", "", ".opened"),
        ("", "", f"content = '{'0' * 64}'", ".file.content"),
        ("", "", f"[[sources]]\n{SOURCE}\nmd5 = '{'0' * 32}'", ""),
        ("", "", f"[[sources]]\n{SOURCE}\nmd5 = 'x'", ".sources.md5"),
        ("", "", f"[[sources]]\n{SOURCE}\nmember = ['x']", ".sources.member"),
        ("", "", "[[sources]]\nname = 'x'\nurls = [1]", ".sources.urls"),
        ("", "", "[[sources]]\nname = 'x'\nmd5 = 'x'\nurls = []", ".sources.md5"),
        ("", "", "", ""),
        ("near_null = true\nconfounded = false\nkind = 'knockdown'", "genes = 5", "bytes = 0", ""),
        ("near_nul = true", "", "", ".near_nul"),
        ("near_null = 'yes'", "", "", ".near_null"),
        ("kind = 'activation'", "", "", ".kind"),
        ("notes = 'one'", "", "", ".notes"),
        ("notes = ['one', 2]", "", "", ".notes"),
        ("facts = {cells = [1]}", "", "", ".facts.cells"),
        ("facts = {cells = 1, share = 0.5, from = 'a', whole = true}", "", "", ""),
        ("normalise = 'log2'", "", "", ".normalise"),
        ("", "gene = 5", "", ".parameters.gene"),
        ("", "genes = '5'", "", ".parameters.genes"),
        ("", "genes = -5", "", ".parameters.genes"),
        ("", "scale = 'counts'", "", ".parameters.scale"),
        ("", "", "bytes = -1", ".file.bytes"),
        ("", "", "byte = 1", ".file.byte"),
        ("", "", "url = 1", ".file.url"),
    ],
)
def test_schema_and_checks_refuse_the_same(
    tmp_path: Path, top: str, parameter: str, file: str, fault: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CARD.format(top=top, parameter=parameter, file=file, sha256="0" * 64))
    assert list(faults(tomllib.loads(path.read_text()), SCHEMA)) == [fault] * bool(fault)
    if fault:
        with pytest.raises(UserError, match=re.escape(fault.strip(".").split(".")[-1])):
            read_card(path)
    else:
        read_card(path)


@pytest.mark.parametrize("key", [key for keys in TABLES.values() for key in keys], ids=str)
def test_every_key_is_described(key: Any) -> None:
    assert key.says
    assert not key.says.endswith(".")
    if key.example:
        value = tomllib.loads(f"key = {key.example}")["key"]
        assert key.takes(value)
        assert not key.choices or value in key.choices
    row = next(line for line in tables().splitlines() if line.startswith(f"| `{key.name}`"))
    assert row.count("|") == 4


@pytest.mark.parametrize("key", [key for key in TOP if key.example], ids=lambda key: key.name)
def test_a_key_that_a_card_leaves_out_can_be_put_to_use(tmp_path: Path, key: Any) -> None:
    said = {"name", "version", "summary", "loader", "scale"} - {key.name}
    lines = unsaid(said).splitlines()
    (line,) = (line for line in lines if line.startswith(f"# {key.name} = "))
    path = tmp_path / "mine.toml"
    text = CARD.format(top=line[2:], parameter="", file="", sha256="0" * 64)
    if key.required:
        text = re.sub(rf"^{key.name} = .*\n", "", text, count=1, flags=re.MULTILINE)
    path.write_text(text)
    assert key.name in read_card(path).card
    assert not [one for one in unsaid({*said, key.name}).splitlines() if f" {key.name} =" in one]


def test_the_example_is_a_card_and_so_is_all_that_it_could_say(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(example("mine"))
    few = read_card(path).card
    path.write_text(re.sub("^# ", "", example("mine"), flags=re.MULTILINE))
    card = read_card(path).card
    assert len(card) > len(few)
    assert {key.name for key in TOP} - {"facts", "obs_file", "recipe", "sources"} <= set(card)
    assert set(card["file"]) == {key.name for key in FILE}


def test_the_template_of_a_dataset_shows_a_card(tmp_path: Path) -> None:
    write("dataset", "my-own-thing", "my_own_thing", tmp_path / "x")
    (card,) = re.findall("```toml\n(.*?)```", (tmp_path / "x" / "README.md").read_text(), re.S)
    assert card == example("my-own-thing")
