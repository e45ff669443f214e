"""Training against plain twins.

The gradient against autograd, the steps against torch's AdamW, the whole against one cell at a
time.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kobench_baselines import adam
from kobench_baselines.adam import AdamW
from kobench_baselines.network import Coordinates, Layers, profiles
from kobench_baselines.training import (
    LOOK_EVERY,
    Pass,
    Settings,
    batches,
    first_layers,
    learning_rates,
    train,
)

from benchmarks.plain import mlp as plain
from kobench.api import normalise_rows

Task = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def draw_task(seed: int, n: int, genes: int, share: float = 0.7) -> Task:
    """Assemblages, profiles and mean shares, float64; every cell expresses a gene."""
    rng = np.random.default_rng(seed)
    on = rng.random((n, genes)) < share
    on[np.arange(n), rng.integers(0, genes, n)] = True
    y = normalise_rows(on * rng.uniform(1, 3, on.shape))
    mean = (y.sum(0) + 0.1) / (on.sum(0) + 1)
    return torch.from_numpy(normalise_rows(on)), torch.from_numpy(y), torch.from_numpy(mean)


def draw_layers(seed: int, genes: int, hidden: int) -> Layers:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((hidden, genes), (hidden,), (genes, hidden), (genes,))
    return Layers(
        *(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    )


def gradient_of(layers: Layers, where: Coordinates, z: torch.Tensor, y: torch.Tensor) -> Layers:
    slope = layers.map(lambda tensor: torch.full_like(tensor, torch.nan))
    Pass(len(z), layers, where.unit).gradient(where.enter(z), z, y, to=slope)
    return slope


def test_gradient_by_hand() -> None:
    """Two genes on, W2 = 0, so o = b2 = (3, -1): v = (3/2, 1/2), s = 2, p = (3/4, 1/4).

    Target (1/2, 1/2), so d = (1/2, -1/2).

    dv = d / s - sum(d p) / s = (1/4, -1/4) - 1/8 = (1/8, -3/8); do = dv z sign(o) = (1/16, 3/16).
    Hidden one, W1 z + b1 = 2: dW2 = 2 do; and as W2 = 0 nothing reaches W1 and b1.
    """
    z, y = (
        torch.full((1, 2), 0.5, dtype=torch.float64),
        torch.full((1, 2), 0.5, dtype=torch.float64),
    )
    layers = Layers(
        *(
            torch.tensor(values, dtype=torch.float64)
            for values in ([[1, 1]], [1], [[0], [0]], [3, -1])
        )
    )
    slope = gradient_of(layers, Coordinates.plain(z), z, y)
    np.testing.assert_allclose(slope.b2, [1 / 16, 3 / 16])
    np.testing.assert_allclose(slope.W2, [[1 / 8], [3 / 8]])
    assert not slope.W1.any()
    assert not slope.b1.any()


@given(
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.integers(1, 8),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_gradient_is_that_of_autograd(
    seed: int, n: int, genes: int, hidden: int, share: float, empty: bool
) -> None:
    """One gene, one expressed gene (share 0), one cell and a cell without genes included.

    In coordinates of its own.
    """
    z, y, mean = draw_task(seed, n, genes, share)
    if empty:
        z[0], y[0] = 0, 0
    layers, where = draw_layers(seed, genes, hidden), Coordinates(z.mean(dim=0), 1.5, mean)
    leaves = layers.map(lambda tensor: tensor.clone().requires_grad_())
    loss = torch.zeros((), dtype=torch.float64)
    for cell, true in zip(z, y, strict=True):
        loss = loss + (centred(where)(as_plain(leaves), cell) - true).abs().sum() / 2
    (loss / n).backward()
    for mine, leaf in zip(
        gradient_of(layers, where, z, y).tensors(), leaves.tensors(), strict=True
    ):
        np.testing.assert_allclose(mine, leaf.grad, rtol=1e-9, atol=1e-13)
    assert Pass(n, layers, where.unit).error(where.enter(z), z, y) == pytest.approx(
        float(loss.detach()) / n, rel=1e-12
    )


def as_plain(layers: Layers) -> plain.Layers:
    return layers.tensors()


def centred(where: Coordinates) -> Any:
    """The network's formula for one cell in coordinates.

    v = z * |unit * (W2 (W1 x + b1) + b2)|, x = (z - origin) * scale.
    """

    def predict(layers: plain.Layers, z: torch.Tensor) -> torch.Tensor:
        W1, b1, W2, b2 = layers
        x = (z - where.origin) * where.scale
        v = z * (where.unit * (W2 @ (W1 @ x + b1) + b2)).abs()
        return v / v.sum() if v.sum() > 0 else v

    return predict


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("piece", [2, 5, 100])
def test_adamw_is_torchs(decay: float, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """12 values of which 7 shrink, in pieces that do and don't end there.

    One gradient is always 0, the rates differ.
    """
    monkeypatch.setattr(adam, "PIECE", piece)
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(12, generator=rng, dtype=torch.float64)
    values, gradient = start.clone(), torch.zeros(12, dtype=torch.float64)
    mine = AdamW(values, gradient, decayed=7, decay=decay)
    parts = [start[:7].clone().requires_grad_(), start[7:].clone().requires_grad_()]
    groups = [
        {"params": [part], "weight_decay": amount}
        for part, amount in zip(parts, (decay, 0.0), strict=True)
    ]
    torchs = torch.optim.AdamW(groups, lr=1.0)
    for rate in (0.1, 0.03, 0.2, 0.01, 0.0):
        gradient.copy_(torch.randn(12, generator=rng, dtype=torch.float64))
        gradient[3] = 0
        mine.step(rate)
        for group, part, slope in zip(
            torchs.param_groups, parts, (gradient[:7], gradient[7:]), strict=True
        ):
            group["lr"], part.grad = rate, slope.clone()
        torchs.step()
        np.testing.assert_allclose(values, torch.cat(parts).detach(), rtol=1e-13, atol=0)
    assert not torch.equal(values, start)


def test_learning_rates_by_hand() -> None:
    """cos(0), cos(pi/4), cos(pi/2), cos(3 pi/4) shifted into 0 to 1.

    The last step's rate is not yet 0.
    """
    half = math.sqrt(0.5)
    rates = list(learning_rates(Settings(hidden=1, lr=2.0, batch=1, steps=4, anneal=True)))
    np.testing.assert_allclose(rates, [2, 1 + half, 1, 1 - half], rtol=1e-12)
    assert list(learning_rates(Settings(hidden=1, lr=2.0, batch=1, steps=3))) == [2.0, 2.0, 2.0]


def test_batches_have_every_cell_once_an_epoch() -> None:
    rows = torch.arange(7.0)[:, None]
    drawn = list(
        islice(batches((rows, rows + 10, rows + 20), 3, torch.Generator().manual_seed(0)), 6)
    )
    assert [len(x) for x, _, _ in drawn] == [3, 3, 1, 3, 3, 1]
    epochs = [torch.cat([x.ravel() for x, _, _ in part]) for part in (drawn[:3], drawn[3:])]
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(7))
    assert not torch.equal(*epochs)
    for x, z, y in drawn:
        assert torch.equal(z, x + 10)
        assert torch.equal(y, x + 20)


@pytest.mark.parametrize("genes", [1, 6])
@pytest.mark.parametrize("tuned", [False, True])
def test_training_is_the_plain_one(genes: int, tuned: bool) -> None:
    """45 steps in batches of 4, 4 and 3 with looks at validation cells, in float64.

    One cell at a time gives the same layers.

    Gene 0 alone is on in one cell; one gene in all is the smallest network there is.
    """
    z, y, mean = draw_task(3, 15, genes)
    z[5], y[5] = 0, 0
    z[5, 0] = y[5, 0] = 1
    held, z, y = (z[:4], y[:4]), z[4:], y[4:]
    chosen = Settings(
        hidden=3,
        lr=0.02,
        batch=4,
        steps=45,
        decay=0.3 if tuned else 0.0,
        anneal=tuned,
        centred=tuned,
    )
    layers, error, step = train(z, y, held, mean, chosen, torch.Generator().manual_seed(5))
    generator = torch.Generator().manual_seed(5)
    where = Coordinates.centred(z, mean) if tuned else Coordinates.plain(z)
    first = (
        as_plain(first_layers(genes, chosen, generator))
        if tuned
        else plain.first_layers(genes, 3, generator)
    )
    expected, expected_error, expected_step = plain.train(
        z,
        y,
        held,
        tuple(tensor.double() for tensor in first),
        generator,
        steps=45,
        lr=0.02,
        size=4,
        decay=chosen.decay,
        anneal=tuned,  # type: ignore[arg-type]
        look_every=LOOK_EVERY,
        predict=centred(where) if tuned else plain.profile,
    )
    assert step == expected_step
    assert error == pytest.approx(expected_error, rel=1e-8, abs=1e-12)
    for mine, theirs in zip(
        layers.tensors(), where.in_plain(Layers(*expected)).tensors(), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(profiles(layers, z).sum(1), 1)


def test_without_validation_the_last_layers_are_kept() -> None:
    z, y, mean = draw_task(1, 9, 4)
    chosen = Settings(hidden=2, lr=0.05, batch=4, steps=30)
    layers, error, step = train(z, y, None, mean, chosen, torch.Generator().manual_seed(0), stop=17)
    generator = torch.Generator().manual_seed(0)
    first = tuple(tensor.double() for tensor in plain.first_layers(4, 2, generator))
    expected, _, _ = plain.train(z, y, None, first, generator, steps=17, lr=0.05, size=4)  # type: ignore[arg-type]
    assert (step, error) == (17, float("inf"))
    for mine, theirs in zip(layers.tensors(), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9)


def test_training_changes_nothing_it_is_given() -> None:
    z, y, mean = draw_task(2, 10, 5)
    before = [tensor.clone() for tensor in (z, y, mean)]
    train(
        z,
        y,
        (z[:3], y[:3]),
        mean,
        Settings(hidden=2, lr=0.05, batch=4, steps=12, centred=True),
        torch.Generator().manual_seed(0),
    )
    for tensor, copy in zip((z, y, mean), before, strict=True):
        assert torch.equal(tensor, copy)
