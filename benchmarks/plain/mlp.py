"""The DKO method (arXiv 2510.03359) from its formula, trained one cell at a time.

autograd and torch's Adam do the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

#: W1 (h, G), b1 (h,), W2 (G, h), b2 (G,).
Layers = tuple[Tensor, Tensor, Tensor, Tensor]

#: Steps between two looks at the validation cells. The published procedure keeps the best of all
#: steps, so it looks after each.
LOOK_EVERY = 1


def profile(layers: Layers, z: Tensor) -> Tensor:
    """v / sum(v) (G,) with v = z * |W2 (W1 z + b1) + b2|; 0 where v vanishes.

    z (G,) is one assemblage, divided by its number of genes.
    """
    W1, b1, W2, b2 = layers
    v = z * (W2 @ (W1 @ z + b1) + b2).abs()
    total = v.sum()
    return v / total if total > 0 else v


def bray_curtis(a: Tensor, b: Tensor) -> Tensor:
    """Sum of |a - b| over the sum of a + b."""
    return (a - b).abs().sum() / (a + b).sum()


def first_layers(genes: int, hidden: int, generator: torch.Generator) -> Layers:
    """Two linear layers as torch makes them: uniform in +-1/sqrt(inputs)."""
    shapes = [
        ((hidden, genes), genes),
        ((hidden,), genes),
        ((genes, hidden), hidden),
        ((genes,), hidden),
    ]
    W1, b1, W2, b2 = (
        (2 * torch.rand(shape, generator=generator) - 1) / inputs**0.5 for shape, inputs in shapes
    )
    return W1, b1, W2, b2


def epochs(n: int, size: int, generator: torch.Generator) -> Iterator[list[int]]:
    """Batches of cells without end, every cell once an epoch."""
    while True:
        order = torch.randperm(n, generator=generator).tolist()
        for at in range(0, n, size):
            yield order[at : at + size]


def train(
    z: Tensor,
    y: Tensor,
    valid: tuple[Tensor, Tensor] | None,
    layers: Layers,
    generator: torch.Generator,
    steps: int = 5000,
    lr: float = 0.01,
    size: int = 20,
    decay: float = 0.0,
    anneal: bool = False,
    look_every: int = LOOK_EVERY,
    predict: Callable[[Layers, Tensor], Tensor] = profile,
) -> tuple[Layers, float, int]:
    """Train the network one cell at a time.

    A step is Adam's on the mean Bray-Curtis of `size` cells, summed cell by cell.

    Parameters
    ----------
    z : (n, G) tensor
        Assemblages, each divided by its number of genes.
    y : (n, G) tensor
        Profiles.
    valid : tuple of two tensors, optional
        Such assemblages and profiles that validate.
    layers : Layers
        The first layers.
    generator : torch.Generator
        Gives the batches.
    steps, lr, size : int, float, int
        Number of steps, learning rate, cells a step.
    decay : float
        Weight decay (AdamW's, on the weights only).
    anneal : bool
        Whether the learning rate falls to 0 along a cosine.
    look_every : int
        Steps between two looks at the validation cells.
    predict : callable
        The network's formula.

    Returns
    -------
    layers : Layers
        Those that are best on the validation cells; without them, the last ones.
    error : float
        Their mean Bray-Curtis there.
    step : int
        Their step.
    """
    W1, b1, W2, b2 = layers = tuple(tensor.clone().requires_grad_() for tensor in layers)  # type: ignore[assignment]
    adam = torch.optim.AdamW(
        [{"params": [W1, W2], "weight_decay": decay}, {"params": [b1, b2], "weight_decay": 0.0}],
        lr=lr,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps) if anneal else None
    best, best_error, best_step = layers, float("inf"), steps
    batches = epochs(len(z), size, generator)
    for step in range(1, steps + 1):
        batch = next(batches)
        loss = torch.zeros((), dtype=z.dtype)
        for cell in batch:
            loss = loss + bray_curtis(predict(layers, z[cell]), y[cell])
        adam.zero_grad()
        (loss / len(batch)).backward()  # type: ignore[no-untyped-call]
        adam.step()
        if schedule is not None:
            schedule.step()
        if valid is not None and (step % look_every == 0 or step == steps):
            error = mean_bray_curtis(layers, *valid, predict)
            if error < best_error:
                best = (W1.clone(), b1.clone(), W2.clone(), b2.clone())
                best_error, best_step = error, step
    return tuple(tensor.detach() for tensor in best), best_error, best_step  # type: ignore[return-value]


@torch.no_grad()
def mean_bray_curtis(
    layers: Layers, z: Tensor, y: Tensor, predict: Callable[[Layers, Tensor], Tensor] = profile
) -> float:
    """Mean over cells of the Bray-Curtis of predicted and true profiles, cell by cell."""
    return sum(
        float(bray_curtis(predict(layers, cell), true)) for cell, true in zip(z, y, strict=True)
    ) / len(z)
