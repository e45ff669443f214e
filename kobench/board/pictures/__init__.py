"""Pictures of a board, drawn with matplotlib (the extra `pictures`).

They are a pure function of the board, hence of the records. `plan` says which pictures a board
gives, without matplotlib; `draw_all` makes them; `write_pictures` writes them into a folder.
"""

from kobench.board.pictures.draw import draw, draw_all, write_pdfs, write_pictures
from kobench.board.pictures.figure import available
from kobench.board.pictures.plan import Picture, plan

__all__ = ["Picture", "available", "draw", "draw_all", "plan", "write_pdfs", "write_pictures"]
