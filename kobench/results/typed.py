"""Typed parts of a JSON document: dataclasses that are read, checked and written by their fields.

A part names its fields and their types; reading checks every one of them and says where a document
differs. What a document lacks and what it has beside the known fields is remembered, so that it is
written as it was read.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, Self, Union, get_args, get_origin, get_type_hints

NONE = type(None)

#: How messages call types, and JSON Schema.
NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number", NONE: "null"}

#: The `others` of most parts.
NO_OTHERS: Mapping[str, Any] = {}


class Fault(ValueError):  # noqa: N818 - it is about a document, not about a program
    """A document that is not what its part expects: where, what is there, what is expected."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place} {problem}")
        self.problem, self.place = problem, place

    def inside(self, name: str) -> Fault:
        """The same fault, seen from the object that has the faulty one under `name`."""
        return Fault(self.problem, f"{name}.{self.place}" if self.place else name)


def optional() -> Any:
    """A field that is None where it says nothing; its key is then left out."""
    return field(default=None, metadata={"optional": True})


def older(default: Any = None) -> Any:
    """A field that is always written, though records made before it was thought of lack it."""
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"older": True})
    return field(default=default, metadata={"older": True})


@dataclass(frozen=True, kw_only=True)
class Part:
    """A JSON object with typed fields.

    Attributes
    ----------
    absent : names of the fields whose keys the document lacks; None for a part that was made here
    others : keys of the document that are no fields of the part, with their values
    """

    absent: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    others: Mapping[str, Any] = field(default_factory=lambda: NO_OTHERS, repr=False)

    #: The fields of every part, which are no keys of its document.
    OWN: ClassVar[frozenset[str]] = frozenset({"absent", "others"})

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """The part that a JSON value stands for.

        Raises
        ------
        Fault
            For a missing key and a value of another type.
        """
        if type(document) is not dict:
            raise Fault(f"is {shown(document)}, expected an object")
        values: dict[str, Any] = {"absent": (), "others": NO_OTHERS}
        for name, plain, read, _, default in plan_of(cls):
            if name in document:
                value = document[name]
                if type(value) not in plain:
                    try:
                        value = read(value)
                    except Fault as fault:
                        raise fault.inside(name) from None
                values[name] = value
            elif default is None:
                raise Fault("is missing", name)
            else:
                values[name] = default()
                values["absent"] += (name,)
        if len(values) - 2 - len(values["absent"]) < len(document):
            values["others"] = {key: document[key] for key in document if key not in values}
        part = object.__new__(cls)
        part.__dict__.update(values)  # checked above; __init__ would set them one by one
        return part

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the part, with the same keys as the one that it was read from."""
        document: dict[str, Any] = {}
        absent = optional_of(type(self)) if self.absent is None else self.absent
        for name, _, _, write, default in plan_of(type(self)):
            value = self.__dict__[name]
            if name in absent and default is not None and value == default():
                continue
            document[name] = value if write is None else write(value)
        return {**document, **self.others}

    def __getitem__(self, key: str) -> Any:
        """A field by its key, for callers that read records as documents; KeyError without it."""
        if key in self:
            return self.__dict__.get(key, self.others.get(key))
        raise KeyError(key)

    def __contains__(self, key: str) -> bool:
        """Whether the document has the key."""
        if key in self.others:
            return True
        known = {name for name, *_ in plan_of(type(self))}
        absent = optional_of(type(self)) if self.absent is None else self.absent
        return key in known and (key not in absent or self.__dict__[key] is not None)

    def get(self, key: str, default: Any = None) -> Any:
        """A field by its key, or the default where the document lacks it."""
        return self[key] if key in self else default  # noqa: SIM401 - this is `get`


class Kind(NamedTuple):
    """How values of one type are read and written.

    Attributes
    ----------
    plain : types of values that are taken as they are
    read : what makes a value of any other; raises Fault
    write : what makes a JSON value of a value again, None where it is one
    """

    plain: frozenset[type]
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None


#: One field of a part: its name, its `Kind`, and what makes its value where the key is missing;
#: None where it must not be.
Planned = tuple[
    str,
    frozenset[type],
    Callable[[Any], Any],
    Callable[[Any], Any] | None,
    Callable[[], Any] | None,
]


#: The plans made so far, and the names of optional fields.
PLANS: dict[type[Part], tuple[Planned, ...]] = {}
OPTIONAL: dict[type[Part], frozenset[str]] = {}


def plan_of(part: type[Part]) -> tuple[Planned, ...]:
    """The fields of a part in the order in which they are checked."""
    if part not in PLANS:
        hints = get_type_hints(part)
        PLANS[part] = tuple(
            (one.name, *kind_of(hints[one.name]), default_of(one)) for one in fields_of(part)
        )
    return PLANS[part]


def optional_of(part: type[Part]) -> frozenset[str]:
    """Names of the fields whose keys are left out where they say nothing."""
    if part not in OPTIONAL:
        OPTIONAL[part] = frozenset(
            one.name for one in fields_of(part) if one.metadata.get("optional")
        )
    return OPTIONAL[part]


def fields_of(part: type[Part]) -> list[Field[Any]]:
    """The fields of a part that are keys of its document."""
    return [one for one in fields(part) if one.name not in Part.OWN]


def default_of(one: Field[Any]) -> Callable[[], Any] | None:
    """What makes the value of a field whose key is missing, None for a required one."""
    if one.default_factory is not MISSING:
        return one.default_factory
    return None if one.default is MISSING else lambda: one.default


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
    if isinstance(hint, type) and issubclass(hint, Part):
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


def parts_list(part: type[Part]) -> Kind:
    """Lists of parts."""

    def read(values: Any) -> list[Part]:
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


def shown(value: Any) -> str:
    """A value as JSON, cut short."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
