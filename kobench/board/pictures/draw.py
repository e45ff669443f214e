"""Pictures of a board, drawn with matplotlib (the extra `pictures`): a pure function of the board,
hence of the records.

`plan` says which pictures a board gives, without matplotlib; `draw` makes one SVG; `write_pictures`
writes them all into a folder.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.board.figures import Drawn
from kobench.board.glance import FEW
from kobench.board.pictures.cost import draw_cost, priced
from kobench.board.pictures.figure import available, drawn, need, styles_of
from kobench.board.pictures.genes import draw_genes, has_genes
from kobench.board.pictures.noise import draw_noise, noise_sections, predictors_of
from kobench.board.pictures.scatter import draw_scatter
from kobench.board.pictures.standing import draw_standings, shown_rows
from kobench.board.table import Board, Section
from kobench.util.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawn", "Picture", "available", "draw", "draw_all", "need", "plan", "write_pictures"]

#: Of so many datasets a task single units are drawn, the first of the board.
DATASETS = 4


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn. name : of its file; caption : what it shows; section : the
    section it belongs to, None for a task's.
    """

    name: str
    caption: str
    task: str
    section: Section | None
    figure: Callable[[], Figure]


def plan(board: Board) -> list[Picture]:
    """Every picture that the board has the numbers for, in a fixed order; what is missing in the
    records is passed over.
    """
    styles = styles_of(
        sorted(
            {
                row.name
                for section in board.sections
                for row in section.rows
                if row.role == "predictor"
            }
        )
    )
    pictures: list[Picture] = []

    def add(
        name: str, caption: str, task: str, section: Section | None, figure: Callable[[], Figure]
    ) -> None:
        taken = {picture.name for picture in pictures}
        stem = plain(name)
        number = next(i for i in range(1, len(taken) + 2) if numbered(stem, i) not in taken)
        pictures.append(Picture(numbered(stem, number), caption, task, section, figure))

    for (task, split), sections in by_task(board.sections).items():
        ranked = [section for section in sections if section.ranked and shown_rows(section)]
        about = f"{task}, split {split}"
        if 0 < len(ranked) <= FEW:
            caption = (
                f"{about}: predictors and the best floors, with bars that join those that can't be"
                " told apart"
            )
            add(
                f"standing-{task}-{split}",
                caption,
                task,
                None,
                partial(draw_standings, task, ranked, styles),
            )
        costly = [section for section in ranked if board.cost and priced(section)]
        if 0 < len(costly) <= FEW:
            add(
                f"cost-{task}-{split}",
                f"{about}: accuracy against cost",
                task,
                None,
                partial(draw_cost, task, costly, styles),
            )
        for section in [section for section in sections if section.points and section.leading][
            :DATASETS
        ]:
            caption = f"{task} on {section.place}: predicted against true"
            add(
                f"predicted-{task}-{section.place}-{split}",
                caption,
                task,
                section,
                partial(draw_scatter, section, styles),
            )
        for section in [section for section in sections if has_genes(section)][:DATASETS]:
            assert section.units is not None
            caption = (
                f"{task} on {section.place}: true and predicted, {section.units.unit} by"
                f" {section.units.unit}"
            )
            add(
                f"genes-{task}-{section.place}-{split}",
                caption,
                task,
                section,
                partial(draw_genes, section, styles),
            )
    for about, sections in noise_sections(board.sections).items():
        for predictor in predictors_of(sections):
            caption = (
                f"{predictor} on {about}: pooled Spearman of profiles against noise, by network,"
                " dropout and degree"
            )
            add(
                f"noise-{predictor}-{about}",
                caption,
                sections[0].task,
                None,
                partial(draw_noise, predictor, sections, about),
            )
    return pictures


def by_task(sections: Iterable[Section]) -> dict[tuple[str, str], list[Section]]:
    """The sections of each task and split."""
    groups: dict[tuple[str, str], list[Section]] = defaultdict(list)
    for section in sections:
        groups[section.task, section.split].append(section)
    return dict(groups)


def plain(name: str) -> str:
    """A file name that every system takes.

    >>> plain("noise-mlp-grn absence=modules holdout")
    'noise-mlp-grn-absence-modules-holdout'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:120]


def numbered(stem: str, number: int) -> str:
    """A name for the second picture of the same name, and the third."""
    return stem if number == 1 else f"{stem}-{number}"


def draw(picture: Picture) -> str:
    """A picture as SVG text; raises UserError without matplotlib."""
    need()
    return drawn(picture.name, picture.figure)


def draw_all(board: Board) -> list[Drawn]:
    """Every picture of a board; raises UserError without matplotlib."""
    need()
    return [
        Drawn(one.name, one.caption, one.task, one.section, draw(one)) for one in plan(board)
    ]


def write_pictures(pictures: Iterable[Drawn], folder: Path) -> list[Path]:
    """Write `NAME.svg` for each picture."""
    paths = []
    for one in pictures:
        paths.append(folder / f"{one.name}.svg")
        write_atomically(paths[-1], one.svg.encode())
    return paths
