"""All that a plugin imports: the hook marker, the specs, and the contract a predictor fulfils."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy.typing as npt

from kobench.cells import Cells, Impacts, Knockouts, bray_curtis, normalise_rows
from kobench.dataset import Counterfactual, Dataset
from kobench.question import (
    Answers,
    Multiples,
    Profiles,
    Question,
    Responses,
    Singles,
    TaskView,
    Transfers,
)
from kobench.specs import ANSWERS, DatasetSpec, MetricSpec, Param, PredictorSpec, TaskSpec
from kobench.units import (
    ImpactUnits,
    InteractionUnits,
    NotComputed,
    Parts,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    TaskUnits,
    Units,
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
    "Param",
    "Parts",
    "Predictor",
    "PredictorSpec",
    "ProfileUnits",
    "Profiles",
    "Question",
    "RankingUnits",
    "ResponseUnits",
    "Responses",
    "Singles",
    "TaskSpec",
    "TaskUnits",
    "TaskView",
    "Transfers",
    "Units",
    "bray_curtis",
    "hookimpl",
    "normalise_rows",
]

#: Version of this contract; it is part of every key, so answers of another contract are never
#: reused.
CONTRACT = 1

F = TypeVar("F", bound=Callable[..., Any])

try:
    from pluggy import HookimplMarker

    hookimpl = HookimplMarker("kobench")
# a predictor's own environment needs numpy only; `kobench.worker.describe` reads the same mark
except ImportError:

    def hookimpl(function: F | None = None, **options: Any) -> Any:  # type: ignore[misc]
        def mark(marked: F) -> F:
            marked.kobench_impl = options  # type: ignore[attr-defined]
            return marked

        return mark if function is None else mark(function)


@dataclass(frozen=True)
class Context:
    """What a predictor may know about the run. It may grow; nothing will be taken away.

    seed : the only source of randomness. threads : how many it may use. device : "cpu", "cuda" or
    "auto". deadline : seconds left when fit starts, a hint, None without a limit. scratch : a
    folder of its own. scale : the working scale of X. batch_key, cell_type_key : columns of
    `cells.obs`, or None.
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
        """Say how far the work is; shown live, never part of a result."""
        if self.report is not None:
            self.report(message, done, total)


class Predictor(Protocol):
    """What kobench calls.

    Nothing is inherited: define `fit` and at least one of the answering methods.

    Every profile row returned is >= 0, finite, sums to 1, and is 0 at each removed gene. n events
    in, n rows out, same order. `cells` is a `Cells` (or an AnnData with `wants="anndata"`); G is
    its number of genes.
    """

    def fit(self, cells: Cells, context: Context) -> None:
        """Learn from wild-type cells."""

    def predict_expression(self, assemblages: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Profiles (n, G) of cells in which exactly the genes of `assemblages`, bool (n, G), are
        on.
        """

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """Profiles (n, G) after each event; order 0 is the predictor's own wild type of each
        cell.
        """

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """Impact of each event, (n,)."""

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """Change (n, G) of each gene in the population; what it means: `PredictorSpec.response`."""

    def predict_interaction(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """How far each event (n,) of order 2 or more is from the sum of its single knockouts,
        >= 0.
        """

    def score_genes(self, cells: Cells, genes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """One number (n,) for each gene (column index); larger means removing it matters more."""

    def supports(self, genes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Optional: which of the gene names (n,) it can remove, bool (n,); asked before fit."""


def answer_kinds(predictor_class: type) -> tuple[str, ...]:
    """Which answers a class gives, read off its methods.

    >>> class Mine:
    ...     def predict_expression(self, assemblages): ...
    >>> answer_kinds(Mine)
    ('expression',)
    """
    from kobench.specs import METHODS

    return tuple(
        kind
        for kind in ANSWERS
        if callable(cast(object, getattr(predictor_class, METHODS[kind], None)))
    )
