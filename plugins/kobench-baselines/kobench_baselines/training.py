"""Training of the DKO network on Bray-Curtis with AdamW.

The gradient is written out, and its arrays are allocated once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from kobench_baselines.adam import AdamW
from kobench_baselines.network import Coordinates, Layers

#: Steps between two looks at the validation cells.
LOOK_EVERY = 10

#: x, z and y of some cells: assemblages in the coordinates of training, assemblages, profiles.
Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    hidden : int
        Hidden units.
    lr : float
        Adam's learning rate.
    batch : int
        Cells a step.
    steps : int
        Most steps.
    decay : float
        Weight decay (AdamW).
    patience : int or None
        Steps without improvement in validation after which to stop; None for never.
    anneal : bool
        Whether to lower the learning rate to 0 along a cosine.
    centred : bool
        Whether to train in the coordinates of `Coordinates.centred`.
    """

    hidden: int
    lr: float
    batch: int
    steps: int
    decay: float = 0.0
    patience: int | None = None
    anneal: bool = False
    centred: bool = False


def first_layers(genes: int, settings: Settings, generator: torch.Generator) -> Layers:
    """The layers before training.

    They are uniform in +-1/sqrt(inputs), as torch's own linear layers; in centred coordinates they
    are near the masked mean.

    Parameters
    ----------
    genes : int
        Number of genes.
    settings : Settings
        How to train.
    generator : torch.Generator
        Gives the weights.
    """
    h = settings.hidden

    def uniform(*shape: int, inputs: int) -> Tensor:
        values: Tensor = (2 * torch.rand(*shape, generator=generator) - 1) / inputs**0.5
        return values

    if not settings.centred:
        return Layers(
            uniform(h, genes, inputs=genes),
            uniform(h, inputs=genes),
            uniform(genes, h, inputs=h),
            uniform(genes, inputs=h),
        )
    W1 = torch.randn(h, genes, generator=generator) / h**0.5
    W2 = 0.1 * torch.randn(genes, h, generator=generator) / h**0.5
    return Layers(W1, torch.zeros(h), W2, torch.ones(genes))


class Pass:
    """The network forward and backward for n cells, in arrays that are allocated once.

    p = v / s with v = z * |u|, u = unit * (W2 (W1 x + b1) + b2) and s the sum of v. The operations
    are those that autograd would choose, in its order, so that results are the same to the last
    bit. What a method returns is overwritten by the next call.

    Parameters
    ----------
    n : int
        Number of cells.
    layers : Layers
        The network; read at each call.
    unit : (G,) tensor, optional
        None in plain coordinates, where it is 1.
    """

    def __init__(self, n: int, layers: Layers, unit: Tensor | None) -> None:
        new, (hidden, genes) = layers.b1.new_empty, layers.W1.shape
        self.layers, self.unit, self.weight = layers, unit, layers.b1.new_tensor(0.5) / n
        self.u, self.p, self.g, self.scratch = (new(n, genes) for _ in range(4))
        self.h, self.g_h = (new(n, hidden) for _ in range(2))
        self.s, self.g_s = (new(n, 1) for _ in range(2))
        self.W1T, self.W2T, self.gT, self.g_hT = layers.W1.T, layers.W2.T, self.g.T, self.g_h.T

    def profiles(self, x: Tensor, z: Tensor) -> Tensor:
        """Predicted profiles of assemblages.

        Parameters
        ----------
        x : (n, G) tensor
            The assemblages in the coordinates of training.
        z : (n, G) tensor
            The assemblages, each divided by its number of genes.

        Returns
        -------
        (n, G) tensor
            A row that vanishes stays 0.
        """
        torch.addmm(self.layers.b1, x, self.W1T, out=self.h)
        torch.addmm(self.layers.b2, self.h, self.W2T, out=self.u)
        if self.unit is not None:
            self.u.mul_(self.unit)
        v = torch.abs(self.u, out=self.p).mul_(z)
        torch.sum(v, dim=1, keepdim=True, out=self.s)
        torch.threshold_(self.s, 0.0, 1.0)  # a sum of 0 becomes 1
        return v.div_(self.s)

    def error(self, x: Tensor, z: Tensor, y: Tensor) -> float:
        """Mean Bray-Curtis of predicted profiles and true ones y (n, G).

        Rows of both sum to 1, so it is half the absolute difference.
        """
        return float(torch.sub(self.profiles(x, z), y, out=self.g).abs_().sum(dim=1).mean()) / 2

    def gradient(self, x: Tensor, z: Tensor, y: Tensor, to: Layers) -> None:
        """Write the gradient of `error` by the layers to `to`.

        With d = sign(p - y) / 2n: dv = d / s - sum(d p / s) and du = dv z sign(u) unit, and from
        there backwards through two linear layers.
        """
        g, scratch = self.g, self.scratch
        torch.sub(self.profiles(x, z), y, out=g).sign_().mul_(self.weight)
        torch.div(self.p, self.s, out=scratch).mul_(g)
        torch.sum(scratch, dim=1, keepdim=True, out=self.g_s)
        g.div_(self.s).sub_(self.g_s).mul_(z).mul_(torch.sign(self.u, out=scratch))
        if self.unit is not None:
            g.mul_(self.unit)
        torch.sum(g, dim=0, out=to.b2)
        torch.mm(self.gT, self.h, out=to.W2)
        torch.mm(g, self.layers.W2, out=self.g_h)
        torch.sum(self.g_h, dim=0, out=to.b1)
        torch.mm(self.g_hT, x, out=to.W1)


def learning_rates(settings: Settings) -> Iterator[float]:
    """The learning rate of each step.

    It is constant, or falls from lr to 0 along half a cosine, by the recurrence of torch's
    CosineAnnealingLR.
    """
    rate, turn = settings.lr, math.pi / settings.steps
    for step in range(1, settings.steps + 1):
        yield rate
        if settings.anneal:
            rate *= (1 + math.cos(turn * step)) / (1 + math.cos(turn * (step - 1)))


def batches(cells: Batch, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Batches of the cells' rows, without end.

    Every epoch has every cell once, in a new order; its last batch may be small.

    Parameters
    ----------
    cells : Batch
        Three tensors (n, G): x, z and y.
    size : int
        Rows a batch.
    generator : torch.Generator
        Gives the orders.
    """
    while True:
        order = torch.randperm(len(cells[0]), generator=generator).to(cells[0].device)
        yield from zip(
            *(torch.split(part.index_select(0, order), size) for part in cells), strict=True
        )


class Learner:
    """Layers in training: views of one flat vector [W1, W2, b1, b2], with gradient and AdamW.

    Parameters
    ----------
    first : Layers
        The layers before training.
    unit : (G,) tensor, optional
        See `Pass`.
    decay : float
        Weight decay of W1 and W2.
    """

    def __init__(self, first: Layers, unit: Tensor | None, decay: float) -> None:
        weights = first.W1.numel() + first.W2.numel()
        self.flat = torch.cat([first.W1.ravel(), first.W2.ravel(), first.b1, first.b2])
        slope = torch.zeros_like(self.flat)
        self.unit = unit
        self.layers, self.slope = layers_in(self.flat, first), layers_in(slope, first)
        self.adam = AdamW(self.flat, slope, weights, decay)
        self.passes: dict[int, Pass] = {}

    def step(self, batch: Batch, lr: float) -> None:
        """Take one step of training."""
        self._pass(len(batch[0])).gradient(*batch, to=self.slope)
        self.adam.step(lr)

    def error(self, cells: Batch) -> float:
        """Mean Bray-Curtis of some cells."""
        return self._pass(len(cells[0])).error(*cells)

    def _pass(self, n: int) -> Pass:
        """The pass for batches of n cells, made once."""
        if n not in self.passes:
            self.passes[n] = Pass(n, self.layers, self.unit)
        return self.passes[n]


def layers_in(flat: Tensor, like: Layers) -> Layers:
    """Layers of the shapes of `like` as views of a flat vector [W1, W2, b1, b2]."""
    W1, W2, b1, b2 = torch.split(
        flat, [like.W1.numel(), like.W2.numel(), like.b1.numel(), like.b2.numel()]
    )
    return Layers(W1.view_as(like.W1), b1, W2.view_as(like.W2), b2)


def train(
    z: Tensor,
    y: Tensor,
    valid: tuple[Tensor, Tensor] | None,
    mean_share: Tensor,
    settings: Settings,
    generator: torch.Generator,
    stop: int | None = None,
    log: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Layers, float, int]:
    """Train the network.

    Parameters
    ----------
    z : (n, G) tensor
        Assemblages, each divided by its number of genes; float32 on the device to train on.
    y : (n, G) tensor
        True profiles.
    valid : tuple of two tensors, optional
        Such assemblages and profiles that validate. The layers with the smallest Bray-Curtis on
        them are kept; without them, the last ones.
    mean_share : (G,) tensor
        Mean share of each gene.
    settings : Settings
        How to train.
    generator : torch.Generator
        On the CPU, so that a seed gives the same numbers on every device.
    stop : int, optional
        Number of steps after which to stop within a schedule of `settings.steps`.
    log : callable
        Called with the steps done and their total.

    Returns
    -------
    layers : Layers
        In plain coordinates, float64.
    error : float
        Their Bray-Curtis in validation; infinity without one.
    steps : int
        The number of steps they were trained.
    """
    where = Coordinates.centred(z, mean_share) if settings.centred else Coordinates.plain(z)
    first = first_layers(z.shape[1], settings, generator).map(lambda tensor: tensor.to(z))
    best, best_error, best_step = None, float("inf"), 0
    last = settings.steps if stop is None else min(stop, settings.steps)
    with torch.inference_mode():
        learner = Learner(first, where.unit if settings.centred else None, settings.decay)
        held = None if valid is None else (where.enter(valid[0]), *valid)
        rates = learning_rates(settings)
        cells = batches((where.enter(z), z, y), settings.batch, generator)
        for step in range(1, last + 1):
            learner.step(next(cells), next(rates))
            if held is not None and (step % LOOK_EVERY == 0 or step == last):
                log(step, last)
                error = learner.error(held)
                if error < best_error:
                    best, best_error, best_step = learner.flat.clone(), error, step
                elif settings.patience is not None and step - best_step >= settings.patience:
                    break
        kept = layers_in(learner.flat if best is None else best, first)
    return where.in_plain(kept.map(Tensor.clone)), best_error, last if best is None else best_step
