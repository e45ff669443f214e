"""Pooled Spearman against noise by degree and dropout, laid out as Figure 2 of arXiv 2510.03359."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kobench.board.glance import shown
from kobench.board.pictures.figure import FLOOR, STYLES, headed, panels
from kobench.board.table import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TASK, METRIC = "profile", "spearman-pooled"

#: What the axes and panels take up; datasets that differ by anything else have a picture of their
#: own.
DRAWN = ("sigma", "degree", "dropout", "network", "gamma")


def noise_sections(sections: Sequence[Section]) -> dict[str, list[Section]]:
    """The sections that such a picture can be drawn from, by what they have in common; those with
    several values of sigma.
    """
    groups: dict[str, list[Section]] = defaultdict(list)
    for section in sections:
        named = any(column.name == METRIC for column in section.columns)
        if (
            section.task.partition("@")[0] == TASK
            and named
            and "sigma" in section.params
            and not section.train
        ):
            rest = [
                f"{key}={shown(value)}"
                for key, value in sorted(section.params.items())
                if key not in DRAWN
            ]
            groups[" ".join([section.dataset_name, *rest, section.split])].append(section)
    return {
        key: found
        for key, found in groups.items()
        if len({section.params["sigma"] for section in found}) > 1
    }


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


def network_of(section: Section) -> tuple[str, float]:
    """The kind of network, in the order of the panels.

    ER comes last, as in the paper.
    """
    kind, gamma = str(section.params.get("network", "")), section.params.get("gamma")
    return (
        (f"scale-free, γ = {shown(gamma)}", float(gamma))
        if gamma is not None
        else ({"er": "Erdős-Rényi"}.get(kind, kind), 1e9)
    )


def place_of(section: Section) -> tuple[float, tuple[str, float], float]:
    """Dropout, network and degree: the panel and the line."""
    return (
        float(section.params.get("dropout", 0.0)),
        network_of(section),
        float(section.params.get("degree", 0.0)),
    )


def point_of(section: Section, predictor: str) -> tuple[float, float, float] | None:
    """A predictor's mean with its interval (its own value where it has none); None where there is
    no value.
    """
    row = next(
        (row for row in section.rows if row.name == predictor and row.role == "predictor"), None
    )
    score = row.scores.get(METRIC) if row else None
    if score is None or score.value is None:
        return None
    return (
        score.value,
        score.value if score.low is None else score.low,
        score.value if score.high is None else score.high,
    )


def floor_of(section: Section) -> float | None:
    """What the best floor has here."""
    column = next(column for column in section.columns if column.name == METRIC)
    values = [
        score.value
        for row in section.floors
        if (score := row.scores.get(METRIC)) is not None and score.value is not None
    ]
    return max(values, key=lambda value: column.sign * value, default=None)


def draw_noise(predictor: str, sections: Sequence[Section], about: str) -> Figure:
    """Panels dropout x network, a line for each degree; in grey, with the same dashes, the best
    floor at that degree.
    """
    networks = sorted({network_of(section) for section in sections}, key=lambda pair: pair[1])
    dropouts = sorted({float(section.params.get("dropout", 0.0)) for section in sections})
    degrees = sorted({float(section.params.get("degree", 0.0)) for section in sections})
    figure, axes = panels(
        len(networks) * len(dropouts), len(networks), 2.6, 2.1, sharex=True, sharey=True
    )
    styles: Mapping[float, Any] = {
        degree: STYLES[i % len(STYLES)] for i, degree in enumerate(degrees)
    }
    floored = False
    for i, axis in enumerate(axes):
        dropout, network = dropouts[i // len(networks)], networks[i % len(networks)]
        for degree in degrees:
            found = [
                (float(section.params["sigma"]), point)
                for section in sections
                if place_of(section) == (dropout, network, degree)
                and (point := point_of(section, predictor)) is not None
            ]
            floors = sorted(
                (float(section.params["sigma"]), value)
                for section in sections
                if place_of(section) == (dropout, network, degree)
                and (value := floor_of(section)) is not None
            )
            color, marker, line = styles[degree]
            if floors:
                axis.plot(
                    *zip(*floors, strict=True),
                    color=FLOOR,
                    linestyle=line,
                    linewidth=1.0,
                    alpha=0.8,
                    label=f"_floor, degree {degree:g}",
                )
                floored = True
            if found:
                found.sort()
                values = [value for _, (value, _, _) in found]
                below = [max(0.0, value - low) for _, (value, low, _) in found]
                above = [max(0.0, high - value) for _, (value, _, high) in found]
                axis.errorbar(
                    [sigma for sigma, _ in found],
                    values,
                    [below, above],
                    color=color,
                    marker=marker,
                    linestyle=line,
                    markersize=4,
                    linewidth=1.2,
                    elinewidth=0.8,
                    capsize=2,
                    label=f"degree {degree:g}",
                )
        axis.set_title(f"{network[0]}, dropout {dropout:g}", loc="left", fontsize=8)
        if i // len(networks) == len(dropouts) - 1:
            axis.set_xlabel("noise σ (share of a weight)")
        if i % len(networks) == 0:
            axis.set_ylabel("pooled Spearman ρ")
    handles, labels = axes[0].get_legend_handles_labels()
    for axis in axes[1:]:
        more = axis.get_legend_handles_labels()
        for handle, label in zip(*more, strict=True):
            if label not in labels:
                handles, labels = [*handles, handle], [*labels, label]
    figure.legend(handles, labels, loc="outside lower center", ncols=max(1, len(labels)))
    counts = sorted({section.blocks for section in sections})
    said = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    beside = ", best trivial predictor in grey" if floored else ""
    mean = f"mean of {said} networks, 95 % intervals" if counts != [1] else "1 network"
    headed(
        figure, f"{predictor}: Spearman of predicted and true profiles{beside} ({mean}); {about}"
    )
    return figure
