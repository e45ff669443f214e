"""The network's formula by hand and one sample at a time, its coordinates, and its training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from kobench_baselines.mlp import MLP, device_of
from kobench_baselines.network import Coordinates, Layers, profiles
from kobench_baselines.training import Pass, Settings, first_layers, train

from kobench.api import Cells, Context, Knockouts, bray_curtis, normalise_rows


def layers_of(W1: Any, b1: Any, W2: Any, b2: Any) -> Layers:
    return Layers(*(torch.tensor(values, dtype=torch.float64) for values in (W1, b1, W2, b2)))


def test_formula_by_hand() -> None:
    """Two genes on of three: z = (1/2, 0, 1/2). W1 z + b1 = (1 + 1, 1/2 - 1) = (2, -1/2);

    W2 (2, -1/2) + b2 = (2 - 1, ., -4 + 1/2 + 1/2) = (1, ., -3); z |.| = (1/2, 0, 3/2), over its sum
    (1/4, 0, 3/4).
    """
    layers = layers_of([[2, 7, 0], [0, 7, 1]], [1, -1], [[1, 0], [5, 5], [-2, -1]], [-1, 9, 0.5])
    z = torch.tensor([[0.5, 0, 0.5]], dtype=torch.float64)
    np.testing.assert_allclose(profiles(layers, z), [[0.25, 0, 0.75]])


def test_formula_one_sample_at_a_time() -> None:
    rng = np.random.default_rng(0)
    h, genes = 4, 6
    W1, b1, W2, b2 = (
        rng.normal(size=(h, genes)),
        rng.normal(size=h),
        rng.normal(size=(genes, h)),
        rng.normal(size=genes),
    )
    on = rng.random((20, genes)) < 0.6
    on[:, 0] = True
    expected = []
    for cell in on:
        z = cell / cell.sum()
        hidden = [sum(W1[i, j] * z[j] for j in range(genes)) + b1[i] for i in range(h)]
        values = [
            z[j] * abs(sum(W2[j, i] * hidden[i] for i in range(h)) + b2[j]) for j in range(genes)
        ]
        expected.append([value / sum(values) for value in values])
    answer = profiles(layers_of(W1, b1, W2, b2), torch.from_numpy(normalise_rows(on)))
    np.testing.assert_allclose(answer, expected, rtol=1e-12)


def test_a_vanishing_row_is_0() -> None:
    layers = layers_of([[0, 0]], [0], [[0], [0]], [0, 0])
    np.testing.assert_array_equal(
        profiles(layers, torch.tensor([[0.5, 0.5]], dtype=torch.float64)), [[0, 0]]
    )


def small_settings(**changes: Any) -> Settings:
    return Settings(
        **{"hidden": 3, "lr": 0.05, "batch": 4, "steps": 40, "centred": True, **changes}
    )


def random_task(
    seed: int = 0, n: int = 12, genes: int = 5
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    on = rng.random((n, genes)) < 0.7
    on[:, 0] = True
    y = normalise_rows(on * rng.uniform(1, 3, on.shape))
    mean = y.sum(0) / on.sum(0)
    return tuple(
        torch.from_numpy(values.astype(np.float32)) for values in (normalise_rows(on), y, mean)
    )  # type: ignore[return-value]


def in_coordinates(where: Coordinates, layers: Layers, z: torch.Tensor) -> torch.Tensor:
    return Pass(len(z), layers, where.unit).profiles(where.enter(z), z)


def test_coordinates_change_no_function() -> None:
    z, _, mean = random_task()
    layers = first_layers(5, small_settings(), torch.Generator().manual_seed(0))
    where = Coordinates.centred(z, mean)
    np.testing.assert_allclose(
        profiles(where.in_plain(layers), z.double()),
        in_coordinates(where, layers, z),
        rtol=2e-4,
        atol=1e-6,
    )


def test_centred_training_begins_at_the_masked_mean() -> None:
    z, _, mean = random_task()
    where = Coordinates.centred(z, mean)
    nothing = Layers(torch.zeros(3, 5), torch.zeros(3), torch.zeros(5, 3), torch.ones(5))
    np.testing.assert_allclose(
        in_coordinates(where, nothing, z), normalise_rows((z > 0) * mean), rtol=1e-5
    )


def test_training_keeps_the_best_on_validation() -> None:
    z, y, mean = random_task()
    valid = (z[:4], y[:4])
    settings = small_settings(steps=60)
    _, error, step = train(z[4:], y[4:], valid, mean, settings, torch.Generator().manual_seed(0))
    curve = []
    for stop in range(10, 61, 10):
        layers, _, _ = train(
            z[4:], y[4:], None, mean, settings, torch.Generator().manual_seed(0), stop=stop
        )
        curve.append(
            float((profiles(layers, valid[0].double()) - valid[1]).abs().sum(1).mean() / 2)
        )
    assert step == 10 * (1 + int(np.argmin(curve)))
    np.testing.assert_allclose(error, min(curve), rtol=1e-5)


def test_patience_ends_training() -> None:
    z, y, mean = random_task()
    looks: list[int] = []
    settings = small_settings(steps=500, patience=30, lr=0.2)
    _, _, best = train(
        z[4:],
        y[4:],
        (z[:4], y[:4]),
        mean,
        settings,
        torch.Generator().manual_seed(0),
        log=lambda done, total: looks.append(done),
    )
    assert looks[-1] == best + 30 < 500


def test_one_adam_step_by_hand() -> None:
    """Adam's first step moves each parameter by lr times the sign of its gradient.

    Genes a, b on, hidden one: z = (1/2, 1/2), o_a = b2_a + W2_a (W1 z + b1). The predicted share of
    a is under its target, so b2_a rises and b2_b falls by lr.
    """
    z, y, mean = torch.full((1, 2), 0.5), torch.tensor([[0.9, 0.1]]), torch.tensor([0.5, 0.5])
    settings = Settings(hidden=1, lr=0.01, batch=1, steps=1, centred=True)
    generator = torch.Generator().manual_seed(0)
    before = first_layers(2, settings, generator)
    after, _, _ = train(z, y, None, mean, settings, torch.Generator().manual_seed(0))
    # one cell: origin z itself and spread 0, so scale 1; the output's unit is the mean share 1/2
    np.testing.assert_allclose(after.b2, 0.5 * (before.b2 + torch.tensor([0.01, -0.01])), rtol=1e-5)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_presets_fit_an_exact_network(preset: str) -> None:
    """Cells that a network made are learned to a small error: nothing in the way of the formula."""
    rng = np.random.default_rng(1)
    on = rng.random((300, 8)) < 0.7
    on[:, 0] = True
    z = normalise_rows(on)
    values = on * (2 + z @ rng.uniform(0, 8, (8, 8)))
    cells = Cells(values.astype(np.float32), np.array([f"g{gene}" for gene in range(8)]))
    predictor = MLP(preset=preset, steps=1500)
    predictor.fit(cells[:240], Context(device="cpu"))
    asked = cells[240:]
    error = bray_curtis(predictor.predict_expression(asked.assemblages()), asked.profiles()).mean()
    shares = cells[:240].profiles()
    floor = bray_curtis(
        normalise_rows(asked.assemblages() * shares.sum(0) / (shares > 0).sum(0)), asked.profiles()
    ).mean()
    assert error < 0.25 * floor


def test_paper_preset_is_the_published_one(cells: Cells, fit: Any) -> None:
    predictor = fit(MLP(preset="paper", steps=20), cells)
    p = MLP(preset="paper").preset
    assert (p.lr, p.batch, p.steps, p.patience, p.refit, p.decay) == (
        0.01,
        20,
        5000,
        None,
        False,
        (0.0,),
    )
    assert predictor.layers.W1.shape == (12, 12)


def test_given_parameters_replace_the_preset() -> None:
    assert MLP(preset="paper", hidden=7).preset.hidden == 7
    assert MLP(decay=0.5).preset.decay == (0.5,)
    assert MLP(decay=[0.5, 2]).preset.decay == (0.5, 2.0)
    assert MLP(refit=False).preset.refit is False


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "papers"},
        {"hidden": 0},
        {"hidden": 2.5},
        {"batch": True},
        {"steps": "many"},
        {"lr": 0},
        {"lr": "fast"},
        {"decay": -1},
        {"decay": []},
        {"decay": "little"},
        {"refit": 1},
    ],
    ids=str,
)
def test_impossible_parameters_are_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=f"mlp: {name}="):
        MLP(**wrong)


def test_divergence_is_an_error(cells: Cells, fit: Any) -> None:
    with pytest.raises(FloatingPointError, match="smaller lr"):
        fit(MLP(preset="paper", lr=1e20, steps=30), cells)


def test_cuda_asked_for_and_absent() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(ValueError, match="no CUDA device"):
        device_of("cuda")
    assert device_of("auto") == torch.device("cpu")


def test_threads_are_given_back(cells: Cells, fit: Any) -> None:
    before = torch.get_num_threads()
    fit(MLP(hidden=4, steps=10), cells)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_cuda_agrees_with_the_cpu(preset: str, draw: Any) -> None:
    """The same fit on both: validation, layers' answers and impacts.

    CUDA twice gives the same bytes.
    """
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here: the GPU is not tested")
    cells = draw(n=200, genes=30)
    rows, genes = np.nonzero(cells.assemblages())
    events = Knockouts(genes[:, None].astype(np.int32), rows.astype(np.int32))
    fits, answers, impacts = [], [], []
    for device in ("cpu", "cuda", "auto"):
        predictor = MLP(preset=preset, steps=60)
        predictor.fit(cells, Context(device=device))
        assert predictor.layers.W1.device.type == ("cpu" if device == "cpu" else "cuda")
        fits.append(predictor.chosen)
        answers.append(predictor.predict_expression(cells.assemblages()))
        impacts.append(predictor.predict_impact(cells, events))
    assert fits[0]["validation"] == pytest.approx(fits[1]["validation"], rel=1e-3)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-3)
    np.testing.assert_allclose(impacts[0].raw, impacts[1].raw, atol=2e-3)
    np.testing.assert_allclose(impacts[0].propagated, impacts[1].propagated, atol=2e-3)
    assert fits[1] == fits[2]
    assert answers[1].tobytes() == answers[2].tobytes()
