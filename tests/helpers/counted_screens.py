"""Ten made screens of counted cells, with predicted cells of different kinds and quality."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from kobench.screens.measure import Counted

#: How many screens there are.
SCREENS = 10

#: What kinds of predicted cells there are, by the number of the screen.
ANSWERS = (
    "guess",
    "guess",
    "guess",
    "weak",
    "guess",
    "other",
    "guess",
    "controls",
    "guess",
    "pinned",
)


@dataclass(frozen=True, eq=False)
class MadeScreen:
    """A made screen.

    Attributes
    ----------
    real, predicted : (n, G) int
        Counts of the perturbed cells, measured and predicted.
    control : (m, G) int
        Counts of the control cells.
    group : (n,) int
        The perturbation of each cell, in alphabetical order of their names.
    targets : (k,) int
        The column that each perturbation removes.
    genes : (G,) str
        Names of the genes.
    """

    real: np.ndarray
    predicted: np.ndarray
    control: np.ndarray
    group: np.ndarray
    targets: np.ndarray
    genes: np.ndarray

    @property
    def names(self) -> list[str]:
        """The perturbations' names: those of their genes."""
        return [str(self.genes[target]) for target in self.targets]

    @property
    def digest(self) -> str:
        """Hash of all counts: with another one stored results are of other screens."""
        total = hashlib.sha256()
        for counts in (self.real, self.predicted, self.control):
            total.update(np.ascontiguousarray(counts, np.int64).tobytes())
        return total.hexdigest()[:16]

    def counted(self, predicted: bool = False) -> Counted:
        """The cells as kobench takes them."""
        counts, control = (
            scipy.sparse.csr_matrix(values.astype(np.float32))
            for values in (self.predicted if predicted else self.real, self.control)
        )
        return Counted(counts, self.group, control, [(int(target),) for target in self.targets])


def made_screen(number: int) -> MadeScreen:
    """One of the screens; the same number, the same counts."""
    rng = np.random.default_rng([2026, number])
    genes, k = int(rng.integers(90, 140)), int(rng.integers(7, 13))
    depth = float(rng.uniform(1500, 3500))
    base = rng.lognormal(0, 1.0, genes)
    base[rng.choice(genes, 3, replace=False)] = 1e-7  # seen in hardly any cell
    load = rng.normal(0, 0.2, (4, genes))
    targets = np.sort(rng.choice(np.argsort(-base)[: genes // 2], k, replace=False))
    strength = rng.uniform(0.2, 0.7)
    shared = np.where(rng.random(genes) < 0.2, rng.normal(0, strength / 2, genes), 0.0)
    effect = np.where(rng.random((k, genes)) < 0.25, rng.normal(0, strength, (k, genes)), 0.0)
    effect = effect + shared
    effect[0] = 0.0  # nothing responds but the target
    size = rng.integers(24, 60, k)
    effect[np.arange(k), targets] = -2.5

    def cells(n: int, change: np.ndarray) -> np.ndarray:
        rate = np.log(base) + rng.normal(size=(n, 4)) @ load + change
        share = np.exp(rate)
        share /= share.sum(axis=1, keepdims=True)
        return rng.poisson(share * depth * rng.lognormal(0, 0.3, (n, 1)))

    real = np.concatenate([cells(int(n), effect[row]) for row, n in enumerate(size)])
    control = cells(int(rng.integers(100, 160)), np.zeros(genes))
    kind = ANSWERS[number]
    known = rng.uniform(0.3, 0.9) if kind == "guess" else 0.1
    wrong = rng.normal(0, 0.2, (k, genes)) * (rng.random((k, genes)) < 0.3)
    guess = known * effect + wrong
    if kind == "other":
        guess = np.roll(effect, 1, axis=0)
    guess[np.arange(k), targets] = -2.0
    if kind == "controls":
        predicted = control[rng.integers(0, len(control), int(size.sum()))]
    elif kind == "pinned":  # cells scatter, and every perturbation has the same mean
        predicted = np.concatenate([np.resize(control[:20], (int(n), genes)) for n in size])
    else:
        predicted = np.concatenate([cells(int(n), guess[row]) for row, n in enumerate(size)])
    group = np.repeat(np.arange(k), size)
    return MadeScreen(
        real, predicted, control, group, targets, np.array([f"g{i:03d}" for i in range(genes)])
    )


def screen_of(number: int, shared: float = 0.2, k: int = 24) -> MadeScreen:
    """A screen with more cells and perturbations, for scores with intervals; nothing is predicted.

    Parameters
    ----------
    number : int
        The same number, the same counts.
    shared : float
        The share of genes that respond to every perturbation.
    k : int
        How many perturbations there are.
    """
    rng = np.random.default_rng([77, number])
    genes, depth, base = 150, float(rng.uniform(1500, 3500)), rng.lognormal(0, 1.0, 150)
    load = rng.normal(0, 0.2, (4, genes))
    targets = np.sort(rng.choice(np.argsort(-base)[: genes // 2], k, replace=False))
    strength = rng.uniform(0.2, 0.7)
    alike = np.where(rng.random(genes) < shared, rng.normal(0, strength / 2, genes), 0.0)
    effect = np.where(rng.random((k, genes)) < 0.25, rng.normal(0, strength, (k, genes)), 0.0)
    effect += alike
    effect[0] = 0.0  # nothing responds but the target
    effect[np.arange(k), targets] = -2.5
    size = rng.integers(60, 100, k)

    def cells(n: int, change: np.ndarray) -> np.ndarray:
        rate = np.log(base) + rng.normal(size=(n, 4)) @ load + change
        share = np.exp(rate)
        share /= share.sum(axis=1, keepdims=True)
        return rng.poisson(share * depth * rng.lognormal(0, 0.3, (n, 1)))

    real = np.concatenate([cells(int(n), effect[row]) for row, n in enumerate(size)])
    control = cells(300, np.zeros(genes))
    names = np.array([f"g{i:03d}" for i in range(genes)])
    return MadeScreen(real, real[:0], control, np.repeat(np.arange(k), size), targets, names)
