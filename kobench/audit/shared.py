"""What parts have in common: numbers, that nothing is measured, that libraries may differ."""

from __future__ import annotations

import numpy as np

from kobench.audit.material import Material
from kobench.audit.report import Part, Table, Verdict, share
from kobench.cells import IntArray
from kobench.question import Responses
from kobench.util.text import by_reason

#: Where it is said how copies are taken out of a file.
ONCE = "docs/datasets.md, Cells that stand there twice"


def with_caveat(text: str, verdict: Verdict, material: Material) -> tuple[str, Verdict]:
    """A sentence and a verdict, tempered where a difference of libraries would look the same."""
    if not material.caveat:
        return text, verdict
    said = f"{text}. A difference of libraries would look the same: {material.caveat}"
    return said, "look" if verdict == "fine" else verdict


def responding_genes(question: Responses) -> IntArray:
    """(k,) how many genes respond to each perturbation; 0 where that was not measured."""
    if question.responds is None:
        return np.zeros(len(question.names), np.int64)
    found: IntArray = question.responds.sum(axis=1)
    return found


def nothing_measured(material: Material, key: str, title: str) -> Part:
    """What is said where nothing is measured."""
    unasked = material.overview.unasked
    reasons = "; ".join(by_reason(unasked, 3)[:3])
    return Part(
        key,
        title,
        "bad",
        f"{share(0, len(unasked))} can be asked: {reasons}.",
        {"not_askable": dict(unasked)},
        Table(("perturbation", "why it can't be asked"), sorted(unasked.items())),
    )
