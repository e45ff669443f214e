"""All that a plugin imports: the hook marker, the specs, and the contract a predictor fulfils.

A predictor is a class with `fit` and one or more answering methods (`Predictor`). A marked hook
offers it under a name. Both fit into one file; `kobench check mine --plugin mine.py` tries it::

    from kobench.api import PredictorSpec, hookimpl, normalise_rows

    class Mine:
        def fit(self, cells, context):
            self.mean = cells.profiles().mean(axis=0)

        def predict_expression(self, assemblages):
            return normalise_rows(assemblages * (self.mean + 1e-6))

    @hookimpl
    def kobench_predictors():
        yield PredictorSpec("mine", Mine, summary="mean share of the genes that are on")

`kobench.hookspecs` has an example for each of the four hooks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy.typing as npt

from kobench.cells import Cells, Impacts, Knockouts, bray_curtis, normalise_rows
from kobench.dataset import Counterfactual, Dataset, OffersEdges
from kobench.question import (
    Answers,
    Multiples,
    PerturbedCells,
    Profiles,
    Question,
    Responses,
    Singles,
    TaskView,
    Transfers,
)
from kobench.specs import (
    ANSWERS,
    METHODS,
    DatasetSpec,
    MetricSpec,
    Param,
    PredictorSpec,
    TaskSpec,
)
from kobench.units import (
    ImpactUnits,
    InteractionUnits,
    NotComputed,
    Parts,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    ScreenUnits,
    StructureUnits,
    TaskUnits,
    Units,
    orders_among,
)

__all__ = [
    "ANSWERS",
    "CONTRACT",
    "Answers",
    "Cells",
    "Context",
    "Counterfactual",
    "Dataset",
    "DatasetSpec",
    "ImpactUnits",
    "Impacts",
    "InteractionUnits",
    "Knockouts",
    "MetricSpec",
    "Multiples",
    "NotComputed",
    "OffersEdges",
    "Param",
    "Parts",
    "PerturbedCells",
    "Predictor",
    "PredictorSpec",
    "ProfileUnits",
    "Profiles",
    "Question",
    "RankingUnits",
    "ResponseUnits",
    "Responses",
    "ScreenUnits",
    "Singles",
    "StructureUnits",
    "TaskSpec",
    "TaskUnits",
    "TaskView",
    "Transfers",
    "Units",
    "bray_curtis",
    "hookimpl",
    "normalise_rows",
    "orders_among",
]

#: Version of this contract; it is part of every key, so answers of another contract are never
#: reused.
CONTRACT = 1

try:
    from pluggy import HookimplMarker
except ImportError:  # a predictor's own environment needs numpy only
    from kobench.util.marker import HookimplMarker  # type: ignore[assignment]

#: Marks the functions that are a plugin's hooks, see `kobench.hookspecs`.
hookimpl = HookimplMarker("kobench")


@dataclass(frozen=True)
class Context:
    """What a predictor may know about the run. It may grow; nothing will be taken away.

    Attributes
    ----------
    seed : int
        The only source of randomness.
    threads : int
        How many threads it may use.
    device : str
        "cpu", "cuda" or "auto".
    deadline : float or None
        Seconds left when fit starts, a hint; None without a limit.
    scratch : Path or None
        A folder of its own.
    scale : str
        The working scale of `cells.X`: "linear", "log1p", "log1p-cp10k", ...
    batch_key, cell_type_key : str or None
        Columns of `cells.obs`; None where the dataset has none.
    report : callable or None
        What `log` calls; a predictor need not know it.
    """

    seed: int = 0
    threads: int = 1
    device: str = "auto"
    deadline: float | None = None
    scratch: Path | None = None
    scale: str = "linear"
    batch_key: str | None = None
    cell_type_key: str | None = None
    report: Callable[[str, int, int], None] | None = None

    def log(self, message: str, done: int = 0, total: int = 0) -> None:
        """Say how far the work is; shown live, never part of a result.

        Parameters
        ----------
        message : str
            What is being done.
        done, total : int
            Steps done and steps in all; 0 where that is not known.
        """
        if self.report is not None:
            self.report(message, done, total)


class Predictor(Protocol):
    """What kobench calls. Nothing is inherited: define `fit` and at least one answering method.

    Notes
    -----
    In all methods G is the number of training genes, n the number of rows asked for: n events in,
    n rows out, in the same order. A profile row is a cell's expression over its sum: >= 0, finite,
    summing to 1, and 0 at each removed gene. `cells` is a `Cells`, or an AnnData for a predictor
    whose spec says ``wants="anndata"``.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn from wild-type cells.

        Parameters
        ----------
        cells : Cells
            The training cells, (n_obs, G), in the working scale `context.scale`.
        context : Context
            Seed, threads, device and the like.
        """

    def predict_expression(self, assemblages: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Profiles of cells in which exactly the given genes are on.

        Parameters
        ----------
        assemblages : (n, G) bool
            Which genes are on in each cell.

        Returns
        -------
        (n, G) float
            Profile rows.
        """

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """Profiles after each event; order 0 is the predictor's own wild type of each cell.

        Parameters
        ----------
        cells : Cells
            The asked cells, as observed before the event.
        knockouts : Knockouts
            n events: which genes are removed from which of `cells`.

        Returns
        -------
        (n, G) float
            Profile rows.
        """

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """How much each event changes the cell.

        Parameters
        ----------
        cells, knockouts
            As for `predict_knockout`.

        Returns
        -------
        Impacts
            One number for each event, (n,) float.
        """

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """Change of each gene in the population after each event.

        Parameters
        ----------
        cells, knockouts
            As for `predict_knockout`; here `knockouts.cells` is None.

        Returns
        -------
        (n, G) float
            What the numbers mean is said by `PredictorSpec.response`.
        """

    def predict_interaction(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """How far each event of order 2 or more is from the sum of its single knockouts.

        Parameters
        ----------
        cells, knockouts
            As for `predict_knockout`.

        Returns
        -------
        (n,) float
            >= 0; 0 where the event is the sum of its parts.
        """

    def score_genes(self, cells: Cells, genes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """How much it matters that a gene is removed.

        Parameters
        ----------
        cells : Cells
            The asked cells.
        genes : (n,) int
            Columns of the asked genes.

        Returns
        -------
        (n,) float
            Larger means that removing the gene matters more.
        """

    def predict_cells(self, cells: Cells, knockouts: Knockouts, n: int) -> npt.NDArray[Any]:
        """Counted cells of the population after each event.

        Parameters
        ----------
        cells, knockouts
            As for `predict_response`; `cells.layers["counts"]` are their counts.
        n : int
            How many cells of each event.

        Returns
        -------
        (len(knockouts), n, G) float
            Counts: whole numbers, >= 0.
        """

    def supports(self, genes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Which genes it can remove. Optional; asked before `fit`.

        Parameters
        ----------
        genes : (n,) str
            Gene names.

        Returns
        -------
        (n,) bool
            False for a gene that it can't remove.
        """


def answer_kinds(predictor_class: type) -> tuple[str, ...]:
    """Which answers a class gives, read off its methods.

    Parameters
    ----------
    predictor_class : type
        A class with some of the methods of `Predictor`.

    Returns
    -------
    tuple of str
        Some of `ANSWERS`, in that order.

    Examples
    --------
    >>> class Mine:
    ...     def predict_expression(self, assemblages): ...
    >>> answer_kinds(Mine)
    ('expression',)
    """
    return tuple(
        kind
        for kind in ANSWERS
        if callable(cast(object, getattr(predictor_class, METHODS[kind], None)))
    )
