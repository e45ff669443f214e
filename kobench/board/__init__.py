"""Records -> leaderboard, a pure function: the same records in, the same bytes out."""

from kobench.board.make import check_board, make_board

__all__ = ["check_board", "make_board"]
