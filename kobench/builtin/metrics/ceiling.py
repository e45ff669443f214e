"""What an answer without error would score where changes were measured with noise.

By a correlation, and told from halves of the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kobench.cells import FloatArray

#: Signal of less than this part of a change is rounding.
ROUNDING = 1e-12

#: The doubt about the mean signal, in standard errors of it.
DOUBT = 2.0


@dataclass(frozen=True, eq=False)
class Power:
    """Signal and noise in k measured changes, as sums of squares over genes.

    Attributes
    ----------
    signal : (k,) float
        Unbiased, and so possibly below 0.
    noise : (k,) float
    variance : (k,) float
        How far the signal would stray if other cells had been measured; unbiased too.
    least : (k,) float
        What the variance is without any signal, hence the least that it can be.
    """

    signal: FloatArray
    noise: FloatArray
    variance: FloatArray
    least: FloatArray

    @classmethod
    def joined(cls, parts: Sequence[Power]) -> Power:
        """That of all changes, from that of some after the other."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    @classmethod
    def of(cls, halves: FloatArray) -> Power:
        """Signal and noise, told from halves of the cells.

        Parameters
        ----------
        halves : (s, 2, k, G) float
            The change in the two halves of s splits, as it is correlated (about the mean gene for
            Pearson's correlation), with 0 at the gaps.

        Notes
        -----
        With c the mean of two halves a and b, and d = (a - b) / 2: d is noise that is spread as
        that of c is, and c knows nothing of it. So the signal is the mean over splits of sum ab =
        sum cc - sum dd, and the noise is that of sum dd.

        The variance of sum cc is 4 E (sum cd)^2 - 2 t for normal noise of covariance C, as E (sum
        cd)^2 = true' C true + t, with t = trace CC = E (sum de)^2, e the d of another split. That
        of the mean sum dd of s splits is 2 t / s. With a single split t is not known: a variance of
        0.
        """
        first, second = halves[:, 0], halves[:, 1]
        apart = first - second
        apart /= 2
        signal = np.einsum("skg,skg->k", first, second) / len(halves)
        noise = np.einsum("skg,skg->k", apart, apart) / len(halves)
        s = len(halves)
        if s < 2:
            return cls(signal, noise, np.zeros(len(signal)), np.zeros(len(signal)))
        by_change = apart.transpose(1, 0, 2)
        table = by_change @ by_change.transpose(0, 2, 1)
        own = np.einsum("kss->ks", table)
        # t, the mean of (sum de)^2 over pairs of splits
        squared = ((table**2).sum(axis=(1, 2)) - (own**2).sum(axis=1)) / (s * (s - 1))
        middle = np.zeros(apart.shape[1:])
        for a, b in zip(first, second, strict=True):
            middle += (a + b) / 2
        along = (np.einsum("skg,kg->sk", apart, middle / s) ** 2).mean(axis=0)
        return cls(
            signal=signal,
            noise=noise,
            variance=4 * along - 2 * squared + 2 * squared / s,
            least=2 * squared + 2 * squared / s,
        )


def reachable(scored: Power, asked: Power) -> FloatArray:
    """Expected correlation of measured changes with the same changes without noise.

    Parameters
    ----------
    scored : Power
        Of the k changes that are scored.
    asked : Power
        Of all changes that were asked, of which the scored ones may be a choice.

    Returns
    -------
    (k,) float64
        For a mean over the scored changes.

    Notes
    -----
    sqrt(m / (m + n)), m the signal and n the noise: the formula of Spearman and Brown, Br. J.
    Psychol. 3:271 and 3:296 (1910), whose root bounds a correlation.

    Where cells vary in a few directions m of one change is a poor estimate, and the changes scored
    may have been chosen by it. So m is drawn towards the mean over all changes asked: m' = M + w /
    (w + v) (m - M), M their mean, v the variance of m and w what the variance of m over them is
    above their mean v (Efron & Morris, J. Am. Stat. Assoc. 70:311, 1975). 0 for m' below 0.

    Each value has a term that adds up to 0 over the scored changes: what it moves M by, so that
    changes drawn again hold the doubt about M. It is straight through the values at M and at M less
    `DOUBT` standard errors, and so at 0 where M can't be told from 0: the root is steep there, and
    its tangent at M would make little of that.
    """
    trust, mean = trusted(scored, asked), float(asked.signal.mean())
    signal = mean + trust * (scored.signal - mean)
    reached = _root(signal, scored.noise)
    doubt = DOUBT * float(np.sqrt(asked.signal.var() / max(len(asked.signal) - 1, 1)))
    if doubt == 0:
        return reached
    slope = float((reached - _root(signal - (1 - trust) * doubt, scored.noise)).mean()) / doubt
    moved: FloatArray = reached + slope * (scored.signal - scored.signal.mean())
    return moved


def _root(signal: FloatArray, noise: FloatArray) -> FloatArray:
    """(k,) sqrt(signal / (signal + noise)); 0 where the signal is below 0, or rounding."""
    whole = signal + noise
    known = (signal > 0) & (signal > ROUNDING * np.max(whole, initial=0.0))
    root: FloatArray = np.sqrt(np.divide(signal, whole, out=np.zeros_like(signal), where=known))
    return root


def trusted(scored: Power, asked: Power) -> FloatArray:
    """(k,) share of each scored signal's distance from the mean that is kept, w / (w + v).

    All of it where nothing is known of how far signals are apart; see the Notes of `reachable`.
    """
    if len(asked.signal) < 2:
        return np.ones(len(scored.signal))
    between = max(float(asked.signal.var(ddof=1) - asked.variance.mean()), 0.0)
    whole = between + np.maximum(scored.variance, scored.least)
    return np.divide(between, whole, out=np.ones_like(whole), where=whole > 0)
