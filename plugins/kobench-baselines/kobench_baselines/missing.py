"""Low readings that were lost: which zeros are missing, what they would have been, and the sums.

Expectation and maximisation (Dempster, Laird & Rubin, J. R. Stat. Soc. B 39:1, 1977), the
expectation by mean field: each zero has its own chance of being a lost reading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from scipy.special import expit

from kobench.api import Context
from kobench_baselines.common import Bools, Floats, Ints
from kobench_baselines.detection import BINS, Detection
from kobench_baselines.moments import LEAST_RELATIVE_TO
from kobench_baselines.presence import Presence
from kobench_baselines.regressions import (
    Fit,
    Taken,
    best_fit,
    fit_sums,
    narrowed,
    nearest,
    regulators_of,
)
from kobench_baselines.stepwise import Kind, features
from kobench_baselines.sums import BLOCK_ENTRIES, LEAST, Sums

#: Rounds of expectation and maximisation; from this part of them on, the variance of uncertain
#: features counts. Before, it would hold up what little is known.
ROUNDS, DOUBT_FROM = 12, 0.5

#: All candidates are looked at every so many rounds, between them so many of each gene.
LOOK_AGAIN, FEW = 4, 20

#: Steps of the mean field from the last chances on, and from none.
STEPS, STEPS_FROM_NONE = 6, 20

#: Each step goes this part of the way.
DAMPING = 0.5

#: The chance that a zero is a lost reading, before anything is known of it.
UNKNOWN = 0.3

#: Where the sums of zeros as they were read explain less than this, nothing is inferred from them.
LEAST_EXPLAINED = 0.5

#: Where less than this part of the readings is lost, none is taken for lost.
LEAST_LOST = 0.02

#: A kept reading stands for the lost ones like it, but for no more than this many in all.
MOST_WEIGHT = 5.0

#: Bounds of a gene's relative noise.
QUIETEST, LOUDEST = 0.02, 2.0


@dataclass(frozen=True, eq=False)
class Filled:
    """What n cells hold, with what was lost.

    Attributes
    ----------
    values : (n, G) float
        As read; where 0 was read, what the gene has if it is there.
    presence : (n, G) float
        The chance that it is there, 1 where it was read.
    """

    values: Floats
    presence: Floats

    @property
    def shown(self) -> Floats:
        """(n, G) the parts of the values that profiles show."""
        return shown(self.presence)


def shown(presence: Floats) -> Floats:
    """Chances with their odds squared.

    Profiles are compared by absolute differences. Of a value that is there with the chance p, its
    mean, p of it, is best by squares, and its median, all or nothing, by absolute differences as
    long as nothing else is unknown; this lies between them.

    >>> shown(np.array([0.0, 0.25, 0.5, 0.75, 1.0])).round(2).tolist()
    [0.0, 0.1, 0.5, 0.9, 1.0]
    """
    return np.asarray(presence**2 / (presence**2 + (1 - presence) ** 2))


@dataclass(frozen=True, eq=False)
class Filler:
    """Tells lost readings from absent genes.

    A zero of gene i was lost with the odds: those that gene i is there, by which other genes are
    there, times the chance that a value such as its regulators say is lost, times how much better
    the read values of the genes that it regulates fit with it than without it.

    Attributes
    ----------
    sums : Sums
    noise : (G,) float
        Standard deviation of each gene about its sum, relative to its value, or to a part of its
        mean where that is larger.
    detection : Detection
    prior : Presence
    """

    sums: Sums
    noise: Floats
    detection: Detection
    prior: Presence

    @classmethod
    def of(cls, fit: Fit, detection: Detection, prior: Presence) -> Filler:
        """By the sums of a fit, and its noise."""
        return cls(fit.sums, np.clip(fit.noise, QUIETEST, LOUDEST), detection, prior)

    def __call__(self, read: Floats) -> Filled:
        """Fill in what was lost of cells that were read as (n, G)."""
        on = read > 0
        start = Filled(np.where(on, read, self.sums.mean), np.where(on, 1.0, UNKNOWN))
        return self.improve(read, start, STEPS_FROM_NONE)[0]

    def improve(self, read: Floats, start: Filled, steps: int) -> tuple[Filled, Floats]:
        """Go on from what was filled in.

        Parameters
        ----------
        read : (n, G) float
            What was read.
        start : Filled
        steps : int
            How often all chances are worked out anew.

        Returns
        -------
        Filled
        (BINS,) float
            Expected number of lost readings by bin of the detection.
        """
        values, presence = start.values.copy(), start.presence.copy()
        by_bin, products = np.zeros(BINS), _Products.of(self.sums)
        step = max(1, BLOCK_ENTRIES // read.shape[1])
        for first in range(0, len(read), step):
            rows = slice(first, first + step)
            by_bin += self._block(read[rows], values[rows], presence[rows], steps, products)
        return Filled(values, presence), by_bin

    def _block(
        self, read: Floats, values: Floats, presence: Floats, steps: int, products: _Products
    ) -> Floats:
        """Improve a block of cells in place; returns what `improve` does by bin."""
        zeros = np.nonzero(read == 0)
        gene, on = zeros[1], read > 0
        least = LEAST_RELATIVE_TO * self.sums.mean
        by_bin = np.zeros((len(gene), BINS))
        chance = np.zeros(len(gene))
        for _ in range(steps):
            seen = features(values, self.sums.knots, self.sums.kind)
            said = self.sums.of_features(seen * presence[:, :, None])
            doubt = products.variances(seen, presence * (1 - presence))
            mean = np.maximum(said, LEAST * self.sums.mean)[zeros]
            spread = np.maximum(mean, least[gene]) * self.noise[gene]
            by_bin, lost = self.detection.where_lost(mean, np.sqrt(spread**2 + doubt[zeros]), gene)
            chance = by_bin.sum(axis=1)
            precision = on / ((np.maximum(read, least) * self.noise) ** 2 + doubt)
            fits = products.evidence(seen, presence, precision, np.where(on, read - said, 0.0))
            odds = self.prior(presence)[zeros] + np.log(np.maximum(chance, 1e-12)) + fits[zeros]
            posterior = expit(np.clip(odds, -30, 30))
            presence[zeros] += DAMPING * (posterior - presence[zeros])
            values[zeros] = lost
        shares = by_bin / np.maximum(chance, 1e-300)[:, None]
        return np.asarray(presence[zeros] @ shares)


@dataclass(frozen=True, eq=False)
class _Products:
    """Products of the coefficients of pairs of features, and their transposes."""

    singles: list[scipy.sparse.csr_array]
    pairs: list[tuple[int, int, scipy.sparse.csr_array, scipy.sparse.csr_array]]

    @classmethod
    def of(cls, sums: Sums) -> _Products:
        """Of the coefficients of these sums; a pair of two features counts twice."""
        pairs = []
        for one, first in enumerate(sums.coefficients):
            for other in range(one + 1):
                product = first.multiply(sums.coefficients[other]).tocsr() * (2 - (one == other))
                pairs.append((one, other, product, product.T.tocsr()))
        return cls([each.T.tocsr() for each in sums.coefficients], pairs)

    def variances(self, seen: Floats, of: Floats) -> Floats:
        """(n, G) variance of each gene's sum where presences have the variances `of` (n, G)."""
        total = np.zeros_like(of)
        for one, other, product, _ in self.pairs:
            total += (of * seen[:, :, one] * seen[:, :, other]) @ product
        return total

    def evidence(
        self, seen: Floats, presence: Floats, precision: Floats, residual: Floats
    ) -> Floats:
        """Log likelihood ratio (n, G) of read values with each gene there, against without it.

        With d what gene i adds to the sum of gene t, p its chance of being there and r the residual
        of gene t, both at p, it is the sum over t of precision_t (r d + (p - 1/2) d^2).
        """
        weighted = residual * precision
        total = np.zeros_like(residual)
        for place, transposed in enumerate(self.singles):
            total += seen[:, :, place] * (weighted @ transposed)
        half = presence - 0.5
        for one, other, _, transposed in self.pairs:
            total += half * seen[:, :, one] * seen[:, :, other] * (precision @ transposed)
        return total


@dataclass(frozen=True, eq=False)
class Learnt:
    """Sums that were fitted with what was lost filled in, and what fills it in.

    Attributes
    ----------
    fit : Fit
    filler : Filler
    lost : float
        Share of all readings of present genes that were lost.
    """

    fit: Fit
    filler: Filler
    lost: float


def learn_losses(
    read: Floats,
    as_read: Fit,
    chosen: list[Ints],
    fold: Ints,
    kinds: tuple[Kind, ...],
    most: int,
    penalty: float,
    context: Context,
) -> Learnt | None:
    """Fit sums and detection together; None where cells show no losses.

    Parameters
    ----------
    read : (n, G) float
        Training cells.
    as_read : Fit
        The sums with every zero taken for an absent gene.
    chosen : list of (k,) int
        The regulators of these.
    fold : (n,) int
        The fold of each cell.
    kinds : tuple of str
        Features that are tried in the end.
    most : int
        Most candidate regulators of a gene.
    penalty : float
        See `kobench_baselines.stepwise.choose`.
    context : Context
        Is told of progress.
    """
    if as_read.explained < LEAST_EXPLAINED:
        return None
    on: Bools = read > 0
    detection = Detection.supposed(read, on.astype(np.float64))
    filled = Filled(read, np.where(on, 1.0, UNKNOWN))
    fit = as_read
    kind: Kind = "log" if len(kinds) > 1 else kinds[0]
    candidates: list[Ints] = []
    for number in range(ROUNDS):
        context.log("lost readings", number, ROUNDS)
        if number:
            weight = 1 / np.maximum(1 - detection.chance(read), 1 / MOST_WEIGHT)
            doubt = float(number >= DOUBT_FROM * ROUNDS)
            taken = Taken(on, filled.values, filled.presence, weight, doubt)
            if (number - 1) % LOOK_AGAIN == 0:
                candidates = narrowed(taken, nearest(taken, most), kind, fold, FEW)
            chosen = regulators_of(taken, candidates, kind, fold, penalty)
            last = number == ROUNDS - 1
            fit = (
                best_fit(taken, fold, chosen, kinds)
                if last
                else fit_sums(taken, fold, chosen, kind)
            )
        filler = Filler.of(fit, detection, Presence.of(filled.presence, fold))
        filled, by_bin = filler.improve(read, filled, STEPS)
        lost = by_bin.sum() / (by_bin.sum() + on.sum())
        if lost < LEAST_LOST:
            return None
        detection = detection.learnt(filled.values, filled.presence, on, by_bin)
    if fit.explained <= as_read.explained:
        return None
    prior = Presence.of(filled.presence, fold)
    return Learnt(fit, Filler.of(fit, detection, prior), float(lost))
