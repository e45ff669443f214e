"""Whether a score shows that a predictor knows which gene was removed.

The same answers are permuted among the perturbations, and scored again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, fsum, sqrt
from typing import NamedTuple

from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import Key, mean
from kobench.board.row import Permuted
from kobench.results.parts import PermutedScores


class Permutable(NamedTuple):
    """One fit's score, and the scores of its permuted answers."""

    value: float
    permuted: PermutedScores


def permuted_of(numbers: Numbers, key: Key, metric: str, sign: float) -> Permuted | None:
    """A row's permuted answers by one metric.

    One network with one fit: p as recorded, exact up to the number of permutations. Several: see
    `combined`.

    Parameters
    ----------
    numbers : Numbers
        The numbers of the section.
    key : Key
        The row.
    metric : str
        Name of the metric.
    sign : float
        +1 where higher is better, -1 where lower is.

    Returns
    -------
    Permuted or None
        None unless every fit that has a value has them, too.
    """
    networks = []
    for _, fits in sorted(numbers.scores.get(key, {}).items()):
        scores = [fit.metrics[metric] for fit in fits if metric in fit.metrics]
        known = [(score.value, score.permuted) for score in scores if score.value is not None]
        found = [Permutable(value, one) for value, one in known if one is not None]
        if len(found) < len(known):
            return None
        networks += [found] if found else []
    if not networks:
        return None
    if len(networks) == len(networks[0]) == 1:
        one = networks[0][0].permuted
        return Permuted(float(one.mean), float(one.p), float(one.low), float(one.high))
    return combined(networks, sign)


def combined(networks: Sequence[Sequence[Permutable]], sign: float) -> Permuted:
    """Several networks together, by a normal approximation.

    Parameters
    ----------
    networks : K sequences of Permutable
        The fits of each of K networks.
    sign : float
        +1 where higher is better, -1 where lower is.

    Notes
    -----
    z = (mean observed - mean permuted) / (sqrt(sum sd^2) / K), Stouffer's idea on the scale of the
    score. Fits of one network are averaged first, their sd too, as they share its permutations. p
    is the upper tail of sign * z.

    >>> one = PermutedScores(mean=0.0, sd=0.2, low=-0.4, high=0.4, p=0.1, draws=1000)
    >>> made = [[Permutable(0.3, one)], [Permutable(0.1, one)]]
    >>> round(combined(made, 1.0).p, 4)  # z = 0.2 / (0.2 / sqrt(2)) = 1.4142
    0.0786
    """
    observed = [mean([one.value for one in fits]) for fits in networks]
    means = [mean([one.permuted.mean for one in fits]) for fits in networks]
    deviations = [mean([one.permuted.sd for one in fits]) for fits in networks]
    gain = sign * (mean(observed) - mean(means))
    spread = sqrt(fsum(deviation**2 for deviation in deviations)) / len(networks)
    if spread == 0:
        return Permuted(mean(means), 0.0 if gain > 0 else 1.0, networks=len(networks))
    return Permuted(mean(means), erfc(gain / spread / sqrt(2)) / 2, networks=len(networks))
