"""How JSON values of each type are read, checked and written."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Union, get_args, get_origin

from kobench.results.faults import Fault, shown

NONE = type(None)

#: How messages call types, and JSON Schema.
NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number", NONE: "null"}


class Kind(NamedTuple):
    """How values of one type are read and written.

    Attributes
    ----------
    plain : frozenset of type
        Types of values that are taken as they are.
    read : callable
        What makes a value of any other; raises Fault.
    write : callable, or None
        What makes a JSON value of a value again, None where it is one.
    """

    plain: frozenset[type]
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None


def kind_of(hint: Any) -> Kind:
    """How values of an annotated type are read and written."""
    if hint is Any:
        return Kind(frozenset(), lambda value: value)
    choices, scalars = choices_of(hint), scalars_of(hint)
    if len(scalars) == len(choices):
        accepted = accepted_of(scalars)
        return Kind(accepted, refusal(called(scalars)))
    (inner,) = (choice for choice in choices if choice not in scalars)
    kind = compound_of(inner)
    if NONE not in scalars:
        return kind
    write = kind.write
    return Kind(
        frozenset({NONE}),
        kind.read,
        None if write is None else lambda value: None if value is None else write(value),
    )


def compound_of(hint: Any) -> Kind:
    """How objects and lists are read and written."""
    origin = get_origin(hint)
    if origin is Mapping:
        return mapping_of(kind_of(get_args(hint)[1]))
    if origin is Sequence:
        (inner,) = get_args(hint)
        if scalars := scalars_of(inner):
            return Kind(frozenset(), list_reader(scalars), list)
        return parts_list(inner)
    if hasattr(hint, "from_json"):
        return Kind(frozenset(), hint.from_json, lambda part: part.to_json())
    raise TypeError(f"no part has fields of the type {hint!r}")


def mapping_of(kind: Kind) -> Kind:
    """Objects whose keys may be anything, each value of one kind."""

    def read(document: Any) -> dict[str, Any]:
        if type(document) is not dict:
            raise Fault(f"is {shown(document)}, expected an object")
        if kind.plain.issuperset(map(type, document.values())):
            return document
        values = {}
        for key, value in document.items():
            try:
                values[key] = value if type(value) in kind.plain else kind.read(value)
            except Fault as fault:
                raise fault.inside(key) from None
        return values

    write = kind.write
    if write is None:
        return Kind(frozenset(), read, dict)
    return Kind(
        frozenset(), read, lambda values: {key: write(value) for key, value in values.items()}
    )


def list_reader(scalars: Sequence[type]) -> Callable[[Any], list[Any]]:
    """What reads a list of values of these types."""
    accepted = accepted_of(scalars)

    def read(values: Any) -> list[Any]:
        if type(values) is not list:
            raise Fault(f"is {shown(values)}, expected a list")
        if not accepted.issuperset(map(type, values)):
            strange = next(value for value in values if type(value) not in accepted)
            raise Fault(f"holds {shown(strange)}, expected {called(scalars)}")
        return values

    return read


def parts_list(part: Any) -> Kind:
    """Lists of parts."""

    def read(values: Any) -> list[Any]:
        if type(values) is not list:
            raise Fault(f"is {shown(values)}, expected a list")
        return [part.from_json(value) for value in values]

    return Kind(frozenset(), read, lambda values: [value.to_json() for value in values])


def refusal(expected: str) -> Callable[[Any], Any]:
    """What refuses every value, because something else is expected."""

    def read(value: Any) -> Any:
        raise Fault(f"is {shown(value)}, expected {expected}")

    return read


def choices_of(hint: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def scalars_of(hint: Any) -> list[type]:
    """Those of the types that are texts, numbers, truth values or null."""
    return [choice for choice in choices_of(hint) if choice in NAMES]


def accepted_of(scalars: Sequence[type]) -> frozenset[type]:
    """The types that values may have: a whole number is a number, too."""
    return frozenset(scalars) | (frozenset({int}) if float in scalars else frozenset())


def called(scalars: Sequence[type]) -> str:
    """How a message calls types."""
    return " or ".join(NAMES[one] for one in scalars if not (one is int and float in scalars))
