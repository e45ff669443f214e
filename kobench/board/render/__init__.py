"""How a board is written down: a module or a package a format, and in `text` what they share."""

from kobench.board.render.formats import FORMATS, render

__all__ = ["FORMATS", "render"]
