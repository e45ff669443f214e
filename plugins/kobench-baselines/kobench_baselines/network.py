"""The DKO network z * |W2 (W1 z + b1) + b2|, and the coordinates in which it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Layers:
    """Two linear layers without an activation between them.

    Attributes
    ----------
    W1 : (h, G) tensor
        Weights from G genes to h hidden units.
    b1 : (h,) tensor
        Offsets of the hidden units.
    W2 : (G, h) tensor
        Weights from the hidden units to the genes.
    b2 : (G,) tensor
        Offsets of the genes.
    """

    W1: Tensor
    b1: Tensor
    W2: Tensor
    b2: Tensor

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """W1, b1, W2 and b2."""
        return self.W1, self.b1, self.W2, self.b2

    def map(self, change: Callable[[Tensor], Tensor]) -> Layers:
        """Layers of what `change` makes of each tensor."""
        return Layers(*(change(tensor) for tensor in self.tensors()))

    def __call__(self, x: Tensor) -> Tensor:
        """W2 (W1 x + b1) + b2, (n, G), of x (n, G)."""
        return torch.addmm(self.b2, torch.addmm(self.b1, x, self.W1.T), self.W2.T)


def profiles(layers: Layers, z: Tensor) -> Tensor:
    """Profiles z * |W2 (W1 z + b1) + b2|, rows divided by their sums.

    Parameters
    ----------
    layers : Layers
        The network.
    z : (n, G) tensor
        Assemblages, each divided by its number of genes.

    Returns
    -------
    (n, G) tensor
        A row in which all values vanish stays 0.
    """
    return rows_over_sum(z * layers(z).abs())


def rows_over_sum(values: Tensor) -> Tensor:
    """Rows divided by their sums; rows of 0 stay 0."""
    total = values.sum(dim=1, keepdim=True)
    return values / torch.where(total > 0, total, torch.ones_like(total))


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Where the layers are trained: x = (z - origin) * scale goes in, unit * output comes out.

    The functions z -> W2 (W1 z + b1) + b2 are the same in all coordinates (`in_plain` gives the
    layers), but how Adam moves among them is not. In the centred coordinates, layers of 0 with
    b2 = 1 are the masked mean, inputs have length 1 on average instead of 1 / sqrt(genes on), and
    every gene's output is in units of its mean share. So one learning rate fits rare and abundant
    genes.

    Attributes
    ----------
    origin : (G,) tensor
        Subtracted from the input.
    scale : float
        Factor of the input.
    unit : (G,) tensor
        Factor of the output.
    """

    origin: Tensor
    scale: float
    unit: Tensor

    @classmethod
    def plain(cls, z: Tensor) -> Coordinates:
        """Coordinates in which x is z itself."""
        return cls(torch.zeros_like(z[0]), 1.0, torch.ones_like(z[0]))

    @classmethod
    def centred(cls, z: Tensor, mean_share: Tensor) -> Coordinates:
        """Coordinates centred on training cells z (n, G) with mean shares (G,)."""
        origin = z.mean(dim=0)
        spread = float((z - origin).square().sum(dim=1).mean().sqrt())
        return cls(origin, 1.0 / spread if spread > 0 else 1.0, mean_share)

    def enter(self, z: Tensor) -> Tensor:
        """x of assemblages z (n, G)."""
        return (z - self.origin) * self.scale

    def in_plain(self, layers: Layers) -> Layers:
        """Layers in plain coordinates, float64, that are the same function of z."""
        W1, b1, W2, b2 = (tensor.double() for tensor in layers.tensors())
        unit, W1 = self.unit.double(), W1 * self.scale
        return Layers(W1, b1 - W1 @ self.origin.double(), unit[:, None] * W2, unit * b2)
