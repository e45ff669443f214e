"""Boards of one section from made-up records, and what tests look up in them."""

from __future__ import annotations

import numpy as np
from factories import genes_table, make_board, metric, networks, record, scores

#: What a floor scores on five networks.
FLOOR = [0.40, 0.42, 0.38, 0.41, 0.39]


def floors(values=FLOOR, random=0.0):
    """Two floors, one of them by chance."""
    return networks("own-share", values, role="floor") + networks(
        "random", [random] * len(values), role="floor"
    )


def only(records, **options):
    """The only section of a board."""
    (section,) = make_board(records, **options).sections
    return section


def row(section, name):
    """The row of that name."""
    (found,) = [row for row in section.rows if row.name == name]
    return found


def score(section, name, metric="spearman"):
    """What the row of that name has by a metric."""
    return row(section, name).scores[metric]


def partial(name, value, floor, coverage, seed, **more):
    """A record that answers a part, with what the floors have there."""
    cell = metric(
        value,
        floors={"own-share": {"value": floor, "draws": []}, "random": {"value": 0.0, "draws": []}},
    )
    return record(
        name,
        scores({"spearman": cell}, coverage=coverage, answered=int(1000 * coverage), **more),
        seed=seed,
    )


def with_draws(
    name,
    value,
    role="predictor",
    seed=None,
    kind="real",
    dataset="pbmc",
    noise=0.01,
    draws=400,
    shared=0,
):
    """A record whose draws share what the cells drawn have in common, and have some noise of their
    own.
    """
    common = np.random.default_rng(shared).normal(0, 0.05, draws)
    own = np.random.default_rng([ord(letter) for letter in name]).normal(0, noise, draws)
    cell = metric(value, draws=(value + common + own).tolist())
    return record(
        name,
        scores({"spearman": cell}, block="cell", blocks=140),
        role=role,
        seed=seed,
        kind=kind,
        dataset=dataset,
    )


def change(
    name,
    value,
    role="predictor",
    dataset="grn:dropout=0.5",
    blocks=5,
    coverage=1.0,
    nothing=0.0,
    **cell,
):
    """Explained change: 0 is what the true null has, 1 the truth."""
    made = metric(value, low=None, nothing=nothing, **cell)
    return [
        record(
            name,
            scores(
                {"change": made},
                primary=("change",),
                floors=("no-effect", "other"),
                coverage=coverage,
            ),
            role=role,
            dataset=dataset,
            seed=seed,
        )
        for seed in range(blocks)
    ]


def flat(text):
    """A text without its line ends."""
    return " ".join(text.split())


def made(name, value, role="predictor", seed=0, primary=("spearman",), more=None, **entry):
    """A record by one metric of that name, with parts of a score entry; `more` are parts of the
    metric's own.
    """
    return record(
        name,
        scores({primary[0]: {**metric(value), **(more or {})}}, primary=primary, **entry),
        role=role,
        seed=seed,
    )


def five(name, values, role="predictor", **parts):
    """A record for each of five networks."""
    return [made(name, value, role, seed, **parts) for seed, value in enumerate(values)]


#: How a line of the answer begins.
IMPACT = "How much a knockout changes each cell (knockout-impact): "


def tabled():
    """Records with a table of single genes on the first network."""
    records = []
    for name, first, second in (("mlp", 0.3, 0.6), ("linear", 0.9, 0.05)):
        table = {
            **genes_table({"A": (0.1, first), "B": (0.4, second)}),
            "spearman": [first - 0.1, None],
        }
        records += [
            made(name, 0.6, seed=seed, table=table if seed == 0 else None) for seed in range(5)
        ]
    return records + five("own-share", FLOOR, "floor")
