"""Bootstrap draws of a metric: blocks are drawn with replacement, alike for every predictor."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import FloatArray, IntArray
from kobench.scoring.grouped import CellGroups, two_stage_counts
from kobench.units import (
    Block,
    NotComputed,
    OffersPrepare,
    OffersRedrawn,
    Parts,
    RankingUnits,
    Units,
)

Score = Callable[[Any], Parts | float]

#: Names of blocks, looked up by their ids.
Names = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Redraw:
    """How the blocks of units are drawn again.

    Attributes
    ----------
    block : str
        What is drawn: "cell", "gene", "perturbation" or "pair".
    n : int
        How many draws.
    seed : int
        Their seed.
    names : array of str or None
        What the blocks are called, by id; see `kobench.question.Question.block_names`.
    groups : CellGroups or None
        Groups of cells that are drawn first, where cells are drawn.
    """

    block: Block = "cell"
    n: int = 0
    seed: int = 0
    names: Names | None = None
    groups: CellGroups | None = None


def block_of(units: Units, block: Block) -> IntArray:
    """The block id of each unit, (n,); raises ValueError where these units have no such block."""
    ids = ids_of(units, block)
    if ids is None:
        raise ValueError(f"{type(units).__name__} without {block}s cannot be drawn by {block}")
    return ids


def ids_of(units: Units | None, block: Block) -> IntArray | None:
    """The block id of each unit, (n,); None without units, or where they have no such block."""
    ids = None if units is None else getattr(units, field_of(units, block), None)
    return None if ids is None else np.asarray(ids)


def field_of(units: Units, block: Block) -> str:
    """The field that holds the block ids; a ranking of perturbations has them in `genes`."""
    return "genes" if block == "perturbation" and isinstance(units, RankingUnits) else f"{block}s"


def block_counts(
    ids: IntArray,
    n: int,
    seed: int,
    names: Names | None = None,
    groups: CellGroups | None = None,
) -> tuple[IntArray, IntArray]:
    """How often each block is drawn in each bootstrap draw.

    It depends on the seed and the set of blocks alone, so every predictor that answered the same
    blocks is drawn alike.

    Parameters
    ----------
    ids : (m,) int
        The block of each unit.
    n : int
        How many draws.
    seed : int
        Their seed.
    names : array of str or None
        Names of the blocks, by id; no two alike. With names it is the set of names that counts,
        whichever ids they have: genes in another order are drawn alike, too.
    groups : CellGroups or None
        Groups of the blocks, which are cells: see `two_stage_counts`.

    Returns
    -------
    ((b,) int, (n, b) int)
        The distinct block ids, sorted, and how often each stands in each draw of b blocks.
    """
    distinct = np.unique(ids)
    b = len(distinct)
    if b == 0:
        return distinct, np.zeros((n, 0), np.int64)
    of_groups = None if groups is None else groups.of(distinct)
    if of_groups is not None:
        return distinct, two_stage_counts(of_groups, n, seed)
    drawn = np.random.default_rng(seed).integers(0, b, (n, b))
    counts = np.bincount((drawn + np.arange(n)[:, None] * b).ravel(), minlength=n * b).reshape(n, b)
    if names is not None:
        place = np.empty(b, np.intp)
        place[np.argsort(names[distinct], kind="stable")] = np.arange(b)
        counts = counts[:, place]
    return distinct, counts


def take(units: Units, block: Block, drawn: IntArray) -> Units:
    """The units of the drawn blocks.

    Parameters
    ----------
    units : units
        All of them.
    block : str
        What is drawn.
    drawn : (b,) int
        Block ids. Each draw gets its place as a new id, so a block drawn twice counts as two.
    """
    ids = block_of(units, block)
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    first, last = np.searchsorted(ordered, drawn, "left"), np.searchsorted(ordered, drawn, "right")
    rows = np.concatenate(
        [np.empty(0, np.intp), *(order[a:b] for a, b in zip(first, last, strict=True))]
    )
    relabelled = np.repeat(np.arange(len(drawn)), last - first)
    present = {field.name: getattr(units, field.name) for field in dataclasses.fields(units)}
    arrays = {name: values for name, values in present.items() if isinstance(values, np.ndarray)}
    # of halves, splits and the two halves come first
    taken: dict[str, Any] = {
        name: values[:, :, rows] if name == "halves" else values[rows]
        for name, values in arrays.items()
    }
    taken[field_of(units, block)] = relabelled
    return dataclasses.replace(units, **taken)


def draws(
    score: Score,
    units: Units,
    block: Block,
    n: int,
    seed: int,
    names: Names | None = None,
    value: Parts | float | None = None,
    groups: CellGroups | None = None,
) -> FloatArray:
    """The metric on n bootstrap samples of the blocks.

    Parameters
    ----------
    score : callable
        The metric.
    units : units
        What it scores.
    block, n, seed, names :
        See `Redraw`.
    value : Parts or float or None
        What the metric gives on the units themselves, where that is known; else it is computed, and
        what the metric raises is raised.
    groups : CellGroups or None
        See `Redraw`.

    Returns
    -------
    (n,) float
        NaN for a draw without a value.

    Notes
    -----
    There are four ways. A metric whose `Parts` lie over `block` needs one matrix product. One that
    offers `redrawn` gives all draws at once, one that offers `prepare` is evaluated by how often
    each unit stands in a draw. Any other is computed again on `take(units, block, drawn ids)`. All
    agree, but for a draw of nothing but blocks with constant answers: it is 0 by the first way and
    NaN by the others.
    """
    ids = block_of(units, block)
    value = score(units) if value is None else value
    distinct, counts = block_counts(ids, n, seed, names, groups)
    if isinstance(value, Parts) and value.over == block:
        often = counts[:, np.searchsorted(distinct, value.ids)].astype(np.float64)
        weights = often @ value.weights
        sums = value.sums if value.moves is None else value.sums + value.moves
        ratio: FloatArray = np.divide(
            often @ sums, weights, out=np.full(n, np.nan), where=weights != 0
        )
        return ratio
    place = np.searchsorted(distinct, ids)
    if isinstance(score, OffersRedrawn):
        return np.asarray(score.redrawn(units, counts.T, place), np.float64)
    if isinstance(score, OffersPrepare):
        by_multiplicity = score.prepare(units)
        return np.array([by_multiplicity(often[place]) for often in counts])
    return np.array(
        [_value(score, take(units, block, np.repeat(distinct, often))) for often in counts]
    )


def _value(score: Score, units: Units) -> float:
    try:
        value = score(units)
    except NotComputed:
        return float("nan")
    return value.value if isinstance(value, Parts) else value
