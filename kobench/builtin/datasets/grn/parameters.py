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
    """All of `params`, those given and the defaults of the others; raises UserError, in the name of
    the data set `name`.
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
    if isinstance(param.default, str):
        fits, wanted = (
            isinstance(value, str) and value in (param.choices or ()),
            " or ".join(map(str, param.choices or ())),
        )
    else:
        whole = isinstance(param.default, int)
        low, high = (
            param.low if param.low is not None else -np.inf,
            param.high if param.high is not None else np.inf,
        )
        fits = (
            isinstance(value, int if whole else (int, float))
            and not isinstance(value, bool)
            and low <= value <= high
        )
        wanted = f"{'a whole number' if whole else 'a number'} from {low:g}" + (
            f" to {high:g}" if high < np.inf else ""
        )
        value = value if whole or not fits else float(value)
    if not fits:
        raise UserError(f"{name}: {key}={value!r} is not possible; give {wanted}")
    return value
