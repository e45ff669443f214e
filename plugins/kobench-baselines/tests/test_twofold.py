"""Who answers what: the rule by hand, and what it decides on cells of three kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kobench_baselines import twofold
from kobench_baselines.additive import Additive
from kobench_baselines.linear import Linear
from kobench_baselines.state_contrast import StateContrast
from kobench_baselines.twofold import Twofold, decide

from kobench.api import Cells, Context, Knockouts

NETWORK_WINS = {"network": 0.03, "presence": 0.05}
PRESENCE_WINS = {"network": 0.2, "presence": 0.1}


@pytest.mark.parametrize(
    ("explained", "lost", "profiles", "knockouts"),
    [
        (0.9, NETWORK_WINS, "network", "network"),
        (0.5, NETWORK_WINS, "network", "network"),
        (0.499, NETWORK_WINS, "network", "state"),
        (0.9, PRESENCE_WINS, "presence", "network"),
        (0.2, PRESENCE_WINS, "presence", "state"),
        (0.9, {"network": 0.1, "presence": 0.1}, "network", "network"),
    ],
)
def test_the_rule_by_hand(
    explained: float, lost: dict[str, float], profiles: str, knockouts: str
) -> None:
    decided = decide(explained, lost, 0.5)
    assert (decided.profiles, decided.knockouts) == (profiles, knockouts)


def network_cells(n: int = 300, seed: int = 0) -> Cells:
    """8 genes at the fixed point of x_j = own_j (1 + 2 [x_(j-1) > 0] + log(1 + x_(j-3)) / 2)."""
    rng = np.random.default_rng(seed)
    own = (rng.random((n, 8)) < 0.8) * rng.lognormal(0, 0.05, (n, 8))
    own[:, 0] = np.maximum(own[:, 0], 0.5)
    x = own.copy()
    for _ in range(100):
        x = own * (1 + 2 * np.roll(x > 0, 1, axis=1) + 0.5 * np.log1p(np.roll(x, 3, axis=1)))
    return Cells(x, np.array([f"g{gene}" for gene in range(8)]))


def counted_cells(n: int = 300) -> Cells:
    """Poisson counts of 12 genes, six of which move along one state of the cell."""
    rng = np.random.default_rng(1)
    state = np.exp(rng.normal(0, 0.5, (n, 1)))
    rate = np.hstack([np.full((n, 6), 3.0), 3.0 * np.repeat(state, 6, axis=1)])
    counts = rng.poisson(rate).astype(float)
    return Cells(counts, np.array([f"g{gene}" for gene in range(12)]))


def same(first: Any, second: Any, cells: Cells) -> None:
    events = Knockouts.singles(cells.assemblages()[:10])
    np.testing.assert_array_equal(
        first.predict_knockout(cells, events), second.predict_knockout(cells, events)
    )


def test_cells_of_a_network_are_answered_by_the_network(fit: Any) -> None:
    cells = network_cells()
    predictor, alone = fit(Twofold(), cells), fit(Additive(), cells)
    assert predictor.decided.knockouts == predictor.decided.profiles == "network"
    assert predictor.decided.explained > 0.9
    same(predictor, alone, cells)
    on = cells.assemblages()[:20]
    np.testing.assert_array_equal(predictor.predict_expression(on), alone.predict_expression(on))


def test_counts_without_a_network_are_answered_by_states(fit: Any) -> None:
    cells = counted_cells()
    predictor = fit(Twofold(), cells)
    assert predictor.decided.knockouts == "state"
    assert predictor.decided.explained < 0.3
    same(predictor, fit(StateContrast(), cells), cells)


def test_the_state_can_be_left_out(fit: Any) -> None:
    """`explained=0` leaves the state out, on the same cells."""
    cells = counted_cells()
    predictor = fit(Twofold(explained=0.0), cells)
    assert predictor.decided.knockouts == "network"
    same(predictor, fit(Additive(), cells), cells)


def test_presence_answers_where_values_mislead(fit: Any, draw: Any) -> None:
    """Levels follow which genes are on, but the noise of each is larger than what they follow."""
    cells = draw(n=300)
    values = cells.X * np.random.default_rng(3).lognormal(0, 1.2, cells.shape)
    noisy = Cells(values, cells.var_names)
    predictor, alone = fit(Twofold(explained=0.0), noisy), fit(Linear(), noisy)
    assert (predictor.decided.profiles, predictor.decided.knockouts) == ("presence", "network")
    same(predictor, fit(Additive(), noisy), noisy)
    on = cells.assemblages()[:20]
    np.testing.assert_array_equal(predictor.predict_expression(on), alone.predict_expression(on))


def test_no_cell_held_back_was_fitted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that are compared see four fifths, and are asked for the others."""
    seen: list[set[bytes]] = []
    asked: list[set[bytes]] = []

    class Watched(Additive):
        def fit(self, cells: Cells, context: Context) -> None:
            seen.append({row.tobytes() for row in np.asarray(cells.X)})
            super().fit(cells, context)

    def of_held(predicted: Any, true: Any) -> float:
        asked.append({row.tobytes() for row in true})
        return 0.0

    monkeypatch.setattr(twofold, "Additive", Watched)
    monkeypatch.setattr(twofold, "mean_bray_curtis", of_held)
    cells = network_cells(200)
    profiles = {
        row.tobytes(): profile.tobytes()
        for row, profile in zip(np.asarray(cells.X), cells.profiles(), strict=True)
    }
    Twofold().fit(cells, Context())
    assert len(seen[0]) == 160
    assert len(asked[0]) == 40
    assert not {profiles[row] for row in seen[0]} & asked[0]
    assert len(seen[1]) == 200


def test_too_few_cells_decide_nothing(fit: Any) -> None:
    predictor = fit(Twofold(), network_cells(twofold.FEWEST_TO_DECIDE - 1))
    assert predictor.decided == twofold.Decided("presence", "state", 0.0, {})
    predictor = fit(Twofold(), network_cells(twofold.FEWEST_TO_DECIDE))
    assert set(predictor.decided.lost) == {"network", "presence"}


def test_names_of_genes_have_no_part(fit: Any) -> None:
    cells = counted_cells()
    other = Cells(cells.X, np.array([f"POU5F{gene}" for gene in range(12)]))
    same(fit(Twofold(), cells), fit(Twofold(), other), cells)
