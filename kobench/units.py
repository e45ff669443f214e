"""Units: predicted and true values side by side, as a task gives them to metrics."""

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

#: Fewest cells of which a gene's mean is ranked, or that a batch's mean is measured with: a gene
#: asked in fewer has no keystone score and no ranking of its cells.
MIN_CELLS = 10


@dataclass(frozen=True, eq=False)
class ProfileUnits:
    """Rows of predicted and true profiles.

    Attributes
    ----------
    predicted, true : (n, G) float
        Profiles, >= 0, each row summing to 1.
    present : (n, G) bool
        The genes that are on in the asked assemblage (after the knockout).
    cells : (n,) int
        The cell of each row.
    genes : (n,) int, or None where nothing was removed
        The removed gene of each row.
    null : (n, G) float, or None where nothing was removed
        The true wild type without the removed gene, as a profile.
    """

    predicted: FloatArray
    true: FloatArray
    present: BoolArray
    cells: IntArray
    genes: IntArray | None = None
    null: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class ImpactUnits:
    """One predicted and one true impact for each event.

    Attributes
    ----------
    predicted, true : (n,) float
        Impacts, >= 0. Values under `TOLERANCE` are 0 in both, so ties are ties.
    cells, genes : (n,) int
        The cell and the removed gene of each event.
    """

    predicted: FloatArray
    true: FloatArray
    cells: IntArray
    genes: IntArray


@dataclass(frozen=True, eq=False)
class RankingUnits:
    """One predicted and one true score for each asked gene, or perturbation.

    Attributes
    ----------
    predicted, true : (n,) float
        Higher is stronger, in any unit.
    genes : (n,) int
        The gene, or the perturbation, of each score.
    abundance : (n,) float, or None where it is not known
        The gene's mean share over the asked cells: a metric tells whether an answer only follows
        that.
    """

    predicted: FloatArray
    true: FloatArray
    genes: IntArray
    abundance: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class ResponseUnits:
    """Mean change of every gene's share in each perturbation.

    Attributes
    ----------
    predicted, true : (k, G) float
        NaN at the perturbation's own targets, in both.
    perturbations : (k,) int
        The perturbation of each row.
    signed : bool
        False where the answer only says which genes are affected, so that its sign means nothing.
    halves : (s, 2, k, G) float, or None where the truth has no noise
        The change measured twice, in s splits of both groups of cells into halves.
    responds : (k, G) bool, or None where nothing was tested
        The genes that differ significantly.
    """

    predicted: FloatArray
    true: FloatArray
    perturbations: IntArray
    signed: bool = True
    halves: FloatArray | None = None
    responds: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class InteractionUnits:
    """One predicted and one true interaction for each event of several genes.

    Attributes
    ----------
    predicted, true : (n,) float
        Interactions, >= 0.
    cells : (n,) int
        The cell of each event.
    pairs : (n,) int
        Which set of genes was removed.
    """

    predicted: FloatArray
    true: FloatArray
    cells: IntArray
    pairs: IntArray


#: Place of the log2 fold change in the second axis of `ScreenUnits`.
FOLD = 2


@dataclass(frozen=True, eq=False)
class ScreenUnits:
    """What counted cells of each perturbation say, predicted and measured.

    Attributes
    ----------
    predicted, true : (k, 5, G) float
        By perturbation and gene: the log bulk, its difference from the control cells', the log2
        fold change, and the p value before and after adjustment. NaN at the perturbation's own
        targets; p values are NaN for genes that are not tested.
    error, true_error : (k,) float
        The sampling variances of the log bulks, summed over genes.
    perturbations : (k,) int
        The perturbation of each row.
    control_error : float
        The sampling variance of the control cells' log bulk.
    zero, one : mapping of str to float
        By metric what the mean response has, and what a replicate of the measurement has; a metric
        that has no scale here is in neither.
    alike : callable or None
        Gives units of the same answers and truths in which nothing differs between perturbations
        but what is predicted: not how many cells an answer has, nor what was drawn for them. These
        are permuted; None where the units themselves can be.
    """

    predicted: FloatArray
    true: FloatArray
    error: FloatArray
    true_error: FloatArray
    perturbations: IntArray
    control_error: float = 0.0
    zero: Mapping[str, float] = field(default_factory=dict)
    one: Mapping[str, float] = field(default_factory=dict)
    alike: Union[Callable[[], ScreenUnits], None] = None


@dataclass(frozen=True, eq=False)
class StructureUnits:
    """How genes vary together among the cells of each perturbation.

    Attributes
    ----------
    predicted, true : (k, M) float
        Correlations of M pairs of genes.
    perturbations : (k,) int
        The perturbation of each row.
    alike : callable or None
        As that of `ScreenUnits`.
    """

    predicted: FloatArray
    true: FloatArray
    perturbations: IntArray
    alike: Union[Callable[[], StructureUnits], None] = None


#: What is drawn again inside one dataset for intervals.
Block = Literal["cell", "gene", "perturbation", "pair"]

Units = Union[
    ProfileUnits,
    ImpactUnits,
    RankingUnits,
    ResponseUnits,
    InteractionUnits,
    ScreenUnits,
    StructureUnits,
]


class NotComputed(Exception):  # noqa: N818 - a finding, not a fault
    """Raised by a metric that these units do not allow, whatever the answer.

    Its text is the reason, shown in the value's place. An answer that gives no value where another
    answer would (a constant where a ranking is needed) is NaN instead, shown as "none".
    """


@dataclass(frozen=True, eq=False)
class TaskUnits:
    """What a task gives to the metrics.

    Attributes
    ----------
    variants : mapping of str to Units
        The units of each variant, "" the first one; a variant that was not answered is absent.
    asked : int
        How many units (cells, events, genes) were asked.
    answered : int
        How many of them these answers cover; the coverage is answered / asked.
    left_out : mapping of str to int
        Reason -> how many units were dropped for everybody, from the truth alone.
    primary : tuple of str, or None for the task's own
        The metrics that rank. They may depend on the question, never on the answers.
    notes : tuple of str
        Sentences on what the truth allows, the same whatever was answered.
    table : mapping of str to sequence, or None
        Column -> values, one row a perturbation or gene, for readers: names, counts, true and
        predicted values.
    unranked : str
        Why the truth gives no ranking, whatever was answered; "" where it does. Nobody is ranked
        then.
    """

    variants: Mapping[str, Units]
    asked: int
    answered: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    primary: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    table: Mapping[str, Sequence[Any]] | None = None
    unranked: str = ""


@dataclass(frozen=True, eq=False)
class Parts:
    """A metric that is a ratio of sums over b blocks: value = sum(sums) / sum(weights).

    A bootstrap draws the blocks again without a second look at the units.

    Attributes
    ----------
    over : "cell", "gene", "perturbation" or "pair"
        What a block is.
    ids : (b,) int
        The block of each entry.
    sums, weights : (b,) float
        A mean over blocks has weights of 1.
    moves : (b,) float or None
        What a draw adds for each block beside its sum, because the block has a part in the sums of
        others; it adds up to 0. None for nothing.
    """

    over: Block
    ids: IntArray
    sums: FloatArray
    weights: FloatArray
    moves: Union[FloatArray, None] = None

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
    """A metric that scores the same answers permuted among the perturbations.

    Who permutes is the harness, by the names of perturbations, so that every metric, predictor and
    split of a dataset has the same permutations.
    """

    def permuted(self, units: Any, orders: IntArray) -> npt.ArrayLike:
        """(n,) scores of n permutations of k units.

        `orders` (n, k) says whose answer each unit is given. A metric that leaves units out takes
        `orders_among` of the others.
        """


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


def orders_among(orders: IntArray, kept: IntArray) -> IntArray:
    """What permutations of k units are among some of them.

    Who is given the answer of a unit that is left out is given, instead, the answer that this one
    would get, and so on. So each order of the units that stay is as likely as any other, and most
    of them are given what they were given among all.

    Parameters
    ----------
    orders : (n, k) int
        n permutations of the numbers 0 to k - 1.
    kept : (u,) int
        The units that stay, each once.

    Returns
    -------
    (n, u) int
        Permutations of the numbers 0 to u - 1, which are places in `kept`.

    Examples
    --------
    >>> orders_among(np.array([[1, 2, 3, 0], [2, 1, 0, 3]]), np.array([0, 1, 3])).tolist()
    [[1, 2, 0], [0, 1, 2]]
    """
    stays = np.zeros(orders.shape[1], bool)
    stays[kept] = True
    given = orders[:, kept]
    out = np.nonzero(~stays[given])
    while len(out[0]):
        given[out] = orders[out[0], given[out]]
        out = np.nonzero(~stays[given])
    place = np.zeros(orders.shape[1], np.intp)
    place[kept] = np.arange(len(kept))
    return np.asarray(place[given])
