"""How much of a large dataset is measured: cells and perturbations drawn with a fixed seed.

What is measured of a perturbation costs time in proportion to the values of its cells and of the
wild type. Small datasets are measured whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from kobench.cells import IntArray
from kobench.truth.population import Screened
from kobench.units import MIN_CELLS

#: The seed of every draw here.
SEED = 0

#: Keeps these draws apart from every other use of random numbers.
_STREAM = 0xA0D1

#: In each batch at least so many wild-type cells are kept, so that it still counts when halved.
KEPT_IN_BATCH = 2 * MIN_CELLS


@dataclass(frozen=True)
class Limits:
    """How much is measured.

    Attributes
    ----------
    in_all : int
        Most values that are gone through, those of a cell once for each perturbation it is compared
        in.
    of_a_group : int
        Most values of the wild-type cells, and of the cells of one perturbation.
    zeros : bool
        Whether zeros are gone through, too.
    """

    in_all: int
    of_a_group: int
    zeros: bool = False


#: For a glance, which only sees whether halves agree: 4,000 cells with 3,000 genes on in a group,
#: and half a minute in all.
GLANCE = Limits(250_000_000, 12_000_000)

#: For an audit, which ranks every gene, too: 1,000 cells of 20,000 genes in a group, and a
#: minute or two in all.
THOROUGH = Limits(400_000_000, 20_000_000, zeros=True)

#: So many perturbations are measured, however large they are.
FEWEST = 5


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is measured of the perturbations that can be asked.

    Attributes
    ----------
    screened : Screened
        The perturbations, with a screen whose wild-type cells are those drawn.
    rows : mapping of str to (n,) int
        Perturbation -> rows of the perturbed cells that are measured, in alphabetical order.
    said : tuple of str
        What was drawn, in sentences; none where everything is measured.
    """

    screened: Screened
    rows: Mapping[str, IntArray]
    said: tuple[str, ...]

    def agreement(self, name: str) -> float:
        """How well halves of a perturbation's cells agree."""
        return self.screened.screen.agreement(self.rows[name], self.screened.targets[name])


def draw(screened: Screened, seed: int = SEED, limits: Limits = GLANCE) -> Drawn:
    """Choose the cells and perturbations that are measured; all where they are few enough."""
    rng = np.random.default_rng([_STREAM, seed])
    screen, said = screened.screen, []
    most = _most_cells(screen.wild_type.X, screen.everyone, limits)
    everyone = _wild_type(screen.everyone, screen.wild_type.batch[screen.everyone], most, rng)
    if len(everyone) < len(screen.everyone):
        said.append(f"{len(everyone):,} of {len(screen.everyone):,} wild-type cells")
        screen = replace(
            screen,
            everyone=everyone,
            reference=np.intersect1d(screen.reference, everyone),
        )
    keys = dict(zip(screened.names, rng.random(len(screened.names)), strict=True))
    rows = {
        name: _some(screened.cells(name), screen.perturbed.X, limits, rng)
        for name in screened.names
    }
    budget = limits.in_all
    wild_values = _values(screen.wild_type.X, screen.everyone, limits)
    kept: list[str] = []
    for name in sorted(keys, key=lambda each: keys[each]):
        budget -= wild_values + _values(screen.perturbed.X, rows[name], limits)
        if budget < 0 and len(kept) >= FEWEST:
            break
        kept.append(name)
    if cut := sum(len(rows[name]) < len(screened.cells(name)) for name in kept):
        said.append(f"some of the cells of {cut:,} perturbations")
    if len(kept) < len(keys):
        said.append(f"{len(kept):,} of {len(keys):,} perturbations")
    return Drawn(
        replace(screened, screen=screen), {name: rows[name] for name in sorted(kept)}, tuple(said)
    )


def _wild_type(rows: IntArray, batch: IntArray, most: int, rng: np.random.Generator) -> IntArray:
    """About `most` of the rows, but `KEPT_IN_BATCH` of every batch that has them."""
    if len(rows) <= most:
        return rows
    order = rng.permutation(len(rows))
    chosen = np.zeros(len(rows), bool)
    chosen[order[:most]] = True
    by_batch = order[np.argsort(batch[order], kind="stable")]
    starts = np.searchsorted(batch[by_batch], batch[by_batch])
    chosen[by_batch[np.arange(len(rows)) - starts < KEPT_IN_BATCH]] = True
    kept: IntArray = rows[chosen]
    return kept


def _some(rows: IntArray, X: Any, limits: Limits, rng: np.random.Generator) -> IntArray:
    """As many of the rows as may be measured with."""
    most = _most_cells(X, rows, limits)
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _most_cells(X: Any, rows: IntArray, limits: Limits) -> int:
    """How many of these rows of a matrix have `of_a_group` values, by their mean."""
    return int(limits.of_a_group * len(rows) // max(1, _values(X, rows, limits)))


def _values(X: Any, rows: IntArray, limits: Limits) -> int:
    """How many values of some rows of a matrix are gone through."""
    if scipy.sparse.issparse(X) and not limits.zeros:
        return int((X.indptr[rows + 1] - X.indptr[rows]).sum())
    return len(rows) * int(X.shape[1])
