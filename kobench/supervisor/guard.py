"""The harness's last look at answers: types, shapes, signs, and what may be missing.

A predictor's own process checks its answers, too, but nothing that it says of itself is relied on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kobench.cells import BoolArray
from kobench.errors import TrialFailed
from kobench.question import Question, Shape
from kobench.supervisor.arrays import Expected
from kobench.worker.derive import SUM_TOLERANCE


def expected_arrays(shapes: Mapping[str, Shape]) -> dict[str, Expected]:
    """The arrays that may answer a question, by name, as they must come out of a worker."""
    return {name: Expected(shape.dimensions) for name, shape in shapes.items()}


def guard_answers(
    stage: str,
    arrays: Mapping[str, Any],
    question: Question,
    supported: BoolArray,
    max_order: int | None = None,
) -> None:
    """Refuse answers that the contract does not allow.

    Parameters
    ----------
    stage : str
        The question set, for the message.
    arrays : mapping of str to array or None
        The arrays that answer the question, by name.
    question : Question
        What was asked.
    supported : (G,) bool
        The genes that the predictor can remove.
    max_order : int or None
        How many genes it can remove at once; None for any number.

    Raises
    ------
    TrialFailed
        With the status "invalid", for the first array that is not as it must be.
    """
    for name, shape in question.shapes(supported, max_order).items():
        if arrays.get(name) is not None:
            check_array(stage, name, arrays[name], shape)


def check_array(stage: str, name: str, values: Any, shape: Shape) -> None:
    """Refuse one array where it is not as `shape` says; raises TrialFailed."""
    if values.dtype.kind != "f" or values.shape != shape.dimensions:
        expected = Expected(shape.dimensions)
        raise TrialFailed(
            "invalid",
            stage,
            f"{name} came as {values.dtype} of shape {values.shape}; expected {expected}",
        )
    asked = values[~shape.missing]
    if not np.isfinite(asked).all():
        raise TrialFailed("invalid", stage, f"{name} holds values that are not finite")
    if not shape.signed and asked.size and asked.min() < 0:
        raise TrialFailed("invalid", stage, f"{name} holds {asked.min():.6g}; expected values >= 0")
    if shape.profile and (np.abs(asked.sum(axis=1, dtype=np.float64) - 1) > SUM_TOLERANCE).any():
        raise TrialFailed("invalid", stage, f"{name} holds rows that do not sum to 1")
    if shape.removed is not None:
        removed = np.take_along_axis(asked, shape.removed[~shape.missing].astype(np.intp), axis=1)
        if removed.any():
            raise TrialFailed(
                "invalid", stage, f"{name} holds {removed.max():.6g} at a removed gene; expected 0"
            )
