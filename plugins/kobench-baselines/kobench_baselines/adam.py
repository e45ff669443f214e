"""AdamW on one flat vector of parameters.

It is worked on in pieces that stay in the cache from the first operation to the last.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: torch.optim.AdamW's own settings.
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

#: Entries of a piece. Its five vectors stay in the last-level cache; smaller pieces cost more in
#: calls than they gain.
PIECE = 2**18


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101).

    The operations are those of torch.optim.AdamW in its order.

    Parameters
    ----------
    values : (N,) tensor
        The parameters; `step` changes them in place.
    gradient : (N,) tensor
        Where their gradient is found at each step.
    decayed : int
        The first so many parameters shrink by lr * decay a step, the others do not.
    decay : float
        Weight decay.
    """

    def __init__(self, values: Tensor, gradient: Tensor, decayed: int, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.beta2, self.epsilon = values.new_tensor(BETA2), values.new_tensor(EPSILON)
        moment, square, scratch = (values.new_zeros(len(values)) for _ in range(3))
        size = PIECE if values.device.type == "cpu" else len(values)
        self.pieces = [
            (
                values[at : at + size],
                values[at : min(at + size, max(at, decayed))],
                *(part[at : at + size] for part in (gradient, moment, square, scratch)),
            )
            for at in range(0, len(values), size)
        ]

    def step(self, lr: float) -> None:
        """Take one step with learning rate `lr`."""
        self.steps += 1
        shrink, step_size = 1 - lr * self.decay, lr / (1 - BETA1**self.steps)
        correction = (1 - BETA2**self.steps) ** 0.5
        for values, decayed, gradient, moment, square, scratch in self.pieces:
            if self.decay:
                decayed.mul_(shrink)
            moment.lerp_(gradient, 1 - BETA1)
            square.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - BETA2)
            torch.sqrt(square, out=scratch).div_(correction).add_(self.epsilon)
            values.addcdiv_(moment, scratch, value=-step_size)
