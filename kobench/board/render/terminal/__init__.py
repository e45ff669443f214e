"""The board for a terminal."""

from kobench.board.render.terminal.document import print_board, render
from kobench.board.render.terminal.summary import SCREEN, render_summary

__all__ = ["SCREEN", "print_board", "render", "render_summary"]
