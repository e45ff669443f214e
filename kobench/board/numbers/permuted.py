"""Whether a score shows that a predictor knows which gene was removed: the same answers, permuted
among the perturbations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import erfc, fsum, sqrt
from typing import Any

from kobench.board.numbers.series import Key, Numbers
from kobench.board.table import Permuted


def permuted_of(numbers: Numbers, key: Key, metric: str, sign: float) -> Permuted | None:
    """A row's permuted answers by one metric, None unless every fit that has a value has them, too.

    One network with one fit: p as recorded, exact up to the number of permutations. Several: see
    `combined`.
    """
    slots = []
    for _, fits in sorted(numbers.scores.get(key, {}).items()):
        entries = [
            entry
            for fit in fits
            if (entry := fit["metrics"].get(metric)) and entry["value"] is not None
        ]
        if any(not entry.get("permuted") for entry in entries):
            return None
        slots += [entries] if entries else []
    if not slots:
        return None
    if len(slots) == len(slots[0]) == 1:
        one = slots[0][0]["permuted"]
        return Permuted(float(one["mean"]), float(one["p"]), float(one["low"]), float(one["high"]))
    return combined(slots, sign)


def combined(slots: Sequence[Sequence[Mapping[str, Any]]], sign: float) -> Permuted:
    """Several networks together, by a normal approximation (Stouffer's idea, on the scale of the
    score).

    z = (mean observed - mean permuted) / (sqrt(sum sd^2) / K) over K networks; fits of one network
    are averaged first, their sd too, as they share its permutations. p is the upper tail of z (the
    lower one where lower is better).

    >>> made = [[{"value": 0.3, "permuted": {"mean": 0.0, "sd": 0.2}}], [{"value": 0.1, "permuted": {"mean": 0.0, "sd": 0.2}}]]
    >>> round(combined(made, 1.0).p, 4)  # z = 0.2 / (0.2 / sqrt(2)) = 1.4142
    0.0786
    """
    observed = [average(entry["value"] for entry in entries) for entries in slots]
    means = [average(entry["permuted"]["mean"] for entry in entries) for entries in slots]
    deviations = [average(entry["permuted"]["sd"] for entry in entries) for entries in slots]
    gain = sign * (average(observed) - average(means))
    spread = sqrt(fsum(deviation**2 for deviation in deviations)) / len(slots)
    if spread == 0:
        return Permuted(average(means), 0.0 if gain > 0 else 1.0, networks=len(slots))
    return Permuted(average(means), erfc(gain / spread / sqrt(2)) / 2, networks=len(slots))


def average(values: Iterable[float]) -> float:
    """The mean, the same in any order."""
    known = list(values)
    return fsum(known) / len(known)
