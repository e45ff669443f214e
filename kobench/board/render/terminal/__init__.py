"""The board for a terminal."""

from kobench.board.render.terminal.document import print_board, render

__all__ = ["print_board", "render"]
