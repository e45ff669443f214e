"""The DKO network: z * |W2 (W1 z + b1) + b2| renormalised, and the coordinates in which it is
trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Layers:
    """W1 (h, G), b1 (h,), W2 (G, h), b2 (G,): the two linear layers, with no activation between
    them.
    """

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
    """(n, G) profiles of assemblages z (n, G) normalised to sum 1: z * |W2 (W1 z + b1) + b2|, rows
    over their sum.

    A row in which all values vanish stays 0.
    """
    return rows_over_sum(z * layers(z).abs())


def rows_over_sum(values: Tensor) -> Tensor:
    """Rows over their sum; rows of 0 stay 0."""
    total = values.sum(dim=1, keepdim=True)
    return values / torch.where(total > 0, total, torch.ones_like(total))


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Where the layers are trained: x = (z - origin) * scale goes in, unit * (what comes out) is
    the network's output.

    The functions z -> W2 (W1 z + b1) + b2 are the same in all coordinates (`in_plain` gives the
    layers), but how Adam moves among them is not. In the centred coordinates layers of 0 with b2 =
    1 are the masked mean, inputs have length 1 on average instead of 1 / sqrt(genes on), and every
    gene's output is in units of its mean share, so one learning rate fits rare and abundant genes.
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

    def enter(self, z: Tensor) -> Tensor:
        """x of assemblages z (n, G)."""
        return (z - self.origin) * self.scale

    def in_plain(self, layers: Layers) -> Layers:
        """The same function of z in plain coordinates, float64."""
        W1, b1, W2, b2 = (tensor.double() for tensor in layers.tensors())
        unit, W1 = self.unit.double(), W1 * self.scale
        return Layers(W1, b1 - W1 @ self.origin.double(), unit[:, None] * W2, unit * b2)
