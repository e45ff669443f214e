"""The DKO network: z * |W2 (W1 z + b1) + b2| renormalised, and its training on Bray-Curtis with Adam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Steps between two looks at the validation cells.
LOOK_EVERY = 10


@dataclass(frozen=True, eq=False)
class Layers:
    """W1 (h, G), b1 (h,), W2 (G, h), b2 (G,): the two linear layers, with no activation between them."""

    W1: Tensor
    b1: Tensor
    W2: Tensor
    b2: Tensor

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.W1, self.b1, self.W2, self.b2

    def map(self, change: Callable[[Tensor], Tensor]) -> Layers:
        return Layers(*(change(tensor) for tensor in self.tensors()))

    def __call__(self, x: Tensor) -> Tensor:
        """(n, G) W2 (W1 x + b1) + b2."""
        return torch.addmm(self.b2, torch.addmm(self.b1, x, self.W1.T), self.W2.T)


def profiles(layers: Layers, z: Tensor) -> Tensor:
    """(n, G) profiles of assemblages z (n, G) normalised to sum 1: z * |W2 (W1 z + b1) + b2|, rows over their sum.

    A row in which all values vanish stays 0.
    """
    return rows_over_sum(z * layers(z).abs())


def rows_over_sum(values: Tensor) -> Tensor:
    """Rows over their sum; rows of 0 stay 0."""
    total = values.sum(dim=1, keepdim=True)
    return values / torch.where(total > 0, total, torch.ones_like(total))


@dataclass(frozen=True)
class Settings:
    """How to train: hidden units, Adam's learning rate, cells a step, most steps, weight decay (AdamW), and when to stop.

    patience : stop after so many steps without a better validation; None: never. anneal : lower the rate to 0 along a cosine.
    centred : train in the coordinates of `Coordinates.centred`.
    """

    hidden: int
    lr: float
    batch: int
    steps: int
    decay: float = 0.0
    patience: int | None = None
    anneal: bool = False
    centred: bool = False


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Where the layers are trained: x = (z - origin) * scale goes in, unit * (what comes out) is the network's output.

    The functions z -> W2 (W1 z + b1) + b2 are the same in all coordinates (`in_plain` gives the layers), but how Adam moves among
    them is not. In the centred coordinates layers of 0 with b2 = 1 are the masked mean, inputs have length 1 on average instead of
    1 / sqrt(genes on), and every gene's output is in units of its mean share, so one learning rate fits rare and abundant genes.
    """

    origin: Tensor
    scale: float
    unit: Tensor

    @classmethod
    def plain(cls, z: Tensor) -> Coordinates:
        return cls(torch.zeros_like(z[0]), 1.0, torch.ones_like(z[0]))

    @classmethod
    def centred(cls, z: Tensor, mean_share: Tensor) -> Coordinates:
        origin = z.mean(dim=0)
        spread = float((z - origin).square().sum(dim=1).mean().sqrt())
        return cls(origin, 1.0 / spread if spread > 0 else 1.0, mean_share)

    def predict(self, layers: Layers, z: Tensor) -> Tensor:
        return rows_over_sum(z * (self.unit * layers((z - self.origin) * self.scale)).abs())

    def in_plain(self, layers: Layers) -> Layers:
        """The same function of z in plain coordinates, float64."""
        W1, b1, W2, b2 = (tensor.double() for tensor in layers.tensors())
        unit, W1 = self.unit.double(), W1 * self.scale
        return Layers(W1, b1 - W1 @ self.origin.double(), unit[:, None] * W2, unit * b2)


def first_layers(genes: int, settings: Settings, generator: torch.Generator) -> Layers:
    """Before training: uniform in +-1/sqrt(inputs) as torch's own linear layers, or near the masked mean in centred coordinates."""
    h = settings.hidden

    def uniform(*shape: int, inputs: int) -> Tensor:
        values: Tensor = (2 * torch.rand(*shape, generator=generator) - 1) / inputs**0.5
        return values

    if not settings.centred:
        return Layers(uniform(h, genes, inputs=genes), uniform(h, inputs=genes), uniform(genes, h, inputs=h), uniform(genes, inputs=h))
    W1 = torch.randn(h, genes, generator=generator) / h**0.5
    W2 = 0.1 * torch.randn(genes, h, generator=generator) / h**0.5
    return Layers(W1, torch.zeros(h), W2, torch.ones(genes))


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
    """Layers in plain coordinates (float64), their validation Bray-Curtis and the number of steps they were trained.

    z (n, G) assemblages normalised to sum 1 and y (n, G) profiles, float32 on the device to train on; valid: two such tensors, of which
    the layers with the smallest Bray-Curtis are kept, or None: the last ones are. stop : steps after which to stop, inside a schedule of
    `settings.steps`. `generator` is on the CPU, so a seed means the same numbers on every device.
    """
    where = Coordinates.centred(z, mean_share) if settings.centred else Coordinates.plain(z)
    layers = first_layers(z.shape[1], settings, generator).map(lambda tensor: tensor.to(z.device).requires_grad_())
    weights, biases = [layers.W1, layers.W2], [layers.b1, layers.b2]
    groups = [{"params": weights, "weight_decay": settings.decay}, {"params": biases, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=settings.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, settings.steps) if settings.anneal else None
    best, best_error, best_step = None, float("inf"), 0
    last = settings.steps if stop is None else min(stop, settings.steps)
    order = torch.empty(0, dtype=torch.int64)
    for step in range(1, last + 1):
        if len(order) == 0:  # every cell once an epoch; the epoch's last batch may be small
            order = torch.randperm(len(z), generator=generator)
        rows, order = order[: settings.batch].to(z.device), order[settings.batch :]
        # both rows sum to 1, so half the absolute difference is their Bray-Curtis
        loss = (where.predict(layers, z[rows]) - y[rows]).abs().sum(dim=1).mean() / 2
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        if schedule is not None:
            schedule.step()
        if valid is not None and (step % LOOK_EVERY == 0 or step == last):
            log(step, last)
            with torch.no_grad():
                error = float((where.predict(layers, valid[0]) - valid[1]).abs().sum(dim=1).mean()) / 2
            if error < best_error:
                best, best_error, best_step = layers.map(lambda tensor: tensor.detach().clone()), error, step
            elif settings.patience is not None and step - best_step >= settings.patience:
                break
    with torch.no_grad():
        kept = best if best is not None else layers.map(Tensor.detach)
        return where.in_plain(kept), best_error, best_step if best is not None else last
