"""The board as Markdown, as GitHub shows it."""

from kobench.board.render.markdown.document import render

__all__ = ["render"]
