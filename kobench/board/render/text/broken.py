"""Heads of columns over several lines."""

from __future__ import annotations

import re


def broken(title: str, width: int = 13) -> str:
    """A long title over several lines, broken after hyphens.

    >>> broken("spearman-within-cell[raw] ↑")
    'spearman-\\nwithin-\\ncell[raw] ↑'
    """
    lines = [""]
    for part in re.findall(r"[^-]+-?", title):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
