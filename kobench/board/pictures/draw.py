"""The pictures of a board drawn, and written into a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.pictures.figure import need
from kobench.board.pictures.pdf import pdf_of
from kobench.board.pictures.plan import Picture, plan
from kobench.board.pictures.svg import svg_of
from kobench.util.files import write_atomically


def draw_all(board: Board) -> list[Drawn]:
    """Every picture of a board, in a fixed order; raises UserError without matplotlib."""
    need()
    return [Drawn(one.name, one.caption, one.task, one.section, draw(one)) for one in plan(board)]


def draw(picture: Picture) -> str:
    """A picture as SVG text; raises UserError without matplotlib."""
    need()
    return svg_of(picture.name, picture.figure)


def write_pictures(pictures: Iterable[Drawn], folder: Path) -> list[Path]:
    """Write `NAME.svg` for each picture; returns the files."""
    paths = []
    for picture in pictures:
        path = folder / f"{picture.name}.svg"
        write_atomically(path, picture.svg.encode())
        paths.append(path)
    return paths


def write_pdfs(board: Board, folder: Path) -> list[Path]:
    """Write `NAME.pdf` for each picture of a board, for LaTeX; returns the files."""
    need()
    paths = []
    for picture in plan(board):
        path = folder / f"{picture.name}.pdf"
        write_atomically(path, pdf_of(picture.figure))
        paths.append(path)
    return paths
