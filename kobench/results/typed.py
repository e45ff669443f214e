"""Typed parts of a JSON document: dataclasses that are read, checked and written by their fields.

A part names its fields and their types; reading checks every one of them and says where a document
differs. What a document lacks and what it has beside the known fields is remembered, so that it is
written as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Self, get_type_hints

from kobench.results.faults import Fault, shown
from kobench.results.kinds import kind_of

#: The `others` of most parts.
NO_OTHERS: Mapping[str, Any] = {}


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
    absent : tuple of str, or None
        Names of the fields whose keys the document lacks; None for a part that was made here.
    others : mapping of str
        Keys of the document that are no fields of the part, with their values.
    """

    absent: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    others: Mapping[str, Any] = field(default_factory=lambda: NO_OTHERS, repr=False)

    #: The fields of every part, which are no keys of its document.
    OWN: ClassVar[frozenset[str]] = frozenset({"absent", "others"})

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """The part that a JSON value stands for.

        Parameters
        ----------
        document : any JSON value
            Expected to be an object with the keys of the part.

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
