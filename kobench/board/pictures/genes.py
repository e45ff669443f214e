"""True and predicted impact gene by gene, the true one with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kobench.board.pictures.figure import counted, headed, panels, short
from kobench.board.table import Section, Units

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: So many genes, those with the largest true impact, and so many predictors.
GENES, PREDICTORS = 40, 3


def has_genes(section: Section) -> bool:
    """Whether a section's table has true values of single genes (or perturbations), and what some
    predictor said of them.
    """
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


def draw_genes(section: Section, styles: Mapping[str, Any]) -> Figure:
    """Largest true impact on the left; the grey bar is the truth's 95 % interval, where the records
    have one.
    """
    assert section.units is not None
    units = section.units
    true = units.facts["true"]
    places = sorted(
        (i for i, value in enumerate(true) if value is not None),
        key=lambda i: (-float(true[i]), units.names[i]),
    )[:GENES]
    figure, (axis,) = panels(1, 1, max(5.0, 1.6 + 0.19 * len(places)), 3.2)
    low, high = units.facts.get("true_low"), units.facts.get("true_high")
    for x, place in enumerate(places):
        if (
            low is not None
            and high is not None
            and low[place] is not None
            and high[place] is not None
        ):
            axis.plot(
                [x, x],
                [low[place], high[place]],
                color="#b8b8b8",
                linewidth=5,
                solid_capstyle="butt",
                label="_interval",
            )
    axis.plot(
        range(len(places)),
        [true[place] for place in places],
        "_",
        color="black",
        markersize=8,
        markeredgewidth=1.8,
        label="true",
    )
    shown = predicted(section, units)
    for i, (name, values) in enumerate(shown.items()):
        known = [
            (x + 0.14 * (i - (len(shown) - 1) / 2), values[place])
            for x, place in enumerate(places)
            if values[place] is not None
        ]
        color, marker, _ = styles[name]
        axis.plot(
            [x for x, _ in known],
            [y for _, y in known],
            marker,
            color=color,
            markersize=4,
            linestyle="none",
            label=name,
        )
    axis.set_xticks(
        range(len(places)),
        [short(units.names[place], 14) for place in places],
        rotation=90,
        fontsize=7,
    )
    axis.set_xlim(-0.8, len(places) - 0.2)
    axis.set_xlabel(units.unit)
    axis.set_ylabel("mean impact (Bray-Curtis)" if section.task.startswith("keystone") else "size")
    axis.legend(ncols=4, loc="upper right")
    count = (
        f"the {len(places)} largest of {len(units.names)}"
        if len(places) < len(units.names)
        else f"all {len(places)}"
    )
    about = f"{section.task} on {short(section.place, 50)}: {count}; {units.of or counted(section)}"
    headed(
        figure,
        f"{about}; grey: the truth's 95 % interval over cells" if low is not None else about,
        9,
    )
    return figure
