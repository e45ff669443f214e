"""Which choice that arXiv 2510.03359 leaves open moves the profile task's pooled Spearman.

Run it as `python -m tests.studies.paper_choices`. It prints the table of docs/paper-grn.md. The
linear baseline stands in for the network, whose figures are 0.002-0.01 lower and move alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
from kobench_baselines.linear import Linear
from scipy.stats import spearmanr

from kobench.api import Context
from kobench.builtin.datasets.grn import generate, load, network
from kobench.datasets.split import split

#: sigma, degree, dropout of the columns.
COLUMNS = ((0.05, 3.0, 0.3), (0.3, 3.0, 0.3), (0.3, 7.0, 0.3), (0.05, 3.0, 0.0), (0.3, 3.0, 0.0))

SEEDS = range(3)


def pooled(**params: Any) -> float:
    """Pooled Spearman of held-out profiles on one network."""
    cells = load(**params).cells
    training, asked = split(cells.n_obs, "holdout", 0)
    model = Linear()
    model.fit(cells[training], Context(seed=0))
    return float(
        spearmanr(
            model.predict_expression(cells[asked].assemblages()).ravel(),
            cells[asked].profiles().ravel(),
        )[0]
    )


def noise(factor: float = 1.0, decay: bool = False, absolute: bool = False) -> Callable[..., Any]:
    """Another law of the cells' weights.

    Parameters
    ----------
    factor : float
        How many times the noise.
    decay : bool
        Whether the decay is noisy, too.
    absolute : bool
        Whether the noise is in units of the mean weight.
    """

    def draw(rng: np.random.Generator, net: network.Network, cells: int, sigma: float) -> Any:
        size = factor * sigma * rng.standard_normal((cells, len(net.weights)))
        weights = net.weights * np.maximum(0.0, 1 + size)
        if absolute:
            weights = np.maximum(0.0, net.weights + size)
        if decay:
            rates = np.maximum(0.05, 1 + sigma * rng.standard_normal((cells, net.genes)))
            weights = weights / rates[:, net.edges[:, 1]]
        return weights

    return draw


def weights_of(law: Callable[[np.random.Generator, int], Any]) -> Callable[..., network.Network]:
    """Another law of the network's weights."""

    def draw(rng: np.random.Generator, *args: Any) -> network.Network:
        net = network.draw_network(rng, *args)
        return replace(net, weights=law(rng, len(net.weights)))

    return draw


@contextmanager
def changed(**changes: Any) -> Iterator[None]:
    """Constants and functions of the simulator replaced, `module__name=value`."""
    modules = {"network": network, "generate": generate}
    patches = [
        patch.object(modules[key.split("__")[0]], key.split("__")[1], value)
        for key, value in changes.items()
    ]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as in kobench": ({}, {}),
    "weights up to 1 instead of 2": ({"network__LARGEST_WEIGHT": 1.0}, {}),
    "weights up to 4": ({"network__LARGEST_WEIGHT": 4.0}, {}),
    "weights \\|N(0, 1)\\|": (
        {"generate__draw_network": weights_of(lambda rng, m: np.abs(rng.standard_normal(m)))},
        {},
    ),
    "weights all 1": ({"generate__draw_network": weights_of(lambda rng, m: np.ones(m))}, {}),
    "no least number of regulators": ({"network__LEAST_REGULATORS": 0}, {}),
    "20 % of the edges repress": ({}, {"repressors": 0.2}),
    "80 % repress": ({}, {"repressors": 0.8}),
    "noise 1.5 times as large": ({"generate__draw_cell_weights": noise(1.5)}, {}),
    "noise twice as large": ({"generate__draw_cell_weights": noise(2.0)}, {}),
    "noise on the decay as well": ({"generate__draw_cell_weights": noise(decay=True)}, {}),
    "noise in units of the mean weight": (
        {"generate__draw_cell_weights": noise(absolute=True)},
        {},
    ),
    "10 % of the genes absent": ({}, {"absent": 0.1}),
    "30 % absent": ({}, {"absent": 0.3}),
    "250 cells": ({}, {"cells": 250}),
    "1,000 cells": ({}, {"cells": 1000}),
    "knockout=zero": ({}, {"knockout": "zero"}),
}


def main() -> None:
    """Print the table as Markdown."""
    print(
        "| choice | "
        + " | ".join(
            f"sigma {sigma}, degree {degree:g}, dropout {dropout:g}"
            for sigma, degree, dropout in COLUMNS
        )
        + " |"
    )
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, (changes, params) in ROWS.items():
        values = []
        with changed(**changes):
            for sigma, degree, dropout in COLUMNS:
                asked = {
                    "knockout": "silenced",
                    "sigma": sigma,
                    "degree": degree,
                    "dropout": dropout,
                    **params,
                }
                values.append(np.mean([pooled(**asked, seed=seed) for seed in SEEDS]))
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |", flush=True)


if __name__ == "__main__":
    main()
