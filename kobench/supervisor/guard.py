"""Answers that came out of an untrusted process, checked once more in this one: types, shapes, and
what may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kobench.cells import BoolArray, IntArray, Knockouts
from kobench.errors import TrialFailed
from kobench.question import Multiples, Profiles, Question, Responses, Transfers
from kobench.supervisor.arrays import Expected
from kobench.worker.answers import answerable_events
from kobench.worker.derive import SUM_TOLERANCE


@dataclass(frozen=True, eq=False)
class Shape:
    """What an answer must look like. missing : (n,) bool, the rows that were not asked: only they
    may be NaN. width : None for one number a row. profile : rows are >= 0 and sum to 1. signed :
    numbers may be negative. removed : (n, order) genes at which rows must be 0.
    """

    missing: BoolArray
    width: int | None = None
    profile: bool = False
    signed: bool = False
    removed: IntArray | None = None

    @property
    def expected(self) -> Expected:
        """The shape and kind of its array."""
        return Expected(
            (len(self.missing),) if self.width is None else (len(self.missing), self.width)
        )


def guard_answers(
    asks: str, arrays: dict[str, Any], question: Question, max_order: int | None = None
) -> dict[str, Any]:
    """The arrays as they came, with `supported` (G,) among them; raises TrialFailed for what the
    contract does not allow.
    """
    for name, shape in shapes_of(question, arrays["supported"], max_order).items():
        if arrays.get(name) is not None:
            check(asks, name, arrays[name], shape)
    return arrays


def expected_of(
    question: Question, supported: BoolArray, max_order: int | None = None
) -> dict[str, Expected]:
    """The arrays that may answer a question, by name, as they must come."""
    return {
        name: shape.expected for name, shape in shapes_of(question, supported, max_order).items()
    }


def shapes_of(
    question: Question, supported: BoolArray, max_order: int | None
) -> Mapping[str, Shape]:
    """What each array that may answer a question must look like."""
    if isinstance(question, (Profiles, Transfers)):
        n, n_genes = question.assemblages.shape
        return {"profile": Shape(np.zeros(n, bool), n_genes, profile=True)}
    n_genes = question.cells.n_vars
    if isinstance(question, Multiples):
        return {"interaction": Shape(~answerable_events(question.events, supported, max_order))}
    if isinstance(question, Responses):
        missing = ~row_answerable(question, supported, max_order)
        singles = [events for events in question.events if events.order == 1]
        number = Shape(missing)
        return {
            "response": Shape(missing, n_genes, signed=True),
            "raw": number,
            "propagated": number,
            "gene_scores": Shape(~asked_genes(singles, supported, n_genes), signed=True),
        }
    return shapes_of_singles(question.events, question.sample, supported, question.cells.shape)


def shapes_of_singles(
    events: Knockouts, sample: IntArray, supported: BoolArray, shape: tuple[int, int]
) -> Mapping[str, Shape]:
    """The same for single knockouts; shape : (m, G) of the asked cells."""
    unasked = ~answerable_events(events, supported, None)
    return {
        "wild_type": Shape(np.zeros(shape[0], bool), shape[1], profile=True),
        "rows": Shape(unasked[sample], shape[1], profile=True, removed=events.genes[sample]),
        "raw": Shape(unasked),
        "propagated": Shape(unasked),
        "gene_scores": Shape(~asked_genes([events], supported, shape[1]), signed=True),
    }


def row_answerable(question: Responses, supported: BoolArray, max_order: int | None) -> BoolArray:
    """(R,) which answer rows of a population question a predictor can answer."""
    answerable = np.zeros(len(question.row_perturbation), bool)
    for events, rows in zip(question.events, question.rows, strict=True):
        answerable[rows[answerable_events(events, supported, max_order)]] = True
    return answerable


def asked_genes(batches: list[Knockouts], supported: BoolArray, n_genes: int) -> BoolArray:
    """(G,) the supported genes that any of these events removes."""
    asked = np.zeros(n_genes, bool)
    for events in batches:
        asked[events.genes[answerable_events(events, supported, None)]] = True
    return asked


def check(asks: str, name: str, values: Any, shape: Shape) -> None:
    """Raise TrialFailed where an array is not what it must be."""
    if values.dtype.kind != "f" or values.shape != shape.expected.shape:
        raise TrialFailed(
            "invalid",
            asks,
            f"{name} came as {values.dtype} of shape {values.shape}; expected {shape.expected}",
        )
    asked = values[~shape.missing]
    if not np.isfinite(asked).all():
        raise TrialFailed("invalid", asks, f"{name} holds values that are not finite")
    if not shape.signed and asked.size and asked.min() < 0:
        raise TrialFailed("invalid", asks, f"{name} holds {asked.min():.6g}; expected values >= 0")
    if shape.profile and (np.abs(asked.sum(axis=1, dtype=np.float64) - 1) > SUM_TOLERANCE).any():
        raise TrialFailed("invalid", asks, f"{name} holds rows that do not sum to 1")
    if shape.removed is not None:
        removed = np.take_along_axis(asked, shape.removed[~shape.missing].astype(np.intp), axis=1)
        if removed.any():
            raise TrialFailed(
                "invalid", asks, f"{name} holds {removed.max():.6g} at a removed gene; expected 0"
            )
