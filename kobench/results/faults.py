"""What is wrong with a document, and where."""

from __future__ import annotations

import json
from typing import Any


class Fault(ValueError):  # noqa: N818 - it is about a document, not about a program
    """A document that is not what its part expects: where, what is there, what is expected."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place} {problem}")
        self.problem, self.place = problem, place

    def inside(self, name: str) -> Fault:
        """The same fault, seen from the object that has the faulty one under `name`."""
        return Fault(self.problem, f"{name}.{self.place}" if self.place else name)


def shown(value: Any) -> str:
    """A value as JSON, cut short."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
