"""The JSON Schema of records, made from their types and what their docstrings say of fields."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from kobench.results.kinds import choices_of
from kobench.results.parts import Record
from kobench.results.typed import Part, fields_of, plan_of

#: How JSON Schema calls types.
NAMES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}

#: How a table calls them.
WORDS = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    type(None): "null",
}

_ENTRY = re.compile(r"^(\w+) : ")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a record."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kobench record",
        **object_of(Record),
        "$defs": {
            part.__name__: object_of(part) for part in parts_of(Record) if part is not Record
        },
    }


def object_of(part: type[Part]) -> dict[str, Any]:
    """The schema of one part; keys that it does not name are allowed."""
    hints, words = get_type_hints(part), field_words(part)
    return {
        "description": summary_of(part),
        "type": "object",
        "properties": {
            one.name: {"description": words[one.name], **value_of(hints[one.name])}
            for one in fields_of(part)
        },
        "required": required_of(part),
    }


def value_of(hint: Any) -> dict[str, Any]:
    """The schema of a field's type."""
    if hint is Any:
        return {}
    choices = choices_of(hint)
    if all(choice in NAMES for choice in choices):
        names = [NAMES[choice] for choice in choices]
        if "number" in names:
            names = [name for name in names if name != "integer"]
        return {"type": names[0] if len(names) == 1 else names}
    if len(choices) > 1:
        return {"anyOf": [value_of(choice) for choice in choices]}
    origin = get_origin(hint)
    if origin is Mapping:
        return {"type": "object", "additionalProperties": value_of(get_args(hint)[1])}
    if origin is Sequence:
        return {"type": "array", "items": value_of(get_args(hint)[0])}
    return {"$ref": f"#/$defs/{hint.__name__}"}


def type_words(part: type[Part], name: str) -> str:
    """The type of a field as a table says it.

    >>> from kobench.results.parts import DrawnValue, Keys
    >>> type_words(Keys, "scores"), type_words(DrawnValue, "draws")
    ('{name: text}', '[number or null]')
    """
    words = words_of(get_type_hints(part)[name])
    return words if name in required_of(part) else f"{words}; may be missing"


def words_of(hint: Any) -> str:
    """A type in words; a part by its name, with a link to its table."""
    if hint is Any:
        return "anything"
    choices = choices_of(hint)
    if len(choices) > 1:
        numbers = float in choices
        return " or ".join(
            words_of(choice) for choice in choices if not (choice is int and numbers)
        )
    if hint in WORDS:
        return WORDS[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Mapping:
        return f"{{name: {words_of(inner[1])}}}"
    if origin is Sequence:
        return f"[{words_of(inner[0])}]"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def required_of(part: type[Part]) -> list[str]:
    """Names of the fields without which a part can't be read."""
    return [name for name, _, _, _, default in plan_of(part) if default is None]


def parts_of(part: type[Part]) -> list[type[Part]]:
    """A part and all that its fields are made of, each once, from the whole to its parts."""
    found: dict[type[Part], None] = {part: None}
    for hint in get_type_hints(part).values():
        for inner in inner_parts(hint):
            found |= dict.fromkeys(parts_of(inner))
    return list(found)


def inner_parts(hint: Any) -> Iterator[type[Part]]:
    """The parts that a type is made of."""
    if isinstance(hint, type) and issubclass(hint, Part):
        yield hint
    for inner in get_args(hint):
        yield from inner_parts(inner)


def summary_of(part: type[Part]) -> str:
    """The first line of a part's docstring."""
    return (inspect.getdoc(part) or "").partition("\n")[0]


def field_words(part: type[Part]) -> dict[str, str]:
    """What a part's docstring says of each field, from its section of attributes.

    >>> from kobench.results.parts import DrawnEvents
    >>> field_words(DrawnEvents)
    {'asked': 'How many were drawn and asked.', 'of': 'How many there are.'}
    """
    section = (inspect.getdoc(part) or "").partition("Attributes\n----------\n")[2]
    words: dict[str, str] = {}
    for line in section.splitlines():
        if entry := _ENTRY.match(line):
            words[entry[1]] = ""
        elif line.startswith("    "):
            last = list(words)[-1]
            words[last] = f"{words[last]} {line.strip()}".lstrip()
    return words
