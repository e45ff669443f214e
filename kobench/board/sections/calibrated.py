"""What a section says of metrics that cannot tell controls of known quality apart there."""

from __future__ import annotations

from collections.abc import Mapping

from kobench.board.numbers.calibrated import Calibrated
from kobench.board.row import Column
from kobench.board.written import number, spoken, with_interval

#: Answers that know no perturbation, as they are spoken of.
CONTROLS = {
    "permuted": "the changes of other perturbations",
    "mean": "the mean change of all",
    "direction": "the mean change of all, in each as long as its own",
    "nothing": "no change at all",
}


def on_greyed(columns: Mapping[str, Column]) -> list[str]:
    """Which metrics are greyed, and why, in one sentence; none where all tell."""
    greyed = [column for column in columns.values() if column.greyed]
    if not greyed:
        return []
    said = "; ".join(
        f"{column.name} {_numbers(column.calibrated)}" for column in greyed if column.calibrated
    )
    return [
        f"greyed, in brackets and without skill, verdict or rank: {said}. By"
        f" {'these metrics' if len(greyed) > 1 else 'this metric'} the change in one half of the"
        " cells is no better an answer to that in the other half, by more than chance, than one"
        " that knows no perturbation, or its strength alone"
    ]


def why_greyed(columns: Mapping[str, Column]) -> str:
    """Why nobody is ranked where no metric that ranks tells controls apart; "" where one does."""
    greyed = [column.name for column in columns.values() if column.greyed and column.ranks]
    if not greyed or any(column.primary for column in columns.values()):
        return ""
    return (
        f"not ranked: {spoken(greyed)} can't tell the other half of the cells from an answer that"
        " knows no perturbation, or its strength alone"
    )


def _numbers(found: Calibrated) -> str:
    """`(0.41 and 0.40 for the mean change of all, difference 0.010 [-0.050, 0.070])`."""
    known = CONTROLS.get(found.control, found.control)
    return (
        f"(half of the cells {number(found.duplicate)}, {known} {number(found.known)}, difference"
        f" {with_interval(found.apart)})"
    )
