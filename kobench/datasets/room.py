"""Whether a file is too large for the memory that there is, said before it is got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kobench.util.machine import available_mb


def hardly_fits(card: Mapping[str, Any]) -> str:
    """That a file is larger than the memory that there is, "" where it is not, or nobody knows.

    Parameters
    ----------
    card : mapping
        The card, which may state the bytes of its file.
    """
    size, there = int(card.get("file", {}).get("bytes", 0)) >> 20, available_mb()
    if size <= there:
        return ""
    return (
        f"the file has {size:,} MB and there are {there:,} MB of memory for this process, so that"
        " its cells will hardly fit"
    )
