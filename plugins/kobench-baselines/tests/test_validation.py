"""What validates teaches nothing, what was chosen is used, and the seed decides what is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from kobench_baselines import gbm, linear, mlp, partial
from kobench_baselines.common import Table, hold_out
from kobench_baselines.gbm import GBM
from kobench_baselines.linear import Linear
from kobench_baselines.mlp import MLP
from kobench_baselines.partial import PartialCorrelation
from kobench_baselines.steady import SteadyState
from kobench_baselines.training import LOOK_EVERY, Settings, train

from kobench.api import Cells, Context, normalise_rows


def tensors_of(table: Table) -> tuple[torch.Tensor, torch.Tensor]:
    return tensor_of(normalise_rows(table.on)), tensor_of(table.shares)


def tensor_of(values: Any) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


@pytest.mark.parametrize("refit", [True, False])
def test_the_network_is_the_one_that_validation_chose(cells: Cells, fit: Any, refit: bool) -> None:
    """The same steps one by one: each decay on the cells kept, then all cells for as many steps."""
    decays = (0.1, 10.0)
    predictor = fit(MLP(hidden=6, steps=80, lr=0.3, decay=list(decays), refit=refit), cells, seed=3)
    table, generator = Table.of(cells), torch.Generator().manual_seed(3)
    kept, held = (table[rows] for rows in hold_out(len(table), 0.2, np.random.default_rng(3)))
    settings = {
        decay: Settings(6, 0.3, 64, 80, decay, patience=100, anneal=True, centred=True)
        for decay in decays
    }
    tries = {
        decay: train(
            *tensors_of(kept),
            tensors_of(held),
            tensor_of(kept.mean_share()),
            settings[decay],
            generator,
        )
        for decay in decays
    }
    decay = min(decays, key=lambda one: tries[one][1])
    layers, error, steps = tries[decay]
    assert steps < 80, "the last step is the best one: this test could not tell"
    assert (predictor.chosen["decay"], predictor.chosen["steps"]) == (decay, steps)
    assert predictor.chosen["validation"] == pytest.approx(error, rel=1e-5)
    if refit:
        every = tensor_of(table.mean_share())
        layers, _, _ = train(
            *tensors_of(table), None, every, settings[decay], generator, stop=steps
        )
    for mine, theirs in zip(predictor.layers.tensors(), layers.tensors(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)


def with_new_values(cells: Cells, rows: Any) -> Cells:
    """The same assemblages, with other values in some cells."""
    X = np.array(cells.X)
    X[rows] *= np.random.default_rng(9).uniform(0.1, 10.0, X[rows].shape).astype(X.dtype)
    return Cells(X, cells.var_names)


def test_cells_that_validate_teach_the_network_nothing(cells: Cells, fit: Any) -> None:
    """With a single look there is nothing to choose, so their values change nothing."""
    kept, held = hold_out(len(cells), 0.2, np.random.default_rng(0))

    def layers(of: Cells) -> Any:
        settings = {"steps": LOOK_EVERY, "decay": 1.0, "refit": False}
        return fit(MLP(hidden=6, **settings), of).layers.tensors()

    first = layers(cells)
    for mine, theirs in zip(first, layers(with_new_values(cells, held)), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with_others = layers(with_new_values(cells, kept[:5]))
    assert not all(torch.equal(one, other) for one, other in zip(first, with_others, strict=True))


def rows_in(table: Table, cells: Cells) -> list[int]:
    """Which of the cells a table has, by their profiles."""
    profiles = Table.of(cells).shares
    found = (np.abs(table.shares[:, None] - profiles[None]).max(axis=2) == 0).nonzero()[1]
    assert len(found) == len(table)
    return list(found)


def test_trees_are_chosen_on_cells_that_they_did_not_see(
    cells: Cells, fit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, tuple[list[int], list[int]]] = {}
    helps, choose = gbm.depth_helps, GBM._choose_rounds

    def see(what: str, table: Table, held: Table) -> None:
        seen[what] = rows_in(table, cells), rows_in(held, cells)

    monkeypatch.setattr(gbm, "depth_helps", lambda *two: (see("depth", *two), helps(*two))[1])

    def choose_rounds(self: GBM, table: Table, held: Table, corrected: bool) -> int:
        see("rounds", table, held)
        choose(self, table, held, corrected)
        return 3

    monkeypatch.setattr(GBM, "_choose_rounds", choose_rounds)
    for seed in (0, 5):
        predictor = fit(GBM(rounds=8), cells, seed=seed)
        kept, held = hold_out(len(cells), 0.2, np.random.default_rng(seed))
        assert seen == {name: (kept.tolist(), held.tolist()) for name in ("depth", "rounds")}
        assert predictor._grown == predictor.chosen_rounds == 3


def test_folds_of_the_regression_are_asked_about_cells_that_they_did_not_see(
    cells: Cells, fit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds: list[tuple[list[int], list[int]]] = []
    make = linear.Part.of

    def of(train: Table, asked: Table, genes: Any) -> Any:
        folds.append((rows_in(train, cells), rows_in(asked, cells)))
        return make(train, asked, genes)

    monkeypatch.setattr(linear.Part, "of", of)
    fit(Linear(folds=4), cells)
    assert len(folds) == 4
    for train_rows, asked_rows in folds:
        assert sorted(train_rows + asked_rows) == list(range(len(cells)))
    assert sorted(row for _, asked in folds for row in asked) == list(range(len(cells)))
    first = list(folds)
    folds.clear()
    fit(Linear(folds=4), cells, seed=1)
    assert folds != first


def test_the_seed_decides_how_trees_draw_their_features(cells: Cells) -> None:
    """The same cells in training and validation, so that nothing else can differ."""

    def answer(seed: int) -> Any:
        predictor = GBM(rounds=6)
        predictor.context = Context(seed=seed, device="cpu")
        predictor._prepare(Table.of(cells), corrected=False)
        for _ in range(6):
            predictor._round()
        return predictor._predict(cells.assemblages())

    np.testing.assert_array_equal(answer(1), answer(1))
    assert not np.array_equal(answer(1), answer(2))
    assert not np.array_equal(answer(1), answer(0))


@pytest.mark.parametrize("which", ["partial-correlation", "steady-state"])
def test_the_seed_decides_which_cells_a_predictor_of_knockouts_holds_out(
    cells: Cells, fit: Any, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    drawn = []

    def note(rng: np.random.Generator) -> None:
        drawn.append(rng.bit_generator.state)

    if which == "partial-correlation":
        make: Any = PartialCorrelation
        choose = partial.choose_shrinkage

        def choose_shrinkage(roots: Any, rng: Any, context: Any) -> Any:
            note(rng)
            return choose(roots, rng, context)

        monkeypatch.setattr(partial, "choose_shrinkage", choose_shrinkage)
    else:
        make = SteadyState
        form = SteadyState._choose

        def choose_form(self: Any, values: Any, genes: Any, rng: Any, context: Any) -> Any:
            note(rng)
            return form(self, values, genes, rng, context)

        monkeypatch.setattr(SteadyState, "_choose", choose_form)
    for seed in (0, 7):
        fit(make(), cells, seed=seed)
        assert drawn.pop() == np.random.default_rng(seed).bit_generator.state
        assert not drawn


def test_the_seed_decides_which_cells_the_network_holds_out_and_where_it_starts(
    cells: Cells, fit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, Any]] = []

    def hold(n: int, share: float, rng: np.random.Generator) -> Any:
        seen.append((n, rng.bit_generator.state))
        return hold_out(n, share, np.random.default_rng(0))  # alike for every seed

    monkeypatch.setattr(mlp, "hold_out", hold)
    fits = [fit(MLP(hidden=4, steps=10), cells, seed=seed) for seed in (0, 7)]
    assert seen == [
        (len(cells), np.random.default_rng(seed).bit_generator.state) for seed in (0, 7)
    ]
    first, second = (one.layers.tensors() for one in fits)
    assert not all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
