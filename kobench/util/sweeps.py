"""The settings of a sweep: every combination of listed values, or random draws of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import islice, product
from typing import Any

import numpy as np

from kobench.errors import UserError

#: A range to draw from, `0.1..2` or, by the logarithm, `log:0.001..1`.
RANGE = re.compile(r"(log:)?(-?[0-9.]+(?:[eE]-?[0-9]+)?)\.\.(-?[0-9.]+(?:[eE]-?[0-9]+)?)")

#: The most settings of a sweep: far more than can be told apart.
MOST = 1000


def values_of(key: str, value: Any, default: Any) -> list[Any] | tuple[bool, float, float]:
    """What a parameter may be in a sweep: values, or a range (by logarithm, low, high).

    Where a parameter is a list itself, a list of lists has several values.

    Examples
    --------
    >>> values_of("alpha", [0.1, 0.2], 1.0), values_of("layers", [10, 5], [8])
    ([0.1, 0.2], [[10, 5]])
    >>> values_of("alpha", "log:0.001..1", 0.1)
    (True, 0.001, 1.0)
    """
    if isinstance(value, list):
        nested = bool(value) and all(isinstance(one, list) for one in value)
        of_lists = isinstance(default, (list, tuple))
        if of_lists:
            return value if nested else [value]
        if not value:
            raise UserError(f"{key} is an empty list; give the values to try, as {key}=[1,2]")
        return value
    found = RANGE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return [value]
    try:
        low, high = float(found[2]), float(found[3])
    except ValueError:
        return [value]
    if not low < high or (found[1] and low <= 0):
        raise UserError(
            f"{key}={value} is no range to draw from; expected low..high, low below high"
            f"{' and above 0' if found[1] else ''}"
        )
    return bool(found[1]), low, high


def settings_of(
    params: Mapping[str, Any], defaults: Mapping[str, Any], draws: int | None, seed: int
) -> list[dict[str, Any]]:
    """The settings of a sweep, each once.

    Parameters
    ----------
    params : mapping
        The parameters that were given: a list stands for its values, a range for what lies in it.
    defaults : mapping
        The default of each parameter of the predictor.
    draws : int or None
        How many settings to draw at random; None for every combination.
    seed : int
        Of the draws: the same seed, the same settings.

    Raises
    ------
    UserError
        For a range without draws, and for too many settings.

    Examples
    --------
    >>> settings_of({"a": [1, 2], "b": 3}, {"a": 0, "b": 0}, None, 0)
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    axes = {key: values_of(key, value, defaults.get(key)) for key, value in params.items()}
    ranges = [key for key, values in axes.items() if isinstance(values, tuple)]
    if draws is None:
        if ranges:
            raise UserError(
                f"{ranges[0]} is a range, of which settings are drawn: add --draws N, or list its"
                f" values as {ranges[0]}=[1,2]"
            )
        lists = [values for values in axes.values() if isinstance(values, list)]
        count = math.prod(len(values) for values in lists)
        if count > MOST:
            raise UserError(f"these are {count:,} settings, more than {MOST:,}; use --draws N")
        every = [dict(zip(axes, each)) for each in product(*lists)]  # noqa: B905 - Python 3.9
        return unique(every)
    rng = np.random.default_rng(seed)
    if not ranges:
        lists = [values for values in axes.values() if isinstance(values, list)]
        count = math.prod(len(values) for values in lists)
        if count <= MOST * 100:
            every = [dict(zip(axes, each)) for each in product(*lists)]  # noqa: B905 - Python 3.9
            order = rng.permutation(len(every))
            return unique([every[place] for place in order])[:draws]
    drawn: list[dict[str, Any]] = []
    for _ in islice(range(100 * draws), 100 * draws):
        drawn = unique([*drawn, {key: draw(rng, axes[key], defaults.get(key)) for key in axes}])
        if len(drawn) == draws:
            break
    return drawn


def draw(
    rng: np.random.Generator, values: list[Any] | tuple[bool, float, float], default: Any
) -> Any:
    """One value of a parameter, with three digits where it is a number of a range."""
    if isinstance(values, list):
        return values[int(rng.integers(len(values)))]
    by_log, low, high = values
    if by_log:
        found = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        found = float(rng.uniform(low, high))
    if isinstance(default, int) and not isinstance(default, bool):
        return round(found)
    return float(f"{found:.3g}")


def unique(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Settings in their order, each once."""
    found: list[dict[str, Any]] = []
    for one in settings:
        if one not in found:
            found.append(one)
    return found
