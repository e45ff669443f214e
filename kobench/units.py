"""Units: predicted and true values side by side, as a task hands them to metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Union, runtime_checkable

import numpy as np
import numpy.typing as npt

from kobench.cells import BoolArray, FloatArray, IntArray

#: Impacts below the simulator's solver tolerance are 0, in truth and prediction alike, so that ties
#: are ties.
TOLERANCE = 1e-6


#: A gene asked in fewer cells than this has no keystone score and no ranking of its cells.
MIN_CELLS = 10


@dataclass(frozen=True, eq=False)
class ProfileUnits:
    """Rows of predicted and true profiles.

    predicted, true : (n, G). present : (n, G) bool, the genes that are on in the asked assemblage
    (after the knockout). cells : (n,) cell of each row. genes : (n,) removed gene of each row, None
    where nothing was removed. null : (n, G) the true wild type without the removed gene, None where
    nothing was removed.
    """

    predicted: FloatArray
    true: FloatArray
    present: BoolArray
    cells: IntArray
    genes: IntArray | None = None
    null: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class ImpactUnits:
    """One predicted and one true impact for each event: all (n,); values under 1e-6 are 0 in both,
    so ties are ties.
    """

    predicted: FloatArray
    true: FloatArray
    cells: IntArray
    genes: IntArray


@dataclass(frozen=True, eq=False)
class RankingUnits:
    """One predicted and one true score for each asked gene (or perturbation): all (n,).

    abundance : (n,) the gene's mean share over the asked cells, where a metric wants to know
    whether an answer only follows that.
    """

    predicted: FloatArray
    true: FloatArray
    genes: IntArray
    abundance: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class ResponseUnits:
    """Mean change of every gene's share in each perturbation.

    predicted, true : (k, G), NaN at the perturbation's own targets, in both. perturbations : (k,)
    ids. signed : False where the answer only says which genes are affected, so that its sign means
    nothing. halves : (s, 2, k, G) the change measured twice, in s splits of both groups of cells
    into halves; None where the truth has no noise. responds : (k, G) bool, which genes differ
    significantly; None where nothing was tested.
    """

    predicted: FloatArray
    true: FloatArray
    perturbations: IntArray
    signed: bool = True
    halves: FloatArray | None = None
    responds: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class InteractionUnits:
    """One predicted and one true interaction for each event of several genes: all (n,). pairs :
    (n,) which set of genes was removed.
    """

    predicted: FloatArray
    true: FloatArray
    cells: IntArray
    pairs: IntArray


#: What is drawn again inside one dataset for intervals.
Block = Literal["cell", "gene", "perturbation", "pair"]


Units = Union[ProfileUnits, ImpactUnits, RankingUnits, ResponseUnits, InteractionUnits]


class NotComputed(Exception):  # noqa: N818 - a finding, not a fault
    """Raised by a metric that these units do not allow, whatever the answer; its text is the
    reason, shown in the value's place.

    An answer that gives no value where another answer would (a constant where a ranking is needed)
    is NaN instead, shown as "none".
    """


@dataclass(frozen=True, eq=False)
class TaskUnits:
    """What a task hands to the metrics.

    variants : variant -> units, "" the first one; a variant that was not answered is absent. asked,
    answered : how many units (cells, events, genes) were asked, and how many of them these answers
    cover; the coverage is their ratio. left_out : reason -> how many units were dropped for
    everybody, from the truth alone. primary : the metrics that rank in place of the task's own,
    None for those; it may depend on the question, never on the answers. notes : sentences on what
    the truth allows, the same whatever was answered. table : column -> values, one row a
    perturbation or gene, equal in length, for readers: names, counts, true and predicted values.
    """

    variants: Mapping[str, Units]
    asked: int
    answered: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    primary: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    table: Mapping[str, Sequence[Any]] | None = None


@dataclass(frozen=True, eq=False)
class Parts:
    """A metric that is a ratio of sums over blocks: value = sum(sums) / sum(weights).

    over : which block the entries stand for. ids : (b,) the block of each entry. sums, weights :
    (b,). A mean over blocks has weights of 1. With it a bootstrap needs no second look at the
    units.
    """

    over: Block
    ids: IntArray
    sums: FloatArray
    weights: FloatArray

    @property
    def value(self) -> float:
        """The metric's value; NaN where no block counts."""
        total = float(np.sum(self.weights))
        return float(np.sum(self.sums)) / total if total != 0 else float("nan")


@runtime_checkable
class OffersCeiling(Protocol):
    """A metric that knows what an answer without error would score where the truth has noise."""

    def ceiling(self, units: Any) -> Any:
        """That score, a number or `Parts`; NaN or `NotComputed` where nobody can say."""


@runtime_checkable
class OffersPermuted(Protocol):
    """A metric that scores the same answers permuted among the perturbations."""

    def permuted(self, units: Any, n: int, seed: int) -> npt.ArrayLike:
        """(n,) scores of n random permutations."""


@runtime_checkable
class OffersRedrawn(Protocol):
    """A metric that gives all bootstrap draws at once."""

    def redrawn(self, units: Any, often: IntArray, block: IntArray) -> npt.ArrayLike:
        """(d,) values of d draws.

        `often` (b, d) says how often each block stands in each draw, `block` (n,) which block each
        unit is in.
        """


@runtime_checkable
class OffersPrepare(Protocol):
    """A metric that is quick once it has looked at the units."""

    def prepare(self, units: Any) -> Callable[[IntArray], float]:
        """A function of how often each unit (n,) stands in a draw, which gives the draw's value."""
