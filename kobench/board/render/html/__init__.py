"""The board as one self-contained HTML page."""

from kobench.board.render.html.page import render

__all__ = ["render"]
