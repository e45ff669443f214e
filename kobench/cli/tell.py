"""What commands say of a dataset that they have opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kobench.cli.output import say

if TYPE_CHECKING:
    from kobench.audit.overview import Overview
    from kobench.dataset import Dataset


def tell(dataset: Dataset, seen: Overview) -> None:
    """Print what a reader of scores on a new dataset has to know, and what can be asked of it."""
    from kobench.audit.block import block
    from kobench.util.text import one_line

    for note in dataset.notes:
        say(f"Note: {one_line(note)}.")
    for line in block(seen):
        say(line)
