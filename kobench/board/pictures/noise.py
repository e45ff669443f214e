"""Pooled Spearman against noise by degree and dropout, laid out as Figure 2 of arXiv 2510.03359."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kobench.board.glance import shown
from kobench.board.growth import SIZES
from kobench.board.pictures.axis import Ends
from kobench.board.pictures.figure import headed, panels
from kobench.board.pictures.style import FLOOR, Style, style_at
from kobench.board.table import Section
from kobench.board.words import base
from kobench.errors import UserError
from kobench.util.grammar import parse

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TASK, METRIC = "profile", "spearman-pooled"

#: The parameters that the axes and panels take up; datasets that differ by anything else have a
#: picture of their own.
DRAWN = ("sigma", "degree", "dropout", "network", "gamma")


@dataclass(frozen=True, order=True)
class Network:
    """The kind of a network, in the order of the panels: Erdős-Rényi last, as in the paper."""

    order: float
    name: str


def noise_sections(sections: Sequence[Section]) -> dict[str, list[Section]]:
    """The sections that such a picture can be drawn from.

    Parameters
    ----------
    sections : sequence of Section
        All sections of a board.

    Returns
    -------
    dict
        What they have in common -> those with several values of sigma.
    """
    groups: dict[str, list[Section]] = defaultdict(list)
    for section in filter(has_noise, sections):
        groups[" ".join([section.dataset_name, *others_of(section), section.split])].append(section)
    return {
        about: found
        for about, found in groups.items()
        if len({section.params["sigma"] for section in found}) > 1
    }


def others_of(section: Section) -> list[str]:
    """The parameters that the picture does not draw; sizes only where the selection names them."""
    try:
        named = parse(section.dataset).params
    except UserError:  # the record is somebody else's; sizes are then not named
        named = {}
    return [
        f"{key}={shown(value)}"
        for key, value in sorted(section.params.items())
        if key not in DRAWN and (key not in SIZES or key in named)
    ]


def has_noise(section: Section) -> bool:
    """Whether a section has the metric on networks of known noise."""
    return (
        base(section.task) == TASK
        and any(column.name == METRIC for column in section.columns)
        and "sigma" in section.params
        and not section.train
    )


def predictors_of(sections: Sequence[Section]) -> list[str]:
    """Predictors with a value somewhere."""
    return sorted(
        {
            row.name
            for section in sections
            for row in section.rows
            if row.role == "predictor" and point_of(section, row.name) is not None
        }
    )


def network_of(section: Section) -> Network:
    """The kind of a section's network."""
    kind, gamma = str(section.params.get("network", "")), section.params.get("gamma")
    if gamma is not None:
        return Network(float(gamma), f"scale-free, γ = {shown(gamma)}")
    return Network(1e9, {"er": "Erdős-Rényi"}.get(kind, kind))


def parameter(section: Section, name: str) -> float:
    """A parameter as a number, 0 where it is not given."""
    return float(section.params.get(name, 0.0))


def point_of(section: Section, predictor: str) -> Ends | None:
    """A predictor's mean with its interval, a point where it has none; None without a value."""
    rows = (row for row in section.rows if row.name == predictor and row.role == "predictor")
    row = next(rows, None)
    score = row.scores.get(METRIC) if row else None
    if score is None or score.value is None:
        return None
    low = score.value if score.low is None else score.low
    high = score.value if score.high is None else score.high
    return Ends(score.value, low, high)


def floor_of(section: Section) -> float | None:
    """What the best floor has here."""
    column = next(column for column in section.columns if column.name == METRIC)
    scores = (row.scores.get(METRIC) for row in section.floors)
    values = [score.value for score in scores if score is not None and score.value is not None]
    return max(values, key=lambda value: column.sign * value, default=None)


def draw_noise(predictor: str, sections: Sequence[Section], about: str) -> Figure:
    """Panels dropout x network, with a line for each degree.

    Parameters
    ----------
    predictor : str
        The name of the predictor.
    sections : sequence of Section
        One group of `noise_sections`.
    about : str
        What they have in common.

    Returns
    -------
    Figure
        In grey, with the same dashes, the best floor at that degree.
    """
    networks = sorted({network_of(section) for section in sections})
    dropouts = sorted({parameter(section, "dropout") for section in sections})
    degrees = sorted({parameter(section, "degree") for section in sections})
    figure, axes = panels(
        len(networks) * len(dropouts), len(networks), 2.6, 2.1, sharex=True, sharey=True
    )
    styles = {degree: style_at(i) for i, degree in enumerate(degrees)}
    floored = False
    for i, axis in enumerate(axes):
        row, place = divmod(i, len(networks))
        dropout, network = dropouts[row], networks[place]
        for degree in degrees:
            members = [
                section
                for section in sections
                if parameter(section, "dropout") == dropout
                and network_of(section) == network
                and parameter(section, "degree") == degree
            ]
            floored |= draw_floors(axis, members, degree, styles[degree])
            draw_points(axis, predictor, members, degree, styles[degree])
        axis.set_title(f"{network.name}, dropout {dropout:g}", loc="left", fontsize=8)
        if row == len(dropouts) - 1:
            axis.set_xlabel("noise σ (share of a weight)")
        if place == 0:
            axis.set_ylabel("pooled Spearman ρ")
    add_legend(figure, axes)
    headed(figure, title_of(predictor, sections, about, floored))
    return figure


def draw_floors(axis: Axes, sections: Sequence[Section], degree: float, style: Style) -> bool:
    """The best floors at one degree as a grey line; says whether there are any."""
    floors = sorted(
        (parameter(section, "sigma"), value)
        for section in sections
        if (value := floor_of(section)) is not None
    )
    if floors:
        axis.plot(
            *zip(*floors, strict=True),
            color=FLOOR,
            linestyle=style.line,
            linewidth=1.0,
            alpha=0.8,
            label=f"_floor, degree {degree:g}",
        )
    return bool(floors)


def draw_points(
    axis: Axes, predictor: str, sections: Sequence[Section], degree: float, style: Style
) -> None:
    """A predictor's means at one degree as a line, with their intervals."""
    found = sorted(
        (parameter(section, "sigma"), point)
        for section in sections
        if (point := point_of(section, predictor)) is not None
    )
    if not found:
        return
    points = [point for _, point in found]
    below = [max(0.0, value - low) for value, low, _ in points if low is not None]
    above = [max(0.0, high - value) for value, _, high in points if high is not None]
    axis.errorbar(
        [sigma for sigma, _ in found],
        [point.value for point in points],
        [below, above],
        color=style.color,
        marker=style.marker,
        linestyle=style.line,
        markersize=4,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
        label=f"degree {degree:g}",
    )


def add_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend below all panels, with every label once."""
    named: dict[str, Artist] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    figure.legend(
        list(named.values()), list(named), loc="outside lower center", ncols=max(1, len(named))
    )


def title_of(predictor: str, sections: Sequence[Section], about: str, floored: bool) -> str:
    """What is drawn, and how many networks the numbers stand on."""
    counts = sorted({section.blocks for section in sections})
    said = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    mean = f"mean of {said} networks, 95 % intervals" if counts != [1] else "1 network"
    beside = ", best floor in grey" if floored else ""
    return f"{predictor}: Spearman of predicted and true profiles{beside} ({mean}); {about}"
