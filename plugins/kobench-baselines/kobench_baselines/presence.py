"""The chance that a gene is present in a cell, from which other genes are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit, logit

from kobench_baselines.common import Floats, Ints

#: Ridge penalties that are tried, relative to the mean variance of presence.
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

#: Other genes count only where they take this much off the held-out log loss an entry, in nats.
LEAST_GAIN = 1e-3

#: Chances of a gene overall, and log odds in a cell, are kept within these.
RAREST, COMMONEST, LARGEST_ODDS = 0.01, 0.995, 6.0

#: At most so many cells are looked at, evenly spread: their products, cells x cells, are kept.
MOST_CELLS = 1000


@dataclass(frozen=True, eq=False)
class Ridge:
    """Each gene's presence regressed on that of all others, from one inverse covariance matrix.

    With O = (C + penalty)^-1, the regression of gene j on the others says x_j - (x O)_j / O_jj of
    it (Lauritzen, Graphical Models, 1996, section 5.1). C is kept as its eigenvectors, which serve
    every penalty, so nothing of the size genes x genes is made.

    Attributes
    ----------
    mean : (G,) float
    variance : float
        Mean variance of presence.
    vectors : (G, k) float
        Eigenvectors of the covariance.
    values : (k,) float
        Its eigenvalues.
    penalty : float
    """

    mean: Floats
    variance: float
    vectors: Floats
    values: Floats
    penalty: float = 1.0

    @classmethod
    def of(cls, presence: Floats) -> Ridge:
        """Fit it to chances of presence (n, G)."""
        mean = presence.mean(axis=0)
        centred = presence - mean
        values, left = np.linalg.eigh(centred @ centred.T)
        keep = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-9)
        vectors = centred.T @ (left[:, keep] / np.sqrt(values[keep]))
        variance = max(float((centred**2).mean()), 1e-9)
        return cls(mean, variance, vectors, values[keep] / max(len(presence) - 1, 1))

    def penalised(self, relative: float) -> Ridge:
        """The same by a penalty relative to the mean variance."""
        return replace(self, penalty=relative * self.variance)

    def __call__(self, presence: Floats) -> Floats:
        """(n, G) by how much the other genes raise each gene's presence over its mean."""
        centred = presence - self.mean
        within = (centred @ self.vectors) * self.shrink
        return centred - (centred / self.penalty + within @ self.vectors.T) / self.diagonal

    @cached_property
    def shrink(self) -> Floats:
        """(k,) 1 / (eigenvalue + penalty) - 1 / penalty."""
        return 1 / (self.values + self.penalty) - 1 / self.penalty

    @cached_property
    def diagonal(self) -> Floats:
        """(G,) the diagonal of O."""
        diagonal: Floats = 1 / self.penalty + (self.vectors**2) @ self.shrink
        return diagonal


@dataclass(frozen=True, eq=False)
class Presence:
    """Log odds that each gene is there: its own share of the cells, and what other genes add.

    Attributes
    ----------
    share : (G,) float
        Of the cells in which each gene is there.
    ridge : Ridge or None
        What other genes say; None where that is nothing.
    odds : (float, float)
        Constant and slope of the log odds in what the ridge says over share (1 - share), as in
        linear discriminant analysis.
    """

    share: Floats
    ridge: Ridge | None = None
    odds: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, presence: Floats, fold: Ints) -> Presence:
        """Fit it to chances of presence (n, G); the penalty is chosen by folds (n,)."""
        share = np.clip(presence.mean(axis=0), RAREST, COMMONEST)
        alone = cls(share)
        few = np.linspace(0, len(presence) - 1, min(len(presence), MOST_CELLS)).astype(np.intp)
        presence, fold = presence[few], fold[few]
        best, chosen = alone.loss(presence, np.zeros_like(presence)) - LEAST_GAIN, alone
        of_all = Ridge.of(presence)
        apart = [(rows, Ridge.of(presence[~rows])) for rows in fold == np.unique(fold)[:, None]]
        for penalty in PENALTIES:
            said = np.zeros_like(presence)
            for rows, others in apart:
                said[rows] = others.penalised(penalty)(presence[rows])
            odds = _logistic(said / (share * (1 - share)), presence, logit(share))
            tried = cls(share, of_all.penalised(penalty), odds)
            loss = tried.loss(presence, said)
            if loss < best:
                best, chosen = loss, tried
        return chosen

    def loss(self, presence: Floats, said: Floats) -> float:
        """Mean log loss of chances of presence (n, G) where the ridge says so much (n, G)."""
        odds = self._log_odds(said)
        return float((np.logaddexp(0, odds) - presence * odds).mean())

    def __call__(self, presence: Floats) -> Floats:
        """Log odds (n, G) that each gene is there, by the others' chances (n, G)."""
        said = np.zeros_like(presence) if self.ridge is None else self.ridge(presence)
        return self._log_odds(said)

    def _log_odds(self, said: Floats) -> Floats:
        constant, slope = self.odds
        odds = logit(self.share) + constant + slope * said / (self.share * (1 - self.share))
        return np.clip(odds, -LARGEST_ODDS, LARGEST_ODDS)


def _logistic(said: Floats, presence: Floats, offset: Floats) -> tuple[float, float]:
    """Constant and slope of a logistic regression of chances on one number, by Newton's method."""
    fitted = np.array([0.0, 0.5])
    for _ in range(20):
        chance = expit(offset + fitted[0] + fitted[1] * said)
        weight, left = chance * (1 - chance) + 1e-9, presence - chance
        total, mixed = weight.sum(), (weight * said).sum()
        curvature = np.array([[total, mixed], [mixed, (weight * said**2).sum()]])
        curvature += 1e-6 * total * np.eye(2)
        step = np.clip(np.linalg.solve(curvature, [left.sum(), (left * said).sum()]), -1, 1)
        fitted = fitted + step
        if np.abs(step).max() < 1e-4:
            break
    return float(fitted[0]), float(fitted[1])
