"""The DKO method (arXiv 2510.03359) from its formula, one cell and one knockout at a time; autograd and torch's Adam do the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

#: W1 (h, G), b1 (h,), W2 (G, h), b2 (G,).
Layers = tuple[Tensor, Tensor, Tensor, Tensor]

#: Steps between two looks at the validation cells.
LOOK_EVERY = 10


def profile(layers: Layers, z: Tensor) -> Tensor:
    """(G,) v / sum(v), v = z * |W2 (W1 z + b1) + b2|, of one assemblage z (G,) normalised to sum 1; 0 where v vanishes."""
    W1, b1, W2, b2 = layers
    v = z * (W2 @ (W1 @ z + b1) + b2).abs()
    total = v.sum()
    return v / total if total > 0 else v


def bray_curtis(a: Tensor, b: Tensor) -> Tensor:
    """Sum of |a - b| over the sum of a + b."""
    return (a - b).abs().sum() / (a + b).sum()


def first_layers(genes: int, hidden: int, generator: torch.Generator) -> Layers:
    """Two linear layers as torch makes them: uniform in +-1/sqrt(inputs)."""
    shapes = [((hidden, genes), genes), ((hidden,), genes), ((genes, hidden), hidden), ((genes,), hidden)]
    W1, b1, W2, b2 = ((2 * torch.rand(shape, generator=generator) - 1) / inputs**0.5 for shape, inputs in shapes)
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
    predict: Callable[[Layers, Tensor], Tensor] = profile,
) -> tuple[Layers, float, int]:
    """The layers that are best on the validation cells, their mean Bray-Curtis there, and their step; the last ones without such cells.

    z (n, G) assemblages normalised to sum 1, y (n, G) profiles. A step is Adam's on the mean Bray-Curtis of `size` cells, summed cell by
    cell. decay : weight decay (AdamW's, on the weights only); anneal : the rate falls to 0 along a cosine; predict : the network's formula.
    """
    W1, b1, W2, b2 = layers = tuple(tensor.clone().requires_grad_() for tensor in layers)  # type: ignore[assignment]
    adam = torch.optim.AdamW([{"params": [W1, W2], "weight_decay": decay}, {"params": [b1, b2], "weight_decay": 0.0}], lr=lr)
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
        if valid is not None and (step % LOOK_EVERY == 0 or step == steps):
            error = mean_bray_curtis(layers, *valid, predict)
            if error < best_error:
                best, best_error, best_step = (W1.clone(), b1.clone(), W2.clone(), b2.clone()), error, step
    return tuple(tensor.detach() for tensor in best), best_error, best_step  # type: ignore[return-value]


@torch.no_grad()
def mean_bray_curtis(layers: Layers, z: Tensor, y: Tensor, predict: Callable[[Layers, Tensor], Tensor] = profile) -> float:
    """Mean over cells of the Bray-Curtis of predicted and true profiles, cell by cell."""
    return sum(float(bray_curtis(predict(layers, cell), true)) for cell, true in zip(z, y, strict=True)) / len(z)


@torch.no_grad()
def impacts(layers: Layers, on: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(events, 2) raw and propagated impact of each expressed gene of each cell, cell by cell, gene by gene.

    on (n, G): the cells' assemblages. raw: Bray-Curtis of the profiles after and before; propagated: of the profile after and the null,
    which is the profile before without the gene, renormalised. A cell of one gene, of which nothing is left, gives 1 and 0.
    """
    rows = []
    for cell in on:
        before = profile(layers, assemblage(cell))
        for gene in np.flatnonzero(cell):
            left = cell.copy()
            left[gene] = False
            null = before.clone()
            null[gene] = 0
            if not left.any():
                rows.append((1.0, 0.0))
                continue
            after = profile(layers, assemblage(left))
            rows.append((float(bray_curtis(after, before)), float(bray_curtis(after, null / null.sum()))))
    return np.array(rows, np.float64).reshape(-1, 2)


def assemblage(on: npt.NDArray[np.bool_]) -> Tensor:
    """(G,) of one cell, 1 over the number of genes on where a gene is on."""
    return torch.from_numpy(on / on.sum()).to(torch.float32)
