"""Parameters filled in with their defaults, and checked one by one and against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kobench.builtin.datasets.grn.spec import PARAMS
from kobench.errors import UserError
from kobench.specs import Param


def complete(
    given: Mapping[str, Any], params: Mapping[str, Param] = PARAMS, name: str = "grn"
) -> dict[str, Any]:
    """The value of every parameter.

    Parameters
    ----------
    given : mapping of str
        The values that are set; the others have their defaults.
    params : mapping of str to Param
        All parameters.
    name : str
        Name of the dataset, for messages.

    Raises
    ------
    UserError
        For an unknown parameter, a value out of its range, or values that contradict each other.
    """
    for key in given:
        if key not in params:
            raise UserError(f"{name} has no parameter {key!r}; it has {', '.join(params)}")
    p = {
        key: _checked(key, given.get(key, param.default), param, name)
        for key, param in params.items()
    }
    if p["gamma"] <= 2.0:
        raise UserError(
            f"{name}: gamma={p['gamma']:g} gives no finite mean degree; give an exponent over 2,"
            " for instance 2.5"
        )
    if p["genes"] > 1 and p["degree"] > p["genes"] - 1:
        raise UserError(
            f"{name}: degree={p['degree']:g} is more than the {p['genes'] - 1} possible regulators"
            f" of a gene with genes={p['genes']}; lower degree or raise genes"
        )
    if p["modules"] > p["genes"] and p["absence"] == "modules":
        raise UserError(
            f"{name}: modules={p['modules']} is more than genes={p['genes']}; lower modules"
        )
    if p["cell_types"] > p["cells"]:
        raise UserError(
            f"{name}: cell_types={p['cell_types']} is more than cells={p['cells']}; lower"
            " cell_types or raise cells"
        )
    if "perturbations" in p:
        _check_planted(p, name)
    return p


def _check_planted(p: Mapping[str, Any], name: str) -> None:
    """UserError where the parameters that `planted` adds contradict each other."""
    if p["perturbations"] > p["genes"]:
        raise UserError(
            f"{name}: perturbations={p['perturbations']} is more than genes={p['genes']}; lower"
            " perturbations or raise genes"
        )
    pairs = p["perturbations"] * (p["perturbations"] - 1) // 2
    if p["doubles"] > pairs:
        raise UserError(
            f"{name}: doubles={p['doubles']} is more than the {pairs} pairs of the genes of"
            f" perturbations={p['perturbations']}; lower doubles or raise perturbations"
        )
    if p["batches"] > p["cells"]:
        raise UserError(
            f"{name}: batches={p['batches']} is more than cells={p['cells']}; lower batches or"
            " raise cells"
        )


def _checked(key: str, value: Any, param: Param, name: str) -> Any:
    """The value of one parameter, as a float where the default is one; UserError if it can't be."""
    if isinstance(param.default, str):
        choices = param.choices or ()
        fits, wanted = isinstance(value, str) and value in choices, " or ".join(map(str, choices))
    else:
        fits, wanted = _fits(value, param)
        if fits and isinstance(param.default, float):
            value = float(value)
    if not fits:
        raise UserError(f"{name}: {key}={value!r} is not possible; give {wanted}")
    return value


def _fits(value: Any, param: Param) -> tuple[bool, str]:
    """Whether a value is a number that the parameter takes, and in words what it takes."""
    whole = isinstance(param.default, int)
    low = -np.inf if param.low is None else param.low
    high = np.inf if param.high is None else param.high
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    wanted = f"{'a whole number' if whole else 'a number'} from {low:g}"
    if high < np.inf:
        wanted += f" to {high:g}"
    return number and low <= value <= high, wanted
