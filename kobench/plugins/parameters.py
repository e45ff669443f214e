"""The parameters of a dataset or predictor: checked, completed, and written as one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kobench.errors import UserError
from kobench.specs import Param
from kobench.util.grammar import Selection, write_value
from kobench.util.text import suggestion
from kobench.util.values import same

_TYPES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}

#: What of a plugin takes the parameters of each kind.
MADE = {"predictor": "`__init__` of its class", "dataset": "the function that loads it"}

#: How long a value may be that is shown as a default, in characters.
SHORT = 20


def complete(
    selection: Selection, params: Mapping[str, Param], kind: str = "predictor"
) -> dict[str, Any]:
    """Check the parameters that were given, and fill in the others.

    Parameters
    ----------
    selection : Selection
        What was asked for.
    params : mapping of str to Param
        The parameters that there are.
    kind : str
        "predictor" or "dataset", for the messages.

    Returns
    -------
    dict
        A value for every parameter. A whole number is taken where a float is expected; true and
        false are no numbers. Where a parameter takes several, equal ones are one.

    Raises
    ------
    UserError
        For an unknown key, and for a value of another type, out of bounds or not among the choices.

    Examples
    --------
    >>> asked = Selection("grn", params={"sigma": 0})
    >>> complete(asked, {"sigma": Param(0.1, low=0.0), "seed": Param(0)}, "dataset")
    {'sigma': 0.0, 'seed': 0}
    """
    what = f"{kind} {selection.full_name!r}"
    for key in selection.params:
        if key not in params:
            raise UserError(
                f"{what} has no parameter {key!r}; {suggestion(key, params, 'its parameters')}. Its"
                f" plugin declares one in its spec: params={{{key!r}:"
                f" Param({_as_default(selection.params[key])}, 'what it does')}}, and takes"
                f" {key} in {MADE[kind]}"
            )
    completed = {}
    for key, param in params.items():
        if key in selection.params:
            completed[key] = _checked(selection.params[key], param, f"{key} of {what}")
        else:
            completed[key] = _default(param)
    return completed


def _as_default(value: Any) -> str:
    """A value as the default of a parameter that is declared; only what is short and plain."""
    text = repr(value)
    return text if isinstance(value, (bool, int, float, str)) and len(text) <= SHORT else "DEFAULT"


def _default(param: Param) -> Any:
    """The default as the grammar would read it: a tuple is a list."""
    return list(param.default) if isinstance(param.default, tuple) else param.default


def _checked(value: Any, param: Param, what: str) -> Any:
    """The value, in the type of the default; raises UserError where it is none for this parameter.

    what : the parameter in words, for the message.
    """
    if param.many and isinstance(value, list):
        if not value:
            raise UserError(f"{what} is an empty list; expected a value, or several")
        each = list(dict.fromkeys(_checked(one, replace(param, many=False), what) for one in value))
        # one in a list is that one, so that there is one text for it
        return each[0] if len(each) == 1 else each
    value = _of_type(value, _default(param), what)
    if param.choices is not None and not any(same(value, choice) for choice in param.choices):
        choices = ", ".join(map(write_value, param.choices))
        raise UserError(f"{what} is {write_value(value)}; expected one of {choices}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if param.low is not None and value < param.low:
            least = write_value(param.low)
            raise UserError(f"{what} is {write_value(value)}; expected at least {least}")
        if param.high is not None and value > param.high:
            most = write_value(param.high)
            raise UserError(f"{what} is {write_value(value)}; expected at most {most}")
    return value


def _of_type(value: Any, default: Any, what: str) -> Any:
    """The value, if it has the type of the default; a default of None takes any."""
    if default is None:
        return value
    expected = type(default)
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is expected:
        return value
    quotes = ""
    if expected is str and isinstance(value, (int, float)):
        quotes = f', so quote it: "{value}"'
    raise UserError(f"{what} is {write_value(value)}; expected {_TYPES[expected]}{quotes}")


def canonical(name: str, params: Mapping[str, Any], spec_params: Mapping[str, Param]) -> str:
    """Write the one text of a selection, from which `parse` and `complete` give `params` back.

    Parameters
    ----------
    name : str
        What is selected.
    params : mapping
        All its parameters.
    spec_params : mapping of str to Param
        What the parameters are.

    Returns
    -------
    str
        Keys are sorted, and values that equal their default are left out.

    Examples
    --------
    >>> canonical("grn", {"seed": 3, "sigma": 0.1}, {"sigma": Param(0.1), "seed": Param(0)})
    'grn:seed=3'
    """
    changed = [key for key in sorted(params) if not same(params[key], _default(spec_params[key]))]
    items = ",".join(f"{key}={write_value(params[key])}" for key in changed)
    return f"{name}:{items}" if items else name
