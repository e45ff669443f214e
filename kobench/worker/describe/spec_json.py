"""Specs as plain JSON values, and back: how a child says what a plugin offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kobench.specs import KINDS, Param, Spec, kind_of

#: Fields that are tuples, which JSON writes as lists.
_TUPLES = (
    *("answers", "tasks", "primary", "floors", "lines"),
    *("developed_on", "equation_of", "same_cells"),
)


def spec_to_json(spec: Spec) -> dict[str, Any]:
    """Write a spec as plain JSON values.

    Parameters
    ----------
    spec : Spec
        A spec whose reference is a string by now.

    Returns
    -------
    dict
        Its fields and its "kind". Infinite bounds are "inf" and "-inf".
    """
    kind = kind_of(spec)
    values = {entry.name: getattr(spec, entry.name) for entry in fields(KINDS[kind])}
    if "params" in values:
        values["params"] = {key: _plain(vars(param)) for key, param in values["params"].items()}
    return {"kind": kind, **_plain(values)}


def spec_from_json(document: Mapping[str, Any]) -> Spec:
    """Read the spec that `spec_to_json` wrote.

    Parameters
    ----------
    document : mapping
        What `spec_to_json` returned.

    Returns
    -------
    Spec
        A spec equal to the one that was written.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where the document is anything else.
    """
    values = dict(document)
    cls = KINDS[values.pop("kind")]
    values = {
        key: tuple(value) if key in _TUPLES and value is not None else value
        for key, value in values.items()
    }
    for bound in ("best", "low", "high"):
        if bound in values:
            values[bound] = _number(values[bound])
    if "params" in values:
        values["params"] = {key: _param(param) for key, param in values["params"].items()}
    return cls(**values)


def _param(document: Mapping[str, Any]) -> Param:
    """Read one parameter back."""
    values = dict(document)
    for bound in ("low", "high"):
        if values[bound] is not None:
            values[bound] = _number(values[bound])
    if values["choices"] is not None:
        values["choices"] = tuple(values["choices"])
    if values.get("only_with") is not None:
        values["only_with"] = tuple(values["only_with"])
    return Param(**values)


def _plain(value: Any) -> Any:
    """Mappings as dicts, tuples as lists, infinite numbers as text."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _number(value: Any) -> Any:
    """Undo the text for an infinite number."""
    return float(value) if value in ("inf", "-inf") else value
