"""The pictures of a board as records; `kobench.board.pictures` draws them."""

from __future__ import annotations

from dataclasses import dataclass

from kobench.board.table import Section


@dataclass(frozen=True)
class Drawn:
    """A picture that was drawn.

    Attributes
    ----------
    name : str
        The name of its file, without an ending.
    caption : str
        What it shows.
    task : str
        The label of the task that it is of.
    section : Section or None
        The section that it belongs to, None for a task's.
    svg : str
        The picture as SVG text.
    """

    name: str
    caption: str
    task: str
    section: Section | None
    svg: str
