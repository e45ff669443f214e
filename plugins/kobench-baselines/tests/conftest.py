"""Made-up cells with structure, and the predictors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kobench_baselines.additive import Additive
from kobench_baselines.anchored import LinearAnchored
from kobench_baselines.anchored_network import MLPAnchored
from kobench_baselines.covariance import CovarianceShift
from kobench_baselines.gbm import GBM
from kobench_baselines.linear import Linear
from kobench_baselines.mlp import MLP
from kobench_baselines.neighbours import KNN
from kobench_baselines.partial import PartialCorrelation
from kobench_baselines.prior import StateContrastPrior
from kobench_baselines.state_contrast import StateContrast
from kobench_baselines.steady import SteadyState
from kobench_baselines.twofold import Twofold

from kobench.api import Cells, Context

#: Models of profiles, small and quick, each with everything switched on.
SMALL: dict[str, Callable[[], Any]] = {
    "mlp": lambda: MLP(hidden=16, steps=60),
    "mlp-paper": lambda: MLP(preset="paper", steps=60),
    "linear": Linear,
    "gbm": lambda: GBM(rounds=24),
    "gbm-components": lambda: GBM(rounds=24, genes=5, components=3, targets=8),
}

#: Predictors of knockouts that start from the cell's own profile.
OF_CELLS: dict[str, Callable[[], Any]] = {
    "additive": Additive,
    "additive-few": lambda: Additive(kind="spline", regulators=4),
    "mlp-anchored": lambda: MLPAnchored(hidden=16, steps=60),
    "linear-anchored": LinearAnchored,
    "covariance-shift": CovarianceShift,
    "knn": lambda: KNN(k=5),
    "partial-correlation": PartialCorrelation,
    "state-contrast": StateContrast,
    "state-contrast-prior": StateContrastPrior,
    "steady-state": SteadyState,
    "steady-state-silenced": lambda: SteadyState(
        rule="silenced", half="median", price=0.05, regulators=6, targets=9
    ),
    "twofold": Twofold,
    "twofold-state": lambda: Twofold(explained=2.0),
}


def draw_cells(seed: int = 0, n: int = 160, genes: int = 12) -> Cells:
    """Each gene is on with probability 0.7.

    Where gene j - 1 is on too, gene j is at three times its level; 10 % noise.
    """
    rng = np.random.default_rng(seed)
    on = rng.random((n, genes)) < 0.7
    on[:, 0] |= ~on.any(axis=1)
    level = rng.uniform(1, 4, genes) * (1 + 2 * np.roll(on, 1, axis=1))
    X = (on * level * rng.lognormal(0, 0.1, on.shape)).astype(np.float32)
    return Cells(X, np.array([f"g{gene}" for gene in range(genes)]))


@pytest.fixture
def draw() -> Callable[..., Cells]:
    """`draw(seed=0, n=160, genes=12)`: cells with structure."""
    return draw_cells


@pytest.fixture
def cells() -> Cells:
    return draw_cells()


@pytest.fixture(params=sorted(SMALL))
def make(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes one of the models of profiles, small."""
    return SMALL[request.param]


@pytest.fixture(params=sorted(OF_CELLS))
def make_of_cells(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes one of the predictors that start from the cell's own profile, small."""
    return OF_CELLS[request.param]


@pytest.fixture(params=sorted(set(OF_CELLS) - {"mlp-anchored"}))
def make_not_drawn(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """The same but for the network.

    Its first weights are drawn gene by gene, so another order of genes is another network.
    """
    return OF_CELLS[request.param]


@pytest.fixture
def cells_of() -> Callable[..., Cells]:
    """`cells_of(rows)`: cells of some rows of values, genes g0, g1, ..."""

    def make(rows: Any) -> Cells:
        X = np.asarray(rows, np.float64)
        return Cells(X, np.array([f"g{gene}" for gene in range(X.shape[1])]))

    return make


@pytest.fixture
def fit() -> Callable[..., Any]:
    """`fit(predictor, cells, seed=0)` fits and returns the predictor."""

    def run(predictor: Any, cells: Cells, seed: int = 0) -> Any:
        predictor.fit(cells, Context(seed=seed, device="cpu"))
        return predictor

    return run
