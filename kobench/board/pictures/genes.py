"""True and predicted values gene by gene, the true ones with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kobench.board.pictures.figure import counted, headed, panels, short
from kobench.board.pictures.quantities import unit_quantity
from kobench.board.pictures.style import Style
from kobench.board.table import Section, Units

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: How many genes are drawn, those with the largest true values, and how many predictors.
GENES, PREDICTORS = 40, 3

#: How far apart the points of two predictors stand, in genes.
SHIFT = 0.14


def has_genes(section: Section) -> bool:
    """Whether a section has true values of single genes or perturbations, and predictions."""
    units = section.units
    return (
        units is not None
        and units.unit in ("gene", "perturbation")
        and any(value is not None for value in units.facts.get("true", ()))
        and bool(predicted(section, units))
    )


def predicted(section: Section, units: Units) -> dict[str, tuple[Any, ...]]:
    """The predictions of the first few predictors."""
    names = {row.name for row in section.rows if row.role == "predictor"}
    found = {
        name: own["predicted"]
        for name, own in units.answers.items()
        if "predicted" in own and name in names
    }
    return dict(list(found.items())[:PREDICTORS])


def draw_genes(section: Section, styles: Mapping[str, Style]) -> Figure:
    """The genes with the largest true values, the largest on the left.

    Parameters
    ----------
    section : Section
        A section that `has_genes`.
    styles : mapping of str to Style
        The style of each predictor.

    Returns
    -------
    Figure
        The grey bar is the truth's 95 % interval, where the records have one.
    """
    assert section.units is not None
    units = section.units
    places = largest(units)
    figure, (axis,) = panels(1, 1, max(5.0, 1.6 + 0.19 * len(places)), 3.2)
    draw_truth(axis, units, places)
    draw_predictions(axis, predicted(section, units), places, styles)
    names = [short(units.names[place], 14) for place in places]
    axis.set_xticks(range(len(places)), names, rotation=90, fontsize=7)
    axis.set_xlim(-0.8, len(places) - 0.2)
    axis.set_xlabel(units.unit)
    axis.set_ylabel(unit_quantity(section))
    axis.legend(ncols=4, loc="upper right")
    headed(figure, title_of(section, units, len(places)), 9)
    return figure


def largest(units: Units) -> list[int]:
    """The places of the genes with the largest true values, the largest first."""
    true = units.facts["true"]
    known = (i for i, value in enumerate(true) if value is not None)
    return sorted(known, key=lambda i: (-float(true[i]), units.names[i]))[:GENES]


def draw_truth(axis: Axes, units: Units, places: Sequence[int]) -> None:
    """The true values, with their intervals where the records have them."""
    low, high = units.facts.get("true_low"), units.facts.get("true_high")
    for x, place in enumerate(places):
        ends = [side[place] for side in (low, high) if side is not None and side[place] is not None]
        if len(ends) == 2:
            axis.plot(
                [x, x],
                ends,
                color="#b8b8b8",
                linewidth=5,
                solid_capstyle="butt",
                label="_interval",
            )
    axis.plot(
        range(len(places)),
        [units.facts["true"][place] for place in places],
        "_",
        color="black",
        markersize=8,
        markeredgewidth=1.8,
        label="true",
    )


def draw_predictions(
    axis: Axes,
    answers: Mapping[str, Sequence[Any]],
    places: Sequence[int],
    styles: Mapping[str, Style],
) -> None:
    """The predictors' values, beside each other at every gene."""
    for i, (name, values) in enumerate(answers.items()):
        shift = SHIFT * (i - (len(answers) - 1) / 2)
        known = [
            (x + shift, values[place])
            for x, place in enumerate(places)
            if values[place] is not None
        ]
        color, marker, _ = styles[name]
        axis.plot(
            [x for x, _ in known],
            [y for _, y in known],
            marker=marker,
            color=color,
            markersize=5,
            linestyle="none",
            label=name,
        )


def title_of(section: Section, units: Units, shown: int) -> str:
    """Task and dataset, how many genes are shown, and how much they stand on."""
    every = len(units.names)
    count = f"the {shown} largest of {every}" if shown < every else f"all {shown}"
    title = f"{section.task} on {short(section.place, 50)}: {count}; {units.of or counted(section)}"
    if units.facts.get("true_low") is None:
        return title
    return f"{title}; grey: the truth's 95 % interval over cells"
