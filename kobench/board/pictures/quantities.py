"""What a value is called on an axis, with its unit.

Records name a quantity by one word at most, so the words for the built-in tasks stand here.
"""

from __future__ import annotations

from kobench.board.table import Points, Section

#: What is predicted; anything else goes by its own name.
QUANTITIES = {
    "impact": "propagated impact (Bray-Curtis)",
    "profile": "share of the profile",
    "response": "change of a gene's share",
    "interaction": "interaction (Bray-Curtis)",
    "screen": "log2 fold change",
    "structure": "correlation of two genes",
}

#: What a ranking ranks by, by task.
RANKED_BY = {"response-size": "size of the response", "keystone": "mean impact of the knockout"}


def quantity_of(section: Section, points: Points) -> str:
    """What single predictions are of; ranks where a predictor's score may have any scale."""
    if points.what == "ranking":
        return f"{RANKED_BY.get(section.task.partition('@')[0], 'score')} (rank)"
    return QUANTITIES.get(points.what, points.what)


def unit_quantity(section: Section) -> str:
    """What a section's table says of single genes or perturbations."""
    return "mean impact (Bray-Curtis)" if section.task.startswith("keystone") else "size"
