"""A predictor made and fitted. The same code runs in a worker and, for floors, in the harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import BoolArray, Cells
from kobench.errors import InvalidAnswerError
from kobench.worker.derive import Asker


def hander(wants: str) -> Callable[[Cells], Any]:
    """What turns cells into the form that a predictor wants, see `PredictorSpec.wants`."""
    if wants == "anndata":
        return lambda cells: cells.to_anndata()
    if wants == "sparse":
        return lambda cells: cells
    return dense


def dense(cells: Cells) -> Cells:
    """The same cells with a dense matrix."""
    if isinstance(cells.X, np.ndarray):
        return cells
    return Cells(cells.dense(), cells.var_names, cells.obs, cells.layers)


@dataclass(frozen=True)
class Recipe:
    """How a predictor is made, and what its spec says of it.

    Attributes
    ----------
    make : callable
        The predictor's class, or what returns a predictor.
    params : mapping
        Its keyword arguments.
    answers : sequence of str
        The answer kinds that it gives.
    wants : str
        The form in which it wants cells.
    max_order : int or None
        How many genes it can remove at once; None for any number.
    """

    make: Callable[..., Any]
    params: Mapping[str, Any]
    answers: Sequence[str]
    wants: str
    max_order: int | None = None


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted predictor, ready to be asked.

    Attributes
    ----------
    asker : Asker
        Puts questions to it and derives what it does not answer itself.
    supported : (G,) bool
        The genes that it can remove.
    max_order : int or None
        How many genes it can remove at once; None for any number.
    """

    asker: Asker
    supported: BoolArray
    max_order: int | None = None


def fit_predictor(recipe: Recipe, cells: Cells, context: Context) -> Fitted:
    """Make a predictor, ask what it supports, and fit it.

    Parameters
    ----------
    recipe : Recipe
        How it is made.
    cells : Cells
        The wild-type cells to learn from.
    context : Context
        Seed, threads, scratch folder and the like.

    Raises
    ------
    InvalidAnswerError
        Where `supports` does not return one bool for each gene.
    """
    hand = hander(recipe.wants)
    predictor = recipe.make(**recipe.params)
    supports = getattr(predictor, "supports", None)
    supported = np.ones(cells.n_vars, dtype=bool)
    if callable(supports):
        supported = np.asarray(supports(cells.var_names.copy()))
        if supported.shape != (cells.n_vars,) or supported.dtype != bool:
            raise InvalidAnswerError(
                f"supports returned {supported.dtype} of shape {supported.shape}; expected bool"
                f" of shape ({cells.n_vars},)"
            )
        supported = supported.copy()  # the predictor may change its own later
    predictor.fit(hand(cells), context)
    asker = Asker(predictor, recipe.answers, hand, context.report)
    return Fitted(asker, supported, recipe.max_order)
