"""Whether a score shows that a predictor knows which gene was removed.

The same answers are permuted among the perturbations, and scored again. Fits and splits of one
network, or of one real dataset, are one piece of evidence: their scores are averaged permutation by
permutation, as each is the same in all of them. Networks are independent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import erfc, fsum, sqrt
from typing import TypeVar

import numpy as np

from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import Key, mean
from kobench.board.row import Permuted
from kobench.cells import FloatArray
from kobench.results.parts import PermutedScores
from kobench.util.chance import MANY, least_p

#: Scores of permutations that are closer to the score than this part of the largest are as good:
#: records keep four digits of them.
ROUNDED = 5e-4

K = TypeVar("K")


@dataclass(frozen=True)
class Permutable:
    """One fit's score, and the scores of its permuted answers."""

    value: float
    permuted: PermutedScores


@dataclass(frozen=True, eq=False)
class Block:
    """A network, or a real dataset: the means over its splits.

    Attributes
    ----------
    value : float
        The score.
    mean, sd : float
        Mean and standard deviation of that of permuted answers.
    scores : (D,) float, or None
        What it is by each permutation, None where records do not keep them all.
    draws : int
        How many permutations were drawn.
    names : frozenset of str
        The perturbations, none where that is not known.
    """

    value: float
    mean: float
    sd: float
    scores: FloatArray | None
    draws: int
    names: frozenset[str]


def permuted_of(numbers: Numbers, key: Key, metric: str, sign: float) -> Permuted | None:
    """A row's permuted answers by one metric.

    One fit: p as recorded, exact up to the number of permutations. Several: see `combined`.

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
    blocks: dict[str, list[list[Permutable]]] = defaultdict(list)
    for (block, _), fits in sorted(numbers.scores.get(key, {}).items()):
        scores = [fit.metrics[metric] for fit in fits if metric in fit.metrics]
        known = [(score.value, score.permuted) for score in scores if score.value is not None]
        found = [Permutable(value, one) for value, one in known if one is not None]
        if len(found) < len(known):
            return None
        if found:
            blocks[numbers.networks.evidence(block)].append(found)
    if not blocks:
        return None
    every = [one for splits in blocks.values() for fits in splits for one in fits]
    if len(every) == 1:
        one = every[0].permuted
        return Permuted(float(one.mean), float(one.p), float(one.low), float(one.high))
    alike = numbers.networks.permuted_alike
    return combined(
        [block_of(splits, alike(block)) for block, splits in sorted(blocks.items())], sign
    )


def block_of(splits: Sequence[Sequence[Permutable]], alike: bool = True) -> Block:
    """One network or dataset, from the fits of each of its R splits.

    Parameters
    ----------
    splits : sequence of sequence of Permutable
        The fits of each split.
    alike : bool
        Whether a permutation is the same in all splits.

    Notes
    -----
    The spread of the mean is that of the mean of each permutation's scores, on the scale of the
    recorded ones. Where a fit does not keep them, or they are not alike, it is the mean of the
    spreads, as though splits were one: never too narrow.
    """
    value = mean([mean([one.value for one in fits]) for fits in splits])
    center = mean([mean([one.permuted.mean for one in fits]) for fits in splits])
    spread = mean([mean([one.permuted.sd for one in fits]) for fits in splits])
    every = [one.permuted for fits in splits for one in fits]
    draws = min(one.draws for one in every)
    names = [
        frozenset(name for one in fits for name in one.permuted.names or ()) for fits in splits
    ]
    union = frozenset.union(*names) if all(names) else frozenset()
    lengths = {len(one.scores or ()) for one in every}
    if len(lengths) > 1 or 0 in lengths or not alike:
        return Block(value, center, spread, None, draws, union)
    kept = [np.array([one.permuted.scores for one in fits], np.float64) for fits in splits]
    alone = mean([float(scores.std(axis=1).mean()) for scores in kept])
    averaged = one_spread(np.array([scores.mean(axis=0) for scores in kept]), names)
    if alone > 0:
        spread *= min(1.0, float(averaged.std()) / alone)
    whole = lengths == {draws} and all(one.draws == draws for one in every)
    return Block(value, center, spread, averaged if whole else None, draws, union)


def one_spread(scores: FloatArray, names: Sequence[frozenset[str]]) -> FloatArray:
    """The mean over splits of the scores of each permutation, spread as it would be on one set.

    Parameters
    ----------
    scores : (R, D) float
        Score in each split by each permutation.
    names : R of frozenset of str
        The perturbations of each split.

    Returns
    -------
    (D,) float

    Notes
    -----
    A permutation gives a perturbation the same answer in two splits, unless that answer is of a
    perturbation which one of them lacks. Of those that both have, so many are given the same as
    both share of all that either has. The covariance of two splits is divided by that share, as
    their scores vary together over all that both have. No mean strays further than its splits do.
    """
    means: FloatArray = scores.mean(axis=0)
    if len(set(names)) == 1:
        return means
    covariance = np.cov(scores, ddof=0)
    deviations = np.sqrt(np.diag(covariance))
    most = np.outer(deviations, deviations)
    shared = np.array([[len(a & b) / max(1, len(a | b)) for b in names] for a in names])
    whole = np.divide(covariance, shared, out=most.copy(), where=shared > 0)
    found, wanted = float(covariance.mean()), float(np.minimum(whole, most).mean())
    if found <= 0 or wanted <= found:
        return means
    center = means.mean()
    return np.asarray(center + sqrt(wanted / found) * (means - center))


def combined(blocks: Sequence[Block], sign: float) -> Permuted:
    """K networks, or one dataset with several splits or fits.

    Parameters
    ----------
    blocks : K of Block
        They are independent.
    sign : float
        +1 where higher is better, -1 where lower is.

    Notes
    -----
    Where all permutations are kept, those of all blocks are averaged one by one, as they were drawn
    independently, and p is (1 + those that score as well) / (1 + their number). Else z = (mean
    observed - mean permuted) / (sqrt(sum sd^2) / K), Stouffer's idea on the scale of the score, and
    p is the upper tail of sign * z. It is never smaller than `least_p`.

    >>> one = Block(0.3, 0.0, 0.2, None, 1000, frozenset())
    >>> round(combined([one, replace(one, value=0.1)], 1.0).p, 4)  # z = 0.2 / (0.2 / sqrt(2))
    0.0786
    """
    value, center = mean([one.value for one in blocks]), mean([one.mean for one in blocks])
    known = all(one.names for one in blocks)
    least = least_p(
        [len(one.names) if known else MANY for one in blocks],
        min(one.draws for one in blocks),
    )
    kept = [one.scores for one in blocks if one.scores is not None]
    if len(kept) == len(blocks) and len({len(scores) for scores in kept}) == 1:
        scores = np.mean(kept, axis=0)
        close = ROUNDED * max(abs(value), float(np.abs(scores).max()))
        p = (1 + int((sign * scores >= sign * value - close).sum())) / (1 + len(scores))
        low, high = (float(end) for end in np.quantile(scores, [0.025, 0.975]))
        if len(blocks) == 1:
            return Permuted(center, max(p, least), low, high)
        return Permuted(center, max(p, least), networks=len(blocks))
    gain = sign * (value - center)
    spread = sqrt(fsum(one.sd**2 for one in blocks)) / len(blocks)
    if spread == 0:
        return Permuted(center, least if gain > 0 else 1.0, networks=len(blocks))
    return Permuted(center, max(erfc(gain / spread / sqrt(2)) / 2, least), networks=len(blocks))


def among_all(found: Mapping[K, Permuted]) -> dict[K, Permuted]:
    """The p of several predictors, each with what is left of it among so many, by Holm.

    Of twelve predictors that know nothing one has a p under 0.05 in 46 % of the sections. A section
    claims of none of them that it knows which gene was removed, in 95 %.

    Notes
    -----
    The i-th smallest of m is multiplied by m + 1 - i, and is no smaller than those before it: S.
    Holm, Scand. J. Stat. 6:65 (1979).

    >>> found = {"a": Permuted(0.0, 0.03), "b": Permuted(0.0, 0.01), "c": Permuted(0.0, 0.5)}
    >>> [round(one.among, 3) for one in among_all(found).values()]
    [0.06, 0.03, 0.5]
    """
    adjusted, largest = {}, 0.0
    for place, (key, one) in enumerate(sorted(found.items(), key=lambda item: item[1].p)):
        largest = max(largest, min(1.0, (len(found) - place) * one.p))
        adjusted[key] = replace(one, among=largest)
    return {key: adjusted[key] for key in found}
