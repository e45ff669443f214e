"""Watches the global random states of `random`, numpy and torch, which a predictor must not
touch.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np


class RandomStates:
    """Watches the global random states during one call: sets each to one of its own, says which
    were changed, puts them back.

    Every call gets other states, so that an answer that hangs on them is not the same twice. torch
    only where something has imported it.
    """

    calls = 0

    def __enter__(self) -> RandomStates:
        RandomStates.calls += 1
        self.torch = sys.modules.get("torch")
        self.before = self._states()
        random.seed(RandomStates.calls)
        np.random.set_state(np.random.RandomState(RandomStates.calls).get_state())  # noqa: NPY002 - it is watched, not used
        if self.torch is not None:
            self.torch.set_rng_state(
                self.torch.Generator().manual_seed(RandomStates.calls).get_state()
            )
        self.given = self._states()
        self.changed: list[str] = []
        return self

    def _states(self) -> dict[str, Any]:
        states = {
            "random": random.getstate(),
            "numpy.random": np.random.get_state(),  # noqa: NPY002
        }
        if self.torch is not None:
            states["torch"] = self.torch.get_rng_state()
        return states

    def __exit__(self, *_: object) -> None:
        now = self._states()
        for name, given in self.given.items():
            # numpy's is a tuple with an array in it, torch's a tensor
            parts = zip(given, now[name]) if isinstance(given, tuple) else [(given, now[name])]  # noqa: B905 - Python 3.9
            if not all(
                np.array_equal(np.asarray(a, dtype=object), np.asarray(b, dtype=object))
                for a, b in parts
            ):
                self.changed.append(name)
        random.setstate(self.before["random"])
        np.random.set_state(self.before["numpy.random"])  # noqa: NPY002
        if self.torch is not None:
            self.torch.set_rng_state(self.before["torch"])
