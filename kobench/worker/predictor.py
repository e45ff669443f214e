"""One fitted predictor answering in stages; the same code in a worker process and, for trusted
floors, in the parent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.api import Context
from kobench.cells import BoolArray, Cells, FloatArray, IntArray, Knockouts
from kobench.errors import InvalidAnswerError
from kobench.worker.answers import ResponsesAnswer, answer_interactions, answer_responses
from kobench.worker.derive import Asker, SinglesAnswer


def hander(wants: str) -> Callable[[Cells], Any]:
    """What turns cells into the form a predictor wants."""
    if wants == "anndata":
        return lambda cells: cells.to_anndata()
    if wants == "sparse":
        return lambda cells: cells
    return lambda cells: (
        cells
        if isinstance(cells.X, np.ndarray)
        else Cells(cells.dense(), cells.var_names, cells.obs, cells.layers)
    )


@dataclass
class Session:
    """A predictor of one trial: made, asked what it supports, fitted, then asked."""

    make: Callable[..., Any]
    params: Mapping[str, Any]
    answers: Sequence[str]
    wants: str
    context: Context
    max_order: int | None = None

    def fit(self, cells: Cells) -> BoolArray:
        """Make and fit the predictor; returns which genes (G,) it can remove."""
        self.hand = hander(self.wants)
        self.predictor = self.make(**self.params)
        supports = getattr(self.predictor, "supports", None)
        supported = np.ones(cells.n_vars, dtype=bool)
        if callable(supports):
            supported = np.asarray(supports(cells.var_names.copy()))
            if supported.shape != (cells.n_vars,) or supported.dtype != bool:
                raise InvalidAnswerError(
                    f"supports returned {supported.dtype} of shape {supported.shape}; expected bool"
                    f" of shape ({cells.n_vars},)"
                )
        self.predictor.fit(self.hand(cells), self.context)
        self.asker = Asker(self.predictor, self.answers, self.hand, self.context.report)
        return supported

    def profile(self, assemblages: BoolArray) -> FloatArray | None:
        """Answer the profile question, (n, G)."""
        return self.asker.expression(assemblages)

    def singles(
        self, cells: Cells, events: Knockouts, sample: IntArray, supported: BoolArray
    ) -> SinglesAnswer:
        """Answer the single-knockout question."""
        return self.asker.singles(cells, events, sample, supported)

    def impacts(
        self, cells: Cells, events: Knockouts, supported: BoolArray
    ) -> dict[str, FloatArray]:
        """Impacts of events alone, without any full row: "raw" and "propagated", (n,) each, those
        that can be had.
        """
        return self.asker.impacts(cells, events, supported)

    def gene_scores(self, cells: Cells, genes: IntArray) -> FloatArray | None:
        """The predictor's own scores (n,) of the genes (columns), None where it gives none."""
        scores = self.asker.gene_scores(cells, genes)
        return None if scores is None else scores[genes]

    def responses(
        self,
        cells: Cells,
        batches: Sequence[Knockouts],
        rows: Sequence[IntArray],
        n_rows: int,
        supported: BoolArray,
    ) -> ResponsesAnswer:
        """Answer the population question."""
        return answer_responses(self.asker, cells, batches, rows, n_rows, supported, self.max_order)

    def interactions(
        self, cells: Cells, events: Knockouts, supported: BoolArray
    ) -> FloatArray | None:
        """Answer the question of several knockouts at once, (n,)."""
        return answer_interactions(self.asker, cells, events, supported, self.max_order)
