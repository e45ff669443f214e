"""Which pictures a board gives: those that it has the numbers for, without drawing any."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from kobench.board.board import Board
from kobench.board.glance import FEW
from kobench.board.pictures.cost import draw_cost, priced
from kobench.board.pictures.genes import draw_genes, has_genes
from kobench.board.pictures.noise import draw_noise, noise_sections, predictors_of
from kobench.board.pictures.scatter import draw_scatter
from kobench.board.pictures.standing import draw_standings, shown_rows
from kobench.board.pictures.style import Style, styles_of
from kobench.board.table import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Of how many datasets of a task single units are drawn: the first on the board.
DATASETS = 4


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn.

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
    figure : callable
        Draws it.
    """

    name: str
    caption: str
    task: str
    section: Section | None
    figure: Callable[[], Figure]


def plan(board: Board) -> list[Picture]:
    """Every picture of a board, in a fixed order; what the records lack is passed over."""
    styles = styles_of({name for section in board.sections for name in section.predictors})
    pictures: list[Picture] = []
    for (task, split), sections in by_task(board.sections).items():
        ranked = [section for section in sections if section.ranked and shown_rows(section)]
        pictures += standing_pictures(task, split, ranked, styles)
        if board.cost:
            pictures += cost_pictures(task, split, ranked, styles)
        pictures += scatter_pictures(split, sections, styles)
        pictures += gene_pictures(split, sections, styles)
    pictures += noise_pictures(board.sections)
    return with_file_names(pictures)


def by_task(sections: Iterable[Section]) -> dict[tuple[str, str], list[Section]]:
    """The sections of each task and split."""
    groups: dict[tuple[str, str], list[Section]] = defaultdict(list)
    for section in sections:
        groups[section.task, section.split].append(section)
    return dict(groups)


def standing_pictures(
    task: str, split: str, sections: Sequence[Section], styles: Mapping[str, Style]
) -> Iterator[Picture]:
    """Where predictors and floors stand, on few datasets."""
    if 0 < len(sections) <= FEW:
        caption = (
            f"{task}, split {split}: predictors and the best floors, with bars that join those that"
            " can't be told apart"
        )
        figure = partial(draw_standings, task, sections, styles)
        yield Picture(f"standing-{task}-{split}", caption, task, None, figure)


def cost_pictures(
    task: str, split: str, sections: Sequence[Section], styles: Mapping[str, Style]
) -> Iterator[Picture]:
    """What accuracy costs, on few datasets."""
    costly = [section for section in sections if priced(section)]
    if 0 < len(costly) <= FEW:
        caption = f"{task}, split {split}: accuracy against cost"
        figure = partial(draw_cost, task, costly, styles)
        yield Picture(f"cost-{task}-{split}", caption, task, None, figure)


def scatter_pictures(
    split: str, sections: Sequence[Section], styles: Mapping[str, Style]
) -> Iterator[Picture]:
    """Predicted against true, of the first datasets that have both."""
    with_points = [section for section in sections if section.points and section.leading]
    for section in with_points[:DATASETS]:
        task, place = section.task, section.place
        caption = f"{task} on {place}: predicted against true"
        figure = partial(draw_scatter, section, styles)
        yield Picture(f"predicted-{task}-{place}-{split}", caption, task, section, figure)


def gene_pictures(
    split: str, sections: Sequence[Section], styles: Mapping[str, Style]
) -> Iterator[Picture]:
    """True and predicted values gene by gene, of the first datasets that have both."""
    for section in [section for section in sections if has_genes(section)][:DATASETS]:
        assert section.units is not None
        task, place, unit = section.task, section.place, section.units.unit
        caption = f"{task} on {place}: true and predicted, {unit} by {unit}"
        figure = partial(draw_genes, section, styles)
        yield Picture(f"genes-{task}-{place}-{split}", caption, task, section, figure)


def noise_pictures(sections: Sequence[Section]) -> Iterator[Picture]:
    """Profiles against noise, of each predictor."""
    for about, members in noise_sections(sections).items():
        for predictor in predictors_of(members):
            caption = (
                f"{predictor} on {about}: pooled Spearman of profiles against noise, by network,"
                " dropout and degree"
            )
            figure = partial(draw_noise, predictor, members, about)
            yield Picture(f"noise-{predictor}-{about}", caption, members[0].task, None, figure)


def with_file_names(pictures: Iterable[Picture]) -> list[Picture]:
    """Pictures under names that every system takes, no two of them alike."""
    named: dict[str, Picture] = {}
    for picture in pictures:
        stem = plain(picture.name)
        numbered = (stem if i == 1 else f"{stem}-{i}" for i in range(1, len(named) + 2))
        name = next(name for name in numbered if name not in named)
        named[name] = replace(picture, name=name)
    return list(named.values())


def plain(name: str) -> str:
    """A file name that every system takes.

    >>> plain("noise-mlp-grn absence=modules holdout")
    'noise-mlp-grn-absence-modules-holdout'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:120]
